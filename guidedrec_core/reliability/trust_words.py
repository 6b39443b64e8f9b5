"""How far the scores in use can be trusted, in words."""

import pandas as pd

from guidedrec_core.language import percent
from guidedrec_core.reliability.trust import Trust

BUNCHED = 0.5
"""Share of items on one value from which on an attribute is said to bunch."""

ALIKE = 0.8
"""Correlation, either way, from which on two attributes are said to overlap."""

_REPEATABLE = ("excellent", "good")
_MOST = 3


def trust_sentence(trust: Trust) -> str:
    """Say in one sentence how much is scored, and whether a second scoring would agree."""
    scale, count = trust.schema.scale, len(trust.schema)
    scored = f"All {trust.n_items:,}" if trust.n_scored == trust.n_items else f"{trust.n_scored:,} of {trust.n_items:,}"
    start = f"{scored} items are scored from {scale.min:g} to {scale.max:g} on {count} attributes"
    if trust.agreement is None or trust.report is None:
        return f"{start}, each only once, so it is unknown whether a second scoring would agree."
    found = trust.agreement
    known = found.dropna(subset=["icc"])
    if known.empty:
        return f"{start}; the passes share too few items to say whether another one would agree."
    sure = found[found["level"].isin(_REPEATABLE)]
    many = f"all {count}" if len(sure) == count else f"{len(sure)} of {count}"
    low, high = f"{known['icc'].min():.2f}", f"{known['icc'].max():.2f}"
    range_ = low if low == high else f"{low} to {high}"
    said = (
        f"{start}; {many} would come out much the same if scored again (agreement {range_} out of 1, from "
        f"{trust.report.repeated:,} items in up to {trust.report.passes} passes)."
    )
    doubted = known[~known["level"].isin(_REPEATABLE)].sort_values("low", kind="stable")
    return said if doubted.empty else f"{said} Least certain: {_named(doubted['label'])}."


def spread_sentence(trust: Trust) -> str:
    """Say which attributes bunch at one value, and so distinguish few items."""
    facts = trust.facts.sort_values("bunching", ascending=False, kind="stable").dropna(subset=["bunching"])
    bunched = facts[facts["bunching"] >= BUNCHED]
    if facts.empty:
        return "Nothing is scored."
    if bunched.empty:
        most = facts.iloc[0]
        return (
            f"Scores of every attribute spread over the scale; the most common single score is {most['commonest']:g} "
            f"on {most['label']}, for {percent(most['bunching'])} of items."
        )
    listed = [
        f"{label} ({percent(share)} of items have {value:g})"
        for label, share, value in zip(bunched["label"], bunched["bunching"], bunched["commonest"], strict=True)
    ]
    return f"Scores bunch on {_named(listed)}: a score that most items share barely distinguishes them."


def alike_sentence(pairs: pd.DataFrame) -> str:
    """Say which attributes overlap, or are each other's reverse.

    Parameters
    ----------
    pairs : pandas.DataFrame
        `Trust.pairs`.
    """
    if pairs.empty:
        return "Too few items have every score to compare attributes with each other."
    near = pairs[pairs["correlation"].abs() >= ALIKE]
    if near.empty:
        return f"No two attributes overlap much; the closest are {_pair(pairs.iloc[0])}."
    listed = [_pair(row) for _, row in near.iterrows()]
    more = "One of each pair" if len(listed) > 1 else "One of them"
    return f"These overlap strongly: {_named(listed)}. {more} could be removed."


def gaps_sentence(trust: Trust) -> str:
    """Say how many items lack scores."""
    nothing = trust.n_items - trust.n_scored
    some = len(trust.unscored) - nothing
    if not nothing and not some:
        return "Every item has a score on every attribute."
    parts = []
    if nothing:
        parts.append(f"{nothing:,} of {trust.n_items:,} items {'has' if nothing == 1 else 'have'} no score at all")
    if some:
        parts.append(f"{some:,} {'lacks' if some == 1 else 'lack'} some scores")
    return f"{' and '.join(parts)}. Missing scores count as average and are marked."


def doubt_sentence(trust: Trust) -> str:
    """Say how many single scores the passes disagree on."""
    if trust.doubtful is None or trust.report is None:
        return "No item was scored twice, so doubtful scores cannot be found."
    doubted = trust.doubtful[trust.doubtful["doubtful"]]
    of = f"of the {trust.report.repeated:,} items that were scored more than once"
    if doubted.empty:
        return f"No score {of} is doubtful: passes differ by less than a tenth of the scale everywhere."
    number, are = (f"{len(doubted):,} scores", "are") if len(doubted) > 1 else ("1 score", "is")
    return f"{number} {of} {are} doubtful: the passes differ by a tenth of the scale or more."


def _pair(row: pd.Series) -> str:
    way = "" if row["correlation"] > 0 else "opposite, "
    return f"{row['first']} and {row['second']} ({way}correlation {row['correlation']:.2f})"


def _named(names: "pd.Series[str] | list[str]") -> str:
    """List some names, and count the rest.

    Examples
    --------
    >>> _named(["A", "B"]), _named(["A", "B", "C", "D", "E"])
    ('A and B', 'A, B, C and 2 more')
    """
    names = list(names)
    if len(names) > _MOST:
        return f"{', '.join(names[:_MOST])} and {len(names) - _MOST} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
