"""Regions hold what lies together on both maps, have names, and those that moved most come first."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from maps import made_map

from guidedrec_core.projection.item_map import ItemMap
from guidedrec_core.projection.regions import find_regions, moved_most


@pytest.fixture(scope="module")
def islands() -> ItemMap:
    """Five islands: of tents, of socks, of tents and socks, of dear things of many kinds, and of many kinds and prices.

    On the refined map the second one lies elsewhere, and its neighbours are new.
    """
    rng = np.random.default_rng(1)
    island = np.repeat(np.arange(5), 20)
    corners = np.array([[0, 0], [10, 0], [0, 10], [10, 10], [5, 5]], dtype=float)
    base = corners[island] + rng.normal(size=(100, 2)) * 0.4
    refined = base + np.where(island == 1, 1.0, 0.0)[:, None] * [8, 5]
    kinds = [f"kind {k}" for k in range(20)]
    category = ["tents"] * 20 + ["socks"] * 20 + ["tents", "socks"] * 10 + kinds + kinds
    near = np.stack([(np.arange(100) // 20) * 20 + rng.integers(0, 20, 100) for _ in range(4)], axis=1)
    price = np.where(island == 3, 90.0, 10.0) + rng.normal(size=100)
    items = pd.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(100)],
            "title": [f"<i>{k}</i>" for k in range(100)],
            "category": category,
            "interactions": 1,
            "kept": np.where(island == 1, 0.1, 0.9),
            "base_x": base[:, 0],
            "base_y": base[:, 1],
            "refined_x": refined[:, 0],
            "refined_y": refined[:, 1],
        }
    )
    frame = items[["item_id", "title", "category"]].assign(price=price)
    data = SimpleNamespace(dataset=SimpleNamespace(catalogue=SimpleNamespace(frame=frame)))
    made = made_map(100, items=items, base_neighbours=near, refined_neighbours=near, z=np.zeros((100, 1), np.float32))
    return ItemMap(**{**{name: getattr(made, name) for name in made.__dataclass_fields__}, "data": data})


def test_regions_are_the_islands_in_parts_and_every_item_is_in_one_at_most(islands: ItemMap) -> None:
    regions = find_regions(islands)
    assert 5 <= len(regions) <= 10
    everything = np.concatenate([region.items for region in regions])
    assert len(np.unique(everything)) == len(everything)
    assert all(len(set(region.items // 20)) == 1 for region in regions)
    assert find_regions(islands)[3].items.tolist() == regions[3].items.tolist()


def test_regions_are_named_by_category_else_by_what_stands_out(islands: ItemMap) -> None:
    of_island: dict[int, set[str]] = {}
    for region in find_regions(islands):
        of_island.setdefault(int(region.items[0] // 20), set()).add(region.name)
    assert all(name.startswith("tents") for name in of_island[0])
    assert all(name.startswith("socks") for name in of_island[1])
    assert all("tents" in name or "socks" in name for name in of_island[2])
    assert all(name.startswith("high price") for name in of_island[3])
    assert not any("high" in name for name in of_island[4])


def test_names_are_all_different(islands: ItemMap) -> None:
    names = [region.name for region in find_regions(islands)]
    assert len(set(names)) == len(names)


def test_the_island_that_moved_comes_first(islands: ItemMap) -> None:
    first = moved_most(find_regions(islands))[0]
    assert set(first.items // 20) == {1}
    assert first.kept == pytest.approx(0.1)
    assert first.base is not None
    assert first.refined is not None
    assert first.refined[0] - first.base[0] == pytest.approx(8, abs=1)


def test_scattered_items_have_no_middle_and_few_items_are_no_region() -> None:
    item_map = made_map(9)
    assert all(len(region.items) >= 3 for region in find_regions(item_map))
    at = np.random.default_rng(0).uniform(-9, 9, (300, 4))
    names = ("base_x", "base_y", "refined_x", "refined_y")
    scattered = made_map(300, items=made_map(300).items.assign(**dict(zip(names, at.T, strict=True))))
    regions = find_regions(scattered)
    assert any(region.base is None or region.refined is None for region in regions)
