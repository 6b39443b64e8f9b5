"""Metrics of LXR on cases worked out by hand, and against its code's own loop."""

import numpy as np
import pytest
from small_models import MAKERS, N_ITEMS, random_questions

from guidedrec_core.audit.perturbation import (
    BETTER,
    CUTOFFS,
    importance_order,
    perturbation_metrics,
    perturbation_table,
    removed_counts,
)
from guidedrec_core.errors import InputError
from guidedrec_core.explanation.past_items.standing import Standing
from guidedrec_core.explanation.question import Question


class ByHand:
    """Item 0 scores ln 2 for item 1 of the history and ln 4 for item 2; items 3 to 6 score ln 2, 0, 0, 0."""

    n_items = 7

    def scores(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        scores = np.tile(np.array([0, 0, 0, np.log(2), 0, 0, 0], np.float32), (len(histories), 1))
        scores[:, 0] = [np.log(2) * (1 in history) + np.log(4) * (2 in history) for history in histories]
        return scores


def test_a_case_worked_out_by_hand() -> None:
    standing = Standing(ByHand(), Question(0, np.array([1, 2]), 0))
    # Unseen beside item 0 are items with weights 2, 1, 1, 1. Item 0 has weight 8 with all, 4 with item 2, 2 with item 1
    # (rank 1: ties go to the lower index), 1 with nothing (rank 2). Two items leave in two steps; then none is left.
    right = perturbation_metrics(standing, np.array([1.0, 2.0]))
    assert right["DEL"] == pytest.approx((8 / 13 + 2 / 7 + 9 * 1 / 6) / 11)
    assert right["INS"] == pytest.approx((1 / 6 + 4 / 9 + 9 * 8 / 13) / 11)
    assert right["CNDCG"] == pytest.approx((1 + 1 + 9 / np.log2(3)) / 11)
    assert right["POS@1"] == pytest.approx(2 / 11)
    assert right["NEG@1"] == pytest.approx(2 / 11)
    assert right["POS@5"] == right["NEG@100"] == 1
    wrong = perturbation_metrics(standing, np.array([2.0, 1.0]))
    assert wrong["DEL"] == pytest.approx((8 / 13 + 4 / 9 + 9 * 1 / 6) / 11)
    assert wrong["INS"] == pytest.approx((1 / 6 + 2 / 7 + 9 * 8 / 13) / 11)


def loop(model: object, question: Question, values: np.ndarray) -> dict[str, float]:
    """Follow `single_user_metrics` of LXR's code line by line, on sequences."""
    history, item = question.history, question.item
    unseen = np.setdiff1d(np.arange(N_ITEMS), history)

    def place(kept: list[int]) -> tuple[int, float]:
        scores = model.scores(question.users, [history[sorted(kept)]])[0].astype(float)
        ranked = sorted(unseen, key=lambda i: (-scores[i], i))
        return ranked.index(item) + 1, float(np.exp(scores[item]) / np.exp(scores[unseen]).sum())

    pos_items = sorted(range(len(history)), key=lambda p: values[p], reverse=True)
    neg_items = pos_items[::-1]
    bins = [0] + [len(x) for x in np.array_split(np.arange(len(history)), 10)]
    found: dict[str, list[float]] = {name: [] for name in BETTER}
    total = 0
    for size in bins:
        total += size
        removed, low = pos_items[:total], neg_items[:total]
        rank, probability = place([p for p in range(len(history)) if p not in removed])
        neg_rank, _ = place([p for p in range(len(history)) if p not in low])
        found["DEL"].append(probability)
        found["INS"].append(place(removed)[1])
        found["CNDCG"].append(1 / np.log2(rank + 1))
        for k in CUTOFFS:
            found[f"POS@{k}"].append(float(rank <= k))
            found[f"NEG@{k}"].append(float(neg_rank <= k))
    return {name: float(np.mean(each)) for name, each in found.items()}


def test_it_agrees_with_the_loop_of_the_original_code() -> None:
    model, rng = MAKERS["anchored-beside-item-knn"]("sasrec"), np.random.default_rng(0)
    questions = random_questions(N_ITEMS, longest=16, count=6)
    values = [rng.random(len(question.history)) for question in questions]
    table = perturbation_table(model, questions, values)
    assert list(table.columns) == list(BETTER)
    for (_, row), question, each in zip(table.iterrows(), questions, values, strict=True):
        expected = loop(model, question, each)
        np.testing.assert_allclose([row[name] for name in BETTER], [expected[name] for name in BETTER], atol=1e-5)
    assert table["DEL"].std() > 0.001


def test_the_steps_are_those_of_the_original_code() -> None:
    for n in range(1, 40):
        sizes = [len(part) for part in np.array_split(np.arange(n), 10)]
        assert removed_counts(n).tolist() == np.cumsum([0, *sizes]).tolist()


def test_among_equals_the_newest_comes_first() -> None:
    assert importance_order(np.array([1.0, 3.0, 1.0, 3.0])).tolist() == [3, 1, 2, 0]


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((1, 2)), np.array([np.nan, 1.0])])
def test_values_that_do_not_fit_are_refused(values: np.ndarray) -> None:
    with pytest.raises(InputError, match="a finite number for each of the 2 positions"):
        perturbation_metrics(Standing(ByHand(), Question(0, np.array([1, 2]), 0)), values)
