"""Which claims the facts of a case support, and which of them are shown by default."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from guidedrec_core.rationale.claims import (
    DEFAULT_READER,
    AttributeClaim,
    Claim,
    FactClaim,
    Match,
    OtherPartClaim,
    PastItemClaim,
    RankClaim,
    Reader,
    RemovalClaim,
    SharedAttributeClaim,
    quoted,
)
from guidedrec_core.rationale.facts import POPULARITY, RANK, REMAINDER, REMOVAL, AttributeFact, Facts, PastFact

_MOST_ATTRIBUTES = 12
_PARTS_BY_DEFAULT = 4
# A smaller contribution rarely moves an item by a place.
_CAN_MOVE = 0.05


@dataclass(frozen=True)
class Rationale:
    """Claims in the order in which they are shown, for a reader.

    Attributes
    ----------
    claims : tuple of Claim
        What is shown.
    reader : str
        For which reader.
    by_model : bool
        A language model chose them; else they are the default.
    notices : tuple of str
        What of the language model's answer was not used, in our words.
    """

    claims: tuple[Claim, ...]
    reader: Reader = DEFAULT_READER
    by_model: bool = False
    notices: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What to show."""
        return " ".join(claim.sentence(self.reader) for claim in self.claims)

    def to(self, reader: Reader) -> "Rationale":
        """Return the same claims for another reader."""
        return dataclasses.replace(self, reader=reader)


def claims_of(facts: Facts) -> tuple[Claim, ...]:
    """Return all claims of a case: its parts, largest first, past items, what they share, and ranks.

    What rounds to 0 in two decimals is left out, and so are attributes after the 12 largest.
    """
    parts = _parts(facts)
    past = _past_items(facts)
    shared = [claim for one in facts.past if (claim := _shared(one, facts)) is not None]
    rank = RankClaim("rank", (RANK,), quoted(facts.title), facts.rank, facts.base_rank)
    return (*parts, *past, *shared, *_removal(facts), rank)


def default_rationale(facts: Facts, reader: Reader = DEFAULT_READER) -> Rationale:
    """Choose claims without a language model.

    The largest parts come first, with the largest one against the item if it is not among them and can move the item;
    then the past item that counts most for it, the smallest change of the history that matters, and the ranks.
    """
    offered = claims_of(facts)
    parts = [claim for claim in offered if isinstance(claim, AttributeClaim | FactClaim | OtherPartClaim)]
    chosen: list[Claim] = [*parts[:_PARTS_BY_DEFAULT]]
    if all(part.contribution > 0 for part in parts[:_PARTS_BY_DEFAULT]):
        chosen += [part for part in parts[_PARTS_BY_DEFAULT:] if part.contribution <= -_CAN_MOVE][:1]
    chosen += [claim for claim in offered if isinstance(claim, PastItemClaim) and claim.leads and claim.worth > 0]
    chosen += [claim for claim in offered if isinstance(claim, RemovalClaim | RankClaim)]
    return Rationale(tuple(chosen), reader)


def _parts(facts: Facts) -> list[AttributeClaim | FactClaim | OtherPartClaim]:
    """Return the claims about parts of the score, the largest first."""
    named = sorted((one for one in facts.attributes), key=lambda one: -abs(one.contribution))[:_MOST_ATTRIBUTES]
    others = ((REMAINDER, facts.remainder), (POPULARITY, facts.popularity))
    all_values = [
        *(one.contribution for one in named),
        *(one.contribution for one in facts.known),
        *(value for _, value in others),
    ]
    leading = _leading(all_values)
    claims: list[AttributeClaim | FactClaim | OtherPartClaim] = [
        _attribute(one, facts, one.contribution in leading) for one in named
    ]
    claims += [
        FactClaim(
            one.id,
            (one.id,),
            one.label,
            quoted(one.text) if one.text else "",
            one.contribution,
            one.contribution in leading,
        )
        for one in facts.known
    ]
    claims += [OtherPartClaim(name, (name,), value, value in leading, facts.verb) for name, value in others]
    return sorted(
        (claim for claim in claims if _counts(claim.contribution)), key=lambda claim: -abs(claim.contribution)
    )


def _attribute(one: AttributeFact, facts: Facts, leads: bool) -> AttributeClaim:
    user, item = (_side(score, one.catalogue_score) for score in (one.user_score, one.item_score))
    return AttributeClaim(
        id=one.id,
        evidence=(one.id,),
        label=one.label,
        contribution=one.contribution,
        leads=leads,
        match=_MATCHES.get((user, item), ""),
        item_score=one.item_score,
        user_score=one.user_score,
        catalogue_score=one.catalogue_score,
        top=facts.top,
        sources=tuple(one.sources.items()),
        verb=facts.verb,
    )


_MATCHES: dict[tuple[int, int], Match] = {
    (1, 1): "both_high",
    (-1, -1): "both_low",
    (1, -1): "seeks_but_little",
    (-1, 1): "rarely_but_much",
}


def _past_items(facts: Facts) -> list[PastItemClaim]:
    """Return the claims about past items, the one that matters most first."""
    leading = _leading([one.worth for one in facts.past])
    order = sorted((one for one in facts.past if _counts(one.worth)), key=lambda one: -abs(one.worth))
    of = len(facts.past)
    return [
        PastItemClaim(one.id, (one.id,), one.number, of, quoted(one.title), one.worth, one.worth in leading, facts.verb)
        for one in order
    ]


def _shared(past: PastFact, facts: Facts) -> SharedAttributeClaim | None:
    """Return what a past item has in common with the item: the attribute that counts most among those both share.

    Only attributes that help by the user's own taste count: of others it is no reason that both have them.
    """
    alike = [
        (one, score)
        for one, score in zip(facts.attributes, past.scores, strict=True)
        if one.contribution > 0
        and one.own_taste > 0
        and _counts(one.contribution)
        and _side(score, one.catalogue_score) == _side(one.item_score, one.catalogue_score) != 0
    ]
    if not alike:
        return None
    one, score = max(alike, key=lambda pair: pair[0].contribution)
    return SharedAttributeClaim(
        id=f"shared:{past.number}",
        evidence=(past.id, one.id),
        title=quoted(past.title),
        label=one.label,
        above=_side(score, one.catalogue_score) > 0,
        past_score=score,
        item_score=one.item_score,
        catalogue_score=one.catalogue_score,
        top=facts.top,
    )


def _removal(facts: Facts) -> tuple[RemovalClaim, ...]:
    found = facts.removal
    if found is None:
        return ()
    titles = tuple(map(quoted, found.titles))
    return (RemovalClaim("removal", (REMOVAL, RANK), titles, facts.rank, found.rank, found.k, found.exact),)


def _counts(value: float) -> bool:
    """Return whether a number is not 0.00 when shown."""
    return round(value, 2) != 0


def _leading(values: Sequence[float]) -> set[float]:
    """Return the largest value above 0 and the smallest below, each if it is so in two decimals, as shown."""
    return set(_largest_of([v for v in values if v > 0])) | set(_largest_of([v for v in values if v < 0]))


def _largest_of(values: Iterable[float]) -> list[float]:
    ordered = sorted(values, key=lambda value: -abs(value))
    clear = len(ordered) == 1 or (len(ordered) > 1 and round(abs(ordered[0]), 2) > round(abs(ordered[1]), 2))
    return ordered[:1] if clear else []


def _side(score: float, mean: float) -> int:
    """Return 1 above the mean, -1 below, 0 where both are shown alike, in one decimal, or one is unknown."""
    shown, average = round(score, 1), round(mean, 1)
    return (shown > average) - (shown < average)
