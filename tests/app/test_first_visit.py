"""The tour and the glossary: offered on the Overview, at home with the data set's words, and easy to leave."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from guidedrec_core.app.first_visit.glossary import GROUPS, filled
from guidedrec_core.app.first_visit.tour import STOPS
from guidedrec_core.app.page import PAGES, url_name
from guidedrec_core.data.verbs import WATCHED


def words(app: AppTest) -> str:
    return re.sub(
        r"\\(.)|\u2060", r"\1", "\n".join(str(each.value) for each in [*app.markdown, *app.caption, *app.subheader])
    )


def test_stops_are_pages_and_ask_what_those_answer() -> None:
    questions = {path: question for path, _, question, _ in PAGES}
    for stop in STOPS:
        assert stop.question == questions[stop.path]
        assert stop.page == url_name(stop.path)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_stop_says_what_to_look_at_until_the_tour_ends(tiny_home, open_app, number: int) -> None:
    stop = STOPS[number - 1]
    app = open_app(stop.path, dataset="tiny", tour="1")
    assert not app.exception
    assert f"Stop {number} of 3: {stop.question}" in words(app)
    app.button(key="end_tour").click().run()
    assert not app.exception
    assert "Stop" not in words(app)
    assert "tour" not in app.query_params


def test_pages_outside_the_tour_carry_it_along_without_a_note(tiny_home, open_app) -> None:
    app = open_app("pages/2_Items.py", dataset="tiny", tour="1")
    assert "Stop" not in words(app)
    assert app.query_params["tour"] == "1"


def test_the_overview_explains_its_words(tiny_home, open_app) -> None:
    app = open_app("app.py", dataset="tiny")
    app.button(key="glossary").click().run()
    assert not app.exception
    said = words(app)
    for subject, meanings in GROUPS.items():
        assert subject in said
        for word in meanings:
            assert filled(word, WATCHED).split()[0] in said
    assert "{" not in said
