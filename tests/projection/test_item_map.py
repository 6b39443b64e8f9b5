"""Maps are read whole, and no model is needed for it."""

import subprocess
import sys

import numpy as np
import pytest
from maps import made_map

from guidedrec_core.errors import UnknownIdError
from guidedrec_core.projection.item_map import ItemMap, build_map, user_marks
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build


@pytest.fixture(scope="module")
def item_map(tiny_build: Build) -> ItemMap:
    return build_map(RunStore(tiny_build.data.path.parents[1]), tiny_build.projection.id)


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


def test_the_window_leaves_out_what_lies_far_away_and_counts_it() -> None:
    item_map = made_map(2_000)
    assert item_map.n_outside == 0
    items = item_map.items.copy()
    items.loc[7, "base_x"], items.loc[8, "refined_y"] = 500.0, -500.0
    item_map = made_map(2_000, items=items)
    assert item_map.n_outside == 2
    (x0, x1), (y0, y1) = item_map.window
    assert max(x1 - x0, y1 - y0) < 12


def test_categories_are_numbered_from_the_commonest() -> None:
    item_map = made_map(25, n_categories=10)  # c0 to c4 three times, the others twice
    codes, names = item_map.categories
    assert names[:5] == ("c0", "c1", "c2", "c3", "c4")
    assert [names[code] for code in codes] == item_map.items["category"].tolist()
    assert item_map.items["category"].iloc[item_map.members[:3]].tolist() == ["c0"] * 3


@pytest.mark.parametrize("n", [3, 300])
def test_means_leave_out_missing_scores_however_they_are_computed(n: int) -> None:
    item_map = made_map(400, attributes=("warmth", "comfort"))
    items = np.arange(n)  # item 0 has no scores
    assert item_map.mean_known(items) == pytest.approx(np.nanmean(item_map.raw[:n], axis=0), rel=1e-5)
    assert item_map.mean(item_map.z, items) == pytest.approx(item_map.z[:n].mean(axis=0), rel=1e-4)
    assert np.isnan(item_map.mean_known(np.array([0]))).all()
