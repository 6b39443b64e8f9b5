"""Importing a data set from files."""

from collections.abc import Mapping
from pathlib import Path

from guidedrec_core.data.dataset import Dataset, check_name
from guidedrec_core.data.readers import read


def import_dataset(
    format: str,
    path: Path | str,
    name: str,
    mapping: Mapping[str, str] | None = None,
    items_path: Path | str | None = None,
    min_interactions: int = 1,
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

    Returns
    -------
    Dataset
        With a notice of everything that was changed or left out.

    Raises
    ------
    DataError
        Anything that makes the files unusable; one message with what to do.
    """
    check_name(name)
    raw = read(format, path, mapping, items_path)
    source = {"format": format, "path": Path(path).resolve().name, **raw.facts}
    return Dataset.clean(raw.interactions, raw.items, name, min_interactions, source, raw.notices)
