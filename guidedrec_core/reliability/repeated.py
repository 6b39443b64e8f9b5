"""Repeated scores: the same items scored in several passes, as a table in long form holds them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import score_numbers
from guidedrec_core.data.interactions import clean_ids
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import DataError
from guidedrec_core.randomness import generator

FloatArray = npt.NDArray[np.float64]

PASS = "pass_id"
POSITION = "position"


@dataclass(frozen=True)
class RepeatedScores:
    """Scores of several passes.

    Attributes
    ----------
    values : ndarray
        Floats ``[passes, n_items, A]`` on the schema's scale; NaN = missing, also for items that a pass left out.
    item_ids : tuple of str
        Of the items, in this order.
    schema : AttributeSchema
        The columns.
    positions : ndarray or None
        Floats ``[passes, n_items]``: place of each item in each pass, or in its request; NaN = not known.
    """

    values: npt.NDArray[np.floating]
    item_ids: tuple[str, ...]
    schema: AttributeSchema
    positions: npt.NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        """Check the shapes."""
        assert self.values.shape == (len(self.values), len(self.item_ids), len(self.schema)), self.values.shape
        assert self.positions is None or self.positions.shape == self.values.shape[:2], self.positions.shape

    def table(self, attribute: int) -> FloatArray:
        """Return one attribute's scores as float64 ``[n_items, passes]``."""
        return self.values[:, :, attribute].T.astype(np.float64)

    def scores(self) -> FloatArray:
        """Return the median over passes, float64 ``[n_items, A]``: the score in use. NaN where no pass gave one."""
        empty = np.isnan(self.values).all(axis=0)
        medians = np.nanmedian(np.where(empty, 0.0, self.values), axis=0).astype(np.float64)
        return np.where(empty, np.nan, medians)


def disagreement(values: npt.NDArray[np.floating]) -> FloatArray:
    """Return the standard deviation over passes (divisor: passes - 1), in points of the scale.

    Parameters
    ----------
    values : ndarray
        Floats ``[passes, n_items, A]``, NaN = missing.

    Returns
    -------
    ndarray
        float64 ``[n_items, A]``; NaN where fewer than two passes gave a score.
    """
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    means = np.where(known, values, 0.0).sum(axis=0, dtype=np.float64) / np.maximum(counts, 1)
    squares = np.where(known, values - means, 0.0) ** 2
    return np.where(counts > 1, np.sqrt(squares.sum(axis=0) / np.maximum(counts - 1, 1)), np.nan)


def read_repeated(frame: pd.DataFrame, schema: AttributeSchema) -> tuple[RepeatedScores, tuple[Notice, ...]]:
    """Arrange a table in long form by passes and items.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``item_id``, ``pass_id``, one column per attribute (empty cells are missing scores), and ``position`` where
        the place of an item in its pass is known.
    schema : AttributeSchema
        Which columns to read, and their range.

    Returns
    -------
    tuple of (RepeatedScores, tuple of Notice)
        Items and passes in order of first appearance.

    Raises
    ------
    DataError
        Columns are missing, an item occurs twice in a pass, a score is no number or out of range, or no item was
        scored twice.
    """
    missing = [name for name in (c.ITEM, PASS, *schema.names) if name not in frame.columns]
    if missing:
        raise DataError(
            f"expected the columns {c.ITEM}, {PASS} and one for each attribute in repeated scores, "
            f"missing: {', '.join(missing)}"
        )
    notices: list[Notice] = []
    ids = clean_ids(frame[c.ITEM], "item", notices)
    passes = clean_ids(frame[PASS], "pass", notices)
    twice = pd.DataFrame({c.ITEM: ids, PASS: passes}).duplicated()
    if twice.any():
        first = int(np.flatnonzero(twice.to_numpy())[0])
        raise DataError(
            f"expected one row for each item in a pass, got several for {ids.iloc[first]} in pass {passes.iloc[first]} "
            f"({int(twice.sum()):,} such rows); keep one of each"
        )
    item, item_ids = pd.factorize(ids)
    turn, pass_ids = pd.factorize(passes)
    values = np.full((len(pass_ids), len(item_ids), len(schema)), np.nan)
    values[turn, item] = np.stack(
        [score_numbers(frame[name], schema.scale, ids, "repeated scores") for name in schema.names], axis=1
    )
    if not ((~np.isnan(values)).sum(axis=0) > 1).any():
        raise DataError(
            f"expected items that were scored in two passes or more, got {len(item_ids):,} items and "
            f"{len(pass_ids):,} passes without one; score a sample again"
        )
    positions = None
    if POSITION in frame.columns:
        positions = np.full(values.shape[:2], np.nan)
        positions[turn, item] = pd.to_numeric(frame[POSITION], errors="coerce").to_numpy(dtype=np.float64)
    return RepeatedScores(values, tuple(item_ids), schema, positions), tuple(notices)


def stratified_sample(ids: Sequence[str], categories: Sequence[str], size: int, seed: int) -> tuple[str, ...]:
    """Draw items so that every category has its share.

    Places go to categories in proportion to their items, by largest remainders (ties in alphabetical order), after one
    for each category as long as there are enough.

    Parameters
    ----------
    ids, categories : sequence of str
        Of all items, in the same order.
    size : int
        Number of items; all are returned when there are fewer.
    seed : int
        Equal seeds draw equal samples.

    Returns
    -------
    tuple of str
        Ids in random order, so that no category comes in a row.
    """
    rng = generator(seed, "stratified sample")
    names, stratum, counts = np.unique(np.array(categories, dtype=str), return_inverse=True, return_counts=True)
    if size >= len(ids):
        return tuple(ids[place] for place in rng.permutation(len(ids)))
    least = np.ones(len(names), dtype=np.int64) if size >= len(names) else np.zeros(len(names), dtype=np.int64)
    wanted = np.maximum(size * counts / len(ids) - least, 0)
    wanted *= (size - least.sum()) / max(wanted.sum(), 1e-12)
    places = least + np.floor(wanted + 1e-9).astype(np.int64)
    left = np.argsort(np.floor(wanted + 1e-9) - wanted, kind="stable")[: size - int(places.sum())]
    places[left] += 1
    chosen = [rng.choice(np.flatnonzero(stratum == one), places[one], replace=False) for one in range(len(names))]
    return tuple(ids[place] for place in rng.permutation(np.concatenate(chosen)))
