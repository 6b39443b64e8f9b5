"""Importing a data set from files."""

from collections.abc import Mapping
from pathlib import Path

from guidedrec_core.config import AS_IN_THE_FILE, TiesConfig
from guidedrec_core.data.dataset import Dataset, check_name
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.interactions import Interactions
from guidedrec_core.data.readers import read
from guidedrec_core.data.verbs import verb_of, with_verb


def import_dataset(
    format: str,
    path: Path | str,
    name: str,
    mapping: Mapping[str, str] | None = None,
    items_path: Path | str | None = None,
    min_interactions: int = 1,
    ties: TiesConfig = AS_IN_THE_FILE,
    verb: str | None = None,
) -> Dataset:
    """Read, clean and filter a data set.

    Parameters
    ----------
    format : str
        A key of `guidedrec_core.data.readers.READERS`.
    path : Path or str
        The file, folder or zip archive, or an address that fsspec knows (``s3://bucket/sales.csv.gz``).
    name : str
        Name of the data set.
    mapping, items_path
        See `guidedrec_core.data.readers.read`.
    min_interactions : int, default 1
        K-core: keep users and items with at least this many interactions.
    ties : TiesConfig, optional
        How to order interactions of one user at the same moment; by default as in the file. Any other order is
        recorded in the data set's `source`.
    verb : str, optional
        What users did, in the past tense, e.g. ``"watched"`` (a key of `guidedrec_core.data.verbs.VERBS`); guessed by
        default.

    Returns
    -------
    Dataset
        With a notice of everything that was changed or left out.

    Raises
    ------
    DataError
        Anything that makes the files unusable; one message with what to do.
    ConfigError
        There is no such verb.
    """
    check_name(name)
    source = with_verb({"format": format, "path": place_of(path).origin}, name, verb)
    raw = read(format, path, mapping, items_path, ties.column)
    interactions, cleaned = Interactions.clean(raw.take_interactions(), ties, verb_of(name, source))
    facts = {**source, **raw.facts, **ties.facts()}
    return Dataset.assemble(interactions, raw.items, name, min_interactions, facts, (*raw.notices, *cleaned))
