"""What attributes are worth: the same model made from some of them only, on the same cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.evaluation.metrics import case_metrics, metric_names

ALL, NONE, DROP, KEEP, FIRST = "all", "none", "drop", "keep", "first"
"""Kinds of choices: every attribute; none; all but one; one alone; the n that weigh most."""

METRICS = ("MRR", "NDCG@10")
"""What is reported."""

_CUTOFFS = (10,)
_NUMBERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)


@dataclass(frozen=True)
class Choice:
    """Some of the attributes.

    Attributes
    ----------
    kind : str
        `ALL`, `NONE`, `DROP`, `KEEP` or `FIRST`.
    attribute : str
        The one dropped or kept, or the last of the first n; empty for all and none.
    attributes : tuple of int
        Their positions, ascending.
    """

    kind: str
    attribute: str
    attributes: tuple[int, ...]


def single_choices(names: Sequence[str]) -> list[Choice]:
    """List the choices that drop or keep one attribute each."""
    every = range(len(names))
    dropped = [Choice(DROP, names[a], tuple(b for b in every if b != a)) for a in every]
    return [*dropped, *(Choice(KEEP, names[a], (a,)) for a in every)]


def first_choices(names: Sequence[str], weights: np.ndarray) -> list[Choice]:
    """List the choices of the n attributes that weigh most, for a few n.

    Parameters
    ----------
    names : sequence of str
        Attributes in column order.
    weights : ndarray
        ``[A]``; what counts is their size, not their sign.
    """
    order = np.argsort(-np.abs(weights), kind="stable").tolist()
    numbers = [n for n in _NUMBERS if n < len(names)]
    return [Choice(FIRST, names[order[n - 1]], tuple(sorted(order[:n]))) for n in numbers]


def ablation_table(
    ranks: Mapping[Choice, IntArray], users: IntArray, samples: int, seed: np.random.Generator
) -> pd.DataFrame:
    """Compare every choice with all attributes and with none, in pairs on the same cases.

    Parameters
    ----------
    ranks : mapping of Choice to IntArray
        Ranks of the held-out items, ``[n_cases]`` each; the choices `ALL` and `NONE` must be there.
    users : IntArray
        User of each case, ``[n_cases]``.
    samples : int
        Bootstrap resamples of users.
    seed : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    pandas.DataFrame
        ``kind, attribute, n_attributes, metric, value``, and of the differences to all attributes and to none, positive
        where this choice is better: ``to_all, to_all_low, to_all_high, to_none, to_none_low, to_none_high``.
    """
    computed = metric_names(_CUTOFFS)
    wanted = [computed.index(metric) for metric in METRICS]
    values = np.concatenate([case_metrics(r, _CUTOFFS)[:, wanted] for r in ranks.values()], axis=1)
    bootstrap = UserBootstrap(values, users, samples, seed)
    kinds = [choice.kind for choice in ranks]
    rows = []
    for place, choice in enumerate(ranks):
        for m, metric in enumerate(METRICS):
            column = place * len(METRICS) + m
            row: list[object] = [choice.kind, choice.attribute, len(choice.attributes), metric, bootstrap.means[column]]
            for reference in (ALL, NONE):
                found = bootstrap.difference(column, kinds.index(reference) * len(METRICS) + m)
                row += [found.value, found.low, found.high]
            rows.append(row)
    differences = [f"to_{reference}{end}" for reference in (ALL, NONE) for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["kind", "attribute", "n_attributes", "metric", "value", *differences])
