"""The sandbox gives the lists of a full re-ranking, touches only what changes, and refuses what it cannot know."""

import numpy as np
import pytest

from guidedrec_core.conditions.members import items_of
from guidedrec_core.conditions.subjects import Subjects
from guidedrec_core.errors import InputError
from guidedrec_core.ranking.ranks import mask_seen, top_k
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.refinement.guided import Standardisation
from guidedrec_core.runs.store import RunStore
from guidedrec_core.sandbox import sandbox as module
from guidedrec_core.sandbox.change import Change
from guidedrec_core.sandbox.sandbox import Sandbox
from guidedrec_core.stages import Build

K = 5


@pytest.fixture(scope="session")
def system(tiny_build: Build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


@pytest.fixture(params=[50, 1])
def sandbox(system: RefinedRecommender, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """With many spare places, and with so few that scores must be read again."""
    monkeypatch.setattr(module, "_SPARE", request.param)
    return Sandbox.of(system, K)


def ranked_again(system: RefinedRecommender, table: np.ndarray, factors: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Score everything by the model's own parts with another guided table and factors of weights."""
    users = np.arange(60)
    histories = [system.data.shown_history(user) for user in users.tolist()]
    parts, own = system.refined.parts(users, histories), system.refined.item_values().astype(np.float64)
    scores = parts.scores + (parts.slopes * factors) @ table.T - parts.slopes @ own.T
    scores[:, gone] = -np.inf
    return top_k(mask_seen(scores, histories), K)


def guided(system: RefinedRecommender, raw: np.ndarray) -> np.ndarray:
    how = Standardisation.of(system.item_scores.values, system.config.normalisation)
    return (how.apply(raw) - how.apply(system.item_scores.values) + system.refined.item_values()).astype(np.float64)


@pytest.mark.parametrize(
    ("column", "text", "where"),
    [
        (0, "warmth=9 where category: tents", "category: tents"),
        (1, "style focus+3 where price over 40", "price over 40"),
        (2, "ruggedness*0.5", ""),
        (0, "warmth-4 where item item-05", "item item-05"),
        (1, "style focus=2 where (tents or socks) and price >= 20", "(tents or socks) and price >= 20"),
    ],
)
def test_lists_are_those_of_a_full_ranking(
    column: int, text: str, where: str, sandbox: Sandbox, system: RefinedRecommender
) -> None:
    raw = system.item_scores.values.copy()
    here = items_of(where, Subjects(system)) if where else np.ones(40, dtype=bool)
    changed = [Change.read(text).applied(value) for value in raw[here, column]]
    raw[here, column] = np.clip(changed, 0, 10)
    table = guided(system, raw)
    wanted = ranked_again(system, table, np.ones(3), np.zeros(40, dtype=bool))
    found = sandbox.effect([Change.read(text)])
    np.testing.assert_array_equal(found.lists_after, wanted)
    before = ranked_again(system, system.refined.item_values().astype(np.float64), np.ones(3), np.zeros(40, dtype=bool))
    assert found.changed == int((before != wanted).any(axis=1).sum())
    assert found.users == found.sampled == 60
    assert found.categories["change"].sum() == pytest.approx(0, abs=1e-12)
    assert not found.estimated


def test_one_item_changes_as_in_the_model_itself(sandbox: Sandbox, system: RefinedRecommender) -> None:
    raw = system.item_scores.values.copy()
    raw[5, 0] = np.clip(raw[5, 0] - 4, 0, 10)
    changed = system.refined.with_item_value(5, guided(system, raw)[5].astype(np.float32))
    found = sandbox.effect([Change.read("warmth-4 where item item-05")])
    without = [user for user in range(60) if 5 not in system.data.shown_history(user)]
    histories = [system.data.shown_history(user) for user in without]
    wanted = top_k(mask_seen(changed.scores(np.array(without), histories), histories), K)
    np.testing.assert_array_equal(found.lists_after[without], wanted)


def test_stock_and_weights_together_are_a_full_ranking(sandbox: Sandbox, system: RefinedRecommender) -> None:
    gone = items_of("category: socks", Subjects(system))
    own = system.refined.item_values().astype(np.float64)
    sold = sandbox.effect([Change.read("stock=0 where category: socks")])
    np.testing.assert_array_equal(sold.lists_after, ranked_again(system, own, np.ones(3), gone))
    shares = sold.categories.set_index("category")["after"]
    assert shares["socks"] == 0
    assert sold.changed > 10
    both = sandbox.effect([Change.read("weight warmth*2"), Change.read("stock=0 where category: socks")])
    np.testing.assert_array_equal(both.lists_after, ranked_again(system, own, np.array([2.0, 1, 1]), gone))


def test_a_change_that_changes_nothing_leaves_all_lists(sandbox: Sandbox) -> None:
    found = sandbox.effect([Change.read("weight warmth*1")])
    assert (found.changed, found.entered, len(found.items)) == (0, 0, 0)
    assert sandbox.effect([Change.read("price*1 where price over 0")]).changed == 0


def test_a_price_is_an_estimate_along_its_own_columns(sandbox: Sandbox, system: RefinedRecommender) -> None:
    found = sandbox.effect([Change.read("price=5 where price over 50")])
    assert found.estimated
    columns = system.named.columns
    fact = next(fact for fact in columns.facts.facts if fact.name == "price")
    assert fact.numbers is not None
    cheapest = int(np.nanargmin(fact.numbers))
    here = items_of("price over 50", Subjects(system))
    assert found.items_changed == here.sum()
    delta = sandbox._resolved([Change.read(f"price={fact.numbers[cheapest]} where price over 50")])[0]
    start = 3 + int(np.flatnonzero(columns.facts.fact_of == columns.facts.names.index("price"))[0])
    width = fact.columns.shape[1]
    moved = fact.columns[here] + delta[here, start : start + width]
    np.testing.assert_allclose(moved, np.broadcast_to(fact.columns[cheapest], moved.shape), atol=1e-5)


def test_large_data_are_sampled(system: RefinedRecommender) -> None:
    small = Sandbox.of(system, K, most_scores=40 * 7)
    found = small.effect([Change.read("warmth=9 where category: tents")])
    assert (found.users, found.sampled) == (60, 7)
    whole = Sandbox.of(system, K).effect([Change.read("warmth=9 where category: tents")])
    np.testing.assert_array_equal(found.lists_after, whole.lists_after[small.users])


@pytest.mark.parametrize(
    "text",
    [
        "warmth",
        "warmth=11 where category: tents",
        "weight warmth=2",
        "weight warmth*2 where category: tents",
        "stock=1 where category: tents",
        "stock=0",
        "nothing=3",
        "popularity=3",
        "warmth=3 where category: boats",
    ],
)
def test_what_cannot_be_is_refused(text: str, system: RefinedRecommender) -> None:
    with pytest.raises(InputError):
        Sandbox.of(system, K).effect([Change.read(text)])
