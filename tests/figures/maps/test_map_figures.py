"""Map figures draw every item once, show the selection, and stay small for large catalogues."""

import base64
from io import BytesIO

import numpy as np
import pytest
from maps import made_map as made
from PIL import Image

from guidedrec_core.errors import InputError, UnknownIdError
from guidedrec_core.figures.maps.colouring import colouring, legend_figure, point_colours, proposed_categories
from guidedrec_core.figures.maps.item_map import MOST_MOVES, MOST_POINTS, is_raster, map_figure
from guidedrec_core.figures.maps.labels import clear_of, place_labels
from guidedrec_core.figures.maps.raster import Raster
from guidedrec_core.figures.theme import DARK, LIGHT
from guidedrec_core.projection.item_map import ItemMap, UserMarks
from guidedrec_core.projection.regions import Region, find_regions


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


def test_the_categories_that_changed_most_are_proposed_and_any_can_be_coloured() -> None:
    item_map = made(100, n_categories=10)
    kept = item_map.items.groupby("category")["kept"].mean().sort_values()
    assert list(proposed_categories(item_map)) == kept.index[:7].tolist()
    least = kept.index[-1]
    colours_of = colouring(item_map, "category", (least,))
    assert colours_of.names == (least, "9 other categories")
    shades = np.array(point_colours(colours_of, DARK))
    own = (item_map.items["category"] == least).to_numpy()
    assert set(shades[own]) == {DARK.categorical[0]}
    assert set(shades[~own]) == {DARK.placebo}
    with pytest.raises(InputError, match="no category 'x'"):
        colouring(item_map, "category", ("x",))
    with pytest.raises(InputError, match="at most 7"):
        colouring(item_map, "category", tuple(kept.index[:8]))


def test_all_of_few_categories_have_a_colour() -> None:
    colours_of = colouring(made(20, n_categories=3), "category")
    assert sorted(colours_of.names) == ["c0", "c1", "c2"]
    assert LIGHT.placebo not in point_colours(colours_of, LIGHT)


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


def test_moves_come_from_the_other_map_and_many_are_thinned() -> None:
    item_map = made(2_000)
    figure = map_figure(item_map, "refined", colouring(item_map, "warmth"), LIGHT, np.array([4, 9]), moves=True)
    (moves,) = [trace for trace in figure.data if trace.name == "moves"]
    first = [item_map.positions(space)[4, 0] for space in ("base", "refined")]
    assert np.asarray(moves.x)[:2] == pytest.approx(first)
    assert np.isnan(moves.x[2])
    assert len(moves.x) == 6
    many = map_figure(item_map, "base", colouring(item_map, "warmth"), LIGHT, np.arange(1_000), moves=True)
    assert len(many.data[1].x) == 3 * MOST_MOVES
    assert len(map_figure(item_map, "base", colouring(item_map, "warmth"), LIGHT, np.arange(5)).data) == 1


def test_the_edge_of_a_selection_is_drawn() -> None:
    item_map = made(20)
    edge = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]])
    (shape,) = map_figure(item_map, "base", colouring(item_map, "warmth"), LIGHT, outlines=[edge]).layout.shapes
    assert shape.path == "M0.0000,0.0000L1.0000,0.0000L0.5000,1.0000Z"


def region(number: int, base: tuple[float, float], refined: tuple[float, float], size: int = 5) -> Region:
    return Region(number, f"region {number}, <b>", np.arange(size), 0.5, 0.9, "", base, refined)


def test_labels_overlap_on_neither_map_and_are_text() -> None:
    window = ((-10.0, 10.0), (-10.0, 10.0))
    regions = (
        region(0, (0, 0), (0, 0), size=9),
        region(1, (0.5, 0.5), (5, 5)),  # over 0 on the base map
        region(2, (5, -5), (0.5, 0)),  # over 0 on the refined map
        region(3, (5, 5), (-5, -5)),
    )
    for space in ("base", "refined"):
        labels = place_labels(regions, window, space)
        assert [label.text for label in labels] == ["region 0<br>&lt;b&gt;", "region 3<br>&lt;b&gt;"]
        left, right = sorted(labels, key=lambda label: label.box[0])
        assert left.box[2] < right.box[0] or left.box[3] < right.box[1] or right.box[3] < left.box[1]
    hidden = np.array([[5.0, 5.5]])
    assert len(clear_of(place_labels(regions, window, "base"), hidden)) == 1


