"""SASRec, GRU4Rec or BERT4Rec of this project, as `guidedrec build` trains them, with the defaults but for `--config`.

Its seconds of an epoch hold the validation, which those of the other libraries do not.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from record import Record

from guidedrec_core import __version__, stages
from guidedrec_core.config import BuildConfig
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.recommenders.reading import load_base
from guidedrec_core.runs.datasets import load_split_dataset
from guidedrec_core.runs.store import RunStore


def main():
    record = Record()
    split, options = record.split, record.options
    own = options.config
    training = own.get("training", {}) | {"threads": options.threads}
    if options.max_epochs:
        training["max_epochs"] = options.max_epochs
    encoder = own.get("encoder", {}) | {"kind": options.model}
    config = BuildConfig.parse({**own, "encoder": encoder, "training": training, "seed": options.seed})
    marks = [(0, 0.0)]

    def note(event):
        """Note the CPU seconds at the end of every epoch."""
        if event.step == marks[-1][0] + 1:
            marks.append((event.step, time.process_time()))
        elif event.step == 0:
            marks[0] = (0, time.process_time())

    with tempfile.TemporaryDirectory() as home:
        users = np.repeat(np.arange(split.n_users), np.diff(split.starts))
        seconds = np.arange(len(users)) - split.starts[users]
        table = pd.DataFrame({"user_id": users, "item_id": split.items, "datetime": seconds + 1_000_000_000})
        table.to_csv(Path(home) / "interactions.csv", index=False)
        store = RunStore(Path(home) / "runs")
        data = stages.store_dataset(store, import_dataset("csv", Path(home) / "interactions.csv", "peers"))
        run = stages.train_base(store, data, config, note)
        prepared = load_split_dataset(store, run)
        model = load_base(run, prepared).scorer
        curve = run.read_table("training")
    # Ids are the numbers of the split; inside they have indexes of their own.
    index = prepared.dataset.items.indexes(pd.Series(np.arange(split.n_items).astype(str)))
    people = prepared.dataset.users.indexes(pd.Series(np.arange(split.n_users).astype(str)))
    histories = [index[split.history(user, "test")] for user in range(split.n_users)]
    shown = [prepared.shown_history(user) for user in people.tolist()]
    assert all(map(np.array_equal, histories, shown)), "the histories were cut differently"
    np.save(options.out / "test_scores.npy", model.scores(people, histories)[:, index])
    cpu = np.diff([seconds for _, seconds in marks])
    record.epochs = [{"cpu_seconds": s, "ndcg": n} for s, n in zip(cpu.tolist(), curve["ndcg"], strict=True)]
    record.best_epoch = int(run.summary["best_epoch"])
    record.stopped = "patience" if run.summary["stopped_early"] else "largest number of epochs"
    record.finish(
        settings=config.encoder.model_dump() | config.training.model_dump(),
        versions={"guidedrec": __version__, "torch": torch.__version__},
    )


if __name__ == "__main__":
    main()
