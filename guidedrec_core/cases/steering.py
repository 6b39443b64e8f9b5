"""A user's steered list as a page shows it: titles, moves, and the change of the mix."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.explanation.steering.steer import HistoryScores, Steering, history_scores, steer
from guidedrec_core.explanation.steering.words import steered_sentence
from guidedrec_core.facts.fact import Fact
from guidedrec_core.facts.interactions import SECONDS_OF_YEAR
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.recommenders.steerable import steerable_facts


@dataclass(frozen=True)
class SteeredCase:
    """What a steering makes of a user's list.

    Attributes
    ----------
    before, after : pandas.DataFrame
        The lists: ``rank, item_id, title, other_rank`` (in the other list; 0 where it stands in the history there),
        ``move`` (places gained from before to after), ``status`` (`new`, `up`, `down`, `same`; before: `gone`).
    mix : pandas.DataFrame
        One row an attribute: ``attribute, label, low, high, before, after``, mean raw scores of both lists.
    sentence : str
        The same in plain words.
    """

    before: pd.DataFrame
    after: pd.DataFrame
    mix: pd.DataFrame
    sentence: str


def scores_after(
    system: RefinedRecommender, user_id: str, removed: tuple[int, ...] = (), added: tuple[int, ...] = ()
) -> HistoryScores:
    """Score the catalogue after a user's history, edited or not; what does not depend on any pull."""
    user = system.data.dataset.users.index(user_id)
    edited = Steering(removed=removed, added=added).edited(system.data.shown_history(user))
    return history_scores(system.refined, UserHistory(user, edited))


def steered_case(
    system: RefinedRecommender, plain: HistoryScores, edited: HistoryScores, pulls: tuple[float, ...], k: int = 10
) -> SteeredCase:
    """Rank again, and put the result into tables; parameters as in `steer`."""
    values = system.steerable_values[:, : len(pulls)]
    result = steer(system.refined, plain, edited, pulls, system.item_scores.values, k, values)
    before = _table(system, result.before, result.new_ranks, k, gone=True)
    after = _table(system, result.items, result.old_ranks, k, gone=False)
    mix = pd.DataFrame(
        {
            "attribute": system.schema.names,
            "label": [one.label for one in system.schema.attributes],
            "low": [one.low for one in system.schema.attributes],
            "high": [one.high for one in system.schema.attributes],
            "before": result.mix_before,
            "after": result.mix_after,
        }
    )
    moved = _fact_changes(system, result.before, result.items, pulls[len(system.schema) :])
    labels = [one.label for one in system.steerable.attributes]
    asked = dict(zip(labels, pulls, strict=False))
    return SteeredCase(before, after, mix, steered_sentence(after, mix, asked, moved))


def _fact_changes(
    system: RefinedRecommender, before: np.ndarray, after: np.ndarray, pulls: tuple[float, ...]
) -> dict[str, str]:
    """Say what becomes of the facts that are pulled, by label, e.g. ``{"Price": "58 to 41 on average"}``."""
    said = {}
    for (_, fact), pull in zip(steerable_facts(system), pulls, strict=False):
        if pull and fact.numbers is not None:
            means = [_mean_words(fact, fact.numbers[items]) for items in (before, after)]
            if all(means):
                same = means[0] == means[1]
                said[fact.label] = f"stays at {means[0]}" if same else f"{means[0]} to {means[1]} on average"
    return said


def _mean_words(fact: Fact, numbers: np.ndarray) -> str:
    """Write the mean of a list's values of a fact; empty where none is known."""
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return ""
    mean = float(known.mean())
    if fact.kind == "season":
        return pd.Timestamp(mean * SECONDS_OF_YEAR, unit="s").strftime("%B %Y")
    return f"{np.expm1(mean):,.0f} times" if fact.kind == "popularity" else f"{mean:,.4g}"


def _table(system: RefinedRecommender, items: np.ndarray, other: np.ndarray, k: int, gone: bool) -> pd.DataFrame:
    """Tabulate one of both lists."""
    rank = np.arange(1, len(items) + 1)
    move = np.where(other > 0, rank - other if gone else other - rank, 0)
    outside = (other == 0) | (other > k)
    status = np.select([outside, move > 0, move < 0], ["gone" if gone else "new", "up", "down"], "same")
    catalogue = system.data.dataset.catalogue.frame.iloc[items]
    return pd.DataFrame(
        {
            c.RANK: rank,
            c.ITEM: catalogue[c.ITEM].to_numpy(),
            c.TITLE: catalogue[c.TITLE].to_numpy(),
            "other_rank": other,
            "move": move,
            "status": status,
        }
    )
