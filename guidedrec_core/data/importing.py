"""Importing a data set from files."""

from collections.abc import Mapping
from pathlib import Path

from guidedrec_core.data.dataset import Dataset, check_name
from guidedrec_core.data.readers import read
from guidedrec_core.data.verbs import with_verb


def import_dataset(
    format: str,
    path: Path | str,
    name: str,
    mapping: Mapping[str, str] | None = None,
    items_path: Path | str | None = None,
    min_interactions: int = 1,
    verb: str | None = None,
) -> Dataset:
    """Read, clean and filter a data set.

    Parameters
    ----------
    format : str
        A key of `guidedrec_core.data.readers.READERS`.
    path : path
        The file, folder or zip archive.
    name : str
        Name of the data set.
    mapping, items_path
        See `guidedrec_core.data.readers.read`.
    min_interactions : int, default 1
        K-core: keep users and items with at least so many interactions.
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
    source = with_verb({"format": format, "path": Path(path).resolve().name}, name, verb)
    raw = read(format, path, mapping, items_path)
    return Dataset.clean(raw.interactions, raw.items, name, min_interactions, {**source, **raw.facts}, raw.notices)
