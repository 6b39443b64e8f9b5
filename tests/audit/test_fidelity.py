"""Deletion and insertion: an explanation that is right has the ideal curve, others do worse."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import torch
from small_models import COLD, KINDS, MAKERS, N_ITEMS, additive, base_of, head, literal, random_questions, stirred
from tiny import ENCODER, arrays

from guidedrec_core.audit.fidelity import (
    ATTENTION,
    DELETION,
    DOUBLINGS,
    EXPLANATION,
    INSERTION,
    RANDOM,
    RECENCY,
    SCORE,
    SHARES,
    Fidelity,
    attribute_fidelity,
    history_fidelity,
)
from guidedrec_core.explanation.past_items.attention import has_attention, history_attention
from guidedrec_core.explanation.question import Question
from guidedrec_core.models.registry import make_base

CASES = 12


class Planted:
    """A base model that adds up what each item of the history brings, whatever its place."""

    n_items = 30

    def __init__(self) -> None:
        self.vectors = np.random.default_rng(5).normal(size=(self.n_items, 4)).astype(np.float32)

    def user_vectors(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        return np.stack([self.vectors[history].sum(axis=0) for history in histories])

    def item_embedding(self) -> np.ndarray:
        return self.vectors

    def item_bias(self) -> np.ndarray:
        return np.zeros(self.n_items, np.float32)

    def scores(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        return self.user_vectors(users, histories) @ self.vectors.T


def row(result: Fidelity, direction: str, measure: str, order: str) -> dict[str, float]:
    table = result.areas
    (found,) = table[
        (table["direction"] == direction) & (table["measure"] == measure) & (table["order"] == order)
    ].to_dict("records")
    return found


def curve_of(result: Fidelity, direction: str, order: str) -> pd.DataFrame:
    table = result.curves
    return table[(table["direction"] == direction) & (table["order"] == order)]


def test_a_planted_model_gets_the_ideal_curve_and_other_orders_do_worse() -> None:
    model = Planted()
    questions = random_questions(model.n_items)
    result = history_fidelity(model, questions, samples=200)
    expected = np.zeros((CASES, len(SHARES)))
    for case, question in enumerate(questions):
        brought = np.sort(model.vectors[question.history] @ model.vectors[question.item])[::-1]
        so_far = np.concatenate([[0], np.cumsum(brought)])
        expected[case] = so_far[np.round(SHARES * len(question.history)).astype(int)]
    for direction in (DELETION, INSERTION):
        curve = curve_of(result, direction, EXPLANATION)
        np.testing.assert_allclose(curve[SCORE], expected.mean(axis=0), atol=1e-5)
        area = np.trapezoid(expected, SHARES, axis=1).mean()
        assert row(result, direction, SCORE, EXPLANATION)["area"] == pytest.approx(area, abs=1e-5)
        for other in (RANDOM, RECENCY):
            beside = row(result, direction, SCORE, other)
            assert beside["gap"] == pytest.approx(area - beside["area"])
            assert beside["gap_low"] > 0.3
            assert beside["better"] > 0.8
            assert row(result, direction, DOUBLINGS, other)["gap_low"] > 0
    assert result.n_cases == CASES
    assert set(result.areas["order"]) == {EXPLANATION, RANDOM, RECENCY}


def test_no_order_beats_the_explanation_of_an_additive_score() -> None:
    model = Planted()
    history, item = np.array([4, 9, 1, 22]), 17
    brought = model.vectors[history] @ model.vectors[item]

    def area(order: tuple[int, ...]) -> float:
        values = [-float(order.index(position)) for position in range(4)]
        result = history_fidelity(model, [Question(0, history, item)], values=[np.array(values)], samples=2)
        return row(result, DELETION, SCORE, EXPLANATION)["area"]

    areas = {order: area(order) for order in permutations(range(4))}
    best = tuple(np.argsort(-brought).tolist())
    assert max(areas, key=areas.__getitem__) == best


def test_ranks_are_among_what_the_whole_history_does_not_hold() -> None:
    model = Planted()
    history, item = np.array([4, 9, 1, 22]), 17
    result = history_fidelity(model, [Question(0, history, item)], samples=2)
    ranks = []
    for shown in (history, history[:0]):
        scores = model.scores(np.array([0]), [shown])[0]
        before = np.arange(30) < item
        ahead = (scores > scores[item]) | ((scores == scores[item]) & before)
        ranks.append(1 + int((ahead & ~np.isin(np.arange(30), history)).sum()))
    curve = curve_of(result, DELETION, RECENCY)[DOUBLINGS].tolist()
    assert curve[0] == 0
    assert curve[-1] == pytest.approx(np.log2(ranks[1] / ranks[0]))
    assert ranks[1] != ranks[0]


@pytest.mark.parametrize("form", ["anchored", "literal", "head", "additive-itself"])
def test_removing_attributes_is_what_the_model_says(form: str) -> None:
    """Both ends of the curve: the item with all its attributes at the catalogue's mean, scored by the model."""
    model = MAKERS[form]("sasrec")
    questions = random_questions(N_ITEMS)
    result = attribute_fidelity(model, questions, samples=50)
    drops = []
    for question in questions:
        average = model.with_item_value(question.item, model.item_values().mean(axis=0))
        own, without = (each.scores(question.users, question.histories)[0, question.item] for each in (model, average))
        drops.append(own - without)
    for direction in (DELETION, INSERTION):
        for order in (EXPLANATION, RANDOM):
            curve = curve_of(result, direction, order)[SCORE]
            assert curve.iloc[-1] == pytest.approx(np.mean(drops), abs=1e-4)
            assert curve.iloc[0] == 0


