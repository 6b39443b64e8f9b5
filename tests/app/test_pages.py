"""Every page on a tiny built run: it opens, says the right things, can be used, and survives bad links."""

import errno
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tiny import HOSTILE_TITLE, UNICODE_USER

from guidedrec_core.app import overview, page
from guidedrec_core.jobs.record import Job, write_record
from guidedrec_core.jobs.store import JobStore
from guidedrec_core.runs.store import RunStore

ROOT = Path(__file__).resolve().parents[2]
CASE = "pages/1_Case_study.py"
JUDGE = "pages/10_Judge.py"  # for people from outside: without navigation
PAGES = [f"pages/{path.name}" for path in sorted((ROOT / "pages").glob("*.py"))]
JOB_ID = "20260102-030405-abcdef"


def words(app: AppTest) -> str:
    """Return all text of a page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error, *app.warning]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


def assert_sound(app: AppTest) -> None:
    assert not app.exception, app.exception[0].stack_trace
    assert not app.error


def put_job(home: Path, dataset: str = "fernway", log: str = "", **state: Any) -> Job:
    """Write a job as its process would have left it."""
    folder = home / "jobs" / JOB_ID
    folder.mkdir(parents=True)
    job = Job(id=JOB_ID, task="build", arguments={"dataset": dataset}, created=datetime.now(UTC), **state)
    write_record(folder, job)
    (folder / "log.txt").write_text(log)
    return job


class TestOverview:
    def test_it_answers_its_question_first(self, tiny_home, open_app) -> None:
        app = open_app()
        assert_sound(app)
        assert app.title[0].value == "What did refinement change here?"
        said = words(app)
        assert re.search(r"On tiny, the refined model finds the next choice in its top 10 for \d+ of 100 users", said)
        assert said.index("On tiny, the refined model") < said.index("A recommender learns")
        assert "60 users · 40 items in 3 categories" in said
        assert len(app.metric) == 4
        assert len(re.findall(r"\d over shuffled scores", said)) == 4  # next to every gain

    def test_it_says_where_the_numbers_come_from(self, tiny_home, tiny_build, open_app) -> None:
        assert f"run {tiny_build.refined.id}" in words(open_app())

    def test_its_cards_lead_to_the_cases_of_the_evaluation(self, tiny_home, tiny_build, open_app) -> None:
        app = open_app()
        links = [each.proto for each in app.get("page_link") if each.proto.label == "Open this case"]
        highlights = tiny_build.evaluation.read_table("highlights")
        assert len(links) == len(highlights) > 0
        for link, user in zip(links, highlights["user_id"], strict=True):
            assert user.replace(" ", "+") in link.query_string or user in link.query_string

    def test_defaults_go_along_and_add_nothing_to_the_address(self, tiny_home, tiny_build, open_app) -> None:
        app = open_app()
        assert dict(app.query_params) == {}
        link = next(each.proto for each in app.get("page_link") if each.proto.label == "Case study")
        assert f"dataset=tiny&run={tiny_build.refined.id}" in link.query_string


def next_items(app: AppTest) -> list[Any]:
    """Return the buttons with what a user chose next."""
    return [button for button in app.button if str(button.key).startswith("next_")]


class TestCaseStudy:
    def test_it_opens_a_suggested_case(self, tiny_home, tiny_build, open_app) -> None:
        app = open_app(CASE)
        assert_sound(app)
        first = tiny_build.evaluation.read_table("highlights").iloc[0]
        assert dict(app.query_params) == {}  # opening a page adds no step to go back
        link = next(each.proto for each in app.get("page_link") if each.proto.label == "Items")
        assert f"item={first['item_id']}" in link.query_string
        assert f"User {first['user_id']} " in words(app)
        assert re.search(
            r"Why .+ is \d+(st|nd|rd|th) \(\d+(st|nd|rd|th) in the base model( too)?\): \d+ % of ", words(app)
        )

    def test_lists_are_those_of_today_unless_the_case_is_one_of_the_evaluation(
        self, tiny_home, tiny_build, open_app
    ) -> None:
        app = open_app(CASE, dataset="tiny", user="user-03")
        assert_sound(app)
        assert app.selectbox(key="history_shown").value == "full"
        assert not next_items(app)
        app.selectbox(key="history_shown").set_value("train+valid").run()
        assert_sound(app)
        assert (app.query_params["user"], app.query_params["history"]) == ("user-03", "train+valid")
        last = tiny_build.data.read_table("interactions").query("user_id == 'user-03'")["item_id"].iloc[-1]
        assert [button.key for button in next_items(app)] == [f"next_{last}"]
        next_items(app)[0].click().run()
        assert_sound(app)
        assert app.query_params["item"] == last
        assert not next_items(app)  # the sentence is about it now
        odd = open_app(CASE, dataset="tiny", user="user-03", history="nonsense")
        assert odd.selectbox(key="history_shown").value == "full"

    def test_an_id_or_a_title_opens_at_once_and_anything_else_lists_what_fits(
        self, tiny_home, tiny_build, open_app
    ) -> None:
        app = open_app(CASE, dataset="tiny", user="user-03")
        app.text_input(key="case_find").set_value("user-04").run()
        assert_sound(app)
        assert app.query_params["user"] == "user-04"
        assert "find" not in app.query_params
        assert not app.text_input(key="case_find").value
        app.text_input(key="case_find").set_value("ITEM-05").run()
        assert (app.query_params["user"], app.query_params["item"]) == ("user-04", "item-05")
        app.text_input(key="case_find").set_value("zoë").run()
        assert app.query_params["find"] == "zoë"
        assert "**1 user**" in words(app)
        app.selectbox(key="found_user").set_value(UNICODE_USER).run()
        assert_sound(app)
        assert f"User {UNICODE_USER} " in words(app)
        assert (app.query_params["user"], app.query_params["find"]) == (UNICODE_USER, "zoë")
        app.text_input(key="case_find").set_value("no such thing").run()
        assert "Nothing found for “no such thing”." in words(app)
        app.button(key="clear_find").click().run()
        assert "find" not in app.query_params

    def test_conditions_find_users(self, tiny_home, tiny_build, open_app) -> None:
        app = open_app(CASE, dataset="tiny", user="user-03")
        for text in ("chose tent", "seeks warmth", "found by refinement"):
            app.text_input(key="case_find").set_value(text).run()
            assert_sound(app)
            assert re.search(r"\*\*\d+ users?\*\* “(chose tents|seeks warmth|found by refinement)”", words(app)), text

    def test_a_random_user_and_a_suggested_case_can_be_opened(self, tiny_home, tiny_build, open_app) -> None:
        app = open_app(CASE, dataset="tiny", user="user-03")
        app.selectbox(key="suggested").select_index(1).run()
        second = tiny_build.evaluation.read_table("highlights").iloc[1]
        assert_sound(app)
        assert (app.query_params["user"], app.query_params["item"]) == (second["user_id"], second["item_id"])
        app.button(key="random_user").click().run()
        assert_sound(app)

    def test_every_control_is_in_the_address_and_comes_back(self, tiny_home, open_app) -> None:
        place = {"question": "steer", "pull": "warmth:1.5,nonsense:2,style_focus:-9", "without": "gone"}
        app = open_app(CASE, dataset="tiny", user="user-03", **place)
        assert_sound(app)
        assert app.segmented_control(key="section").value == "Steer"
        assert app.slider(key="steer_warmth").value == 1.5
        assert app.slider(key="steer_style_focus").value == -3
        app.segmented_control(key="section").set_value("In plain words").run()
        assert app.query_params["question"] == "words"
        app.segmented_control(key="rationale_reader").set_value("analyst").run()
        assert app.query_params["reader"] == "analyst"
        link = next(each.proto for each in app.get("page_link") if each.proto.label == "Items")
        assert "question" not in link.query_string  # of the Case study alone

    def test_a_new_user_forgets_the_item(self, tiny_home, open_app) -> None:
        app = open_app(CASE, dataset="tiny", user="user-03", item="item-00", pull="warmth:1")
        assert app.query_params["item"] == "item-00"
        app.text_input(key="case_find").set_value("user-04").run()
        assert app.query_params["user"] == "user-04"
        assert not {"item", "pull"} & set(app.query_params)
        assert " is 1st (" in words(app)

    def test_titles_from_outside_are_text_and_nothing_else(self, tiny_home, open_app) -> None:
        app = open_app(CASE, dataset="tiny", user="user-03", item="item-00")
        assert_sound(app)
        raw = "\n".join(str(each.value) for each in app.markdown)
        assert HOSTILE_TITLE not in raw  # every sign that could be markup is disarmed
        assert HOSTILE_TITLE in words(app)
        assert not any(each.allow_html for each in app.markdown)


class TestLinks:
    @pytest.mark.parametrize(
        ("place", "sentence", "button"),
        [
            ({"user": "nobody"}, "There is no user nobody in tiny.", "way_on"),
            ({"user": "user-03", "item": "nothing"}, "There is no item nothing in tiny.", "way_on"),
            (
                {"run": "20200101-000000-aaaaaa"},
                "Run 20200101-000000-aaaaaa of data set tiny no longer exists",
                "way_on",
            ),
            ({"dataset": "<b>gone</b>"}, "Data set <b>gone</b> no longer exists, or the link is mistyped.", "way_on"),
        ],
    )
    def test_what_does_not_exist_gets_a_sentence_and_a_way_on(
        self, tiny_home, open_app, place: dict[str, str], sentence: str, button: str
    ) -> None:
        app = open_app(CASE, **{"dataset": "tiny", **place})
        assert not app.exception
        assert sentence in words(app)
        assert "Why " not in words(app).replace(app.title[0].value, "")  # nobody else is shown instead
        app.button(key=button).click().run()
        assert_sound(app)
        assert app.query_params["dataset"] == "tiny"
        assert "Refined top 10" in words(app)

    def test_a_run_deleted_while_it_is_looked_at(self, tiny_home, tiny_build, open_app) -> None:
        app = open_app(CASE, dataset="tiny", user="user-03")
        assert_sound(app)
        RunStore(tiny_home).delete(tiny_build.refined.id, cascade=True)
        app.run()
        assert not app.exception
        assert "no longer exists" in words(app) or "has no refined model yet" in words(app)

    def test_a_damaged_run_is_told_and_not_shown(self, tiny_home, tiny_build, open_app) -> None:
        weights = tiny_home / "refined" / tiny_build.refined.id / "weights.safetensors"
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        app = open_app(CASE, dataset="tiny", user="user-03")
        assert not app.exception
        assert "weights.safetensors is not as it was written" in words(app)
        assert app.button(key="start_over")

    @pytest.mark.parametrize("page", [page for page in PAGES if page != JUDGE])
    def test_pages_share_the_place(self, tiny_home, open_app, page: str) -> None:
        app = open_app(page, dataset="tiny", user="user-03", item="item-05")
        assert_sound(app)
        names = {"Overview", "Case study", "Studies", "Items", "Item map", "Evaluation", "Attributes"}
        links = {
            each.proto.label: each.proto.query_string for each in app.get("page_link") if each.proto.label in names
        }
        assert set(links) == names
        for query in links.values():
            assert {"dataset=tiny", "user=user-03", "item=item-05"} <= set(query.split("&"))

    @pytest.mark.parametrize("page", PAGES)
    def test_every_page_opens_by_itself(self, tiny_home, open_app, page: str) -> None:
        app = open_app(page)
        assert_sound(app)
        assert app.title[0].value.endswith("?")


@pytest.fixture
def shop_is_tiny(shipped_tiny: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tiny shop be the bundled one, which ships built."""
    for module in (page, overview):
        monkeypatch.setattr(module, "BUNDLED", ("tiny",))


