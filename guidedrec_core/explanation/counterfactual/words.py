"""Counterfactuals in plain words: what would have to change, and what the rank would then be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.words import listing, lower_first, ordinal
from guidedrec_core.language import percent

if TYPE_CHECKING:  # these modules load torch, which pages that only speak do not need
    from guidedrec_core.explanation.counterfactual.history import HistoryEdit
    from guidedrec_core.explanation.counterfactual.item_scores import ScoreEdit, ScoreEdits
    from guidedrec_core.explanation.counterfactual.search import Goal
    from guidedrec_core.explanation.counterfactual.taste import Pull, PullEdits
    from guidedrec_core.explanation.rank_change import RankChange
    from guidedrec_core.explanation.surrogate import Surrogate

# A gain of fewer places is not named; it is within what rounding would hide anyway.
_PLACES = 0.5


def would(goal: Goal, rank: int) -> str:
    """Say what becomes of an item.

    Examples
    --------
    >>> would("leave", 14), would("enter", 8)
    ('would drop to 14th', 'would rise to 8th')
    """
    return f"would {'drop' if goal == 'leave' else 'rise'} to {ordinal(rank)}"


def history_words(title: str, edit: HistoryEdit, removed: list[str], k: int, verb: InteractionVerb) -> str:
    """Say without which past items an item would leave the list or enter it.

    Parameters
    ----------
    title : str
        The item.
    edit : HistoryEdit
        What was found.
    removed : list of str
        Titles of the past items that it names.
    k : int
        Length of the list.
    verb : InteractionVerb
        What users do.
    """
    goal = f"{'leave' if edit.goal == 'leave' else 'enter'} the top {k}"
    if not removed:
        tried = "Removing up to three" if edit.exact else "Removing any of the combinations tried of"
        return f"{tried} past {verb.nouns} does not make {title} {goal}."
    said = f"Without {listing(removed)} in the {verb.activity} history, {title} {would(edit.goal, edit.rank)}."
    if edit.exact and len(removed) > 1:
        return f"{said} Removing fewer is not enough."
    return said if edit.exact else f"{said} Not all smaller combinations were tried, so fewer may be enough."


def pull_phrase(pull: Pull, schema: AttributeSchema) -> str:
    """Say one pull on the user's taste.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from guidedrec_core.attributes.schema import Attribute
    >>> schema = AttributeSchema(attributes=(Attribute(name="warmth", low="a", high="b"),))
    >>> pull_phrase(SimpleNamespace(steps=np.array([-1.2])), schema)
    'wanted less warmth (1.2 times a typical difference)'
    """
    parts = [
        f"{'more' if steps > 0 else 'less'} {lower_first(schema.attributes[a].label)} ({_typical(abs(steps))})"
        for a, steps in _largest_first(pull.steps)
    ]
    return f"wanted {listing(parts)}"


def pull_words(
    title: str, edits: PullEdits, schema: AttributeSchema, k: int, verb: InteractionVerb, most: int = 3
) -> list[str]:
    """Say by which smallest changes of taste an item would leave the list or enter it, one sentence each."""
    who = f"If this {verb.user}"
    if edits.joint is not None:
        return [f"{who} {pull_phrase(edits.joint, schema)}, {title} {would(edits.goal, edits.joint.rank)}."]
    if not edits.single:
        goal = f"{'takes it out of' if edits.goal == 'leave' else 'brings it into'} the top {k}"
        return [
            f"No change of taste was found that {goal}, up to {edits.most:g} typical differences on each attribute."
        ]
    return [
        f"{who} {pull_phrase(pull, schema)}, {title} {would(edits.goal, pull.rank)}." for pull in edits.single[:most]
    ]


def score_phrase(edit: ScoreEdit, raw: npt.NDArray[np.float32], schema: AttributeSchema) -> str:
    """Say how an item's scores would differ.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from guidedrec_core.attributes.schema import Attribute
    >>> schema = AttributeSchema(attributes=(Attribute(name="warmth", low="a", high="b"),))
    >>> score_phrase(SimpleNamespace(points=np.array([-3.8])), np.array([8.0], dtype=np.float32), schema)
    'warmth 4.2 instead of 8'
    """
    parts = [
        f"{lower_first(schema.attributes[a].label)} {round(float(raw[a] + points), 2):g} instead of {raw[a]:g}"
        for a, points in _largest_first(edit.points)
    ]
    return listing(parts)


def score_words(
    title: str, edits: ScoreEdits, raw: npt.NDArray[np.float32], schema: AttributeSchema, k: int
) -> list[str]:
    """Say with which smallest changes of its own scores an item would leave the list or enter it."""
    found = edits.single or ((edits.joint,) if edits.joint is not None else ())
    if not found:
        goal = f"{'take it out of' if edits.goal == 'leave' else 'bring it into'} the top {k}"
        return [f"No other scores on this scale would {goal}."]
    return [f"With {score_phrase(edit, raw, schema)}, {title} {would(edits.goal, edit.rank)}." for edit in found]


def rank_change_words(title: str, change: RankChange, labels: list[str], verb: InteractionVerb, most: int = 3) -> str:
    """Say what moved an item from its base rank to its refined one; `labels` are those of the lines."""
    gains = [*change.lines.tolist(), change.patterns]
    if change.gained == 0 and max(map(abs, gains)) < _PLACES:
        return f"{title} is {ordinal(change.rank)} in both models."
    parts = list(zip([*map(lower_first, labels), f"other {verb.patterns}"], gains, strict=True))
    parts.sort(key=lambda part: -abs(part[1]))
    named = [f"{gain:+,.0f} from {name}" for name, gain in parts[:most] if abs(gain) >= _PLACES]
    moved = f"{title} went from {ordinal(change.base_rank)} to {ordinal(change.rank)}"
    if change.gained == 0:
        moved = f"{title} is {ordinal(change.rank)} in both models, but for different reasons"
    return f"{moved}. Places gained or lost: {listing(named)}." if named else f"{moved}."


def surrogate_words(surrogate: Surrogate, verb: InteractionVerb) -> str:
    """Say how much of the base model's scores attributes explain.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from guidedrec_core.data.verbs import BOUGHT
    >>> surrogate_words(SimpleNamespace(r2_attributes=0.314), BOUGHT)
    'The base model uses no attributes. They explain an estimated 31 % of its scores for this customer.'
    """
    lead = "The base model uses no attributes."
    if np.isnan(surrogate.r2_attributes):
        return f"{lead} There are too few items to estimate how much of its scores attributes explain."
    share = max(surrogate.r2_attributes, 0.0)
    explain = f"an estimated {percent(share)}" if round(100 * share) else "almost none"
    return f"{lead} They explain {explain} of its scores for this {verb.user}."


def _typical(steps: float) -> str:
    """Write steps of taste as people can picture them.

    Examples
    --------
    >>> _typical(0.8), _typical(1.0), _typical(1.25)
    ('0.8 of a typical difference', 'a typical difference', '1.25 times a typical difference')
    """
    rounded = round(steps, 2)
    if rounded == 1:
        return "a typical difference"
    return f"{rounded:g} {'of' if rounded < 1 else 'times'} a typical difference"


def _largest_first(values: npt.NDArray[np.float64]) -> list[tuple[int, float]]:
    """Return places and values that are not 0, the largest first."""
    order = np.argsort(-np.abs(values), kind="stable")
    return [(int(place), float(values[place])) for place in order if abs(values[place]) > 1e-9]
