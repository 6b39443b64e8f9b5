"""What rules would do before they are switched on: to lists, to exposure, and to how well the lists predict."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError
from guidedrec_core.evaluation.bootstrap import Interval, UserBootstrap
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.adjustments import Adjustments
from guidedrec_core.ranking.exposure import ListChanges, compare_lists
from guidedrec_core.ranking.ranks import block_size, mask_seen, ndcg_at, ranks_of, top_k
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.rules.rule import RuleSet, adjustments

Doubles = npt.NDArray[np.float64]
SAMPLES = 1000
"""Resamples of users for an interval."""


@dataclass(frozen=True)
class RulePreview(ListChanges):
    """The refined lists of all users before and after some rules; see `ListChanges`.

    Attributes
    ----------
    rules : pandas.DataFrame
        One row a rule, each alone on top of what is on before: ``rule, kind, items, users, changed`` (items and users
        it concerns, users whose list it changes).
    before, after : Interval
        NDCG of the held-out items at k, with 95 % intervals.
    difference : Interval
        After less before, paired by user.
    cases : int
        Held-out items.
    """

    rules: pd.DataFrame
    before: Interval
    after: Interval
    difference: Interval
    cases: int


def preview_rules(
    model: RefinedRecommender, rules: RuleSet, names: Iterable[str] | None = None, k: int = 10, seed: int = 0
) -> RulePreview:
    """Compute what rules do to the lists of all users.

    Parameters
    ----------
    model : RefinedRecommender
        A refined recommender; the rules that it has itself do not count.
    rules : RuleSet
        The rules; those that are on and not looked at apply before and after.
    names : iterable of str, optional
        The rules to look at; by default those that are off, or all where none is.
    k : int
        Length of the lists.
    seed : int
        Of the resamples.

    Raises
    ------
    InputError
        There is no rule of a name, none at all, or one does not fit the data set; see `adjustments`.
    """
    if not rules.rules:
        raise InputError("expected at least one rule, got none; write one first")
    off = tuple(rule.name for rule in rules.rules if not rule.on)
    own = {rule.name for rule in rules.take(names if names is not None else off or rules.names)}
    # In the order of the file, so that pins of one place have the same precedence as when the rules are applied.
    both = adjustments([rule for rule in rules.rules if rule.on or rule.name in own], model)
    standing = Adjustments(tuple(rule for rule in both.rules if rule.name not in own))
    looked_at = [rule for rule in both.rules if rule.name in own]
    alone = [Adjustments(tuple(r for r in both.rules if r.name not in own or r is rule)) for rule in looked_at]
    lists = _lists(model, [standing, both, *alone], k)
    before, after = lists[0], lists[1]
    rows = [
        (
            rule.name,
            rule.kind,
            int(rule.items.sum()),
            len(before) if rule.users is None else int(rule.users.sum()),
            _changed(before, made),
        )
        for rule, made in zip(looked_at, lists[2:], strict=True)
    ]
    found = held_out_ndcg(model, [standing, both], k)
    bootstrap = UserBootstrap(found[0], found[1], SAMPLES, generator(seed, "preview of rules"))
    lists_compared = compare_lists(model.data.dataset.catalogue, len(before), np.arange(len(before)), before, after)
    return RulePreview(
        **vars(lists_compared),
        rules=pd.DataFrame(rows, columns=["rule", "kind", "items", "users", "changed"]),
        before=bootstrap.mean(0),
        after=bootstrap.mean(1),
        difference=bootstrap.difference(1, 0),
        cases=len(found[1]),
    )


def acting_rules(
    rules: Adjustments, model: RefinedRecommender, table: pd.DataFrame, history: IntArray | None = None
) -> list[dict[str, float]]:
    """Return what rules add to each row of a table of recommendations, by rule, those that add nothing left out.

    Parameters
    ----------
    rules : Adjustments
        The rules that the lists were made with.
    model : RefinedRecommender
        Whose lists they are, with the same part of the histories shown.
    table : pandas.DataFrame
        ``user_id, item_id`` in any order.
    history : IntArray, optional
        Item indexes of somebody unknown, to whom all rows belong.
    """
    items = model.data.dataset.items.indexes(table[c.ITEM])
    users = model.data.dataset.users.indexes(table[c.USER]) if history is None else np.full(len(items), -1)
    found: list[dict[str, float]] = []
    different, row = np.unique(users, return_inverse=True)
    order = np.argsort(row, kind="stable")
    row, items = row[order], items[order]
    size = block_size(model.refined.n_items)
    for first in range(0, len(different), size):
        block = different[first : first + size]
        histories = [model.data.shown_history(u) if history is None else history for u in block.tolist()]
        here = (row >= first) & (row < first + len(block))
        added = rules.added(model.refined.scores(block, histories), block, histories, row[here] - first, items[here])
        found += [
            {rule.name: float(value) for rule, value in zip(rules.rules, values, strict=True) if value != 0}
            for values in added
        ]
    back = np.argsort(order, kind="stable")
    return [found[place] for place in back.tolist()]


def held_out_ndcg(model: RefinedRecommender, rules: list[Adjustments], k: int) -> tuple[Doubles, IntArray]:
    """Return NDCG@k of the held-out items under each of several rules, ``[n_cases, R]``, and users ``[n_cases]``."""
    data, cases = model.data, model.data.test_cases
    found, size = np.empty((len(cases), len(rules))), block_size(model.refined.n_items)
    for first in range(0, len(cases), size):
        part = slice(first, first + size)
        users, lengths = cases.users[part], cases.lengths[part]
        histories = [data.sequences.history(u, n) for u, n in zip(users.tolist(), lengths.tolist(), strict=True)]
        scores = model.refined.scores(users, histories)
        for column, each in enumerate(rules):
            final = mask_seen(each.applied(scores, users, histories).astype(np.float32), histories)
            # A held-out item that a rule excludes is not found at all.
            gained = ndcg_at(ranks_of(final, cases.targets[part]), k)
            found[part, column] = gained * np.isfinite(final[np.arange(len(users)), cases.targets[part]])
    return found, cases.users


def _lists(model: RefinedRecommender, rules: list[Adjustments], k: int) -> list[IntArray]:
    """Return all users' lists under each of several rules, ``[n_users, k]`` each; the model scores once."""
    data, scorer = model.data, model.refined
    n_users = len(data.dataset.users)
    lists = [np.full((n_users, min(k, scorer.n_items)), -1, dtype=np.int64) for _ in rules]
    size = block_size(scorer.n_items)
    for first in range(0, n_users, size):
        block = np.arange(first, min(first + size, n_users))
        histories = [data.shown_history(user) for user in block.tolist()]
        scores = scorer.scores(block, histories)
        for made, each in zip(lists, rules, strict=True):
            final = each.applied(scores, block, histories).astype(np.float32)
            made[block] = top_k(mask_seen(final, histories), k)
    return lists


def _changed(before: IntArray, after: IntArray) -> int:
    """Count the users whose list is not the same in every place."""
    return int((before != after).any(axis=1).sum())
