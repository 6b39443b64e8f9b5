"""List measures as people read them."""

from dataclasses import asdict

import pandas as pd

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.beyond import COVERAGE, DIVERSITY, GINI, MISCALIBRATION, NOVELTY, POPULARITY_BIAS
from guidedrec_core.evaluation.report import REFINED
from guidedrec_core.language import percent

LIST_WORDS = {
    COVERAGE: "Catalogue shown",
    GINI: "Concentration",
    NOVELTY: "Novelty",
    POPULARITY_BIAS: "Popularity",
    DIVERSITY: "Variety",
    MISCALIBRATION: "Distance from taste",
}
"""Measures of `beyond` by name without cut-off, in order of display."""

_LIST_MEANINGS = {
    COVERAGE: "share of all items that are in at least one user's list",
    GINI: "how much the lists concentrate on a few items: 0 = all items equally often, near 1 = a few fill all lists",
    NOVELTY: "how rare the listed items are: 1 more means {participle} half as often",
    POPULARITY_BIAS: "average number of {nouns} of a listed item in the training data",
    DIVERSITY: "how much the items of one list differ in their attributes: 0 = all alike, 1 = unrelated",
    MISCALIBRATION: "how far a list's average attributes are from the {user}'s history: 0 = the same mix",
}


def list_meaning(name: str, verb: InteractionVerb) -> str:
    """Say what a measure, by its name without cut-off, says.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import BOUGHT
    >>> list_meaning(POPULARITY_BIAS, BOUGHT)
    'average number of purchases of a listed item in the training data'
    """
    return _LIST_MEANINGS[name].format(**asdict(verb))


def list_figure(metric: str, value: float) -> str:
    """Write a measure with a fitting number of digits.

    Examples
    --------
    >>> list_figure("Coverage@10", 0.4567), list_figure("ARP@10", 123.456), list_figure("Diversity@10", 0.8123)
    ('46 %', '123.5', '0.812')
    """
    name = metric.partition("@")[0]
    if name == COVERAGE:
        return percent(value)
    return f"{value:.1f}" if name == POPULARITY_BIAS else f"{value:.3f}"


def list_changes(lists: pd.DataFrame) -> dict[str, str]:
    """Write what refinement changed in each measure that is a mean over users.

    Parameters
    ----------
    lists : pandas.DataFrame
        `EvaluationReport.lists`.

    Returns
    -------
    dict of str to str
        By measure, e.g. ``"+0.120 (95 % interval +0.080 to +0.160)"``.
    """
    rows = lists[(lists["model"] == REFINED) & lists["change_low"].notna()]
    changes = {}
    for row in rows.to_dict("records"):
        digits = 1 if row["metric"].startswith(POPULARITY_BIAS) else 3
        middle, low, high = (f"{row[name]:+.{digits}f}" for name in ("change", "change_low", "change_high"))
        changes[row["metric"]] = f"{middle} (95 % interval {low} to {high})"
    return changes
