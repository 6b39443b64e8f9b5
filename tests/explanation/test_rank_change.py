"""The change of a rank is split by the Shapley values of the rank game."""

import time
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from small_models import KINDS, NAMED_FORMS, base_of, named

from guidedrec_core.errors import InputError
from guidedrec_core.explanation import rank_change as module
from guidedrec_core.explanation.question import Question
from guidedrec_core.explanation.rank_change import rank_change
from guidedrec_core.naming.model import NamedParts
from guidedrec_core.ranking.ranks import mask_seen, ranks_of

HISTORY = np.array([4, 9, 14])
QUESTION = Question(0, HISTORY, 1)


def toy(n_items: int, n_attributes: int, seed: int, change: float = 1.0) -> tuple[Any, Any]:
    """Make a base and a refined model for one user out of random numbers, alike where the change is small."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    g, slopes, unnamed, neighbours = draw(n_items, n_attributes), draw(1, n_attributes), draw(1, n_items), draw(n_items)
    own, own_lines = draw(1, n_items), draw(n_items, n_attributes)
    if change < 1:
        slopes, unnamed = change * slopes, own + change * unnamed
        own_lines = g * slopes + change * own_lines
    scores = slopes @ g.T + unnamed + neighbours
    parts = NamedParts(scores, slopes, slopes, neighbours[None], unnamed, np.zeros(1))
    base = SimpleNamespace(scores=lambda users, histories: own)
    named = SimpleNamespace(
        parts=lambda users, histories: parts,
        contributions=lambda slopes, items: (slopes * g[items]).astype(np.float64),
        base_lines=lambda user, history: own_lines.astype(np.float64),
        n_items=n_items,
    )
    return base, named


def slow_gains(base: Any, named: Any, history: np.ndarray, item: int) -> np.ndarray:
    """Average what each part gains over all orders, ranking the whole catalogue each time."""
    scores, parts = base.scores(None, None)[0].astype(float), named.parts(None, None)
    unseen = np.setdiff1d(np.arange(len(scores)), history)
    c = parts.scores[0][unseen].std() / scores[unseen].std()
    lines, own = named.contributions(parts.slopes[0], np.arange(len(scores))), named.base_lines(0, history)
    steps = [lines[:, a] - c * own[:, a] for a in range(lines.shape[1])]
    steps.append(parts.scores[0].astype(float) - lines.sum(axis=1) - c * (scores - own.sum(axis=1)))

    def rank(players: tuple[int, ...]) -> int:
        now = mask_seen((c * scores + sum(steps[p] for p in players))[None], [history])
        return int(ranks_of(np.round(now, 9), np.array([item]))[0])

    gains, orders = np.zeros(len(steps)), list(permutations(range(len(steps))))
    for order in orders:
        for place, player in enumerate(order):
            gains[player] += rank(order[:place]) - rank(order[: place + 1])
    return gains / len(orders)


@pytest.mark.parametrize(("seed", "change"), [(0, 1.0), (1, 1.0), (2, 0.1), (3, 0.1)])
def test_the_exact_values_are_averages_over_all_orders(seed: int, change: float) -> None:
    base, refined = toy(30, 3, seed, change)
    found = rank_change(base, refined, QUESTION)
    assert found.exact
    assert not found.errors.any()
    gains = [*found.lines, found.patterns]
    np.testing.assert_allclose(gains, slow_gains(base, refined, HISTORY, 1), atol=1e-9)
    assert sum(gains) == pytest.approx(found.gained, abs=1e-9)


def test_permutations_come_near_the_exact_values_and_know_how_near(monkeypatch: pytest.MonkeyPatch) -> None:
    off = []
    for seed in range(20):
        base, refined = toy(300, 4, seed)
        monkeypatch.setattr(module, "MOST_EXACT", 12)
        exact = rank_change(base, refined, QUESTION)
        monkeypatch.setattr(module, "MOST_EXACT", 0)
        found = rank_change(base, refined, QUESTION, seed=seed)
        assert not found.exact
        assert found.lines.sum() + found.patterns == pytest.approx(found.gained, abs=1e-9)
        true = np.array([*exact.lines, exact.patterns])
        gains = np.array([*found.lines, found.patterns])
        off.append((gains - true) / np.maximum(found.errors, 1e-9))
    assert 0.5 < np.sqrt(np.mean(np.square(off))) < 1.5  # in standard errors


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", NAMED_FORMS)
def test_parts_sum_to_the_change_of_rank(form: str, kind: str) -> None:
    names, base = named(form, kind), base_of(kind)
    users = np.array([3])
    for item in (0, 6, 20):
        found = rank_change(base, names, Question(3, HISTORY, item))
        for one, rank in ((base, found.base_rank), (names.model, found.rank)):
            assert int(ranks_of(mask_seen(one.scores(users, [HISTORY]), [HISTORY]), np.array([item]))[0]) == rank
        assert found.lines.shape == (len(names.columns.lines),)
        assert found.lines.sum() + found.patterns == pytest.approx(found.gained, abs=1e-9)


def test_a_rescaled_base_changes_nothing() -> None:
    base, refined = toy(40, 2, 0)
    scores, own = base.scores(None, None), refined.base_lines(0, HISTORY)
    none = np.zeros_like(scores)
    same = NamedParts(2 * scores, none, none, none, 2 * scores - 2 * own.sum(axis=1), np.zeros(1))
    refined.parts = lambda users, histories: same
    refined.contributions = lambda slopes, items: 2 * own
    found = rank_change(base, refined, QUESTION)
    np.testing.assert_allclose([*found.lines, found.patterns], 0, atol=1e-9)


def test_an_item_of_the_history_has_no_rank() -> None:
    with pytest.raises(InputError, match="got number 9 of the history"):
        rank_change(*toy(30, 2, 0), QUESTION.with_item(9))


def test_a_large_catalogue_takes_a_moment() -> None:
    """The figure is in benchmarks/counterfactuals.py; this catches what is slower by an order."""
    base, refined = toy(50_000, 12, 0)
    started = time.perf_counter()
    found = rank_change(base, refined, QUESTION)
    assert time.perf_counter() - started < 3
    assert not found.exact
    assert (found.errors > 0).all()
