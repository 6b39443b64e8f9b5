"""Why not: what keeps an item out of a user's list.

There are two reasons in this product and no other: the user has the item already, or others score higher. Nothing else
filters a list but rules, which are parts of the score: an item that a rule takes out of stock comes after all others.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from guidedrec_core.explanation.contrast import Contrast, contrast
from guidedrec_core.explanation.question import Question
from guidedrec_core.naming.model import NamedModel
from guidedrec_core.ranking.adjustments import AdjustedScorer, Adjustments
from guidedrec_core.ranking.ranks import mask_seen, ranks_of, top_k

Status = Literal["seen", "listed", "outranked"]


@dataclass(frozen=True)
class WhyNot:
    """What keeps an item out of a user's list.

    Attributes
    ----------
    status : {"seen", "listed", "outranked"}
        The user has it already; it is among the K best; others score higher.
    k : int
        Length of the list.
    rank : int
        Among all items the user has not interacted with, from 1; 0 if seen.
    n_ranked : int
        Items the user has not interacted with.
    against : int or None
        What it is compared with: the last item in the list if out-ranked, the first one left out if listed; None if
        seen, or where there is no such item.
    parts : Contrast or None
        The item against that one, one row; its difference is the margin. Lines below 0 lost it, those above 0 helped.
    """

    status: Status
    k: int
    rank: int
    n_ranked: int
    against: int | None
    parts: Contrast | None

    @property
    def margin(self) -> float:
        """Score less that of `against`; below 0 if out-ranked."""
        return 0.0 if self.parts is None else float(self.parts.difference[0])

    @property
    def between(self) -> int:
        """How many items stand between the item and the end of the list."""
        return max(self.rank - self.k - 1, 0)


def why_not(named: NamedModel, question: Question, rules: Adjustments | None = None) -> WhyNot:
    """Find what keeps an item out of the K best.

    Parameters
    ----------
    named : NamedModel
        The refined model with the names of its parts.
    question : Question
        About any item.
    rules : Adjustments, optional
        Rules that are added to the model's scores.
    """
    k, items = question.k, question.items
    scorer = named.model if rules is None else AdjustedScorer(named.model, rules)
    scores = mask_seen(scorer.scores(question.users, question.histories), question.histories)  # [1, n_items]
    n_ranked = int(np.isfinite(scores).sum())
    if question.seen:
        return WhyNot("seen", k, 0, n_ranked, None, None)
    rank = min(int(ranks_of(scores, items)[0]), n_ranked + 1)  # behind all others where a rule excludes it
    # An item below the list is held against the last one in it; one of the list against the first one below it.
    place = k if rank > k else k + 1
    against = int(top_k(scores, place)[0, -1]) if place <= n_ranked else None
    parts = None if against is None else contrast(named, question, items, np.array([against]), rules)
    return WhyNot("outranked" if rank > k else "listed", k, rank, n_ranked, against, parts)
