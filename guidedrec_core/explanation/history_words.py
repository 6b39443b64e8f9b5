"""What past items did for a score, in plain words. Templates only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.words import listing

if TYPE_CHECKING:  # loads torch, which pages that only speak do not need
    from guidedrec_core.explanation.history_shapley import HistoryShapley

# A smaller share of a score rarely moves an item by a place.
_COUNTS = 0.05


def row_labels(shares: HistoryShapley, titles: list[str]) -> list[str]:
    """Name the rows of an explanation: titles, oldest first; positions that share the first row are counted."""
    if shares.grouped > 1:
        return [f"The {shares.grouped:,} oldest together", *titles[1:]]
    return list(titles)


def history_sentence(shares: HistoryShapley, labels: list[str], verb: InteractionVerb, most: int = 2) -> str:
    """Say which past items contributed most to an item's score, and which one holds it back.

    Parameters
    ----------
    shares : HistoryShapley
        Of one item.
    labels : list of str
        A name for each row; see `row_labels`.
    verb : InteractionVerb
        What users do.
    most : int
        Items named at most.
    """
    if not labels:
        return f"There are no past {verb.nouns}, so none of them counts; the score is {shares.score:.2f} anyway."
    values = shares.values
    best = [row for row in np.argsort(-values, kind="stable")[:most] if values[row] >= _COUNTS]
    amounts = ", ".join(f"{values[row]:+.2f}" for row in best)
    said = f"No past {verb.noun} contributed much"
    if best:
        said = f"{_capital(listing([labels[row] for row in best]))} contributed most ({amounts})"
    gains = shares.without - shares.score
    worst = int(np.argmax(gains))
    if gains[worst] >= _COUNTS:
        said += f"; without {_inside(labels[worst])} the score would be {gains[worst]:.2f} higher"
    empty = float(shares.alone.sum()) + shares.bias
    return f"{said}. Without any past {verb.nouns} the score would be {empty:.2f}; it is {shares.score:.2f}."


def exactness_words(shares: HistoryShapley) -> str:
    """Say how sure the shares are.

    The margin is two standard errors of the least certain one: about 95 of 100 shares lie within theirs.
    """
    if shares.exact:
        return f"Exact: the model scored it with all {shares.n_evaluations:,} combinations of these items."
    margin = 2 * float(shares.errors.max())
    return (
        f"Each share is accurate to ± {max(margin, 0.01):.2f}: the model scored it with {shares.n_evaluations:,} "
        "combinations of these items, drawn at random. Their sum is exact."
    )


def _inside(label: str) -> str:
    """Return a label for the middle of a sentence."""
    return f"the{label[3:]}" if label.startswith("The ") and label.endswith(" oldest together") else label


def _capital(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]
