"""Edits of the history: the smallest one, and one that really does it."""

from itertools import combinations, product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from small_models import KINDS, MAKERS, N_ITEMS, base_of

from guidedrec_core.errors import InputError
from guidedrec_core.explanation.counterfactual.history import history_edit
from guidedrec_core.explanation.question import Question
from guidedrec_core.ranking.ranks import mask_seen, ranks_of, top_k

K = 4


def rank_without(model: Any, user: int, history: np.ndarray, removed: tuple[int, ...], item: int) -> int:
    scores = model.scores(np.array([user]), [np.delete(history, list(removed))])
    return int(ranks_of(mask_seen(scores, [history]), np.array([item]))[0])


def clearly_flips(model: Any, user: int, history: np.ndarray, places: Any, item: int, before: int) -> bool:
    """Tell whether a set does it by more than rounding."""
    scores = mask_seen(model.scores(np.array([user]), [np.delete(history, list(places))]), [history])[0]
    own = float(scores[item])
    scores[item] = -np.inf
    lead = own - float(np.sort(scores)[-K])
    return lead > 1e-4 if before > K else lead < -1e-4


def votes(weights: np.ndarray) -> SimpleNamespace:
    """Make a model in which each past item adds its row of weights."""
    return SimpleNamespace(
        n_items=weights.shape[1],
        scores=lambda users, histories: np.stack([weights[h].sum(axis=0) for h in histories]).astype(np.float32),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_set_is_found_and_does_it(kind: str) -> None:
    forms = ("additive", "anchored", "literal", "head-beside-item-knn", "literal-itself")
    models = [base_of(kind), *(MAKERS[form](kind) for form in forms)]
    rng, found_any = np.random.default_rng(4), 0
    for model, user in product(models, range(2)):
        history = rng.permutation(N_ITEMS)[: rng.integers(1, 8)]
        scores = mask_seen(model.scores(np.array([user]), [history]), [history])
        for item in top_k(scores, K + 3)[0, K - 2 :: 2].tolist():
            edit = history_edit(model, Question(user, history, item, K))
            before = rank_without(model, user, history, (), item)
            assert edit.old_rank == before
            assert edit.goal == ("leave" if before <= K else "enter")
            for size in range(1, len(edit.removed) or len(history) + 1):
                for places in combinations(range(len(history)), size):
                    assert not clearly_flips(model, user, history, places, item, before)
            assert edit.exact
            if edit.removed:
                found_any += 1
                assert edit.rank == rank_without(model, user, history, edit.removed, item)
                assert (edit.rank <= K) != (before <= K)
            else:
                assert edit.rank == before
    assert found_any


@pytest.mark.parametrize(
    ("needed", "most_scored", "exact"),
    [(1, 2000, True), (2, 2000, True), (3, 2000, True), (4, 300, True), (6, 2000, True), (6, 300, False)],
)
def test_as_many_are_removed_as_hold_the_item_up(needed: int, most_scored: int, exact: bool) -> None:
    weights = np.zeros((30, 30))
    weights[:needed, 20] = 1.0  # each of these alone keeps item 20 first
    weights[10:, 21] = 0.05  # by all others, item 21 would come first
    history = np.array([10, 0, 11, 1, 12, 2, 13, 3, 14, 4, 15, 5])
    edit = history_edit(votes(weights), Question(0, history, 20, k=1), most_scored=most_scored)
    assert edit.removed == tuple(2 * n + 1 for n in range(needed))
    assert edit.exact == exact
    assert edit.rank > 1


def test_long_histories_take_bounded_work_and_say_so() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(200, 200))
    weights[:, 199] += 0.2
    history = np.arange(120)
    edit = history_edit(votes(weights), Question(0, history, 199, k=1), most_scored=500)
    assert edit.scored <= 501 + 10 * 120
    assert not edit.exact  # not all pairs were tried
    assert len(edit.removed) > 2
    assert rank_without(votes(weights), 0, history, edit.removed, 199) == edit.rank == 1


def test_what_cannot_be_done_is_not_claimed() -> None:
    weights = np.zeros((6, 6))
    weights[:, 5] = -1.0  # item 5 is last with any history, and ties come out against it
    edit = history_edit(votes(weights), Question(0, np.array([0, 1]), 5, k=1))
    assert (edit.removed, edit.rank, edit.exact, edit.goal) == ((), 4, True, "enter")
    assert history_edit(votes(weights), Question(0, np.array([], dtype=np.int64), 5, k=1)).removed == ()


def test_what_is_removed_stays_out_of_the_list() -> None:
    weights = np.zeros((6, 6))
    weights[0] = [0, 0, 0, 0, 0, 1.0]
    weights[1] = [9.0, 0, 0, 0, 0, 0]  # item 0 would be first, had the user not got it
    edit = history_edit(votes(weights), Question(0, np.array([0, 1]), 5, k=1))
    assert (edit.goal, edit.removed, edit.rank) == ("leave", (0,), 4)


def test_items_of_the_history_and_exhausted_catalogues_are_refused() -> None:
    model = votes(np.zeros((6, 6)))
    with pytest.raises(InputError, match="got number 2 of the history"):
        history_edit(model, Question(0, np.array([2]), 2, k=1))
    with pytest.raises(InputError, match="more than 4 items"):
        history_edit(model, Question(0, np.array([2, 3]), 1, k=4))
