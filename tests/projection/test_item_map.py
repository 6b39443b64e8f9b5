"""Maps are read whole, selections are found and described, and no model is needed for it."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.projection.item_map import (
    ItemMap,
    build_map,
    describe_selection,
    points_in_box,
    points_in_lasso,
    selected_indexes,
    user_marks,
)
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build


@pytest.fixture(scope="module")
def item_map(tiny_build: Build) -> ItemMap:
    return build_map(RunStore(tiny_build.data.path.parents[1]), tiny_build.projection.id)


@pytest.fixture(scope="module")
def planted() -> ItemMap:
    """Two groups, A and B, far apart on warmth; base mixes them, refined keeps them apart."""
    warmth = np.array([2.0] * 4 + [-2.0] * 4, dtype=np.float32)
    z = np.stack([warmth, np.tile([1, -1], 4).astype(np.float32)], axis=1)
    items = pd.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(8)],
            "title": [f"Thing {n}" for n in range(8)],
            "category": ["tents"] * 4 + ["socks", "socks", "hats", "hats"],
            "interactions": range(8),
            "kept": [0.0, 0.5, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0],
            **{f"{space}_{axis}": np.arange(8.0) for space in ("base", "refined") for axis in "xy"},
        }
    )
    mixed = np.array([[4, 5], [4, 5], [6, 7], [6, 7], [0, 1], [0, 1], [2, 3], [2, 3]])
    apart = np.array([[1, 2], [0, 2], [0, 1], [0, 1], [5, 6], [4, 6], [4, 5], [4, 5]])
    schema = AttributeSchema(attributes=[Attribute(name=n, low="little", high="much") for n in ("warmth", "comfort")])
    return ItemMap("p", items, schema, z + 5, z, mixed, apart, None, BOUGHT)  # type: ignore[arg-type]


def test_map_holds_the_stored_positions_and_facts(item_map: ItemMap, tiny_build: Build) -> None:
    assert np.array_equal(item_map.positions("refined"), tiny_build.projection.read_array("refined"))
    assert np.array_equal(item_map.items["kept"], tiny_build.projection.read_array("overlap"))
    assert item_map.items["interactions"].sum() == item_map.data.split.n_train.sum()
    assert item_map.items["item_id"].tolist() == item_map.data.dataset.items.ids.tolist()


def test_reading_a_map_loads_no_model_and_no_chart_library() -> None:
    heavy = "{'torch', 'umap', 'plotly', 'streamlit'}"
    code = f"import sys, guidedrec_core.projection.item_map; print(sorted({heavy} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_attribute_that_moved_a_selection_is_named(planted: ItemMap) -> None:
    selection = describe_selection(planted, np.array([2, 0, 1, 3, 3]))
    assert selection.indexes.tolist() == [0, 1, 2, 3]
    assert selection.attributes["attribute"][0] == "warmth"
    assert selection.attributes["pull"][0] == pytest.approx(4.0)
    assert selection.sentence.startswith("Moved mostly by warmth: after refinement")
    assert "25 % of their neighbours are unchanged; in the whole catalogue it is 62 %." in selection.sentence
    assert selection.detail == "4 of 8 items: tents (4). Compared with the catalogue: high on warmth."


def test_without_a_pull_no_attribute_is_named(planted: ItemMap) -> None:
    still = ItemMap(**{**vars(planted), "refined_neighbours": planted.base_neighbours})
    assert describe_selection(still, np.array([0, 1])).sentence.startswith("No single attribute moved these items")


def test_a_single_item_is_named(planted: ItemMap) -> None:
    selection = describe_selection(planted, np.array([4]))
    assert selection.detail.startswith("Thing 4 (socks).")
    assert "100 % of its neighbours are unchanged" in selection.sentence


def test_categories_say_what_they_keep(planted: ItemMap) -> None:
    table = describe_selection(planted, np.arange(8)).categories.set_index("category")
    assert table["items"].to_dict() == {"tents": 4, "socks": 2, "hats": 2}
    assert table.loc["tents", "kept"] == pytest.approx(0.25)
    assert table.loc["tents", "moved_by"] == "Warmth"
    assert table["share"].sum() == pytest.approx(1)


def test_marks_of_a_user(item_map: ItemMap, tiny_build: Build) -> None:
    lists = tiny_build.evaluation.read_table("recommendations")
    data = item_map.data
    marks = user_marks(item_map, "user-03", lists, k=5)
    user = data.dataset.users.index("user-03")
    assert marks.history.tolist() == data.shown_history(user).tolist()
    assert marks.held_out.tolist() == data.held_out(user).tolist()
    own = lists[(lists["user_id"] == "user-03") & (lists["model"] == "refined")].sort_values("rank")["item_id"]
    assert data.dataset.items.ids[marks.refined].tolist() == own.head(5).tolist()
    assert len(user_marks(item_map, "user-03", None).base) == 0
    with pytest.raises(UnknownIdError):
        user_marks(item_map, "nobody", lists)


def test_box_takes_any_two_corners_and_its_edges() -> None:
    at = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 2.0]])
    assert points_in_box(at, [1, 0], [1, 0]).tolist() == [True, True, False]


def test_lasso_agrees_with_a_slow_count_of_crossings() -> None:
    rng = np.random.default_rng(3)
    at, corners = rng.uniform(-1, 1, (300, 2)), rng.uniform(-1, 1, (9, 2))

    def inside(px: float, py: float) -> bool:
        crossings = 0
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if min(y0, y1) <= py < max(y0, y1):
                crossings += px < x0 + (py - y0) / (y1 - y0) * (x1 - x0)
        return crossings % 2 == 1

    found = points_in_lasso(at, corners[:, 0].tolist(), corners[:, 1].tolist())
    assert found.tolist() == [inside(x, y) for x, y in at]
    assert 0 < found.sum() < 300


def test_geometry_wins_over_points_and_marks_are_no_items() -> None:
    at = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    box = {"x": [0.5, 1.5], "y": [0.5, 1.5]}
    clicked = [{"curve_number": 0, "point_index": 2}, {"curve_number": 1, "point_index": 0}]
    assert selected_indexes(at, {"points": clicked, "point_indices": [2, 0], "box": [box], "lasso": []}).tolist() == [1]
    assert selected_indexes(at, {"points": clicked, "point_indices": [2, 0], "box": [], "lasso": []}).tolist() == [2]
    assert selected_indexes(at, {"points": [], "point_indices": [0, 99], "box": [], "lasso": []}).tolist() == [0]
