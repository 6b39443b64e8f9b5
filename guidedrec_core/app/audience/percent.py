"""Shares in tables: in percent with one decimal, so that numbers of a column align."""

import pandas as pd

from guidedrec_core.app.show import PERCENT

__all__ = ["PERCENT", "in_percent"]


def in_percent(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return a copy of a table with some shares in percent."""
    return frame.assign(**{name: 100 * frame[name] for name in columns})
