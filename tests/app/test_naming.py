"""From a pattern without a name to a refined model with it, in the app: propose, test, accept, compare."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from chat_server import Answer, ChatServer, Request, chat_server, said, scores

from guidedrec_core.discovery.directions import discover
from guidedrec_core.llm.sanitize import clean
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build, accept_task, discover_task

__all__ = ["chat_server"]

PAGE = "pages/5_Attributes.py"
PLACE = {"dataset": "tiny", "part": "Not named yet"}
ANSWER = {"name": "night_use", "definition": "Use at *night*.", "low": "by day", "high": "by night"}


def words(app) -> str:
    """Return all text of the page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error, *app.text]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements))


@pytest.fixture
def shop(tiny_home: Path, tiny_build: Build, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny shop, whose directions all count as more than chance: it is too small for evidence."""
    monkeypatch.setattr("guidedrec_core.naming.directions.CHANCE", 0.0)
    monkeypatch.setattr("guidedrec_core.discovery.evidence.CHANCE", 1.0)
    monkeypatch.setattr("guidedrec_core.discovery.evidence.FEWEST_CASES", 1)
    return tiny_home


def scores_by_end(server: ChatServer, home: Path, build: Build, right: bool = True) -> None:
    """Let the server propose a name, and score items by the end of direction 1 they are from, or all alike."""
    found = discover(open_refined(RunStore(home), build.refined.id))
    titles = build.data.read_table("catalogue")["title"].astype(str).tolist()
    high = {clean(titles[item]) for item in found.numbered(1).high.items}

    def score(text: str, attribute: str) -> float:
        return 9.0 if right and text.split("\n")[0].removeprefix("title: ") in high else 2.0 + len(text) % 2

    def answer(request: Request) -> Answer:
        if "nobody has named" in request["messages"][0]["content"]:
            return Answer(said(json.dumps({**ANSWER, "confidence": 0.7})))
        return Answer(said(json.dumps(scores(request, score))))

    server.model = answer


def test_a_name_goes_from_a_proposal_to_the_comparison(
    shop: Path, tiny_build: Build, chat_server: ChatServer, started: Any, put_job: Any, open_app: Any
) -> None:
    scores_by_end(chat_server, shop, tiny_build)
    app = open_app(PAGE, **PLACE)
    assert not app.exception
    assert "Enter a model: it scores the items of the test" in words(app)
    app.selectbox(key="unnamed_direction").select(1).run()
    app.text_input(key="name_url").set_value(chat_server.url).run()
    app.text_input(key="name_model").set_value("m").run()
    assert app.button(key="name_own").disabled
    app.button(key="name_by_model").click().run()
    assert not app.exception
    task, arguments = started[-1]
    scoring = {"model": "m", "base_url": chat_server.url}
    wanted = {"dataset": "tiny", "run": tiny_build.refined.id, "direction": 1, "scoring": scoring}
    assert (task, arguments) == ("discover", wanted)
    card = discover_task(arguments, shop, lambda _: None)
    app = open_app(PAGE, **PLACE)
    assert not app.exception
    shown = words(app)
    assert "Names proposed so far" in shown
    assert "**Night use** (m, pattern 1) passed its test" in shown
    assert "Use at *night*." in shown
    assert "High: by night · Low: by day" in shown
    assert "come out in the right order" in shown
    assert "Scoring 30 items takes " in shown, "the trial's answers are kept"
    assert "All other scores stay as they are." in shown
    app.button(key=f"accept_{card}").click().run()
    task, arguments = started[-1]
    assert (task, arguments["card"], arguments["repeat"]) == ("accept", card, True)
    refined = accept_task({**arguments, "scoring": scoring}, shop, lambda _: None)
    put_job("accept", arguments, status="done", run_id=refined)
    app = open_app(PAGE, **PLACE, run=tiny_build.refined.id)
    assert not app.exception
    [link] = [each.proto for each in app.get("page_link") if each.proto.label == "See what changed"]
    assert f"run={refined}" in link.query_string
    assert f"compare={tiny_build.refined.id}" in link.query_string
    app = open_app("pages/4_Evaluation.py", dataset="tiny", run=refined, compare=tiny_build.refined.id)
    assert not app.exception
    shown = words(app)
    assert "New: night use." in shown
    assert "% of what orders the 50 best items has a name" in shown
    assert "The gain over the base model was" in shown
    app = open_app(PAGE, dataset="tiny", run=refined)
    assert "night_use by m" in words(app)


def test_an_own_name_is_tested_and_may_fail(
    shop: Path, tiny_build: Build, chat_server: ChatServer, started: Any, open_app: Any
) -> None:
    scores_by_end(chat_server, shop, tiny_build, right=False)
    app = open_app(PAGE, **PLACE)
    app.selectbox(key="unnamed_direction").select(1).run()
    for key, text in (("name_url", chat_server.url), ("name_model", "m"), ("own_name", "Night use")):
        app.text_input(key=key).set_value(text).run()
    for key, text in (("own_high", "by night"), ("own_low", "by day")):
        app.text_input(key=key).set_value(text).run()
    app.button(key="name_own").click().run()
    task, arguments = started[-1]
    assert task == "discover"
    assert arguments["proposal"] == {"name": "night_use", "definition": "", "high": "by night", "low": "by day"}
    card = discover_task(arguments, shop, lambda _: None)
    app = open_app(PAGE, **PLACE)
    assert not app.exception
    assert "**Night use** (named by hand, pattern 1) did not pass" in words(app)
    assert f"accept_{card}" not in [button.key for button in app.button]


def test_a_pattern_by_chance_is_not_offered_for_naming(
    tiny_home: Path, tiny_build: Build, monkeypatch: pytest.MonkeyPatch, open_app: Any
) -> None:
    monkeypatch.setattr("guidedrec_core.discovery.evidence.CHANCE", 0.0)
    app = open_app(PAGE, **PLACE)
    assert not app.exception
    assert "not told from chance, so there is nothing to name" in words(app)
    assert "name_by_model" not in [button.key for button in app.button]
