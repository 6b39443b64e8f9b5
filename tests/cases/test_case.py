"""The case: its numbers are the models' own, its sums exact, and it never shows what was held out as seen."""

import numpy as np
import pytest

from guidedrec_core.cases.case import Explanation, build_case
from guidedrec_core.cases.key import CaseKey
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.explanation.ledger import base_ledger, refined_ledger
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build


@pytest.fixture(scope="module")
def system(tiny_build: Build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


def explain_item(system: RefinedRecommender, user_id: str, item_id: str) -> Explanation:
    explanation = build_case(system, user_id, item_id, k=1).selected
    assert explanation is not None
    return explanation


def test_ledger_sums_to_the_models_own_score_for_every_user_and_item(system: RefinedRecommender) -> None:
    items = np.arange(system.refined.n_items)
    for user in range(system.data.sequences.n_users):
        given = UserHistory.shown(system.data, user)
        for ledger, model in (
            (refined_ledger(system.refined, given, items), system.refined),
            (base_ledger(system.base, given, items), system.base),
        ):
            parts = ledger.contributions.sum(axis=1) + ledger.remainder + ledger.bias
            np.testing.assert_allclose(parts, model.scores(given.users, given.histories)[0], atol=1e-5)
            np.testing.assert_allclose(parts, ledger.score, atol=1e-12)


def test_contributions_of_an_average_item_are_zero(system: RefinedRecommender) -> None:
    ledger = refined_ledger(system.refined, UserHistory.shown(system.data, 0), np.arange(system.refined.n_items))
    np.testing.assert_allclose(ledger.contributions.mean(axis=0), 0, atol=1e-6)
    assert ledger.score.mean() == pytest.approx(ledger.average_remainder + ledger.average_bias, abs=1e-6)


def test_lists_moves_and_ranks_agree(system: RefinedRecommender) -> None:
    case = build_case(system, "user-03", k=10)
    assert case.refined["rank"].tolist() == list(range(1, 11))
    assert case.refined["score"].is_monotonic_decreasing
    base_rank = dict(zip(case.base["item_id"], case.base["rank"], strict=True))
    for row in case.refined.itertuples():
        assert row.move == row.other_rank - row.rank
        assert (row.status == "new") == (row.item_id not in base_rank)
        if row.item_id in base_rank:
            assert row.other_rank == base_rank[row.item_id]
    gone = set(case.base.loc[case.base["status"] == "gone", "item_id"])
    assert gone == set(case.base["item_id"]) - set(case.refined["item_id"])
    assert case.selected is not None
    assert case.selected.item_id == case.refined["item_id"].iloc[0]


def test_the_held_out_item_is_shown_as_such_and_never_in_the_history(system: RefinedRecommender) -> None:
    for user_id in system.data.dataset.users.ids[:20]:
        case = build_case(system.showing("train+valid"), user_id, k=40)
        assert case.shown == "train+valid"
        assert len(case.held_out) == 1
        held_out = case.held_out["item_id"].iloc[0]
        assert held_out not in set(case.history["item_id"])
        marked = case.refined.loc[case.refined["held_out"]]
        assert marked["item_id"].tolist() == [held_out]
        assert marked["rank"].tolist() == case.held_out["refined_rank"].tolist()
        assert not set(case.refined["item_id"]) & set(case.history["item_id"])


def test_by_default_the_whole_history_is_shown_and_nothing_of_it_recommended(system: RefinedRecommender) -> None:
    data = system.data
    for user, user_id in enumerate(data.dataset.users.ids[:20]):
        case = build_case(system, user_id, k=40)
        assert case.shown == "full"
        assert case.held_out.empty
        everything = set(data.dataset.items.ids[data.sequences.history(user)])
        assert set(case.history["item_id"]) == everything
        for table in (case.base, case.refined):
            assert not set(table["item_id"]) & everything
            assert not table["held_out"].any()


def test_a_key_names_a_case(system: RefinedRecommender) -> None:
    case = build_case(system, "user-00")
    assert case.selected is not None
    assert case.key == CaseKey(system.run_id, "user-00", case.selected.item_id, "full")
    assert case.key.about("item-01").item == "item-01"
    with pytest.raises(ValueError, match="names no item"):
        _ = CaseKey("run", "user").item


def test_history_is_newest_first_with_raw_scores(system: RefinedRecommender) -> None:
    case = build_case(system, "user-00")
    assert case.history["datetime"].is_monotonic_decreasing
    assert case.history["position"].tolist() == list(range(len(case.history), 0, -1))
    first = case.history.iloc[0]
    item = system.data.dataset.items.index(first["item_id"])
    np.testing.assert_array_equal(first[list(system.schema.names)].to_numpy(float), system.item_scores.values[item])


def test_profile_score_is_the_faded_mean_of_known_scores(system: RefinedRecommender) -> None:
    case = build_case(system, "user-05")
    decay = system.refined.config.decay
    for row in case.profile.itertuples():
        raw = case.history[row.attribute].to_numpy(float)  # newest first
        fade = decay ** np.arange(len(raw))
        known = ~np.isnan(raw)
        assert row.user_score == pytest.approx((raw[known] * fade[known]).sum() / fade[known].sum())


def test_explanation_of_any_item_sums_and_says_when_it_is_in_the_history(system: RefinedRecommender) -> None:
    case = build_case(system, "user-01")
    seen = str(case.history["item_id"].iloc[0])
    for item_id in system.data.dataset.items.ids:
        explanation = explain_item(system, "user-01", item_id)
        assert explanation.lines["contribution"].sum() == pytest.approx(explanation.score, abs=1e-9)
        own = explanation.lines.set_index("name")["contribution"]
        assert own[list(system.schema.names)].tolist() == explanation.parts["contribution"].tolist()
        assert explanation.seen == (item_id in set(case.history["item_id"]))
    assert "This user has already chosen " in explain_item(system, "user-01", seen).sentence


def test_a_missing_score_is_marked(system: RefinedRecommender) -> None:
    parts = explain_item(system, "user-01", "item-01").parts.set_index("attribute")
    assert bool(parts.loc["warmth", "missing"])
    assert parts.loc["warmth", "contribution"] == 0
    assert np.isnan(parts.loc["warmth", "item_score"])


def test_unknown_ids_are_named(system: RefinedRecommender) -> None:
    with pytest.raises(UnknownIdError, match="unknown user id: 'nobody'"):
        build_case(system, "nobody")
    with pytest.raises(UnknownIdError, match="unknown item id: 'item-999'"):
        build_case(system, "user-01", "item-999")
