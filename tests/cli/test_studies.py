"""Studies by command: listed, shown, handed over as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guidedrec_core.studies.store import StudyStore
from guidedrec_core.studies.study import CaseContent


@pytest.fixture
def store(own_home: Path) -> StudyStore:
    store = StudyStore(own_home)
    study = store.create("Winter jackets", "Ann", "for the meeting")
    store.add(study.id, CaseContent("tiny", "u1", "item-03", verdict="wrong", reason="too warm"), "Bob")
    return store


def test_no_studies(call: Callable[..., Any], document: Callable[..., Any], own_home: Path) -> None:
    assert "No studies yet" in call("studies", "list").stdout
    assert document("studies", "list") == {"studies": []}
    assert not own_home.exists()


def test_list_and_show(call: Callable[..., Any], document: Callable[..., Any], store: StudyStore) -> None:
    (listed,) = document("studies", "list")["studies"]
    assert (listed["name"], listed["cases"], listed["created_by"], listed["version"]) == ("Winter jackets", 1, "Ann", 1)
    assert "Winter jackets" in call("studies", "list").stdout
    shown = document("studies", "show", "Winter jackets", "--history")
    assert [(case["user_id"], case["verdict"], case["created_by"]) for case in shown["cases"]] == [
        ("u1", "wrong", "Bob")
    ]
    assert [(change["action"], change["who"]) for change in shown["history"]] == [
        ("created", "Ann"),
        ("created", "Bob"),
    ]
    text = call("studies", "show", listed["id"], "--history").stdout
    assert "too warm" in text
    assert "saved_cases" in text


def test_export_and_import(
    call: Callable[..., Any],
    document: Callable[..., Any],
    refused: Callable[..., str],
    store: StudyStore,
    tmp_path: Path,
) -> None:
    file = tmp_path / "winter.json"
    call("studies", "export", "Winter jackets", "--out", file)
    assert json.loads(file.read_text()) == json.loads(call("studies", "export", "Winter jackets").stdout)
    assert "already exists; choose another name, or replace it with --force" in refused(
        "studies", "export", "Winter jackets", "--out", file
    )
    assert "study 'Winter jackets' already exists" in refused("studies", "import", file, "--who", "Cid")
    made = document("studies", "import", file, "--name", "copy", "--who", "Cid")
    assert (made["name"], made["cases"], made["created_by"]) == ("copy", 1, "Cid")
    file.write_text("{}")
    assert "as `guidedrec studies export` writes it" in refused("studies", "import", file)
    assert "there is no study 'summer'" in refused("studies", "show", "summer")