def test_few_regions_are_labelled_and_none_with_marks() -> None:
    item_map = made(900)
    regions = find_regions(item_map)
    colours_of = colouring(item_map, "warmth")
    notes = map_figure(item_map, "base", colours_of, LIGHT, regions=regions).layout.annotations
    assert len(notes) <= 8
    marks = UserMarks(np.array([1]), np.array([9]), np.array([4]), np.array([6]))
    assert not map_figure(item_map, "base", colours_of, LIGHT, marks=marks, regions=regions).layout.annotations


def pixels(raster: Raster, selected: np.ndarray | None = None) -> np.ndarray:
    """Read a raster's picture as a browser does: rows from the top."""
    address = raster.png if selected is None else raster.png_of(selected)
    kind, _, content = address.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(BytesIO(base64.b64decode(content))))


def cell_of(item_map: ItemMap, item: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the row, from the top, and the column of an item in a picture."""
    (x0, x1), (y0, y1) = item_map.window
    x, y = item_map.positions("base")[item]
    return int((y1 - y) / (y1 - y0) * shape[0]), int((x - x0) / (x1 - x0) * shape[1])


@pytest.mark.parametrize("by", ["warmth", "category"])
def test_a_picture_shows_items_where_they_are_in_their_colour(by: str) -> None:
    item_map = made(30)
    colours_of = colouring(item_map, by)
    picture = pixels(Raster.of(item_map.positions("base"), item_map.window, colours_of, LIGHT))
    shades = point_colours(colours_of, LIGHT)
    for item in range(30):
        row, column = cell_of(item_map, item, picture.shape)
        red, green, blue, opacity = picture[row, column].tolist()
        assert opacity > 100
        assert f"#{red:02x}{green:02x}{blue:02x}" == shades[item].lower()
    assert (picture[..., 3] > 0).sum() == 30


def test_a_cell_with_many_items_is_stronger_and_has_their_average_or_commonest_colour() -> None:
    at = np.array([[1.0, 1.0]] * 9 + [[9.0, 9.0]])
    window = ((0.0, 10.0), (0.0, 10.0))
    scale = colouring(made(10), "popularity")
    picture = Raster.of(at, window, scale, LIGHT).pixels
    assert picture[15, 15, 3] > picture[135, 135, 3] > 0  # from below
    names = colouring(made(10, n_categories=3), "category", ("c1",))  # 3 of the 9 have a name
    shade = tuple(Raster.of(at, window, names, LIGHT).pixels[15, 15, :3].tolist())
    assert "#{:02x}{:02x}{:02x}".format(*shade) == LIGHT.categorical[0].lower()


def test_a_selection_fades_the_rest_of_a_picture() -> None:
    item_map = made(30)
    raster = Raster.of(item_map.positions("base"), item_map.window, colouring(item_map, "warmth"), LIGHT)
    before, after = pixels(raster), pixels(raster, np.array([3]))
    for item in (3, 4):
        cell = cell_of(item_map, item, before.shape)
        assert (after[cell][3] >= 100) == (item == 3)
        assert before[cell][3] >= 100
    assert np.array_equal(pixels(raster), before)  # what is kept does not change


def test_items_outside_the_window_are_not_painted_elsewhere() -> None:
    at = np.array([[1.0, 1.0], [50.0, 1.0], [1.0, -50.0]])
    raster = Raster.of(at, ((0.0, 10.0), (0.0, 10.0)), colouring(made(3), "popularity"), LIGHT)
    assert (raster.pixels[..., 3] > 0).sum() == 1
    assert 0 < pixels(raster, np.array([1]))[..., 3].max() < 100  # all that is seen fades


def test_a_large_catalogue_is_a_picture_of_bounded_size() -> None:
    item_map = made(MOST_POINTS + 1)
    assert is_raster(item_map)
    assert not is_raster(made(50))
    for by in ("warmth", "category"):
        colours_of = colouring(item_map, by)
        raster = Raster.of(item_map.positions("base"), item_map.window, colours_of, LIGHT)
        figure = map_figure(item_map, "base", colours_of, LIGHT, np.arange(5_000), raster=raster)
        (image,) = figure.layout.images
        assert (image.x, image.y) == (item_map.window[0][0], item_map.window[1][1])
        assert len(figure.data[0].x) == 2
        assert len(figure.to_json()) < 300_000
