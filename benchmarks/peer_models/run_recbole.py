"""SASRec, GRU4Rec or BERT4Rec of RecBole, in its default shape, with batches of 256.

Its default batch of 2,048 prefixes takes more than 4 GiB. Histories are handed over in order and RecBole cuts them by
leave-one-out itself, which is the same split; its scores are taken from `full_sort_predict` and ranked as all others.
"""

import logging
import tempfile
from pathlib import Path

import numpy as np
import recbole
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed
from record import Record

MODELS = {"sasrec": "SASRec", "gru4rec": "GRU4Rec", "bert4rec": "BERT4Rec"}
SETTINGS = {"MAX_ITEM_LIST_LENGTH": 50, "train_batch_size": 256, "eval_batch_size": 256 * 4096}


def write_atomic(split, folder):
    """Write all interactions as RecBole's atomic file; the order of a history becomes its time."""
    rows = ["user_id:token\titem_id:token\ttimestamp:float"]
    for user in range(split.n_users):
        history = split.items[split.starts[user] : split.starts[user + 1]]
        rows += [f"{user}\t{item}\t{time}" for time, item in enumerate(history.tolist())]
    (folder / "peers").mkdir()
    (folder / "peers" / "peers.inter").write_text("\n".join(rows) + "\n")


def main():
    record = Record()
    split, options = record.split, record.options
    with tempfile.TemporaryDirectory() as folder:
        write_atomic(split, Path(folder))
        config = Config(
            model=MODELS[options.model],
            dataset="peers",
            config_dict={
                **SETTINGS,
                "data_path": folder,
                "checkpoint_dir": folder,
                "USER_ID_FIELD": "user_id",
                "ITEM_ID_FIELD": "item_id",
                "TIME_FIELD": "timestamp",
                "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
                "eval_args": {
                    "split": {"LS": "valid_and_test"},
                    "order": "TO",
                    "group_by": "user",
                    "mode": "full",
                },
                "train_neg_sample_args": None,
                "seed": options.seed,
                "use_gpu": False,
                "log_wandb": False,
                "show_progress": False,
                "state": "ERROR",
            },
        )
        logging.disable(logging.INFO)
        init_seed(config["seed"], config["reproducibility"])
        dataset = create_dataset(config)
        train, valid, test = data_preparation(config, dataset)
    torch.set_num_threads(options.threads)  # RecBole sets them by itself
    init_seed(config["seed"], config["reproducibility"])
    model = get_model(config["model"])(config, train.dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    loaders = {"valid": valid, "test": test}
    users_of = dataset.field2id_token["user_id"]
    items_of = dataset.field2id_token["item_id"][1:].astype(int)  # the first is padding

    def scores(part):
        """Score every item for every user."""
        model.eval()
        table = np.full((split.n_users, split.n_items), -np.inf, dtype=np.float32)
        with torch.no_grad():
            for interaction, *_ in loaders[part]:
                predicted = model.full_sort_predict(interaction).view(len(interaction), -1).numpy()
                users = users_of[interaction["user_id"].numpy()].astype(int)
                targets = items_of[interaction["item_id"].numpy() - 1]
                assert np.array_equal(targets, split.targets(part)[users]), "RecBole cut the histories differently"
                table[np.ix_(users, items_of)] = predicted[:, 1 : 1 + len(items_of)]
        assert np.isfinite(table).all(), "RecBole left users or items out"
        return table

    record.start()
    epoch = 0
    while True:
        trainer._train_epoch(train, epoch, show_progress=False)
        epoch += 1
        if not record.epoch(scores):
            break
    names = ("embedding_size", "hidden_size", "n_layers", "num_layers", "n_heads", "learning_rate", "loss_type")
    shape = {name: config[name] for name in names if config[name] is not None}
    record.finish(settings={**SETTINGS, **shape}, versions={"recbole": recbole.__version__, "torch": torch.__version__})


if __name__ == "__main__":
    main()