@pytest.mark.usefixtures("shop_is_tiny")
class TestShippedRuns:
    def test_a_first_visitor_sees_a_case_at_once(self, own_home, tiny_build, started, open_app) -> None:
        app = open_app(CASE)
        assert_sound(app)
        assert f"run {tiny_build.refined.id}" in words(app)
        assert "Refined top 10" in words(app)
        assert not started

    def test_a_home_that_cannot_be_written_gets_a_sentence(self, own_home, started, monkeypatch, open_app) -> None:
        def read_only(*_: Any) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        monkeypatch.setattr(shutil, "copyfile", read_only)
        app = open_app()
        assert not app.exception
        assert f"Cannot write to {own_home}: the disk is read-only" in words(app)
        assert not started

    def test_the_shop_can_be_built_again(self, own_home, started, open_app) -> None:
        before = datetime.now(UTC).replace(microsecond=0)
        app = open_app()
        app.button(key="build_again").click().run()
        assert_sound(app)
        [(task, arguments)] = started
        assert (task, arguments["dataset"]) == ("build", "tiny")
        assert before <= datetime.fromisoformat(str(arguments["again_since"])) <= datetime.now(UTC)

    def test_while_it_is_built_again_it_can_be_looked_at_and_cancelled(
        self, own_home, started, monkeypatch, open_app
    ) -> None:
        put_job(own_home, "tiny", status="queued", stage="refine", step=3, total=10)
        cancelled: list[str] = []
        monkeypatch.setattr(JobStore, "cancel", lambda self, job_id: cancelled.append(job_id))
        app = open_app()
        assert_sound(app)
        assert "Refining it with the attributes" in app.get("progress")[0].proto.text
        assert len(app.metric) == 4
        assert app.button(key="build_again").disabled
        app.button(key=f"cancel_{JOB_ID}").click().run()
        assert cancelled == [JOB_ID]
        assert not started

    def test_a_build_that_failed_says_why(self, own_home, started, open_app) -> None:
        put_job(own_home, "tiny", status="failed", stage="train base", error="no space left", log="boom")
        app = open_app()
        assert "no space left" in words(app)
        app.button(key="resume").click().run()
        assert started == [("build", {"dataset": "tiny"})]

    def test_the_new_run_can_be_opened(self, own_home, tiny_build, open_app) -> None:
        open_app()
        with RunStore(own_home).create(
            "refined", config=tiny_build.refined.config, inputs={"base": tiny_build.base, "scores": tiny_build.scores}
        ) as writer:
            writer.copy_files(tiny_build.refined, tiny_build.refined.manifest.files)
        put_job(own_home, "tiny", status="done", run_id=writer.run.id)
        app = open_app(dataset="tiny", run=tiny_build.refined.id)
        app.button(key="open_built").click().run()
        assert app.query_params["run"] == writer.run.id

    def test_other_data_sets_have_no_such_offer(self, own_home, monkeypatch, open_app) -> None:
        open_app()
        for module in (page, overview):
            monkeypatch.setattr(module, "BUNDLED", ("fernway",))
        app = open_app(dataset="tiny")
        assert_sound(app)
        assert not [button for button in app.button if button.key == "build_again"]


