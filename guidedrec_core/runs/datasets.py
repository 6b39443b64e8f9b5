"""Data sets as runs of stage ``data``."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core.config import SplitConfig
from guidedrec_core.data.catalogue import Catalogue
from guidedrec_core.data.dataset import Dataset, SplitDataset
from guidedrec_core.data.interactions import Interactions
from guidedrec_core.data.notices import Notice
from guidedrec_core.runs.files import Run, RunWriter
from guidedrec_core.runs.store import RunStore

# A row's hash is its own; hashing all rows at once would make a Python object of every id.
_ROWS_AT_ONCE = 100_000


def data_settings(dataset: Dataset) -> dict[str, Any]:
    """Return what names a data set among runs."""
    return {"name": dataset.name, "source": dict(dataset.source), "content": content_hash(dataset)}


def write_dataset(store: RunStore, dataset: Dataset, settings: Mapping[str, Any]) -> Run:
    """Write a data set as a run of stage ``data``."""
    with store.create("data", config=settings) as writer:
        save_dataset(dataset, writer)
        facts = dataset.describe()
        writer.summary.update({k: facts[k] for k in ("name", "users", "items", "interactions", "first", "last")})
    return writer.run


def save_dataset(dataset: Dataset, writer: RunWriter) -> None:
    """Write a data set into a run of stage ``data``."""
    writer.write_table("interactions", dataset.interactions.frame)
    writer.write_table("catalogue", dataset.catalogue.frame)
    notices = [notice.as_dict() for notice in dataset.notices]
    writer.write_json("dataset", {"name": dataset.name, "source": dict(dataset.source), "notices": notices})


def load_dataset(run: Run) -> Dataset:
    """Read a data set from a run of stage ``data``; it equals the one that was saved.

    Raises
    ------
    NotFoundError
        The run holds no data set.
    RunCorruptError
        A file is damaged.
    """
    facts = run.read_json("dataset")
    notices = tuple(Notice(**notice) for notice in facts["notices"])
    interactions = Interactions(run.read_table("interactions"))
    return Dataset(facts["name"], interactions, Catalogue(run.read_table("catalogue")), facts["source"], notices)


def load_split_dataset(store: RunStore, base_run: Run) -> SplitDataset:
    """Load the data that a base run was trained on, cut as it was then."""
    dataset = load_dataset(store.open(base_run.inputs["data"], "data"))
    return SplitDataset.of(dataset, SplitConfig.parse(base_run.config["split"]))


def content_hash(dataset: Dataset) -> str:
    """Name a data set's content."""
    hashes = [
        pd.util.hash_pandas_object(frame.iloc[start : start + _ROWS_AT_ONCE], index=False).to_numpy()
        for frame in (dataset.interactions.frame, dataset.catalogue.frame)
        for start in range(0, len(frame), _ROWS_AT_ONCE)
    ]
    return hashlib.sha256(np.concatenate(hashes).tobytes()).hexdigest()
