"""The evaluation report: every model on the same test cases, with intervals, differences and slices."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.config import EvaluationConfig
from guidedrec_core.data.sequences import IntArray, Sequences
from guidedrec_core.data.split import Cases
from guidedrec_core.errors import DataError
from guidedrec_core.evaluation.beyond import history_means, list_table
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.evaluation.metrics import case_metrics, metric_names
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import target_ranks, top_lists

POPULARITY, ITEM_KNN, ITEM_KNN_RECENCY, LINEAR = "popularity", "item_knn", "item_knn_recency", "ease"
BASE, REFINED, SECOND_TRAINING, PLACEBO = "base", "refined", "second_training", "placebo"
RANDOM_VECTORS, CATEGORIES, GUIDED_ONLY = "random_vectors", "categories", "guided_only"
MODELS = (
    POPULARITY,
    ITEM_KNN,
    ITEM_KNN_RECENCY,
    LINEAR,
    BASE,
    SECOND_TRAINING,
    PLACEBO,
    RANDOM_VECTORS,
    CATEGORIES,
    GUIDED_ONLY,
    REFINED,
)
"""Order of display."""

COMPARISONS = (
    (REFINED, BASE),
    (REFINED, SECOND_TRAINING),
    (REFINED, PLACEBO),
    (SECOND_TRAINING, BASE),
    (PLACEBO, BASE),
    (REFINED, RANDOM_VECTORS),
    (REFINED, CATEGORIES),
    (REFINED, GUIDED_ONLY),
    (REFINED, ITEM_KNN_RECENCY),
    (REFINED, LINEAR),
    (REFINED, ITEM_KNN),
    (REFINED, POPULARITY),
)
"""Differences reported: the gain, and what is left of it over each control."""

_HISTORY_EDGES = (5, 10, 20, 50, 100)


@dataclass(frozen=True)
class EvaluationReport:
    """Everything measured on the test part.

    Attributes
    ----------
    metrics : pandas.DataFrame
        ``model, metric, value, ci_low, ci_high``.
    differences : pandas.DataFrame
        ``model, against, metric, absolute, relative, ci_low, ci_high, relative_ci_low, relative_ci_high``; intervals
        without prefix belong to ``absolute``; relative columns are shares (0.1 = +10 %), NaN where undefined.
    cases : pandas.DataFrame
        One row a test case: ``user_id, item_id`` (held out), ``history_length``, ``item_interactions`` (in training)
        and ``rank_<model>``.
    slices : pandas.DataFrame
        ``slice_by, slice, n_cases, model, metric, value, gain, ci_low, ci_high``; the last three are the refined
        model's value minus this model's and its interval, NaN where there is no refined model.
    lists : pandas.DataFrame
        What the models' lists are like, for all users with a history; see `beyond.list_table`.
    n_listed : int
        Those users, but for who has everything already.
    n_repeats, n_without_history : int
        Held-out interactions that are no test case; see `Cases`.
    """

    metrics: pd.DataFrame
    differences: pd.DataFrame
    cases: pd.DataFrame
    slices: pd.DataFrame
    lists: pd.DataFrame
    n_listed: int
    n_repeats: int
    n_without_history: int


def evaluate_models(
    models: Mapping[str, ItemScorer],
    sequences: Sequences,
    cases: Cases,
    item_interactions: IntArray,
    shown: IntArray,
    guided: npt.NDArray[np.float32],
    user_ids: np.ndarray,
    item_ids: np.ndarray,
    config: EvaluationConfig,
    seed: int,
    on_model: Callable[[str], None] = lambda _: None,
) -> EvaluationReport:
    """Rank every held-out item with every model and compare.

    Parameters
    ----------
    models : mapping of str to ItemScorer
        Keys from `MODELS`, the base among them.
    sequences : Sequences
        All histories.
    cases : Cases
        The test cases.
    item_interactions : IntArray
        Training interactions of each item, ``[n_items]``.
    shown : IntArray
        How many leading interactions of each user the lists are made from, ``[n_users]``.
    guided : ndarray
        Guided scores of items as z-scores, ``[n_items, A]``.
    user_ids, item_ids : ndarray of str
        External ids by index.
    config : EvaluationConfig
        Cut-offs and bootstrap.
    seed : int
        Seed of the bootstrap.
    on_model : callable
        Hears each model's name when its ranks and lists are done.

    Returns
    -------
    EvaluationReport

    Raises
    ------
    DataError
        There is no test case.
    """
    if not len(cases):
        raise DataError("expected at least one test case, got none; users need 3 interactions with different items")
    ranks: dict[str, IntArray] = {}
    lists: dict[str, IntArray] = {}
    listed = _with_lists(sequences, shown)
    for name in [m for m in MODELS if m in models]:
        ranks[name] = target_ranks(models[name], sequences, cases)
        lists[name] = top_lists(models[name], sequences, listed, shown[listed], config.cutoffs[0])
        on_model(name)
    metrics = metric_names(config.cutoffs)
    values = np.concatenate([case_metrics(ranks[name], config.cutoffs) for name in ranks], axis=1)
    column = {(name, metric): i for i, (name, metric) in enumerate((n, m) for n in ranks for m in metrics)}
    bootstrap = UserBootstrap(values, cases.users, config.bootstrap_samples, generator(seed, "bootstrap"))
    table = pd.DataFrame(
        {
            c.USER: user_ids[cases.users],
            c.ITEM: item_ids[cases.targets],
            "history_length": cases.lengths,
            "item_interactions": item_interactions[cases.targets],
            **{f"rank_{name}": r for name, r in ranks.items()},
        }
    )
    return EvaluationReport(
        metrics=_metric_table(bootstrap, column),
        differences=_difference_table(bootstrap, column, list(ranks), metrics),
        cases=table,
        slices=slice_table(
            table,
            cases.users,
            _usual_slices(table, item_interactions),
            config.cutoffs,
            config.bootstrap_samples,
            seed,
        ),
        lists=list_table(
            lists,
            item_interactions,
            guided,
            history_means(sequences, shown, listed, guided),
            BASE,
            config.bootstrap_samples,
            generator(seed, "lists"),
        ),
        n_listed=len(listed),
        n_repeats=cases.n_repeats,
        n_without_history=cases.n_without_history,
    )


def _with_lists(sequences: Sequences, shown: IntArray) -> IntArray:
    """Return the users with a history and something left to recommend."""
    return np.array(
        [
            user
            for user in np.flatnonzero(shown > 0).tolist()
            if len(np.unique(sequences.history(user, int(shown[user])))) < sequences.n_items
        ],
        dtype=np.int64,
    )


def _metric_table(bootstrap: UserBootstrap, column: dict[tuple[str, str], int]) -> pd.DataFrame:
    """Tabulate all means with their intervals."""
    rows = []
    for (model, metric), index in column.items():
        mean = bootstrap.mean(index)
        rows.append((model, metric, mean.value, mean.low, mean.high))
    return pd.DataFrame(rows, columns=["model", "metric", "value", "ci_low", "ci_high"])


def _difference_table(
    bootstrap: UserBootstrap, column: dict[tuple[str, str], int], models: list[str], metrics: list[str]
) -> pd.DataFrame:
    """Tabulate the comparisons between models that were evaluated."""
    rows = []
    for model, against in COMPARISONS:
        if model not in models or against not in models:
            continue
        for metric in metrics:
            first, second = column[model, metric], column[against, metric]
            absolute, relative = bootstrap.difference(first, second), bootstrap.relative(first, second)
            shares = (relative.value, relative.low, relative.high) if relative else (np.nan,) * 3
            rows.append((model, against, metric, absolute.value, shares[0], absolute.low, absolute.high, *shares[1:]))
    names = ["model", "against", "metric", "absolute", "relative", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=[*names, "relative_ci_low", "relative_ci_high"])


def slice_table(
    cases: pd.DataFrame,
    users: IntArray,
    slices: Mapping[str, Mapping[str, npt.NDArray[np.bool_]]],
    cutoffs: tuple[int, ...],
    samples: int,
    seed: int,
) -> pd.DataFrame:
    """Average the metrics over slices of cases, each slice resampled alone.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row a test case, with ``rank_<model>`` of every model to compare.
    users : IntArray
        User of each case, ``[n_cases]``.
    slices : mapping of str to mapping of str to ndarray
        By what is sliced, and the name of each slice, which cases belong to it, ``[n_cases]``; slices may overlap, and
        empty ones are left out.
    cutoffs : tuple of int
        K of Recall@K and NDCG@K.
    samples : int
        Resamples of users for the intervals.
    seed : int
        The seed from which that of the bootstrap descends.

    Returns
    -------
    pandas.DataFrame
        As `EvaluationReport.slices`.
    """
    models = [name for name in MODELS if f"rank_{name}" in cases]
    values = np.concatenate([case_metrics(cases[f"rank_{name}"].to_numpy(), cutoffs) for name in models], axis=1)
    column = {key: place for place, key in enumerate(itertools.product(models, metric_names(cutoffs)))}
    rows = []
    for slice_by, members in slices.items():
        for label, kept in members.items():
            if not kept.any():
                continue
            bootstrap = UserBootstrap(values[kept], users[kept], samples, generator(seed, "slices"))
            for (model, metric), index in column.items():
                gain: tuple[float, ...] = (np.nan,) * 3
                if (REFINED, metric) in column:
                    found = bootstrap.difference(column[REFINED, metric], index)
                    gain = (found.value, found.low, found.high)
                rows.append((slice_by, label, int(kept.sum()), model, metric, bootstrap.means[index], *gain))
    names = ["slice_by", "slice", "n_cases", "model", "metric", "value", "gain", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=names)


def _usual_slices(cases: pd.DataFrame, item_interactions: IntArray) -> dict[str, dict[str, npt.NDArray[np.bool_]]]:
    """Return which cases belong to each slice by item popularity and by history length."""
    sorted_into = {
        "item popularity": _popularity_slices(cases["item_interactions"], item_interactions),
        "history length": _history_slices(cases["history_length"]),
    }
    return {
        slice_by: {str(label): (labels == label).to_numpy() for label in labels.cat.categories}
        for slice_by, labels in sorted_into.items()
    }


def _popularity_slices(interactions: pd.Series, item_interactions: IntArray) -> pd.Series:
    """Sort cases by the held-out item's training interactions, in quarters of the catalogue."""
    edges = np.quantile(item_interactions[item_interactions > 0], [0.25, 0.5, 0.75])
    names = ["rarest quarter", "second quarter", "third quarter", "most popular quarter"]
    labels = pd.Series(np.array(names)[np.searchsorted(edges, interactions, side="left")], index=interactions.index)
    labels = labels.mask(interactions == 0, "never in training")
    return labels.astype(pd.CategoricalDtype(["never in training", *names], ordered=True))


def _history_slices(lengths: pd.Series) -> pd.Series:
    """Sort cases by the number of interactions that precede the target."""
    edges = (0, *_HISTORY_EDGES, np.inf)
    names = [f"{int(a) + 1} to {int(b)}" if np.isfinite(b) else f"over {int(a)}" for a, b in itertools.pairwise(edges)]
    return pd.cut(lengths, edges, labels=names)
