"""Do the explanations hold up? The Evaluation page offers an audit, and shows what it found."""

import re
import subprocess
import sys

import pytest

from guidedrec_core import stages
from guidedrec_core.audit import words as audit_words
from guidedrec_core.config import AuditConfig
from guidedrec_core.data.verbs import CHOSE
from guidedrec_core.runs.store import RunStore

PAGE = "pages/4_Evaluation.py"


def words(app) -> str:
    said = "\n".join(str(e.value) for e in [*app.subheader, *app.markdown, *app.caption])
    return re.sub(r"\\(.)|\u2060", r"\1", said).replace("\u00a0", " ")


def test_an_audit_is_offered_where_there_is_none(tiny_home, tiny_build, started, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    assert "Do the explanations hold up?" in words(app)
    app.button(key="start_audit").click().run()
    assert started[-1] == ("audit", {"dataset": "tiny", "run": tiny_build.refined.id})


def test_an_audit_is_told_in_sentences_first_and_in_numbers_beside(tiny_home, tiny_build, open_app) -> None:
    config = AuditConfig(users=40, explained=8, bootstrap_samples=100)
    run = stages.audit(RunStore(tiny_home), tiny_build.refined, config, 0)
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    said = words(app)
    assert "start_audit" not in [button.key for button in app.button]
    for part in ("history", "attributes"):
        assert audit_words.fidelity_sentence(run.read_table("fidelity"), part, CHOSE) in said
    assert audit_words.stability_sentence(run.read_table("stability"), CHOSE) in said
    assert "the stored scores of 40 items that the model was made from" in said
    assert audit_words.BLIND_SPOT.replace("`", "") in said
    assert "Tested on 40 of 60 users, drawn at random, with 8 top recommendations." in said
    table = next(t.value for t in app.dataframe if "verdict" in t.value)
    assert sorted(table["attribute"]) == ["Ruggedness", "Style focus", "Warmth"]
    before = len(app.get("plotly_chart"))
    app.button_group(key="audit_direction").set_value("insertion").run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == before
    assert "Attributes put back, most important first" in words(app)


def test_an_alarm_comes_first_and_says_why(tiny_home, tiny_build, open_app, tmp_path, monkeypatch) -> None:
    ids = tiny_build.data.read_table("catalogue")["item_id"]
    scores = tiny_build.scores.read_array("item_scores", mmap=False)[:, [1, 0, 2]]
    table = ids.to_frame().assign(warmth=scores[:, 0], style_focus=scores[:, 1], ruggedness=scores[:, 2])
    table.to_csv(tmp_path / "again.csv", index=False)
    config = AuditConfig(users=40, explained=8, bootstrap_samples=100)
    stages.audit(RunStore(tiny_home), tiny_build.refined, config, 0, tmp_path / "again.csv")
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    assert "do not mean what their names say, compared with scores of 40 items that were judged again" in words(app)
    verdicts = next(t.value for t in app.dataframe if "verdict" in t.value)["verdict"].tolist()
    assert verdicts[0].startswith("Alarm: its scores follow ")


@pytest.mark.parametrize("name", ["app.evaluation.audit", "figures.audit", "audit.words"])
def test_what_it_shows_needs_no_model(name: str) -> None:
    code = f"import sys, guidedrec_core.{name}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
