"""Studies and cases: kept, changed by several people without a loss, handed over as JSON and read again."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from guidedrec_core.errors import ConflictError, DataError, InputError, NotFoundError
from guidedrec_core.studies.exchange import export_study, import_study
from guidedrec_core.studies.store import StudyStore
from guidedrec_core.studies.study import CaseContent

CASE = CaseContent(
    "tiny", "Zoë 7", "item-03", {"refined": "20260101-000000-abcdef"}, "?user=Zo%C3%AB+7&item=item-03", "odd <b>",
    "wrong", "too warm",
)  # fmt: skip


@pytest.fixture
def store(database_home: Path) -> StudyStore:
    return StudyStore(database_home)


def test_a_case_comes_back_as_it_was_saved(store: StudyStore) -> None:
    study = store.create("Winter\n jackets", "Ann", "for the meeting")
    assert (study.name, study.note, study.n_cases) == ("Winter jackets", "for the meeting", 0)
    first, second = store.add(study.id, CASE, "Ann"), store.add(study.id, CaseContent("tiny", "u2"), "Bob")
    assert store.cases(study.id) == (first, second)
    assert store.case(first.id).content == CASE
    assert [case.position for case in store.cases(study.id)] == [0, 1]
    assert store.find("Winter jackets") == store.find(study.id) == store.list()[0]
    assert store.list()[0].n_cases == 2
    store.order(study.id, [second.id, first.id], "Ann")
    assert [case.id for case in store.cases(study.id)] == [second.id, first.id]


def test_two_people_never_overwrite_each_other(store: StudyStore) -> None:
    study = store.create("winter", "Ann")
    case = store.add(study.id, CASE, "Ann")
    judged = store.change_case(case, replace(CASE, verdict="good"), "Bob")
    assert (judged.content.verdict, judged.written.created_by, judged.written.changed_by) == ("good", "Ann", "Bob")
    for step in (
        lambda: store.change_case(case, replace(CASE, note="mine"), "Cid"),
        lambda: store.delete_case(case, "Cid"),
    ):
        with pytest.raises(
            ConflictError, match=r"Bob changed the case of Zoë 7 and item-03 on .* nothing was overwritten"
        ):
            step()
    assert store.case(case.id) == judged
    renamed = store.change(study, "Bob", name="autumn")
    with pytest.raises(ConflictError, match="Bob changed study 'autumn'"):
        store.delete(study, "Cid")
    store.delete(renamed, "Ann", "done")
    assert store.list() == ()
    assert store.cases(study.id) == ()
    with pytest.raises(ConflictError, match="Ann deleted it"):
        store.add(study.id, CASE, "Bob")
    kept = [change.before for change in store.history(study.id) if change.action == "deleted"]
    assert [(one or {}).get("verdict", "study") for one in kept] == ["good", "study"]


def test_wrong_input_is_refused(store: StudyStore) -> None:
    study = store.create("winter", "Ann")
    with pytest.raises(InputError, match="study 'winter' already exists"):
        store.create(" winter ", "Bob")
    for name in ("", " \n", "x" * 121):
        with pytest.raises(InputError, match="1 to 120 characters"):
            store.create(name, "Ann")
    with pytest.raises(InputError, match="enter your name"):
        store.add(study.id, CASE, " ")
    with pytest.raises(NotFoundError, match="guidedrec studies list"):
        store.find("summer")
    with pytest.raises(NotFoundError, match="no longer exists"):
        store.case("nothing")
    with pytest.raises(NotFoundError):
        store.add("nothing", CASE, "Ann")
    with pytest.raises(InputError, match="other cases now"):
        store.order(study.id, ["nothing"], "Ann")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"dataset": " "}, "a data set and a user"),
        ({"user_id": ""}, "a data set and a user"),
        ({"verdict": "fine"}, "good, wrong, harmful, unsure, got 'fine'"),
        ({"address": "https://elsewhere"}, "starts with '\\?'"),
        ({"note": "x" * 20_001}, "note of at most 20,000 characters, got 20,001"),
        ({"note": 7}, "note of at most .* got int"),
        ({"runs": {"refined": 7}}, "role to run id"),
    ],
)
def test_what_is_no_case_cannot_be_made(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        replace(CASE, **values)


def test_a_study_is_handed_over_as_json(store: StudyStore, tmp_path: Path) -> None:
    study = store.create("winter", "Ann", "a note")
    store.add(study.id, CASE, "Ann")
    store.add(study.id, CaseContent("tiny", "u2"), "Bob")
    document = export_study(store, study)
    assert [change["action"] for change in document["history"]] == ["created"] * 3
    file = tmp_path / "study.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match="already exists"):
        import_study(store, file, "Cid")
    copy = import_study(store, file, "Cid", name="winter, copied")
    assert (copy.note, copy.n_cases, copy.written.created_by) == ("a note", 2, "Cid")
    assert [case.content for case in store.cases(copy.id)] == [case.content for case in store.cases(study.id)]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: [], "as `guidedrec studies export` writes it"),
        (lambda d: {**d, "format_version": 2}, "format version 1 .* got 2; update guidedrec"),
        (lambda d: {**d, "cases": None}, "'study' and 'cases'"),
        (lambda d: {**d, "cases": [*d["cases"], 7]}, "number 2"),
        (lambda d: {**d, "cases": [{**d["cases"][0], "address": "javascript:x"}]}, "number 1 .*starts with"),
    ],
)
def test_a_file_that_is_no_study_brings_nothing(
    own_home: Path, tmp_path: Path, damage: Callable[[Any], Any], reason: str
) -> None:
    store = StudyStore(own_home)
    study = store.create("winter", "Ann")
    store.add(study.id, CASE, "Ann")
    file = tmp_path / "study.json"
    file.write_text(json.dumps(damage(export_study(store, study))), encoding="utf-8")
    with pytest.raises(DataError, match=reason):
        import_study(store, file, "Cid", "copy")
    assert [one.name for one in store.list()] == ["winter"]
