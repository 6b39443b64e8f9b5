"""Is an explanation true? Remove what it ranks highest, and see whether the model's score changes most.

Deletion: remove the most important part first, then the next, and so on; insertion: start from nothing and add parts in
the same order (Petsiuk, Das and Saenko, BMVC 2018). After each step the model scores the item again. The measure is the
area: the mean change of the score over all steps, large if the parts ranked highest do count most. Both ends are the
same for every order, so areas of one case can be compared; random orders, newest first and the model's attention are
the comparisons, paired over users.

Shapes: V cases, one question each; S shares of steps, A attributes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.explanation.past_items.attention import has_attention, history_attention
from guidedrec_core.explanation.past_items.shapley import base_history_shapley, history_shapley
from guidedrec_core.explanation.question import Question
from guidedrec_core.models.base import BaseModel
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import block_size, mask_seen, ranks_of
from guidedrec_core.refinement.refined import RefinedModel

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

SHARES = np.linspace(0, 1, 11)
"""Shares of positions or attributes removed or added, S."""
EXPLANATION, RANDOM, ATTENTION, RECENCY = "explanation", "random", "attention", "newest first"
"""Orders."""
DELETION, INSERTION = "deletion", "insertion"
SCORE, DOUBLINGS = "score", "doublings"
"""Measures: change of the score; how often the rank doubled (deletion) or halved (insertion)."""

Orders = dict[str, list[list[IntArray]]]
"""By kind of order, for each case one order or several (their curves are averaged); most important first."""
Kept = list[list[BoolArray]]
"""For each case and each of its orders, what is present after each share of steps, ``[S, n]``."""


@dataclass(frozen=True)
class Fidelity:
    """Whether the model agrees with an explanation.

    Attributes
    ----------
    curves : pandas.DataFrame
        ``direction, order, share`` and the means over cases of ``score`` and ``doublings`` so far: the change that the
        direction aims at, away from the start.
    areas : pandas.DataFrame
        ``direction, measure, order``; ``area`` (mean of the curve) with its 95 % interval ``low, high``; for other
        orders than the explanation ``gap`` (the explanation's area minus this one's) with ``gap_low, gap_high``, and
        ``better``, the share of cases in which the explanation's is larger. Above 0, the explanation's order is better.
    n_cases : int
        V.
    """

    curves: pd.DataFrame
    areas: pd.DataFrame
    n_cases: int


def history_fidelity(
    model: RefinedModel | BaseModel,
    questions: list[Question],
    values: list[FloatArray] | None = None,
    seed: int = 0,
    draws: int = 5,
    evaluations: int = 1024,
    samples: int = 1000,
) -> Fidelity:
    """Remove positions from histories, and add them, in the order of an explanation.

    It is compared with random orders, newest first, and the model's attention where it has any (`has_attention`).

    Parameters
    ----------
    model : RefinedModel or BaseModel
        What is explained, and scores again.
    questions : list of Question
        V of them; each item is ranked among all that are not in its history.
    values : list of FloatArray, optional
        Effect of each position; larger comes first. By default Shapley values of the score.
    seed : int
        Of random orders, sampled Shapley values and resamples.
    draws : int
        Random orders per case.
    evaluations : int
        Of Shapley values; see `history_shapley`.
    samples : int
        Resamples of users.
    """
    if values is None:
        explain: Any = history_shapley if hasattr(model, "parts") else base_history_shapley
        values = [explain(model, each, seed=seed, evaluations=evaluations).each_position for each in questions]
    orders = _history_orders(model, questions, values, generator(seed, "fidelity", "history"), draws)
    kept: dict[tuple[str, str], Kept] = {
        (direction, name): [[_kept(order, direction) for order in each] for each in orders[name]]
        for direction in (DELETION, INSERTION)
        for name in orders
    }
    # Both ends, and often more steps, are the same for every order of a case: each is scored once.
    distinct: dict[tuple[int, bytes], BoolArray] = {}
    for case, mask in _each(kept.values()):
        distinct.setdefault((case, mask.tobytes()), mask)
    worth = dict(zip(distinct, _rescored(model, questions, distinct), strict=True))
    traces = {key: _traces(of_cases, worth) for key, of_cases in kept.items()}
    return _fidelity(traces, _users(questions), samples, seed)


def _history_orders(
    model: RefinedModel | BaseModel,
    questions: list[Question],
    values: list[FloatArray],
    rng: np.random.Generator,
    draws: int,
) -> Orders:
    """Return the orders in which positions are removed: the explanation's, and those it is compared with."""
    histories = [question.history for question in questions]
    orders: Orders = {
        EXPLANATION: [[_descending(each)] for each in values],
        RANDOM: [[rng.permutation(len(history)) for _ in range(draws)] for history in histories],
        RECENCY: [[np.arange(len(history))[::-1]] for history in histories],
    }
    if has_attention(model):
        orders[ATTENTION] = [[_descending(each)] for each in history_attention(model, _users(questions), histories)]
    return orders


