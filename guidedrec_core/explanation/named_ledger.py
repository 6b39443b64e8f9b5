"""The named ledger: one score, split exactly into attributes, facts, item-kNN, and what no name covers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.naming.lines import Line
from guidedrec_core.naming.model import NamedModel
from guidedrec_core.ranking.adjustments import Adjustments
from guidedrec_core.refinement.sources import Sources

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NamedLedger:
    """One user's scores of n items with their parts: ``score = contributions + neighbours + unnamed + average``.

    Attributes
    ----------
    lines : tuple of Line
        The names, L: attributes in the schema's order, then facts, then rules where any were added.
    user_values : FloatArray
        The user's value on each attribute, ``[A]``, in units of G (z-scores).
    item_values : FloatArray
        Guided item vectors g, ``[n, A]``.
    contributions : FloatArray
        What each line adds, ``[n, L]``; over the catalogue those of the model have mean 0, and a rule adds 0 to all
        items that it does not act on.
    sources : Sources
        Attributes' contributions by where they come from, ``[n, A]``; to 1e-5 they sum to the first A columns of
        `contributions`.
    neighbours : FloatArray
        The share of item-kNN, ``[n]``; 0 where there is none.
    unnamed : FloatArray
        What no name covers, ``[n]``; over the catalogue it has mean 0.
    average : float
        What an average item scores, without item-kNN and rules.
    score : FloatArray
        ``[n]``, the model's own to 1e-5, and what rules add.
    """

    lines: tuple[Line, ...]
    user_values: FloatArray
    item_values: FloatArray
    contributions: FloatArray
    sources: Sources
    neighbours: FloatArray
    unnamed: FloatArray
    average: float
    score: FloatArray


def named_ledger(
    named: NamedModel, given: UserHistory, items: IntArray, rules: Adjustments | None = None
) -> NamedLedger:
    """Split the scores of some items for one user.

    Parameters
    ----------
    named : NamedModel
        The refined model with the names of its parts.
    given : UserHistory
        The user, and what the model is shown; a `Question` is one.
    items : IntArray
        Item indexes, ``[n]``.
    rules : Adjustments, optional
        Rules that are added to the model's scores; each is a line.
    """
    parts = named.parts(given.users, given.histories, items)
    contributions, lines = named.contributions(parts.slopes[0], items), named.columns.lines
    if rules is not None and len(rules):
        own = named.model.scores(given.users, given.histories)[0]
        added = rules.amounts(own, given.user, given.history)[:, items]
        contributions = np.concatenate([contributions, added.T], axis=1)
        lines = (*lines, *(Line("rule", rule.name, f"Rule “{rule.name}”") for rule in rules.rules))
    values = named.model.item_values()[items].astype(np.float64)
    neighbours, unnamed, average = parts.neighbours[0], parts.unnamed[0], float(parts.average[0])
    return NamedLedger(
        lines=lines,
        user_values=parts.profile[0].astype(np.float64),
        item_values=values,
        contributions=contributions,
        sources=named.sources(given.users, given.histories).times(values),
        neighbours=neighbours,
        unnamed=unnamed,
        average=average,
        score=contributions.sum(axis=1) + neighbours + unnamed + average,
    )
