"""The Items page: search, attributes in words, similar items, who sees it, and links that lead nowhere."""

import re

import pytest
from streamlit.testing.v1 import AppTest
from tiny import HOSTILE_TITLE

from guidedrec_core import stages
from guidedrec_core.runs.store import RunStore

PAGE = "pages/2_Items.py"


def words(app: AppTest) -> str:
    """Return all text of the page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error, *app.text]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


def charts(app: AppTest) -> str:
    return "".join(chart.proto.spec for chart in app.get("plotly_chart"))


def test_an_item_is_shown_with_scores_neighbours_and_audience(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", item="item-05")
    assert not app.exception
    said = words(app)
    assert "Thing number 5" in said
    assert "socks · price" in said
    assert "What thing 5 is for." in said
    assert re.search(r"The refined model recommends it to \d+ of 60 users \(top 20\)", said)
    assert re.search(r"\d of the 8 most similar items (was|were) among them before refinement", said)
    assert "much warmth" in charts(app)
    assert [len(table.value) for table in app.dataframe][-3:] == [8, 8, 3]


def test_without_an_item_it_opens_one_and_says_which(tiny_home, tiny_build, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    first = tiny_build.evaluation.read_table("highlights")["item_id"].iloc[0]
    assert app.selectbox(key="choose_item").value == first
    assert f"ID {first}" in words(app)


def test_search_finds_and_choosing_changes_the_place(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", item="item-05")
    app.text_input(key="find_item").set_value("NUMBER 17").run()
    choice = app.selectbox(key="choose_item")
    assert choice.options == ["Thing number 17 (item-17)"]
    assert choice.label == "Items (1 found)"
    assert "Thing number 5" in words(app)  # typing alone changes nothing
    choice.select_index(0).run()
    assert not app.exception
    assert app.query_params["item"] == "item-17"
    assert "What thing 17 is for." in words(app)


def test_a_search_without_result_says_so(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", item="item-05")
    app.text_input(key="find_item").set_value("zzz").run()
    assert not app.exception
    assert app.selectbox(key="choose_item").label == "Items (none found)"


def test_an_item_is_not_its_own_neighbour(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", item="item-05")
    near = next(table.value for table in app.dataframe if "why" in table.value)
    assert "item-05" not in near.to_string()


def test_titles_from_outside_are_text(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", item="item-00")
    assert not app.exception
    assert HOSTILE_TITLE in words(app)
    assert not any(HOSTILE_TITLE in str(each.value) for each in app.markdown)
    assert "<b>Tent" not in charts(app)


def test_an_unscored_attribute_is_said_to_be_average(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", item="item-01")
    assert "not scored, treated as average" in charts(app).encode().decode("unicode_escape")


def test_a_score_set_by_hand_is_marked_and_another_can_be_set(tiny_home, open_app) -> None:
    store = RunStore(tiny_home)
    stages.override_score(store, stages.find_data(store, "tiny"), "item-05", "warmth", 9.5, "Ann", "a <b>parka</b>")
    app = open_app(PAGE, dataset="tiny", item="item-05")
    assert not app.exception
    assert "Warmth will be 9.5 after the next refinement, set by hand by Ann on " in words(app)
    assert "a <b>parka</b>." in words(app)
    assert "set by hand, not in use yet" in charts(app)
    link = next(each.proto for each in app.get("page_link") if each.proto.label == "Set a score by hand")
    assert "item=item-05" in link.query_string
    assert "part=Set" in link.query_string


def test_an_unknown_item_gets_a_sentence_and_a_way_on(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", item="<i>gone</i>")
    assert not app.exception
    assert "There is no item <i>gone</i> in tiny." in words(app)
    app.button(key="way_on").click().run()
    assert not app.exception
    assert "How it is scored" in words(app)


@pytest.mark.parametrize("stage", ["evaluation", "projection"])
def test_it_works_while_other_stages_are_missing(tiny_home, tiny_build, open_app, stage: str) -> None:
    RunStore(tiny_home).delete(getattr(tiny_build, stage).id)
    app = open_app(PAGE, dataset="tiny", item="item-05")
    assert not app.exception
    assert "How it is scored" in words(app)