def _traces(kept: Kept, worth: dict[tuple[int, bytes], FloatArray]) -> FloatArray:
    """Return score and rank of each case after each share of steps, the mean over its orders, ``[V, S, 2]``."""
    means = [
        np.mean([[worth[case, mask.tobytes()] for mask in masks] for masks in of_orders], axis=0)
        for case, of_orders in enumerate(kept)
    ]
    return np.array(means)


def attribute_fidelity(
    model: RefinedModel, questions: list[Question], seed: int = 0, draws: int = 5, samples: int = 1000
) -> Fidelity:
    """Set an item's attributes to the catalogue's mean, and back, in the order of their contributions.

    Each attribute's effect is the model's score of the item with that attribute changed. As every mode's score is
    linear in the item's own row of G, effects of several add up. Parameters as in `history_fidelity`; no history may
    contain the item explained.
    """
    rng = generator(seed, "fidelity", "attributes")
    names = [(direction, name) for direction in (DELETION, INSERTION) for name in (EXPLANATION, RANDOM)]
    traces: dict[tuple[str, str], list[FloatArray]] = {name: [] for name in names}
    for question in questions:
        item = question.item
        contributions, effects, scores = _effects(model, question)
        orders = {
            EXPLANATION: [_descending(contributions)],
            RANDOM: [rng.permutation(len(effects)) for _ in range(draws)],
        }
        for direction, name in names:
            kept = np.array([_kept(order, direction) for order in orders[name]])  # [orders, S, A]
            worth = scores[item] - ~kept @ effects  # [orders, S]
            # The other items keep their scores, so the rank needs no further pass of the model.
            others = np.repeat(scores[None], worth.size, axis=0)
            others[:, item] = worth.ravel()
            ranks = ranks_of(others.astype(np.float32), np.full(worth.size, item)).reshape(worth.shape)
            traces[direction, name].append(np.stack([worth, np.log2(ranks)], axis=2).mean(axis=0))
    return _fidelity({name: np.array(each) for name, each in traces.items()}, _users(questions), samples, seed)


def _users(questions: list[Question]) -> IntArray:
    """Return the user of each question, ``[V]``."""
    return np.array([question.user for question in questions], dtype=np.int64)


