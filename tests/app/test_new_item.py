"""A new item on the Items page: by hand, from a listing, from a table; and what cannot be scored says why."""

import json
import re

import pytest
from chat_server import KEY, Answer, ChatServer, chat_server, said, scorer, texts_in
from streamlit.testing.v1 import AppTest

__all__ = ["chat_server"]

PAGE = "pages/2_Items.py"


def words(app: AppTest) -> str:
    """Return all text of the page, without the backslashes that keep it from being markup."""
    elements = [*app.subheader, *app.markdown, *app.caption, *app.warning, *app.error, *app.text]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


def charts(app: AppTest) -> str:
    return "".join(chart.proto.spec for chart in app.get("plotly_chart"))


@pytest.fixture
def new_item(tiny_home, open_app) -> AppTest:
    """The page, turned to a new item."""
    app = open_app(PAGE, dataset="tiny", item="item-05")
    return choose(app, "which_item", "new")


def choose(app: AppTest, key: str, value: str) -> AppTest:
    app.segmented_control(key=key).set_value(value).run()
    assert not app.exception
    return app


def press(app: AppTest, key: str) -> AppTest:
    next(button for button in app.button if button.key and key in button.key).click().run()
    assert not app.exception
    return app


def paste(app: AppTest, server: ChatServer, title: str = "Parka") -> AppTest:
    choose(app, "preview_way", "paste")
    app.text_input(key="preview_title").set_value(title)
    app.text_area(key="preview_description").set_value("For deep cold.")
    app.text_input(key="preview_model").set_value("toy")
    app.text_input(key="preview_url").set_value(server.url)
    return press(app, "preview_score")


def test_scores_set_by_hand_need_no_server(new_item: AppTest) -> None:
    assert "How would a new item perform?" in words(new_item)
    slider = next(one for one in new_item.slider if one.key and "warmth" in one.key)
    assert "much warmth" in slider.help
    slider.set_value(10.0)
    new_item.text_input(key="preview_name").set_value("<b>Parka</b>")
    press(new_item, "preview_do")
    said_ = words(new_item)
    assert "<b>Parka</b> would be in the top 10 for " in said_
    assert "Who would see it" in said_
    assert "This run never had to rank items without choices" in said_
    assert "<b>Parka" not in charts(new_item)
    assert len(new_item.dataframe[0].value) == 20
    choose(new_item, "which_item", "old")
    assert "Thing number 5" in words(new_item)
    choose(new_item, "which_item", "new")
    assert "would be in the top 10 for " in words(new_item), "what was found is still there"


def test_it_can_start_from_the_item_under_study(new_item: AppTest, tiny_build) -> None:
    choose(new_item, "preview_begin", "item")
    own = tiny_build.scores.read_array("item_scores")[5]
    shown = {one.label: one.value for one in new_item.slider}
    assert list(shown.values()) == pytest.approx(own.tolist())


def test_a_pasted_listing_is_scored_and_previewed(new_item: AppTest, chat_server: ChatServer) -> None:
    chat_server.model = scorer
    paste(new_item, chat_server)
    assert texts_in(chat_server.asked[0]) == ["title: Parka\ndescription: For deep cold."]
    said_ = words(new_item)
    assert "Parka would be in the top 10 for " in said_
    assert "Scored by toy; the catalogue's scores were read from files" in said_
    assert KEY not in said_ + charts(new_item) + str(new_item.session_state)


def test_what_cannot_be_scored_says_why(new_item: AppTest, chat_server: ChatServer) -> None:
    chat_server.model = lambda request: Answer(said("I would rather not."))
    paste(new_item, chat_server, "<i>Tent</i>")
    warning = new_item.warning[0].value.replace("\\", "")
    assert "<i>Tent</i>: " in warning
    assert "would be in the top" not in words(new_item)


@pytest.mark.parametrize(
    ("field", "value", "said_"),
    [("preview_title", " ", "Expected a title"), ("preview_url", "ftp://x", "expected a base url")],
)
def test_wrong_fields_get_a_sentence(
    new_item: AppTest, chat_server: ChatServer, field: str, value: str, said_: str
) -> None:
    choose(new_item, "preview_way", "paste")
    for key, given in (("preview_title", "Parka"), ("preview_model", "toy"), ("preview_url", chat_server.url)):
        new_item.text_input(key=key).set_value(value if key == field else given)
    press(new_item, "preview_score")
    assert said_.lower() in words(new_item).lower()
    assert chat_server.asked == []


def test_a_table_is_scored_and_one_of_it_looked_at(new_item: AppTest, chat_server: ChatServer) -> None:
    def shy(request: dict) -> Answer:
        known = json.loads(scorer(request).body["choices"][0]["message"]["content"])
        rows = zip(known["items"], texts_in(request), strict=True)
        return Answer(said(json.dumps({"items": [row for row, text in rows if "Tent" not in text]})))

    chat_server.model = shy
    choose(new_item, "preview_way", "table")
    press(new_item, "preview_score")
    assert "Choose a file first." in words(new_item)
    table = b"title,price,description\nParka,89,Warm\nTent,,\nFlask,cheap,Hot\n"
    new_item.file_uploader(key="preview_file").set_value(("new.csv", table, "text/csv"))
    new_item.text_input(key="preview_model").set_value("toy")
    new_item.text_input(key="preview_url").set_value(chat_server.url)
    press(new_item, "preview_score")
    assert "Parka would be in the top" in words(new_item)
    assert "1 of 3 could not be scored" in str(new_item.warning[0].proto)
    assert "1 price is no finite number" in words(new_item)
    new_item.selectbox(key="preview_which").select_index(1).run()
    assert "Flask would be in the top" in words(new_item)
