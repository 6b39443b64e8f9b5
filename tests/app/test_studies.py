"""Studies in the app: a view is saved and judged, opened again, changed by several people, and taken away."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from guidedrec_core.app.studies import listing
from guidedrec_core.errors import InputError
from guidedrec_core.studies.exchange import export_study
from guidedrec_core.studies.store import StudyStore
from guidedrec_core.studies.study import CaseContent, SavedCase, Study

CASE, STUDIES = "pages/1_Case_study.py", "pages/7_Studies.py"


@pytest.fixture
def store(tiny_home: Path) -> StudyStore:
    return StudyStore(tiny_home)


@pytest.fixture
def saved(store: StudyStore, tiny_build) -> tuple[Study, SavedCase]:
    """A study with a case of the tiny shop and one of a data set that does not exist."""
    study = store.create("Winter *jackets*", "Ann")
    runs = {"refined": tiny_build.refined.id}
    address = f"?dataset=tiny&run={tiny_build.refined.id}&user=user-03&item=item-05&pull=warmth%3A1"
    case = store.add(study.id, CaseContent("tiny", "user-03", "item-05", runs, address, "look <b>again</b>"), "Ann")
    store.add(study.id, CaseContent("gone", "u1", "i1", {}, "?dataset=gone&user=u1", verdict="harmful"), "Ann")
    return study, case


def words(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.error, app.success, app.info)
    return "\n".join(each.value.replace("\\", "") for kind in kinds for each in kind)


def labels(app: AppTest) -> list[str]:
    return [each.proto.label.replace("\\", "") for each in app.get("page_link")]


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label == label)


def open_save(app: AppTest, study: str, verdict: str | None = None) -> AppTest:
    """Open the popover, which is drawn only then, with a study and a verdict chosen."""
    app.session_state["save_case_study"] = study
    app.session_state["save_case_verdict"] = verdict
    app.session_state["save_case_open"] = True
    return app.run()


class TestSaving:
    def test_a_view_is_saved_with_all_of_its_state(self, store, tiny_build, open_app) -> None:
        app = open_app(CASE, dataset="tiny", user="user-03", item="item-05", question="steer", pull="warmth:1")
        app = open_save(app, "New & <b>bold</b>", "wrong")
        assert not app.exception
        app.text_input(key="save_case_reason").set_value("too warm")
        button(app, "Save").click().run()  # without a name
        assert "Enter your name" in words(app)
        assert app.text_input(key="save_case_reason").value == "too warm"
        assert store.list() == ()
        app.text_input(key="save_case_who").set_value("Ann")
        button(app, "Save").click().run()
        assert not app.exception
        (study,) = store.list()
        (case,) = store.cases(study.id)
        assert (study.name, case.content.dataset, case.content.user_id) == ("New & <b>bold</b>", "tiny", "user-03")
        assert (case.content.item_id, case.content.verdict, case.content.reason) == ("item-05", "wrong", "too warm")
        assert case.content.runs == {"refined": tiny_build.refined.id}
        state = parse_qs(case.content.address.removeprefix("?"))
        assert (state["question"], state["pull"]) == (["steer"], ["warmth:1"])
        assert "Saved in New & <b>bold</b>." in words(app)
        assert "Open New & <b>bold</b>" in labels(app)

        # The same view again: what is saved of it is changed.
        assert "already: saved by Ann" in words(app)
        app.text_area(key="save_case_note").set_value("really")
        button(app, "Update").click().run()
        (case,) = store.cases(study.id)
        assert (case.content.note, case.content.reason, case.written.version) == ("really", "too warm", 2)

    def test_somebody_else_was_quicker(self, store, open_app) -> None:
        app = open_save(open_app(CASE, dataset="tiny", user="user-03", item="item-05"), "winter")
        app.text_input(key="save_case_who").set_value("Ann")
        button(app, "Save").click().run()
        (case,) = store.cases(store.find("winter").id)
        store.change_case(case, replace(case.content, verdict="good"), "Bob")
        app.text_area(key="save_case_note").set_value("my note")
        button(app, "Update").click().run()
        assert "Bob changed the case of user-03 and item-05" in words(app)
        assert app.text_area(key="save_case_note").value == "my note"
        assert store.case(case.id).content.verdict == "good"


class TestTheList:
    def test_it_needs_no_data(self, own_home, open_app) -> None:
        app = open_app(STUDIES)
        assert not app.exception
        assert "Nothing is saved yet" in words(app)

    def test_studies_with_their_verdicts(self, saved, open_app) -> None:
        app = open_app(STUDIES)
        assert not app.exception
        assert "1 study with 2 cases: 1 harmful, 1 not judged." in words(app)
        assert any("Winter" in one.label for one in app.button)
        app.button(key=f"open_{saved[0].id}").click().run()
        assert app.query_params["study"] == saved[0].id

    def test_one_is_made_and_opened(self, store, open_app) -> None:
        app = open_app(STUDIES)
        app.text_input(key="new_study_name").set_value("spring")
        button(app, "Make it").click().run()
        assert "Enter your name" in words(app)
        assert app.text_input(key="new_study_name").value == "spring"
        app.text_input(key="new_study_who").set_value("Ann")
        button(app, "Make it").click().run()
        assert not app.exception
        assert app.query_params["study"] == store.find("spring").id
        assert "No cases yet." in words(app)

    def test_a_file_is_imported_and_errors_name_it_as_the_visitor_does(self, saved, store) -> None:
        content = json.dumps(export_study(store, store.find(saved[0].id))).encode()
        copy = listing._read(store, content, "Bob", " Copy ")
        assert (copy.name, copy.n_cases, copy.written.created_by) == ("Copy", 2, "Bob")
        for wrong, sentence in ((b"{}", "expected a study in the file"), (None, "choose a file first")):
            with pytest.raises(InputError, match=sentence):
                listing._read(store, wrong, "Bob", "")


class TestAStudy:
    def test_cases_open_where_they_were_saved(self, saved, open_app) -> None:
        study, case = saved
        app = open_app(STUDIES, study=study.id)
        assert not app.exception
        said = words(app)
        assert "look <b>again</b>" in said
        assert "Cannot be opened: data set gone no longer exists here." in said
        opened = [each.proto.query_string for each in app.get("page_link") if each.proto.label == "Open"]
        assert [parse_qs(query) for query in opened] == [parse_qs(case.content.address[1:])]

    def test_a_verdict_is_changed_and_a_conflict_keeps_what_was_typed(self, saved, store, open_app) -> None:
        study, case = saved
        app = open_app(STUDIES, study=study.id, saved=case.id)
        prefix = f"study_case_{case.id}"
        app.text_input(key=f"{prefix}_who").set_value("Cid")
        app.text_input(key=f"{prefix}_reason").set_value("mine")
        store.change_case(case, replace(case.content, verdict="good", reason="theirs"), "Bob")
        button(app, "Save").click().run()
        assert not app.exception
        assert "Bob changed this case on" in words(app)
        assert "theirs" in words(app)
        assert app.text_input(key=f"{prefix}_reason").value == "mine"
        assert store.case(case.id).content.reason == "theirs"
        button(app, "Save").click().run()
        now = store.case(case.id)
        assert (now.content.reason, now.written.changed_by, now.written.version) == ("mine", "Cid", 3)
        assert "Saved." in words(app)

    def test_cases_are_moved_and_deleted(self, saved, store, open_app) -> None:
        study, case = saved
        app = open_app(STUDIES, study=study.id, saved=case.id)
        app.text_input(key=f"study_case_{case.id}_who").set_value("Cid").run()
        app.button(key=f"Move down_{case.id}").click().run()
        assert not app.exception
        assert [one.content.dataset for one in store.cases(study.id)] == ["gone", "tiny"]
        app.button(key=f"delete_now_{case.id}").click().run()
        assert not app.exception
        assert [one.content.dataset for one in store.cases(study.id)] == ["gone"]
        assert "Deleted." in words(app)
        last = store.history(study.id)[-1]
        assert (last.action, last.who) == ("deleted", "Cid")

    def test_the_history_names_what_changed(self, saved, store, open_app) -> None:
        study, case = saved
        store.change_case(case, replace(case.content, verdict="wrong", reason="too warm"), "Bob")
        app = open_app(STUDIES, study=study.id)
        app.session_state["study_history"] = True
        app.run()
        assert not app.exception
        first = app.dataframe[0].value.iloc[0]
        assert (first["who"], first["did"]) == ("Bob", "changed")
        assert first["change"] == "verdict: wrong; reason: too warm"

    def test_it_can_be_taken_away(self, saved, open_app) -> None:
        app = open_app(STUDIES, study=saved[0].id)
        found = {each.label for each in app.get("download_button")}
        assert {"Report (HTML)", "Presentation (slides)", "Study (JSON)"} <= found

    def test_one_that_is_gone_says_so(self, store, open_app) -> None:
        app = open_app(STUDIES, study="nothing")
        assert not app.exception
        assert "no longer exists" in words(app)
        app.button(key="way_on").click().run()
        assert "Nothing is saved yet" in words(app)
