"""Vectors of item texts: what the model reads, what is kept when work stops, and both kinds of model."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from embedding_server import EmbeddingServer, embedding_server, vector  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st

from guidedrec_core.data.catalogue import Catalogue
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import ConfigError, DataError, InputError, ServiceError
from guidedrec_core.llm.client import LlmClient
from guidedrec_core.llm.retry import NEVER
from guidedrec_core.vectors.table import read_vectors
from guidedrec_core.vectors.text import ItemTexts, item_texts, local_model, write_text_vectors


def catalogue(**columns: list[Any]) -> Catalogue:
    count = len(next(iter(columns.values())))
    given_ = {"item_id": [f"i{n}" for n in range(count)], "title": ["t"] * count, "category": [""] * count} | columns
    return Catalogue(pd.DataFrame(given_))


def texts_of(*texts: str) -> ItemTexts:
    return ItemTexts(tuple(f"i{n}" for n in range(len(texts))), texts, ())


def test_an_item_is_read_as_named_lines_without_the_blank_ones() -> None:
    items = catalogue(
        title=["Tent", "Stove"],
        category=["base_layers|Drama", ""],
        year=pd.array([1999, None], dtype="Int64"),
        price=[12.5, np.nan],
        description=[None, "Burns\r\nwell"],
    )
    found = item_texts(items, ["title", "category", "year", "price", "description"], 1000)
    assert found.ids == ("i0", "i1")
    assert found.texts == (
        "title: Tent\ncategory: base layers, Drama\nyear: 1999\nprice: 12.5",
        "title: Stove\ndescription: Burns well",
    )
    assert found.notices == ()


def test_items_without_text_and_texts_that_were_cut_are_counted() -> None:
    found = item_texts(catalogue(description=["", " \x00 ", "abcdef", "ab"]), ["description"], 17)
    assert found.ids == ("i2", "i3")
    assert found.texts == ("description: abcd", "description: ab")
    assert [(n.code, n.count, n.message) for n in found.notices] == [
        ("items_without_text", 2, "2 items have no text there; they get no vector"),
        ("texts_cut", 1, "1 of 2 texts were cut to 17 characters"),
    ]


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=30), st.integers(1, 40))  # a table holds no other text
def test_no_text_is_too_long_or_holds_what_cannot_be_sent(text: str, longest: int) -> None:
    found = item_texts(catalogue(description=[text], title=["x"]), ["title", "description"], longest)
    for sent in found.texts:
        assert len(sent) <= longest
        assert sent.encode().decode() == sent
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in sent.replace("\n", ""))


def test_columns_that_are_not_there_are_refused_with_those_there_are() -> None:
    with pytest.raises(DataError, match="which has item_id, title, category; got story, plot; choose among those"):
        item_texts(catalogue(title=["a"]), ["title", "story", "plot"], 100)
    with pytest.raises(DataError, match="got none; choose among"):
        item_texts(catalogue(title=["a"]), [], 100)
    with pytest.raises(DataError, match="expected texts in category, all 2 items have none; choose others"):
        item_texts(catalogue(title=["a", "b"]), ["category"], 100)


def test_a_server_makes_a_file_that_the_external_base_reads(
    embedding_server: EmbeddingServer,  # noqa: F811
    tmp_path: Path,
) -> None:
    client = LlmClient(embedding_server.url, retry=NEVER)
    texts = texts_of("a", "b", "a", "c")
    events: list[Any] = []
    done = write_text_vectors(
        tmp_path / "v.npz", texts, lambda batch: client.embed(batch, "m"), "m at here", 2, events.append
    )
    assert done == (4, 3)
    assert [asked["input"] for asked in embedding_server.asked] == [["a", "b"], ["c"]], "equal texts are sent once"
    assert [(e.stage, e.step, e.total, e.message) for e in events] == [
        ("vectors", 2, 3, "2 of 3 texts"),
        ("vectors", 3, 3, "3 of 3 texts"),
    ]
    found = read_vectors(str(tmp_path / "v.npz"), Vocabulary(["i3", "i2", "i1", "i0"], "item"))
    assert found.values.tolist() == [vector(text) for text in ("c", "a", "b", "a")]
    assert [path.name for path in tmp_path.iterdir()] == ["v.npz"]


class Stops:
    """Embeds as told, and fails at a given call."""

    def __init__(self, at: int = -1, width: int = 4) -> None:
        self.at, self.width, self.calls = at, width, []

    def __call__(self, batch: list[str]) -> np.ndarray:
        if len(self.calls) == self.at:
            raise KeyboardInterrupt
        self.calls.append(batch)
        return np.array([vector(text)[: self.width] for text in batch], dtype=np.float32)


@pytest.mark.parametrize("torn", [0, 1, 30])
def test_an_interrupted_call_goes_on_where_it_was(torn: int, tmp_path: Path) -> None:
    texts, out = texts_of(*"abcdefg"), tmp_path / "v.npz"
    out.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_text_vectors(out, texts, Stops(at=2), "m", 2)
    assert out.read_text() == "old"
    partial = tmp_path / "v.npz.partial"
    if torn:  # the second batch was being written when the power went
        partial.write_bytes(partial.read_bytes()[:-torn])
    again = Stops()
    width, embedded = write_text_vectors(out, texts, again, "m", 3)
    assert again.calls == ([["c", "d", "e"], ["f", "g"]] if torn else [["e", "f", "g"]])
    assert (width, embedded) == (4, sum(map(len, again.calls)))
    with np.load(out) as file:
        assert file["vectors"].tolist() == [vector(text) for text in "abcdefg"]
        assert file["ids"].tolist() == [f"i{n}" for n in range(7)]
    assert [path.name for path in tmp_path.iterdir()] == ["v.npz"]


def test_finished_batches_of_another_model_are_neither_taken_nor_lost(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_text_vectors(tmp_path / "v.npz", texts_of("a", "b"), Stops(at=1), "m1", 1)
    before = (tmp_path / "v.npz.partial").read_bytes()
    with pytest.raises(InputError, match=r"finished batches of m2 in .*v\.npz\.partial, they are of m1; go on with"):
        write_text_vectors(tmp_path / "v.npz", texts_of("a", "b"), Stops(), "m2", 1)
    assert (tmp_path / "v.npz.partial").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not ours\n", "they are of something else"),
        (b'["m"]\n', "they are of something else"),
        (b'{"source": "m"}\nno json\n', "it is damaged; delete it"),
        (b'{"source": "m"}\n{"keys": ["x"], "vectors": "AAA"}\n', "it is damaged; delete it"),
        (b'{"source": "m"}\n{"keys": ["x"]}\n', "it is damaged; delete it"),
    ],
)
def test_a_damaged_file_of_finished_batches_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "v.npz.partial").write_bytes(content)
    with pytest.raises(InputError, match=said):
        write_text_vectors(tmp_path / "v.npz", texts_of("a"), Stops(), "m", 1)


def test_a_model_that_changes_its_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_text_vectors(tmp_path / "v.npz", texts_of("a", "b"), Stops(at=1), "m", 1)
    with pytest.raises(ServiceError, match=r"vectors of 4 numbers as before from m, got 3; has the model .*Delete "):
        write_text_vectors(tmp_path / "v.npz", texts_of("a", "b"), Stops(width=3), "m", 1)


def test_another_number_of_vectors_than_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"expected 2 vectors from m, got shape \(1, 3\)"):
        write_text_vectors(tmp_path / "v.npz", texts_of("a", "b"), lambda batch: np.zeros((1, 3), np.float32), "m", 2)


@pytest.mark.parametrize(
    ("name", "said"), [("v.npy", r"ends in \.npz"), ("no/v.npz", "existing folder"), ("f.npz", "is a folder")]
)
def test_a_wrong_place_is_refused_before_the_work(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "f.npz").mkdir()
    embed = Stops()
    with pytest.raises(InputError, match=said):
        write_text_vectors(tmp_path / name, texts_of("a"), embed, "m", 1)
    assert embed.calls == []


def test_a_local_model_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(
        ConfigError, match=r"sentence-transformers for a model on this .* pip install 'guidedrec\[local\]'"
    ):
        local_model("any")


def test_a_local_model_embeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The package is large and its models come over the network, so a stand-in with its interface is used."""

    def load(name: str) -> Any:
        if name == "no-such":
            raise OSError("no-such is not a local folder\nand more")
        return SimpleNamespace(encode=encode)

    def encode(texts: list[str], show_progress_bar: bool, convert_to_numpy: bool) -> np.ndarray:
        assert convert_to_numpy
        assert not show_progress_bar
        return np.array([vector(text) for text in texts], dtype=np.float64)

    package = ModuleType("sentence_transformers")
    package.SentenceTransformer = load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", package)
    found = local_model("small")(["a", "b"])
    assert found.dtype == np.float32
    assert found.tolist() == [vector("a"), vector("b")]
    with pytest.raises(ConfigError, match=r"'no-such' cannot be loaded \(no-such is not a local folder\)$"):
        local_model("no-such")
