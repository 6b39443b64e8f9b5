"""The pictures of what would change a rank, what changed it, and what lost it, show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest
from tiny import HOSTILE_TITLE

from guidedrec_core.figures import counterfactuals as figures
from guidedrec_core.figures.theme import DARK, LIGHT, Palette, safe


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_ranks_under_pulls_are_lines_of_their_own(colours: Palette) -> None:
    steps = [-1.0, 0.0, 1.0]
    tables = [
        pd.DataFrame({"attribute": n, "label": label, "steps": steps, "rank": ranks})
        for n, label, ranks in (("a", HOSTILE_TITLE, [40, 5, 1]), ("b", "B", [1, 5, 300]))
    ]
    figure = figures.pull_curves(pd.concat(tables), 10, colours)
    assert [list(line.y) for line in figure.data] == [[40, 5, 1], [1, 5, 300]]
    assert len({line.line.dash for line in figure.data}) == 2  # told apart without colour
    assert figure.layout.shapes[0].y0 == 10.5
    low, high = figure.layout.yaxis.range
    assert low > np.log10(300) > high  # the best rank is on top
    assert HOSTILE_TITLE not in figure.to_json()


def test_the_steps_lead_from_rank_to_rank() -> None:
    gains = [20.0, -6.0, *([1.0] * 10)]
    parts = pd.DataFrame({"label": [f"P{i}" for i in range(12)], "gained": gains, "error": 0.5})
    figure = figures.rank_steps(parts, 30, 6, LIGHT)
    bars, ends = figure.data
    starts, sizes = np.array(bars.base, dtype=float), np.array(bars.x, dtype=float)
    np.testing.assert_allclose(starts, [30, *(starts + sizes)[:-1]])
    assert starts[-1] + sizes[-1] == pytest.approx(6)
    assert list(ends.x) == [30, 6]
    assert figure.layout.yaxis.ticktext[-2] == "3 smaller parts"
    assert list(bars.marker.color[:2]) == [LIGHT.negative, LIGHT.positive]
    assert [a.text for a in figure.layout.annotations][:3] == ["30", "-6.0", "+20.0"]
    assert (starts + sizes).min() >= 6  # no rank on the way is better than the last


def test_differences_are_bars_largest_loss_first() -> None:
    parts = pd.DataFrame({"label": [HOSTILE_TITLE, "B", "C"], "value": [-0.7, 0.01, 0.3]})
    figure = figures.contrast_bars(parts, LIGHT, most=2)
    assert list(figure.data[0].x) == [-0.7, 0.3]
    assert list(figure.data[0].text) == ["-0.70", "+0.30"]
    assert list(figure.data[0].customdata) == [safe(HOSTILE_TITLE), "C"]
    assert figure.layout.xaxis.range == (-0.7 * 1.25, 0.7 * 1.25)
