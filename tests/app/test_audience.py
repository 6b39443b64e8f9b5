"""The Audience page: an answer in a sentence, conditions in the address, offenders' cases, segments and shelves."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from guidedrec_core.audience.answer_words import share_words
from guidedrec_core.audience.audience import Audience
from guidedrec_core.audience.saved import SegmentStore
from guidedrec_core.conditions.condition import Definition, Segment, Taste
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import RunStore

PAGE = "pages/6_Audience.py"


def words(app: AppTest) -> str:
    """Return all text of the page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.success, *app.error, *app.text]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


def links(app: AppTest) -> dict[str, str]:
    return {each.proto.label: each.proto.query_string for each in app.get("page_link")}


@pytest.fixture
def audience(tiny_build, tiny_home) -> Audience:
    store = RunStore(tiny_home)
    run = tiny_build.evaluation
    model = open_refined(store, tiny_build.refined.id)
    return Audience.of(model, run.read_table("recommendations"), run.read_table("cases")).cut(10)


def test_the_answer_stands_first_with_its_numbers(audience, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", items="tents")
    assert not app.exception
    answer = audience.who_gets("tents")
    never, reached = answer.measure("refined", "never"), answer.measure("refined", "reached")
    said = words(app)
    assert app.title[0].value == "Who gets this, and should they?"
    assert f"{share_words(never.value)} of the {int(reached.count)} users shown tents never chosen one before." in said
    assert f"Of 60 users, {int(reached.count)} are shown tents in their top 10 by the refined model" in said
    assert len(app.get("plotly_chart")) == 2
    shown = next(table.value for table in app.dataframe if "excess" in table.value)
    assert shown["user_id"].tolist() == answer.offenders["user_id"].tolist()
    worst = answer.offenders.iloc[0]
    link = next(query for label, query in links(app).items() if label.startswith("Why is it recommended"))
    assert f"user={worst['user_id']}" in link
    assert f"item={worst['item_id']}" in link
    assert "history=train%2Bvalid" in link


def test_conditions_and_length_are_taken_from_the_address(audience, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", items="price over 40", users="seeks warmth", k="5")
    assert not app.exception
    assert app.selectbox(key="items").value == "price over 40"
    answer = audience.cut(5).who_gets("price over 40", "seeks warmth")
    reached = int(answer.measure("refined", "reached").count)
    assert "shown items with price over 40 never" in words(app)
    assert f"{reached} are shown items with price over 40 in their top 5" in words(app)
    assert "users who match “seeks warmth”" in words(app)
    assert '"kind": "taste"' in app.code[1].value


def test_a_choice_changes_the_answer_and_is_kept_over_a_visit_elsewhere(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", items="tents")
    app.selectbox(key="users").set_value("seeks warmth").run()
    assert not app.exception
    assert "15 users who match “seeks warmth”" in words(app)
    app.switch_page("pages/1_Case_study.py").run()
    app.query_params.clear()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert "15 users who match “seeks warmth”" in words(app)
    assert app.selectbox(key="items").value == "tents"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"items": "tentz"}, "got “tentz”; did you mean “tents”"),
        ({"items": "price over 9999"}, "None of the 40 items fulfils the condition"),
        ({"users": "sekes warmth"}, "did you mean “seeks warmth”"),
        ({"items": "<script>alert(1)</script>"}, "got “<script>alert"),
    ],
)
def test_what_is_not_understood_gets_a_sentence_and_examples(tiny_home, open_app, place, said) -> None:
    app = open_app(PAGE, dataset="tiny", **place)
    assert not app.exception
    assert said in words(app)
    assert "never chose" in words(app)
    assert not any("<script>" in str(each.value) for each in app.markdown)


