"""Baselines at their best: the grid is tried in full on the validation part, and nothing is left out in silence."""

from typing import Any

import numpy as np
import pytest

from guidedrec_core.config import BaselineConfig, EASEConfig, ItemKNNConfig, SplitConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.evaluation import baselines
from guidedrec_core.evaluation.baselines import best_on_validation, fit_baselines
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.models.ease import EASEModel
from guidedrec_core.models.itemknn import ItemKNNModel
from guidedrec_core.models.popularity import PopularityModel
from guidedrec_core.runs.datasets import load_dataset, load_split_dataset
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build


@pytest.fixture
def data(tiny_build: Build) -> SplitDataset:
    """The tiny shop, cut."""
    return load_split_dataset(RunStore(tiny_build.data.path.parents[1]), tiny_build.base)


def test_the_best_is_taken_and_the_first_of_equals() -> None:
    assert best_on_validation(iter(["pear", "fig", "plum", "kiwi"]), lambda name: float(len(name))) == "pear"
    assert best_on_validation(iter(["fig", "apple", "plum"]), lambda name: float(len(name))) == "apple"


def test_every_setting_of_the_grid_is_tried_and_the_best_kept(data: SplitDataset) -> None:
    grid = BaselineConfig(
        neighbours=(5, 9),
        decay=(1.0, 0.5),
        recency_neighbours=(7,),
        closeness=(0.9,),
        backward=(1.0, 0.3),
        penalty=(2, 8),
    )
    tried = []

    def validate(model: ItemScorer) -> float:
        """Prefer the last of each kind."""
        tried.append(model.config.model_dump())
        return float(len(tried))

    found = fit_baselines(data, grid, validate)
    assert len(tried) == 2 + 4 + 4
    assert found.settings == {
        "item_knn": {"neighbours": 9, "decay": 1.0, "closeness": 1.0, "backward": 1.0},
        "item_knn_recency": {"neighbours": 7, "decay": 0.5, "closeness": 0.9, "backward": 0.3},
        "ease": {"penalty": 8.0, "decay": 0.5},
    }
    assert list(found.models) == ["popularity", "item_knn", "item_knn_recency", "ease"]
    assert not found.notices


def test_an_only_candidate_is_not_looked_at() -> None:
    assert best_on_validation(iter(["fig"]), lambda _: pytest.fail("asked")) == "fig"


def test_with_a_temporal_split_popularity_may_be_that_of_late(tiny_build: Build) -> None:
    split = SplitConfig(kind="temporal", valid_fraction=0.2, test_fraction=0.2)
    data = SplitDataset.of(load_dataset(tiny_build.data), split)
    asked: list[float | None] = []

    def validate(model: ItemScorer) -> float:
        if isinstance(model, PopularityModel):
            asked.append(model.half_life)
            return float(model.half_life == 0.5)
        return 0.0

    found = fit_baselines(data, BaselineConfig(half_lives=(0.5, 2.0)), validate)
    assert asked == [None, 0.5, 2.0]
    assert found.settings["popularity"] == {"half_life": 0.5}
    popular = found.models["popularity"]
    assert isinstance(popular, PopularityModel)
    # What was chosen is fitted anew with the validation part, which comes before all of the test part.
    np.testing.assert_array_equal(popular.counts, data.refreshed.decayed_interactions(0.5))
    newest = data.refreshed
    for name, model, config in (
        ("item_knn", ItemKNNModel, ItemKNNConfig),
        ("item_knn_recency", ItemKNNModel, ItemKNNConfig),
        ("ease", EASEModel, EASEConfig),
    ):
        own: Any = model(*newest.train_pairs, 60, 40, config.parse(found.settings[name]))
        older: Any = model(*data.train_pairs, 60, 40, config.parse(found.settings[name]))
        someone = np.array([0]), [np.array([3, 5])]
        np.testing.assert_allclose(found.models[name].scores(*someone), own.scores(*someone), atol=1e-6)
        assert not np.allclose(own.scores(*someone), older.scores(*someone))


def test_a_catalogue_too_large_for_ease_is_a_notice(data: SplitDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "LARGEST_CATALOGUE", 39)
    found = fit_baselines(data, BaselineConfig(), lambda _: 0.0)
    assert "ease" not in found.models
    assert [notice.code for notice in found.notices] == ["ease_left_out"]
    assert "at most 39 items, and there are 40" in found.notices[0].message
