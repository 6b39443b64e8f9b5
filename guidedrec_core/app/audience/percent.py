"""Shares in tables: in percent with one decimal, so that numbers of a column align."""

import pandas as pd

PERCENT = "%.1f %%"
"""Format of a column that `in_percent` made."""


def in_percent(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return a copy of a table with some shares in percent."""
    return frame.assign(**{name: 100 * frame[name] for name in columns})
