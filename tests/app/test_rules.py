"""The page Rules, and rules on the Case study: shown with their effect, switched, never overwritten, looked past."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.rules.effect_words import exposure_sentence, lists_sentence
from guidedrec_core.rules.preview import preview_rules
from guidedrec_core.rules.rule import Rule
from guidedrec_core.rules.store import RuleStore
from guidedrec_core.runs.store import RunStore
from guidedrec_core.sandbox.change import Change
from guidedrec_core.sandbox.sandbox import Sandbox

CASE, PAGE = "pages/1_Case_study.py", "pages/9_Rules.py"
HOSTILE = "<b>Tents</b> *now*"


@pytest.fixture
def store(tiny_home: Path) -> RuleStore:
    return RuleStore(tiny_home, "tiny")


@pytest.fixture
def model(tiny_build, tiny_home):
    return open_refined(RunStore(tiny_home), tiny_build.refined.id)


def words(app: AppTest) -> str:
    """Return all text of the page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.success, *app.info, *app.error]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label == label)


def table(app: AppTest, *columns: str):
    return next(one.value for one in app.dataframe if set(columns) <= set(one.value))


def links(app: AppTest) -> list[tuple[str, str]]:
    return [(each.proto.label, each.proto.query_string) for each in app.get("page_link")]


