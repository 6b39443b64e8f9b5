"""How much of what decides the lists has a name, in plain words. Templates only."""

import pandas as pd

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.words import listing, lower_first
from guidedrec_core.language import percent

PART_WORDS = {
    "attribute": "attributes",
    "fact": "facts",
    "popularity": "popularity",
    "neighbours": "similar items",
    "unnamed": "no name",
    "unnamed_out_of_fold": "no name, each item named without itself",
    "to_be_named": "before naming",
    "random_columns": "named by random numbers",
    "shuffled_columns": "named by shuffled columns",
}
"""Parts of a score as people read them, in a table of shares."""


def named_sentence(frontier: pd.DataFrame, lines: pd.DataFrame, most: int = 3) -> str:
    r"""Say what ranking by names alone keeps, and which names decide most.

    Parameters
    ----------
    frontier, lines : pandas.DataFrame
        See `NamedReport`.
    most : int
        Names said at most.

    Examples
    --------
    >>> frontier = pd.DataFrame({"unnamed_weight": [0.0, 1.0], "ndcg": [0.170, 0.173]})
    >>> lines = pd.DataFrame({"label": ["Category", "Popularity", "Warmth"], "share": [0.57, 0.2, 0.02]})
    >>> print(named_sentence(frontier, lines, most=2).replace(". ", ".\n"))
    Ranked by reasons with a name alone, lists keep 98 % of their ranking quality.
    Category and popularity decide most.
    """
    alone, full = (float(frontier.loc[frontier["unnamed_weight"] == weight, "ndcg"].iloc[0]) for weight in (0.0, 1.0))
    order = lines["share"].sort_values(ascending=False, kind="stable").index[:most]
    labels = [lower_first(label) for label in lines.loc[order, "label"]]
    names = listing(labels)
    decide = f"{names[:1].upper()}{names[1:]} {'decide' if len(labels) > 1 else 'decides'} most." if labels else ""
    if full <= 0:
        return decide
    kept = alone / full
    if kept >= 0.995:
        said = "Ranked by reasons with a name alone, lists are as good as with everything the model knows."
    else:
        said = f"Ranked by reasons with a name alone, lists keep {percent(kept)} of their ranking quality."
    return f"{said} {decide}".strip()


def control_sentence(shares: pd.DataFrame, verb: InteractionVerb) -> str:
    """Say what is left without a name, and that names are earned.

    Parameters
    ----------
    shares : pandas.DataFrame
        See `NamedReport`.
    verb : InteractionVerb
        What users do.
    """
    share = dict(zip(shares["part"], shares["share"], strict=True))
    unnamed = max(share["unnamed_out_of_fold"], 0.0)
    random = max(share["random_columns"], 0.0)
    return (
        f"Of what separates each {verb.user}'s 50 best items, {percent(unnamed)} has no name, with every item named by "
        f"what was learned from the other items. As many columns of random numbers would name {percent(random)}."
    )
