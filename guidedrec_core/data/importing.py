"""Importing a data set from files."""

from collections.abc import Mapping
from pathlib import Path

from guidedrec_core import columns as c
from guidedrec_core.config import AS_IN_THE_FILE, AS_WRITTEN, ReadingConfig, TiesConfig
from guidedrec_core.data.dataset import Dataset, check_name
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.formats.source import Files, lines_named
from guidedrec_core.data.interactions import Interactions, core_filter
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.readers import open_source
from guidedrec_core.data.reading.rows import Rows
from guidedrec_core.data.reading.staging import clean_staged
from guidedrec_core.data.verbs import InteractionVerb, verb_of, with_verb
from guidedrec_core.errors import DataError
from guidedrec_core.progress import Listener, silent


def import_dataset(
    format: str,
    path: Path | str,
    name: str,
    mapping: Mapping[str, str] | None = None,
    items_path: Path | str | None = None,
    min_interactions: int = 1,
    ties: TiesConfig = AS_IN_THE_FILE,
    verb: str | None = None,
    reading: ReadingConfig = AS_WRITTEN,
    currency: str | None = None,
    listener: Listener = silent,
) -> Dataset:
    """Read, clean and filter a data set.

    The file may be larger than memory: its rows go through a DuckDB file in the folder for temporary files, and only
    what the filters leave is loaded. The environment variable ``GUIDEDREC_IMPORT_MEMORY`` limits what DuckDB takes.

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
    reading : ReadingConfig, optional
        How dates are written, weights of kinds of interaction, and which ratings to leave out; recorded in `source`.
    currency : str, optional
        ISO 4217 code of all prices, e.g. ``"EUR"``, where the table of items has no column ``currency``.
    listener : callable, optional
        Hears how many rows are read.

    Returns
    -------
    Dataset
        With a notice of everything that was changed or left out.

    Raises
    ------
    DataError
        Anything that makes the files unusable; one message with what to do.
    ConfigError
        There is no such verb, or no such date format.
    """
    check_name(name)
    if min_interactions < 1:
        raise DataError(f"expected a least number of interactions of 1 or more, got {min_interactions}")
    origin = with_verb({"format": format, "path": place_of(path).origin}, name, verb)
    files = Files(path, dict(mapping or {}), items_path, ties.column, kinds=bool(reading.event_weights))
    source = open_source(format, files)
    with lines_named(source.rows):
        interactions, cleaned = _clean(source.rows, ties, reading, verb_of(name, origin), min_interactions, listener)
    facts = {**origin, **source.facts, **ties.facts(), **reading.facts()}
    items = source.items
    if currency is not None and items is not None and c.CURRENCY not in items.columns:
        items = items.assign(**{c.CURRENCY: checked_currency(currency)})
    return Dataset.assemble(interactions, items, name, 1, facts, (*source.notices, *cleaned))


def checked_currency(code: str) -> str:
    """Return a currency's code in capitals.

    Raises
    ------
    DataError
        It is not three letters.

    Examples
    --------
    >>> checked_currency("eur")
    'EUR'
    """
    if not (code.isascii() and code.isalpha() and len(code) == 3):
        raise DataError(f"expected a currency as three letters, e.g. EUR or USD; got {code[:20]!r}")
    return code.upper()


def _clean(
    rows: Rows, ties: TiesConfig, reading: ReadingConfig, verb: InteractionVerb, minimum: int, listener: Listener
) -> tuple[Interactions, tuple[Notice, ...]]:
    """Clean and filter through the staging table, or in memory what cannot go there."""
    if rows.pieces is not None:
        return clean_staged(rows, ties, reading, verb, minimum, listener)
    interactions, cleaned = Interactions.clean(rows.frame(), ties, verb, reading)
    kept, filtered = core_filter(interactions, minimum)
    return kept, (*cleaned, *filtered)
