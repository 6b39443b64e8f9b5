"""Steering and the rationale on the Case study page: proposals, what-ifs, reset, a model that is checked."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from chat_server import KEY, Answer, ChatServer, chat_server, said  # noqa: F401
from streamlit.testing.v1 import AppTest

from guidedrec_core.cases.what_ifs import WhatIfStore

CASE = "pages/1_Case_study.py"
USER = "user-03"


def words(app: AppTest) -> str:
    """Return all text of a page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error, *app.warning]
    return re.sub(r"\\(.)", r"\1", "\n".join(str(element.value) for element in elements))


def assert_sound(app: AppTest) -> None:
    assert not app.exception, app.exception[0].stack_trace
    assert not app.error


@pytest.fixture
def opened(tiny_home: Path, open_app: Any) -> Any:
    def at(section: str, **place: str) -> AppTest:
        app = open_app(CASE, **{"dataset": "tiny", "user": USER, **place})
        app.segmented_control(key="section").set_value(section).run()
        assert_sound(app)
        return app

    return at


def slider(app: AppTest, name: str) -> Any:
    return next(each for each in app.slider if each.key.startswith(f"steer_{name}_"))


class TestSteering:
    def test_a_slider_re_ranks_and_reset_takes_it_back(self, opened: Any) -> None:
        app = opened("Steer")
        assert "What would be recommended if" in words(app)
        assert "This is a what-if" not in words(app)
        slider(app, "warmth").set_value(3.0).run()
        assert_sound(app)
        assert "This is a what-if" in words(app)
        assert "What if: " in words(app)
        app.button(key="steer_reset").click().run()
        assert_sound(app)
        assert "This is a what-if" not in words(app)
        assert slider(app, "warmth").value == 0

    def test_words_are_a_proposal_until_they_are_applied(self, opened: Any) -> None:
        app = opened("Steer")
        app.text_input(key="steer_wish").set_value("much more warmth, less style, no zebras").run()
        assert_sound(app)
        said_ = words(app)
        assert '**Understood:** Warmth up by 2 ("much more warmth") and Style focus down by 1 ("less style").' in said_
        assert 'Not understood: "no zebras".' in said_
        assert "This is a what-if" not in said_
        app.button(key="steer_apply").click().run()
        assert_sound(app)
        assert (slider(app, "warmth").value, slider(app, "style_focus").value) == (2, -1)
        assert "This is a what-if (warmth +2, style focus -1). Not saved; the lists above are unchanged." in words(app)
        assert not app.text_input(key="steer_wish").value

    def test_the_history_can_be_edited(self, opened: Any) -> None:
        app = opened("Steer")
        out = next(each for each in app.multiselect if each.key.startswith("steer_removed"))
        out.select(out.options[0]).run()
        assert_sound(app)
        assert "This is a what-if" in words(app)
        app.text_input(key="steer_find").set_value("Thing number 1").run()
        into = next(each for each in app.multiselect if each.key.startswith("steer_added"))
        into.select(into.options[0]).run()
        assert_sound(app)
        assert next(each for each in app.multiselect if each.key.startswith("steer_added")).value

    def test_a_what_if_is_kept_opened_and_deleted(self, opened: Any, tiny_home: Path, tiny_build: Any) -> None:
        app = opened("Steer")
        slider(app, "ruggedness").set_value(-1.5).run()
        app.text_input(key="steer_name").set_value("softer").run()
        app.button(key="steer_keep").click().run()
        assert_sound(app)
        store = WhatIfStore(tiny_home, tiny_build.refined.id)
        assert [one.pulls for one in store.list().what_ifs] == [{"ruggedness": -1.5}]
        app.button(key="steer_keep").click().run()
        assert "already has a scenario 'softer'" in words(app)
        (store.folder / "broken.json").write_text("{")
        app.button(key="steer_reset").click().run()
        assert slider(app, "ruggedness").value == 0
        assert "Skipped: broken.json" in words(app)
        app.button(key="steer_open").click().run()
        assert_sound(app)
        assert slider(app, "ruggedness").value == -1.5
        app.button(key="steer_delete").click().run()
        assert_sound(app)
        assert store.list().what_ifs == ()

    def test_a_model_may_read_the_words(self, opened: Any, chat_server: ChatServer) -> None:  # noqa: F811
        pulls = {"pulls": [{"attribute": "warmth", "steps": 1.5, "words": "cosy"}]}
        chat_server.model = lambda request: Answer(said(json.dumps(pulls)))
        app = opened("Steer")
        app.text_input(key="steer_wish").set_value("cosy, for zebras").run()
        assert "Nothing to change." in words(app)
        app.text_input(key="wish_model").set_value("m").run()
        app.text_input(key="wish_url").set_value(chat_server.url).run()
        app.button(key="steer_wish_ask").click().run()
        assert_sound(app)
        assert 'Understood by AI: Warmth up by 1.5 ("cosy"). Not understood: "zebras".' in words(app).replace("**", "")
        assert KEY not in words(app)


class TestRationale:
    def test_the_template_stands_without_a_model(self, opened: Any) -> None:
        said_ = words(opened("In plain words"))
        assert "Written by a template from the exact parts of the score" in said_
        assert "The base model has it " in said_ or "Base and refined model both have it " in said_

    def test_a_models_claims_are_checked(self, opened: Any, chat_server: ChatServer) -> None:  # noqa: F811
        def model(request: Any) -> Answer:
            line = next(each for each in request["messages"][0]["content"].split("\n") if each.startswith("c1:"))
            value = float(line.rpartition(" ")[2])
            direction = "for" if value > 0 else "against"
            claims = [
                {"type": "contribution", "evidence": ["c1"], "value": shown, "direction": direction,
                 "sentence": f"Warmth counts {direction} it with {shown:+.2f}."}
                for shown in (value, value + 5)
            ]  # fmt: skip
            return Answer(said(json.dumps({"claims": claims})))

        chat_server.model = model
        app = opened("In plain words")
        app.text_input(key="rationale_model").set_value("m").run()
        app.text_input(key="rationale_url").set_value(chat_server.url).run()
        app.button(key="rationale_ask").click().run()
        assert_sound(app)
        said_ = words(app)
        assert "Written by m; each statement was computed again: 1 held" in said_
        assert "1 struck out." in said_
        assert KEY not in said_
        app.button(key="rationale_back").click().run()
        assert "Written by a template" in words(app)

    def test_a_server_that_fails_is_told(self, opened: Any, chat_server: ChatServer) -> None:  # noqa: F811
        chat_server.model = lambda request: Answer(said("no"))
        app = opened("In plain words")
        app.text_input(key="rationale_model").set_value("m").run()
        app.text_input(key="rationale_url").set_value(chat_server.url).run()
        app.button(key="rationale_ask").click().run()
        assert not app.exception
        assert "Expected a rationale from m" in words(app)
        assert "Written by a template" in words(app)
