"""Tables that people open in a spreadsheet: text from data must stay text there and never run as a formula."""

import re

import pandas as pd

# Where Excel, LibreOffice and Google Sheets begin to calculate (OWASP, "CSV Injection"); they read the wide forms of
# East Asian keyboards as the narrow ones.
_BEGINS_FORMULA = frozenset("=+-@\t\n\uff1d\uff0b\uff0d\uff20")
_NUMBER = re.compile(r"[+-]?(?:\d[\d.,]*|\.\d+)(?:[eE][+-]?\d+)?\s?%?")
_AS_TEXT = "'"
"""Spreadsheets show a cell that begins with it as text."""


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts no spreadsheet takes for a formula: those that begin like one get a ``'`` before.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any. Numbers, dates and text that is a plain number, such as ``-5``, stay as they are.

    Returns
    -------
    pandas.DataFrame
        The same object where there was nothing to change.

    Examples
    --------
    >>> harmless(pd.DataFrame({"title": ["Tent", "=1+1", "-5"], "score": [1.0, -2.0, 3.0]}))
       title  score
    0   Tent    1.0
    1  '=1+1   -2.0
    2     -5    3.0
    """
    columns = [_as_text(frame.iloc[:, place]) for place in range(frame.shape[1])]
    if all(column is None for column in columns):
        return frame
    mended = frame.copy(deep=False)
    for place, column in enumerate(columns):
        if column is not None:
            mended.isetitem(place, column)  # type: ignore[arg-type]  # pandas takes a Series, its stubs do not
    return mended


def _as_text(column: pd.Series) -> pd.Series | None:
    """Return a column with every formula quoted; None where it has none."""
    kind = column.dtype
    if pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind):
        return None
    values = column.tolist()
    quoted = [_quoted(value) if isinstance(value, str) else value for value in values]
    if all(new is old for new, old in zip(quoted, values, strict=True)):
        return None
    return pd.Series(quoted, index=column.index, dtype=object if isinstance(kind, pd.CategoricalDtype) else kind)


def _quoted(text: str) -> str:
    """Return one text made harmless; the same object where it is."""
    if "\r" in text:  # writers of CSV do not quote it when it stands alone, and what follows would begin a new row
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"{_AS_TEXT}{text}" if text[:1] in _BEGINS_FORMULA and not _NUMBER.fullmatch(text) else text
