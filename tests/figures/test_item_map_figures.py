"""Map figures draw every item once, show the selection, and stay small for large catalogues."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.figures.item_map import (
    MOST_POINTS,
    colouring,
    frame,
    legend_figure,
    map_figure,
    outside_frame,
    point_colours,
)
from guidedrec_core.figures.theme import DARK, LIGHT
from guidedrec_core.projection.item_map import ItemMap, UserMarks

SCHEMA = AttributeSchema(attributes=[Attribute(name="warmth", low="cooling", high="made for deep cold")])


def made(n: int, n_categories: int = 10) -> ItemMap:
    rng = np.random.default_rng(0)
    at = rng.normal(size=(n, 4))
    raw = rng.integers(0, 11, (n, 1)).astype(np.float32)
    raw[0] = np.nan
    items = pd.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(n)],
            "title": ["<b>x</b>"] * n,
            "category": [f"c{k % n_categories}" for k in range(n)],
            "interactions": np.arange(n),
            "kept": rng.random(n),
            **dict(zip(("base_x", "base_y", "refined_x", "refined_y"), at.T, strict=True)),
        }
    )
    none = np.zeros((n, 1), dtype=np.int64)
    return ItemMap("p", items, SCHEMA, raw, np.nan_to_num(raw), none, none, None, BOUGHT)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["warmth", "category", "popularity", "unchanged neighbours"])
def test_every_item_is_drawn_once_with_its_index(by: str) -> None:
    item_map = made(50)
    figure = map_figure(item_map, "base", colouring(item_map, by), LIGHT)
    trace = figure.data[0]
    assert len(figure.data) == 1
    assert np.asarray(trace.customdata).tolist() == list(range(50))
    assert np.asarray(trace.x) == pytest.approx(item_map.items["base_x"], abs=1e-6)
    assert len(trace.marker.color) == 50
    assert "<b>x" not in " ".join(trace.text)


def test_both_maps_have_the_same_frame_and_equal_axes() -> None:
    item_map = made(50)
    base, refined = (map_figure(item_map, s, colouring(item_map, "warmth"), LIGHT) for s in ("base", "refined"))
    assert base.layout.xaxis.range == refined.layout.xaxis.range
    assert base.layout.yaxis.scaleanchor == "x"
    assert base.layout.xaxis.visible is False


def test_items_thrown_far_out_do_not_shrink_all_others_and_are_counted() -> None:
    item_map = made(2_000)
    assert outside_frame(item_map) == 0
    item_map.items.loc[7, "base_x"] = 500.0
    item_map.items.loc[8, "refined_y"] = -500.0
    assert outside_frame(item_map) == 2
    (x0, x1), (y0, y1) = frame(item_map)
    assert max(x1 - x0, y1 - y0) < 12
    assert map_figure(item_map, "base", colouring(item_map, "warmth"), LIGHT).layout.xaxis.range == (x0, x1)


def test_a_selection_fades_all_others_and_none_fades_nothing() -> None:
    item_map = made(10)
    shown = map_figure(item_map, "base", colouring(item_map, "warmth"), LIGHT, selected=np.array([2, 3]))
    assert list(shown.data[0].selectedpoints) == [2, 3]
    assert shown.data[0].unselected.marker.opacity < 0.3
    assert (
        map_figure(item_map, "base", colouring(item_map, "warmth"), LIGHT, np.zeros(0, int)).data[0].selectedpoints
        is None
    )


def test_unscored_items_are_grey_and_the_legend_says_so() -> None:
    item_map = made(10)
    colours_of = colouring(item_map, "warmth")
    shades = point_colours(colours_of, DARK)
    assert shades[0] == DARK.placebo
    assert DARK.placebo not in shades[1:]
    ends = [note.text for note in legend_figure(colours_of, DARK).layout.annotations]
    assert ends == ["cooling", "made for deep cold (grey: not scored)"]


def test_colours_run_from_the_low_to_the_high_end() -> None:
    item_map = made(10)
    shades = point_colours(colouring(item_map, "popularity"), LIGHT)
    assert (shades[0], shades[-1]) == (LIGHT.sequential[0][1].lower(), LIGHT.sequential[-1][1].lower())


def test_seven_categories_are_named_and_the_rest_are_one() -> None:
    item_map = made(100, n_categories=10)
    colours_of = colouring(item_map, "category")
    assert len(colours_of.names) == 8
    assert colours_of.names[-1] == "3 other categories"
    assert len(set(point_colours(colours_of, LIGHT))) == 8
    assert [trace.name for trace in legend_figure(colours_of, LIGHT).data] == list(colours_of.names)


def test_unknown_colouring() -> None:
    with pytest.raises(UnknownIdError, match="loudness"):
        colouring(made(5), "loudness")


def test_marks_are_told_apart_by_form_and_each_map_shows_its_own_model() -> None:
    item_map = made(20)
    marks = UserMarks(np.array([1, 2, 3]), np.array([9]), np.array([4, 5]), np.array([6]))
    figures = {
        s: map_figure(item_map, s, colouring(item_map, "warmth"), LIGHT, marks=marks) for s in ("base", "refined")
    }
    history, base, held_out = figures["base"].data[1:]
    assert np.asarray(history.x) == pytest.approx(item_map.items["base_x"][[1, 2, 3]].to_numpy())
    assert np.asarray(base.x) == pytest.approx(item_map.items["base_x"][[4, 5]].to_numpy())
    assert base.marker.color == LIGHT.base
    assert figures["refined"].data[2].marker.color == LIGHT.refined
    assert len(figures["refined"].data[2].x) == 1
    assert len({history.marker.symbol, base.marker.symbol, held_out.marker.symbol}) == 3


def test_an_item_is_pointed_at_with_its_title_as_text() -> None:
    item_map = made(5)
    (arrow,) = map_figure(item_map, "refined", colouring(item_map, "warmth"), LIGHT, item=2).layout.annotations
    assert arrow.text == "&lt;b&gt;x&lt;/b&gt;"
    assert arrow.x == pytest.approx(item_map.items["refined_x"][2])


def test_a_large_catalogue_becomes_a_density_of_bounded_size() -> None:
    item_map = made(MOST_POINTS + 1)
    for by in ("warmth", "category"):
        figure = map_figure(item_map, "base", colouring(item_map, by), LIGHT, selected=np.arange(5_000))
        assert figure.data[0].type == "heatmap"
        assert len(figure.to_json()) < 1_500_000
