"""The rationale of one recommendation: facts with evidence ids, claims about them, and each claim in plain words.

Evidence ids are what a claim points at: ``c1`` .. an attribute's contribution, after them that of purchase patterns and
of popularity; ``s1`` .. the item's raw scores, after them the user's; ``h1`` .. past items, newest first; ``r1`` the
ranks. Without a language model the rationale is a few claims chosen by rule, in the words of a template.
"""

import math
from dataclasses import dataclass
from typing import Literal

from guidedrec_core.explanation.words import listing, lower_first, ordinal
from guidedrec_core.llm.sanitize import clean

PATTERNS, POPULARITY = "purchase patterns", "popularity"
"""What stands beside the attributes: the remainder and the bias, both against an average item's."""

SMALLEST = 0.005
"""What is smaller is 0 in two decimals, and is neither for nor against."""

_LONGEST_TITLE = 120

Kind = Literal["contribution", "item_score", "user_score", "history", "rank"]
ClaimType = Literal["taste", "item_score", "contribution", "order", "compare", "history", "shared", "rank"]
Direction = Literal["for", "against", "more", "less", "up", "down", "same"]


@dataclass(frozen=True)
class AttributeFact:
    """One attribute of the case.

    Attributes
    ----------
    name, label : str
        As in the schema.
    contribution : float
        Its part of the score, against an average item.
    item_score, user_score, catalogue_score : float
        Raw scores: the item's, the faded mean of the history, the catalogue's mean; NaN where unknown.
    """

    name: str
    label: str
    contribution: float
    item_score: float
    user_score: float
    catalogue_score: float


@dataclass(frozen=True)
class PastItem:
    """One past item.

    Attributes
    ----------
    title : str
        From the catalogue.
    worth : float
        By how much the score would be lower without it, the others as they are; negative if it would be higher.
    scores : tuple of float
        Its raw scores in schema order; NaN where unknown.
    """

    title: str
    worth: float
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Facts:
    """Everything a rationale may speak of.

    Attributes
    ----------
    title : str
        The recommended item.
    rank, base_rank : int
        In the refined and in the base ranking.
    attributes : tuple of AttributeFact
        In schema order.
    patterns, popularity : float
        Remainder and bias, against an average item's.
    past : tuple of PastItem
        Newest first.
    top : float
        The highest raw score.
    """

    title: str
    rank: int
    base_rank: int
    attributes: tuple[AttributeFact, ...]
    patterns: float
    popularity: float
    past: tuple[PastItem, ...]
    top: float

    @property
    def contributions(self) -> tuple[tuple[str, float], ...]:
        """Name and value of every contribution, attributes first, in the order of their ids."""
        own = tuple((lower_first(one.label), one.contribution) for one in self.attributes)
        return (*own, (PATTERNS, self.patterns), (POPULARITY, self.popularity))

    def find(self, evidence: str) -> tuple[Kind, int] | None:
        """Return the kind of an evidence id and its place, from 0; None for an invented one."""
        letter, digits = evidence[:1], evidence[1:]
        if not (digits.isascii() and digits.isdigit()) or digits.startswith("0") or len(digits) > 4:
            return None
        place, n = int(digits) - 1, len(self.attributes)
        if letter == "c" and place < n + 2:
            return "contribution", place
        if letter == "s" and place < 2 * n:
            return ("item_score", place) if place < n else ("user_score", place - n)
        if letter == "h" and place < len(self.past):
            return "history", place
        return ("rank", 0) if evidence == "r1" else None

    def place_of(self, place: int, among_attributes: bool) -> tuple[int, int]:
        """Return the places, best and worst where sizes are alike, of a contribution among those of its direction."""
        value = self.contributions[place][1]
        among = self.contributions[: len(self.attributes)] if among_attributes else self.contributions
        others = [
            abs(other)
            for at, (_, other) in enumerate(among)
            if at != place and other * value > 0 and abs(other) >= SMALLEST
        ]
        larger = [sum(other > abs(value) + margin for other in others) for margin in (SMALLEST, -SMALLEST)]
        return 1 + larger[0], 1 + larger[1]


