"""Figures of what has no name: one row an item, in the order given, with titles as text."""

import pandas as pd

from guidedrec_core.figures.names import direction_ends
from guidedrec_core.figures.theme import DARK, LIGHT


def test_both_ends_are_told_apart_by_colour_and_titles_are_no_markup() -> None:
    ends = pd.DataFrame({"title": ["<b>Tent</b>", "Stove", "x" * 90], "loading": [2.0, 0.5, -1.5]})
    for colours in (LIGHT, DARK):
        figure = direction_ends(ends, colours)
        bars = figure.data[0]
        assert list(bars.x) == [2.0, 0.5, -1.5]
        assert list(bars.marker.color) == [colours.positive, colours.positive, colours.negative]
        assert "<b>Tent" not in str(figure.to_plotly_json())
        assert max(map(len, figure.layout.yaxis.ticktext)) <= 60
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the first row stands on top
