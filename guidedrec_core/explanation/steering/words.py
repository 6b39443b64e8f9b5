"""What a steering made of a list, in plain words."""

import pandas as pd

from guidedrec_core.explanation.words import listing, lower_first, move_words

# A mean of ten scores that moves less is told as unchanged.
_TOLD = 0.05


def steering_words(pulls: dict[str, float], removed: int, added: int) -> str:
    """Say what a steering consists of.

    Parameters
    ----------
    pulls : dict of str to float
        Steps by attribute label; 0 is not told.
    removed, added : int
        Items taken out of the history and put into it.

    Examples
    --------
    >>> steering_words({"Warmth": 1.5, "Pace": -1, "Style": 0}, 1, 0)
    'warmth +1.5, pace -1, 1 past item less'
    """
    parts = [f"{lower_first(label)} {steps:+g}" for label, steps in pulls.items() if steps]
    for count, what in ((removed, "less"), (added, "more")):
        if count:
            parts.append(f"{count} past item{'' if count == 1 else 's'} {what}")
    return ", ".join(parts)


def steered_sentence(after: pd.DataFrame, mix: pd.DataFrame, top: float, most: int = 2) -> str:
    """Say how many items are new, and which attributes of the list changed most.

    Parameters
    ----------
    after : pandas.DataFrame
        The steered list, with ``status``.
    mix : pandas.DataFrame
        ``label, before, after``.
    top : float
        The highest raw score.
    most : int
        Attributes named.

    Examples
    --------
    >>> after = pd.DataFrame({"status": ["new", "up", "down"]})
    >>> mix = pd.DataFrame({"label": ["Warmth", "Pace"], "before": [4.0, 5.0], "after": [6.5, 5.0]})
    >>> steered_sentence(after, mix, 10)
    'What if: 1 of these 3 is new; warmth goes from 4.0 to 6.5 of 10.'
    """
    n, new = len(after), int((after["status"] == "new").sum())
    if not n:
        return "What if: nothing is left to recommend."
    if (after["status"] == "same").all():
        return "What if: the list stays as it is."
    change = (mix["after"] - mix["before"]).abs().sort_values(ascending=False, kind="stable")
    told = [row for row in change.index[:most] if change[row] >= _TOLD]
    said = [
        f"{lower_first(mix['label'][row])} goes from {mix['before'][row]:.1f} to {mix['after'][row]:.1f} of {top:g}"
        for row in told
    ]
    entered = f"{new} of these {n} {'is' if new == 1 else 'are'} new" if new else f"the same {n} in another order"
    return f"What if: {entered}; {listing(said) or 'its mix hardly changes'}."


def steered_move(status: str, move: int, other_rank: int, gone: bool) -> str:
    """Say how an item moved against the other list.

    Examples
    --------
    >>> steered_move("new", 0, 0, False), steered_move("gone", 0, 0, True), steered_move("up", 2, 3, False)
    ('● new, was in the history', '✕ gone, now in the history', '▲ 2, was 3rd')
    """
    if other_rank == 0:
        return "✕ gone, now in the history" if gone else "● new, was in the history"
    return move_words(status, move, other_rank, "now" if gone else "was")
