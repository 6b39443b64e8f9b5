"""`Rows`: interactions of a source under canonical names, piece by piece where the source can be streamed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pandas as pd


def _nowhere(_: int) -> str | None:
    return None


@dataclass(frozen=True)
class Rows:
    """Interactions as they are written, not yet validated.

    Attributes
    ----------
    frame : callable
        Returns all rows as a table: ``user_id``, ``item_id``, ``datetime`` and, where the source has them,
        ``weight``, ``event`` and ``tie_order``, in the order of the source.
    pieces : callable or None
        Opens the source; within, the same rows come as `pyarrow.Table` pieces. None where they cannot.
    where : callable
        Says where row n (from 1) stands, e.g. ``"line 3 of sales.csv"``; None when nobody can tell.
    by_item_number : bool
        Whether rows are to be ordered by item number, where all items have one; `frame` is in that order.
    """

    frame: Callable[[], pd.DataFrame]
    pieces: Callable[[], AbstractContextManager[Iterator[Any]]] | None = None
    where: Callable[[int], str | None] = _nowhere
    by_item_number: bool = False
