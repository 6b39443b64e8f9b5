"""`Fact`: one thing known about every item, in one or several numeric columns; `Facts`: several of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Kind = Literal["categories", "number", "season", "trend", "popularity"]


@dataclass(frozen=True, eq=False)
class Fact:
    """One thing known about every item.

    Attributes
    ----------
    name : str
        Unique among facts: a column of the catalogue, ``season``, ``trend`` or ``popularity``.
    label : str
        For reading, e.g. ``"Price"``.
    kind : {"categories", "number", "season", "trend", "popularity"}
        How its columns were made.
    columns : FloatArray
        ``[n_items, P]``, each with mean 0 and standard deviation 1 over items. An item whose value is unknown has 0 in
        every column but the one, if any, that marks unknown values.
    column_names : tuple of str
        What each column stands for, P names.
    texts : tuple of str
        Each item's value as people read it, ``n_items`` texts; empty where unknown.
    numbers : ndarray or None
        Each item's value as a number, float64 ``[n_items]``, NaN where unknown; None where it is no number.
    """

    name: str
    label: str
    kind: Kind
    columns: FloatArray
    column_names: tuple[str, ...]
    texts: tuple[str, ...] = field(repr=False)
    numbers: npt.NDArray[np.float64] | None = None

    @property
    def penalty_factor(self) -> float:
        """How much more its weights are penalised than those of an attribute where a score is named.

        Season and trend have many columns, which follow from one another and from popularity. A prior a third as wide
        leaves what they have in common with simpler facts to those: on the shop and MovieTweetings more lines keep
        their sign when items are resampled, and as much is named.
        """
        return 10.0 if self.kind in ("season", "trend") else 1.0


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts of a catalogue, in a fixed order.

    Attributes
    ----------
    facts : tuple of Fact
        With different names and as many items each.
    n_items : int
        Size of the catalogue, which facts alone do not tell where there are none.
    """

    facts: tuple[Fact, ...]
    n_items: int

    def __len__(self) -> int:
        return len(self.facts)

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(fact.name for fact in self.facts)

    @cached_property
    def values(self) -> FloatArray:
        """All columns, ``[n_items, P]``."""
        return joined([fact.columns for fact in self.facts], self.n_items)

    @cached_property
    def fact_of(self) -> npt.NDArray[np.int64]:
        """Position of the fact that each column belongs to, ``[P]``."""
        return np.repeat(np.arange(len(self)), [fact.columns.shape[1] for fact in self.facts]).astype(np.int64)


def joined(columns: Sequence[FloatArray], n_items: int) -> FloatArray:
    """Put blocks of columns next to each other, ``[n_items, P]``."""
    return np.concatenate([np.zeros((n_items, 0), np.float32), *columns], axis=1)


def standardised(
    columns: npt.NDArray[np.floating],
    known: npt.NDArray[np.bool_] | None = None,
    reference: tuple[npt.NDArray[np.floating], npt.NDArray[np.bool_]] | None = None,
) -> FloatArray:
    """Scale columns to mean 0 and standard deviation 1 over the items where they are known, and set 0 elsewhere.

    Parameters
    ----------
    columns : ndarray
        ``[n_items, P]``.
    known : ndarray of bool, optional
        ``[n_items]``; all by default.
    reference : tuple of ndarray, optional
        Columns, and where they are known, that mean and deviation are taken from; `columns` and `known` by default.

    Returns
    -------
    FloatArray
        ``[n_items, P]``; a column that does not vary is 0.
    """
    kept = np.ones(len(columns), dtype=bool) if known is None else known
    values, own = (columns, kept) if reference is None else reference
    if not own.any():
        return np.zeros(columns.shape, np.float32)
    mean, spread = values[own].mean(axis=0, dtype=np.float64), values[own].std(axis=0, dtype=np.float64)
    scaled = (columns.astype(np.float64) - mean) / np.where(spread > 1e-12, spread, 1.0)
    return np.where(kept[:, None] & (spread > 1e-12), scaled, 0.0).astype(np.float32)
