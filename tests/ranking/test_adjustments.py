"""What rules add: exact parts of the final score, pins at their places, sold-out items never listed."""

import numpy as np
import pytest
from small_models import N_ITEMS, N_USERS, named
from tiny import arrays

from guidedrec_core.explanation.contrast import contrast
from guidedrec_core.explanation.named_ledger import named_ledger
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.explanation.why_not import why_not
from guidedrec_core.ranking.adjustments import NEVER, AdjustedScorer, Adjustment, Adjustments, Kind
from guidedrec_core.ranking.ranks import mask_seen, top_k
from guidedrec_core.refinement import cold


def rule(
    kind: Kind,
    items: list[int],
    amount: float = 0.0,
    users: list[int] | None = None,
    place: int = 1,
    count: int = 1,
    n_items: int = N_ITEMS,
    name: str = "",
) -> Adjustment:
    mask = np.isin(np.arange(n_items), items)
    who = None if users is None else np.isin(np.arange(N_USERS), users)
    return Adjustment(name or f"{kind} {items}", kind, mask, mask * amount, who, place, count)


def listed(rules: Adjustments, scores: list[float], history: list[int] = [], user: int = 0) -> list[int]:  # noqa: B006
    given = np.array([scores], dtype=np.float32)
    final = rules.applied(given, np.array([user]), arrays([history])).astype(np.float32)
    best = top_k(mask_seen(final, arrays([history])), len(scores))[0]
    return best[best >= 0].tolist()


def test_never_is_what_cold_items_get() -> None:
    assert NEVER == cold.NEVER


def test_boost_and_bury_add_to_the_items_of_the_users_they_concern() -> None:
    rules = Adjustments((rule("boost", [3], 2.5, n_items=4), rule("bury", [0], -9, users=[0], n_items=4)))
    assert listed(rules, [4.0, 3.0, 2.0, 1.0]) == [3, 1, 2, 0]
    assert listed(rules, [4.0, 3.0, 2.0, 1.0], user=1) == [0, 3, 1, 2]
    assert listed(rules, [4.0, 3.0, 2.0, 1.0], user=-1) == [0, 3, 1, 2]


def test_pins_reach_their_place_and_never_push_an_item_down() -> None:
    scores = [5.0, 4.0, 3.0, 2.0, 1.0]
    assert listed(Adjustments((rule("pin", [4], place=2, n_items=5),)), scores) == [0, 4, 1, 2, 3]
    assert listed(Adjustments((rule("pin", [0], place=3, n_items=5),)), scores) == [0, 1, 2, 3, 4]
    both = Adjustments((rule("pin", [4], place=2, n_items=5), rule("pin", [3], place=2, n_items=5)))
    assert listed(both, scores) == [0, 4, 3, 1, 2]
    several = Adjustments((rule("pin", [2, 3, 4], place=1, count=2, n_items=5),))
    assert listed(several, scores) == [2, 3, 0, 1, 4]
    assert listed(several, scores, history=[2]) == [3, 4, 0, 1]


def test_a_pin_between_equal_scores_reaches_its_place_or_a_better_one() -> None:
    for place in range(1, 6):
        order = listed(Adjustments((rule("pin", [5], place=place, n_items=6),)), [2.0, 2.0, 2.0, 1.0, 1.0, 0.0])
        assert order.index(5) + 1 <= place


def test_a_sold_out_item_is_in_no_list_even_where_it_is_pinned() -> None:
    rules = Adjustments((rule("pin", [1], n_items=3), rule("out_of_stock", [1, 2], NEVER, n_items=3)))
    assert listed(rules, [0.0, 1.0, 2.0]) == [0]


def test_random_pins_stand_at_their_places() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        scores, count = (rng.permutation(N_ITEMS) * 0.1).astype(np.float32), int(rng.integers(1, 6))
        items, places = rng.permutation(N_ITEMS)[:count], np.sort(rng.permutation(10)[:count]) + 1
        history = np.setdiff1d(rng.permutation(N_ITEMS)[:5], items)
        pins = [rule("pin", [item], place=place) for item, place in zip(items.tolist(), places.tolist(), strict=True)]
        rules = Adjustments(tuple(pins[i] for i in rng.permutation(count)))
        order = listed(rules, scores.tolist(), history.tolist())
        free = [item for item in listed(Adjustments(()), scores.tolist(), history.tolist()) if item not in items]
        assert [item for item in order if item not in items] == free
        for item, place in zip(items.tolist(), places.tolist(), strict=True):
            own = order.index(item) + 1
            assert own <= place
            amount = rules.amounts(scores, 0, history)[:, item].sum()
            if amount > 0:
                assert own == place


def test_every_rule_is_an_exact_part_of_score_and_contrast() -> None:
    names, rng = named("additive", "sasrec"), np.random.default_rng(4)
    rules = Adjustments(
        (
            rule("boost", [1, 2, 3], 0.7),
            rule("bury", [2, 5], -0.4, users=[1, 3, 5]),
            rule("pin", [7], place=2),
            rule("out_of_stock", [9], NEVER),
        )
    )
    for user in range(0, N_USERS, 3):
        (history,) = arrays([rng.permutation(N_ITEMS)[:4]])
        given, items = UserHistory(user, history), np.arange(N_ITEMS)
        plain, ruled = named_ledger(names, given, items), named_ledger(names, given, items, rules)
        own = names.model.scores(given.users, given.histories)
        final = rules.applied(own, given.users, given.histories)[0]
        stocked = items != 9
        added = ruled.contributions[:, -4:]
        np.testing.assert_allclose((final - own[0])[stocked], added.sum(axis=1)[stocked], atol=1e-12)
        np.testing.assert_allclose(ruled.score - plain.score, added.sum(axis=1), atol=1e-9)
        assert ruled.average == plain.average
        np.testing.assert_array_equal(ruled.contributions[:, :-4], plain.contributions)
        assert [line.kind for line in ruled.lines[-4:]] == ["rule"] * 4
        assert added[9, 3] == NEVER
        pair = contrast(names, given, np.array([2]), np.array([9]), rules)
        total = pair.contributions.sum() + pair.neighbours[0] + pair.unnamed[0]
        assert pair.difference[0] == pytest.approx(total, abs=1e-9)
        assert pair.contributions[0, -1] == -NEVER


def test_why_not_names_the_rule_that_keeps_an_item_out() -> None:
    names, rules = named("additive", "sasrec"), Adjustments((rule("out_of_stock", [9], NEVER, name="sold"),))
    question = UserHistory(1, np.array([3, 4])).ask(9, 5)
    answer = why_not(names, question, rules)
    assert answer.status == "outranked"
    assert answer.rank == answer.n_ranked + 1 == N_ITEMS - 2
    assert answer.parts is not None
    assert answer.parts.contributions[0].argmin() == len(answer.parts.lines) - 1


def test_a_scorer_with_rules_is_the_model_where_they_add_nothing() -> None:
    model = named("additive", "sasrec").model
    users, histories = np.array([0, 1]), arrays([[1, 2], []])
    none = AdjustedScorer(model, Adjustments(()))
    np.testing.assert_array_equal(none.scores(users, histories), model.scores(users, histories))
    assert none.n_items == N_ITEMS
