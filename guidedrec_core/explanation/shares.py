"""What speaks for an item and against it, in shares: the largest part first, whatever it is."""

import pandas as pd

from guidedrec_core.explanation.lines import AVERAGE, OTHER_PATTERNS, UNNAMED
from guidedrec_core.explanation.words import listing, ordinal
from guidedrec_core.language import percent

_NOTHING = 0.005
"""All parts together that are smaller than this set no item apart."""
_SAID = 0.01
"""A smaller share of what speaks against an item is not said."""


def share_table(lines: pd.DataFrame) -> pd.DataFrame:
    """Return each line's share of what sets an item apart from an average one.

    A share is the contribution over the sum of all contributions of the sign that prevails: what speaks for an item
    above the average, what speaks against it for one below. So the shares of that sign sum to 1, and those of the other
    sign are negative.

    Parameters
    ----------
    lines : pandas.DataFrame
        `Explanation.lines`.

    Returns
    -------
    pandas.DataFrame
        ``kind, name, label, text, contribution, share``, largest first; without the average item's line.

    Examples
    --------
    >>> lines = pd.DataFrame({"kind": ["attribute", "fact", "unnamed", "unnamed"], "contribution": [1.0, -0.5, 3, -2],
    ...                       "name": ["a", "b", "other_patterns", "average"], "label": list("ABCD"), "text": ""})
    >>> share_table(lines)[["label", "share"]].values.tolist()
    [['C', 0.75], ['A', 0.25], ['B', -0.125]]
    """
    kept = lines.loc[lines["name"] != AVERAGE, ["kind", "name", "label", "text", "contribution"]]
    values = kept["contribution"].to_numpy(dtype=float)
    side = 1.0 if values.sum() >= 0 else -1.0
    whole = float(values[values * side > 0].sum())
    shares = values / abs(whole) * side if abs(whole) >= _NOTHING else values * 0.0
    table = kept.assign(share=shares)
    return table.sort_values("contribution", key=abs, ascending=False, kind="stable", ignore_index=True)


def reason_sentence(
    title: str, rank: int, base_rank: int, shares: pd.DataFrame, names: dict[tuple[str, str], str], most: int = 3
) -> str:
    """Say why an item stands where it stands, the largest part first.

    Parameters
    ----------
    title : str
        The item.
    rank, base_rank : int
        In the refined and in the base ranking.
    shares : pandas.DataFrame
        From `share_table`.
    names : dict of (str, str) to str
        How to speak of a line inside a sentence, by its kind and name.
    most : int
        Parts said with a share of their own.
    """
    where = f"{title} is {ordinal(rank)} ({ordinal(base_rank)} in the base model{' too' if base_rank == rank else ''})"
    if not len(shares) or not shares["share"].any():
        return f"Why {where}: nothing sets it apart from an average item."
    above = float(shares["contribution"].sum()) >= 0
    for_, against = shares[shares["share"] > 0], shares[shares["share"] < 0]
    side, other = ("for", "Against") if above else ("against", "For")
    said = [
        f"{percent(share)}{'' if place else f' of what speaks {side} it is'} {names[kind, name]}"
        for place, (kind, name, share) in enumerate(
            zip(*(for_[column].tolist()[:most] for column in ("kind", "name", "share")), strict=True)
        )
    ]
    sentence = f"Why {where}: {listing(said)}"
    if len(for_) > most:
        sentence += f"; smaller reasons make up the other {percent(float(for_['share'].iloc[most:].sum()))}"
    without_name = sum(
        share
        for kind, name, share in zip(*(for_[column] for column in ("kind", "name", "share")), strict=True)
        if nameless(kind, name)
    )
    sentence += f". In all, {percent(1 - without_name)} has a name." if without_name >= _NOTHING else "."
    taken = -float(against["share"].sum())
    if taken >= _SAID:
        largest = names[against["kind"].iloc[0], against["name"].iloc[0]]
        sentence += f" {other} it, {percent(taken)} as much: {'' if len(against) == 1 else 'mostly '}{largest}."
    return sentence


def nameless(kind: str, name: str) -> bool:
    """Tell whether a line is what no name covers."""
    return kind == UNNAMED and name == OTHER_PATTERNS
