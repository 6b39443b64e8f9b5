"""What segments say, in sentences with numbers."""

import pandas as pd

from guidedrec_core.audience.answer_words import share_words
from guidedrec_core.audience.segment_report import Explained, SegmentReport
from guidedrec_core.audience.segments import STABLE
from guidedrec_core.data.verbs import InteractionVerb

NOT_STABLE = "No stable segments"


def segments_sentence(report: SegmentReport, verb: InteractionVerb) -> str:
    """Say how many segments there are, or that there are none.

    Parameters
    ----------
    report : SegmentReport
        What was found.
    verb : InteractionVerb
        What users do.
    """
    found = report.segments
    if found.stability.empty:
        return f"{NOT_STABLE}: there are too few {verb.users} to look for any."
    if not found.stable:
        return (
            f"{NOT_STABLE}: however many groups the {verb.users} are cut into, two halves of them do not agree on the "
            "groups more than they would without any."
        )
    return f"The {verb.count_users(int(found.sizes.sum()))} fall into {found.k} stable segments by taste."


def stability_sentence(report: SegmentReport, verb: InteractionVerb) -> str:
    """Say how sure the segments are; "" where there are none."""
    found = report.segments
    if not found.stable:
        return ""
    row = found.stability[found.stability["k"] == found.k].iloc[0]
    return (
        f"Two halves of the {verb.users}, grouped apart, agree on them to {row['agreement']:.2f} of 1; without groups "
        f"it would be {row['chance']:.2f}, and {STABLE:g} is needed."
    )


def gain_sentence(report: SegmentReport) -> str:
    """Say in which segments refinement gains for sure."""
    gains = report.gains[report.gains["segment"] > 0]
    if gains.empty:
        return ""
    over_base, over_placebo = (_number(_surely(gains, prefix), len(gains)) for prefix in ("gain", "over_placebo"))
    best = gains.iloc[int(gains["gain"].fillna(-1.0).to_numpy().argmax())]
    placebo = (
        ""
        if gains["over_placebo"].isna().all()
        else f", and over shuffled scores in {over_placebo} (95 % intervals above 0)"
    )
    return (
        f"Refinement clearly gains over the base model in {over_base}{placebo}. The largest gain over "
        f"the base is in segment {int(best['segment'])} ({best['name']})."
    )


def explained_sentence(explained: Explained, verb: InteractionVerb) -> str:
    """Say how far segments tell the reasons behind lists apart."""
    return (
        f"Segments account for {share_words(explained.share)} of the differences between {verb.users} in what their "
        f"lists score points with; random groups of the same sizes for {share_words(explained.chance)} "
        f"(at most {share_words(explained.chance_high)} in 97.5 % of draws)."
    )


def _number(some: int, of: int) -> str:
    """Write how many of the segments.

    Examples
    --------
    >>> _number(4, 5), _number(0, 5), _number(5, 5)
    ('4 of 5 segments', 'none of them', 'all 5 segments')
    """
    return "none of them" if not some else f"all {of} segments" if some == of else f"{some} of {of} segments"


def _surely(gains: pd.DataFrame, prefix: str) -> int:
    """Count the segments whose interval lies above 0."""
    return int((gains[f"{prefix}_low"] > 0).sum())
