"""Judgements by people: one row for each answer, whatever survey or review it comes from."""

from pathlib import Path

import numpy as np
import pandas as pd

from guidedrec_core.columns import ITEM
from guidedrec_core.data.interactions import clean_ids
from guidedrec_core.data.tables import load_table
from guidedrec_core.errors import DataError

ATTRIBUTE, VALUE, RATER, QUESTION = "attribute", "value", "rater", "question"
"""Columns of judgements next to `columns.ITEM`: the attribute judged, the answer as a number, who gave it (optional),
and what exactly was asked (optional; several questions may stand for one attribute)."""

_NEEDED, _OPTIONAL = (ITEM, ATTRIBUTE, VALUE), (RATER, QUESTION)


def read_judgements(path: Path | str) -> pd.DataFrame:
    """Read a table of judgements (CSV, Parquet or JSON lines); see `check_judgements`."""
    table = load_table(path, wanted=(*_NEEDED, *_OPTIONAL))
    return check_judgements(table.frame, str(path), table.columns)


def check_judgements(
    frame: pd.DataFrame, source: str = "the table of judgements", columns: tuple[str, ...] | None = None
) -> pd.DataFrame:
    """Bring judgements into their form.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``item_id``, ``attribute``, ``value`` and optionally ``rater`` and ``question``; other columns are ignored.
        Rows with an empty value are no answers and left out.
    source : str
        Where the table is from, for messages.
    columns : tuple of str, optional
        All columns of the source where `frame` has only some of them, for messages.

    Returns
    -------
    pandas.DataFrame
        The same columns: ids and names as text, ``value`` as float64.

    Raises
    ------
    DataError
        Columns are missing, a value is no finite number, an id or name is blank, or nothing was answered.
    """
    found = tuple(map(str, frame.columns)) if columns is None else columns
    missing = [name for name in _NEEDED if name not in found]
    if missing:
        raise DataError(
            f"expected the columns {', '.join(_NEEDED)} and optionally {' and '.join(_OPTIONAL)} in {source}, "
            f"missing: {', '.join(missing)}; found: {', '.join(found[:20])}. Rename the columns; each row is one answer"
        )
    numbers = pd.to_numeric(frame[VALUE], errors="coerce").astype("float64")
    blank = frame[VALUE].isna() | (frame[VALUE].astype("str").str.strip() == "")
    odd = ~blank & ~np.isfinite(numbers)
    if odd.any():
        raise DataError(
            f"expected numbers in column {VALUE} of {source}, got {frame[VALUE][odd].iloc[0]!r} "
            f"({int(odd.sum()):,} such cells); correct them, or leave them empty where there is no answer"
        )
    answered = frame[~blank]
    if answered.empty:
        raise DataError(f"expected judgements in {source}, found no row with a value; is it the right table?")
    made = {ITEM: clean_ids(answered[ITEM], "judged item", [])}
    for name in (ATTRIBUTE, RATER, QUESTION):
        if name in frame.columns:
            text = answered[name].astype("object").fillna("").astype("str").str.strip()
            if (text == "").any():
                mend = f"fill in the column {name}" + (", or remove it" if name in _OPTIONAL else "")
                raise DataError(
                    f"expected {'an' if name == ATTRIBUTE else 'a'} {name} in every row of {source}, "
                    f"{int((text == '').sum()):,} rows have none; {mend}"
                )
            made[name] = text
    made[VALUE] = numbers[~blank]
    return pd.DataFrame(made).reset_index(drop=True)
