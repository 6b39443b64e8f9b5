"""Plain words for numbers: what stands beside every chart. Templates only, no language model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guidedrec_core.attributes.schema import Attribute, AttributeSchema

if TYPE_CHECKING:  # a ledger's module loads torch, which pages that only speak do not need
    from guidedrec_core.explanation.ledger import Ledger

FloatArray = npt.NDArray[np.float64]

# Below a quarter of a standard deviation an attribute is neither high nor low.
_NOTABLE = 0.25
# A smaller contribution rarely moves an item by a place.
_COUNTS = 0.05


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


def listing(parts: list[str]) -> str:
    """Join parts as people do.

    Examples
    --------
    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)


def profile_sentence(values: FloatArray, weights: FloatArray, schema: AttributeSchema, most: int = 3) -> str:
    """Say what a user seeks and avoids.

    Parameters
    ----------
    values : FloatArray
        Guided profile, ``[A]``, z-units.
    weights : FloatArray
        Learned weights, ``[A]``; attributes the model hardly uses are not named.
    schema : AttributeSchema
        Names.
    most : int
        Attributes named on each side at most.
    """
    pull = values * np.abs(weights)
    order = np.argsort(-pull, kind="stable")
    seeks = [lower_first(schema.attributes[a].label) for a in order[:most] if values[a] > _NOTABLE]
    avoids = [lower_first(schema.attributes[a].label) for a in order[::-1][:most] if values[a] < -_NOTABLE]
    said = ([f"seeks {listing(seeks)}"] if seeks else []) + ([f"avoids {listing(avoids)}"] if avoids else [])
    return "; ".join(said) or "has no marked taste in these attributes yet"


def contribution_phrase(attribute: Attribute, user_value: float, item_value: float, contribution: float) -> str:
    """Say why one attribute counts for or against an item.

    Examples
    --------
    >>> a = Attribute(name="darkness", low="gentle", high="grim")
    >>> contribution_phrase(a, 1.2, 0.8, 0.42)
    'both high on darkness (+0.42)'
    >>> contribution_phrase(a, 1.2, -0.8, -0.42)
    'seeks darkness, this has little (-0.42)'
    """
    name = lower_first(attribute.label)
    amount = f"({contribution:+.2f})"
    if abs(contribution) < _COUNTS:
        return f"{name} hardly counts {amount}"
    if contribution * user_value * item_value < 0:
        # What an attribute is worth depends on the whole profile and on what everybody takes, too.
        side = "for" if contribution > 0 else "against"
        return f"{'high' if item_value >= 0 else 'low'} on {name}, {side} it here {amount}"
    if user_value >= 0 and item_value >= 0:
        return f"both high on {name} {amount}"
    if user_value < 0 and item_value < 0:
        return f"both low on {name} {amount}"
    if user_value >= 0:
        return f"seeks {name}, this has little {amount}"
    return f"avoids {name}, this has much {amount}"


def reason_sentence(
    title: str, rank: int, base_rank: int, ledger: Ledger, schema: AttributeSchema, most: int = 3
) -> str:
    """Say why an item stands where it stands, from its ledger (one item).

    Contributions are relative to the average item; so are remainder and bias here.
    """
    contributions = ledger.contributions[0]
    order = np.argsort(-np.abs(contributions), kind="stable")[:most]
    parts = [
        f"{contributions[a]:+.2f} {lower_first(schema.attributes[a].label)}"
        for a in order
        if abs(contributions[a]) >= 0.005
    ]
    rest = float(ledger.remainder[0] - ledger.average_remainder)
    popularity = float(ledger.bias[0] - ledger.average_bias)
    moved = f"base had it {ordinal(base_rank)}" if base_rank != rank else f"base had it {ordinal(base_rank)} too"
    attributes = listing(parts) + "; " if parts else "no attribute counts; "
    return (
        f"Why {title} is {ordinal(rank)}: {attributes}{rest:+.2f} from purchase patterns beyond the attributes, "
        f"{popularity:+.2f} from general popularity; {moved}."
    )


def move_words(status: str, move: int, other_rank: int, other: str) -> str:
    """Say how an item's place differs between the two lists; the sign before the words is not told by colour.

    Parameters
    ----------
    status : str
        `new`, `gone`, `up`, `down` or `same`; see `Case.refined`.
    move : int
        Places gained from base to refined.
    other_rank : int
        Rank in the other list.
    other : str
        How to speak of the other list: ``"was"`` in the refined one, ``"now"`` in the base one.

    Examples
    --------
    >>> move_words("new", 30, 31, "was"), move_words("down", -2, 4, "now"), move_words("same", 0, 1, "was")
    ('● new, was 31st', '▼ 2, now 4th', '= same')
    """
    if status == "same":
        return "= same"
    sign = {"new": "● new", "gone": "✕ gone", "up": f"▲ {move}", "down": f"▼ {-move}"}[status]
    return f"{sign}, {other} {ordinal(other_rank)}"


def score_words(attribute: Attribute, raw: float, scale_max: float) -> str:
    """Say one raw score with the end it is nearer to.

    Examples
    --------
    >>> score_words(Attribute(name="story_complexity", low="simple", high="intricate"), 8, 10)
    'Story complexity 8/10: towards "intricate"'
    """
    if np.isnan(raw):
        return f"{attribute.label}: not scored, treated as average"
    shown = f"{attribute.label} {raw:g}/{scale_max:g}"
    share = raw / scale_max
    if 0.4 < share < 0.6:
        return f'{shown}: between "{attribute.low}" and "{attribute.high}"'
    return f'{shown}: towards "{attribute.high if share >= 0.6 else attribute.low}"'
