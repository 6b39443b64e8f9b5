"""`Case`: one user (and item) under study, everything a page shows, computed once and frozen."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.cases.key import CaseKey
from guidedrec_core.data.dataset import Shown
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation import words
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.models.base import FloatArray
from guidedrec_core.ranking.ranks import mask_seen, top_k
from guidedrec_core.recommenders.explanation import Explanation, all_ranks, explain_item, profile_table
from guidedrec_core.recommenders.refined import RefinedRecommender


@dataclass(frozen=True)
class Case:
    """One user under study.

    Attributes
    ----------
    user_id : str
        The user.
    run_id : str
        The refined run.
    shown : {"full", "train+valid", "train"}
        Which part of the history the models were shown.
    sentence : str
        Who this is, in plain words.
    history : pandas.DataFrame
        What the models saw, newest first: ``position, datetime, item_id, title, category, weight, strongest`` (the
        three attributes that stand out most, in words), ``price`` where the catalogue has it, and one raw score column
        an attribute.
    profile : pandas.DataFrame
        One row an attribute: ``attribute, label, low, high, user_value`` (z), ``user_score, catalogue_score`` (raw),
        ``weight`` (learned).
    base, refined : pandas.DataFrame
        Top lists: ``rank, item_id, title, category, score, other_rank`` (in the other model), ``move`` (places gained
        from base to refined), ``status`` (`new`, `up`, `down`, `same`; in the base list `gone` instead of `new`),
        ``held_out``; with rules, the refined list also has ``rules``, the names of those that act on the item.
    held_out : pandas.DataFrame
        What the user chose next, which neither model saw: ``item_id, title, base_rank, refined_rank``.
    selected : Explanation or None
        The item under study.
    rules : str
        The rules that the case was computed with, as in `CaseKey`; empty for none.
    """

    user_id: str
    run_id: str
    shown: Shown
    sentence: str
    history: pd.DataFrame
    profile: pd.DataFrame
    base: pd.DataFrame
    refined: pd.DataFrame
    held_out: pd.DataFrame
    selected: Explanation | None
    rules: str = ""

    @property
    def key(self) -> CaseKey:
        """The key of this case, with the item under study."""
        item_id = None if self.selected is None else self.selected.item_id
        return CaseKey(self.run_id, self.user_id, item_id, self.shown, self.rules)


def build_case(system: RefinedRecommender, user_id: str, item_id: str | None = None, k: int = 10) -> Case:
    """Compute a case.

    Parameters
    ----------
    system : RefinedRecommender
        An opened refined run.
    user_id : str
        The user to study.
    item_id : str, optional
        The item to explain; default is the refined model's first recommendation.
    k : int
        Length of the lists.

    Raises
    ------
    UnknownIdError
        No such user or item.
    """
    data = system.data
    user = data.dataset.users.index(user_id)
    wanted = None if item_id is None else data.dataset.items.index(item_id)
    given = UserHistory.shown(data, user)
    scores = {
        name: mask_seen(system.model(name).scores(given.users, given.histories), given.histories)
        for name in ("base", "refined")
    }
    ranks = {name: all_ranks(s[0]) for name, s in scores.items()}
    held_out = data.held_out(user)
    lists = {
        name: _list_table(system, top_k(scores[name], k)[0], name, scores[name][0], ranks, held_out, k)
        for name in scores
    }
    if system.rules is not None:
        lists["refined"]["rules"] = _acting_rules(system, given, lists["refined"])
    profile = profile_table(system, given)
    if wanted is None and len(lists["refined"]):
        wanted = data.dataset.items.index(str(lists["refined"][c.ITEM].iloc[0]))
    catalogue = data.dataset.catalogue.frame
    return Case(
        user_id=user_id,
        run_id=system.run_id,
        shown=data.shown,
        sentence=_user_sentence(system, profile, given.history),
        history=_history_table(system, given),
        profile=profile,
        base=lists["base"],
        refined=lists["refined"],
        held_out=pd.DataFrame(
            {
                c.ITEM: data.dataset.items.ids[held_out],
                c.TITLE: catalogue[c.TITLE].to_numpy()[held_out],
                "base_rank": ranks["base"][held_out],
                "refined_rank": ranks["refined"][held_out],
            }
        ),
        selected=None if wanted is None else explain_item(system, given.ask(wanted, k), ranks, profile),
    )


def _list_table(
    system: RefinedRecommender,
    items: IntArray,
    name: str,
    scores: FloatArray,
    ranks: dict[str, IntArray],
    held_out: IntArray,
    k: int,
) -> pd.DataFrame:
    """Make one top list with the moves between base and refined."""
    items = items[items >= 0]
    base, refined = ranks["base"][items], ranks["refined"][items]
    other = base if name == "refined" else refined
    move = base - refined
    status = np.select([other > k, move > 0, move < 0], ["new" if name == "refined" else "gone", "up", "down"], "same")
    catalogue = system.data.dataset.catalogue.frame.iloc[items]
    return pd.DataFrame(
        {
            c.RANK: np.arange(1, len(items) + 1),
            c.ITEM: catalogue[c.ITEM].to_numpy(),
            c.TITLE: catalogue[c.TITLE].to_numpy(),
            c.CATEGORY: catalogue[c.CATEGORY].to_numpy(),
            c.SCORE: scores[items],
            "other_rank": other,
            "move": move,
            "status": status,
            "held_out": np.isin(items, held_out),
        }
    )


def _acting_rules(system: RefinedRecommender, given: UserHistory, listed: pd.DataFrame) -> list[str]:
    """Return the names of the rules that act on each item of a list; empty where none does."""
    assert system.rules is not None
    scores = system.refined.scores(given.users, given.histories)[0]
    items = system.data.dataset.items.indexes(listed[c.ITEM])
    added = system.rules.amounts(scores, given.user, given.history)[:, items]
    names = [rule.name for rule in system.rules.rules]
    return [", ".join(name for name, value in zip(names, each, strict=True) if value != 0) for each in added.T]


def _user_sentence(system: RefinedRecommender, profile: pd.DataFrame, history: IntArray) -> str:
    """Say who the user is."""
    values, weights, verb = profile["user_value"].to_numpy(), profile["weight"].to_numpy(), system.verb
    taste = words.profile_sentence(values, weights, system.schema, verb)
    if not len(history):
        return f"{taste}. The models see no {verb.nouns}."
    title = system.data.dataset.catalogue.frame[c.TITLE].iloc[int(history[-1])]
    return f"{taste}. {verb.count(len(history))}, last: {title}."


def _history_table(system: RefinedRecommender, given: UserHistory) -> pd.DataFrame:
    """Tabulate the history, newest first."""
    data, history = system.data, given.history
    start = int(data.sequences.starts[given.user])
    rows = data.dataset.catalogue.frame.iloc[history]
    interactions = data.dataset.interactions.frame.iloc[start : start + len(history)]
    table = pd.DataFrame(
        {
            "position": np.arange(1, len(history) + 1),
            c.DATETIME: interactions[c.DATETIME].to_numpy(),
            c.ITEM: rows[c.ITEM].to_numpy(),
            c.TITLE: rows[c.TITLE].to_numpy(),
            c.CATEGORY: rows[c.CATEGORY].to_numpy(),
            **({c.PRICE: rows[c.PRICE].to_numpy()} if c.PRICE in rows else {}),
            c.WEIGHT: interactions[c.WEIGHT].to_numpy(),
            "strongest": [_strongest(system, item) for item in history.tolist()],
        }
    )
    raw = pd.DataFrame(system.item_scores.values[history], columns=list(system.schema.names))
    return pd.concat([table, raw], axis=1).iloc[::-1].reset_index(drop=True)


def _strongest(system: RefinedRecommender, item: int, most: int = 3) -> str:
    """Say on which attributes an item differs most from the catalogue."""
    scored = np.flatnonzero(~np.isnan(system.item_scores.values[item]))
    z = system.refined.item_values()[item, scored].astype(np.float64)
    return words.distinctive_words(tuple(system.schema.attributes[a] for a in scored), z, most)
