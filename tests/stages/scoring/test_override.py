"""What people say against scores enters every way from data to a refinement, and outlives new scores."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from numpy.testing import assert_array_equal

from guidedrec_core import stages
from guidedrec_core.config import BuildConfig, EncoderConfig, RefinementConfig, TrainingConfig
from guidedrec_core.data.bundled import ScoreFiles
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages import pipeline

CONFIG = BuildConfig(
    encoder=EncoderConfig(width=8, heads=2, feedforward=8, max_length=6),
    training=TrainingConfig(threads=1, max_epochs=1, warmup_steps=4, batch_size=16, device="cpu"),
    refinement=RefinementConfig(mode="head"),
)
WHY = ("Ann", "it is a tent")


class Shop:
    """The tiny shop with its scores, and the table they came from."""

    def __init__(self, folder: Path) -> None:
        self.files = tiny.write_shop(folder)
        self.store = RunStore(folder / "home")
        self.interactions = pd.read_csv(self.files.interactions)
        self.data = self.imported(self.interactions)
        self.table = pd.read_csv(self.files.scores.item_scores)
        self.given = self.score(self.table)

    def imported(self, interactions: pd.DataFrame) -> Run:
        interactions.to_csv(self.files.interactions, index=False)
        return stages.store_dataset(self.store, import_dataset("csv", self.files.interactions, "tiny"))

    def score(self, table: pd.DataFrame, data: Run | None = None) -> Run:
        table.to_csv(self.files.scores.item_scores, index=False)
        return stages.score_attributes(self.store, data or self.data, self.files.scores)

    def say(self, item: str, attribute: str, value: float) -> Any:
        return stages.override_score(self.store, self.data, item, attribute, value, *WHY)

    def notices(self, run: Run) -> dict[str, int]:
        return {notice["code"]: notice["count"] for notice in run.read_json("notices")}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def values(run: Run) -> np.ndarray:
    return load_scores(run).values


def test_without_overrides_the_scores_are_used_as_they_were_given(shop: Shop) -> None:
    assert stages.find_scores(shop.store, shop.data).id == shop.given.id
    shop.say("item-03", "warmth", 9)
    stages.withdraw_override(shop.store, shop.data, "item-03", "warmth", *WHY)
    assert stages.find_scores(shop.store, shop.data).id == shop.given.id
    assert len(shop.store.list("scores")) == 1


def test_a_run_with_overrides_says_where_it_comes_from_and_which_scores_are_set_by_hand(shop: Shop) -> None:
    before = values(shop.given)
    shop.say("item-03", "style_focus", 9.5)
    shop.say("item-01", "warmth", 0)  # the one that is missing
    run = stages.find_scores(shop.store, shop.data)
    expected = before.copy()
    expected[3, 1], expected[1, 0] = 9.5, 0
    assert_array_equal(values(run), expected)
    assert_array_equal(values(shop.store.open(shop.given.id)), before)
    assert run.inputs == {"data": shop.data.id, "scores": shop.given.id}
    assert run.config["overrides"]["scores"] == shop.given.id
    assert {name: value for name, value in run.config.items() if name != "overrides"} == shop.given.config
    cells = run.read_table("overrides")
    assert cells[["item_id", "attribute", "value"]].to_numpy().tolist() == [
        ["item-01", "warmth", 0],
        ["item-03", "style_focus", 9.5],
    ]
    assert_array_equal(cells["scored"], [np.nan, before[3, 1]])
    assert (cells["who"] + ": " + cells["why"]).tolist() == ["Ann: it is a tent"] * 2
    assert run.summary == {**shop.given.summary, "missing": 0, "overrides": 2}
    assert shop.notices(run) == {**shop.notices(shop.given), "overridden_scores": 2}
    assert run.read_json("attributes") == shop.given.read_json("attributes")


def test_it_is_found_again_as_long_as_nothing_changes(shop: Shop) -> None:
    shop.say("item-03", "warmth", 9)
    first = stages.find_scores(shop.store, shop.data)
    assert stages.find_scores(shop.store, shop.data).id == first.id
    shop.say("item-04", "warmth", 9)
    second = stages.find_scores(shop.store, shop.data)
    assert second.id != first.id
    stages.withdraw_override(shop.store, shop.data, "item-04", "warmth", *WHY)
    assert stages.find_scores(shop.store, shop.data).id == first.id


def test_overrides_outlive_new_scores_and_lie_over_what_was_given_not_over_each_other(shop: Shop) -> None:
    shop.say("item-03", "warmth", 9)
    stages.find_scores(shop.store, shop.data)
    other = shop.table.assign(warmth=shop.table["warmth"].rsub(10))
    again = shop.score(other)
    assert stages.newest_scores(shop.store, shop.data) == again
    run = stages.find_scores(shop.store, shop.data)
    expected = values(again).copy()
    expected[3, 0] = 9
    assert_array_equal(values(run), expected)
    assert run.config["overrides"]["scores"] == again.id
    assert shop.say("item-03", "style_focus", 1).replaced == values(again)[3, 1]


def test_what_new_data_or_attributes_have_no_place_for_waits(shop: Shop) -> None:
    for item in ("item-03", "item-04"):
        shop.say(item, "warmth", 9)
    shop.say("item-04", "ruggedness", 2)
    fewer = shop.imported(shop.interactions[shop.interactions["item_id"] != "item-03"])
    text = shop.files.scores.attributes.read_text()
    shop.files.scores.attributes.write_text(text.replace('"ruggedness"', '"toughness"'))
    shop.score(shop.table.rename(columns={"ruggedness": "toughness"}), fewer)
    run = stages.find_scores(shop.store, fewer)
    assert len(run.read_table("overrides")) == 1
    assert {code: n for code, n in shop.notices(run).items() if "overrid" in code} == {
        "overridden_scores": 1,
        "overrides_unknown_items": 1,
        "overrides_unknown_attributes": 1,
    }
    with pytest.raises(UnknownIdError, match="item-03"):
        stages.override_score(shop.store, fewer, "item-03", "warmth", 1, *WHY)
    stages.withdraw_override(shop.store, fewer, "item-03", "warmth", *WHY)
    assert len(stages.find_scores(shop.store, shop.data).read_table("overrides")) == 2, "the data of before"


def test_users_scores_and_all_else_of_a_run_come_along(shop: Shop, tmp_path: Path) -> None:
    users = sorted(set(shop.interactions["user_id"]))
    table = pd.DataFrame(np.arange(3 * len(users)).reshape(-1, 3) % 11, columns=list(tiny.ATTRIBUTES))
    table.assign(user_id=users).to_csv(tmp_path / "users.csv", index=False)
    given = ScoreFiles(shop.files.scores.attributes, shop.files.scores.item_scores, tmp_path / "users.csv")
    both = stages.score_attributes(shop.store, shop.data, given)
    shop.say("item-03", "warmth", 9)
    run = stages.find_scores(shop.store, shop.data)
    assert set(run.manifest.files) == {*both.manifest.files, "overrides.parquet"}
    assert_array_equal(load_scores(run, "user").values, load_scores(both, "user").values)
    assert run.summary["users_scored"] == len(users)


def test_every_way_to_a_refinement_uses_them(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build with and without tables; commands and jobs go the same ways."""
    shop.say("item-03", "warmth", 9)
    scores = stages.find_scores(shop.store, shop.data)
    base = stages.train_base(shop.store, shop.data, CONFIG)
    refined = stages.refine(shop.store, base, scores, CONFIG)
    assert open_refined(shop.store, refined.id).item_scores.values[3, 0] == 9
    asked: list[str] = []

    def stop(store: RunStore, base: Run, scores: Run, *_: Any) -> Run:
        asked.append(scores.id)
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "refine", stop)
    for files in (None, shop.files.scores):
        with pytest.raises(KeyboardInterrupt):
            stages.build(shop.store, "tiny", CONFIG, files)
    arguments = {"dataset": "tiny", "config": CONFIG.model_dump(mode="json")}
    with pytest.raises(KeyboardInterrupt):
        stages.build_task(arguments, shop.store.home, lambda _: None)
    assert asked == [scores.id] * 3
