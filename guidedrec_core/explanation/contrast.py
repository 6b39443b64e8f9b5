"""Contrasts: why one item scores more or less than something it is compared with, split exactly.

    phi_l = sum of slope_p (x_ip - x_jp) over the columns p of line l,    and differences of item-kNN and of the rest

Within one list all items share their slopes, so the score is linear in an item's values: these are its Shapley values
against the baseline j (Lundberg and Lee, NeurIPS 2017, corollary 1), in closed form.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.named_ledger import NamedLedger, named_ledger
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.naming.lines import Line
from guidedrec_core.naming.model import NamedModel
from guidedrec_core.ranking.adjustments import Adjustments

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Contrast:
    """Differences of scores, n of them, and what makes them.

    Attributes
    ----------
    lines : tuple of Line
        The names, L.
    contributions : FloatArray
        What each line adds to the item's score over the baseline's, ``[n, L]``.
    neighbours, unnamed : FloatArray
        What item-kNN adds, and what no name covers, ``[n]``.
    difference : FloatArray
        Score of the item less that of the baseline, ``[n]``: the sum of all these.
    """

    lines: tuple[Line, ...]
    contributions: FloatArray
    neighbours: FloatArray
    unnamed: FloatArray
    difference: FloatArray

    @classmethod
    def between(cls, ledger: NamedLedger, first: IntArray, second: IntArray) -> "Contrast":
        """Compare rows of a ledger: those of `first` with those of `second`, ``[n]`` each."""
        return cls(
            ledger.lines,
            ledger.contributions[first] - ledger.contributions[second],
            ledger.neighbours[first] - ledger.neighbours[second],
            ledger.unnamed[first] - ledger.unnamed[second],
            ledger.score[first] - ledger.score[second],
        )

    @classmethod
    def with_average(cls, ledger: NamedLedger) -> "Contrast":
        """Compare each row of a ledger with an average item, which has 0 on every line, and nothing from item-kNN."""
        difference = ledger.score - ledger.average
        return cls(ledger.lines, ledger.contributions, ledger.neighbours, ledger.unnamed, difference)

    def parts(self, row: int, verb: InteractionVerb) -> list[tuple[str, float]]:
        """Return every part of one difference with its label: lines, item-kNN where it has a share, and the rest."""
        named = [(line.label, float(value)) for line, value in zip(self.lines, self.contributions[row], strict=True)]
        if self.neighbours.any():
            named.append((f"{verb.participle.capitalize()} together", float(self.neighbours[row])))
        return [*named, (f"Other {verb.patterns}", float(self.unnamed[row]))]


def contrast(
    named: NamedModel,
    given: UserHistory,
    items: IntArray,
    others: IntArray | None = None,
    rules: Adjustments | None = None,
) -> Contrast:
    """Split the differences between scores of one user.

    Parameters
    ----------
    named : NamedModel
        The refined model with the names of its parts.
    given : UserHistory
        The user, and what the model is shown; a `Question` is one.
    items : IntArray
        Item indexes, ``[n]``.
    others : IntArray, optional
        What each is compared with, ``[n]``; default is an average item.
    rules : Adjustments, optional
        Rules that are added to the model's scores; each is a part.
    """
    if others is None:
        return Contrast.with_average(named_ledger(named, given, items, rules))
    # One pass of the model for both, so that they share slopes to the last digit.
    ledger = named_ledger(named, given, np.concatenate([items, others]), rules)
    rows = np.arange(len(items))
    return Contrast.between(ledger, rows, rows + len(items))


def just_below(scores: npt.NDArray[np.float32], item: int) -> int | None:
    """Return the item that comes next in the list, or None for the last.

    Parameters
    ----------
    scores : ndarray
        Scores of one user, ``[n_items]``; minus infinity for what is never recommended.
    item : int
        Item index.
    """
    after = (scores < scores[item]) | ((scores == scores[item]) & (np.arange(len(scores)) > item))
    after &= np.isfinite(scores)
    # Of equal scores argmax returns the first, as the list does.
    return int(np.where(after, scores, -np.inf).argmax()) if after.any() else None
