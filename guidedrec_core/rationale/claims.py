"""Checking a rationale: every claim is computed again from the facts, its sentence is read, what fails is struck."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from guidedrec_core.rationale.facts import SMALLEST, Claim, Direction, Facts, Kind, rendered
from guidedrec_core.rationale.prose import prose_fault

# Numbers are told to a model with two decimals, raw scores with one.
_CONTRIBUTION, _SCORE = 0.0051, 0.051

_NEEDS: dict[str, tuple[Kind, ...]] = {
    "taste": ("user_score",),
    "item_score": ("item_score",),
    "contribution": ("contribution",),
    "order": ("contribution",),
    "compare": ("contribution", "contribution"),
    "history": ("history",),
    "shared": ("history", "item_score"),
    "rank": ("rank",),
}


@dataclass(frozen=True)
class Kept:
    """A true claim.

    Attributes
    ----------
    claim : Claim
        As it was made.
    sentence : str
        What to show: the claim's own words, or ours where they do not hold.
    reworded : str
        Why these are not its own words; empty where they are.
    """

    claim: Claim
    sentence: str
    reworded: str = ""


@dataclass(frozen=True)
class Struck:
    """A claim that failed.

    Attributes
    ----------
    claim : Claim
        As it was made.
    reason : str
        Why, as the end of a sentence that begins with "struck because".
    """

    claim: Claim
    reason: str


@dataclass(frozen=True)
class Rationale:
    """A rationale after the check.

    Attributes
    ----------
    kept : tuple of Kept
        In order.
    struck : tuple of Struck
        In order.
    """

    kept: tuple[Kept, ...]
    struck: tuple[Struck, ...]

    @property
    def text(self) -> str:
        """What to show."""
        return " ".join(one.sentence for one in self.kept)


def checked(claims: Iterable[Claim], facts: Facts) -> Rationale:
    """Check claims against the facts.

    A claim whose evidence or values are wrong is struck. One whose values are right and whose sentence is not, or
    cannot be checked, is shown in our words.
    """
    kept: list[Kept] = []
    struck: list[Struck] = []
    for claim in claims:
        reason = fault(claim, facts)
        if reason:
            struck.append(Struck(claim, reason))
            continue
        wrong = prose_fault(claim, facts)
        sentence = rendered(claim, facts) if wrong else " ".join(claim.sentence.split())
        kept.append(Kept(claim, sentence, wrong))
    return Rationale(tuple(kept), tuple(struck))


def fault(claim: Claim, facts: Facts) -> str:
    """Return what is wrong with a claim's evidence and values; empty when nothing is."""
    found = [facts.find(evidence) for evidence in claim.evidence]
    invented = [evidence for evidence, each in zip(claim.evidence, found, strict=True) if each is None]
    if invented:
        return f"there is no evidence {', '.join(invented)}"
    kinds = tuple(each[0] for each in found if each is not None)
    if kinds != _NEEDS[claim.type]:
        return f"a claim of type {claim.type} needs evidence of {', '.join(_NEEDS[claim.type])}"
    if any(value is not None and not math.isfinite(value) for value in (claim.value, claim.other)):
        return "its numbers are not finite"
    return _CHECKS[claim.type](claim, facts, [each[1] for each in found if each is not None])


def _score_fault(claim: Claim, facts: Facts, places: list[int]) -> str:
    one = facts.attributes[places[0]]
    true = one.user_score if claim.type == "taste" else one.item_score
    if math.isnan(true):
        return f"there is no score of {one.label}"
    return _number(claim.value, true, _SCORE) or _side(claim.direction, true, one.catalogue_score)


def _contribution_fault(claim: Claim, facts: Facts, places: list[int]) -> str:
    true = facts.contributions[places[0]][1]
    return _number(claim.value, true, _CONTRIBUTION) or _for_or_against(claim.direction, true)


def _order_fault(claim: Claim, facts: Facts, places: list[int]) -> str:
    name, value = facts.contributions[places[0]]
    if wrong := _for_or_against(claim.direction, value):
        return wrong
    if not claim.among or (claim.among == "attributes" and places[0] >= len(facts.attributes)):
        return "it does not say among what"
    best, worst = facts.place_of(places[0], claim.among == "attributes")
    if claim.value is None or not best <= claim.value <= worst or claim.value != int(claim.value):
        return f"{name} is number {best} by size, not {_said(claim.value)}"
    return ""


def _compare_fault(claim: Claim, facts: Facts, places: list[int]) -> str:
    (first, a), (second, b) = (facts.contributions[place] for place in places)
    return "" if abs(a) > abs(b) + SMALLEST else f"{first} ({a:+.2f}) is not larger than {second} ({b:+.2f})"


def _history_fault(claim: Claim, facts: Facts, places: list[int]) -> str:
    true = facts.past[places[0]].worth
    return _number(claim.value, true, _CONTRIBUTION) or _for_or_against(claim.direction, true)


def _shared_fault(claim: Claim, facts: Facts, places: list[int]) -> str:
    one, past = facts.attributes[places[1]], facts.past[places[0]].scores[places[1]]
    if math.isnan(past) or math.isnan(one.item_score):
        return f"there is no score of {one.label}"
    if claim.direction not in ("more", "less"):
        return "it does not say which side both are on"
    wrong = [_side(claim.direction, value, one.catalogue_score) for value in (past, one.item_score)]
    return wrong[0] or wrong[1]


def _rank_fault(claim: Claim, facts: Facts, places: list[int]) -> str:
    if (claim.value, claim.other) != (facts.rank, facts.base_rank):
        return f"the ranks are {facts.base_rank} and {facts.rank}, not {_said(claim.other)} and {_said(claim.value)}"
    move = facts.base_rank - facts.rank
    true: Direction = "up" if move > 0 else "down" if move else "same"
    return "" if claim.direction in (true, "") else f"it moves {true}, not {claim.direction}"


_CHECKS: dict[str, Callable[[Claim, Facts, list[int]], str]] = {
    "taste": _score_fault,
    "item_score": _score_fault,
    "contribution": _contribution_fault,
    "order": _order_fault,
    "compare": _compare_fault,
    "history": _history_fault,
    "shared": _shared_fault,
    "rank": _rank_fault,
}


def _number(said: float | None, true: float, margin: float) -> str:
    if said is None:
        return "it states no number"
    return "" if abs(said - true) <= margin else f"the number is {true:+.2f}, not {said:+.2f}"


def _for_or_against(said: str, true: float) -> str:
    if said not in ("for", "against"):
        return "it does not say whether this is for or against"
    if abs(true) < SMALLEST:
        return "it hardly counts"
    return "" if (said == "for") == (true > 0) else f"it counts {'for' if true > 0 else 'against'}, not {said}"


def _side(said: str, true: float, mean: float) -> str:
    if said == "":
        return ""
    if said not in ("more", "less"):
        return "a score is more or less than the catalogue's mean"
    near = 0.05  # both are told with one decimal
    holds = true > mean - near if said == "more" else true < mean + near
    return "" if holds else f"{true:.1f} is not {said} than the catalogue's mean, {mean:.1f}"


def _said(value: float | None) -> str:
    return "nothing" if value is None else f"{value:g}"
