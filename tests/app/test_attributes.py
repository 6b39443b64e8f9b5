"""The Attributes page: how far scores can be trusted, and scores set by hand."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tiny
from streamlit.testing.v1 import AppTest
from tiny import HOSTILE_TITLE

from guidedrec_core import stages
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.templates import template
from guidedrec_core.config import RefinementConfig
from guidedrec_core.discovery.directions import discover
from guidedrec_core.language import percent
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs import titles
from guidedrec_core.runs.store import Run, RunStore

PAGE = "pages/5_Attributes.py"
CHANGES = ("title", "attribute", "old", "new", "why", "who", "when")


def words(app: AppTest) -> str:
    """Return all text of the page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error, *app.success]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


def figures(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def table(app: AppTest, *columns: str) -> Any:
    """Return the table that has all these columns and no others."""
    return next(each.value for each in app.dataframe if list(each.value.columns) == list(columns))


def data_of(home: Path) -> tuple[RunStore, Run]:
    store = RunStore(home)
    return store, stages.find_data(store, "tiny")


class TestNotNamedYet:
    def test_patterns_without_a_name_are_shown_with_their_ends(self, tiny_home, tiny_build, open_app) -> None:
        app = open_app(PAGE, dataset="tiny", part="Not named yet")
        assert not app.exception
        found = discover(open_refined(RunStore(tiny_home), tiny_build.refined.id))
        shown = table(app, "pattern", "share", "stable", "followed", "passed")
        assert shown["share"].tolist() == pytest.approx([100 * one.of_rest for one in found.found], abs=0.05)
        assert f"{percent(found.rest, 1)} of what orders the 50 best items has no name" in words(app)
        first = next((one for one in found.found if one.passed), found.found[0])
        assert app.selectbox(key="unnamed_direction").value == first.number
        for one in found.found[:3]:
            app.selectbox(key="unnamed_direction").select(one.number).run()
            assert not app.exception
            (drawn,) = figures(app)
            assert len(drawn["data"][0]["customdata"]) == len(one.high.items[:8]) + len(one.low.items[:8])
            # Naming is offered for what is more than chance alone.
            assert [f"--propose {one.number} " in code.value for code in app.code] == [True] * one.passed


class TestScores:
    def test_numbers_come_first_and_say_where_they_come_from(self, tiny_home, tiny_build, open_app) -> None:
        app = open_app(PAGE, dataset="tiny")
        assert not app.exception
        said = words(app)
        assert "#### All 40 items are scored from 0 to 10 on 3 attributes, each only once" in said
        assert f"Scores recorded in scores.csv · stored {tiny_build.scores.created:%d %b %Y %H:%M} UTC" in said
        assert tiny_build.scores.summary["schema_hash"] in said
        assert len(figures(app)) == 2  # nothing was scored twice, so there is no agreement to draw
        assert "no item was scored twice" in said

    def test_every_attribute_has_its_ends_and_its_numbers_in_a_table(self, tiny_home, open_app) -> None:
        app = open_app(PAGE, dataset="tiny")
        assert app.table[0].value.to_numpy().tolist()[0] == ["Warmth", "little warmth", "much warmth"]
        assert table(app, "label", "mean", "spread", "commonest", "bunching", "missing")["missing"].tolist() == [
            1,
            0,
            0,
        ]
        assert len(table(app, "first", "second", "correlation")) == 3

    def test_an_item_with_a_gap_leads_on(self, tiny_home, open_app) -> None:
        app = open_app(PAGE, dataset="tiny")
        assert table(app, "title", "attributes").to_numpy().tolist() == [["Thing number 1", "Warmth"]]
        app.session_state["gap_table"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
        app.run()
        link = next(each.proto for each in app.get("page_link") if each.proto.label == "Open Thing number 1")
        assert "item=item-01" in link.query_string
        app.button(key="gap_table_links_set").click().run()
        assert not app.exception
        assert app.query_params["item"] == "item-01"
        assert "Set a score by hand" in words(app)

    def test_doubtful_scores_can_be_let_count_less_where_there_are_passes(
        self, tiny_home, tiny_build, llm_scores, started, open_app
    ) -> None:
        app = open_app(PAGE, dataset="tiny")
        assert "refine_doubt" not in {toggle.key for toggle in app.toggle}
        assert "refine_again" not in {button.key for button in app.button}
        llm_scores(passes=3)
        app = open_app(PAGE, dataset="tiny")
        assert not app.exception
        assert "Scores on which passes disagree can count less than others." in words(app)
        assert not app.toggle(key="refine_doubt").value
        asked = {"dataset": "tiny", "run": tiny_build.refined.id}
        for doubt in ("ignore", "shrink"):
            app.button(key="refine_again").click().run()
            assert started[-1] == ("refine", {**asked, "doubt": doubt})
            app.toggle(key="refine_doubt").set_value(True).run()

    def test_a_run_says_that_doubtful_scores_count_less_in_it(
        self, tiny_home, tiny_build, llm_scores, open_app
    ) -> None:
        config = tiny.CONFIG.model_copy(update={"refinement": RefinementConfig(mode="head", doubt="shrink")})
        store = RunStore(tiny_home)
        base = store.open(tiny_build.base.id, "base")
        run = stages.refine(store, base, llm_scores(passes=3), config)
        app = open_app(PAGE, dataset="tiny", run=run.id)
        assert not app.exception
        assert "head refinement, doubtful scores count less, seed" in words(app)
        assert app.toggle(key="refine_doubt").value

    def test_agreement_is_drawn_where_there_are_passes(self, tiny_home, tiny_build, llm_scores, open_app) -> None:
        llm_scores(passes=3)
        app = open_app(PAGE, dataset="tiny")
        assert "each only once" in words(app)
        app.button_group(key="which_scores").set_value("newer").run()
        assert not app.exception
        said = words(app)
        assert "would come out much the same if scored again" in said
        assert "by toy-model at localhost:8000 in 3 passes" in said
        assert len(figures(app)) == 3
        assert len(table(app, "label", "sentence", "icc", "low", "high", "difference")) == 3
        assert table(app, "title", "label", "passes", "spread")["spread"].is_monotonic_decreasing
        assert table(app, "title", "attributes", "reason")["reason"].tolist() == ["refused: <b>no</b>"]


class TestOverrides:
    def opened(self, open_app: Any, item: str = "item-03") -> AppTest:
        app = open_app(PAGE, dataset="tiny", item=item, part="Set by hand")
        assert not app.exception
        return app

    def test_a_score_can_be_set_listed_and_taken_back(self, tiny_home, tiny_build, started, open_app) -> None:
        app = self.opened(open_app)
        assert "No score is set by hand." in words(app)
        app.selectbox(key="override_attribute").select("ruggedness").run()
        old = tiny_build.scores.read_array("item_scores")[3, 2]
        assert f"Scored {old:g}." in words(app)
        app.slider(key="override_value_item-03_ruggedness").set_value(9.5)
        app.text_input(key="override_why_item-03_ruggedness").set_value("it <b>is</b>")
        app.text_input(key="override_who").set_value("Ann")
        app.button(key="FormSubmitter:override-Set this score").click().run()
        assert not app.exception
        said = words(app)
        assert "Ruggedness of Thing number 3 will be 9.5 after the next refinement." in said
        assert "1 score is set by hand; the next refinement will use it." in said
        assert f"Scored {old:g}; set to 9.5 by Ann" in said
        row = table(app, *CHANGES, "state").iloc[0]
        assert row[["title", "attribute", "old", "new", "why", "who", "state"]].tolist() == [
            "Thing number 3", "Ruggedness", old, 9.5, "it <b>is</b>", "Ann", "next refinement",
        ]  # fmt: skip
        app.button(key="refine_again").click().run()
        assert started[-1] == ("refine", {"dataset": "tiny", "run": tiny_build.refined.id})
        app.session_state["override_table_1"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
        app.run()
        assert app.text_input(key="withdraw_who").value == "Ann"
        app.text_input(key="withdraw_why").set_value("no, it is not")
        app.button(key="FormSubmitter:withdraw-Undo").click().run()
        assert not app.exception
        assert "Undone: Ruggedness of Thing number 3." in words(app)
        assert "No score is set by hand." in words(app)
        assert table(app, *CHANGES)["why"].tolist() == ["undone: no, it is not", "it <b>is</b>"]

    def test_without_a_reason_it_says_what_is_missing_and_writes_nothing(self, tiny_home, open_app) -> None:
        app = self.opened(open_app)
        app.button(key="FormSubmitter:override-Set this score").click().run()
        assert not app.exception
        assert "Enter your name; nothing was given." in words(app)
        assert not (tiny_home / "guidedrec.db").exists()

    def test_what_somebody_else_has_set_meanwhile_is_not_overwritten(self, tiny_home, open_app) -> None:
        app = self.opened(open_app)
        app.selectbox(key="override_attribute").select("ruggedness").run()
        stages.override_score(*data_of(tiny_home), "item-03", "ruggedness", 1, "Bob", "so")
        app.text_input(key="override_why_item-03_ruggedness").set_value("because")
        app.text_input(key="override_who").set_value("Ann")
        app.button(key="FormSubmitter:override-Set this score").click().run()
        assert not app.exception
        assert "Bob set the score of item-03 on ruggedness to 1" in words(app)
        assert "nothing was overwritten" in words(app)
        app.button(key="FormSubmitter:override-Set this score").click().run()  # seen by now
        assert "will be" in words(app)

    def test_a_run_refined_anew_is_opened_and_says_what_it_was_made_with(
        self, tiny_home, tiny_build, put_job, open_app, monkeypatch
    ) -> None:
        store, data = data_of(tiny_home)
        # Both runs read alike but for their ids, as two of the same minute do.
        monkeypatch.setattr(titles, "run_title", lambda entry: "made just now")
        stages.override_score(store, data, "item-00", "warmth", 9, "Ann", "so")
        arguments = {"dataset": "tiny", "run": tiny_build.refined.id}
        made = stages.refine_task(arguments, tiny_home, lambda _: None)
        stages.override_score(store, data, "item-04", "warmth", 2, "Bob", "so, too")
        put_job("refine", arguments, status="done", run_id=made)
        app = open_app(PAGE, dataset="tiny", run=tiny_build.refined.id, part="Set by hand")
        assert "2 scores are set by hand; the next refinement will use them." in words(app)
        app.button(key="open_refined").click().run()
        assert not app.exception
        assert app.query_params["run"] == made
        assert "2 scores are set by hand; this run uses 1 of them" in words(app)
        rows = table(app, *CHANGES, "state")
        assert rows["state"].tolist() == ["in this run", "next refinement"]
        assert rows["title"].tolist()[0] == HOSTILE_TITLE


class TestEditor:
    def opened(self, open_app: Any) -> AppTest:
        app = open_app(PAGE, dataset="tiny", part="Attributes")
        assert not app.exception
        return app

    def field(self, app: AppTest, name: str) -> Any:
        return next(each for each in [*app.text_input, *app.text_area] if str(each.key).startswith(f"edit_{name}_"))

    def kept(self, home: Path) -> AttributeSchema:
        return AttributeSchema.read(home / "attributes" / "tiny.toml")

    def test_attributes_in_use_are_shown_and_a_copy_is_edited(self, tiny_home, tiny_build, open_app) -> None:
        before = {path: path.read_bytes() for path in tiny_home.rglob("*") if path.is_file()}
        app = self.opened(open_app)
        assert "In use: 3 attributes of things" in words(app)
        old = tiny_build.scores.summary["schema_hash"]
        assert "The same 3 attributes as those in use." in words(app)
        assert f"Content {old}" in [each.help for each in app.markdown]
        self.field(app, "low").set_value("freezing").run()
        self.field(app, "levels").set_value("5: a fleece").run()
        made = self.kept(tiny_home)
        assert (made.attributes[0].low, made.attributes[0].levels) == ("freezing", {"5": "a fleece"})
        assert "3 attributes. Compared with those in use, reworded: Warmth." in words(app)
        assert f"Content {made.hash()}" in [each.help for each in app.markdown]
        app.button(key="edit_down").click().run()
        assert self.kept(tiny_home).names == ("style_focus", "warmth", "ruggedness")
        assert self.field(app, "label").value == "Warmth"  # the one that was moved
        app.button(key="edit_remove").click().run()
        assert self.kept(tiny_home).names == ("style_focus", "ruggedness")
        assert all(path.read_bytes() == content for path, content in before.items()), "stored runs never change"
        app.button(key="edit_discard").click().run()
        assert not app.exception
        assert "The same 3 attributes as those in use." in words(app)
        assert not (tiny_home / "attributes" / "tiny.toml").exists()

    def test_a_new_attribute_says_what_it_lacks_until_it_is_whole(self, tiny_home, open_app) -> None:
        app = self.opened(open_app)
        app.button(key="edit_add").click().run()
        said = "\n".join(str(each.value) for each in app.warning).replace("\\", "")
        assert "- Attribute 4 has no name." in said
        assert "- Attribute 4 does not say what 10 means." in said
        assert not (tiny_home / "attributes").exists()
        for field, text in (("label", "Wind proof"), ("low", "open"), ("high", "sealed <b>")):
            self.field(app, field).set_value(text).run()
        assert not app.warning
        assert self.kept(tiny_home).names[-1] == "wind_proof"
        assert "new: Wind proof" in words(app)

    def test_a_template_or_a_file_is_another_beginning(self, tiny_home, open_app) -> None:
        app = self.opened(open_app)
        app.selectbox(key="template").select("clothing").run()
        app.button(key="edit_template").click().run()
        assert self.kept(tiny_home) == template("clothing")
        uploader = app.file_uploader[0]
        uploader.set_value(("mine.json", b'{"attributes": [{"name": "only", "low": "a"}]}', "application/json")).run()
        assert "high: Field required" in words(app)
        good = b'{"attributes": [{"name": "only", "low": "a", "high": "b"}]}'
        app.file_uploader[0].set_value(("mine.json", good, "application/json")).run()
        app.button(key="edit_from_file").click().run()
        assert not app.exception
        assert self.kept(tiny_home).names == ("only",)


class TestPeople:
    def test_an_uploaded_table_is_compared_with_the_scores(self, tiny_home, tiny_build, open_app) -> None:
        app = open_app(PAGE, dataset="tiny")
        assert "Do people agree?" in words(app)
        ids = tiny_build.data.read_table("catalogue")["item_id"]
        warmth = tiny_build.scores.read_array("item_scores", mmap=False)[:, 0]
        lines = [
            f"{item},{name},{value:g}"
            for name in ("warmth", "style_focus")
            for item, value in zip(ids, warmth, strict=True)
        ]
        sent = "\n".join(["item_id,attribute,value", *(line for line in lines if not line.endswith("nan"))])
        app.file_uploader(key="judgements").set_value(("judged.csv", sent.encode(), "text/csv")).run()
        assert not app.exception
        said = words(app)
        assert "For 1 of 2 attributes the column with the right name agrees best of all 3." in said
        assert "Weak: Style focus." in said
        shown = table(app, "label", "n_items", "spearman", "people", "categories", "shuffled", "rank", "said")
        assert shown["label"].tolist() == ["Warmth", "Style focus"]
        assert shown["spearman"].iloc[0] == 1
        assert shown["said"].tolist()[1].startswith("weak: Warmth agrees better")
        assert len(figures(app)) == 3

    def test_a_table_that_does_not_fit_says_what_to_change(self, tiny_home, open_app) -> None:
        app = open_app(PAGE, dataset="tiny")
        app.file_uploader(key="judgements").set_value(("judged.csv", b"item_id,value\nA,1\n", "text/csv")).run()
        assert not app.exception
        assert "missing: attribute; found: item_id, value" in words(app)
        assert len(figures(app)) == 2
