"""Reliability report: how far guided scores can be trusted, attribute by attribute.

From repeated passes: whether another pass would give the same scores (`Icc`, mean absolute difference), whether scores
spread over the scale (bunching), drift within a pass (order effect), and say something that other attributes do not
(redundancy); with scores by people, whether these agree.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.scores import score_numbers
from guidedrec_core.data.interactions import clean_ids
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import DataError
from guidedrec_core.reliability.agreement import (
    Comparison,
    Icc,
    OrderEffect,
    commonest,
    compare,
    correlations,
    holm,
    icc,
    mean_absolute_difference,
    order_effect,
    variance_inflation,
)
from guidedrec_core.reliability.repeated import RepeatedScores, disagreement

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AttributeReliability:
    """What is known of one attribute's scores.

    Attributes
    ----------
    name : str
        The attribute.
    icc : Icc
        Share of the variance of a single pass that is due to the items.
    difference : float
        Mean absolute difference between two passes on an item, in points of the scale.
    commonest, bunching : float
        The commonest value, and its share of all scores.
    order : OrderEffect or None
        Drift within a pass; None when places in the pass are not known.
    order_p : float
        The drift's p-value, adjusted by Holm's method for the number of attributes; NaN when there is none.
    vif : float
        Variance inflation factor: how well all other attributes predict it.
    nearest : str or None
        The attribute with the strongest correlation; None when none can be computed.
    nearest_correlation : float
        That correlation.
    human : Comparison or None
        The score (median over passes) next to scores by people; None without these.
    """

    name: str
    icc: Icc
    difference: float
    commonest: float
    bunching: float
    order: OrderEffect | None
    order_p: float
    vif: float
    nearest: str | None
    nearest_correlation: float
    human: Comparison | None


@dataclass(frozen=True)
class Reliability:
    """The whole report.

    Attributes
    ----------
    attributes : tuple of AttributeReliability
        In the schema's order.
    correlations : ndarray
        ``[A, A]``, between the attributes' scores (medians over passes).
    item_ids : tuple of str
        All items.
    disagreement : ndarray
        ``[n_items, A]``: standard deviation over passes, NaN for items scored once.
    repeated : int
        Items with two passes or more.
    passes : int
        Passes.
    notices : tuple of Notice
        What was left out of which statistic.
    """

    attributes: tuple[AttributeReliability, ...]
    correlations: FloatArray
    item_ids: tuple[str, ...]
    disagreement: FloatArray
    repeated: int
    passes: int
    notices: tuple[Notice, ...]

    def most_disagreement(self, count: int) -> list[tuple[str, str, float]]:
        """Return the scores that passes disagree on most: item id, attribute, standard deviation; equals in order."""
        spread = np.nan_to_num(self.disagreement, nan=0.0).ravel()
        first = np.argsort(-spread, kind="stable")[:count]
        rows, columns = np.unravel_index(first[spread[first] > 0], self.disagreement.shape)
        names = [attribute.name for attribute in self.attributes]
        return [
            (self.item_ids[row], names[column], float(self.disagreement[row, column]))
            for row, column in zip(rows, columns, strict=True)
        ]


def reliability(repeated: RepeatedScores, human: pd.DataFrame | None = None) -> Reliability:
    """Report how far scores can be trusted.

    Agreement between passes is of items scored twice or more, ICC of those that the fullest passes all scored; bunching
    and redundancy are of all items, correlations of those without a gap.

    Parameters
    ----------
    repeated : RepeatedScores
        Two passes or more, at least over some items.
    human : pandas.DataFrame, optional
        Scores by people: ``item_id`` and a column for each attribute that they scored, on the same scale; empty cells
        are missing.

    Raises
    ------
    DataError
        `human` has no item or no attribute in common, ids repeat, or a score is no number or out of range.
    """
    schema = repeated.schema
    notices = _left_out(repeated)
    medians = repeated.scores()
    by_people: dict[str, FloatArray] = {}
    if human is not None:
        by_people, more = _by_people(human, repeated)
        notices += more
    together, factors = correlations(medians), variance_inflation(medians)
    orders = [_order(repeated, attribute) for attribute in range(len(schema))]
    adjusted = holm(np.array([np.nan if order is None else order.p_value for order in orders]))
    attributes = []
    for column, name in enumerate(schema.names):
        table = repeated.table(column)
        value, share = commonest(table)
        nearest = _nearest(together[column], column)
        attributes.append(
            AttributeReliability(
                name=name,
                icc=icc(table),
                difference=mean_absolute_difference(table),
                commonest=value,
                bunching=share,
                order=orders[column],
                order_p=float(adjusted[column]),
                vif=float(factors[column]),
                nearest=None if nearest is None else schema.names[nearest],
                nearest_correlation=np.nan if nearest is None else float(together[column, nearest]),
                human=compare(medians[:, column], by_people[name]) if name in by_people else None,
            )
        )
    spread = disagreement(repeated.values)
    n_repeated = int((~np.isnan(spread)).any(axis=1).sum())
    return Reliability(
        tuple(attributes), together, repeated.item_ids, spread, n_repeated, len(repeated.values), tuple(notices)
    )


def _order(repeated: RepeatedScores, attribute: int) -> OrderEffect | None:
    if repeated.positions is None:
        return None
    return order_effect(repeated.table(attribute), repeated.positions.T.astype(np.float64))


def _nearest(row: FloatArray, column: int) -> int | None:
    """Return the other column with the strongest correlation."""
    strength = np.abs(row)
    strength[column] = np.nan
    return None if np.isnan(strength).all() else int(np.nanargmax(strength))


def _left_out(repeated: RepeatedScores) -> list[Notice]:
    """Count what some statistics cannot use."""
    notices = []
    scored = ~np.isnan(repeated.values)
    times = scored.any(axis=2).sum(axis=0)
    if once := int((times == 1).sum()):
        message = f"{once:,} of {len(times):,} items were scored in one pass only; they say nothing about agreement"
        notices.append(Notice("items_scored_once", once, message))
    if gaps := int((~scored)[scored.any(axis=2)].sum()):
        notices.append(Notice("missing_scores", gaps, f"{gaps:,} single scores are missing; left out"))
    return notices


def _ids_once(column: pd.Series, notices: list[Notice]) -> pd.Series:
    """Return the ids of items scored by people.

    Raises
    ------
    DataError
        An item has several rows.
    """
    ids = clean_ids(column, "item", notices)
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].unique()[:3].tolist()
        raise DataError(
            f"expected one row for each item in the scores by people, got several for {', '.join(twice)}; "
            "give their mean or median"
        )
    return ids


def _by_people(human: pd.DataFrame, repeated: RepeatedScores) -> tuple[dict[str, FloatArray], list[Notice]]:
    """Put scores by people in the order of the items."""
    notices: list[Notice] = []
    names = [name for name in repeated.schema.names if name in human.columns]
    if c.ITEM not in human.columns or not names:
        raise DataError(
            f"expected the column {c.ITEM} and at least one attribute ({', '.join(repeated.schema.names)}) in the "
            f"scores by people, got {', '.join(map(str, human.columns))}"
        )
    ids = _ids_once(human[c.ITEM], notices)
    place = {item: row for row, item in enumerate(repeated.item_ids)}
    rows = ids.map(place)
    known = rows.notna().to_numpy()
    if not known.any():
        raise DataError(
            "expected scores by people of items that were scored here, but no id matches "
            f"(people: {'none' if ids.empty else repr(ids.iloc[0])}, here: {repeated.item_ids[0]!r})"
        )
    if strange := int((~known).sum()):
        message = f"{strange:,} items scored by people were not scored here; left out"
        notices.append(Notice("human_items_not_scored", strange, message))
    by_people = {}
    for name in names:
        column = np.full(len(place), np.nan)
        given = score_numbers(human[name], repeated.schema.scale, ids, "the scores by people")
        column[rows[known].to_numpy(dtype=np.int64)] = given[known]
        by_people[name] = column
    return by_people, notices
