"""What people's judgements say of guided scores, in words."""

import math
from collections.abc import Mapping
from typing import Any

from guidedrec_core.audit.human import FAIR, FEWEST, STRONG, TOO_FEW
from guidedrec_core.explanation.words import listing


def sentences(summary: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    """Say how far scores agree with people, and which attributes to be careful with.

    Parameters
    ----------
    summary : mapping
        See `human.HumanAudit`.
    labels : mapping of str to str
        Attributes as people read them.
    """
    if not summary["attributes"]:
        return [f"Too few judgements to tell: an attribute needs {FEWEST} judged items that have scores."]
    mean = interval(summary["mean_spearman"], summary["mean_spearman_low"], summary["mean_spearman_high"])
    one = summary["attributes"] == 1
    said = [f"Scores agree with people by {mean} out of 1{'' if one else ' on average'} (rank correlation)."]
    if summary["columns"] > 1:
        best = f"For {summary['best_of_columns']} of {summary['attributes']} attribute{'' if one else 's'}"
        said.append(f"{best} the column with the right name agrees best of all {summary['columns']}.")
    if not math.isnan(summary["people_pairs"]):
        people = interval(summary["people_pairs"], summary["people_pairs_low"], summary["people_pairs_high"])
        own = interval(summary["one_person"], summary["one_person_low"], summary["one_person_high"])
        sentence = f"Two people agree by {people}; scores and one of them by {own}."
        if not math.isnan(summary["ceiling"]):
            sentence += f" With so few answers each, no scores could reach more than about {summary['ceiling']:.2f}."
        said.append(sentence)
    if not math.isnan(summary["mean_categories"]):
        said.append(
            f"In place of scores, categories reach {summary['mean_categories']:.2f}, shuffled scores "
            f"{summary['mean_shuffled']:.2f}."
        )
    if summary["weak"]:
        said.append(f"Weak: {listing([labels.get(name, name) for name in summary['weak']])}.")
    if summary["too_few"]:
        said.append(f"Too few judgements: {listing([labels.get(name, name) for name in summary['too_few']])}.")
    return said


def phrase(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    """Give the verdict on one attribute, and the reason where it is weak.

    Parameters
    ----------
    row : mapping of str
        Of the table of `human.human_agreement`.
    labels : mapping of str to str
        Attributes as people read them.
    """
    verdict = str(row["verdict"])
    if verdict in (STRONG, FAIR):
        return verdict
    if verdict == TOO_FEW:
        return f"too few judged items ({FEWEST} needed)"
    reasons = []
    if row["rank"] > 1:
        other = str(row["best_other"])
        reasons.append(f"{labels.get(other, other)} agrees better ({row['best_other_spearman']:+.2f})")
    if not row["ci_low"] > row["shuffled_high"]:
        reasons.append("may be chance")
    if row["lead"] <= 0:
        reasons.append("categories do as well")
    return f"weak: {', '.join(reasons)}"


def number(value: float) -> str:
    """Write a correlation; nothing where it is unknown."""
    return "" if math.isnan(value) else f"{value:.2f}"


def interval(value: float, low: float, high: float) -> str:
    """Write a correlation with its 95 % interval; nothing where it is unknown."""
    return "" if math.isnan(value) else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def place(row: Mapping[Any, Any], columns: int) -> str:
    """Write the place of the attribute's own column among all columns; nothing where it is unknown."""
    return "" if math.isnan(row["rank"]) else f"{row['rank']:.0f} of {columns}"
