"""Planted truth: told by content, recomputed from the design, and measured as by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from guidedrec_core import columns as c
from guidedrec_core.audit.planted import (
    MIXED_UP,
    PLACEBO,
    PLAIN_MEAN,
    PREFERENCE,
    REASONS,
    REFINED,
    SLOPES,
    TASTE,
    planted_truth,
    truth_of,
)
from guidedrec_core.config import SplitConfig
from guidedrec_core.data.bundled import bundled_dataset
from guidedrec_core.data.dataset import Dataset, SplitDataset
from guidedrec_core.data.interactions import Interactions
from guidedrec_core.refinement.refined import Parts

NAMES = ("warmth", "style_focus", "packability", "ruggedness")
USERS = np.arange(0, 3000, 60)


@pytest.fixture(scope="module")
def shop() -> Dataset:
    return bundled_dataset("fernway")


@pytest.fixture(scope="module")
def data(shop: Dataset) -> SplitDataset:
    return SplitDataset.of(shop, SplitConfig())


class Known:
    """A model whose user values, slopes and item values are given."""

    def __init__(self, values: np.ndarray, slopes: np.ndarray, guided: np.ndarray) -> None:
        self.values, self.slopes, self.guided = values, slopes, guided

    def parts(self, users: np.ndarray, histories: list[np.ndarray], items: np.ndarray) -> Parts:
        nothing = np.zeros((len(users), len(items)), np.float32)
        return Parts(nothing, self.values[users], self.slopes[users], nothing, nothing[0])

    def item_values(self) -> np.ndarray:
        return self.guided


def measured(data: SplitDataset, model: Any, placebo: Any = None) -> pd.DataFrame:
    truth, _ = truth_of(data.dataset, NAMES)
    assert truth is not None
    rng = np.random.default_rng(0)
    table = planted_truth(model, placebo, data, USERS, truth.design + 5, truth, 200, rng)
    return table.set_index(["question", "explanation"])


def test_weights_times_design_is_the_preference_of_every_purchase(shop: Dataset) -> None:
    every = tuple(pd.read_csv("sample_data/fernway/llm_item_scores.csv", nrows=1).columns[1:])
    truth, reason = truth_of(shop, every)
    assert truth is not None
    assert reason == ""
    users, items = (
        ids.indexes(shop.interactions.frame[key]) for ids, key in ((shop.users, c.USER), (shop.items, c.ITEM))
    )
    again = (truth.weights[users] * truth.design[items]).sum(axis=1)
    np.testing.assert_allclose(again, truth.preference, atol=1e-3)


def test_the_shop_is_told_by_its_content_and_not_by_its_name(shop: Dataset) -> None:
    assert truth_of(replace(shop, name="mine"), NAMES)[0] is not None
    frame = shop.interactions.frame.copy()
    frame.loc[0, c.ITEM] = frame.loc[1, c.ITEM]
    truth, reason = truth_of(replace(shop, interactions=Interactions(frame)), NAMES)
    assert truth is None
    assert "other interactions" in reason
    truth, reason = truth_of(shop, ("warmth", "sparkle"))
    assert truth is None
    assert reason.endswith("it has no sparkle")


def test_the_truth_itself_agrees_fully_and_mixed_up_labels_do_not(data: SplitDataset) -> None:
    truth, _ = truth_of(data.dataset, NAMES)
    assert truth is not None
    table = measured(data, Known(truth.weights, 0.3 * truth.weights, truth.design), Known(*_noise(truth)))
    for question in (TASTE, SLOPES, REASONS):
        assert table.loc[(question, REFINED), "value"] == pytest.approx(1.0)
    # The preference part covers all twelve attributes, these contributions four of them.
    assert table.loc[(PREFERENCE, REFINED), "value"] > 0.4
    for control in (MIXED_UP, PLACEBO):
        for question in (TASTE, SLOPES, REASONS, PREFERENCE):
            row = table.loc[(question, control)]
            assert abs(row["value"]) < 0.25
            assert row["behind_low"] > 0
            refined = table.loc[(question, REFINED), "value"]
            assert row["behind"] == pytest.approx(refined - row["value"])
    assert 0.2 < table.loc[(TASTE, PLAIN_MEAN), "value"] < 1


def test_each_question_is_a_rank_correlation_a_user(data: SplitDataset) -> None:
    truth, _ = truth_of(data.dataset, NAMES)
    assert truth is not None
    rng = np.random.default_rng(3)
    values, slopes = (truth.weights + rng.normal(size=truth.weights.shape) for _ in range(2))
    guided = truth.design + rng.normal(size=truth.design.shape)
    table = measured(data, Known(values, slopes, guided))
    taste = [stats.spearmanr(values[u], truth.weights[u])[0] for u in USERS]
    held_out = [data.held_out(u) for u in USERS]
    reasons = [
        stats.spearmanr(slopes[u] * guided[i[0]], truth.weights[u] * truth.design[i[0]])[0]
        for u, i in zip(USERS, held_out, strict=True)
        if len(i)
    ]
    bought = [data.sequences.history(u) for u in USERS]
    starts = data.sequences.starts
    preference = [
        stats.spearmanr(guided[i] @ slopes[u], truth.preference[starts[u] : starts[u + 1]])[0]
        for u, i in zip(USERS, bought, strict=True)
    ]
    for question, expected in ((TASTE, taste), (REASONS, reasons), (PREFERENCE, preference)):
        row = table.loc[(question, REFINED)]
        assert row["value"] == pytest.approx(np.mean(expected))
        assert row["users"] == len(expected)
        assert row["low"] < row["value"] < row["high"]
    assert set(table.index.get_level_values("explanation")) == {REFINED, MIXED_UP, PLAIN_MEAN}


def _noise(truth: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    return rng.normal(size=truth.weights.shape), rng.normal(size=truth.weights.shape), truth.design
