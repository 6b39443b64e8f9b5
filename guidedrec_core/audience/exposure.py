"""Who is shown some items, base against refined, and how many of them ever had such items.

*Places*: entries of the users' lists. *Exposure*: places weighted by ``1 / log2(rank + 1)``, the discount of NDCG, as
the first places are looked at most. *Precision*: of the users shown one of the items, the share who had one in the
past. Shares of users have Wilson intervals; shares of places and exposure, differences and lifts a bootstrap over
users, paired over both models.

Shapes: U users of the group, k places.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.audience.intervals import Share, percentile_interval, resampled_sums, wilson
from guidedrec_core.audience.lists import MODELS, Doubles
from guidedrec_core.audience.population import Population
from guidedrec_core.conditions.members import Mask, past_counts
from guidedrec_core.errors import InputError
from guidedrec_core.randomness import generator

_BASE, _REFINED = MODELS


@dataclass(frozen=True, eq=False)
class GroupAnswer:
    """Who of a group is shown some items.

    Attributes
    ----------
    n_items, catalogue : int
        Items asked about, and items in all.
    n_users, everyone : int
        Users of the group, and users in all.
    k : int
        Length of the lists.
    measures : pandas.DataFrame
        One row a model and measure: ``model, measure, value, low, high, count, of``. Measures: ``places`` and
        ``exposure`` (share of either that the items take; of exposure, ``count`` and ``of`` are sums of weights),
        ``reached`` (users shown one, of the group), ``had`` (of those reached, who had one in the past), ``never``
        (who had none), ``interested`` (of the group's users who had one in the past, those shown one), ``next`` (of
        those reached who have a held-out item, whose held-out item is one of them).
    past : Share
        Share of the group's past interactions that were with these items.
    had : Share
        Users of the group who had one of them in the past.
    lifts : pandas.DataFrame
        ``model, against, lift, low, high``: share of exposure divided by the items' share of the catalogue, by their
        share of the group's past interactions, and by their share of all users' exposure (1 where the group is
        everybody); and ``chance``: precision divided by the share of the group who had one, i.e. how much more than
        chance the lists go to those who had one. NaN where the divisor is 0.
    change : pandas.DataFrame
        ``measure, value, low, high``: refined minus base, of ``places``, ``exposure``, ``reached`` and ``had``.
    ranks : pandas.DataFrame
        ``rank, base, refined``: users with one of the items at each place.
    users : pandas.DataFrame
        One row a user of the group who is shown one by either model, the worst first: ``user_id, item_id`` (the best
        placed of them in the refined list, else in the base list), ``base, refined`` (places of them),
        ``exposure, base_exposure`` (their share of the list's), ``past`` (past interactions with them),
        ``past_length`` (in all), ``past_share``, ``excess`` (refined exposure minus past share).
    """

    n_items: int
    catalogue: int
    n_users: int
    everyone: int
    k: int
    measures: pd.DataFrame
    past: Share
    had: Share
    lifts: pd.DataFrame
    change: pd.DataFrame
    ranks: pd.DataFrame
    users: pd.DataFrame

    def measure(self, model: str, name: str) -> Share:
        """Return one measure of one model."""
        table = self.measures
        row = table[(table["model"] == model) & (table["measure"] == name)].iloc[0]
        return Share(row["value"], row["low"], row["high"], row["count"], row["of"])

    @property
    def offenders(self) -> pd.DataFrame:
        """Those of `users` whom the refined model shows more of the items than their past says, the worst first."""
        return self.users[(self.users["refined"] > 0) & (self.users["excess"] > 0)]


@dataclass(frozen=True, eq=False)
class _Counts:
    """What is counted of each user, ``[U]`` each."""

    places: Doubles
    all_places: Doubles
    exposure: Doubles
    all_exposure: Doubles

    @property
    def reached(self) -> Mask:
        return self.places > 0


def group_answer(people: Population, items: Mask, users: Mask, samples: int = 1000) -> GroupAnswer:
    """Count who of a group is shown some items.

    Parameters
    ----------
    people : Population
        All users.
    items, users : ndarray of bool
        Items asked about, ``[n_items]``, and users of the group, ``[n_users]``.
    samples : int
        Resamples of users for intervals.

    Raises
    ------
    InputError
        No item or no user is left.
    """
    if not items.any():
        raise InputError(f"none of the {people.n_items:,} items fulfils the condition; widen it")
    if not users.any():
        raise InputError(f"none of the {people.n_users:,} users fulfils the condition; widen it")
    rows = np.flatnonzero(users)
    past, length = past_counts(people, items)[rows], people.lengths[rows].astype(np.float64)
    counts = {name: _counts(people, name, items, rows) for name in MODELS}
    overall = {name: _counts(people, name, items, np.arange(people.n_users)) for name in MODELS}
    next_one = _held_out(people, items)[rows]
    resampled = resampled_sums(_columns(counts, past, length), samples, generator(people.model.seed, "audience"))
    had = wilson(int((past > 0).sum()), len(rows))
    measures = pd.concat(
        [_measures(name, counts[name], past, next_one, resampled, place) for place, name in enumerate(MODELS)],
        ignore_index=True,
    )
    past_share = _ratio(past.sum(), length.sum())
    return GroupAnswer(
        n_items=int(items.sum()),
        catalogue=people.n_items,
        n_users=len(rows),
        everyone=people.n_users,
        k=people.lists.k,
        measures=measures,
        past=Share(
            past_share,
            *percentile_interval(_ratio(resampled[:, -3], resampled[:, -2])),
            count=int(past.sum()),
            of=int(length.sum()),
        ),
        had=had,
        lifts=_lifts(counts, overall, past, resampled, float(items.mean()), past_share),
        change=_change(counts, past, resampled),
        ranks=_ranks(people, items, rows),
        users=_user_table(people, items, rows, counts, past, length),
    )


# Columns of the resampled sums: those of base, those of refined, then of both.
_PLACES, _ALL_PLACES, _EXPOSURE, _ALL_EXPOSURE, _REACHED, _REACHED_HAD = range(6)
_OWN = 6


def _columns(counts: dict[str, _Counts], past: Doubles, length: Doubles) -> Doubles:
    """Return what is resampled, ``[U, K]``: six columns a model, then past, past length and who had one."""
    own = [
        column
        for name in MODELS
        for one in (counts[name],)
        for column in (
            one.places,
            one.all_places,
            one.exposure,
            one.all_exposure,
            one.reached.astype(np.float64),
            (one.reached & (past > 0)).astype(np.float64),
        )
    ]
    return np.column_stack([*own, past, length, (past > 0).astype(np.float64)])


def _counts(people: Population, name: str, items: Mask, rows: npt.NDArray[np.int64]) -> _Counts:
    """Count places and exposure of some users."""
    lists = people.lists
    held = lists.holds(name, items)[rows]
    filled = lists.items[name][rows] >= 0
    return _Counts(
        places=held.sum(axis=1).astype(np.float64),
        all_places=filled.sum(axis=1).astype(np.float64),
        exposure=held @ lists.weights,
        all_exposure=filled @ lists.weights,
    )


def _held_out(people: Population, items: Mask) -> npt.NDArray[np.int64]:
    """Return whether a held-out item of each user is one of some: 1, 0, or -1 where there is none, ``[n_users]``."""
    found = np.full(people.n_users, -1, dtype=np.int64)
    cases = people.cases
    users = people.data.dataset.users.indexes(cases[c.USER])
    own = items[people.data.dataset.items.indexes(cases[c.ITEM])].astype(np.int64)
    np.maximum.at(found, users, own)
    return found


def _measures(
    name: str, own: _Counts, past: Doubles, next_one: npt.NDArray[np.int64], resampled: Doubles, place: int
) -> pd.DataFrame:
    """Tabulate the measures of one model."""
    reached, had = own.reached, past > 0
    first = place * _OWN
    rows: list[tuple[object, ...]] = []
    for measure, part, whole, sums in (
        ("places", own.places, own.all_places, (_PLACES, _ALL_PLACES)),
        ("exposure", own.exposure, own.all_exposure, (_EXPOSURE, _ALL_EXPOSURE)),
    ):
        low, high = percentile_interval(_ratio(resampled[:, first + sums[0]], resampled[:, first + sums[1]]))
        rows.append((measure, _ratio(part.sum(), whole.sum()), low, high, float(part.sum()), float(whole.sum())))
    tested = reached & (next_one >= 0)
    for measure, share in (
        ("reached", wilson(int(reached.sum()), len(reached))),
        ("had", wilson(int((reached & had).sum()), int(reached.sum()))),
        ("never", wilson(int((reached & ~had).sum()), int(reached.sum()))),
        ("interested", wilson(int((reached & had).sum()), int(had.sum()))),
        ("next", wilson(int((next_one[tested] == 1).sum()), int(tested.sum()))),
    ):
        rows.append((measure, share.value, share.low, share.high, float(share.count), float(share.of)))
    table = pd.DataFrame(rows, columns=["measure", "value", "low", "high", "count", "of"])
    table.insert(0, "model", name)
    return table


def _lifts(
    counts: dict[str, _Counts],
    everyone: dict[str, _Counts],
    past: Doubles,
    resampled: Doubles,
    catalogue: float,
    past_share: float,
) -> pd.DataFrame:
    """Tabulate shares of exposure against what could be expected, and precision against chance."""
    rows = []
    drawn_past, drawn_had = _ratio(resampled[:, -3], resampled[:, -2]), resampled[:, -1] / len(past)
    for place, name in enumerate(MODELS):
        own, first = counts[name], place * _OWN
        share = _ratio(own.exposure.sum(), own.all_exposure.sum())
        drawn = _ratio(resampled[:, first + _EXPOSURE], resampled[:, first + _ALL_EXPOSURE])
        precision = _ratio((own.reached & (past > 0)).sum(), own.reached.sum())
        drawn_precision = _ratio(resampled[:, first + _REACHED_HAD], resampled[:, first + _REACHED])
        whole = _ratio(everyone[name].exposure.sum(), everyone[name].all_exposure.sum())
        # The group is part of everyone, so its share of all lists is taken as given; with everyone there is no lift.
        same = len(past) == len(everyone[name].places)
        for against, value, values in (
            ("catalogue", _ratio(share, catalogue), drawn / catalogue),
            ("past", _ratio(share, past_share), _ratio(drawn, drawn_past)),
            ("everyone", _ratio(share, whole), np.ones(len(drawn)) if same else _ratio(drawn, whole)),
            ("chance", _ratio(precision, (past > 0).mean()), _ratio(drawn_precision, drawn_had)),
        ):
            rows.append((name, against, value, *percentile_interval(np.asarray(values))))
    return pd.DataFrame(rows, columns=["model", "against", "lift", "low", "high"])


def _change(counts: dict[str, _Counts], past: Doubles, resampled: Doubles) -> pd.DataFrame:
    """Tabulate refined minus base."""
    rows = []
    for measure, part, whole in (
        ("places", _PLACES, _ALL_PLACES),
        ("exposure", _EXPOSURE, _ALL_EXPOSURE),
        ("reached", _REACHED, None),
        ("had", _REACHED_HAD, _REACHED),
    ):
        values, drawn = [], []
        for place, name in enumerate(MODELS):
            own, first = counts[name], place * _OWN
            sums = {
                _PLACES: own.places.sum(),
                _ALL_PLACES: own.all_places.sum(),
                _EXPOSURE: own.exposure.sum(),
                _ALL_EXPOSURE: own.all_exposure.sum(),
                _REACHED: own.reached.sum(),
                _REACHED_HAD: (own.reached & (past > 0)).sum(),
            }
            values.append(_ratio(sums[part], len(past) if whole is None else sums[whole]))
            below = np.full(len(resampled), len(past)) if whole is None else resampled[:, first + whole]
            drawn.append(_ratio(resampled[:, first + part], below))
        rows.append((measure, values[1] - values[0], *percentile_interval(np.asarray(drawn[1] - drawn[0]))))
    return pd.DataFrame(rows, columns=["measure", "value", "low", "high"])


def _ranks(people: Population, items: Mask, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Count the users with one of the items at each place."""
    held = {name: people.lists.holds(name, items)[rows].sum(axis=0) for name in MODELS}
    return pd.DataFrame({c.RANK: np.arange(1, people.lists.k + 1), **held})


def _user_table(
    people: Population,
    items: Mask,
    rows: npt.NDArray[np.int64],
    counts: dict[str, _Counts],
    past: Doubles,
    length: Doubles,
) -> pd.DataFrame:
    """Tabulate the users who are shown one of the items."""
    dataset, lists = people.data.dataset, people.lists
    base, refined = counts[_BASE], counts[_REFINED]
    first = {name: lists.holds(name, items)[rows].argmax(axis=1) for name in MODELS}
    best = {name: lists.items[name][rows, first[name]] for name in MODELS}
    exposure, past_share = _ratio(refined.exposure, refined.all_exposure), _ratio(past, length)
    table = pd.DataFrame(
        {
            c.USER: dataset.users.ids[rows],
            c.ITEM: dataset.items.ids[np.where(refined.reached, best[_REFINED], best[_BASE])],
            _BASE: base.places.astype(np.int64),
            _REFINED: refined.places.astype(np.int64),
            "exposure": np.nan_to_num(exposure),
            "base_exposure": np.nan_to_num(_ratio(base.exposure, base.all_exposure)),
            "past": past.astype(np.int64),
            "past_length": length.astype(np.int64),
            "past_share": np.nan_to_num(past_share),
        }
    )
    table["excess"] = table["exposure"] - table["past_share"]
    shown = table[base.reached | refined.reached]
    return shown.sort_values(["excess", c.USER], ascending=[False, True], ignore_index=True)


def _ratio(part: Any, whole: Any) -> Any:
    """Divide; NaN where the divisor is 0."""
    above, below = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    result = np.divide(above, below, out=np.full(np.broadcast(above, below).shape, np.nan), where=below != 0)
    return float(result) if result.ndim == 0 else result
