"""What refinement does for each segment of users, and how much of users' ledgers segments explain.

Gains are those of the evaluation's test cases. Segments are found without them, on the part of the histories that the
models were shown, so no gain is measured on what a segment was made from.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.audience.lists import MODELS, Doubles, TopLists
from guidedrec_core.audience.population import Population
from guidedrec_core.audience.segments import Segments
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.evaluation.metrics import case_metrics, metric_names
from guidedrec_core.evaluation.report import BASE, PLACEBO, REFINED
from guidedrec_core.randomness import generator

BIAS, REMAINDER = "bias", "remainder"
_SAMPLES = 1000
_SHUFFLES = 200
_TYPICAL = 3


@dataclass(frozen=True)
class Explained:
    """How much of the variance of users' ledgers lies between segments.

    Attributes
    ----------
    share : float
        Of the variance over users of all parts of the mean ledger of their refined lists, the share between segments.
    chance, chance_high : float
        The same for segments of the same sizes drawn at random: mean, and 97.5 % quantile of 200 draws.
    parts : pandas.DataFrame
        ``part, share, chance_high, variance``: the same for each part alone, and its variance over users in squared
        score units; the largest variance first.
    users : int
        Users with a segment and a list.
    """

    share: float
    chance: float
    chance_high: float
    parts: pd.DataFrame
    users: int


@dataclass(frozen=True, eq=False)
class SegmentReport:
    """Segments with what refinement does for them.

    Attributes
    ----------
    segments : Segments
        Those found, or none.
    table : pandas.DataFrame
        See `segment_table`; empty without segments.
    gains : pandas.DataFrame
        See `segment_gains`; of all test cases alone without segments.
    metric : str
        What the gains are in.
    explained : Explained or None
        How far segments tell users' ledgers apart; None without segments.
    """

    segments: Segments
    table: pd.DataFrame
    gains: pd.DataFrame
    metric: str
    explained: Explained | None


def segment_report(people: Population, metric: str = "NDCG@10") -> SegmentReport:
    """Describe the segments of all users; see `SegmentReport`."""
    found = people.segments
    segment_of = pd.Series(found.labels, index=people.data.dataset.users.ids)
    return SegmentReport(
        segments=found,
        table=segment_table(people, found.labels, found.names),
        gains=segment_gains(people.cases, segment_of, found.names, metric, people.model.seed),
        metric=metric,
        explained=ledger_explained(people, found.labels, people.model.seed) if found.stable else None,
    )


def segment_gains(
    cases: pd.DataFrame, segment_of: pd.Series, names: tuple[str, ...], metric: str = "NDCG@10", seed: int = 0
) -> pd.DataFrame:
    """Average a metric over the test cases of each segment.

    Parameters
    ----------
    cases : pandas.DataFrame
        ``user_id`` and ``rank_<model>`` of base, refined and, if it was evaluated, placebo.
    segment_of : pandas.Series
        Segment from 0 of each user, by ``user_id``; -1 or missing for none.
    names : tuple of str
        Names of the segments.
    metric : str
        ``MRR``, or ``Recall@K`` or ``NDCG@K``.
    seed : int
        Seed of the bootstrap over users.

    Returns
    -------
    pandas.DataFrame
        One row a segment, and one for all test cases: ``segment`` (from 1; 0 for all), ``name, n_cases, base,
        refined``, ``gain, gain_low, gain_high`` (refined minus base), ``placebo, over_placebo, over_placebo_low,
        over_placebo_high``; NaN where there is no case or no placebo.

    Raises
    ------
    InputError
        There is no such metric.
    """
    cutoff = int(metric.partition("@")[2]) if metric.partition("@")[2].isdecimal() else 10
    if cutoff < 1 or metric not in metric_names((cutoff,)):
        raise InputError(f"expected a metric out of MRR, Recall@K and NDCG@K, got {metric!r}")
    column = metric_names((cutoff,)).index(metric)
    models = [name for name in (BASE, REFINED, PLACEBO) if f"rank_{name}" in cases]
    values = np.column_stack([case_metrics(cases[f"rank_{name}"].to_numpy(), (cutoff,))[:, column] for name in models])
    own = cases[c.USER].map(segment_of).fillna(-1).to_numpy(dtype=np.int64)
    users = pd.factorize(cases[c.USER])[0].astype(np.int64)
    rows = []
    for number, name in ((0, "everybody"), *enumerate(names, start=1)):
        kept = np.ones(len(cases), dtype=bool) if number == 0 else own == number - 1
        rows.append((number, name, int(kept.sum()), *_gains(values[kept], users[kept], models, seed, number)))
    measures = ("base", "refined", "gain", "gain_low", "gain_high")
    placebo = ("placebo", "over_placebo", "over_placebo_low", "over_placebo_high")
    return pd.DataFrame(rows, columns=["segment", "name", "n_cases", *measures, *placebo])


def _gains(values: Doubles, users: IntArray, models: list[str], seed: int, number: int) -> tuple[float, ...]:
    """Return the means and differences of one segment."""
    if not len(values):
        return (np.nan,) * 9
    bootstrap = UserBootstrap(values, users, _SAMPLES, generator(seed, "segment gains", number))
    place = {name: column for column, name in enumerate(models)}
    gain = bootstrap.difference(place[REFINED], place[BASE])
    found = (
        float(bootstrap.means[place[BASE]]),
        float(bootstrap.means[place[REFINED]]),
        gain.value,
        gain.low,
        gain.high,
    )
    if PLACEBO not in place:
        return (*found, *(np.nan,) * 4)
    over = bootstrap.difference(place[REFINED], place[PLACEBO])
    return (*found, float(bootstrap.means[place[PLACEBO]]), over.value, over.low, over.high)


def segment_table(people: Population, labels: IntArray, names: tuple[str, ...]) -> pd.DataFrame:
    """Tabulate segments with what their lists are like.

    Parameters
    ----------
    people : Population
        All users.
    labels : IntArray
        Each user's segment from 0, -1 for none, ``[n_users]``.
    names : tuple of str
        Names of the segments.

    Returns
    -------
    pandas.DataFrame
        ``segment`` (from 1), ``name, users, share`` (of all users), ``past`` (median past interactions),
        ``typical`` (ids of the items that its refined lists hold more often than other users', the most so first),
        ``titles`` (theirs), ``changed`` (mean share of the refined list that is not in the base list).
    """
    rows = []
    catalogue = people.data.dataset.catalogue.frame
    refined, base = (people.lists.items[name] for name in (MODELS[1], MODELS[0]))
    fresh = _new_share(refined, base)
    for number, name in enumerate(names):
        own = labels == number
        items = _typical(people.lists, own, people.n_items)
        titles = tuple(catalogue[c.TITLE].iloc[items].astype(str))
        ids = tuple(people.data.dataset.items.ids[items])
        past = float(np.median(people.lengths[own])) if own.any() else np.nan
        changed = float(np.nanmean(fresh[own])) if own.any() else np.nan
        rows.append((number + 1, name, int(own.sum()), float(own.mean()), past, ids, titles, changed))
    return pd.DataFrame(rows, columns=["segment", "name", "users", "share", "past", "typical", "titles", "changed"])


def ledger_explained(people: Population, labels: IntArray, seed: int = 0) -> Explained:
    """Compare how far segments and random groups tell users' ledgers apart.

    A user's ledger is the mean of every part of the score over the refined list: one part an attribute, the remainder
    and the bias (after the variance that user codes explain in ULMRec, 2024, against random codes).

    Parameters
    ----------
    people : Population
        All users.
    labels : IntArray
        Each user's segment from 0, -1 for none, ``[n_users]``.
    seed : int
        Seed of the random groups.
    """
    ledgers = list_ledgers(people)
    kept = (labels >= 0) & np.isfinite(ledgers).all(axis=1)
    values, own = ledgers[kept], labels[kept]
    names = [*people.schema.names, REMAINDER, BIAS]
    total = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    between = _between(values, own)
    rng = generator(seed, "random segments")
    drawn = np.stack([_between(values, rng.permutation(own)) for _ in range(_SHUFFLES)])  # [shuffles, parts]
    shares, chance = _share(between, total), drawn.sum(axis=1) / max(float(total.sum()), 1e-12)
    parts = pd.DataFrame(
        {
            "part": names,
            "share": shares,
            "chance_high": np.quantile(_share(drawn, total), 0.975, axis=0),
            "variance": total / max(len(values), 1),
        }
    ).sort_values("variance", ascending=False, ignore_index=True, kind="stable")
    return Explained(
        float(between.sum() / max(float(total.sum()), 1e-12)),
        float(chance.mean()),
        float(np.quantile(chance, 0.975)),
        parts,
        len(values),
    )


def list_ledgers(people: Population) -> Doubles:
    """Return the mean ledger of each user's refined list, ``[n_users, A + 2]``: attributes, remainder, bias.

    They sum to the list's mean score. NaN for users without a list.
    """
    items, scores = people.lists.items[MODELS[1]], people.lists.scores
    filled = items >= 0
    count = np.where(filled.any(axis=1), filled.sum(axis=1), np.nan)  # [n_users]
    guided = np.vstack([people.model.refined.item_values(), np.zeros((1, len(people.schema.names)))])  # last: no item
    bias = np.append(people.model.refined.item_biases().astype(np.float64), 0.0)
    mean_items = guided[items].sum(axis=1) / count[:, None]  # [n_users, A]
    attributes = people.slopes.astype(np.float64) * mean_items
    biases = bias[items].sum(axis=1) / count
    mean_score = np.where(filled, scores, 0.0).sum(axis=1) / count
    remainder = mean_score - attributes.sum(axis=1) - biases
    return np.column_stack([attributes, remainder, biases])


def _between(values: Doubles, labels: IntArray) -> Doubles:
    """Return the sum of squares between groups of each column, ``[K]``."""
    sizes = np.bincount(labels)
    sums = np.stack([np.bincount(labels, weights=column, minlength=len(sizes)) for column in values.T], axis=1)
    some = sizes > 0
    deviations = sums[some] / sizes[some, None] - values.mean(axis=0)
    squares: Doubles = (sizes[some, None] * deviations**2).sum(axis=0)
    return squares


def _share(part: Doubles, total: Doubles) -> Doubles:
    """Divide by the total; 0 where a part does not vary."""
    shares: Doubles = np.divide(part, total, out=np.zeros_like(part), where=total > 1e-12)
    return shares


def _typical(lists: TopLists, own: np.ndarray, n_items: int) -> IntArray:
    """Return the items that some users' refined lists hold more often than those of others, the most so first."""
    items = lists.items[MODELS[1]]
    here = np.bincount(items[own][items[own] >= 0], minlength=n_items) / max(int(own.sum()), 1)
    there = np.bincount(items[~own][items[~own] >= 0], minlength=n_items) / max(int((~own).sum()), 1)
    best: IntArray = np.argsort(there - here, kind="stable")[:_TYPICAL].astype(np.int64)
    return best[(here - there)[best] > 0]


def _new_share(refined: IntArray, base: IntArray) -> Doubles:
    """Return the share of each refined list that the base list does not hold, ``[n_users]``; NaN for an empty one."""
    kept = (refined[:, :, None] == base[:, None, :]).any(axis=2) & (refined >= 0)
    sizes = (refined >= 0).sum(axis=1)
    return np.where(sizes > 0, 1 - kept.sum(axis=1) / np.maximum(sizes, 1), np.nan)
