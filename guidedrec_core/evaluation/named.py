"""How much of what decides the lists has a name, and what ranking by names alone costs.

Measured on test cases. Named is what `naming` gives to attributes, facts, popularity and item-kNN; each item's named
part comes from a regression fitted without the item (out of fold) wherever names are put to the test. Two controls show
that names are earned: as many random columns, and the named columns with their rows shuffled over items.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.split import Cases
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.naming.lines import KINDS
from guidedrec_core.naming.model import NamedModel
from guidedrec_core.naming.shares import deciding_items, shares_of
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import block_size, mask_seen, ndcg_at, ranks_of
from guidedrec_core.recommenders.refined import RefinedRecommender, naming_inputs

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How much of what no name covers counts, along the frontier."""
CUTOFF = 10
_CONTROLS = ("random_columns", "shuffled_columns")
_STABLE_USERS = 50
_NOTABLE, _KEPT = 0.05, 0.95

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NamedReport:
    """What names cover.

    Attributes
    ----------
    shares : pandas.DataFrame
        ``part, share, ci_low, ci_high``, means over users of shares among each one's `RANGE` best unseen items (see
        `naming.shares`). Parts: ``attribute``, ``fact``, ``popularity``, ``neighbours``, ``unnamed`` (these sum to 1);
        ``unnamed_out_of_fold``; ``to_be_named``, what neither attributes nor item-kNN had before the regression;
        ``random_columns`` and ``shuffled_columns``, how much of that the controls name out of fold.
    lines : pandas.DataFrame
        ``kind, name, label, share``: the same for each line.
    frontier : pandas.DataFrame
        ``unnamed_weight, unnamed, unnamed_spread, ndcg, ci_low, ci_high``: NDCG@10 when what no name covers counts this
        much; the share it then has, and its standard deviation as a part of that of both; out of fold. At weight 1 the
        ranking is the model's own. The best items were chosen by both parts together, so that among them the two run
        against each other: a share near 0 does not mean that the rest is small, and only the spread says how large it
        is.
    stability : dict
        ``lines`` looked at, in lists of the ten best: those above 5 % of the spread of a user's scores; ``kept``, the
        share of them that keep their sign in at least 95 % of resamples of items.
    penalty : float
        Strength of the ridge, see `Regression`.
    ranks : IntArray
        Rank of each case's target by names alone, out of fold, ``[n_cases]``.
    """

    shares: pd.DataFrame
    lines: pd.DataFrame
    frontier: pd.DataFrame
    stability: dict[str, float]
    penalty: float
    ranks: IntArray


def named_report(model: RefinedRecommender, cases: Cases, samples: int, seed: int) -> NamedReport:
    """Measure what names cover.

    Parameters
    ----------
    model : RefinedRecommender
        A refined recommender.
    cases : Cases
        Test cases.
    samples : int
        Resamples of users for the intervals.
    seed : int
        Of controls and resamples.
    """
    named = model.named
    controls = _controls(model, seed)
    shares = np.full((len(cases), len(KINDS) + 4 + len(controls)), np.nan)
    ndcg, of_rest = np.empty((len(cases), len(WEIGHTS))), np.full((len(cases), 2 * len(WEIGHTS)), np.nan)
    of_lines, by_name = np.full((len(cases), len(named.columns.lines)), np.nan), np.empty(len(cases), dtype=np.int64)
    for rows, users, histories in _blocks(model, cases):
        parts, unnamed = named.parts(users, histories), named.unnamed_out_of_fold(users, histories)
        left = [control.unnamed_out_of_fold(users, histories) for control in controls]
        unsplit = named.unsplit(users, histories)
        for column, weight in enumerate(WEIGHTS):
            # At full weight the scores are the model's own to the last digit, so that ties fall alike.
            kept = parts.scores if weight == 1 else (parts.scores - (1 - weight) * unnamed).astype(np.float32)
            ranks = ranks_of(mask_seen(kept, histories), cases.targets[rows])
            ndcg[rows, column] = ndcg_at(ranks, CUTOFF)
            if weight == 0:
                by_name[rows] = ranks
        for place, row in enumerate(rows.tolist()):
            best = deciding_items(parts.scores[place], histories[place])
            if len(best) < 2:
                continue
            lines, whole = named.contributions(parts.slopes[place], best), parts.scores[place, best]
            columns = [
                *(lines[:, named.columns.kind_of == kind].sum(axis=1) for kind in KINDS),
                *(each[place, best] for each in (parts.neighbours, parts.unnamed, unnamed, unsplit, *left)),
            ]
            of_lines[row], shares[row] = shares_of(lines, whole), shares_of(np.column_stack(columns), whole)
            of_rest[row] = _along_the_frontier(whole - unnamed[place, best], unnamed[place, best])
    # What a control names is what it takes away from that which was to be named.
    shares[:, -len(controls) :] = shares[:, [-len(controls) - 1]] - shares[:, -len(controls) :]
    names = [*KINDS, "neighbours", "unnamed", "unnamed_out_of_fold", "to_be_named", *_CONTROLS]
    measured = ~np.isnan(shares[:, 0])
    values = np.column_stack([shares, ndcg, of_rest])[measured]
    bootstrap = UserBootstrap(values, cases.users[measured], samples, generator(seed, "named"))
    means = [bootstrap.mean(column) for column in range(len(names) + len(WEIGHTS))]
    shares_left, spreads_left = np.reshape(bootstrap.means[len(means) :], (2, -1))
    return NamedReport(
        shares=pd.DataFrame(
            [(name, mean.value, mean.low, mean.high) for name, mean in zip(names, means[: len(names)], strict=True)],
            columns=["part", "share", "ci_low", "ci_high"],
        ),
        lines=pd.DataFrame(
            [
                (line.kind, line.name, line.label, share)
                for line, share in zip(named.columns.lines, np.nanmean(of_lines, axis=0).tolist(), strict=True)
            ],
            columns=["kind", "name", "label", "share"],
        ),
        frontier=pd.DataFrame(
            [
                (weight, share, spread, mean.value, mean.low, mean.high)
                for weight, share, spread, mean in zip(
                    WEIGHTS, shares_left.tolist(), spreads_left.tolist(), means[len(names) :], strict=True
                )
            ],
            columns=["unnamed_weight", "unnamed", "unnamed_spread", "ndcg", "ci_low", "ci_high"],
        ),
        stability=_stability(model, cases, seed),
        penalty=named.regression.penalty,
        ranks=by_name,
    )


