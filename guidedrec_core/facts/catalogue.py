"""Facts from the catalogue: categories, numbers, and other columns with few different values."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.facts.fact import Fact, FloatArray, standardised
from guidedrec_core.facts.splines import spline_columns

NOT_FACTS = (c.ITEM, c.TITLE, c.DESCRIPTION)
"""Columns of every catalogue that name or describe an item."""

MOST_VALUES = 64
"""Different values of one column that get a column of their own, the commonest."""
_FEWEST_ITEMS = 3  # a value of fewer items is as good as their name
_LONGEST_VALUE = 60  # characters; longer ones are sentences
_NUMERIC_SHARE = 0.95  # of the filled cells that must be numbers for a column to be one of numbers
_LEAST_COVERED = 0.2  # of the items that the kept values of a further column must cover


def catalogue_facts(frame: pd.DataFrame) -> Iterator[Fact]:
    """Yield the facts that a catalogue's columns hold, in the order of its columns; columns that hold none are skipped.

    Numbers become splines, other columns one column for each common value; several values of one cell are joined by
    ``|``, as in ``category``.

    Parameters
    ----------
    frame : pandas.DataFrame
        See `Catalogue.frame`.
    """
    for column in frame.columns:
        if column in NOT_FACTS:
            continue
        fact = _number(str(column), frame[column]) or _categories(str(column), frame[column])
        if fact is not None:
            yield fact


def label_of(name: str) -> str:
    """Return a column's name for reading.

    Examples
    --------
    >>> label_of("release_year"), label_of("Brand")
    ('Release year', 'Brand')
    """
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _number(name: str, values: pd.Series) -> Fact | None:
    """Return a fact of numbers; None where the column holds other things, or one number."""
    if name == c.CATEGORY or pd.api.types.is_bool_dtype(values.dtype):
        return None
    filled = values.notna() & (values.astype(str).str.strip() != "")
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    known = ~np.isnan(numbers)
    if not known.any() or known.sum() < _NUMERIC_SHARE * filled.sum():
        return None
    columns = _with_unknown(spline_columns(numbers), known)
    if not columns.shape[1]:
        return None
    label = label_of(name)
    texts = tuple(f"{label.lower()} {value:g}" if here else "" for value, here in zip(numbers, known, strict=True))
    names = tuple(f"{name} {number}" for number in range(1, columns.shape[1] + 1))
    return Fact(name, label, "number", columns, names, texts, numbers)


def _categories(name: str, values: pd.Series) -> Fact | None:
    """Return a fact of categories; None where hardly any value is shared by several items."""
    cells = values.astype("object").where(values.notna(), "").astype(str).str.strip()
    marks = cells.str.get_dummies("|") if cells.str.len().max() <= _LONGEST_VALUE * 8 else None
    if marks is None or not marks.shape[1] or max(map(len, marks.columns)) > _LONGEST_VALUE:
        return None
    shares = marks.mean()
    common = shares[(marks.sum() >= _FEWEST_ITEMS) & (shares < 1)].sort_values(ascending=False, kind="stable")
    kept = sorted(common.index[:MOST_VALUES])
    covered = marks[kept].any(axis=1).mean() if kept else 0.0
    if not kept or (name != c.CATEGORY and covered < _LEAST_COVERED):
        return None
    columns = standardised(marks[kept].to_numpy(np.float64))
    texts = tuple(category_words(cell) if cell else "" for cell in cells)
    return Fact(name, label_of(name), "categories", columns, tuple(f"{name} {value}" for value in kept), texts)


def _with_unknown(columns: FloatArray, known: npt.NDArray[np.bool_]) -> FloatArray:
    """Add a column that marks unknown values, where there are any."""
    if known.all() or not columns.shape[1]:
        return columns
    return np.column_stack([columns, standardised((~known[:, None]).astype(np.float64))])