@pytest.mark.usefixtures("nothing_shipped")
class TestFirstBuild:
    def test_the_bundled_shop_is_built_when_there_is_nothing(self, own_home, started, open_app) -> None:
        app = open_app()
        assert_sound(app)
        assert started[0] == ("build", {"dataset": "fernway"})

    def test_progress_is_shown_and_can_be_cancelled(self, own_home, started, monkeypatch, open_app) -> None:
        put_job(own_home, status="queued", stage="refine", step=3, total=10, message="pass 3", seconds_left=65.0)
        cancelled: list[str] = []
        monkeypatch.setattr(JobStore, "cancel", lambda self, job_id: cancelled.append(job_id))
        app = open_app()
        assert_sound(app)
        bar = app.get("progress")[0].proto
        assert bar.value == pytest.approx(100 * (3 + 0.3) / 8, abs=1)
        assert "Refining it with the attributes · pass 3 · at most 65 seconds left" in bar.text
        assert not started  # a second build would only repeat this one
        app.button(key="cancel_job").click().run()
        assert cancelled == [JOB_ID]

    def test_a_job_whose_folder_is_gone_is_no_trouble(self, own_home, started, open_app) -> None:
        app = open_app()  # the job noted by `started` has no folder
        assert_sound(app)

    def test_a_failed_build_says_why_and_can_be_tried_again(self, own_home, started, open_app) -> None:
        put_job(own_home, status="failed", stage="train base", error="Unexpected MemoryError: <none left>", log="boom")
        app = open_app()
        assert not app.exception
        assert "Unexpected MemoryError: <none left>" in words(app)
        assert app.code[0].value == "boom"
        assert not started  # not again by itself
        app.button(key="resume").click().run()
        assert started == [("build", {"dataset": "fernway"})]

    def test_a_cancelled_build_can_go_on(self, own_home, started, open_app) -> None:
        put_job(own_home, status="cancelled")
        app = open_app()
        assert "was cancelled" in words(app)
        app.button(key="resume").click().run()
        assert started

    def test_a_data_set_without_a_model_offers_to_build_it(self, tiny_home, tiny_build, started, open_app) -> None:
        RunStore(tiny_home).delete(tiny_build.base.id, cascade=True)
        app = open_app(dataset="tiny")
        assert_sound(app)
        assert "tiny has no refined model yet" in words(app)
        app.button(key="build").click().run()
        assert ("build", {"dataset": "tiny"}) in started

    def test_pages_that_need_the_evaluation_wait_for_it(self, tiny_home, tiny_build, started, open_app) -> None:
        RunStore(tiny_home).delete(tiny_build.evaluation.id)
        app = open_app(dataset="tiny")
        assert_sound(app)
        assert "The measurements have not been made for this run yet." in words(app)
        app.button(key="make_evaluation").click().run()
        assert started[-1] == ("evaluate", {"dataset": "tiny", "run": tiny_build.refined.id})

    def test_a_case_can_be_studied_before_the_evaluation_is_there(self, tiny_home, tiny_build, open_app) -> None:
        RunStore(tiny_home).delete(tiny_build.evaluation.id)
        app = open_app(CASE, dataset="tiny")
        assert_sound(app)
        assert "Refined top 10" in words(app)
