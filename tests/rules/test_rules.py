"""Rules as people write them: files, conditions, and effects."""

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.conditions.condition import ItemNumber, ItemScore, ItemValue, Not
from guidedrec_core.conditions.members import items_of, parsed, users_of
from guidedrec_core.conditions.subjects import Subjects
from guidedrec_core.errors import ConfigError, InputError, UnknownIdError
from guidedrec_core.ranking.adjustments import NEVER
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.rules.preview import acting_rules, preview_rules
from guidedrec_core.rules.rule import Rule, RuleSet, adjustments
from guidedrec_core.rules.storage import read_rules, write_rules
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

FILE = """
version = 1
[[rules]]
name = "Tents"
kind = "boost"
items = "category: tents"
strength = 4
author = "Ana"
time = 2026-12-01T10:00:00Z
[[rules]]
name = "Seven on top"
kind = "pin"
items = {kind = "items", ids = ["item-07"]}
place = 2
[[rules]]
name = "Sold"
kind = "out_of_stock"
items = "item item-03, item-05"
[[rules]]
name = "Dear"
kind = "margin"
column = "price"
items = "price over 0"
on = false
"""


@pytest.fixture(scope="session")
def system(tiny_build: Build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


@pytest.fixture
def subjects(system: RefinedRecommender) -> Subjects:
    return Subjects(system)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_file_is_read_and_written_again_without_loss(file: Path, tmp_path: Path) -> None:
    rules = read_rules(file)
    assert rules.names == ("Tents", "Seven on top", "Sold", "Dear")
    assert [rule.on for rule in rules.rules] == [True, True, True, False]
    assert rules.rules[0].time == datetime(2026, 12, 1, 10, tzinfo=UTC)
    write_rules(tmp_path / "again.json", rules)
    assert read_rules(tmp_path / "again.json") == rules
    with pytest.raises(InputError, match=r"ends in \.json"):
        write_rules(tmp_path / "again.toml", rules)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = 2", "version 1"),
        ("rules = [", "cannot be read as TOML"),
        ('version = 1\n[[rules]]\nname = "a"\nkind = "boost"\nitems = "x"\nplace = 2', "has no place"),
        ('version = 1\n[[rules]]\nname = "a"\nkind = "lift"\nitems = "x"', "kind"),
        ('version = 1\n[[rules]]\nname = "a"\nkind = "boost"\nitems = "x"\nstrength = 0.5', "strength"),
        ('version = 1\n[[rules]]\nname = "bias"\nkind = "pin"\nitems = "x"', "bias"),
        ("version = 1\n" + '[[rules]]\nname = "a"\nkind = "pin"\nitems = "x"\n' * 2, "different names"),
    ],
)
def test_a_bad_file_gets_one_clear_error(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_rules(path)


def test_conditions_read_as_text_select_what_they_say(system: RefinedRecommender, subjects: Subjects) -> None:
    frame, raw = system.data.dataset.catalogue.frame, system.item_scores.values
    np.testing.assert_array_equal(
        items_of("category: Tents, socks", subjects), frame["category"].isin(["tents", "socks"])
    )
    np.testing.assert_array_equal(items_of("price 20..40", subjects), frame["price"].between(20, 40))
    np.testing.assert_array_equal(
        items_of("price over 20 and not category: tents", subjects),
        (frame["price"] > 20) & (frame["category"] != "tents"),
    )
    high = np.nan_to_num(raw[:, 0], nan=-1) >= 7
    np.testing.assert_array_equal(items_of("warmth at least 7", subjects), high)
    assert parsed("Style focus 2..3", "items", subjects) == ItemScore(attribute="style_focus", low=2, high=3)
    assert parsed("not price under 5", "items", subjects) == Not(of=ItemNumber(column="price", high=5, below=True))
    assert parsed("category: tents", "items", subjects) == ItemValue(column="category", values=("tents",))
    verb, tents = system.verb.past, items_of("category: tents", subjects)
    had = np.array([tents[system.data.shown_history(user)].any() for user in range(60)])
    np.testing.assert_array_equal(users_of(f"{verb} category: tents", subjects), had)
    np.testing.assert_array_equal(users_of(f"never {verb} category: tents", subjects), ~had)


@pytest.mark.parametrize(
    "text",
    ["", "and", "tents please", "price", "price 5..", "weight over 3", "item nothing", "title over 4", "price 9..2"],
)
def test_a_condition_that_is_not_understood_is_refused(text: str, subjects: Subjects) -> None:
    with pytest.raises(InputError):
        items_of(text, subjects)


def test_conditions_know_what_they_are_about(subjects: Subjects) -> None:
    with pytest.raises(InputError, match="condition on users"):
        users_of("category: tents", subjects)
    with pytest.raises(UnknownIdError, match="item-99"):
        items_of("item item-99", subjects)


def test_rules_add_what_their_kind_says(system: RefinedRecommender, file: Path) -> None:
    made = {rule.name: rule for rule in adjustments(read_rules(file).rules, system).rules}
    tents = items_of("category: tents", Subjects(system))
    np.testing.assert_allclose(made["Tents"].amounts, np.where(tents, math.log(4), 0))
    assert (made["Sold"].amounts[[3, 5]] == NEVER).all()
    price = system.data.dataset.catalogue.frame["price"].to_numpy()
    np.testing.assert_allclose(made["Dear"].amounts, math.log(2) * (price - price.mean()) / price.std())
    bury = Rule(name="b", kind="bury", items="category: tents", strength=4)
    np.testing.assert_allclose(adjustments([bury], system).rules[0].amounts, -made["Tents"].amounts)
    with pytest.raises(InputError, match="rule 'x': no item"):
        adjustments([Rule(name="x", kind="boost", items="price over 5000")], system)


def test_rules_take_phrases_and_compute_no_lists(system: RefinedRecommender, monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = Subjects(system)
    seekers, lovers = users_of("seeks warmth", subjects), users_of("mostly bought tents", subjects)
    for place in (RefinedRecommender, type(system.refined)):  # nothing may rank from here on
        name = "model" if place is RefinedRecommender else "scores"
        monkeypatch.setattr(place, name, lambda *_, **__: pytest.fail("a list was computed"))
    rules = [
        Rule(name="Warm", kind="boost", items="(tents or socks) and price over 20", users="seeks warmth"),
        Rule(name="Tents", kind="bury", items="tents", users="mostly bought tents"),
    ]
    warm, tents = adjustments(rules, system).rules
    frame = system.data.dataset.catalogue.frame
    np.testing.assert_array_equal(warm.items, frame["category"].isin(["tents", "socks"]) & (frame["price"] > 20))
    np.testing.assert_array_equal(warm.users, seekers)
    np.testing.assert_array_equal(tents.users, lovers)
    assert 0 < seekers.sum() < 60
    for users in ("shown tents", "lost by refinement", "segment 1"):
        with pytest.raises(InputError, match=f"rule 'x': expected a condition on what .* got “{users}”"):
            adjustments([Rule(name="x", kind="boost", items="tents", users=users)], system)


def test_explanations_lists_and_exports_agree_on_rules(system: RefinedRecommender, file: Path) -> None:
    ruled = system.with_rules(adjustments(read_rules(file).on, system))
    table = ruled.recommend(k=40)
    assert not table["item_id"].isin(["item-03", "item-05"]).any()
    assert system.recommend(k=40)["item_id"].isin(["item-03", "item-05"]).any()
    acting = acting_rules(ruled.rules, ruled, table)  # type: ignore[arg-type]
    plain = system.score(table[["user_id", "item_id"]].itertuples(index=False, name=None))["score"].to_numpy(float)
    added = np.array([sum(each.values()) for each in acting])
    np.testing.assert_allclose(plain + added, table["score"], atol=1e-6, rtol=1e-6)
    pinned = table[table["item_id"] == "item-07"]
    assert (pinned["rank"] <= 2).all()
    assert len(pinned) > 30
    row = pinned.iloc[0]
    why = ruled.explain(row["user_id"], "item-07")
    assert why.rank == row["rank"]
    assert why.score == pytest.approx(why.lines["contribution"].sum(), abs=1e-9)
    assert why.score == pytest.approx(row["score"], abs=1e-5)
    by_rule = why.lines[why.lines["kind"] == "rule"].set_index("name")["contribution"].to_dict()
    assert by_rule == pytest.approx(acting[int(pinned.index[0])], abs=1e-6)
    assert why.average == pytest.approx(system.explain(row["user_id"], "item-07").average, abs=1e-12)
    if by_rule:
        assert "rule “Seven on top”" in why.sentence
    sold = ruled.explain(row["user_id"], "item-03")
    assert sold.sentence == f"{sold.title} is never recommended, by the rule “Sold”." or sold.seen


def test_a_preview_is_what_applying_the_rules_does(system: RefinedRecommender, file: Path) -> None:
    rules = read_rules(file)
    found = preview_rules(system, rules, ["Tents", "Sold"], k=5)
    before = system.with_rules(adjustments(rules.take(["Seven on top"]), system)).recommend(k=5)
    after = system.with_rules(adjustments(rules.on, system)).recommend(k=5)
    lists = [t.groupby("user_id", sort=False)["item_id"].agg(list) for t in (before, after)]
    assert found.users == 60
    assert found.changed == int((lists[0] != lists[1]).sum())
    assert found.entered == sum(bool(set(b) - set(a)) for a, b in zip(*lists, strict=True))
    assert found.rules["rule"].tolist() == ["Tents", "Sold"]
    category = system.data.dataset.catalogue.frame.set_index("item_id")["category"]
    weight = 1 / np.log2(after["rank"] + 1)
    share = weight.groupby(after["item_id"].map(category)).sum() / weight.sum()
    pd.testing.assert_series_equal(
        found.categories.set_index("category")["after"].sort_index(), share.sort_index(), check_names=False
    )
    assert found.categories["change"].sum() == pytest.approx(0, abs=1e-12)
    assert found.difference.low <= found.difference.value <= found.difference.high
    cases = system.data.test_cases
    assert found.cases == len(cases)


def test_by_default_a_preview_looks_at_rules_that_are_off(system: RefinedRecommender, file: Path) -> None:
    assert preview_rules(system, read_rules(file)).rules["rule"].tolist() == ["Dear"]
    with pytest.raises(InputError, match="no rule 'Tent'"):
        preview_rules(system, read_rules(file), ["Tent"])
    with pytest.raises(InputError, match="at least one rule"):
        preview_rules(system, RuleSet())


def test_switching_names_who_and_when(file: Path) -> None:
    now = datetime(2026, 12, 2, tzinfo=UTC)
    rules = read_rules(file).switched("Dear", True, "Ben", now)
    assert (rules.rules[3].on, rules.rules[3].author, rules.rules[3].time) == (True, "Ben", now)
    with pytest.raises(ConfigError, match="who switches"):
        rules.switched("Dear", False, " ", now)
