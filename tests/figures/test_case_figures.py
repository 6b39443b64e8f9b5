"""The pictures of a case show its numbers, and text from outside stays text."""

import pandas as pd
import pytest
from tiny import HOSTILE_TITLE

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.figures import case as figures
from guidedrec_core.figures import waterfall
from guidedrec_core.figures.theme import DARK, LIGHT, Palette, safe


def parts(contributions: list[float]) -> pd.DataFrame:
    n = len(contributions)
    return pd.DataFrame(
        {
            "attribute": [f"a{i}" for i in range(n)],
            "label": [f"A{i}" for i in range(n)],
            "low": "<i>low</i>",
            "high": "high",
            "user_value": 1.0,
            "item_value": 1.0,
            "user_score": 6.0,
            "item_score": [float("nan"), *([7.0] * (n - 1))],
            "catalogue_score": 5.0,
            "contribution": contributions,
            "missing": [True, *([False] * (n - 1))],
            "phrase": "both high",
        }
    )


def history(n: int, categories: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "position": range(n, 0, -1),
            "datetime": pd.date_range("2026-01-01", periods=n),
            "title": HOSTILE_TITLE,
            "category": [f"category {i % categories}|other" for i in range(n)],
            "strongest": "A0 7/10",
        }
    )


def test_the_bars_of_a_score_are_its_steps() -> None:
    rows = [("attribute", "warmth", 0.5), ("fact", "price", -0.2), ("unnamed", "other_patterns", 0.75)]
    lines = pd.DataFrame(rows, columns=["kind", "name", "contribution"]).assign(label="a", text="")
    table = waterfall.steps(lines, 0.35, BOUGHT)
    figure = figures.score_steps(table, LIGHT)
    bar = figure.data[0]
    assert list(bar.x) == pytest.approx([0.35, 0.5, -0.2, 0.75, 1.4])
    assert list(bar.base) == pytest.approx([0, 0.35, 0.85, 0.65, 0])
    assert list(bar.marker.color) == [
        LIGHT.base,
        LIGHT.positive,
        LIGHT.negative,
        LIGHT.remainder,
        LIGHT.base,
    ]
    assert [a.text for a in figure.layout.annotations] == ["0.35", "+0.50", "-0.20", "+0.75", "1.40"]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_titles_cannot_become_markup(colours: Palette) -> None:
    figure = figures.timeline(history(5, 3), colours)
    assert figure.data[0].customdata[0][0] == safe(HOSTILE_TITLE)
    assert "<b>Tent" not in figure.to_json()


def test_rare_categories_share_a_lane() -> None:
    figure = figures.timeline(history(30, 12), LIGHT)
    assert len(figure.layout.yaxis.ticktext) == 7
    assert figure.layout.yaxis.ticktext[-1] == "other categories"
    assert max(figure.data[0].y) == 6


def test_an_item_without_a_score_stands_at_the_average_and_is_drawn_open() -> None:
    item = figures.pairs(parts([0.5, 0.2]), (0, 10), LIGHT, BOUGHT).data[2]
    assert item.name == "this item"
    assert list(item.x) == [5.0, 7.0]
    assert list(item.marker.symbol) == ["diamond-open", "diamond"]


def test_taste_leaves_out_what_is_unknown() -> None:
    table = parts([0.0, 0.0, 0.0]).assign(user_score=[6.0, float("nan"), 4.0], user_value=[1.0, 0.0, -1.0])
    figure = figures.taste(table, (0, 10), LIGHT, BOUGHT)
    assert figure.layout.yaxis.ticktext == ("A0", "A2")
    assert list(figure.data[0].x) == [1.0, -1.0]
    assert figure.data[0].marker.color == LIGHT.base  # teal and amber are for and against an item


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_shares_are_drawn_largest_first_and_the_smallest_together(colours: Palette) -> None:
    shares = pd.DataFrame(
        {
            "kind": ["unnamed", *(["attribute"] * 9)],
            "label": ["Other <b>patterns</b>", *(f"A{place}" for place in range(9))],
            "text": HOSTILE_TITLE,
            "share": [0.4, 0.2, -0.1, *([0.05] * 7)],
            "contribution": [4.0, 2.0, -1.0, *([0.5] * 7)],
        }
    )
    figure = figures.reason_shares(shares, colours, most=4)
    bar = figure.data[0]
    assert list(bar.x) == pytest.approx([0.4, 0.2, 0.35, -0.1])
    assert list(bar.marker.color) == [colours.remainder, colours.positive, colours.positive, colours.negative]
    assert figure.layout.yaxis.ticktext[-2:] == ("7 smaller reasons for", "A1")
    assert [each.text for each in figure.layout.annotations] == ["40 %", "20 %", "35 %", "−10 %"]
    assert "<b>" not in figure.to_json()
    few = figures.reason_shares(shares.iloc[:4], colours, most=4)
    assert len(few.data[0].x) == 4  # all have a bar of their own
