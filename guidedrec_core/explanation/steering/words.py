"""How a steering changes a list, in plain words."""

import pandas as pd

from guidedrec_core.explanation.words import listing, lower_first, move_words

# A mean of ten scores that moves less counts as unchanged.
_SMALLEST_NAMED = 0.05


def steering_words(pulls: dict[str, float], removed: int, added: int) -> str:
    """Say what a steering consists of.

    Parameters
    ----------
    pulls : dict of str to float
        Steps by attribute label; those of 0 are left out.
    removed, added : int
        Items removed from the history and added to it.

    Examples
    --------
    >>> steering_words({"Warmth": 1.5, "Pace": -1, "Style": 0}, 1, 0)
    'warmth +1.5, pace -1, 1 past item removed'
    """
    parts = [f"{lower_first(label)} {steps:+g}" for label, steps in pulls.items() if steps]
    for count, what in ((removed, "removed"), (added, "added")):
        if count:
            parts.append(f"{count} past item{'' if count == 1 else 's'} {what}")
    return ", ".join(parts)


def steered_sentence(
    after: pd.DataFrame, mix: pd.DataFrame, top: float, facts: list[str] | None = None, most: int = 2
) -> str:
    """Say how many items are new, and which attributes of the list changed most.

    Parameters
    ----------
    after : pandas.DataFrame
        The steered list, with ``status``.
    mix : pandas.DataFrame
        ``label, before, after``.
    top : float
        The highest raw score.
    facts : list of str, optional
        What became of facts, e.g. ``"price from 58 to 41"``.
    most : int
        Attributes named.

    Examples
    --------
    >>> after = pd.DataFrame({"status": ["new", "up", "down"]})
    >>> mix = pd.DataFrame({"label": ["Warmth", "Pace"], "before": [4.0, 5.0], "after": [6.5, 5.0]})
    >>> steered_sentence(after, mix, 10)
    'What if: 1 of 3 items is new; average warmth goes from 4.0 to 6.5 out of 10.'
    """
    n, new = len(after), int((after["status"] == "new").sum())
    if not n:
        return "What if: nothing is left to recommend."
    if (after["status"] == "same").all():
        return "What if: the list stays the same."
    change = (mix["after"] - mix["before"]).abs().sort_values(ascending=False, kind="stable")
    named = [row for row in change.index[:most] if change[row] >= _SMALLEST_NAMED]
    said = [
        f"{lower_first(mix['label'][row])}{'' if place else ' goes'} from {mix['before'][row]:.1f} to "
        f"{mix['after'][row]:.1f}"
        for place, row in enumerate(named)
    ]
    entered = f"{new} of {n} items {'is' if new == 1 else 'are'} new" if new else f"the same {n} items in another order"
    changes = [f"average {listing(said)} out of {top:g}"] if said else []
    changes += [f"average {listing(facts)}"] if facts else []
    return f"What if: {entered}; {'; '.join(changes) or 'the mix of attributes hardly changes'}."


def steered_move(status: str, other_rank: int, gone: bool) -> str:
    """Say how an item moved against the other list.

    Examples
    --------
    >>> steered_move("new", 0, False), steered_move("gone", 0, True), steered_move("up", 3, False)
    ('● no longer in the history', '✕ now in the history', '▲ up from 3rd')
    """
    if other_rank == 0:
        return "✕ now in the history" if gone else "● no longer in the history"
    return move_words(status, other_rank, "now" if gone else "was")