def test_without_a_rule_the_page_says_so(store: RuleStore, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    assert app.title[0].value == "What would a rule or a change do?"
    assert "There is no rule yet: lists are what the model makes of them." in words(app)
    assert not (store.home / "guidedrec.db").exists()


def test_the_effect_of_a_rule_is_shown_before_it_is_switched_on(store: RuleStore, model, open_app) -> None:
    rule = Rule(name=HOSTILE, kind="boost", items="tents", strength=4, on=False, note="for <i>winter</i>")
    made = store.add(rule, "Ana <x>")
    other = store.add(Rule(name="Socks", kind="bury", items="socks", on=True), "Ben")
    app = open_app(PAGE, dataset="tiny", rule=HOSTILE, length="5")
    assert not app.exception
    expected = preview_rules(model, store.rule_set(), [HOSTILE], 5)
    said = words(app)
    assert "1 rule is on: “Socks”. 1 is off." in said
    assert lists_sentence(expected, model.verb, "Switched on next to the other one, the rule") in said
    assert exposure_sentence(expected) in said
    assert f"{HOSTILE}” is off" in said
    items = table(app, "before", "after", "change")
    assert items["item_id"].tolist() == expected.items["item_id"].tolist()
    assert len(app.get("plotly_chart")) == 2
    moved = expected.most_moved(model.data.dataset.items.index(items["item_id"].iloc[0]), 1)
    user = model.data.dataset.users.id(int(moved["user"].iloc[0]))
    cases = [query for label, query in links(app) if label.startswith("User ")]
    assert f"user={user}" in cases[0]
    assert f"item={items['item_id'].iloc[0]}" in cases[0]

    button(app, "Switch on").click().run()
    assert "Enter your name" in words(app)
    app.text_input(key="rule_who").set_value("Cid")
    app.text_input(key="rule_why").set_value("fair")
    button(app, "Switch on").click().run()
    assert not app.exception
    assert f"“{HOSTILE}” is on now." in words(app)
    now = store.find(HOSTILE)
    assert (now.rule.on, now.written.changed_by, now.id) == (True, "Cid", made.id)
    assert table(app, "who", "what")["what"].tolist() == ["switched on: fair", "added"]
    assert "The rule would" not in words(app)

    # Somebody else is quicker: the second is told, and sees the rule as it is.
    store.switch(now, False, "Dan")
    button(app, "Switch off").click().run()
    assert re.search(r"Dan changed rule .* nothing was overwritten", words(app))
    assert store.find(HOSTILE).written.changed_by == "Dan"
    assert button(app, "Switch on")
    assert store.find("Socks") == other
    button(app, "Delete").click().run()
    assert "is deleted." in words(app)
    assert [one.rule.name for one in store.list()] == ["Socks"]


def test_a_rule_is_changed_in_the_form_that_the_address_names(store: RuleStore, open_app) -> None:
    seen = store.add(Rule(name="Seven", kind="pin", items="item item-07", place=2, on=True), "Ana")
    app = open_app(PAGE, dataset="tiny", edit="Seven")
    assert not app.exception
    assert app.number_input(key="rule_field_place").value == 2
    assert app.selectbox(key="rule_field_items").value == "item item-07"
    assert "Concerns 1 of 40 items and 60 users." in words(app)
    app.number_input(key="rule_field_place").set_value(3).run()
    store.switch(seen, False, "Ben")
    app.text_input(key="rule_who").set_value("Cid")
    button(app, "Save").click().run()
    assert re.search(r"Ben changed rule 'Seven' on .* nothing was overwritten", words(app))
    assert app.number_input(key="rule_field_place").value == 3  # what was typed stays
    assert store.find("Seven").rule.place == 2
    button(app, "Save").click().run()  # now on top of what Ben did
    assert not app.exception
    assert (store.find("Seven").rule.place, store.find("Seven").rule.on) == (3, False)
    assert "edit" not in app.query_params


def test_the_case_study_names_rules_and_looks_without_them(store: RuleStore, model, open_app) -> None:
    store.add(Rule(name=HOSTILE, kind="pin", items="item item-07", place=1, on=True), "Ana")
    place = {"dataset": "tiny", "user": "user-04", "item": "item-07"}
    app = open_app(CASE, **place)
    assert not app.exception
    assert f"1 rule is on: “{HOSTILE}”." in words(app)
    assert "item-07" not in model.recommend(["user-04"], k=1)["item_id"].tolist()
    assert "is 1st" in words(app)
    assert f"the rule “{HOSTILE}”" in words(app)
    lists = [one.value for one in app.dataframe if "title" in one.value and "change" in one.value]
    assert sum(title.startswith("⚑ ") for frame in lists for title in frame["title"]) == 1
    assert f"Rule “{HOSTILE}”" in table(app, "label", "contribution", "words")["label"].tolist()
    app.toggle(key="with_rules").set_value(False).run()
    assert not app.exception
    assert app.query_params["rules"] == "off"
    assert "The lists are shown without." in words(app)
    assert not [name for name in table(app, "label", "contribution", "words")["label"] if name.startswith("Rule ")]
    app = open_app(CASE, **place, question="changes", find="shown tents")
    assert "Conditions look at the model's own lists, without the rules that are on." in words(app)
    assert "This answer is about the model alone, without the rules that are on." in words(app)


def test_a_rule_that_does_not_fit_the_run_is_named_and_left_out(store: RuleStore, open_app) -> None:
    store.add(Rule(name="Old", kind="boost", items="spiciness at least 7", on=True), "Ana")
    app = open_app(CASE, dataset="tiny", user="user-03")
    assert not app.exception
    assert "Rule 'Old'" in words(app)
    assert "The lists below are shown without rules." in words(app)
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    assert "The rule does not fit this run." in words(app)


def test_a_what_if_is_in_the_address_and_marked_until_it_is_reset(model, tiny_home, open_app) -> None:
    changes = "warmth%3D9%20where%20tents,weight%20style_focus%2A2"
    app = open_app(PAGE, dataset="tiny", tab="what-if", change=changes)
    assert not app.exception
    expected = Sandbox.of(model, 10).effect([Change.read("warmth=9 where tents"), Change.read("weight style_focus*2")])
    said = words(app)
    assert lists_sentence(expected, model.verb, "This") in said
    assert "What if** · not saved" in said
    assert "Warmth: set to 9, for tents" in said
    assert "Style focus counts 2 times as much" in said
    assert table(app, "before", "after")["item_id"].tolist() == expected.items["item_id"].tolist()
    app.button(key="what_if_without_0").click().run()
    assert app.query_params["change"] == "weight%20style_focus%2A2"
    app.button(key="what_if_reset").click().run()
    assert "change" not in app.query_params
    assert "What if**" not in words(app)
    app.number_input(key="what_if_value_score_=").set_value(3.0)
    app.button(key="what_if_add").click().run()
    assert not app.exception
    assert app.query_params["change"] == "warmth%3D3"
    app = open_app(PAGE, dataset="tiny", tab="what-if", change="nothing%3D3")
    assert not app.exception
    assert app.error
