"""The view of an item agrees with catalogue, scores, spaces and stored lists."""

import numpy as np
import pandas as pd
import pytest
from tiny import HOSTILE_TITLE

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.items.view import build_item, near_reason
from guidedrec_core.projection.spaces import ItemSpace
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

SCHEMA = AttributeSchema(attributes=[Attribute(name=n, low="little", high="much") for n in ("warmth", "comfort")])


@pytest.fixture(scope="module")
def system(tiny_build: Build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


@pytest.fixture(scope="module")
def lists(tiny_build: Build) -> pd.DataFrame:
    return tiny_build.evaluation.read_table("recommendations")


def test_listing_and_popularity(system: RefinedRecommender, lists: pd.DataFrame) -> None:
    item = build_item(system, "item-00", lists)
    counts = system.data.item_interactions
    place = system.data.dataset.items.index("item-00")
    assert item.title == " ".join(HOSTILE_TITLE.split())
    assert item.interactions == counts[place]
    assert item.popularity_rank == 1 + int((counts > counts[place]).sum())
    assert item.description == "What thing 0 is for."
    assert 5 <= item.price <= 90


def test_missing_score_is_marked_and_average(system: RefinedRecommender) -> None:
    table = build_item(system, "item-01").attributes.set_index("attribute")
    assert table.loc["warmth", "missing"]
    assert np.isnan(table.loc["warmth", "score"])
    assert table.loc["warmth", "z"] == 0
    assert table.loc["warmth", "words"] == "Warmth: not scored, treated as average"
    assert not table.loc["ruggedness", "missing"]


def test_z_is_the_distance_from_the_catalogue(system: RefinedRecommender) -> None:
    raw = system.item_scores.values.astype(float)
    place = system.data.dataset.items.index("item-05")
    expected = (raw[place, 1] - np.nanmean(raw[:, 1])) / np.nanstd(raw[:, 1])
    assert build_item(system, "item-05").attributes["z"][1] == pytest.approx(expected)


def test_neighbours_are_the_nearest_and_their_parts_sum_to_the_similarity(system: RefinedRecommender) -> None:
    item = build_item(system, "item-05", k=4)
    place = system.data.dataset.items.index("item-05")
    base = ItemSpace.base(system.base.item_embedding())
    likeness = np.delete(base.vectors @ base.vectors[place], place)
    assert item.base_near["similarity"].tolist() == pytest.approx(sorted(likeness, reverse=True)[:4], abs=1e-6)
    assert "item-05" not in {*item.base_near["item_id"], *item.refined_near["item_id"]}
    parts = item.refined_near[[*system.schema.names, "rest"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(item.refined_near["similarity"].to_numpy(), abs=1e-5)
    both = set(item.base_near["item_id"]) & set(item.refined_near["item_id"])
    assert set(item.refined_near["item_id"][item.refined_near["also"]]) == both
    assert f"{len(both)} of the 4 most similar items" in item.near_sentence


def test_audience_counts_users_of_each_list(system: RefinedRecommender, lists: pd.DataFrame) -> None:
    wanted = str(lists["item_id"].iloc[0])
    item = build_item(system, wanted, lists)
    for model in ("base", "refined"):
        mine = lists[(lists["item_id"] == wanted) & (lists["model"] == model)].set_index("user_id")["rank"]
        found = item.audience.set_index("user_id")[f"{model}_rank"].dropna()
        assert found.astype(int).to_dict() == mine.to_dict()
    assert item.n_users == lists["user_id"].nunique()
    assert f" of {item.n_users:,} users (top " in item.audience_sentence


def test_without_stored_lists_it_says_so(system: RefinedRecommender) -> None:
    item = build_item(system, "item-05")
    assert item.audience is None
    assert "evaluation" in item.audience_sentence


def test_unknown_item(system: RefinedRecommender) -> None:
    with pytest.raises(UnknownIdError, match="nothing-like-this"):
        build_item(system, "nothing-like-this")


@pytest.mark.parametrize(
    ("shares", "own", "said"),
    [
        ([0.3, 0.1, 0.1], [1.0, -1.0], "both high on warmth, both low on comfort and bought in similar histories"),
        ([0.1, 0.0, 0.4], [-1.0, 1.0], "bought in similar histories and both low on warmth"),
        ([-0.1, 0.0, 0.4], [1.0, 1.0], "bought in similar histories"),
        ([0.4, 0.0, -0.1], [1.0, 1.0], "both high on warmth"),
    ],
)
def test_reasons_name_the_shared_end(shares: list[float], own: list[float], said: str) -> None:
    values, together = np.array(own, np.float32), "bought in similar histories"
    assert near_reason(np.array(shares, np.float32), values, SCHEMA, together) == said


def test_the_most_popular_item_is_said_to_be_that(system: RefinedRecommender) -> None:
    counts = system.data.item_interactions
    said = {
        place: build_item(system, system.data.dataset.items.id(int(place))).sentence
        for place in (counts.argmax(), counts.argmin())
    }
    assert "more than any other item" in said[counts.argmax()]
    assert "more than 0 % of the catalogue" in said[counts.argmin()]
