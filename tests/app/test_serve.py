"""Where the pages are, and what is imported once the server is up."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from guidedrec_core.app import serve
from guidedrec_core.errors import GuidedrecError

ROOT = Path(__file__).resolve().parents[2]


def test_in_a_clone_the_pages_are_at_its_root() -> None:
    assert serve.site() == ROOT


def test_an_installed_package_brings_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_APP", tmp_path / "guidedrec_core" / "app")
    with pytest.raises(GuidedrecError, match="install guidedrec again"):
        serve.site()
    site = tmp_path / "guidedrec_core" / "app" / "site"
    (site / "pages").mkdir(parents=True)
    (site / "app.py").write_text("")
    assert serve.site() == site


def test_options_are_passed_on_and_pages_imported_once_the_server_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    up = iter([False, False, True])

    def exists() -> bool:
        calls.append(found := next(up))
        return found

    monkeypatch.setattr(serve, "runtime", SimpleNamespace(exists=exists))
    monkeypatch.setattr(serve, "importlib", SimpleNamespace(import_module=calls.append))
    monkeypatch.setattr(serve, "streamlit", SimpleNamespace(main=lambda arguments, **_: calls.append(arguments)))
    monkeypatch.setattr(serve, "threading", SimpleNamespace(Thread=Now))
    serve.serve(["--server.port=8600"])
    assert calls[:3] == [False, False, True]
    assert calls[-1] == ["run", str(ROOT / "app.py"), "--server.port=8600"]
    imported = [str(name) for name in calls[3:-1]]
    assert imported
    assert all(importlib.util.find_spec(name) for name in imported)


class Now:
    """A thread that does its work when it is started."""

    def __init__(self, target: Callable[[], None], **_: object) -> None:
        self.start = target
