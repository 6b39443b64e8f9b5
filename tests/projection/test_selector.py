"""A selection has a short form, which finds the same items again."""

import numpy as np
import pytest
from maps import made_map

from guidedrec_core.errors import InputError
from guidedrec_core.projection.regions import find_regions
from guidedrec_core.projection.selector import Selector


@pytest.mark.parametrize(
    "selector",
    [Selector(region=1), Selector(category="tents, a.b"), Selector(items=("a,b", "c.d")), Selector(items=("x",))],
)
def test_reading_gives_what_was_written(selector: Selector) -> None:
    assert Selector.parse(str(selector)) == selector


def test_a_drawn_shape_selects_what_is_inside_on_its_own_map() -> None:
    item_map = made_map(400)
    (x0, x1), (y0, y1) = item_map.window
    middle = [(x0 + x1) / 2, (y0 + y1) / 2]
    event = {"box": [{"x": [x0, middle[0]], "y": [y0, middle[1]]}], "points": [{"point_index": 3}]}
    for space in ("base", "refined"):
        selector = Selector.of_event(event, item_map, space)
        assert selector is not None
        assert str(selector).startswith(f"{space}.b")
        again = Selector.parse(str(selector))
        expected = np.flatnonzero((item_map.positions(space) <= middle).all(axis=1))
        found = again.indexes(item_map, ())
        assert len(set(found) ^ set(expected)) <= 2  # the grid of an address is fine, but a grid
        assert len(found) > 20


def test_clicks_count_on_items_only_and_geometry_counts_more() -> None:
    item_map = made_map(10)
    clicked = [{"point_index": 4, "curve_number": 0}, {"point_index": 1, "curve_number": 2}]
    selector = Selector.of_event({"points": clicked, "point_indices": [4, 1], "box": [], "lasso": []}, item_map, "base")
    assert selector == Selector(items=("i4",))
    indexes = Selector.of_event({"points": [], "point_indices": [2, 0, 99]}, item_map, "base")
    assert indexes is not None
    assert indexes.indexes(item_map, ()).tolist() == [0, 2]
    assert Selector.of_event({"points": [], "point_indices": [], "box": [], "lasso": []}, item_map, "base") is None


def test_region_category_and_items_find_their_members() -> None:
    item_map = made_map(60)
    regions = find_regions(item_map)
    assert Selector(region=regions[1].number).indexes(item_map, regions).tolist() == regions[1].items.tolist()
    own = np.flatnonzero(item_map.items["category"] == "c2")
    assert Selector(category="c2").indexes(item_map, ()).tolist() == own.tolist()
    assert Selector(items=("i7", "i3")).indexes(item_map, ()).tolist() == [3, 7]


@pytest.mark.parametrize("text", ["", "base.", "base.q", "region.x", "items.", "everything", "category."])
def test_what_is_no_selection_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected"):
        Selector.parse(text)


@pytest.mark.parametrize("text", ["region.99", "category.nothing", "items.i1,nobody"])
def test_what_does_not_exist_is_refused(text: str) -> None:
    item_map = made_map(30)
    with pytest.raises(InputError, match=r"no group 99|no category|nobody"):
        Selector.parse(text).indexes(item_map, find_regions(item_map))
