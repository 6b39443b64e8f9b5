"""New listings are scored as the catalogue was, by a language model or a text model, and nothing is invented."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from chat_server import Answer, ChatServer, chat_server, failing, said, scorer, texts_in  # noqa: F401

from guidedrec_core import stages
from guidedrec_core.config import RefinementConfig, ScoringConfig
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import DataError, ServiceError
from guidedrec_core.items.new_item import preview
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages.scoring.new_listings import (
    MOST_LISTINGS,
    listings_file,
    listings_table,
    score_listings,
    score_listings_offline,
)

PARKA = {"title": "Parka", "category": "coats", "price": "89", "description": "For deep cold."}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> RefinedRecommender:
    """The tiny shop, refined by a head."""
    folder = tmp_path_factory.mktemp("shop")
    files = tiny.write_shop(folder)
    store = RunStore(folder / "home")
    dataset = import_dataset("csv", files.interactions, "tiny", items_path=files.catalogue)
    data = stages.store_dataset(store, dataset)
    scores = stages.score_attributes(store, data, files.scores)
    config = tiny.CONFIG.model_copy(update={"refinement": RefinementConfig(mode="head")})
    run = stages.refine(store, stages.train_base(store, data, config), scores, config)
    return open_refined(store, run.id)


@pytest.fixture
def store(own_home: Path) -> RunStore:
    return RunStore(own_home)


@pytest.fixture
def config(chat_server: ChatServer) -> ScoringConfig:  # noqa: F811
    chat_server.model = scorer
    return ScoringConfig(model="toy", base_url=chat_server.url)


def table(*rows: dict[str, Any]) -> Any:
    return listings_table(pd.DataFrame(rows))[0]


def test_a_listing_is_scored_as_the_catalogue_and_previewed(
    store: RunStore,
    system: RefinedRecommender,
    config: ScoringConfig,
    chat_server: ChatServer,  # noqa: F811
) -> None:
    scored = score_listings(store, system, table(PARKA), config)
    assert [one.title for one in scored.listings] == ["Parka"]
    assert texts_in(chat_server.asked[0]) == ["title: Parka\ncategory: coats\nprice: 89.0\ndescription: For deep cold."]
    assert (scored.scored_by, scored.requests) == ("toy", 1)
    assert scored.caveats == (
        "Scored by toy; the catalogue's scores were read from files, and may be another judge's.",
    )
    one = scored.listings[0]
    assert one.scores is not None
    assert set(one.scores) == set(tiny.ATTRIBUTES)
    found = preview(system, one.scores, one.title, caveats=scored.caveats)
    assert found.caveats[0] == scored.caveats[0]
    assert found.sentence.startswith("Parka would be in the top 10 for")
    again = score_listings(store, system, table(PARKA), config)
    assert (again.requests, again.listings) == (0, scored.listings)


def test_what_fails_says_why_and_has_no_scores(
    store: RunStore,
    system: RefinedRecommender,
    config: ScoringConfig,
    chat_server: ChatServer,  # noqa: F811
) -> None:
    def shy(request: dict[str, Any]) -> Answer:
        rows = [
            {"number": number, "scores": dict.fromkeys(tiny.ATTRIBUTES, 99 if "Tent" in text else 7)}
            for number, text in enumerate(texts_in(request), start=1)
        ]
        return Answer(said(json.dumps({"items": rows})))

    chat_server.model = shy
    scored = score_listings(store, system, table({"title": "Tent"}, {"title": "Parka"}, {"title": "\u200b"}), config)
    tent, parka, invisible = scored.listings
    assert tent.scores is None
    assert "99" in tent.fault
    assert (parka.scores, parka.fault) == (dict.fromkeys(tiny.ATTRIBUTES, 7.0), "")
    assert (invisible.scores, invisible.fault) == (None, "there is nothing to read in it")
    assert "Scored without category, price and description, which other items have." in scored.caveats
    chat_server.model = lambda request: failing(503)
    with pytest.raises(ServiceError):
        score_listings(store, system, table({"title": "Other"}), config)


def test_a_table_needs_titles_and_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("title,price\nParka,cheap\nTent,12\n")
    found, notices = listings_file(path)
    assert found.frame["title"].tolist() == ["Parka", "Tent"]
    assert found.frame["category"].tolist() == ["", ""]
    assert [notice.code for notice in notices] == ["unreadable_prices"]
    for rows, why in (
        (["name,price", "Parka,1"], "found: name, price"),
        (["title,price"], "got 0"),
        (["title,price", *["Parka,1"] * (MOST_LISTINGS + 1)], "got 51"),
        (["title,price", "Parka,1", ",2"], "got none in row 2"),
    ):
        path.write_text("\n".join(rows))
        with pytest.raises(DataError, match=why):
            listings_file(path)


def embed(texts: list[str]) -> np.ndarray:
    """A text model that sees how many of some letters there are."""
    return np.array([[text.count(letter) + 0.1 for letter in "abcdeghilmnorstuw0123456789"] for text in texts], "f4")


def test_a_text_model_is_trusted_as_far_as_it_agrees_with_the_catalogue(system: RefinedRecommender) -> None:
    scored = score_listings_offline(system, table(PARKA, {"title": "\u200b"}), embed, "letters")
    values = system.item_scores.values
    one = scored.listings[0].scores
    assert one is not None
    # Letters tell next to nothing of these random scores, so next to nothing may be said.
    for place, name in enumerate(system.schema.names):
        assert abs(one[name] - np.nanmean(values[:, place])) < 2.5
    assert scored.listings[1].scores is None
    assert "the text model letters, a weaker instrument" in scored.caveats[0]
    assert scored.requests == 0


def test_a_text_model_that_agrees_with_the_catalogue_is_believed(
    system: RefinedRecommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Perfect:
        def score(self, vectors: np.ndarray) -> np.ndarray:
            return np.full((len(vectors), 3), 4.0, "f4")

    given = np.nan_to_num(system.item_scores.values, nan=5.0)
    monkeypatch.setattr(
        "guidedrec_core.stages.scoring.new_listings.offline_scores", lambda *_, **__: (given / 2, Perfect())
    )
    scored = score_listings_offline(system, table(PARKA), embed, "letters")
    assert scored.listings[0].scores == pytest.approx(dict.fromkeys(tiny.ATTRIBUTES, 8.0))
    assert "correlate 1.00" in scored.caveats[0]
