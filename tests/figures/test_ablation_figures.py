"""Figures of ablations: sorted by what they tell, with intervals, unclear ones grey."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.evaluation.ablation import Choice, ablation_table
from guidedrec_core.figures.ablation import ablation_bars, number_curve, sparsity_forest, weight_bars
from guidedrec_core.figures.theme import LIGHT

LABELS = {"dark": "Darkness", "long": "<b>Long</b>"}


@pytest.fixture
def ablation() -> pd.DataFrame:
    """All attributes are best; without `dark` much is lost, without `long` nothing."""
    ranks = {
        Choice("all", "", (0, 1)): [1, 2] * 20,
        Choice("none", "", ()): [4, 8] * 20,
        Choice("drop", "long", (0,)): [1, 2] * 20,
        Choice("drop", "dark", (1,)): [4, 8] * 20,
        Choice("keep", "dark", (0,)): [1, 2] * 20,
        Choice("keep", "long", (1,)): [4, 8] * 20,
        Choice("first", "dark", (0,)): [1, 2] * 20,
    }
    arrays = {choice: np.array(r) for choice, r in ranks.items()}
    return ablation_table(arrays, np.arange(40), 100, np.random.default_rng(0))


def test_weights_are_sorted_and_their_sign_has_a_colour() -> None:
    bars = weight_bars(pd.DataFrame({"attribute": ["long", "dark"], "weight": [-0.2, 0.5]}), LABELS, LIGHT).data[0]
    assert list(bars.y) == ["Darkness", "&lt;b&gt;Long&lt;/b&gt;"]
    assert list(bars.marker.color) == [LIGHT.positive, LIGHT.negative]


def test_the_largest_loss_comes_first_and_unclear_ones_are_grey(ablation: pd.DataFrame) -> None:
    bars = ablation_bars(ablation, "drop", "MRR", LABELS, LIGHT).data[0]
    assert bars.y[0] == "Darkness"
    assert bars.x[0] == pytest.approx(0.1875 - 0.75)
    assert list(bars.marker.color) == [LIGHT.negative, LIGHT.remainder]
    assert bars.x[0] + bars.error_x.array[0] < 0


def test_what_an_attribute_brings_alone_is_measured_against_none(ablation: pd.DataFrame) -> None:
    bars = ablation_bars(ablation, "keep", "MRR", LABELS, LIGHT).data[0]
    assert (bars.y[0], list(bars.marker.color)) == ("Darkness", [LIGHT.positive, LIGHT.remainder])


def test_the_curve_goes_from_none_to_all(ablation: pd.DataFrame) -> None:
    line = number_curve(ablation, "MRR", LABELS, LIGHT).data[0]
    assert list(line.x) == [0, 1, 2]
    assert list(line.y) == pytest.approx([0.1875, 0.75, 0.75])
    assert list(line.customdata) == ["no attributes", "last one added: Darkness", "all attributes"]


def test_each_share_of_the_histories_has_its_gains() -> None:
    rows = [
        ("refined", against, "MRR", gain * share, gain * share - 0.1, gain * share + 0.1, share, int(100 * share))
        for share in (1.0, 0.25)
        for against, gain in (("base", 0.4), ("second_training", 0.3), ("placebo", 0.2))
    ]
    names = ["model", "against", "metric", "absolute", "ci_low", "ci_high", "share", "interactions"]
    figure = sparsity_forest(pd.DataFrame(rows, columns=names), "MRR", LIGHT, BOUGHT)
    assert list(figure.layout.yaxis.ticktext) == ["latest 100 %<br>100 purchases", "latest 25 %<br>25 purchases"]
    assert list(figure.data[2].x) == pytest.approx([0.2, 0.05])
