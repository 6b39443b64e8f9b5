"""Comparing runs on the Evaluation page, and the way there from a corrected score."""

import re
from pathlib import Path

import pytest
from corrected import corrected_run

from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build, refine_task

PAGE, ATTRIBUTES = "pages/4_Evaluation.py", "pages/5_Attributes.py"


def words(app) -> str:
    """Return all text of the page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error, *app.text]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements))


def links(app) -> dict[str, str]:
    """Return the query of each link by its label."""
    return {each.proto.label.replace("\\", ""): each.proto.query_string for each in app.get("page_link")}


@pytest.fixture
def after(tiny_home: Path, tiny_build: Build) -> str:
    """Refine again from a corrected score as the button does, with all that follows."""
    store = RunStore(tiny_home)
    corrected_run(store, tiny_build)  # which the job finds, and measures
    return refine_task({"run": tiny_build.refined.id, "repeat": True}, tiny_home, lambda _: None)


def test_a_chosen_run_opens_a_card_with_the_answer_first(after, tiny_build, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    app.selectbox(key="compare_with").select(tiny_build.refined.id).run()
    assert not app.exception
    assert app.query_params["compare"] in (tiny_build.refined.id, [tiny_build.refined.id])
    said = words(app)
    assert "of 60 users get" in said
    assert "Chance in training: the earlier run, trained again with another seed" in said
    assert said.index("of 60 users get") < said.index("Which items gained or lost places?")
    assert ", set by Ann: it is a <b>parka</b>." in said
    tables = [table.value for table in app.dataframe]
    [people] = [table for table in tables if "by_scores" in table]
    link = links(app)[f"Open the case of user {people['user_id'].iloc[0]}"]
    assert "history=train" in link
    assert "start_repeat" not in [button.key for button in app.button]
    app.selectbox(key="compare_with").select("").run()
    assert "compare" not in app.query_params
    assert "Chance in training" not in words(app)


def test_without_a_repeat_one_is_offered(tiny_home, tiny_build, started, open_app) -> None:
    run = corrected_run(RunStore(tiny_home), tiny_build)
    app = open_app(PAGE, dataset="tiny", run=tiny_build.refined.id, compare=run.id)
    assert not app.exception
    assert "How much of this is chance in training has not been measured." in words(app)
    app.button(key="start_repeat").click().run()
    assert started[-1] == ("repeat", {"dataset": "tiny", "run": run.id})


@pytest.mark.parametrize("other", ["20200101-000000-abcdef", "itself"])
def test_a_run_that_cannot_be_compared_with_is_said(other, tiny_home, tiny_build, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", compare=tiny_build.refined.id if other == "itself" else other)
    assert not app.exception
    assert ("cannot be compared with itself" if other == "itself" else "no longer exists") in words(app)
    app.button(key="compare_close").click().run()
    assert "compare" not in app.query_params


def test_a_corrected_score_leads_to_the_comparison(tiny_home, tiny_build, started, put_job, open_app) -> None:
    run = corrected_run(RunStore(tiny_home), tiny_build)
    place = {"dataset": "tiny", "run": tiny_build.refined.id, "part": "Set by hand"}
    app = open_app(ATTRIBUTES, **place)
    assert not app.exception
    app.button(key="refine_and_compare").click().run()
    wanted = {"dataset": "tiny", "run": tiny_build.refined.id, "doubt": "ignore", "repeat": True}
    task, arguments = started[-1]
    assert (task, {**wanted, **arguments}) == ("refine", wanted)
    put_job("refine", arguments, status="done", run_id=run.id)
    app = open_app(ATTRIBUTES, **place)
    query = links(app)["See what changed"]
    assert f"run={run.id}" in query
    assert f"compare={tiny_build.refined.id}" in query


def test_the_job_tray_opens_the_comparison_of_a_refinement(tiny_home, tiny_build, put_job, open_app) -> None:
    run = corrected_run(RunStore(tiny_home), tiny_build)
    arguments = {"dataset": "tiny", "run": tiny_build.refined.id}
    app = open_app(PAGE, dataset="tiny")
    job = put_job("refine", arguments, status="done", run_id=run.id)
    app.session_state["jobs_seen"] = {job.id}
    app.run()
    query = links(app)["See what changed"]
    assert f"compare={tiny_build.refined.id}" in query
    assert f"run={run.id}" in query
