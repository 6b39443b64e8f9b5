"""SASRec or BERT4Rec of RecTools, in its default shape; only the number of epochs is not its default, which is 3."""

import numpy as np
import pandas as pd
import pytorch_lightning as lightning
import rectools
import torch
from record import Record
from rectools.dataset import Dataset
from rectools.models import BERT4RecModel, SASRecModel

MODELS = {"sasrec": SASRecModel, "bert4rec": BERT4RecModel}
SHAPE = {"n_blocks": 2, "n_factors": 64, "session_max_len": 50}


class AfterEpoch(lightning.Callback):
    """Calls a function after every epoch; holds nothing else, because RecTools copies its trainer."""

    def __init__(self, function):
        self.function = function

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = not self.function()


def dataset_of(split, part):
    """Hand over what precedes a part; the order of a history becomes seconds."""
    users, items = split.pairs(part)
    seconds = np.arange(len(users)) - split.starts[users]
    time = pd.Timestamp("2000-01-01") + pd.to_timedelta(seconds, unit="s")
    return Dataset.construct(pd.DataFrame({"user_id": users, "item_id": items, "weight": 1, "datetime": time}))


def main():
    record = Record()
    split, options = record.split, record.options
    torch.set_num_threads(options.threads)
    lightning.seed_everything(options.seed, verbose=False)
    datasets = {part: dataset_of(split, part) for part in ("valid", "test")}

    def scores(part):
        """Score every item the model knows; it knows none that never occurs in training."""
        prepared = model.data_preparator.transform_dataset_u2i(datasets[part], np.arange(split.n_users))
        loader = model.data_preparator.get_dataloader_recommend(prepared, model.recommend_batch_size)
        module = model.lightning_model
        was_training = module.training
        user_vectors, item_vectors = module._get_user_item_embeddings(loader, "cpu")
        module.train(was_training)
        known = model.data_preparator.get_known_items_sorted_internal_ids()
        table = np.full((split.n_users, split.n_items), -np.inf, dtype=np.float32)
        users, items = prepared.user_id_map.external_ids, model.data_preparator.get_known_item_ids()
        table[np.ix_(users.astype(int), items.astype(int))] = (user_vectors @ item_vectors[known].T).detach().numpy()
        return table

    def trainer():
        return lightning.Trainer(
            max_epochs=options.max_epochs,
            min_epochs=1,
            accelerator="cpu",
            deterministic=True,
            enable_progress_bar=False,
            enable_model_summary=False,
            logger=False,
            enable_checkpointing=False,
            callbacks=[AfterEpoch(lambda: record.epoch(scores))],
        )

    model = MODELS[options.model](**SHAPE, get_trainer_func=trainer)
    record.start()
    model.fit(datasets["valid"])
    settings = {k: v for k, v in model.get_config(simple_types=True).items() if isinstance(v, int | float | str)}
    record.finish(settings=settings, versions={"rectools": rectools.__version__, "torch": torch.__version__})


if __name__ == "__main__":
    main()
