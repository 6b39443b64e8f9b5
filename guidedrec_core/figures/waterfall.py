"""The steps of one score, from an average item to this one; they add up to the score exactly."""

import pandas as pd

from guidedrec_core.data.verbs import InteractionVerb

START, ATTRIBUTE, OTHERS, REMAINDER, BIAS, SCORE = "start", "attribute", "others", "remainder", "bias", "score"
"""Kinds of steps."""


def steps(
    parts: pd.DataFrame,
    remainder: float,
    bias: float,
    average_remainder: float,
    average_bias: float,
    verb: InteractionVerb,
    most: int = 8,
) -> pd.DataFrame:
    """Lay out one score as a sum.

    Parameters
    ----------
    parts : pandas.DataFrame
        One row an attribute: ``attribute, label, contribution, phrase``.
    remainder, bias : float
        The other parts of the score.
    average_remainder, average_bias : float
        What an average item gets of them; an average item's contributions are 0.
    verb : InteractionVerb
        What users do.
    most : int
        Attributes shown by themselves, the largest; the others make one step with their exact sum.

    Returns
    -------
    pandas.DataFrame
        ``kind, attribute, label, value, start, end, phrase`` in order: what an average item scores, attributes by
        size, the others, the remainder, the bias, the score. ``start`` of a step is ``end`` of the one before; the
        first and the last stand on 0.
    """
    order = parts["contribution"].abs().sort_values(ascending=False, kind="stable").index
    shown, grouped = parts.loc[order[:most]], parts.loc[order[most:]]
    rows = [
        (ATTRIBUTE, name, label, value, phrase)
        for name, label, value, phrase in zip(
            shown["attribute"], shown["label"], shown["contribution"], shown["phrase"], strict=True
        )
    ]
    if len(grouped):
        total = float(grouped["contribution"].sum())
        label = f"{len(grouped)} other attribute" + ("s" if len(grouped) > 1 else "")
        rows.append((OTHERS, "", label, total, f"the {len(grouped)} smallest together ({total:+.2f})"))
    patterns, popularity = remainder - average_remainder, bias - average_bias
    rows += [
        (REMAINDER, "", verb.patterns.capitalize(), patterns, f"what attributes do not explain ({patterns:+.2f})"),
        (BIAS, "", "Popularity", popularity, f"how often all {verb.users} {verb.infinitive} it ({popularity:+.2f})"),
    ]
    baseline = average_remainder + average_bias
    names = ["kind", "attribute", "label", "value", "phrase"]
    table = pd.DataFrame(
        [(START, "", "Average item", baseline, f"what an average item scores for this {verb.user}"), *rows],
        columns=names,
    )
    table["end"] = table["value"].cumsum()
    table["start"] = table["end"] - table["value"]
    score = parts["contribution"].sum() + remainder + bias
    last = pd.DataFrame(
        [(SCORE, "", "Score", score, "what the list is sorted by", score, 0.0)], columns=[*names, "end", "start"]
    )
    return pd.concat([table, last], ignore_index=True)