def test_titles_and_users_from_outside_are_text(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", items="item item-00")
    assert not app.exception
    assert "<b>Tent</b> & *stove*" in words(app)
    assert not any("<b>Tent" in str(each.value) for each in app.markdown)


def test_segments_show_gains_and_can_be_asked_about(tiny_home, audience, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", part="Segments")
    assert not app.exception
    found = audience.segments
    if found.stable:
        assert f"fall into {found.k} stable segments by taste" in words(app)
        table = next(table.value for table in app.dataframe if "over_placebo" in table.value)
        assert table["users"].sum() == 60
    else:
        assert "No stable segments" in words(app)


def test_without_stable_segments_it_says_so(tiny_home, open_app, monkeypatch) -> None:
    from guidedrec_core.app.audience import loaders
    from guidedrec_core.audience import segments

    monkeypatch.setattr(segments, "STABLE", 2.0)
    for cached in (loaders._segments, loaders._whole, loaders._audience):
        cached.clear()
    app = open_app(PAGE, dataset="tiny", part="Segments")
    assert not app.exception
    assert "No stable segments" in words(app)
    assert len(app.get("plotly_chart")) == 1
    for cached in (loaders._segments, loaders._whole, loaders._audience):
        cached.clear()


@pytest.mark.parametrize("space", ["base", "refined", "guided"])
def test_shelves_of_each_space_hold_the_catalogue(tiny_home, open_app, space) -> None:
    app = open_app(PAGE, dataset="tiny", part="Shelves", space=space)
    assert not app.exception
    assert re.search(r"sorts? the catalogue onto \d+ shelves; \d+ % of the items", words(app))
    table = next(table.value for table in app.dataframe if "purity" in table.value and "name" in table.value)
    assert table["items"].sum() == 40


def test_without_an_evaluation_it_offers_to_make_one(tiny_home, tiny_build, open_app, started) -> None:
    RunStore(tiny_home).delete(tiny_build.evaluation.id)
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    app.button(key="make_evaluation").click().run()
    assert started


def open_save(app: AppTest, name: str = "", who: str = "") -> AppTest:
    """Open the popover, which is drawn only then, and fill it in."""
    app.session_state["save_segment_open"] = True
    app.run()
    if name:
        app.text_input(key="save_segment_name").set_value(name)
    if who:
        app.text_input(key="save_segment_who").set_value(who)
    return app


def press(app: AppTest, label: str) -> AppTest:
    return next(one for one in app.button if one.label == label).click().run()


def test_a_group_is_saved_chosen_by_its_name_and_changed(tiny_home, open_app) -> None:
    store = SegmentStore(tiny_home)
    app = press(open_save(open_app(PAGE, dataset="tiny", items="tents", users="seeks warmth"), "Cold <b>"), "Save")
    assert "Enter your name" in words(app)
    assert store.list() == ()
    app = press(open_save(app, who="Ann"), "Save")
    assert not app.exception
    (saved,) = store.list()
    assert (saved.dataset, saved.name, saved.text, saved.written.created_by) == (
        "tiny",
        "Cold <b>",
        "seeks warmth",
        "Ann",
    )
    assert "Saved Cold <b>." in words(app)

    app = open_app(PAGE, dataset="tiny", items="tents", users='segment: "Cold <b>" and avoids warmth')
    assert not app.exception
    assert "match “seeks warmth and avoids warmth”" in words(app) or "None of the 60 users" in words(app)
    assert 'segment: "Cold <b>"' in app.selectbox(key="users").options
    app = open_save(open_app(PAGE, dataset="tiny", items="tents", users="avoids warmth"), "Cold <b>")
    app = open_save(app, who="Bob")
    assert "There is a segment of this name: “seeks warmth”, last changed by Ann" in words(app)
    changed = store.change(saved, "Cid", note="quicker")
    press(app, "Replace")
    assert "Cid changed segment 'Cold <b>'" in words(app)
    assert store.list() == (changed,)
    press(open_save(app), "Replace")  # now that Cid's version has been seen
    assert store.find("Cold <b>").text == "avoids warmth"
    assert store.find("Cold <b>").note == "quicker"


def test_saved_segments_are_listed_asked_about_and_deleted(tiny_home, open_app) -> None:
    store = SegmentStore(tiny_home)
    assert "None yet." in words(open_app(PAGE, dataset="tiny", part="Segments"))
    store.save("tiny", "cold", Definition.of(Taste(attribute="warmth", end="high"), "seeks warmth"), "Ann")
    store.save("tiny", "gone", Definition.of(Segment(number=9)), "Ann")
    app = open_app(PAGE, dataset="tiny", part="Segments")
    assert not app.exception
    table = next(each.value for each in app.dataframe if "conditions" in each.value)
    assert table["name"].tolist() == ["cold", "gone"]
    assert (table["users"].iloc[0], table["users"].isna().tolist()) == (15, [False, True])
    assert "gone: " in words(app)
    app.session_state["saved_segment_table"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.session_state["delete_segment"] = True
    app.run()
    app.text_input(key="delete_segment_who").set_value("Bob")
    press(app, "Delete")
    assert "Deleted cold." in words(app)
    assert [one.name for one in store.list()] == ["gone"]
    app.session_state["saved_segment_table"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    app.button(key="take_saved_segment").click().run()
    assert app.query_params["users"] == "segment: gone"
