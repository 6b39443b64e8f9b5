"""Why not, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.words import listing, lower_first, ordinal

if TYPE_CHECKING:  # these modules load torch, which pages that only speak do not need
    from guidedrec_core.explanation.contrast import Contrast
    from guidedrec_core.explanation.why_not import WhyNot

# A smaller difference rarely moves an item by a place.
_COUNTS = 0.05


def why_not_words(title: str, answer: WhyNot, against: str, verb: InteractionVerb, most: int = 3) -> str:
    """Say what keeps an item out of a user's list, or that it is there.

    Parameters
    ----------
    title : str
        The item.
    answer : WhyNot
        What was found.
    against : str
        Title of the item it is compared with; empty where there is none.
    verb : InteractionVerb
        What users do.
    most : int
        Reasons named on each side at most.
    """
    if answer.status == "seen":
        return f"{title} is not recommended because this {verb.user} has already {verb.participle} it."
    if answer.parts is None:
        return f"{title} is recommended: it is {ordinal(answer.rank)} of {answer.n_ranked:,}."
    parts = _reasons(answer.parts, verb)
    if answer.status == "listed":
        won = _helped(parts, most)
        kept = f", mostly because of {listing(won)}" if won else ""
        lead = f"{answer.margin:.2f} above {against}, the first item outside the list"
        return f"{title} is recommended: it is {ordinal(answer.rank)}, {lead}{kept}."
    between = "" if answer.between == 0 else f", with {answer.between:,} item{'s' * (answer.between > 1)} in between"
    below = f"{-answer.margin:.2f} below {against}, the last in the top {answer.k}"
    said = f"{title} is {ordinal(answer.rank)}, {below}{between}."
    lost, helped = _hurt(parts, most), _helped(parts, most)
    if lost:
        said += f" It lost because of {listing(lost)}"
        said += f"; {listing(helped)} helped." if helped else "."
    return said


def against_words(title: str, other: str, parts: Contrast, verb: InteractionVerb, most: int = 3) -> str:
    """Say why an item scores higher or lower than another one.

    Parameters
    ----------
    title, other : str
        Both items.
    parts : Contrast
        The first against the second, one row.
    verb : InteractionVerb
        What users do.
    most : int
        Reasons named on each side at most.
    """
    difference = float(parts.difference[0])
    reasons = _reasons(parts, verb)
    up, down = _helped(reasons, most), _hurt(reasons, most)
    by, against = (up, down) if difference >= 0 else (down, up)
    said = f"{title} scores {abs(difference):.2f} {'above' if difference >= 0 else 'below'} {other}"
    said += f", because of {listing(by)}" if by else ""
    if not against:
        return f"{said}."
    several = len(against) > 1
    if difference < 0:
        return f"{said}; {listing(against)} {'help' if several else 'helps'}."
    return f"{said}; {listing(against)} {'work' if several else 'works'} against it."


def _helped(reasons: list[tuple[str, float]], most: int) -> list[str]:
    """Name what helped an item most, with its share of the difference."""
    return [f"{name} ({value:+.2f})" for name, value in reasons[:most] if value > _COUNTS]


def _hurt(reasons: list[tuple[str, float]], most: int) -> list[str]:
    """Name what cost an item most, with its share of the difference."""
    return [f"{name} ({value:+.2f})" for name, value in reasons[::-1][:most] if value < -_COUNTS]


def _reasons(parts: Contrast, verb: InteractionVerb) -> list[tuple[str, float]]:
    """Return each part of the difference with its name, what helped most first."""
    named = [(lower_first(label), value) for label, value in parts.parts(0, verb)]
    return sorted(named, key=lambda part: -part[1])
