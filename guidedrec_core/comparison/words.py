"""What a comparison of two runs says, in sentences with numbers. Templates only."""

import numpy as np
import pandas as pd

from guidedrec_core.audience.answer_words import share_words
from guidedrec_core.comparison.compare import Comparison
from guidedrec_core.comparison.list_change import ListChange
from guidedrec_core.comparison.score_change import ADDED, REMOVED, REWORDED, ScoreChange
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.verdict import metric_noun
from guidedrec_core.explanation.words import listing, lower_first

_MOST_NAMED = 3
_SHOWN_DIGITS = 3


def lead_sentence(found: Comparison, verb: InteractionVerb) -> str:
    """Say whose lists changed, and what became of ranking quality.

    Parameters
    ----------
    found : Comparison
        What changed.
    verb : InteractionVerb
        What users do.
    """
    row = found.metric(f"NDCG@{found.lists.k}")
    return f"{_lists(found.lists, verb)} {quality_sentence(row)}"


def quality_sentence(row: pd.Series) -> str:
    """Say how a metric changed.

    Parameters
    ----------
    row : pandas.Series
        Of `Comparison.metrics`.

    Examples
    --------
    >>> numbers = {"before": 0.157, "after": 0.158, "difference": 0.001, "low": -0.001, "high": 0.003}
    >>> quality_sentence(pd.Series({"metric": "NDCG@10", **numbers}))
    'Ranking quality in the top 10 shows no clear change: 0.157 to 0.158 (change -0.001 to +0.003).'
    """
    noun = metric_noun(str(row["metric"]))
    start = f"{noun[:1].upper()}{noun[1:]}"
    if row["low"] == row["high"] == 0:
        return f"{start} stays at {row['after']:.3f}."
    numbers = f"{row['before']:.3f} to {row['after']:.3f} (change {_signed(row['low'])} to {_signed(row['high'])})"
    if row["low"] <= 0 <= row["high"]:
        return f"{start} shows no clear change: {numbers}."
    return f"{start} {'rises' if row['low'] > 0 else 'falls'} from {numbers}."


def gain_sentence(row: pd.Series, verb: InteractionVerb) -> str:
    """Say what each run gains over its base; empty where that is undefined.

    Parameters
    ----------
    row : pandas.Series
        Of `Comparison.gains`.
    verb : InteractionVerb
        What users do.
    """
    if np.isnan(row["before"]) or np.isnan(row["after"]):
        return ""
    if row["low"] == row["high"] == 0:
        return f"The gain over the base model stays at {row['after']:+.1%}."
    ends = f"{_points(row['low'])} to {_points(row['high'])}"
    return (
        f"The gain over the base model was {row['before']:+.1%} and is {row['after']:+.1%}: a change of "
        f"{_points(row['difference'])} points ({ends})."
    )


def overlap_sentence(lists: ListChange, verb: InteractionVerb) -> str:
    """Say how much of the lists stayed.

    Parameters
    ----------
    lists : ListChange
        Whose lists changed.
    verb : InteractionVerb
        What users do.
    """
    if not lists.changed:
        return ""
    return (
        f"On average {share_words(lists.overlap)} of a {verb.user}'s {lists.k} items stayed; "
        f"{verb.count_users(lists.entered)} get at least one other item, the others the same items in another order. "
        f"The first item is another one for {lists.first:,}."
    )


def score_sentence(scores: ScoreChange, verb: InteractionVerb) -> str:
    """Say which attributes came or went, and how many scores differ.

    Parameters
    ----------
    scores : ScoreChange
        What changed.
    verb : InteractionVerb
        What users do.
    """
    parts = []
    for state, what in ((ADDED, "New"), (REMOVED, "Gone"), (REWORDED, "Reworded")):
        labels = scores.named(state)
        if labels:
            parts.append(f"{what}: {listing([lower_first(label) for label in labels])}.")
    items = scores.items
    if len(items):
        n, on, by_hand = len(items), items["item_id"].nunique(), int((items["who"] != "").sum())
        who = "" if not by_hand else ", set by hand" if by_hand == n else f", {by_hand:,} of them set by hand"
        what = "1 score differs" if n == 1 else f"{n:,} scores of {on:,} item{'' if on == 1 else 's'} differ"
        parts.append(f"{what}{who}.")
    if scores.users:
        verbs = "has" if scores.users == 1 else "have"
        parts.append(f"{verb.count_users(scores.users)} {verbs} other scores of their own.")
    return " ".join(parts) or "All scores and attributes are the same."


