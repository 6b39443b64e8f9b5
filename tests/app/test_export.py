"""The menu "Export": one a page, and tables of the page under names of their own."""

import io
import zipfile

import pandas as pd

from guidedrec_core.app import show
from guidedrec_core.report.files import table_bytes, zipped_tables


def test_pages_offer_what_can_be_taken_away(tiny_home, open_app) -> None:
    wanted = {
        "pages/1_Case_study.py": {"Report (HTML)", "Notebook (Python)", "Tables (CSV)", "Tables (Parquet)"},
        "pages/4_Evaluation.py": {"Report (HTML)", "Notebook (Python)", "Tables (CSV)", "Tables (Parquet)"},
        "pages/3_Embedding_map.py": {
            *("TensorBoard projector (TSV)", "Embedding Atlas (Parquet)", "Tables (CSV)", "Tables (Parquet)"),
        },
    }
    for page, labels in wanted.items():
        app = open_app(page, dataset="tiny")
        assert not app.exception
        assert {button.label for button in app.get("download_button")} >= labels, page


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