def test_contributions_beat_random_orders_of_attributes() -> None:
    result = attribute_fidelity(literal("sasrec"), random_questions(N_ITEMS), samples=200)
    for direction in (DELETION, INSERTION):
        beside = row(result, direction, SCORE, RANDOM)
        assert beside["gap_low"] > 0
        assert beside["better"] > 0.8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["anchored", "literal", "head", "base"])
def test_every_model_can_be_measured(form: str, kind: str) -> None:
    model = base_of(kind) if form == "base" else MAKERS[form](kind)
    result = history_fidelity(model, random_questions(N_ITEMS, 5), samples=20, draws=2)
    # Over an external base, the refined models of the tests have a SASRec encoder.
    looks = kind in ("sasrec", "bert4rec") or (kind == "external" and form in ("anchored", "literal"))
    assert set(result.curves["order"]) == {EXPLANATION, RANDOM, RECENCY} | ({ATTENTION} if looks else set())
    assert result.areas.drop(columns=["gap", "gap_low", "gap_high", "better"]).notna().all(axis=None)


@pytest.mark.parametrize("kind", ["sasrec", "bert4rec"])
@pytest.mark.parametrize("blocks", [1, 2])
def test_attention_is_a_weight_for_every_position_of_a_history(kind: str, blocks: int) -> None:
    model = make_base(ENCODER.model_copy(update={"kind": kind, "blocks": blocks}), N_ITEMS, 0)
    histories = arrays([[1, 2, 3], [4, 5, 6, 7, 8, 9, 10, 11], [12], []])
    weights = history_attention(model, np.zeros(4, np.int64), histories)
    assert [len(each) for each in weights] == [3, 8, 1, 0]
    for each in weights[:3]:
        assert each.sum() == pytest.approx(1, abs=1e-6)
    assert weights[1][:2].tolist() == [0, 0]  # beyond the window
    alone = history_attention(model, np.zeros(1, np.int64), histories[:1])[0]
    np.testing.assert_allclose(alone, weights[0], atol=1e-6)
    assert not model.encoder.blocks[-1]._forward_pre_hooks


def test_attention_is_what_a_block_mixes_values_by() -> None:
    """One head whose values are its inputs, and nothing after: the output is the weighted mean of what it sees."""
    block = stirred(make_base(ENCODER.model_copy(update={"heads": 1}), N_ITEMS, 0)).encoder.blocks[-1].eval()
    x = torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(0))
    visible = torch.ones(2, 4, 4, dtype=torch.bool).tril()
    steps_back = (torch.arange(4)[:, None] - torch.arange(4)).clamp(min=0)
    with torch.no_grad():
        for layer, matrix in ((block.project.weight, torch.eye(8)), (block.query_key_value.weight[16:], torch.eye(8))):
            layer.copy_(matrix)
        for rest in (block.project.bias, block.query_key_value.bias[16:], block.narrow.weight, block.narrow.bias):
            rest.zero_()
        for asked, seen, steps in ((x, visible, steps_back), (x[:, 3:], visible[:, 3:], steps_back[3:])):
            look = block.attention(asked, x, seen, steps)
            torch.testing.assert_close(block(asked, x, seen, steps), asked + look @ block.attention_norm(x))
    assert look.shape == (2, 1, 4)
    assert look.std() > 0.01


def test_of_a_head_the_refined_models_attention_counts() -> None:
    base, refined = base_of("sasrec"), additive("sasrec", COLD)
    histories = arrays([[1, 2, 3, 4]])
    own = history_attention(refined, np.array([0]), histories)[0]
    np.testing.assert_allclose(history_attention(head(base, refined), np.array([0]), histories)[0], own, atol=1e-6)
    alone = history_attention(base, np.array([0]), histories)[0]
    np.testing.assert_allclose(history_attention(head(base), np.array([0]), histories)[0], alone, atol=1e-6)
    assert np.abs(own - alone).max() > 0.001
    assert not has_attention(head(None))
    assert not has_attention(head(base_of("external")))
    assert not has_attention(base_of("gru4rec"))