@dataclass(frozen=True)
class Claim:
    """One statement, checkable.

    Attributes
    ----------
    type : str
        ``taste``: the user's score of an attribute; ``item_score``: the item's; ``contribution``: what an attribute,
        purchase patterns or popularity add; ``order``: the place of a contribution by size, among those of its
        direction; ``compare``: the first contribution is larger than the second, whatever their signs; ``history``:
        what a past item is worth; ``shared``: a past item and this one are on the same side of the catalogue's mean;
        ``rank``: where base and refined model have the item.
    evidence : tuple of str
        Ids.
    value : float or None
        The number stated: a score, contribution, place or rank (refined).
    other : float or None
        The other number: the base model's rank.
    direction : str
        ``for``/``against`` of contributions and past items, ``more``/``less`` (than the catalogue's mean) of scores,
        ``up``/``down``/``same`` of ranks; empty where none is stated.
    among : str
        Of an order: ``attributes``, or ``all`` with purchase patterns and popularity.
    sentence : str
        The same in words.
    """

    type: ClaimType
    evidence: tuple[str, ...]
    value: float | None = None
    other: float | None = None
    direction: Direction | Literal[""] = ""
    among: Literal["attributes", "all", ""] = ""
    sentence: str = ""


def template_claims(facts: Facts, most: int = 2) -> tuple[Claim, ...]:
    """Choose what to say without a language model: taste, reasons, a past item, the move, and what speaks against it.

    Parameters
    ----------
    facts : Facts
        The case.
    most : int
        Attributes named for the item, and half as many against it.
    """
    n = len(facts.attributes)
    order = sorted(range(n), key=lambda a: -facts.attributes[a].contribution)
    reasons = [a for a in order[:most] if facts.attributes[a].contribution >= SMALLEST]
    against = [a for a in order[::-1][: max(most // 2, 1)] if facts.attributes[a].contribution <= -SMALLEST]
    claims = []
    for a in reasons:
        one = facts.attributes[a]
        if not math.isnan(one.user_score) and a == reasons[0]:
            claims.append(Claim("taste", (f"s{n + a + 1}",), one.user_score, direction=_side(one.user_score, one)))
        if not math.isnan(one.item_score) and a == reasons[0]:
            claims.append(Claim("item_score", (f"s{a + 1}",), one.item_score, direction=_side(one.item_score, one)))
        claims.append(Claim("contribution", (f"c{a + 1}",), one.contribution, direction="for"))
    if facts.past:
        best = max(range(len(facts.past)), key=lambda h: facts.past[h].worth)
        if facts.past[best].worth >= SMALLEST:
            claims.append(Claim("history", (f"h{best + 1}",), facts.past[best].worth, direction="for"))
    claims += [
        Claim("contribution", (f"c{a + 1}",), facts.attributes[a].contribution, direction="against") for a in against
    ]
    for place, value in ((n, facts.patterns), (n + 1, facts.popularity)):
        if abs(value) >= SMALLEST:
            direction: Direction = "for" if value > 0 else "against"
            claims.append(Claim("contribution", (f"c{place + 1}",), value, direction=direction))
    move = facts.base_rank - facts.rank
    claims.append(Claim("rank", ("r1",), facts.rank, facts.base_rank, "up" if move > 0 else "down" if move else "same"))
    return tuple(claims)


def template_rationale(facts: Facts) -> str:
    """Return the rationale without a language model."""
    return " ".join(rendered(claim, facts) for claim in template_claims(facts))


def rendered(claim: Claim, facts: Facts) -> str:
    """Say a true claim in our own words; see `rationale_claims.fault` for whether it is true."""
    found = [facts.find(evidence) for evidence in claim.evidence]
    places = [each[1] for each in found if each is not None]
    if claim.type in ("taste", "item_score"):
        one = facts.attributes[places[0]]
        who = "What this user took" if claim.type == "taste" else "This item"
        value = one.user_score if claim.type == "taste" else one.item_score
        verb = "averages" if claim.type == "taste" else "has"
        return (
            f"{who} {verb} {value:.1f}/{facts.top:g} on {lower_first(one.label)}, "
            f"the catalogue {one.catalogue_score:.1f} on average."
        )
    if claim.type == "contribution":
        name, value = facts.contributions[places[0]]
        single, many = ("adds", "add") if value > 0 else ("takes away", "take away")
        return f"{_capital(name)} {many if name == PATTERNS else single} {abs(value):.2f}."
    if claim.type == "order":
        name, value = facts.contributions[places[0]]
        size = "largest" if claim.value == 1 else f"{ordinal(int(claim.value or 1))} largest"
        what = "attribute" if claim.among == "attributes" else "reason"
        return f"{_capital(name)} is the {size} {what} {'for' if value > 0 else 'against'} it ({value:+.2f})."
    if claim.type == "compare":
        (first, a), (second, b) = (facts.contributions[place] for place in places)
        return f"{_capital(first)} ({a:+.2f}) counts for more than {second} ({b:+.2f})."
    if claim.type == "history":
        past = facts.past[places[0]]
        change = "lower" if past.worth > 0 else "higher"
        return f"Without {past.title} in the history, the score would be {abs(past.worth):.2f} {change}."
    if claim.type == "shared":
        past, one = facts.past[places[0]], facts.attributes[places[1]]
        own = past.scores[places[1]]
        side = "high" if one.item_score > one.catalogue_score else "low"
        return (
            f"{past.title} ({own:.1f}/{facts.top:g}) and this item ({one.item_score:.1f}/{facts.top:g}) are both "
            f"{side} on {lower_first(one.label)}."
        )
    if facts.rank == facts.base_rank:
        return f"Base and refined model both have it {ordinal(facts.rank)}."
    return f"The base model has it {ordinal(facts.base_rank)}, the refined one {ordinal(facts.rank)}."


def shown_title(title: str) -> str:
    r"""Return a title as a language model reads it: one clean line of at most 120 characters.

    Examples
    --------
    >>> shown_title("Tent\n{red}")
    'Tent (red)'
    """
    return " ".join(clean(title).split())[:_LONGEST_TITLE].strip() or "(none)"


def evidence_lines(facts: Facts) -> tuple[str, ...]:
    """Write the facts for a language model, a line an id; titles are told by number, because they are not ours.

    Text 1 is the item's title, text 2 that of ``h1``, and so on.
    """
    n = len(facts.attributes)
    lines = [f"c{at}: contribution of {name}: {value:+.2f}" for at, (name, value) in enumerate(facts.contributions, 1)]
    for first, who, field in ((1, "the item", "item_score"), (n + 1, "what the user took, on average,", "user_score")):
        lines += [
            f"s{at}: {who} on {lower_first(one.label)}: {_score(getattr(one, field))} of {facts.top:g}; "
            f"catalogue mean {one.catalogue_score:.1f}"
            for at, one in enumerate(facts.attributes, first)
        ]
    for at, past in enumerate(facts.past, 1):
        known = [
            f"{lower_first(one.label)} {score:.1f}"
            for one, score in zip(facts.attributes, past.scores, strict=True)
            if not math.isnan(score)
        ]
        change = f"{abs(past.worth):.2f} {'lower' if past.worth > 0 else 'higher'}"
        lines.append(
            f"h{at}: past item with the title in text {at + 1}; without it the score would be {change}; its scores: "
            f"{listing(known) or 'none'}"
        )
    lines.append(f"r1: the base model ranks the item {ordinal(facts.base_rank)}, the refined one {ordinal(facts.rank)}")
    return tuple(lines)


def _side(value: float, one: AttributeFact) -> Direction:
    return "more" if value >= one.catalogue_score else "less"


def _score(value: float) -> str:
    return "not known" if math.isnan(value) else f"{value:.1f}"


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
