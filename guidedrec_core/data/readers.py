"""Readers: one function a file format, each giving the same raw tables under the canonical column names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from guidedrec_core.data.formats.amazon import read_amazon_2023
from guidedrec_core.data.formats.lenskit import read_lenskit
from guidedrec_core.data.formats.movielens import (
    read_movielens,
    read_movielens_1m,
    read_movielens_100k,
    read_movietweetings,
)
from guidedrec_core.data.formats.own import read_csv, read_jsonl, read_parquet
from guidedrec_core.data.formats.recbole import read_recbole
from guidedrec_core.data.formats.source import Files, Format, Source, lines_named
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import DataError

READERS: dict[str, Format] = {
    "movielens": read_movielens,
    "movietweetings": read_movietweetings,
    "csv": read_csv,
    "parquet": read_parquet,
    "jsonl": read_jsonl,
    "tsv": read_csv,
    "movielens-latest": read_movielens,
    "movielens-1m": read_movielens_1m,
    "movielens-100k": read_movielens_100k,
    "recbole": read_recbole,
    "lenskit": read_lenskit,
    "amazon-2023": read_amazon_2023,
}
"""All readers by the name of their format."""


@dataclass
class RawData:
    """What the files hold, under canonical names but not yet validated.

    Attributes
    ----------
    interactions : pandas.DataFrame
        ``user_id``, ``item_id``, ``datetime`` and, where the source has it, ``weight``: raw values in the order of
        the source; and ``tie_order`` where a column for ties was named.
    items : pandas.DataFrame or None
        ``item_id``, ``title``, ``category`` (blank when unknown), then whatever else the source says about items.
    notices : tuple of Notice
        What was odd, and columns that were not used.
    facts : dict of str to str
        ``licence`` and ``citation`` where the format implies them.
    """

    interactions: pd.DataFrame
    items: pd.DataFrame | None
    notices: tuple[Notice, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


def open_source(format: str, files: Files) -> Source:
    """Open a data set without reading its interactions.

    Raises
    ------
    DataError
        Unknown format, missing or unreadable files, missing columns (all are named).
    """
    if format not in READERS:
        raise DataError(f"expected a format out of {', '.join(READERS)}; got {format!r}")
    return READERS[format](files)


def read(
    format: str,
    path: Path | str,
    mapping: Mapping[str, str] | None = None,
    items_path: Path | str | None = None,
    tie_column: str | None = None,
) -> RawData:
    """Read a data set.

    Parameters
    ----------
    format : str
        A key of `READERS`.
    path : Path or str
        The file, folder or zip archive, or an address that fsspec knows (``s3://bucket/sales.csv.gz``).
    mapping : dict of str to str, optional
        Canonical name to the file's column, e.g. ``{"user_id": "customer"}`` (csv, tsv, parquet and jsonl only).
    items_path : Path or str, optional
        A table of items in any of these formats (not for MovieLens and MovieTweetings).
    tie_column : str, optional
        See `Files` (csv, tsv, parquet and jsonl only).

    Returns
    -------
    RawData
        Raw tables; ids that the file stores as text are kept to the letter.

    Raises
    ------
    DataError
        Unknown format, missing or unreadable files, missing columns (all are named).
    """
    source = open_source(format, Files(path, dict(mapping or {}), items_path, tie_column))
    with lines_named(source.rows):
        return RawData(source.rows.frame(), source.items, source.notices, source.facts)
