"""Is an explanation stable? Users who are nearly alike should get nearly the same reasons.

Each history is changed a little, by swapping one item for its nearest neighbour in the refined space or by dropping the
oldest, and the same item is explained again. The change of the reasons is compared with the change of the score itself
(Alvarez-Melis and Jaakkola, 2018, use the ratio of the two), and with the control: the reasons of another user, drawn
at random, for the same item. Reasons that change as much as the control's are of no use; reasons that never differ
between users explain nothing.

Values of positions are exact, so that no sampling error adds to the change: in long histories the newest positions have
values of their own, and the older ones share one.

Shapes: V cases (user, history, item), A attributes, n positions.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.explanation.past_items.shapley import HistoryShapley, history_shapley
from guidedrec_core.explanation.question import Question
from guidedrec_core.projection.spaces import ItemSpace
from guidedrec_core.randomness import generator
from guidedrec_core.refinement.refined import RefinedModel

FloatArray = npt.NDArray[np.float64]

SWAPPED, SHORTENED, OTHER = "one item swapped", "oldest dropped", "another user"
"""Changes; the last is the control."""
MEASURES = ("score_change", "attributes_change", "attributes_correlation", "history_change", "history_correlation")

_FEWEST = 4  # positions: with fewer than three in common, ranks say nothing


@dataclass(frozen=True)
class Stability:
    """How much explanations move when histories do.

    Attributes
    ----------
    cases : pandas.DataFrame
        ``case, user, change`` and `MEASURES`. Changes are relative, 0 = none: ``score_change`` is the score's, and
        ``attributes_change`` the contributions' (with the remainder), summed up, both as shares of the size of all
        contributions and the remainder before; ``history_change`` is that of the values of positions in common, as
        a share of their size. Correlations are Spearman's, of contributions and of values of positions in common. With
        another user, positions are matched from the newest back.
    summary : pandas.DataFrame
        ``change, measure`` with the mean over cases, ``value``, and its 95 % interval, ``low, high``.
    n_cases : int
        Cases measured.
    n_short : int
        Cases left out, because their history has fewer than four items.
    """

    cases: pd.DataFrame
    summary: pd.DataFrame
    n_cases: int
    n_short: int


def stability(
    model: RefinedModel, questions: list[Question], seed: int = 0, rows: int = 10, samples: int = 1000
) -> Stability:
    """Explain items to users, to near-copies of them, and to others.

    Parameters
    ----------
    model : RefinedModel
        What is explained; with two attributes at least.
    questions : list of Question
        V users with their histories, and the item explained to each.
    seed : int
        Of what is swapped, of the other users, and of resamples.
    rows : int
        Positions valued, older ones together as the first, 4 to 12; the model scores 2 to the power of it, four
        times per case.
    samples : int
        Resamples of users.
    """
    rng = generator(seed, "stability")
    long_enough = np.flatnonzero([len(question.history) >= _FEWEST for question in questions])
    users = np.array([question.user for question in questions])
    space = _space(model)
    found = []

    def explained(question: Question) -> HistoryShapley:
        return history_shapley(model, question, most=rows, exact_up_to=rows)

    for case in long_enough.tolist():
        question = questions[case]
        history = question.history
        others = long_enough[users[long_enough] != question.user]
        own = explained(question)
        n = len(own.positions)
        place = int(rng.integers(len(history)))
        swapped = history.copy()
        swapped[place] = _stand_in(space, question, place)
        # Rows in common, counted from the newest back: all but the swapped one, or all but the first.
        unswapped = np.flatnonzero(np.arange(n) != max(place - own.grouped + 1, 0)) - n
        compared = {
            SWAPPED: (explained(question.with_history(swapped)), unswapped),
            SHORTENED: (explained(question.with_history(history[1:])), np.arange(1 - n, 0)),
        }
        if len(others):
            other = int(rng.choice(others))
            explanation = explained(questions[other].with_item(question.item))
            compared[OTHER] = (explanation, np.arange(1 - min(n, len(explanation.positions)), 0))
        found += [
            {"case": case, "user": question.user, "change": change, **_moves(own, near, common)}
            for change, (near, common) in compared.items()
        ]
    cases = pd.DataFrame(found, columns=["case", "user", "change", *MEASURES])
    summary = _summary(cases, samples, seed)
    return Stability(cases, summary, len(long_enough), len(questions) - len(long_enough))


def _space(model: RefinedModel) -> ItemSpace:
    """Return the refined space; the guided one where the model has no reduced base part."""
    guided, reduced = model.item_values(), model.item_remainders()
    return ItemSpace.refined(guided, reduced) if reduced.size else ItemSpace.guided(guided)


def _stand_in(space: ItemSpace, question: Question, place: int) -> int:
    """Return the nearest neighbour of a history's item that is neither in the history nor the item explained."""
    history = question.history
    # All other items of the history and the item explained may be nearer; with this many neighbours, one remains.
    nearest, _ = space.nearest(int(history[place]), len(history) + 1)
    return int(nearest[~np.isin(nearest, history) & (nearest != question.item)][0])


def _moves(own: HistoryShapley, near: HistoryShapley, common: IntArray) -> dict[str, float]:
    """Measure how far one explanation is from another; rows in common are counted back from the newest, below 0."""
    before, after = (each.matrix.sum(axis=0) + each.alone for each in (own, near))  # [A + 1]
    first, second = own.values[common], near.values[common]
    size, history_size = np.abs(before).sum(), np.abs(first).sum()
    return {
        "score_change": abs(near.score - own.score) / size,
        "attributes_change": np.abs(after - before).sum() / size,
        "attributes_correlation": _correlation(before[:-1], after[:-1]),
        "history_change": np.abs(second - first).sum() / history_size,
        "history_correlation": _correlation(first, second),
    }


def _correlation(first: FloatArray, second: FloatArray) -> float:
    """Return Spearman's rank correlation; NaN if all are equal on one side."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(stats.spearmanr(first, second).statistic)


def _summary(cases: pd.DataFrame, samples: int, seed: int) -> pd.DataFrame:
    """Average each measure over the cases in which it is a number."""
    rows = []
    for change, part in cases.groupby("change", sort=False):
        for measure in MEASURES:
            known = part.dropna(subset=[measure])
            if len(known):
                rng = generator(seed, "stability", "bootstrap")
                mean = UserBootstrap(known[[measure]].to_numpy(), known["user"].to_numpy(), samples, rng).mean(0)
                rows.append((change, measure, mean.value, mean.low, mean.high))
    return pd.DataFrame(rows, columns=["change", "measure", "value", "low", "high"])
