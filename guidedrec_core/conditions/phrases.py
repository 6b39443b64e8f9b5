"""Conditions written as text: what `guidedrec_core.conditions.reading` reads back as the same condition."""

from guidedrec_core import columns as c
from guidedrec_core.conditions.condition import (
    AllOf,
    AnyOf,
    Condition,
    Had,
    ItemEnd,
    ItemIds,
    ItemInteractions,
    ItemNumber,
    ItemScore,
    ItemTitle,
    ItemValue,
    LastTime,
    Not,
    Past,
    Refined,
    Segment,
    Shown,
    Taste,
    UserIds,
    Usual,
    about,
)
from guidedrec_core.conditions.reading import OUTCOME_WORDS, in_quotes
from guidedrec_core.conditions.terms import Terms, plain
from guidedrec_core.facts.catalogue import label_of

_MOSTLY = 0.5


def condition_text(condition: Condition, terms: Terms) -> str:
    """Write a condition as people would type it.

    Parameters
    ----------
    condition : Condition
        Any.
    terms : Terms
        The words of the data set.
    """
    return _written(condition, terms, 0)


def _written(condition: Condition, terms: Terms, level: int) -> str:
    """Write a condition, in brackets where what is around it binds closer: 1 inside "or", 2 inside "and" or "not"."""
    if isinstance(condition, AnyOf | AllOf):
        own = 1 if isinstance(condition, AnyOf) else 2
        word = " or " if own == 1 else " and "
        text = word.join(_written(one, terms, own) for one in condition.of)
        return f"({text})" if level >= own and len(condition.of) > 1 else text
    if isinstance(condition, Not):
        if isinstance(condition.of, Had) and condition.of.least == 1 and condition.of.share == 0:
            return f"never {_had(condition.of, terms)}"
        inner = _written(condition.of, terms, 3)
        return f"not {inner}"
    return _phrase(condition, terms)


def _phrase(condition: Condition, terms: Terms) -> str:
    """Write one phrase."""
    return _item_phrase(condition, terms) if about(condition) == "items" else _user_phrase(condition, terms)


def _item_phrase(condition: Condition, terms: Terms) -> str:
    """Write one phrase on items."""
    match condition:
        case ItemIds():
            return f"item {_listed(condition.ids)}"
        case ItemValue():
            return _values(condition, terms)
        case ItemNumber():
            return f"{_name(condition.column)} {_size(condition)}"
        case ItemScore():
            label = terms.label(condition.attribute)
            return f"{'attribute ' if terms.column(label) else ''}{label} {_size(condition)}"
        case ItemEnd():
            return f"{condition.end} {terms.label(condition.attribute)}"
        case ItemTitle():
            return f"title: {in_quotes(condition.words)}"
        case ItemInteractions():
            return f"{_size(condition)} {terms.verb.nouns}"
    raise AssertionError(condition)


def _user_phrase(condition: Condition, terms: Terms) -> str:
    """Write one phrase on users."""
    match condition:
        case UserIds():
            return f"user {_listed(condition.ids)}"
        case Past():
            return f"{_size(condition)} {terms.verb.nouns}"
        case Had():
            return _had(condition, terms)
        case LastTime():
            return f"last {terms.verb.noun} {_when(condition)}"
        case Usual():
            return f"usual {_name(condition.column)} {_size(condition)}"
        case Taste():
            return f"{'seeks' if condition.end == 'high' else 'avoids'} {terms.label(condition.attribute)}"
        case Refined():
            return next(words for words, outcome in OUTCOME_WORDS.items() if outcome == condition.outcome)
        case Shown():
            by = " by the base model" if condition.model == "base" else ""
            return f"shown {_operand(condition.items, terms)}{by}"
        case Segment():
            return f"segment {condition.number}"
    raise AssertionError(condition)


def _had(condition: Had, terms: Terms) -> str:
    """Write what users had."""
    mostly = "mostly " if condition.share >= _MOSTLY else ""
    number = f"at least {condition.least} " if condition.least > 1 else ""
    return f"{mostly}{terms.verb.past} {number}{_operand(condition.items, terms)}"


def _operand(items: Condition, terms: Terms) -> str:
    """Write items after a verb; several conditions in brackets."""
    text = _written(items, terms, 0)
    return f"({text})" if isinstance(items, AllOf | AnyOf | Not) else text


def _values(condition: ItemValue, terms: Terms) -> str:
    """Write values, without their column where they are clear alone."""
    clear = condition.column == c.CATEGORY and all(
        {value for column, value in terms.value(one) if column == c.CATEGORY} == {one}
        and in_quotes(plain(one)) == plain(one)
        and one not in terms.items
        for one in condition.values
    )
    listed = ", ".join(plain(one) if clear else in_quotes(one) for one in condition.values)
    return listed if clear else f"{_name(condition.column)}: {listed}"


def _name(column: str) -> str:
    """Write a column's name inside a sentence."""
    label = label_of(column)
    return label[:1].lower() + label[1:]


def _listed(ids: tuple[str, ...]) -> str:
    return ", ".join(map(in_quotes, ids))


def _size(ends: ItemNumber | ItemScore | ItemInteractions | Past | Usual) -> str:
    """Write a range."""
    low, high = ends.low, ends.high
    if low is None and high is not None:
        return f"{'under' if ends.below else 'at most'} {high:.12g}"
    if high is None and low is not None:
        return f"{'over' if ends.above else 'at least'} {low:.12g}"
    if low == high:
        return f"exactly {low:.12g}"
    return f"{low:.12g}..{high:.12g}"


def _when(period: LastTime) -> str:
    """Write a period."""
    if period.days is not None:
        return f"within {period.days} days"
    if period.until is None:
        return f"since {period.first}"
    if period.first is None:
        return f"until {period.until}"
    return f"{period.first}..{period.until}"
