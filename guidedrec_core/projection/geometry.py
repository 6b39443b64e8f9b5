"""Shapes drawn on a map: which points are inside, and a form short enough for an address.

A browser sends only the shape. Which items are inside is tested here, on all of them, so that a selection costs the
same few bytes for a hundred items and for a million.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import InputError

Points = npt.NDArray[np.float64]
Window = tuple[tuple[float, float], tuple[float, float]]
"""A part of the plane, as (x, y) ranges."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"  # what an address shows as it is
_STEPS = len(_DIGITS) ** 2 - 1
_MOST_CORNERS = 40
_TOLERANCE = 6  # of _STEPS over three windows: less than two pixels of a chart


@dataclass(frozen=True)
class Shape:
    """A rectangle or a closed line on a map, its corners rounded to a grid that belongs to the map's window.

    Attributes
    ----------
    kind : {"box", "lasso"}
        A box has two opposite corners, a lasso three or more.
    corners : tuple of (int, int)
        On a grid of 0 to 4095 that covers the window and as much on each side of it.
    """

    kind: Literal["box", "lasso"]
    corners: tuple[tuple[int, int], ...]

    @classmethod
    def drawn(cls, kind: Literal["box", "lasso"], x: Sequence[float], y: Sequence[float], window: Window) -> "Shape":
        """Make a shape from corners in data units; a lasso of many corners keeps at most 40 that matter."""
        at = np.stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)], axis=1)  # [n, 2]
        low, size = _low_and_size(window)
        grid = np.clip(np.rint((at - low + size) / (3 * size) * _STEPS), 0, _STEPS).astype(int)
        if kind == "lasso":
            tolerance = float(_TOLERANCE)
            kept = grid[_outline(grid, tolerance)]
            while len(kept) > _MOST_CORNERS:
                tolerance *= 1.5
                kept = grid[_outline(grid, tolerance)]
            grid = kept
        return cls(kind, tuple((int(a), int(b)) for a, b in grid))

    @classmethod
    def parse(cls, text: str) -> "Shape":
        """Read what `str` wrote.

        Raises
        ------
        InputError
            It is no shape.
        """
        kind: Literal["box", "lasso"] = "box" if text[:1] == "b" else "lasso"
        places = [_DIGITS.find(digit) for digit in text[1:]]
        numbers = [high * len(_DIGITS) + low for high, low in zip(places[::2], places[1::2], strict=False)]
        corners = tuple(zip(numbers[::2], numbers[1::2], strict=False))
        enough = len(corners) == 2 if kind == "box" else len(corners) >= 3
        if text[:1] not in ("b", "l") or -1 in places or len(places) % 4 or not enough:
            raise InputError(f"expected a box (b and 8 signs) or a lasso (l and 12 or more), got {text!r}")
        return cls(kind, corners)

    def __str__(self) -> str:
        """Return it in four signs a corner, for an address."""
        signs = (_DIGITS[n // len(_DIGITS)] + _DIGITS[n % len(_DIGITS)] for corner in self.corners for n in corner)
        return self.kind[0] + "".join(signs)

    def outline(self, window: Window) -> Points:
        """Return its corners in data units, in order, ``[n, 2]``; four of a box."""
        low, size = _low_and_size(window)
        at: Points = np.array(self.corners, dtype=np.float64) / _STEPS * 3 * size + low - size
        if self.kind == "box":
            (x0, y0), (x1, y1) = at
            return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        return at

    def contains(self, points: Points, window: Window) -> npt.NDArray[np.bool_]:
        """Tell which of some points ``[n, 2]`` are inside."""
        x, y = self.outline(window).T.tolist()
        return points_in_box(points, x, y) if self.kind == "box" else points_in_lasso(points, x, y)


def drawn_shapes(selection: Mapping[str, Any], window: Window) -> tuple[Shape, ...]:
    """Return the shapes of a chart's selection event.

    Parameters
    ----------
    selection : mapping
        ``box`` and ``lasso``: lists of ``{"x": [...], "y": [...]}`` in data units, a box by two corners.
    window : (x range, y range)
        What the map shows.
    """
    boxes = [Shape.drawn("box", shape["x"], shape["y"], window) for shape in selection.get("box") or ()]
    lassos = [
        Shape.drawn("lasso", shape["x"], shape["y"], window)
        for shape in selection.get("lasso") or ()
        if len(shape["x"]) >= 3
    ]
    return (*boxes, *(lasso for lasso in lassos if len(lasso.corners) >= 3))


def points_in_box(points: Points, x: Sequence[float], y: Sequence[float]) -> npt.NDArray[np.bool_]:
    """Tell which points lie in the smallest rectangle around some corners, edges included.

    Examples
    --------
    >>> points_in_box(np.array([[0.5, 0.5], [2.0, 0.5]]), [1, 0], [0, 1]).tolist()
    [True, False]
    """
    px, py = points[:, 0], points[:, 1]
    inside: npt.NDArray[np.bool_] = (px >= min(x)) & (px <= max(x)) & (py >= min(y)) & (py <= max(y))
    return inside


def points_in_lasso(points: Points, x: Sequence[float], y: Sequence[float]) -> npt.NDArray[np.bool_]:
    """Tell which points lie inside a closed line, by the even-odd rule.

    Examples
    --------
    >>> points_in_lasso(np.array([[0.5, 0.5], [2.0, 0.5]]), [0, 1, 1, 0], [0, 0, 1, 1]).tolist()
    [True, False]
    """
    inside: npt.NDArray[np.bool_] = np.zeros(len(points), dtype=bool)
    near = np.flatnonzero(points_in_box(points, x, y))
    near = near[np.argsort(points[near, 1], kind="stable")]
    px, py = points[near, 0], points[near, 1]
    crossed: npt.NDArray[np.bool_] = np.zeros(len(near), dtype=bool)
    for i in range(len(x)):
        (x0, y0), (x1, y1) = (x[i - 1], y[i - 1]), (x[i], y[i])
        # A ray to the right meets this edge only from points between its ends; sorted by y they are one slice, so that
        # all edges together cost little more than the points.
        first, last = np.searchsorted(py, [min(y0, y1), max(y0, y1)])
        if first < last:
            here = slice(first, last)
            crossed[here] ^= px[here] < (x1 - x0) * (py[here] - y0) / (y1 - y0) + x0
    inside[near] = crossed
    return inside


def _low_and_size(window: Window) -> tuple[Points, Points]:
    """Return a window's lower corner and its size."""
    low, high = np.array(window, dtype=np.float64).T
    return low, np.maximum(high - low, 1e-9)


def _outline(grid: npt.NDArray[np.int_], tolerance: float) -> npt.NDArray[np.int_]:
    """Return which corners of a closed line to keep so that none lies further from the new line (Douglas-Peucker)."""
    points = grid.astype(np.float64)
    far = int(np.argmax(((points - points[0]) ** 2).sum(axis=1)))
    keep = {0, far}
    parts = [(0, far), (far, len(points))]  # the second one ends where the first began
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        start, end = points[first], points[last % len(points)]
        inner, along = points[first + 1 : last] - start, end - start
        length = float((along**2).sum())
        # To the nearest place on the piece, not on the line through it: a spike must not be lost.
        share = np.clip(inner @ along / length, 0, 1)[:, None] if length else np.zeros((len(inner), 1))
        distance = np.sqrt(((inner - share * along) ** 2).sum(axis=1))
        worst = int(distance.argmax())
        if distance[worst] > tolerance:
            middle = first + 1 + worst
            keep.add(middle)
            parts += [(first, middle), (middle, last)]
    return np.array(sorted(keep), dtype=np.int64)
