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
    after: pd.DataFrame,
    mix: pd.DataFrame,
    asked: dict[str, float] | None = None,
    facts: dict[str, str] | None = None,
    most: int = 2,
) -> str:
    """Say what became of what was asked for, then what else changed, then how many items are new.

    Parameters
    ----------
    after : pandas.DataFrame
        The steered list, with ``status``.
    mix : pandas.DataFrame
        ``label, before, after``: mean scores of both lists.
    asked : dict of str to float, optional
        Steps by label, of attributes and facts; those of 0 are left out.
    facts : dict of str to str, optional
        What became of facts that were asked for, by label, e.g. ``{"Price": "58 to 41"}``.
    most : int
        Other attributes named.

    Examples
    --------
    >>> after = pd.DataFrame({"status": ["new", "up", "down"]})
    >>> mix = pd.DataFrame({"label": ["Warmth", "Pace"], "before": [5.1, 4.0], "after": [5.9, 4.5]})
    >>> steered_sentence(after, mix, {"Warmth": 1.5})
    'What if: warmth 5.1 to 5.9, as asked; also pace up. 1 of 3 items is new.'
    >>> steered_sentence(after, mix, {"Pace": -1.0}, most=0)
    'What if: pace 4.0 to 4.5, although less was asked. 1 of 3 items is new.'
    """
    n, new = len(after), int((after["status"] == "new").sum())
    if not n:
        return "What if: nothing is left to recommend."
    wanted = {label: steps for label, steps in (asked or {}).items() if steps}
    if (after["status"] == "same").all():
        asks = [f"{'more' if steps > 0 else 'less'} {lower_first(label)}" for label, steps in wanted.items()]
        although = f", although {listing(asks)} {'was' if len(asks) == 1 else 'were'} asked" if asks else ""
        return f"What if: the list stays the same{although}."
    said = _answers(wanted, mix, facts or {})
    change = mix["after"] - mix["before"]
    order = change.abs().sort_values(ascending=False, kind="stable").index
    others = [
        f"{lower_first(mix['label'][row])} {'up' if change[row] > 0 else 'down'}"
        for row in order
        if abs(change[row]) >= _SMALLEST_NAMED and mix["label"][row] not in wanted
    ][:most]
    also = f"{'also ' if said else ''}{listing(others)}" if others else ""
    entered = f"{new} of {n} items {'is' if new == 1 else 'are'} new" if new else f"the same {n} items in another order"
    changes = "; ".join([*said, *([also] if also else [])])
    if not changes:
        return f"What if: {entered}; the mix of attributes hardly changes."
    return f"What if: {changes}. {entered[:1].upper()}{entered[1:]}."


def _answers(wanted: dict[str, float], mix: pd.DataFrame, facts: dict[str, str]) -> list[str]:
    """Say what became of each attribute and fact that was asked for, in the order asked."""
    means = {
        label: (float(before), float(after))
        for label, before, after in zip(mix["label"], mix["before"], mix["after"], strict=True)
    }
    met, said = [], []
    for label, steps in wanted.items():
        name = lower_first(label)
        if label in facts:
            said.append(f"{name} {facts[label]}")
        if label not in means:
            continue
        before, after = means[label]
        if abs(after - before) < _SMALLEST_NAMED:
            said.append(f"{name} stays at {after:.1f}, although {'more' if steps > 0 else 'less'} was asked")
        elif (after - before) * steps > 0:
            met.append(f"{name} {before:.1f} to {after:.1f}")
        else:
            asked = "more" if steps > 0 else "less"
            said.append(f"{name} {before:.1f} to {after:.1f}, although {asked} was asked")
    return [*([f"{listing(met)}, as asked"] if met else []), *said]


def steered_move(status: str, other_rank: int, gone: bool, short: bool = False) -> str:
    """Say how an item moved against the other list; `short` as in `move_words`.

    Examples
    --------
    >>> steered_move("new", 0, False), steered_move("gone", 0, True), steered_move("up", 3, False)
    ('● no longer in the history', '✕ now in the history', '▲ up from 3rd')
    """
    if other_rank == 0:
        return "✕ now in the history" if gone else "● no longer in the history"
    return move_words(status, other_rank, "now" if gone else "was", short)
