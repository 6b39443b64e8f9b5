"""Figures of a new item's preview show what it gains and where it stands."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.figures.preview import gain_bars, place_curve
from guidedrec_core.figures.theme import LIGHT

GAINS = pd.DataFrame(
    {
        "part": ["warmth", "comfort", "weight", "newness"],
        "label": ["<b>Warmth</b>", "Comfort", "Weight", "Newness"],
        "everyone": [0.2, -0.3, 0.01, -0.5],
        "reached": [0.6, 0.1, 0.0, -0.4],
    }
)


def test_gains_of_the_strongest_attributes_stand_in_order_without_being_new() -> None:
    figure = gain_bars(GAINS, LIGHT, BOUGHT, most=2)
    bars, reached = figure.data
    assert list(bars.x) == [-0.3, 0.2]  # drawn from below
    assert list(bars.marker.color) == [LIGHT.negative, LIGHT.positive]
    assert list(reached.x) == [0.1, 0.6]
    assert list(figure.layout.yaxis.ticktext) == ["Comfort", "&lt;b&gt;Warmth&lt;/b&gt;"]
    assert len(gain_bars(GAINS.assign(reached=np.nan), LIGHT, BOUGHT).data) == 1


def test_the_curve_tells_the_share_of_users_at_each_place() -> None:
    ranks = np.array([1, 10, 11, 101])
    curve = place_curve(ranks, 10, 100, LIGHT, BOUGHT).data[0]
    shares = dict(zip(curve.x, curve.y, strict=True))
    assert shares[1] == pytest.approx(0.25)
    assert shares[10] == pytest.approx(0.5)
    assert shares[101] == 1.0
