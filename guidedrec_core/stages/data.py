"""Stages data and scores: what comes from files, stored as runs."""

import contextlib

import numpy as np
import pandas as pd

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import read_scores
from guidedrec_core.data import dataset as datasets
from guidedrec_core.data.bundled import BUNDLED, ScoreFiles, bundled_dataset, bundled_scores
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.errors import NotFoundError, RunCorruptError
from guidedrec_core.runs.library import no_dataset
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import find_equal, sha256


def store_dataset(store: RunStore, dataset: Dataset) -> Run:
    """Store a data set; the same content under the same name is stored once."""
    config = {"name": dataset.name, "source": dict(dataset.source), "content": content_hash(dataset)}
    found = find_equal(store, "data", config, {}, None)
    if found is not None:
        return found
    with store.create("data", config=config) as writer:
        datasets.save(dataset, writer)
        facts = dataset.describe()
        writer.summary.update({k: facts[k] for k in ("name", "users", "items", "interactions", "first", "last")})
    return writer.run


def find_data(store: RunStore, name: str) -> Run:
    """Return the newest stored data set of a name; a bundled one is stored at first use.

    Raises
    ------
    NotFoundError
        There is none; the message says how to get it.
    """
    for info in store.list("data"):
        if info.problem is None and info.config.get("name") == name:
            return store.open(info.id, "data")
    if name in BUNDLED:
        return store_dataset(store, bundled_dataset(name))
    raise no_dataset(store, name)


def score_attributes(store: RunStore, data: Run, files: ScoreFiles) -> Run:
    """Store a data set's guided scores, read from tables.

    Raises
    ------
    ConfigError, DataError
        The schema or a table is wrong; see `read_scores`.
    """
    schema = AttributeSchema.read(files.attributes)
    dataset = datasets.load(data)
    items, notices = read_scores(files.item_scores, schema, dataset.items)
    users = None
    if files.user_scores is not None:
        users, user_notices = read_scores(files.user_scores, schema, dataset.users)
        notices = (*notices, *user_notices)
    config = {
        "attributes": schema.model_dump(mode="json"),
        "item_scores": {"file": files.item_scores.name, "sha256": sha256(items.values.tobytes())},
        "user_scores": files.user_scores
        and users
        and {"file": files.user_scores.name, "sha256": sha256(users.values.tobytes())},
    }
    found = find_equal(store, "scores", config, {"data": data.id}, None)
    if found is not None:
        return found
    with store.create("scores", config=config, inputs={"data": data}) as writer:
        writer.write_json("attributes", schema.model_dump(mode="json"))
        writer.write_array("item_scores", items.values)
        if users is not None:
            writer.write_array("user_scores", users.values)
        writer.write_json("notices", [n.as_dict() for n in notices])
        writer.summary.update(
            attributes=len(schema),
            schema_hash=schema.hash(),
            items=len(items.values),
            scored=len(items.values) - items.n_unscored,
            missing=items.n_missing,
            users_scored=0 if users is None else len(users.values) - users.n_unscored,
        )
    return writer.run


def newest_scores(store: RunStore, data: Run) -> Run | None:
    """Return the newest stored scores of a data set, as they were given; None when there are none."""
    for info in store.list("scores"):
        if info.problem is None and info.inputs.get("data") == data.id and "overrides" not in info.config:
            with contextlib.suppress(RunCorruptError, NotFoundError):
                return store.open(info.id, "scores")
    return None


def given_scores(store: RunStore, data: Run) -> Run:
    """Return the newest stored scores of a data set, as they were given; bundled ones are stored at first use.

    Raises
    ------
    NotFoundError
        There are none; the message says how to bring some.
    """
    found = newest_scores(store, data)
    if found is not None:
        return found
    name = str(data.config["name"])
    files = bundled_scores(name)
    if files is None:
        raise NotFoundError(
            f"data set {name!r} has no guided scores; bring a table with "
            f"`guidedrec score {name} --attributes attributes.json --item-scores scores.csv`"
        )
    return score_attributes(store, data, files)


def content_hash(dataset: Dataset) -> str:
    """Name a data set's content."""
    hashes = [
        pd.util.hash_pandas_object(f, index=False).to_numpy()
        for f in (dataset.interactions.frame, dataset.catalogue.frame)
    ]
    return sha256(np.concatenate(hashes).tobytes())