def cell_sentence(row: pd.Series) -> str:
    """Say how one score differs, e.g. ``"Warmth of Ridge Parka: 5 before, 8 after, set by Ann: it is a parka."``."""
    was, now = ("not scored" if np.isnan(v) else f"{v:g}" for v in (row["before"], row["after"]))
    why = f", set by {row['who']}: {row['why']}" if row["who"] else ""
    return f"{row['label']} of {row['title']}: {was} before, {now} after{why}."


def named_sentence(found: Comparison) -> str:
    """Say how much of what decides the lists has a name; empty where that was not measured."""
    shares = found.share_named
    if shares is None:
        return ""
    was, now = (share_words(min(max(share, 0.0), 1.0)) for share in shares)
    if was == now:
        return f"{now} of what orders the 50 best items has a name, as before."
    return f"{now} of what orders the 50 best items has a name, {was} before."


def chance_sentences(found: Comparison, verb: InteractionVerb) -> list[str]:
    """Say what of it the changed scores do by themselves, and what training again would change anyway.

    Parameters
    ----------
    found : Comparison
        What changed.
    verb : InteractionVerb
        What users do.
    """
    return [sentence for sentence in (_direct(found, verb), _repeat(found, verb), _settings(found)) if sentence]


def _direct(found: Comparison, verb: InteractionVerb) -> str:
    """Say what changed scores do before anything is trained."""
    direct, n = found.direct, len(found.scores.items)
    if direct is None:
        return ""
    what = "the changed score" if n == 1 else f"the {n:,} changed scores"
    of = "" if direct.users == found.lists.users else f" of a sample of {direct.users:,}"
    gives = "gives" if n == 1 else "give"
    if not direct.changed:
        return f"By {'itself' if n == 1 else 'themselves'}, before training, {what} {gives} nobody{of} another list."
    return (
        f"By {'itself' if n == 1 else 'themselves'}, before training, {what} {gives} "
        f"{verb.count_users(direct.changed)}{of} another top {found.lists.k}; {direct.entered:,} of them get at least "
        "one other item. The rest comes with training again."
    )


def _repeat(found: Comparison, verb: InteractionVerb) -> str:
    """Say what training again with another seed changes, and whether this is more."""
    repeat, row, lists = found.repeat, found.metric(f"NDCG@{found.lists.k}"), found.lists
    if not lists.changed:
        return ""
    if repeat is None:
        return "How much of this is chance in training has not been measured."
    chance = repeat.difference(str(row["metric"]))
    more_lists, more_quality = lists.changed > repeat.changed, abs(row["difference"]) > abs(chance)
    verdict = {
        (False, False): "What changed here is no more than that.",
        (False, True): "No more lists changed here than that; ranking quality moved more.",
        (True, False): "More lists changed here than that; ranking quality moved no more.",
        (True, True): "Here more changed than that.",
    }[more_lists, bool(more_quality)]
    return (
        f"Chance in training: the earlier run, trained again with another seed and nothing else changed, gives "
        f"{verb.count_users(repeat.changed)} another top {lists.k} and moves ranking quality by {_signed(chance)}. "
        f"{verdict}"
    )


def _settings(found: Comparison) -> str:
    """Say what else differs in how the runs were made."""
    if not len(found.settings):
        return "" if found.same_base else "The base models differ, so not all of this comes from the scores."
    names = [str(name).rpartition(".")[2].replace("_", " ") for name in found.settings["setting"]]
    more = f", {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    what = f"{', '.join(names[:_MOST_NAMED])}{more}"
    return f"The runs were made with different settings, too ({what}), so not all of this comes from the scores."


def _lists(lists: ListChange, verb: InteractionVerb) -> str:
    """Say whose lists changed."""
    if not lists.users:
        return f"No {verb.user} has a list in both runs."
    everyone = verb.count_users(lists.users)
    if not lists.changed:
        return f"No list changed: all {everyone} keep their top {lists.k}."
    gets = "gets" if lists.changed == 1 else "get"
    return f"{lists.changed:,} of {everyone} {gets} another top {lists.k}; {lists.entered:,} at least one other item."


def _signed(value: float) -> str:
    """Write a difference; what is shown as zero has no sign."""
    shown = round(float(value), _SHOWN_DIGITS)
    return f"{shown:+.{_SHOWN_DIGITS}f}" if shown else f"{0:.{_SHOWN_DIGITS}f}"


def _points(share: float) -> str:
    """Write a difference of shares in points."""
    shown = round(100 * float(share), 1)
    return f"{shown:+.1f}" if shown else "0.0"
