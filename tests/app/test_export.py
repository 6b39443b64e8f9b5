"""The menu "Export": one a page, and tables of the page under names of their own."""

import io
import zipfile
from types import SimpleNamespace

import pandas as pd
from reports import without_plotly

from guidedrec_core.app import export, show
from guidedrec_core.app.audience.key import GroupKey
from guidedrec_core.audience.saved import SegmentStore
from guidedrec_core.conditions.condition import Definition, ItemValue, Taste
from guidedrec_core.report.files import table_bytes, zipped_tables
from guidedrec_core.report.html import report_html
from guidedrec_core.runs.library import find_entry
from guidedrec_core.runs.store import RunStore


def test_pages_offer_what_can_be_taken_away(tiny_home, open_app) -> None:
    wanted = {
        "pages/1_Case_study.py": {"Report (HTML)", "Notebook (Python)", "Tables (CSV)", "Tables (Parquet)"},
        "pages/6_Audience.py": {"Report (HTML)", "Notebook (Python)", "Tables (CSV)", "Tables (Parquet)"},
        "pages/4_Evaluation.py": {"Report (HTML)", "Notebook (Python)", "Tables (CSV)", "Tables (Parquet)"},
        "pages/3_Embedding_map.py": {
            *("TensorBoard projector (TSV)", "Embedding Atlas (Parquet)", "Tables (CSV)", "Tables (Parquet)"),
        },
    }
    for page, labels in wanted.items():
        app = open_app(page, dataset="tiny")
        assert not app.exception
        assert {button.label for button in app.get("download_button")} >= labels, page


def test_a_group_is_reported_as_it_was_asked_about(tiny_home, open_app) -> None:
    SegmentStore(tiny_home).save("tiny", "Cold <b>", Definition.of(Taste(attribute="warmth", end="high")), "Ann", "why")
    app = open_app("pages/6_Audience.py", dataset="tiny", items="tents", users='segment: "Cold <b>"', k="5")
    assert not app.exception
    entry = find_entry(RunStore(tiny_home), "tiny")
    key = GroupKey(
        *(
            Definition.of(one)
            for one in (ItemValue(column="category", values=("tents",)), Taste(attribute="warmth", end="high"))
        ),
        5,
        "Cold <b>",
        "why",
    )
    view = SimpleNamespace(store=RunStore(tiny_home), entry=entry, dataset="tiny")
    report, views = export._segment_report(view, key)
    assert (report.about, views.answer.k) == ("Segment Cold <b> · users who match “seeks warmth”", 5)
    assert "why" in report.sections[0].sentences
    page = report_html(report)
    assert "Cold &lt;b&gt;" in page
    assert "Cold <b>" not in without_plotly(page)
    assert "k=5" in export._segment_notebook(view, key).decode()


def test_the_tables_of_a_page_are_those_it_shows(tiny_home, open_app) -> None:
    app = open_app("pages/4_Evaluation.py", dataset="tiny")
    tables = app.session_state[show._TABLES]
    assert len(tables) == len(app.dataframe)
    shown = sorted(len(frame.value) for frame in app.dataframe)
    assert sorted(len(frame) for frame in tables.values()) == shown
    app.run()
    assert len(app.session_state[show._TABLES]) == len(tables)


def test_files_of_tables_hold_all_digits_and_no_formula() -> None:
    frame = pd.DataFrame({"title": ["=HYPERLINK(1)", "Tent"], "score": [0.1 + 0.2, -1.0], 3: [None, {"a": 1}]})
    with zipfile.ZipFile(io.BytesIO(zipped_tables({"one": frame}, "csv"))) as archive:
        assert archive.namelist() == ["one.csv"]
        text = archive.read("one.csv").decode()
    assert "'=HYPERLINK(1),0.30000000000000004," in text
    parquet = pd.read_parquet(io.BytesIO(table_bytes(frame, "parquet")))
    assert parquet["title"].tolist() == frame["title"].tolist()
    assert parquet["score"].tolist() == frame["score"].tolist()
