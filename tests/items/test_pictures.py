"""Which pictures are shown: those of allowed hosts and of the data set's folder, and nothing else."""

from pathlib import Path

import pytest

from guidedrec_core.items.pictures import HOSTS, allowed_hosts, picture

ALLOWED = {"cdn.example.com"}


@pytest.mark.parametrize(
    "image",
    [
        "",
        "http://cdn.example.com/a.jpg",
        "https://cdn.example.com.evil.example/a.jpg",
        "https://sub.cdn.example.com/a.jpg",
        "https://cdn.example.com@evil.example/a.jpg",
        "https://evil.example\\@cdn.example.com/a.jpg",
        "https://cdn.example.com:8443/a.jpg",
        "javascript://cdn.example.com/%0aalert(1)",
        "data:image/png;base64,AAAA",
        "file:///etc/passwd",
        "https://[cdn.example.com/a.jpg",
        "../secret.png",
        "/etc/passwd",
        "folder",
        "page.svg",
        "a\n.png",
        "https://cdn.example.com/" + "a" * 3_000,
    ],
)
def test_everything_else_is_refused(image: str, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    folder = tmp_path / "images"
    (folder / "folder").mkdir(parents=True)
    (folder / "page.svg").write_text("<svg/>")
    assert picture(image, folder, ALLOWED) is None


def test_allowed_hosts_and_files_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    assert picture("a.png", tmp_path, ()) == tmp_path / "a.png"
    assert picture(" https://CDN.example.com/a.jpg?w=9 ", tmp_path, ALLOWED) == "https://CDN.example.com/a.jpg?w=9"
    assert allowed_hosts() == frozenset()
    assert picture("https://cdn.example.com/a.jpg", tmp_path, allowed_hosts()) is None
    monkeypatch.setenv(HOSTS, "CDN.example.com, b.example")
    assert allowed_hosts() == {"cdn.example.com", "b.example"}
