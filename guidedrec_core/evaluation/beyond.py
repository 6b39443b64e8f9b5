"""What recommendation lists are like beyond being right: coverage, novelty, popularity, variety, fit to the history.

With ``n_i`` training interactions of item i, ``N`` of all items, and ``g_i`` its guided scores (z-scores over items),
lists of K items are measured by:

- ``Coverage@K``: share of the catalogue that is in somebody's list.
- ``Gini@K``: inequality of how often items are listed, over the whole catalogue: 0 = all alike, near 1 = few take all.
- ``Novelty@K``: mean of ``-log2 p_i``, ``p_i = (n_i + 1) / (N + n_items)``, in bits: self-information (Vargas and
  Castells, RecSys 2011), smoothed so that it is finite for an item without training interactions.
- ``ARP@K``: mean of ``n_i``, average recommendation popularity (Yin et al., VLDB 2012).
- ``Diversity@K``: mean of ``1 - cos(g_i, g_j)`` over all pairs of a list (Ziegler et al., WWW 2005), 0 to 2; items
  without any score are passed over, and a list of fewer than two others has 0.
- ``Miscalibration@K``: ``1/A sum over attributes of | mean of g in the list - mean of g in the history |``, in standard
  deviations of the catalogue. Steck (RecSys 2018) compares the shares of genres in list and history; graded attributes
  have means instead. 0 = the list has the history's mix.

The last four are means over users; coverage and Gini belong to all lists together.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.data.sequences import IntArray, Sequences
from guidedrec_core.evaluation.bootstrap import UserBootstrap

FloatArray = npt.NDArray[np.float64]

COVERAGE, GINI = "Coverage", "Gini"
NOVELTY, POPULARITY_BIAS, DIVERSITY, MISCALIBRATION = "Novelty", "ARP", "Diversity", "Miscalibration"
USER_MEASURES = (NOVELTY, POPULARITY_BIAS, DIVERSITY, MISCALIBRATION)
"""Measures that are means over users, in the order of `user_measures`."""

# Users whose lists are looked up at a time; bounds memory to this many times K times A numbers.
_BLOCK = 4096


def history_means(
    sequences: Sequences, lengths: IntArray, users: IntArray, guided: npt.NDArray[np.float32]
) -> FloatArray:
    """Return the mean guided scores of histories.

    Parameters
    ----------
    sequences : Sequences
        All histories.
    lengths : IntArray
        Leading interactions that count, at least 1 for each of the users, ``[n_users]``.
    users : IntArray
        User indexes, ``[B]``.
    guided : ndarray
        Guided scores of items, ``[n_items, A]``.

    Returns
    -------
    FloatArray
        ``[B, A]``.
    """
    means = np.empty((len(users), guided.shape[1]))
    for row, user in enumerate(users.tolist()):
        means[row] = guided[sequences.history(user, int(lengths[user]))].mean(axis=0, dtype=np.float64)
    return means


def user_measures(
    lists: IntArray, item_interactions: IntArray, guided: npt.NDArray[np.float32], wanted: FloatArray
) -> FloatArray:
    """Measure each user's list.

    Parameters
    ----------
    lists : IntArray
        Item indexes, best first, ``[n_users, K]``; -1 where a list ends early, at least one item each.
    item_interactions : IntArray
        Training interactions of each item, ``[n_items]``.
    guided : ndarray
        Guided scores of items, ``[n_items, A]``.
    wanted : FloatArray
        Mean guided scores of each user's history, ``[n_users, A]``.

    Returns
    -------
    FloatArray
        ``[n_users, 4]``, in the order of `USER_MEASURES`.
    """
    counts = item_interactions.astype(np.float64)
    information = -np.log2((counts + 1) / (counts.sum() + len(counts)))  # [n_items]
    norms = np.linalg.norm(guided.astype(np.float64), axis=1, keepdims=True)
    directions = np.divide(guided, norms, out=np.zeros(guided.shape), where=norms > 0)  # [n_items, A]
    measured = np.empty((len(lists), len(USER_MEASURES)))
    for first in range(0, len(lists), _BLOCK):
        part = slice(first, first + _BLOCK)
        here = lists[part] >= 0  # [B, K]
        items = np.where(here, lists[part], 0)
        length = here.sum(axis=1)
        scored = here & (norms[items, 0] > 0)
        n_scored = scored.sum(axis=1)
        # Cosines of all pairs of a list sum to half of |sum of directions|^2 less 1 for each item.
        together = (directions[items] * scored[..., None]).sum(axis=1)  # [B, A]
        n_pairs = n_scored * (n_scored - 1) / 2
        cosines = ((together**2).sum(axis=1) - n_scored) / 2
        mix = (guided[items].astype(np.float64) * here[..., None]).sum(axis=1) / length[:, None]  # [B, A]
        measured[part] = np.stack(
            [
                (information[items] * here).sum(axis=1) / length,
                (counts[items] * here).sum(axis=1) / length,
                np.where(n_pairs > 0, 1 - cosines / np.maximum(n_pairs, 1), 0.0),
                np.abs(mix - wanted[part]).mean(axis=1),
            ],
            axis=1,
        )
    return measured


def coverage(lists: IntArray, n_items: int) -> float:
    """Return the share of the catalogue that is in a list.

    Examples
    --------
    >>> coverage(np.array([[0, 1], [1, -1]]), n_items=4)
    0.5
    """
    return len(np.unique(lists[lists >= 0])) / n_items


def gini(lists: IntArray, n_items: int) -> float:
    """Return the inequality of how often items are listed, items never listed included.

    Examples
    --------
    >>> gini(np.array([[0, 1], [1, 0]]), n_items=2), gini(np.array([[0], [0]]), n_items=4)
    (0.0, 0.75)
    """
    exposure = np.sort(np.bincount(lists[lists >= 0], minlength=n_items)).astype(np.float64)
    order = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float((order * exposure).sum() / (n_items * exposure.sum()))


def list_table(
    lists: Mapping[str, IntArray],
    item_interactions: IntArray,
    guided: npt.NDArray[np.float32],
    wanted: FloatArray,
    against: str,
    samples: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Measure the lists of several models for the same users.

    Parameters
    ----------
    lists : mapping of str to IntArray
        Each model's lists, ``[n_users, K]``; see `user_measures`.
    item_interactions, guided, wanted
        As in `user_measures`.
    against : str
        The model that the others are compared with.
    samples : int
        Bootstrap resamples of users.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    pandas.DataFrame
        ``model, metric, value, ci_low, ci_high, change, change_low, change_high``; ``change`` is the difference from
        `against`, paired by user. Intervals are NaN for coverage and Gini, which are no means over users.
    """
    names = list(lists)
    k, n_items = lists[against].shape[1], len(item_interactions)
    columns = [user_measures(lists[name], item_interactions, guided, wanted) for name in names]
    bootstrap = UserBootstrap(np.concatenate(columns, axis=1), np.arange(len(wanted)), samples, rng)
    overall = {name: (coverage(lists[name], n_items), gini(lists[name], n_items)) for name in names}
    rows: list[tuple[object, ...]] = []
    base = names.index(against) * len(USER_MEASURES)
    for number, name in enumerate(names):
        for place, metric in enumerate((COVERAGE, GINI)):
            value = overall[name][place]
            rows.append((name, f"{metric}@{k}", value, np.nan, np.nan, value - overall[against][place], np.nan, np.nan))
        for place, metric in enumerate(USER_MEASURES):
            column = number * len(USER_MEASURES) + place
            mean, change = bootstrap.mean(column), bootstrap.difference(column, base + place)
            ends = (mean.value, mean.low, mean.high, change.value, change.low, change.high)
            rows.append((name, f"{metric}@{k}", *ends))
    names_of_columns = ["model", "metric", "value", "ci_low", "ci_high", "change", "change_low", "change_high"]
    return pd.DataFrame(rows, columns=names_of_columns)
