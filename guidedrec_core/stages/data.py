"""Stages data and scores: what comes from files, stored as runs."""

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import AlignedScores, GuidedScores, read_scores
from guidedrec_core.data.bundled import BUNDLED, ScoreFiles, bundled_dataset, bundled_scores
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import NotFoundError
from guidedrec_core.runs.datasets import data_settings, load_dataset, write_dataset
from guidedrec_core.runs.library import no_dataset
from guidedrec_core.runs.scores import newest_scores, scores_settings, write_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import Identity, made_once


def store_dataset(store: RunStore, dataset: Dataset) -> Run:
    """Store a data set; the same content under the same name is stored once."""
    settings = data_settings(dataset)
    identity = Identity("data", settings, {}, None)
    return made_once(store, identity, lambda _: write_dataset(store, dataset, settings), room=0)


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
    dataset = load_dataset(data)
    items, notices = read_scores(files.item_scores, schema, dataset.items)
    users: GuidedScores | None = None
    user_notices: tuple[Notice, ...] = ()
    if files.user_scores is not None:
        users, user_notices = read_scores(files.user_scores, schema, dataset.users)
    scores = AlignedScores(items, users, notices=(*notices, *user_notices))
    user_file = "" if files.user_scores is None else files.user_scores.name
    settings = scores_settings(scores, files.item_scores.name, user_file)
    identity = Identity("scores", settings, {"data": data}, None)
    return made_once(store, identity, lambda _: write_scores(store, scores, settings, data), room=0)


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
