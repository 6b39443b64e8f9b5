"""The steps of one score, from an average item to this one; they add up to the score exactly."""

import pandas as pd

from guidedrec_core.data.verbs import InteractionVerb

START, OTHERS, SCORE = "start", "others", "score"
"""Kinds of steps that are no line of the ledger."""
UNNAMED = "unnamed"
"""The kind of line that no name covers."""


def steps(lines: pd.DataFrame, average: float, verb: InteractionVerb, most: int = 8) -> pd.DataFrame:
    """Lay out one score as a sum.

    Parameters
    ----------
    lines : pandas.DataFrame
        `Explanation.lines`: ``kind, name, label, contribution, text``.
    average : float
        What an average item scores.
    verb : InteractionVerb
        What users do.
    most : int
        Lines shown each as a step of its own, the largest; the others make one step with their exact sum. What no name
        covers always has its own.

    Returns
    -------
    pandas.DataFrame
        ``kind, name, label, value, start, end, phrase`` in order: what an average item scores, lines by size, the
        others, what no name covers, the score. ``start`` of a step is ``end`` of the one before; the first and the last
        stand on 0.
    """
    unnamed = lines["kind"] == UNNAMED
    order = lines.loc[~unnamed, "contribution"].abs().sort_values(ascending=False, kind="stable").index
    # One line left over is not hidden behind "1 other".
    most = most + 1 if len(order) == most + 1 else most
    rows = _rows(lines.loc[order[:most]])
    if len(order) > most:
        total = float(lines.loc[order[most:], "contribution"].sum())
        count = len(order) - most
        rows.append((OTHERS, "", f"{count} other reasons", total, f"the {count} smallest together ({total:+.2f})"))
    rows += _rows(lines[unnamed])
    names = ["kind", "name", "label", "value", "phrase"]
    start = (START, "", "Average item", average, f"what an average item scores for this {verb.user}")
    table = pd.DataFrame([start, *rows], columns=names)
    table["end"] = table["value"].cumsum()
    table["start"] = table["end"] - table["value"]
    score = float(lines["contribution"].sum()) + average
    last = pd.DataFrame(
        [(SCORE, "", "Score", score, "what the list is sorted by", score, 0.0)], columns=[*names, "end", "start"]
    )
    return pd.concat([table, last], ignore_index=True)


def _rows(lines: pd.DataFrame) -> list[tuple[str, str, str, float, str]]:
    """Return kind, name, label, contribution and text of some lines."""
    columns = ("kind", "name", "label", "contribution", "text")
    return list(zip(*(lines[column].tolist() for column in columns), strict=True))
