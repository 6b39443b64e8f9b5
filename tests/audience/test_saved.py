"""Saved segments: kept for a data set, changed by several people without a loss, and used as conditions and slices."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from guidedrec_core.audience.audience import Audience
from guidedrec_core.audience.saved import SavedSegment, SegmentStore, pinned
from guidedrec_core.audience.saved_gains import saved_gains
from guidedrec_core.conditions.condition import AllOf, Definition, ItemTitle, LastTime, Not, Past, Segment, UserIds
from guidedrec_core.database import tables
from guidedrec_core.errors import ConfigError, ConflictError, InputError, NotFoundError

LOYAL = Definition.of(AllOf(of=(Past(low=5), LastTime(first=date(2020, 1, 2)))), "at least 5 and <b>")


@pytest.fixture
def store(database_home: Path) -> SegmentStore:
    return SegmentStore(database_home)


def test_a_segment_comes_back_as_it_was_saved(store: SegmentStore) -> None:
    saved = store.save("tiny", " Loyal\n ones ", LOYAL, "Ann", "for the newsletter")
    assert (saved.name, saved.note, saved.written.created_by, saved.written.version) == (
        "Loyal ones", "for the newsletter", "Ann", 1,
    )  # fmt: skip
    assert saved.definition == LOYAL
    assert store.find("Loyal ones") == store.find(saved.id, "tiny") == saved
    other = store.save("shop", "Loyal ones", LOYAL, "Bob")
    assert store.list() == (other, saved)
    assert store.list("tiny") == (saved,)
    with pytest.raises(InputError, match="several data sets have a segment 'Loyal ones': shop, tiny"):
        store.find("Loyal ones")


def test_two_people_never_overwrite_each_other(store: SegmentStore) -> None:
    saved = store.save("tiny", "Loyal", LOYAL, "Ann")
    changed = store.change(saved, "Bob", definition=Definition.of(Past(low=9)), note="fewer")
    assert (changed.condition, changed.written.version, changed.written.changed_by) == (Past(low=9), 2, "Bob")
    for step in (lambda: store.change(saved, "Cid", name="mine"), lambda: store.delete(saved, "Cid")):
        with pytest.raises(ConflictError, match=r"Bob changed segment 'Loyal' on .* nothing was overwritten"):
            step()
    assert store.list() == (changed,)
    store.delete(changed, "Ann", "done")
    assert store.list() == ()
    assert [(one.action, one.who) for one in store.history(saved)] == [
        ("created", "Ann"), ("changed", "Bob"), ("deleted", "Ann"),
    ]  # fmt: skip
    with pytest.raises(ConflictError, match="Ann deleted it"):
        store.change(changed, "Bob", name="back")


def test_wrong_input_is_refused(store: SegmentStore) -> None:
    store.save("tiny", "Loyal", LOYAL, "Ann")
    with pytest.raises(InputError, match="segment 'Loyal' already exists"):
        store.save("tiny", "Loyal ", LOYAL, "Bob")
    with pytest.raises(InputError, match="1 to 120 characters, got 0"):
        store.save("tiny", " \n", LOYAL, "Bob")
    with pytest.raises(InputError, match="enter your name"):
        store.save("tiny", "other", LOYAL, "")
    with pytest.raises(InputError, match="a condition on users for a segment, got one on items"):
        store.save("tiny", "other", Definition.of(ItemTitle(words="tent")), "Bob")
    with pytest.raises(NotFoundError, match="no segment of data set tiny called 'nothing'; there are 'Loyal'"):
        store.find("nothing", "tiny")


def test_a_definition_of_another_version_is_named_and_harms_nobody_else(store: SegmentStore) -> None:
    saved = store.save("tiny", "Loyal", LOYAL, "Ann")
    with store.database.write("Ann") as write:
        write.change(tables.Segment, saved.id, {"definition": {"version": 9}}, None)
    found = store.find("Loyal")
    with pytest.raises(ConfigError, match="segment 'Loyal' cannot be read"):
        _ = found.definition
    assert found.text == ""


def test_found_segments_are_saved_with_their_names() -> None:
    names = ("seeks warmth", "average taste")
    both = pinned(AllOf(of=(Segment(number=2), Not(of=Segment(number=1, name="other")), Past(low=1))), names)
    assert [both.of[0].name, both.of[1].of.name] == ["average taste", "other"]
    assert pinned(Segment(number=3), names) == Segment(number=3)


@pytest.fixture
def saved(tiny_build, own_home: Path) -> dict[str, SavedSegment]:
    store, warm = SegmentStore(own_home), Definition.of(Past(low=5))
    gone = Definition.of(Segment(number=1, name="a name that no run has"))
    nobody = Definition.of(UserIds(ids=("nobody",)))
    return {
        name: store.save("tiny", name, definition, "Ann")
        for name, definition in (("warm, and dry", warm), ("gone", gone), ("nobody", nobody))
    }


@pytest.fixture
def audience(tiny_build) -> Audience:
    import guidedrec_core as gr
    from guidedrec_core.runs.store import RunStore

    home = RunStore(tiny_build.data.path.parents[1]).home
    controls = {
        role: gr.open(f"{home}/{tiny_build.evaluation.inputs[role]}") for role in ("placebo", "second_training")
    }
    return Audience.of(gr.open(home / "tiny"), k=10, controls=controls)


def test_a_saved_segment_can_be_typed_and_joined(audience: Audience, saved: dict[str, SavedSegment]) -> None:
    own = {name: one.condition for name, one in saved.items()}
    found = audience.condition('never chosen tents and segment: "warm, and dry"', "users", own)
    assert found == AllOf(of=(audience.condition("never chosen tents", "users"), Past(low=5)))
    with pytest.raises(InputError, match="no saved segment is called “gonee”; did you mean “gone”"):
        audience.condition("segment: gonee", "users", own)
    with pytest.raises(InputError, match="none is saved"):
        audience.condition("segment: gone", "users")


def test_saved_segments_are_slices_of_the_evaluation(audience: Audience, saved, tiny_build) -> None:
    stored = tiny_build.evaluation.read_table("cases")
    computed = audience.cases.set_index("user_id")
    for name in ("base", "refined", "placebo", "second_training"):  # controls are ranked as the evaluation ranked them
        assert (computed[f"rank_{name}"] == stored.set_index("user_id")[f"rank_{name}"]).all()
    gains = saved_gains(audience, tuple(saved.values()), (10,), 200)
    assert [said.partition(" is left out")[0] for said in gains.left_out] == ["Segment “gone”", "Segment “nobody”"]
    rows = gains.slices[(gains.slices["metric"] == "Recall@10")].set_index("model")
    users = audience.data.dataset.users.ids[audience.users(Past(low=5))]
    own = stored[stored["user_id"].isin(users)]
    assert rows["n_cases"].tolist() == [len(own)] * len(rows)
    placebo = (own["rank_refined"] <= 10).mean() - (own["rank_placebo"] <= 10).mean()
    assert rows.loc["placebo", "gain"] == pytest.approx(placebo)
    assert rows.loc["placebo", "ci_low"] <= placebo <= rows.loc["placebo", "ci_high"]


def test_a_group_is_described_next_to_everyone(audience: Audience) -> None:
    profile = audience.profile("seeks warmth")
    assert profile.taste["attribute"].iloc[0] == "warmth"
    assert profile.taste["value"].iloc[0] > 1
    assert "seek warmth" in profile.seeks
    for name in ("past", "base", "refined", "everyone"):
        assert profile.categories[name].sum() == pytest.approx(1)
    lists = audience.lists.items["refined"][audience.users("seeks warmth")]
    item = audience.data.dataset.items.index(profile.typical["item_id"].iloc[0])
    assert profile.typical["here"].iloc[0] == pytest.approx((lists == item).any(axis=1).mean())
    whole = audience.profile(None)
    assert np.allclose(whole.taste["value"], 0, atol=1e-6)
