"""Comparing two runs: lists, quality, scores, names; what scores do by themselves and what is chance; refusals."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import tiny

import guidedrec_core as gr
from guidedrec_core import stages
from guidedrec_core.audience.lists import TopLists
from guidedrec_core.audience.population import Population
from guidedrec_core.comparison import words
from guidedrec_core.comparison.list_change import list_change
from guidedrec_core.comparison.score_change import score_change
from guidedrec_core.comparison.stored import compare_runs
from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.errors import DataError, InputError
from guidedrec_core.evaluation.metrics import case_metrics
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs import library
from guidedrec_core.sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from guidedrec_core.comparison.compare import Comparison


@pytest.fixture(scope="session")
def found(corrected: Any) -> "Comparison":
    return gr.compare(corrected.before, corrected.after, samples=200)


def lists_of(model: Any, k: int = 10) -> dict[str, list[str]]:
    table = model.recommend(k=k, shown="train+valid").sort_values(["user_id", "rank"])
    return {user: rows["item_id"].tolist() for user, rows in table.groupby("user_id")}


def test_lists_are_counted_as_their_tables_say(found: Any, corrected: Any) -> None:
    old, new = lists_of(corrected.before), lists_of(corrected.after)
    changed = {user for user in new if old[user] != new[user]}
    assert changed
    assert (found.lists.users, found.lists.changed) == (60, len(changed))
    assert found.lists.entered == sum(bool(set(new[user]) - set(old[user])) for user in new)
    assert found.lists.first == sum(old[user][0] != new[user][0] for user in new)
    overlap = np.mean([len(set(old[user]) & set(new[user])) / len(new[user]) for user in new])
    assert found.lists.overlap == pytest.approx(overlap)
    assert set(found.lists.people["user_id"]) == changed
    for row in found.lists.items.itertuples():
        counts = [sum(row.item_id in each for each in lists.values()) for lists in (old, new)]
        assert [row.before, row.after] == counts
        assert row.change == counts[1] - counts[0]
    assert found.lists.items["change"].abs().is_monotonic_decreasing
    people = found.lists.people.set_index("user_id")
    for user in changed:
        came = [item for item in new[user] if item not in old[user]]
        if came:
            assert people.loc[user, "item_id"] == came[0]
        assert len(people.loc[user, "entered"]) == len(came)
        assert people.loc[user, "kept"] == len(new[user]) - len(came)


def test_moved_exposure_is_none_for_the_same_list_and_all_for_others(corrected: Any) -> None:
    base = Population.of(corrected.before, k=3)
    lists = np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2], [0, 1, -1]] + [[-1] * 3] * 56)
    others = np.array([[0, 1, 2], [3, 4, 5], [1, 0, 2], [0, 1, -1]] + [[-1] * 3] * 56)
    scores = np.full(lists.shape, np.nan)
    old, new = (replace(base, lists=TopLists({"base": x, "refined": x}, scores)) for x in (lists, others))
    change = list_change(old, new)
    assert (change.users, change.changed, change.entered, change.first) == (4, 2, 1, 2)
    assert change.overlap == pytest.approx(3 / 4)
    moved = change.people["moved"].tolist()
    assert moved[0] == 1
    assert moved[1] == pytest.approx((1 - 1 / np.log2(3)) / (1 + 1 / np.log2(3) + 0.5))


def test_quality_is_measured_on_the_same_cases_and_paired(found: Any, corrected: Any) -> None:
    for name, model in (("before", corrected.before), ("after", corrected.after)):
        ranks = Population.of(model).cases["rank_refined"].to_numpy()
        expected = case_metrics(ranks, (10,)).mean(axis=0)
        assert found.metrics[name].tolist() == pytest.approx(expected.tolist())
    row = found.metric("NDCG@10")
    assert row["difference"] == pytest.approx(row["after"] - row["before"])
    assert row["low"] <= row["difference"] <= row["high"]
    assert found.same_base
    assert found.settings.empty
    base = case_metrics(Population.of(corrected.after).cases["rank_base"].to_numpy(), (10,)).mean(axis=0)[-1]
    if base > 0 and not np.isnan(found.gain("NDCG@10")["after"]):
        assert found.gain("NDCG@10")["after"] == pytest.approx(row["after"] / base - 1)
    with pytest.raises(InputError, match="expected one of MRR"):
        found.metric("nothing")


def test_the_corrected_score_is_named_with_its_own_effect(found: Any, corrected: Any) -> None:
    assert found.scores.items[["item_id", "attribute"]].to_numpy().tolist() == [["item-03", "warmth"]]
    row = found.scores.items.iloc[0]
    assert {row["before"], row["after"]} & {0.0, 10.0}
    attributes = found.scores.attributes.set_index("attribute")
    assert attributes["changed"].to_dict() == {"warmth": 1, "style_focus": 0, "ruggedness": 0}
    assert set(attributes["state"]) == {"same"}
    weights = corrected.after.attribute_weights.set_index("attribute")["weight"]
    assert attributes["weight_after"].to_dict() == pytest.approx(weights.to_dict())
    # Put into the earlier model, only the item's own places can change.
    box = Sandbox.of(corrected.before.showing("train+valid"), 10)
    effect = box.with_scores(corrected.after.item_scores.values)
    assert (found.direct.items, found.direct.changed) == (1, effect.changed)
    others = np.where(effect.lists == 3, -2, effect.lists)
    before = np.where(box.best[:, :10] == 3, -2, box.best[:, :10])
    unchanged = ~((effect.lists == 3).any(axis=1) | (box.best[:, :10] == 3).any(axis=1))
    assert np.array_equal(others[unchanged], before[unchanged])
    concerned = found.lists.people["by_scores"]
    assert concerned.sum() <= effect.changed
    assert not concerned.is_monotonic_increasing or concerned.nunique() == 1


def test_stored_runs_are_compared_with_what_their_evaluations_hold(found: Any, corrected: Any) -> None:
    store = corrected.store
    entries = [library.find_entry(store, "tiny", model.run_id) for model in (corrected.before, corrected.after)]
    stored = compare_runs(store, entries[0], entries[1])
    assert stored.lists.changed == found.lists.changed
    pd.testing.assert_frame_equal(stored.metrics[["before", "after"]], found.metrics[["before", "after"]])
    assert stored.scores.items[["who", "why"]].to_numpy().tolist() == [["Ann", "it is a <b>parka</b>"]]
    assert stored.share_named == pytest.approx(found.share_named, abs=1e-6)
    assert stored.repeat is None
    with pytest.raises(InputError, match="two different runs"):
        compare_runs(store, entries[0], entries[0])


def test_a_repeat_tells_chance_and_is_listed_nowhere(corrected: Any) -> None:
    store, before = corrected.store, corrected.before
    entry = library.find_entry(store, "tiny", before.run_id)
    assert library.repeat_of(store, entry) is None
    repeat = stages.repeat_refinement(store, store.open(before.run_id, "refined"))
    try:
        assert library.repeat_of(store, entry).id == repeat.id
        assert repeat.seed == entry.run.seed + 1
        assert repeat.id not in [each.run.id for each in library.refined_entries(store)]
        assert stages.repeat_refinement(store, store.open(before.run_id, "refined")).id == repeat.id
        again = compare_runs(store, entry, library.find_entry(store, "tiny", corrected.after.run_id), names=False)
        old, new = lists_of(before), lists_of(open_refined(store, repeat.id))
        assert again.repeat.changed == sum(old[user] != new[user] for user in new)
        assert again.share_named is None
        said = " ".join(words.chance_sentences(again, BOUGHT))
        assert f"gives {BOUGHT.count_users(again.repeat.changed)} another top 10" in said
        assert "has not been measured" not in said
    finally:
        store.delete(repeat.id)


def test_a_run_and_itself_differ_in_nothing(corrected: Any) -> None:
    same = gr.compare(corrected.before, corrected.before, samples=20, names=False)
    assert (same.lists.changed, same.lists.overlap) == (0, 1)
    assert (same.metrics["difference"] == 0).all()
    assert same.direct is None
    assert words.lead_sentence(same, BOUGHT).startswith("No list changed: all 60 customers keep their top 10. ")
    assert words.score_sentence(same.scores, BOUGHT) == "All scores and attributes are the same."
    assert words.chance_sentences(same, BOUGHT) == []


def test_sentences_carry_the_numbers(found: Any) -> None:
    lists = found.lists
    assert words.lead_sentence(found, BOUGHT).startswith(f"{lists.changed} of 60 customers get")
    assert f"{lists.entered} customer" in words.overlap_sentence(lists, BOUGHT)
    assert words.score_sentence(found.scores, BOUGHT) == "1 score differs."
    assert words.cell_sentence(found.scores.items.iloc[0]).startswith("Warmth of Thing number 3: ")
    assert "% of what orders the 50 best items has a name" in words.named_sentence(found)
    assert words.chance_sentences(found, BOUGHT)[0].startswith("By itself, before training, the changed score gives ")


def test_attributes_that_come_and_go_are_told(corrected: Any) -> None:
    schema = corrected.before.schema
    reworded = schema.attributes[0].model_copy(update={"low": "another text"})
    new = schema.attributes[2].model_copy(update={"name": "pace"})
    other = schema.model_copy(update={"attributes": (reworded, schema.attributes[1], new)})
    items = replace(corrected.before.scores.items, schema=other)
    after = replace(corrected.before, scores=replace(corrected.before.scores, items=items))
    change = score_change(corrected.before, after)
    states = dict(zip(change.attributes["attribute"], change.attributes["state"], strict=True))
    assert states == {"warmth": "reworded", "style_focus": "same", "pace": "added", "ruggedness": "removed"}
    said = words.score_sentence(change, BOUGHT)
    assert said == "New: pace. Gone: ruggedness. Reworded: warmth."


def test_other_data_and_other_splits_are_refused(corrected: Any, tmp_path: Any) -> None:
    files = tiny.write_shop(tmp_path, n_users=30)
    frames = pd.read_csv(files.interactions), pd.read_csv(files.catalogue)
    data = gr.Dataset.from_frames(*frames).split("leave-one-out")
    other = replace(corrected.after, data=data)
    with pytest.raises(DataError, match=r"same users, items and interactions, got .*; compare runs of one import"):
        gr.compare(corrected.before, other)
    temporal = replace(corrected.after, data=corrected.after.data.dataset.split("temporal"))
    with pytest.raises(DataError, match="same split, got leave-one-out and temporal"):
        gr.compare(corrected.before, temporal)
    with pytest.raises(InputError, match="at least 1, got 0"):
        gr.compare(corrected.before, corrected.after, k=0)
