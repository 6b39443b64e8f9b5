"""What rules do, in words."""

from guidedrec_core.conditions.condition import Condition
from guidedrec_core.conditions.phrases import condition_text
from guidedrec_core.conditions.terms import Terms
from guidedrec_core.explanation.words import listing, ordinal
from guidedrec_core.ranking.adjustments import Kind
from guidedrec_core.rules.rule import Rule

RULED = "⚑"
"""Marks items in a list that a rule acts on."""
_MOST = 5
"""Names in a sentence."""

KIND_LABELS: dict[Kind, str] = {
    "boost": "Boost",
    "bury": "Bury",
    "pin": "Pin to a place",
    "out_of_stock": "Out of stock",
    "margin": "Favour a high number",
}
"""What people call each kind, in the order in which it is offered."""


def effect_words(rule: Rule) -> str:
    """Say what a rule does to its items.

    Examples
    --------
    >>> effect_words(Rule(name="a", kind="boost", items="tents", strength=3))
    'count as 3 times as likely'
    >>> effect_words(Rule(name="a", kind="pin", items="tents", place=2, count=3))
    'the best 3 move up to 2nd to 4th place'
    """
    strength = f"{rule.strength or 2:g}"
    if rule.kind == "boost":
        return f"count as {strength} times as likely"
    if rule.kind == "bury":
        return f"count as {strength} times less likely"
    if rule.kind == "out_of_stock":
        return "are never recommended"
    if rule.kind == "margin":
        column = (rule.column or "margin").replace("_", " ")
        return f"the higher the {column}, the more likely ({strength} times for one typical difference)"
    place, count = rule.place or 1, rule.count or 1
    if count == 1:
        return f"the best one moves up to {ordinal(place)} place"
    return f"the best {count} move up to {ordinal(place)} to {ordinal(place + count - 1)} place"


def condition_words(given: str | Condition | None, terms: Terms, everything: str = "all") -> str:
    """Write a condition of a rule as people write it.

    Parameters
    ----------
    given : str, Condition or None
        Of the rule.
    terms : Terms
        The words of the data set.
    everything : str
        What None is.
    """
    if given is None:
        return everything
    return given if isinstance(given, str) else condition_text(given, terms)


def on_sentence(names: tuple[str, ...]) -> str:
    """Say which rules are on, e.g. "2 rules are on: “Winter jackets” and “Sold out”."

    Examples
    --------
    >>> on_sentence(("Sold out",)), on_sentence(())
    ('1 rule is on: “Sold out”.', 'No rule is on.')
    """
    if not names:
        return "No rule is on."
    said = listing([f"“{name}”" for name in names[:_MOST]])
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{len(names)} {'rule is' if len(names) == 1 else 'rules are'} on: {said}{more}."
