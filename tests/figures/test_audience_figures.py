"""Figures about groups hold the numbers they are given, and show texts from outside as text."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.figures.audience.group import reach_bars, share_bars
from guidedrec_core.figures.audience.list_changes import item_moves
from guidedrec_core.figures.audience.segments import explained_bars, segment_forest, stability_lines
from guidedrec_core.figures.audience.shelves import shelf_tree
from guidedrec_core.figures.theme import DARK, LIGHT

HOSTILE = "<b>Tent</b>"


def measures() -> pd.DataFrame:
    names = ("places", "exposure", "reached", "had", "never")
    rows = [
        (m, n, 0.1 * i, 0.05 * i, 0.15 * i, 10.0 * i, 100.0)
        for m in ("base", "refined")
        for i, n in enumerate(names, 1)
    ]
    return pd.DataFrame(rows, columns=["model", "measure", "value", "low", "high", "count", "of"])


def test_shares_are_drawn_with_intervals() -> None:
    figure = share_bars(measures(), 0.3, 0.25, LIGHT, BOUGHT)
    assert [trace.x[0] for trace in figure.data] == [0.3, 0.25, 0.1, 0.1, 0.2, 0.2]
    assert figure.data[2].error_x.array[0] == pytest.approx(0.15 - 0.1)
    assert figure.data[3].marker.color == LIGHT.refined
    assert not figure.data[0].error_x.visible


def test_those_reached_are_split_and_told_apart_without_colour() -> None:
    had, never = reach_bars(measures(), DARK, BOUGHT).data
    assert list(had.x) == [40.0, 40.0]
    assert list(never.x) == [50.0, 50.0]
    assert had.text[0] == "before: 40 (40 %)"
    assert never.text[0] == "never: 50 (50 %)"


def test_gains_of_segments_leave_out_a_missing_placebo() -> None:
    values = {
        n: [0.01, 0.02]
        for n in ("gain", "gain_low", "gain_high", "over_placebo", "over_placebo_low", "over_placebo_high")
    }
    gains = pd.DataFrame({"segment": [0, 1], "name": ["everybody", HOSTILE], "n_cases": [9, 5], **values})
    figure = segment_forest(gains, LIGHT)
    assert [trace.name for trace in figure.data] == ["over the base model", "over shuffled scores"]
    assert list(figure.layout.yaxis.ticktext) == ["Everybody", "1: &lt;b&gt;Tent&lt;/b&gt;"]
    without = segment_forest(gains.assign(over_placebo=np.nan), LIGHT)
    assert len(without.data) == 1


def test_stability_and_explained_parts() -> None:
    stability = pd.DataFrame({"k": [2, 3], "agreement": [0.9, 0.5], "chance": [0.4, 0.4], "passed": [True, False]})
    assert [list(trace.y) for trace in stability_lines(stability, LIGHT).data] == [[0.9, 0.5], [0.4, 0.4]]
    parts = pd.DataFrame({"part": ["a", "b"], "share": [0.1, 0.4], "chance_high": [0.01, 0.02], "variance": [1.0, 2.0]})
    bars, marks = explained_bars(parts, {"b": HOSTILE}, LIGHT).data
    assert list(bars.y) == ["&lt;b&gt;Tent&lt;/b&gt;", "a"]
    assert list(bars.x) == [0.4, 0.1]
    assert list(marks.x) == [0.02, 0.01]


def test_a_tree_of_shelves_is_as_large_as_its_items() -> None:
    tree = pd.DataFrame(
        {
            "id": ["1", "1.0", "1.1"],
            "parent": ["", "1", "1"],
            "name": [HOSTILE, "x", "y"],
            "items": [5, 2, 3],
            "category": ["tents"] * 3,
            "purity": [0.5, np.nan, 1.0],
        }
    )
    trace = shelf_tree(tree, DARK).data[0]
    assert list(trace.values) == [5, 5, 2, 3]
    assert list(trace.parents) == ["", "catalogue", "1", "1"]
    assert trace.labels[1] == "&lt;b&gt;Tent&lt;/b&gt;"
    assert trace.customdata[2][1] == "no category"
    assert len(set(trace.marker.colors)) == 4


def test_items_that_moved_are_drawn_by_their_change_with_both_counts() -> None:
    titles = ["<b>Tent</b>", "Stove", *(f"Thing {n}" for n in range(12))]
    before, after = [88, 5, *range(12)], [48, 30, *range(1, 13)]
    change = [now - was for was, now in zip(before, after, strict=True)]
    items = pd.DataFrame({"title": titles, "before": before, "after": after, "change": change})
    figure = item_moves(items, 10, LIGHT)
    [bars] = figure.data
    assert list(bars.x[:2]) == [-40, 25]
    assert len(bars.x) == 10
    assert list(bars.marker.color[:2]) == [LIGHT.negative, LIGHT.positive]
    assert bars.customdata[0][0] == "&lt;b&gt;Tent&lt;/b&gt;"
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;Tent&lt;/b&gt;"
    assert [note.text for note in figure.layout.annotations][:2] == ["88 to 48", "5 to 30"]