def _along_the_frontier(named: Doubles, unnamed: Doubles) -> Doubles:
    """Return the share of what no name covers, and its spread relative to all, at each of `WEIGHTS`, ``[2 W]``.

    Parameters
    ----------
    named, unnamed : Doubles
        Both parts of one user's scores, ``[n]``.
    """
    rests = np.multiply.outer(WEIGHTS, unnamed)  # [W, n]
    shares = [float(shares_of(rest[:, None], named + rest)[0]) for rest in rests]
    spreads = rests.std(axis=1) / (rests.std(axis=1) + named.std() + 1e-12)
    return np.concatenate([shares, spreads])


def _controls(model: RefinedRecommender, seed: int) -> list[NamedModel]:
    """Return the same model named by as many random columns, and by its own with their rows shuffled over items."""
    named, rng = model.named, generator(seed, "columns without meaning")
    inputs, shape = naming_inputs(model), named.columns.values.shape
    tables = (rng.normal(size=shape).astype(np.float32), named.columns.values[rng.permutation(shape[0])])
    return [
        NamedModel.fit(named.model, replace(named.columns, values=values), *inputs, seed=seed, resamples=0)
        for values in tables
    ]


def _blocks(model: RefinedRecommender, cases: Cases) -> Iterator[tuple[IntArray, IntArray, list[IntArray]]]:
    """Yield positions of some cases at a time with their users and histories."""
    sequences, size = model.data.sequences, block_size(model.refined.n_items)
    for first in range(0, len(cases), size):
        rows = np.arange(first, min(first + size, len(cases)))
        pairs = zip(cases.users[rows].tolist(), cases.lengths[rows].tolist(), strict=True)
        yield rows, cases.users[rows], [sequences.history(user, length) for user, length in pairs]


def _stability(model: RefinedRecommender, cases: Cases, seed: int) -> dict[str, float]:
    """Count lines of lists of ten that keep their sign when items are resampled; see `NamedReport.stability`."""
    named, drawn = model.named, generator(seed, "stable lines").permutation(len(cases))[:_STABLE_USERS]
    looked_at = kept = 0
    for user, length in zip(cases.users[drawn].tolist(), cases.lengths[drawn].tolist(), strict=True):
        history = model.data.sequences.history(user, length)
        scores = named.model.scores(np.array([user]), [history])[0]
        items = deciding_items(scores, history, CUTOFF)
        if not len(items):
            continue
        parts = named.parts(np.array([user]), [history], items)
        here, again = named.contributions(parts.slopes[0], items), named.resampled(user, history, items)
        unseen = np.delete(scores, history).astype(np.float64)
        large = np.abs(here) > _NOTABLE * unseen.std()
        same = (np.sign(again) == np.sign(here)).mean(axis=0)
        looked_at, kept = looked_at + int(large.sum()), kept + int((same[large] >= _KEPT).sum())
    return {"lines": looked_at, "kept": kept / looked_at if looked_at else 1.0}
