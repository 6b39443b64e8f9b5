"""Plain words for numbers: what stands next to every chart. Templates only, no language model."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.refinement.sources import Source, leading_source

FloatArray = npt.NDArray[np.float64]

# Below a quarter of a standard deviation an attribute is neither high nor low.
_NOTABLE = 0.25
# From so many standard deviations on an item is said to be very high or very low on an attribute.
_VERY = 1.5
LITTLE_EFFECT = 0.05
"""A smaller contribution rarely moves an item by a place."""


def ordinal(rank: int) -> str:
    """Write a rank.

    Examples
    --------
    >>> [ordinal(n) for n in (1, 2, 3, 11, 22, 113)]
    ['1st', '2nd', '3rd', '11th', '22nd', '113th']
    """
    if rank % 100 in (11, 12, 13):
        return f"{rank:,}th"
    return f"{rank:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(rank % 10, 'th') }"


def lower_first(label: str) -> str:
    """Return a label for use inside a sentence."""
    return label[:1].lower() + label[1:]


def listing(parts: list[str], last: str = "and") -> str:
    """Join parts as people do.

    Examples
    --------
    >>> listing(["a", "b", "c"]), listing(["a", "b"], "or")
    ('a, b and c', 'a or b')
    """
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}" if len(parts) > 1 else "".join(parts)


def profile_sentence(
    values: FloatArray, weights: FloatArray, schema: AttributeSchema, verb: InteractionVerb, most: int = 3
) -> str:
    """Say what a user seeks and avoids.

    Parameters
    ----------
    values : FloatArray
        Guided profile, ``[A]``, z-units.
    weights : FloatArray
        Learned weights, ``[A]``; attributes the model hardly uses are not named.
    schema : AttributeSchema
        Names.
    verb : InteractionVerb
        What users do.
    most : int
        Attributes named on each side at most.
    """
    pull = values * np.abs(weights)
    order = np.argsort(-pull, kind="stable")
    seeks = [lower_first(schema.attributes[a].label) for a in order[:most] if values[a] > _NOTABLE]
    avoids = [lower_first(schema.attributes[a].label) for a in order[::-1][:most] if values[a] < -_NOTABLE]
    said = [f"seeks {listing(seeks)}"] if seeks else []
    if avoids:
        said.append(f"rarely {verb.present} items high in {listing(avoids, 'or')}")
    return "; ".join(said) or "has no clear taste in these attributes yet"


def contribution_phrase(
    attribute: Attribute, user_value: float, item_value: float, sources: Mapping[Source, float], verb: InteractionVerb
) -> str:
    """Say why one attribute counts for or against an item: by the source that gives its contribution the sign.

    Parameters
    ----------
    attribute : Attribute
        Which.
    user_value, item_value : float
        In z-units.
    sources : mapping of Source to float
        The contribution, split.
    verb : InteractionVerb
        What users do.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import BOUGHT
    >>> a = Attribute(name="warmth", low="cool", high="warm")
    >>> def said(user, item, own, others, everyone=0.0, interactions=0.0):
    ...     sources = dict(own_taste=own, other_tastes=others, everyone=everyone, interactions=interactions)
    ...     return contribution_phrase(a, user, item, sources, BOUGHT)
    >>> said(1.2, 0.8, 0.4, 0.02), said(1.2, -0.8, -0.4, 0.0), said(1.2, 0.8, 0.01, 0.01)
    ('both high on warmth (+0.42)', 'seeks warmth, this has little (-0.40)', 'warmth has little effect (+0.02)')
    >>> said(1.2, 0.8, 0.1, 0.2), said(1.2, 0.8, 0.1, -0.3)
    ("high warmth: goes with this customer's other tastes (+0.30)", \
"high warmth: goes against this customer's other tastes (-0.20)")
    """
    name = lower_first(attribute.label)
    contribution = sum(sources.values())
    amount = f"({contribution:+.2f})"
    if abs(contribution) < LITTLE_EFFECT:
        return f"{name} has little effect {amount}"
    source, helps = leading_source(sources), contribution > 0
    if source != "own_taste":
        return f"{'high' if item_value >= 0 else 'low'} {name}: {source_words(source, helps, verb)} {amount}"
    return f"{_taste_words(name, user_value >= 0, item_value >= 0, helps, verb)} {amount}"


def _taste_words(name: str, user_high: bool, item_high: bool, helps: bool, verb: InteractionVerb) -> str:
    """Say how user and item go together on one attribute, where that decides."""
    if user_high == item_high:
        both = f"both {'high' if user_high else 'low'} on {name}"
        return both if helps else f"{both}, yet that counts against it"
    if helps:
        return f"not this {verb.user}'s usual {name}, yet that helps"  # the learned weight is negative
    return f"seeks {name}, this has little" if user_high else f"avoids {name}, this has a lot"


def source_words(source: Source, helps: bool, verb: InteractionVerb) -> str:
    """Say why an item's value on an attribute counts for or against it, beyond the user's own taste in it.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import WATCHED
    >>> source_words("everyone", True, WATCHED), source_words("interactions", False, WATCHED)
    ('popular with viewers in general', "does not fit this viewer's viewing patterns")
    """
    if source == "other_tastes":
        return f"goes {'with' if helps else 'against'} this {verb.user}'s other tastes"
    if source == "everyone":
        return f"{'popular' if helps else 'unpopular'} with {verb.users} in general"
    return f"{'fits' if helps else 'does not fit'} this {verb.user}'s {verb.patterns}"


def source_label(source: Source, verb: InteractionVerb) -> str:
    """Name a source, e.g. as the head of a column.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import WATCHED
    >>> source_label("own_taste", WATCHED), source_label("interactions", WATCHED)
    ('Own taste', 'Viewing patterns')
    """
    return verb.patterns.capitalize() if source == "interactions" else source.replace("_", " ").capitalize()


def source_meanings(verb: InteractionVerb) -> tuple[str, ...]:
    """Say what each of `SOURCES` is, in their order.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import BOUGHT
    >>> source_meanings(BOUGHT)[0]
    "this customer's taste in this attribute"
    """
    return (
        f"this {verb.user}'s taste in this attribute",
        f"this {verb.user}'s tastes in the other attributes, which it goes with or against",
        f"the same for all {verb.users}",
        f"what the models learned from {verb.nouns}, beyond tastes in attributes",
    )


def distinctive_words(attributes: tuple[Attribute, ...], z: FloatArray, most: int = 3) -> str:
    """Say on which attributes an item differs most from the catalogue.

    Parameters
    ----------
    attributes : tuple of Attribute
        Those with a score.
    z : FloatArray
        The item's values on them, in standard deviations from the catalogue's mean, ``[A]``.
    most : int
        Attributes named at most.

    Examples
    --------
    >>> both = (Attribute(name="warmth", low="a", high="b"), Attribute(name="ruggedness", low="a", high="b"))
    >>> distinctive_words(both, np.array([0.8, -2.0])), distinctive_words(both, np.array([0.1, 0.2]))
    ('very low ruggedness, high warmth', 'close to average')
    """
    order = [a for a in np.argsort(-np.abs(z), kind="stable")[:most] if abs(z[a]) >= _NOTABLE]
    said = [
        f"{'very ' if abs(z[a]) >= _VERY else ''}{'high' if z[a] > 0 else 'low'} {lower_first(attributes[a].label)}"
        for a in order
    ]
    return ", ".join(said) or "close to average"


def fact_phrase(label: str, text: str, contribution: float) -> str:
    """Say what a fact contributes.

    Examples
    --------
    >>> fact_phrase("Price", "price 128", 0.2), fact_phrase("Season", "", -0.1)
    ('price 128 (+0.20)', 'season unknown (-0.10)')
    >>> fact_phrase("Category", "jackets", 0.41)
    'jackets (+0.41)'
    """
    return f"{text or f'{lower_first(label)} unknown'} ({contribution:+.2f})"


def move_words(status: str, other_rank: int, other: str, short: bool = False) -> str:
    """Say how an item's place differs between the two lists; a sign, not a colour, marks the direction.

    Parameters
    ----------
    status : str
        `new`, `gone`, `up`, `down` or `same`; see `Case.refined`.
    other_rank : int
        Rank in the other list.
    other : {"was", "now"}
        Whether the other list is the one before (seen from the refined list) or the one after (from the base list).
    short : bool
        Leave the direction to the sign, and whether it is before or after to the column's head.

    Examples
    --------
    >>> move_words("new", 31, "was"), move_words("down", 4, "now"), move_words("same", 1, "was")
    ('▲ up from 31st', '▼ down to 4th', '• same')
    >>> move_words("new", 31, "was", short=True), move_words("gone", 19, "now", short=True)
    ('▲ 31st', '✕ 19th')
    """
    if status == "same":
        return "• same"
    sign, way = {"new": "▲ up", "gone": "✕ dropped", "up": "▲ up", "down": "▼ down"}[status].split()
    if short:
        return f"{sign} {ordinal(other_rank)}"
    return f"{sign} {way} {'from' if other == 'was' else 'to'} {ordinal(other_rank)}"


def score_words(attribute: Attribute, raw: float, scale_max: float) -> str:
    """Say one raw score with the end it is nearer to.

    Examples
    --------
    >>> score_words(Attribute(name="story_complexity", low="simple", high="intricate"), 8, 10)
    'Story complexity 8/10: intricate'
    >>> score_words(Attribute(name="story_complexity", low="simple", high="intricate"), 3, 10)
    'Story complexity 3/10: closer to "simple"'
    """
    if np.isnan(raw):
        return f"{attribute.label}: not scored, treated as average"
    shown = f"{attribute.label} {raw:g}/{scale_max:g}"
    share = raw / scale_max
    if 0.4 < share < 0.6:
        return f'{shown}: between "{attribute.low}" and "{attribute.high}"'
    end = attribute.high if share >= 0.6 else attribute.low
    return f"{shown}: {end}" if not 0.2 < share < 0.8 else f'{shown}: closer to "{end}"'
