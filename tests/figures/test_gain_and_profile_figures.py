"""The gain as one bar, and who a group is: every part at its place, text of the data as text."""

import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.evaluation.gain_parts import GainParts
from guidedrec_core.figures.audience.profile import category_bars, taste_dots
from guidedrec_core.figures.evaluation import gain_bar
from guidedrec_core.figures.theme import DARK, LIGHT


def parts(control: float, meaning: float) -> GainParts:
    rows = [("control", control, control - 5, control + 5), ("meaning", meaning, meaning - 8, meaning + 8)]
    table = pd.DataFrame(rows, columns=["part", "per_1000", "low", "high"])
    return GainParts("Recall@10", "placebo", 273.0, 273.0 + control + meaning, table)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize(("control", "meaning"), [(12, 13), (-5, 30), (7, -20), (-3, -4)])
def test_parts_go_on_where_the_one_before_ends(control: float, meaning: float, colours) -> None:
    figure = gain_bar(parts(control, meaning), colours)
    first, second = (trace for trace in figure.data if trace.type == "bar")
    assert (first.base[0], first.x[0]) == (273, control)
    assert (second.base[0], second.x[0]) == (273 + control, meaning)
    assert (first.y == second.y) == (control * meaning > 0)  # opposed parts lie above each other
    own = colours.refined if meaning > 0 else colours.negative
    assert (first.marker.color, second.marker.color) == (colours.placebo, own)
    (whisker,) = (trace for trace in figure.data if trace.type == "scatter")
    assert (whisker.error_x.array[0], whisker.error_x.arrayminus[0]) == (8, 8)
    low, high = figure.layout.xaxis.range
    assert low < min(273, 273 + control + meaning - 8)
    assert high > max(273, 273 + control + meaning + 8)
    assert {each.text for each in figure.layout.annotations} == {"base 273", f"refined {273 + control + meaning}"}


def test_a_gain_without_a_control_is_one_part() -> None:
    table = pd.DataFrame([("gain", 25.0, 10.0, 40.0)], columns=["part", "per_1000", "low", "high"])
    figure = gain_bar(GainParts("Recall@10", None, 273.0, 298.0, table), LIGHT)
    assert [trace.name for trace in figure.data if trace.type == "bar"] == ["gain: +25"]


def test_taste_and_categories_are_drawn_as_text() -> None:
    taste = pd.DataFrame(
        {"label": ["Warm <b>", "Style"], "value": [1.2, -0.7], "low": [1.0, -0.9], "high": [1.4, -0.5]}
    )
    (dots,) = taste_dots(taste, LIGHT).data
    assert list(dots.y) == ["Warm &lt;b&gt;", "Style"]
    assert list(dots.marker.symbol) == ["circle", "diamond"]
    assert dots.error_x.arrayminus[0] == pytest.approx(0.2)
    shares = {"past": [0.1], "base": [0.2], "refined": [0.3], "everyone": [0.25]}
    figure = category_bars(pd.DataFrame({"category": ["a <i>"], **shares}), DARK, BOUGHT)
    assert [trace.name for trace in figure.data] == [
        "base lists", "refined lists", "past purchases", "everyone's refined lists",
    ]  # fmt: skip
    assert figure.data[1].customdata[0] == "30.0 %"
    assert figure.data[0].y[0] == "a &lt;i&gt;"
