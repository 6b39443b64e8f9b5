"""What an answer about a group says, in sentences with numbers."""

import numpy as np

from guidedrec_core.audience.exposure import GroupAnswer
from guidedrec_core.audience.intervals import Share
from guidedrec_core.conditions.condition import Condition, ItemEnd, ItemIds, ItemNumber, ItemScore, ItemValue
from guidedrec_core.conditions.phrases import condition_text
from guidedrec_core.conditions.terms import Terms, plain
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.words import listing
from guidedrec_core.language import percent

_MOST_NAMED = 3
MEASURE_WORDS = {
    "places": "Share of places",
    "exposure": "Share of exposure",
    "reached": "Shown one, of the group",
    "had": "Had one before, of those shown one",
    "never": "Never had one, of those shown one",
    "interested": "Shown one, of those who had one before",
    "next": "Held-out item is one of them, of those shown one",
}
"""Measures of `GroupAnswer.measures` as people read them."""
LIFT_WORDS = {
    "catalogue": "Exposure against share of the catalogue",
    "past": "Exposure against share of the past",
    "everyone": "Exposure against that in all lists",
    "chance": "Had one before, against chance",
}
"""What lifts are against, as people read them."""


def share_words(share: float) -> str:
    """Write a share in percent, with as many digits as tell small ones apart.

    Examples
    --------
    >>> share_words(0.123), share_words(0.0123), share_words(0.0001), share_words(0.0), share_words(float("nan"))
    ('12 %', '1.2 %', '0.01 %', '0 %', 'unknown')
    """
    return percent(share, None)


def interval_words(share: Share) -> str:
    """Write the interval of a share.

    Examples
    --------
    >>> interval_words(Share(0.5, 0.4, 0.6, 1, 2))
    '40 to 60 %'
    """
    if np.isnan(share.low):
        return "no interval"
    low, high = share_words(share.low), share_words(share.high)
    return f"{low.removesuffix(' %')} to {high}"


def items_words(condition: Condition | None, terms: Terms, titles: dict[str, str] | None = None) -> str:
    """Say which items, for use inside a sentence.

    Parameters
    ----------
    condition : Condition or None
        On items; None is all.
    terms : Terms
        The words of the data set.
    titles : dict of str to str, optional
        Titles by id, for items given by id.
    """
    match condition:
        case None:
            return "any item"
        case ItemValue() if condition.column in terms.values and len(condition.values) <= _MOST_NAMED:
            return listing([plain(value) for value in condition.values], "or")
        case ItemIds() if len(condition.ids) <= _MOST_NAMED:
            return listing([(titles or {}).get(one, one) for one in condition.ids], "or")
        case ItemEnd():
            return f"items with {condition.end} {terms.label(condition.attribute)}"
        case ItemNumber() | ItemScore():
            return f"items with {condition_text(condition, terms)}"
    return f"items that match “{condition_text(condition, terms)}”"


def group_words(condition: Condition | None, n_users: int, terms: Terms) -> str:
    """Say which users, for use inside a sentence."""
    who = terms.verb.count_users(n_users)
    return who if condition is None else f"{who} who match “{condition_text(condition, terms)}”"


def lead_sentence(answer: GroupAnswer, items: str, group: str, verb: InteractionVerb) -> str:
    """Say how many of those shown the items never had one.

    Parameters
    ----------
    answer : GroupAnswer
        The answer.
    items, group : str
        From `items_words` and `group_words`.
    verb : InteractionVerb
        What users do.
    """
    never, reached = answer.measure("refined", "never"), answer.measure("refined", "reached")
    if not reached.count:
        return f"The refined model shows {items} to none of {group} (top {answer.k})."
    return (
        f"{share_words(never.value)} of the {verb.count_users(int(reached.count))} shown {items} never "
        f"{verb.participle} one before."
    )


def share_sentence(answer: GroupAnswer, items: str, group: str, verb: InteractionVerb) -> str:
    """Say how much of the lists the items take, base against refined, and what they make up elsewhere."""
    base, refined = (answer.measure(name, "exposure") for name in ("base", "refined"))
    reached = {name: answer.measure(name, "reached") for name in ("base", "refined")}
    change = answer.change.set_index("measure").loc["exposure"]
    sure = "no clear difference"
    if change["low"] > 0 or change["high"] < 0:
        sure = "a clear rise" if change["value"] > 0 else "a clear fall"
    part = share_words(answer.n_items / answer.catalogue)
    which = f"{'All' if answer.n_items == answer.catalogue else 'The'} {answer.n_items:,} items"
    takes = f"{which}, {part} of the catalogue, take"
    if answer.n_items == 1:
        takes = f"That item, {part} of the catalogue, takes"
    return (
        f"Of {group}, {int(reached['refined'].count):,} are shown {items} in their top {answer.k} by the refined "
        f"model, {int(reached['base'].count):,} by the base model. {takes} {share_words(refined.value)} of the "
        f"exposure ({share_words(base.value)} in the base model: {sure}) and made up "
        f"{share_words(answer.past.value)} of past {verb.nouns}."
    )


def fit_sentence(answer: GroupAnswer, verb: InteractionVerb) -> str:
    """Say whether those who had such items are the ones who are shown them."""
    had, interested = answer.measure("refined", "had"), answer.measure("refined", "interested")
    if not had.of:
        return ""
    if not answer.had.count:
        return f"None of these {verb.users} {verb.past} one before, so nobody could be shown one for that."
    row = answer.lifts[(answer.lifts["model"] == "refined") & (answer.lifts["against"] == "chance")].iloc[0]
    if np.isnan(row["low"]) or row["low"] <= 1 <= row["high"]:
        verdict = "about as often as if they had been chosen by lot"
    else:
        verdict = f"{row['lift']:.1f} times as often as if they had been chosen by lot"
    limits = "" if np.isnan(row["low"]) else f" ({row['low']:.1f} to {row['high']:.1f} times)"
    return (
        f"Those shown one had {verb.participle} one before {verdict}{limits}: {share_words(had.value)} of them, "
        f"against {share_words(answer.had.value)} of all in the group. Of the {verb.count_users(answer.had.count)} "
        f"who had, {share_words(interested.value)} are shown one."
    )
