"""The page that brings data: from a file to columns, a preview, attributes and a job."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from guidedrec_core.app.bring_data import files

PAGE = "pages/8_Bring_your_data.py"


def words(app: AppTest) -> str:
    """Return all text of a page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error, *app.warning]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


ROWS = "Customer ID,sku,bought,event\n" + "".join(
    f"c{n % 6},s{n * 5 % 7},{n % 28 + 1:02d}/02/2024,{'view' if n % 3 else 'purchase'}\n" for n in range(120)
)


@pytest.fixture
def shop(tiny_home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(ROWS)
    return path


@pytest.fixture
def opened(open_app: Callable[[], AppTest]) -> Callable[[Path | None], AppTest]:
    """Open the page with a file chosen."""

    def with_file(path: Path | None) -> AppTest:
        app = open_app()
        if path is not None:
            app.session_state["bring_file_path"] = str(path)
        return app.switch_page(PAGE).run()

    return with_file


def test_without_a_file_it_asks_for_one(tiny_home: Path, opened) -> None:
    app = opened(None)
    assert not app.exception
    assert app.title[0].value == "How do I bring my own data?"
    assert "At most 200 MB a file" in words(app)
    assert [s.value for s in app.subheader] == ["1. Files"]


def test_columns_are_guessed_and_dates_need_an_answer(shop: Path, opened) -> None:
    app = opened(shop)
    assert not app.exception
    chosen = {
        key: app.selectbox(key=f"bring_column_{key}").value for key in ("user_id", "item_id", "datetime", "event")
    }
    assert chosen == {"user_id": "Customer ID", "item_id": "sku", "datetime": "bought", "event": "event"}
    assert "dates such as '13/02/2024' can only be read with the day first; choose that above" in words(app)
    assert "--" not in app.error[0].value
    app.selectbox(key="bring_dates").select("day-first").run()
    assert not app.error
    assert "01/02/2024 is 01 February 2024" in words(app)
    assert [metric.value for metric in app.metric][1:] == ["6", "7"]


def test_kinds_have_weights_and_zero_leaves_one_out(shop: Path, opened) -> None:
    app = opened(shop)
    app.selectbox(key="bring_dates").select("day-first").run()
    assert app.number_input(key="bring_kind_view").value == 0.2
    before = int(app.metric[0].value)
    app.number_input(key="bring_core").set_value(1).run()
    app.number_input(key="bring_kind_view").set_value(0.0).run()
    assert int(app.metric[0].value) < before
    assert "interactions of kind view, left out" in words(app)


def test_the_job_gets_what_was_chosen(shop: Path, opened, started: list[tuple[str, dict[str, object]]]) -> None:
    app = opened(shop)
    app.selectbox(key="bring_dates").select("day-first").run()
    app.text_input(key="bring_name").set_value("spring").run()
    app.button(key="bring_start").click().run()
    assert not app.exception
    (task, arguments), *_ = started
    assert task == "import"
    assert arguments == {
        "dataset": "spring",
        "format": "csv",
        "path": str(shop),
        "mapping": {"user_id": "Customer ID", "item_id": "sku", "datetime": "bought", "event": "event"},
        "min_interactions": 5,
        "reading": {"date_format": "day-first", "event_weights": {"view": 0.2, "purchase": 1.0}},
    }


def test_a_wrong_name_and_a_broken_file_get_a_sentence(shop: Path, opened) -> None:
    app = opened(shop)
    app.selectbox(key="bring_dates").select("day-first").run()
    app.text_input(key="bring_name").set_value("My Shop!").run()
    assert "Expected a data set name" in words(app)
    assert not [button for button in app.button if button.key == "bring_start"]
    shop.write_bytes(b"\x80\x81")
    app = opened(shop)
    assert not app.exception
    assert "save the file as UTF-8" in words(app)


def test_what_was_typed_survives_another_page_and_back(shop: Path, opened) -> None:
    app = opened(shop)
    app.selectbox(key="bring_dates").select("day-first").run()
    app.number_input(key="bring_core").set_value(2).run()
    app.text_input(key="bring_name").set_value("spring").run()
    app.switch_page("pages/5_Attributes.py").run()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert app.selectbox(key="bring_dates").value == "day-first"
    assert app.number_input(key="bring_core").value == 2
    assert app.text_input(key="bring_name").value == "spring"


def test_uploads_are_kept_under_harmless_names(own_home: Path) -> None:
    path = files.save("../../etc/pass wd<x>.csv", b"a,b\n")
    assert path.is_relative_to(own_home / "uploads")
    assert path.name == "pass_wd_x_.csv"
    assert files.save("../../etc/pass wd<x>.csv", b"a,b\n") == path


def test_the_server_s_folder_shows_what_lies_in_it_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "allowed" / "inner").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("x")
    (tmp_path / "allowed" / "inner" / "a.csv").write_text("x")
    (tmp_path / "allowed" / "key.pem").write_text("x")
    (tmp_path / "allowed" / "link.csv").symlink_to(tmp_path / "secret.csv")
    monkeypatch.setenv(files.FOLDER, str(tmp_path / "allowed"))
    folder = files.allowed_folder()
    assert folder is not None
    assert files.listed(folder) == ["inner/a.csv"]
