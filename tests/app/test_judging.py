"""Tests with people in the app: made on the Studies page, answered on a page of their own, results shown in time."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from planted import prediction_content, taste_content
from streamlit.testing.v1 import AppTest

from guidedrec_core.app.judging.cards import customer_html, items_html, lists_html
from guidedrec_core.figures.theme import LIGHT
from guidedrec_core.judging.content import Reason, ShownItem
from guidedrec_core.judging.experiment import Experiment, next_turn
from guidedrec_core.judging.store import ExperimentStore
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.library import find_entry
from guidedrec_core.runs.store import RunStore

JUDGE, STUDIES = "pages/10_Judge.py", "pages/7_Studies.py"


@pytest.fixture
def store(own_home: Path) -> ExperimentStore:
    return ExperimentStore(own_home)


@pytest.fixture
def taste(store: ExperimentStore) -> Experiment:
    return store.create("Base against refined", "tiny", {}, taste_content(3), "Ann")


def words(app: AppTest) -> str:
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.error, app.success, app.info)
    html = [re.sub("<[^>]+>", " ", each.proto.body) for each in app.get("html")]
    said = [*(re.sub(r"\\(.)|\u2060", r"\1", each.value) for kind in kinds for each in kind), *html]
    return "\n".join(said).replace("\u00a0", " ")


def press(app: AppTest, key: str) -> AppTest:
    app = app.button(key=key).click().run()
    assert not app.exception
    return app


def begin(app: AppTest, name: str) -> AppTest:
    app.text_input(key="judge_name").set_value(name).run()
    return press(app, "begin")


def choose(app: AppTest, case_id: str, side: str, sure: float | None = None) -> AppTest:
    app.segmented_control(key=f"choice_{case_id}").set_value(side).run()
    if sure is not None:
        app.segmented_control(key=f"sure_{case_id}").set_value(sure).run()
    return press(app, f"next_{case_id}")


class TestJudging:
    def test_without_a_link_there_is_a_sentence(self, own_home: Path, taste: Experiment, open_app: Any) -> None:
        for place in ({}, {"test": "nothing"}, {"test": "Base against refined"}):  # names could be guessed
            app = open_app(JUDGE, **place)
            assert not app.exception
            assert "missing or mistyped" in words(app)
            assert not app.text_input

    def test_answers_are_saved_one_by_one_and_results_come_last(
        self, store: ExperimentStore, taste: Experiment, open_app: Any
    ) -> None:
        app = open_app(JUDGE, test=taste.id)
        assert not app.sidebar.children
        app = begin(app, " ")
        assert "Enter your name" in words(app)
        app = begin(app, "Bob")
        judge = store.known(taste.id, "Bob")
        assert judge is not None
        assert dict(app.query_params) == {"test": taste.id, "judge": judge.id}
        for number, slot in enumerate(judge.plan):
            said = words(app)
            assert "What this user chose last" in said
            assert "preferred" not in said
            assert not re.search("base|refined|Base against", said)
            assert app.button(key=f"next_{slot.case_id}").disabled
            first, second = ("a", "b") if slot.side == "left" else ("b", "a")
            number_of = int(slot.case_id[-3:])
            assert said.index(f"Thing {first}{number_of}") < said.index(f"Thing {second}{number_of}")
            app = choose(app, slot.case_id, "left") if number < 2 else press(app, f"skip_{slot.case_id}")
            assert len(store.answers(taste)) == number + 1
        said = words(app)
        assert "Thank you, Bob. You have been through all 3 cases." in said
        assert "when the test is closed" in said
        assert "which list is better: in" not in said
        assert "refined" not in said
        store.set_open(taste, is_open=False, who="Ann")
        said = words(app.run())
        assert "Cannot tell yet which list is better: in " in said
        assert "more answers are needed for 80 % power" in said
        assert "1 skipped case does not count." in said

    def test_the_same_person_goes_on_where_they_stopped(
        self, store: ExperimentStore, taste: Experiment, open_app: Any
    ) -> None:
        judge = store.begin(taste.id, "Zoë")
        store.answer(judge.id, judge.plan[0].case_id, "left")
        app = open_app(JUDGE, test=taste.id)
        app.text_input(key="judge_name").set_value("zoë")
        app = press(app, "begin")  # in one step, before the question could be read
        assert "judge" not in app.query_params
        assert "Zoë has answered 1 of 3 here" in words(app)
        app = press(app, "go_on")
        assert app.query_params["judge"] in (judge.id, [judge.id])
        assert app.button(key=f"next_{judge.plan[1].case_id}")
        again = open_app(JUDGE, test=taste.id, judge=judge.id)  # a new session with the same address
        assert again.button(key=f"next_{judge.plan[1].case_id}")
        other = store.create("another", "tiny", {}, taste_content(3), "Ann")
        assert open_app(JUDGE, test=other.id, judge=judge.id).text_input(key="judge_name")

    def test_an_answer_given_elsewhere_stays(self, store: ExperimentStore, taste: Experiment, open_app: Any) -> None:
        judge = store.begin(taste.id, "Bob")
        app = open_app(JUDGE, test=taste.id, judge=judge.id)
        case_id = judge.plan[0].case_id
        store.answer(judge.id, case_id, "right")  # in another tab
        app = press(app, f"skip_{case_id}")
        assert "You have answered this case before; that answer stays." in words(app)
        assert store.answers(taste)["chosen_side"].tolist() == ["right"]
        assert app.button(key=f"next_{judge.plan[1].case_id}")

    def test_a_closed_test_says_so(self, store: ExperimentStore, taste: Experiment, open_app: Any) -> None:
        judge = store.begin(taste.id, "Bob")
        store.set_open(taste, False, "Ann")
        assert "closed; it takes no more answers" in words(open_app(JUDGE, test=taste.id))
        assert "This test is closed. Thank you: your 0 cases count." in words(
            open_app(JUDGE, test=taste.id, judge=judge.id)
        )

    def test_explanation_and_placebo_look_alike(self, tiny_home: Path, open_app: Any) -> None:
        from guidedrec_core.judging.prediction import new_prediction_test

        runs = RunStore(tiny_home)
        opened = cache(lambda run_id: open_refined(runs, run_id))
        content, made_of = new_prediction_test(find_entry(runs, "tiny"), opened, cases=3, length=4)
        store = ExperimentStore(tiny_home)
        test = store.create("predict", "tiny", made_of, content, "Ann")
        judge = store.begin(test.id, "Bob")
        app = open_app(JUDGE, test=test.id, judge=judge.id)
        shapes = {}
        for slot in judge.plan:
            said = words(app)
            assert "placebo" not in said.casefold()
            assert "explanation" not in said.casefold()
            bars = [each.proto.body.count("role='img'") for each in app.get("html")]
            shapes[slot.arm] = (sum(bars), "The bars say what counts for an item" in said)
            app = choose(app, slot.case_id, "left", 0.8)
        assert shapes["none"] == (0, False)
        assert shapes["placebo"] == shapes["explanation"]
        assert shapes["placebo"][1]
        assert shapes["placebo"][0] > 2
        assert "Some of the bars you saw were placebos" in words(app)
        assert store.answers(test)["probability"].tolist() == [0.8] * 3


class TestOrganising:
    def test_a_taste_test_is_made_in_the_app(self, tiny_home: Path, open_app: Any) -> None:
        app = open_app(STUDIES)
        app.session_state["new_test"] = True
        app.run()
        app.text_input(key="new_test_name").set_value("winter")
        app.number_input(key="new_test_cases").set_value(3)
        app = press(app, "make_test")
        assert "Enter your name" in words(app)
        app.text_input(key="new_test_who").set_value("Ann")
        app = press(app, "make_test")
        (test,) = ExperimentStore(tiny_home).list()
        assert (test.name, test.kind, len(test.content.cases), test.written.created_by) == (
            "winter",
            "taste_test",
            3,
            "Ann",
        )
        assert [one.key for one in test.content.compared] == ["base", "refined"]
        assert app.query_params["test"] in (test.id, [test.id])
        assert any(f"/Judge?test={test.id}" in each.value for each in app.code)
        assert "Nobody has begun" in words(app)

    def test_results_wait_until_a_judge_is_done(self, store: ExperimentStore, taste: Experiment, open_app: Any) -> None:
        judge = store.begin(taste.id, "Bob")
        app = open_app(STUDIES)
        assert "Taste test on tiny: lists of 1 from the base model and from the refined model. 3 cases." in words(app)
        app = press(app, f"open_test_{taste.id}")
        assert "1 judge, 0 answers" in words(app)
        assert "Nobody has answered yet" not in words(app)
        app = press(app, "show_results")
        assert "Nobody has answered yet." in words(app)
        app.session_state["author_name"] = "bob"
        app.run()
        assert "Bob, you have answered 0 of 3 cases. The results are shown when you are done" in words(app)
        assert "Nobody has answered yet" not in words(app)
        assert not app.get("download_button")
        while (turn := next_turn(taste, judge)) is not None:
            judge = store.answer(judge.id, turn.slot.case_id, "left")
        app.run()
        assert "which list is better" in words(app)
        labels = {each.label for each in app.get("download_button")}
        assert {"Report (HTML)", "Results (JSON)", "Every answer (CSV)"} <= labels

    def test_a_test_is_closed_opened_and_deleted(
        self, store: ExperimentStore, taste: Experiment, open_app: Any
    ) -> None:
        app = open_app(STUDIES, test=taste.id)
        app = press(app, "set_open")
        assert "Enter your name" in words(app)
        app.text_input(key="change_test_who").set_value("Ann").run()
        app = press(app, "set_open")
        assert not store.find(taste.id).is_open
        assert "Nobody has answered yet." in words(app)  # nobody is swayed any more
        app = press(app, "set_open")
        assert store.find(taste.id).is_open
        app = press(app, "delete_test")
        assert store.list() == ()
        assert "Tests with people" in words(app)
        assert "no longer exists" in words(open_app(STUDIES, test="nothing"))


def test_what_judges_see_is_text_and_never_markup() -> None:
    bad = ShownItem("<x>", "<b>Tent</b> & 'stove'", "<i>", '"9')
    pages = [
        customer_html("<u>", [bad], "<s>", LIGHT),
        lists_html([bad], [bad], set(), LIGHT),
        items_html((bad, bad), ([Reason("<b>x</b>", "<i>1</i>", -2.0)], [Reason("y", "", 1.0)]), LIGHT),
    ]
    for page in pages:
        assert not re.search("<(b|i|u|s|x)>", page)
        assert "&lt;b&gt;Tent&lt;/b&gt; &amp; &#x27;stove&#x27;" in page


def test_a_prediction_test_without_reasons_can_be_shown(store: ExperimentStore, open_app: Any) -> None:
    test = store.create("predict", "tiny", {}, prediction_content(3), "Ann")
    judge = store.begin(test.id, "Bob")
    app = open_app(JUDGE, test=test.id, judge=judge.id)
    assert not app.exception
    assert "Which item is in this user's top 5?" in words(app)
