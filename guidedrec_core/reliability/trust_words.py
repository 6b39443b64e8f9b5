"""How far the scores in use can be trusted, in words."""

import pandas as pd

from guidedrec_core.reliability.trust import Trust

BUNCHED = 0.5
"""Share of items on one value from which on an attribute is said to bunch."""

ALIKE = 0.8
"""Correlation, either way, from which on two attributes are said to tell much the same."""

_REPEATABLE = ("excellent", "good")
_MOST = 3


def trust_sentence(trust: Trust) -> str:
    """Say in one sentence how much is scored, and whether another scoring would say the same."""
    scale, count = trust.schema.scale, len(trust.schema)
    scored = f"All {trust.n_items:,}" if trust.n_scored == trust.n_items else f"{trust.n_scored:,} of {trust.n_items:,}"
    start = f"{scored} items are scored from {scale.min:g} to {scale.max:g} on {count} attributes"
    if trust.agreement is None or trust.report is None:
        return f"{start}, each only once: whether a second scoring would say the same is not known."
    found = trust.agreement
    known = found.dropna(subset=["icc"])
    if known.empty:
        return f"{start}; the passes have too little in common to say whether another one would agree."
    sure = found[found["level"].isin(_REPEATABLE)]
    many = f"all {count}" if len(sure) == count else f"{len(sure)} of {count}"
    low, high = f"{known['icc'].min():.2f}", f"{known['icc'].max():.2f}"
    range_ = low if low == high else f"{low} to {high}"
    said = (
        f"{start}; {many} would come out much the same if scored again (ICC {range_}, "
        f"{trust.report.repeated:,} items in up to {trust.report.passes} passes)."
    )
    doubted = known[~known["level"].isin(_REPEATABLE)].sort_values("low", kind="stable")
    return said if doubted.empty else f"{said} Least certain: {_named(doubted['label'])}."


def spread_sentence(trust: Trust) -> str:
    """Say which attributes bunch at one value, and so tell few items apart."""
    facts = trust.facts.sort_values("bunching", ascending=False, kind="stable").dropna(subset=["bunching"])
    bunched = facts[facts["bunching"] >= BUNCHED]
    if facts.empty:
        return "Nothing is scored."
    if bunched.empty:
        most = facts.iloc[0]
        return (
            f"Every attribute spreads over the scale; the most common score is that of {most['label']}, "
            f"{most['commonest']:g} for {most['bunching']:.0%} of the items."
        )
    listed = [
        f"{label} ({share:.0%} of items have {value:g})"
        for label, share, value in zip(bunched["label"], bunched["bunching"], bunched["commonest"], strict=True)
    ]
    return f"Scores bunch on {_named(listed)}: a score that most items share tells them little apart."


def alike_sentence(pairs: pd.DataFrame) -> str:
    """Say which attributes tell much the same, or the reverse.

    Parameters
    ----------
    pairs : pandas.DataFrame
        `Trust.pairs`.
    """
    if pairs.empty:
        return "Too few items have every score to compare attributes with each other."
    near = pairs[pairs["correlation"].abs() >= ALIKE]
    if near.empty:
        return f"No two attributes say the same; the closest are {_pair(pairs.iloc[0])}."
    listed = [_pair(row) for _, row in near.iterrows()]
    more = "one of each pair could go" if len(listed) > 1 else "one of them could go"
    return f"Much the same is said by {_named(listed)}; {more}."


def gaps_sentence(trust: Trust) -> str:
    """Say how many items lack scores."""
    nothing = trust.n_items - trust.n_scored
    some = len(trust.unscored) - nothing
    if not nothing and not some:
        return "Every item has a score on every attribute."
    parts = []
    if nothing:
        parts.append(f"{nothing:,} of {trust.n_items:,} items have no score at all")
    if some:
        parts.append(f"{some:,} lack some")
    return f"{' and '.join(parts)}; what is missing counts as average, and is marked."


def doubt_sentence(trust: Trust) -> str:
    """Say how many single scores the passes disagree on."""
    if trust.doubtful is None or trust.report is None:
        return "Nothing was scored twice, so no item stands out as doubtful."
    doubted = trust.doubtful[trust.doubtful["doubtful"]]
    of = f"of the {trust.report.repeated:,} items that were scored more than once"
    if doubted.empty:
        return f"No score {of} is in doubt: passes scatter by less than a tenth of the scale everywhere."
    number = f"{len(doubted):,} scores" if len(doubted) > 1 else "1 score"
    return f"In doubt: {number} {of}, where the passes scatter by a tenth of the scale or more."


def _pair(row: pd.Series) -> str:
    way = "" if row["correlation"] > 0 else "the other way round, "
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
