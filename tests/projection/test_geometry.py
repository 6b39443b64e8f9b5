"""Shapes on a map hold what is inside them, and fit into an address."""

import numpy as np
import pytest

from guidedrec_core.errors import InputError
from guidedrec_core.projection.geometry import Shape, drawn_shapes, points_in_box, points_in_lasso

WINDOW = ((-2.0, 4.0), (10.0, 14.0))


def circle(n: int, wobble: float = 0.0) -> tuple[list[float], list[float]]:
    turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
    far = 1.5 * (1 + wobble * np.sin(9 * turn))
    return (1 + far * np.cos(turn)).tolist(), (12 + far * np.sin(turn)).tolist()


def test_box_takes_any_two_corners_and_its_edges() -> None:
    at = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 2.0]])
    assert points_in_box(at, [1, 0], [1, 0]).tolist() == [True, True, False]


@pytest.mark.parametrize("seed", range(5))
def test_lasso_agrees_with_a_slow_count_of_crossings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at, corners = rng.uniform(-1, 1, (300, 2)).round(1), rng.uniform(-1, 1, (9, 2)).round(1)  # some level with a corner

    def inside(px: float, py: float) -> bool:
        crossings = 0
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if min(y0, y1) <= py < max(y0, y1):
                crossings += px < x0 + (py - y0) / (y1 - y0) * (x1 - x0)
        return crossings % 2 == 1

    found = points_in_lasso(at, corners[:, 0].tolist(), corners[:, 1].tolist())
    # A point on an edge belongs to neither side for certain.
    sure = np.array([distance_to_edges(point, corners) > 1e-9 for point in at])
    assert found[sure].tolist() == [inside(x, y) for x, y in at[sure]]
    assert 0 < found.sum() < 300


def distance_to_edges(point: np.ndarray, corners: np.ndarray) -> float:
    distances = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = end - start
        share = np.clip((point - start) @ along / max(float(along @ along), 1e-12), 0, 1)
        distances.append(float(np.hypot(*(point - start - share * along))))
    return min(distances)


@pytest.mark.parametrize("kind", ["box", "lasso"])
def test_an_address_means_exactly_the_same_items(kind: str) -> None:
    x, y = circle(300, 0.2) if kind == "lasso" else ([0.0, 1.5], [13.0, 11.0])
    shape = Shape.drawn(kind, x, y, WINDOW)  # type: ignore[arg-type]
    again = Shape.parse(str(shape))
    assert again == shape
    assert len(str(shape)) <= 161
    at = np.random.default_rng(0).uniform([-2, 10], [4, 14], (5_000, 2))
    assert np.array_equal(again.contains(at, WINDOW), shape.contains(at, WINDOW))
    test = points_in_lasso if kind == "lasso" else points_in_box
    assert (shape.contains(at, WINDOW) == test(at, x, y)).mean() > 0.99


def test_a_thin_spike_of_a_lasso_is_not_lost() -> None:
    x, y = [0.0, 1.0, 1.0, 3.9, 1.0, 0.0], [11.0, 11.0, 11.5, 11.55, 11.6, 13.0]
    shape = Shape.drawn("lasso", x, y, WINDOW)
    assert max(corner[0] for corner in shape.outline(WINDOW)) == pytest.approx(3.9, abs=0.01)


def test_corners_outside_the_window_keep_their_place() -> None:
    outline = Shape.drawn("box", [-7.9, 9.9], [6.1, 17.9], WINDOW).outline(WINDOW)
    assert outline.min(axis=0) == pytest.approx([-7.9, 6.1], abs=0.01)
    assert outline.max(axis=0) == pytest.approx([9.9, 17.9], abs=0.01)


def test_a_chart_may_report_several_shapes() -> None:
    x, y = circle(50)
    box = {"x": [0, 1], "y": [11, 12]}
    line = {"x": [0, 1], "y": [11, 12]}  # a click in lasso mode leaves such a thing
    shapes = drawn_shapes({"box": [box, box], "lasso": [{"x": x, "y": y}, line], "points": []}, WINDOW)
    assert [shape.kind for shape in shapes] == ["box", "box", "lasso"]
    assert drawn_shapes({"points": []}, WINDOW) == ()


@pytest.mark.parametrize("text", ["", "b", "bAAAA", "bAAAAAAAAA", "lAAAAAAAA", "xAAAAAAAA", "bAAAA!AAA"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected a box"):
        Shape.parse(text)
