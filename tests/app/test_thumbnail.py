"""Pictures on the Items page: none but those of allowed hosts and of the data set's folder."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from guidedrec_core.app import loaders, thumbnail
from guidedrec_core.items.pictures import HOSTS


class Screen:
    def __init__(self) -> None:
        self.images: list[str] = []
        self.marks: list[str] = []

    def image(self, source: str, width: int) -> None:
        self.images.append(source)

    def markdown(self, text: str, **_: Any) -> None:
        self.marks.append(text)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    found = Screen()
    monkeypatch.setattr(thumbnail, "st", found)
    return found


def test_a_picture_or_a_sign(tmp_path, monkeypatch: pytest.MonkeyPatch, screen: Screen) -> None:
    frame = pd.DataFrame(
        {
            "category": ["base_layers", "Drama|War"],
            "image": ["https://cdn.example.com/a.jpg", None],
            "currency": ["EUR", None],
        }
    )
    dataset = SimpleNamespace(catalogue=SimpleNamespace(frame=frame), items=SimpleNamespace(index=int))
    monkeypatch.setattr(loaders, "dataset", lambda _: dataset)
    entry = SimpleNamespace(data=SimpleNamespace(id="d"))
    view: Any = SimpleNamespace(entry=entry, store=SimpleNamespace(home=tmp_path), dataset="shop")
    thumbnail.thumbnail(view, "0")
    thumbnail.thumbnail(view, "1")
    assert screen.images == []
    assert screen.marks == ["# :material/checkroom:", "# :material/movie:"]
    monkeypatch.setenv(HOSTS, "cdn.example.com")
    thumbnail.thumbnail(view, "0")
    assert screen.images == ["https://cdn.example.com/a.jpg"]
    assert thumbnail.price(view, "0", 9.5) == "€9.50"
    assert thumbnail.price(view, "1", 9.5) == "9.50"
