"""Steering and the rationale on the Case study page: proposals, what-ifs, reset, a model that only chooses."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from chat_server import KEY, Answer, ChatServer, chat_server, failing, said  # noqa: F401
from streamlit.testing.v1 import AppTest

from guidedrec_core.cases.case import build_case
from guidedrec_core.cases.changes import build_changes
from guidedrec_core.cases.what_ifs import WhatIfStore
from guidedrec_core.explanation.words import ordinal
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import RunStore

CASE = "pages/1_Case_study.py"
USER = "user-03"


def words(app: AppTest) -> str:
    """Return all text of a page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error, *app.warning]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


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
    return app.slider(key=f"steer_{name}")


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
        out = app.multiselect(key="steer_removed")
        out.select(out.options[0]).run()
        assert_sound(app)
        assert "This is a what-if" in words(app)
        app.text_input(key="steer_find").set_value("Thing number 1").run()
        into = app.multiselect(key="steer_added")
        into.select(into.options[0]).run()
        assert_sound(app)
        assert app.multiselect(key="steer_added").value

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
        folder = tiny_home / "what_ifs" / tiny_build.refined.id  # of an earlier version
        folder.mkdir(parents=True)
        (folder / "broken.json").write_text("{")
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
    def ask(self, app: AppTest, server: ChatServer) -> None:
        app.text_input(key="rationale_model").set_value("m").run()
        app.text_input(key="rationale_url").set_value(server.url).run()
        app.button(key="rationale_ask").click().run()

    def test_the_rationale_stands_without_a_model(self, opened: Any) -> None:
        said_ = words(opened("In plain words"))
        assert "Written from the exact parts of the score, largest first, without a language model." in said_
        assert "The refined model ranks “" in said_ or "Both models rank “" in said_

    def test_the_change_of_the_history_that_matters_is_named(
        self, opened: Any, tiny_home: Path, tiny_build: Any
    ) -> None:
        system = open_refined(RunStore(tiny_home), tiny_build.refined.id)
        items = build_case(system, USER).refined["item_id"].tolist()
        removals = ((item, build_changes(system, USER, item).removal) for item in reversed(items))
        item, removal = next(found for found in removals if found[1] is not None)
        said_ = words(opened("In plain words", item=item))
        assert f"it would drop to {ordinal(removal.rank)}, out of the top 10." in said_
        assert all(f"“{title}”" in said_ for title in removal.titles)

    def test_each_reader_gets_other_words(self, opened: Any) -> None:
        app = opened("In plain words")
        assert "The refined model ranks" in words(app) or "Both models rank" in words(app)
        app.segmented_control(key="rationale_reader").set_value("analyst").run()
        assert_sound(app)
        assert "The part without a name (other choice patterns) contributes" in words(app)
        app.segmented_control(key="rationale_reader").set_value("stakeholder").run()
        assert_sound(app)
        assert "attributes, “" in words(app) or "with and without attributes." in words(app)

    def test_a_model_chooses_and_its_own_words_are_not_shown(
        self,
        opened: Any,
        chat_server: ChatServer,  # noqa: F811
    ) -> None:
        lie = "Warmth is on sale."
        choice = {"reader": "analyst", "claims": ["rank", "remainder", lie, "rank"], "sentence": lie}
        chat_server.model = lambda request: Answer(said(f"{lie} {json.dumps(choice)}"))
        app = opened("In plain words")
        self.ask(app, chat_server)
        assert_sound(app)
        said_ = words(app)
        assert "m chose these statements and their order" in said_
        for notice in (
            "1 unknown statement.",
            "1 repeated statement.",
            "1 extra field.",
            "another reader than the requested one.",
        ):
            assert f"Ignored: {notice}" in said_
        assert lie not in said_
        text = next(line for line in said_.split("\n") if "ther choice patterns count" in line)
        assert text.startswith(("The refined model ranks", "Both models rank"))
        assert re.search(r"^- .*(?:counts? (?:most )?(?:in its favour|against)|in the history)", said_, re.MULTILINE)
        assert KEY not in said_
        app.button(key="rationale_back").click().run()
        assert "without a language model." in words(app)

    def test_a_model_may_choose_the_reader_and_the_visitor_another(
        self,
        opened: Any,
        chat_server: ChatServer,  # noqa: F811
    ) -> None:
        choice = {"reader": "analyst", "claims": ["rank"]}
        chat_server.model = lambda request: Answer(said(json.dumps(choice)))
        app = opened("In plain words")
        app.checkbox(key="rationale_free_reader").check().run()
        self.ask(app, chat_server)
        assert_sound(app)
        assert app.segmented_control(key="rationale_reader").value == "analyst"
        assert " has rank " in words(app)
        app.segmented_control(key="rationale_reader").set_value("merchandiser").run()
        assert_sound(app)
        assert "m chose these statements" in words(app)
        assert "The refined model ranks" in words(app) or "Both models rank" in words(app)

    def test_the_choice_is_of_one_item_alone(
        self,
        opened: Any,
        chat_server: ChatServer,  # noqa: F811
        tiny_home: Path,
        tiny_build: Any,
    ) -> None:
        case = build_case(open_refined(RunStore(tiny_home), tiny_build.refined.id), USER)
        chat_server.model = lambda request: Answer(said(json.dumps({"reader": "analyst", "claims": ["rank"]})))
        app = opened("In plain words")
        self.ask(app, chat_server)
        assert "m chose these statements" in words(app)
        app.query_params["item"] = case.refined["item_id"].iloc[1]
        app.run()
        assert_sound(app)
        assert "m chose these statements" not in words(app)
        assert "without a language model." in words(app)

    def test_an_answer_without_a_choice_leaves_the_default(
        self,
        opened: Any,
        chat_server: ChatServer,  # noqa: F811
    ) -> None:
        chat_server.model = lambda request: Answer(said("Warmth is on sale."))
        app = opened("In plain words")
        self.ask(app, chat_server)
        assert_sound(app)
        said_ = words(app)
        assert "m gave no choice that can be used in 2 answers (it holds no choice); this is the default" in said_
        assert "on sale" not in said_
        assert "chose these statements" not in said_
        assert "ther choice patterns count" in said_

    def test_a_server_that_fails_is_told(self, opened: Any, chat_server: ChatServer) -> None:  # noqa: F811
        chat_server.model = lambda request: failing(400, "out of order")
        app = opened("In plain words")
        self.ask(app, chat_server)
        assert not app.exception
        assert "out of order" in "".join(error.value for error in app.error)
        assert "without a language model." in words(app)
