"""`Table`: what a file holds, and which names its columns may have."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from guidedrec_core.errors import DataError

MOST_COLUMNS = 10_000
LONGEST_NAME = 1_000


@dataclass(frozen=True)
class Table:
    """Rows and columns of a file.

    Attributes
    ----------
    frame : pandas.DataFrame
        The columns that were wanted and are there, in the order of the file.
    columns : tuple of str
        All columns of the file.
    """

    frame: pd.DataFrame
    columns: tuple[str, ...]


@dataclass
class Scan:
    """Rows of a file that are read piece by piece.

    Attributes
    ----------
    names : list of str
        All columns of the file; complete when all pieces are read, and for all formats but JSON lines from the start.
    schema : pyarrow.Schema
        Of the pieces: the columns that were wanted.
    pieces : iterator of pyarrow.Table
        To be read once, while the file is open.
    separator : str or None
        Between the cells of delimited text.
    """

    names: list[str]
    schema: Any
    pieces: Iterator[Any]
    separator: str | None = None


def column_names(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Check a header; blank names become ``Unnamed: 0`` and so on by position, as in pandas.

    Raises
    ------
    DataError
        A name occurs twice, so that nobody can tell which column is meant; or there are too many, or too long ones.
    """
    if len(names) > MOST_COLUMNS:
        raise DataError(f"expected at most {MOST_COLUMNS:,} columns in {where}, found {len(names):,}; check the format")
    longest = max(names, key=len, default="")
    if len(longest) > LONGEST_NAME:
        raise DataError(
            f"expected column names of at most {LONGEST_NAME:,} characters in the header of {where}, found one of "
            f"{len(longest):,} ('{longest[:40]}...'); check quotes, separators and line ends"
        )
    named = tuple(name or f"Unnamed: {position}" for position, name in enumerate(names))
    twice = [name for name, count in Counter(named).items() if count > 1]
    if twice:
        raise DataError(
            f"expected each column once in {where}, found several of the name {', '.join(twice[:5])}; rename or remove "
            "all but one"
        )
    return named


def chosen(names: Sequence[str], wanted: Collection[str] | None) -> list[str]:
    """Return the columns to load; None wants all."""
    return [name for name in names if wanted is None or name in wanted]
