"""Scoring with a language model in the app: an estimate before anything is sent, pause, resume, failures."""

import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from guidedrec_core.app.attributes import scoring_words
from guidedrec_core.config import ScoringConfig
from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.jobs.store import JobStore
from guidedrec_core.llm.address import KEY_VARIABLE, URL_VARIABLE
from guidedrec_core.scoring.scorer import ScoringPlan

PAGE = "pages/5_Attributes.py"
TAB = "Score with AI"
KEY = "sk-very-secret-123"
SERVER = "http://localhost:1/v1"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (KEY_VARIABLE, URL_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def words(app: AppTest) -> str:
    elements = [*app.subheader, *app.markdown, *app.caption, *app.info, *app.error]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


def opened(open_app: Any, **settings: str) -> AppTest:
    app = open_app(PAGE, dataset="tiny", part=TAB)
    for name, value in settings.items():
        app.text_input(key=f"score_{name}").set_value(value).run()
    assert not app.exception
    return app


def test_without_a_key_it_says_what_is_used_and_nothing_can_be_started(tiny_home, open_app) -> None:
    app = opened(open_app)
    said = words(app)
    assert "No API key found." in said
    assert "Until you score here, the recorded scores are used." in said
    assert "Enter a model to estimate the cost of scoring." in said
    assert not [each for each in app.button if each.key in ("score_plan_button", "score_start")]
    app.text_input(key="score_model").set_value("gpt-4.1-mini").run()
    assert "Expected a key for https://api.openai.com/v1" in words(app)
    app.text_input(key="score_url").set_value("http://me:pw@host/v1").run()
    assert "base URL without user, password and query" in words(app)
    assert not app.exception


def test_a_key_is_found_and_never_shown_or_stored(tiny_home, open_app, started, monkeypatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    app = opened(open_app, url=SERVER, model="gpt-4.1-mini")
    assert f"API key found in {KEY_VARIABLE}. It is sent only to localhost," in words(app)
    app.button(key="score_plan_button").click().run()
    app.button(key="score_start").click().run()
    assert KEY not in str(app.main)
    assert KEY not in str(started)
    assert not any(KEY.encode() in path.read_bytes() for path in tiny_home.rglob("*") if path.is_file())


def test_a_dry_run_comes_first_and_the_job_gets_what_was_planned(tiny_home, tiny_build, started, open_app) -> None:
    app = opened(open_app, url=SERVER, model="gpt-4.1-mini")
    app.number_input(key="score_passes").set_value(2).run()
    app.number_input(key="score_budget").set_value(1.5).run()
    assert not [each for each in app.button if each.key == "score_start"]
    app.button(key="score_plan_button").click().run()
    assert re.search(r"Scoring 40 items takes 8 requests with about [\d,]+ tokens: [^,]+ USD, about \d", words(app))
    app.number_input(key="score_passes").set_value(3).run()
    assert not [each for each in app.button if each.key == "score_start"], "other settings need another estimate"
    app.button(key="score_plan_button").click().run()
    app.button(key="score_start").click().run()
    assert not app.exception
    task, arguments = started[-1]
    config = ScoringConfig.parse(arguments["scoring"])
    assert (task, arguments["dataset"], arguments["users"]) == ("score", "tiny", False)
    assert arguments["schema"] == tiny_build.scores.read_json("attributes")
    assert (config.model, config.base_url, config.passes, config.budget) == ("gpt-4.1-mini", SERVER, 3, 1.5)
    assert arguments["split"]["kind"] == "leave-one-out"


def test_edited_attributes_are_scored_when_there_are_any(tiny_home, tiny_build, started, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", part="Attributes")
    next(each for each in app.text_input if str(each.key).startswith("edit_low_")).set_value("freezing").run()
    app = opened(open_app, url=SERVER, model="m")
    app.button(key="score_plan_button").click().run()
    assert "cost unknown" in words(app)
    app.button(key="score_start").click().run()
    assert started[-1][1]["schema"]["attributes"][0]["low"] == "freezing"
    app.button_group(key="score_schema").set_value("used").run()
    app.button(key="score_plan_button").click().run()
    app.button(key="score_start").click().run()
    assert started[-1][1]["schema"]["attributes"][0]["low"] == "little warmth"


ARGUMENTS = {"dataset": "tiny", "scoring": {"model": "m"}}


def test_progress_is_shown_and_scoring_is_paused_resumed_and_given_up(
    tiny_home, put_job, started, monkeypatch, open_app
) -> None:
    done: list[str] = []
    monkeypatch.setattr(JobStore, "cancel", lambda self, job_id: done.append(job_id))
    state = {"stage": "scores", "step": 10, "total": 40, "message": "10 of 40 items", "metric": "1,200 tokens"}
    job = put_job("score", ARGUMENTS, status="queued", **state)
    app = opened(open_app)
    bar = app.get("progress")[0].proto
    assert bar.value == 25
    assert "10 of 40 items · 1,200 tokens" in bar.text
    app.button(key="score_pause").click().run()
    assert done == [job.id]
    put_job("score", ARGUMENTS, number=1, status="cancelled")
    app = opened(open_app)
    assert "Scoring is paused. Answers so far are kept" in words(app)
    app.button(key="score_on").click().run()
    assert started == [("score", ARGUMENTS)]
    app.button(key="score_change").click().run()
    assert not app.exception
    assert app.text_input(key="score_model")


def test_a_failure_is_said(tiny_home, put_job, open_app) -> None:
    put_job("score", ARGUMENTS, status="failed", error="http://x cannot be reached (<b>)")
    app = opened(open_app)
    assert "http://x cannot be reached (<b>)" in words(app)
    assert app.button(key="score_on").label == "Try again"
    other = open_app("pages/4_Evaluation.py", dataset="tiny")
    assert not other.error  # it is no matter of the models


def test_what_came_of_it_is_said_and_can_be_looked_at_and_refined_from(
    tiny_home, tiny_build, llm_scores, started, open_app
) -> None:
    llm_scores()
    app = opened(open_app)
    assert "toy-model scored 39 of 40 items, 1 failed (4 requests, 1,000 tokens, 0.02 USD)." in words(app)
    failed = next(each.value for each in app.dataframe if "reason" in each.value)
    assert failed.to_numpy().tolist() == [["item", "item-04", "Thing number 4", "refused: <b>no</b>"]]
    app.button(key="refine_again").click().run()
    assert started[-1] == ("refine", {"dataset": "tiny", "run": tiny_build.refined.id})
    app.button(key="score_look").click().run()
    assert not app.exception
    assert "39 of 40 items are scored" in words(app)


PLAN = ScoringPlan(
    listings=10, cached=4, asked=6, requests=2, prompt_tokens=900, completion_tokens=90, cost=0.5, seconds=100
)


def test_plans_add_up() -> None:
    said = scoring_words.plan_sentence({"item": PLAN, "user": PLAN}, BOUGHT)
    assert said == (
        "Scoring 6 items and 6 customers takes 4 requests with about 2,000 tokens: 1.00 USD, about 3 minutes. "
        "Answers for 4 items and 4 customers already exist and cost nothing."
    )