def _effects(model: RefinedModel, question: Question) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return contributions and measured effects of an item's attributes, ``[A]`` each, and all items' scores."""
    users, histories, item = question.users, question.histories, question.item
    parts = model.parts(users, histories)
    scores = mask_seen(parts.scores, histories)[0].astype(np.float64)
    table = model.item_values()
    average = table.mean(axis=0)
    contributions = parts.slopes[0].astype(np.float64) * (table[item] - average)
    effects = np.empty(len(average))
    for attribute in range(len(average)):
        changed = table[item].copy()
        changed[attribute] = average[attribute]
        without = model.with_item_value(item, changed).parts(users, histories, question.items).scores[0, 0]
        effects[attribute] = scores[item] - without
    return contributions, effects, scores


def _descending(values: FloatArray) -> IntArray:
    """Return the positions sorted by value, largest first; among equals, the last first."""
    order: IntArray = np.lexsort((-np.arange(len(values)), -values))
    return order


def _kept(order: IntArray, direction: str) -> BoolArray:
    """Return what is present after each share of steps, ``[S, n]``."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    done = place < np.round(SHARES * len(order))[:, None]  # [S, n]
    return ~done if direction == DELETION else done


def _each(kept: Iterable[Kept]) -> Iterable[tuple[int, BoolArray]]:
    """Yield every case with each mask of what is kept."""
    for of_cases in kept:
        for case, of_orders in enumerate(of_cases):
            for masks in of_orders:
                for mask in masks:
                    yield case, mask


def _rescored(model: Any, questions: list[Question], masks: dict[tuple[int, bytes], BoolArray]) -> FloatArray:
    """Return score and binary logarithm of the rank of each case's item, given what is kept, ``[n, 2]``."""
    users, items = _users(questions), np.array([question.item for question in questions], dtype=np.int64)
    histories = [question.history for question in questions]
    which = np.array([case for case, _ in masks])
    kept = list(masks.values())
    found = np.empty((len(kept), 2))
    size = block_size(model.n_items)
    by_length = np.argsort([mask.sum() for mask in kept], kind="stable")  # blocks of similar length need little padding
    for first in range(0, len(kept), size):
        part = by_length[first : first + size]
        shown = [histories[which[n]][kept[n]] for n in part]
        scores = model.scores(users[which[part]], shown)
        own = scores[np.arange(len(part)), items[which[part]]]
        # Candidates are those of the whole history, whichever part of it is shown.
        scores = mask_seen(scores, [histories[case] for case in which[part]])
        scores[np.arange(len(part)), items[which[part]]] = own
        found[part] = np.stack([own, np.log2(ranks_of(scores, items[which[part]]))], axis=1)
    return found


def _fidelity(traces: dict[tuple[str, str], FloatArray], users: IntArray, samples: int, seed: int) -> Fidelity:
    """Summarise curves ``[V, S, 2]`` of score and rank, by direction and order."""
    curves, areas = [], []
    gains = {}
    for (direction, order), trace in traces.items():
        sign = np.array([-1, 1]) if direction == DELETION else np.array([1, -1])
        gain = sign * (trace - trace[:, :1])  # [V, S, 2]
        mean = gain.mean(axis=0)
        named = {SCORE: mean[:, 0], DOUBLINGS: mean[:, 1]}
        curves.append(pd.DataFrame({"direction": direction, "order": order, "share": SHARES, **named}))
        for number, measure in enumerate((SCORE, DOUBLINGS)):
            gains[direction, measure, order] = np.trapezoid(gain[:, :, number], SHARES, axis=1)  # [V]
    names = list(gains)
    columns = np.stack(list(gains.values()), axis=1)
    bootstrap = UserBootstrap(columns, users, samples, generator(seed, "fidelity", "bootstrap"))
    for number, (direction, measure, order) in enumerate(names):
        area = bootstrap.mean(number)
        row: dict[str, Any] = {"direction": direction, "measure": measure, "order": order}
        row |= {"area": area.value, "low": area.low, "high": area.high}
        if order != EXPLANATION:
            own = names.index((direction, measure, EXPLANATION))
            gap = bootstrap.difference(own, number)
            row |= {"gap": gap.value, "gap_low": gap.low, "gap_high": gap.high}
            row["better"] = float(np.mean(columns[:, own] > columns[:, number]))
        areas.append(row)
    return Fidelity(pd.concat(curves, ignore_index=True), pd.DataFrame(areas), len(users))
