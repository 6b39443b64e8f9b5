"""What past items did for a score, in plain words. Templates only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.words import listing, ordinal

if TYPE_CHECKING:  # loads torch, which pages that only speak do not need
    from guidedrec_core.explanation.past_items.shapley import HistoryShapley

# A smaller share of a score rarely moves an item by a place.
_COUNTS = 0.05
# More names than this make a sentence hard to read.
_NAMED = 3


def row_labels(grouped: int, titles: list[str]) -> list[str]:
    """Name the rows of an explanation: titles, oldest first; the oldest that share the first row are counted."""
    if grouped > 1:
        return [f"The {grouped:,} oldest together", *titles[1:]]
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
    values, lost = shares.values, shares.score - shares.without
    order = np.argsort(-values, kind="stable")
    best = [row for row in order[:most] if values[row] >= _COUNTS]
    said = f"No past {verb.noun} contributed much"
    if best:
        said = f"{_capital(listing([labels[row] for row in best]))} contributed most ({_amounts(values[best])})"
        if lost[best[0]] > 0:
            said += f"; without {_inside(labels[best[0]])} the score would be {_changed(lost[best[0]])}"
    worst = int(order[-1])
    if values[worst] <= -_COUNTS:
        said += f". {_capital(labels[worst])} works against it most ({values[worst]:+.2f})"
        # An item can stand in the way of most others and yet be missed when all of those are there.
        if lost[worst] < 0:
            it = "them" if labels[worst] != _inside(labels[worst]) else "it"
            said += f"; without {it} the score would be {_changed(lost[worst])}"
    empty = float(shares.alone.sum()) + shares.bias
    return f"{said}. Without any past {verb.nouns} the score would be {empty:.2f}; it is {shares.score:.2f}."


def removal_sentence(labels: list[str], without: IntArray, alone: IntArray, verb: InteractionVerb) -> str:
    """Say how far an item falls without the past items that hold it, and how few keep its place.

    Parameters
    ----------
    labels : list of str
        A name for each of n past items, in the order of removal; see `row_labels`.
    without, alone : IntArray
        Ranks without the first j items, and with them alone, j = 0 to n, ``[n + 1]``.
    verb : InteractionVerb
        What users do.
    """
    rank, without_one = int(without[0]), int(without[1])
    if without_one != rank:
        said = f"Without {_inside(labels[0])} it would be {ordinal(without_one)} instead of {ordinal(rank)}"
        said += f"; without {_inside(labels[1])} as well, {ordinal(int(without[2]))}" if len(labels) > 2 else ""
    else:
        said = f"Without {_inside(labels[0])} it would still be {ordinal(rank)}"
        falls = np.flatnonzero(without > rank)
        if len(falls):
            gone = int(falls[0])
            said += f"; without the {gone} {verb.nouns} that hold it most, {ordinal(int(without[gone]))}"
    enough = int(np.flatnonzero(alone <= rank)[0])  # with all of them it has its rank
    if enough == 0:
        return f"{said}. It would be {ordinal(int(alone[0]))} for somebody without any {verb.nouns}, too."
    if enough == len(labels):
        return f"{said}." if enough == 1 else f"{said}. It takes all {verb.count(enough)} to keep its place."
    if enough <= _NAMED:
        named = listing([_inside(label) for label in labels[:enough]])
        return f"{said}. With {named} alone it would be {ordinal(int(alone[enough]))}."
    return f"{said}. It takes {enough} of the {verb.count(len(labels))} to keep its place."


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


def _amounts(values: np.ndarray) -> str:
    return ", ".join(f"{value:+.2f}" for value in values)


def _changed(lost: float) -> str:
    """Say how a score changes when something is removed that was worth so much in the whole history."""
    if abs(lost) < 0.005:
        return "the same"
    return f"{abs(lost):.2f} {'lower' if lost > 0 else 'higher'}"


def _inside(label: str) -> str:
    """Return a label for the middle of a sentence."""
    return f"the{label[3:]}" if label.startswith("The ") and label.endswith(" oldest together") else label


def _capital(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]
