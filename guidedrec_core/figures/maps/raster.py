"""Many items as a picture: cells coloured by what they hold, stronger where they hold more."""

import base64
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.figures.maps.colouring import Colouring, shades_of
from guidedrec_core.figures.theme import Palette
from guidedrec_core.projection.geometry import Points, Window

_FEWEST_CELLS, _MOST_CELLS = 150, 600
_FAINTEST, _FADED = 0.45, 0.2

Pixels = npt.NDArray[np.uint8]
"""Red, green, blue and opacity, ``[down, across, 4]``, from below."""


@dataclass(frozen=True)
class Raster:
    """Items in the cells of a map's window.

    A cell has the colour of its items' mean, or, by category, of the named category with most items in it; the more
    items it holds, the less transparent it is. What does not depend on a selection is computed once.

    Attributes
    ----------
    shape : (int, int)
        Cells down and across.
    cells : ndarray
        Each item's cell, row after row from below, ``[n_items]``; -1 outside the window.
    places : ndarray
        Each item's place among `shades`, ``[n_items]``.
    shades : ndarray
        Red, green and blue of every colour that items have, the last one grey, ``[n_shades, 3]``.
    by_category : bool
        Whether shades are names, which cannot be averaged.
    """

    shape: tuple[int, int]
    cells: npt.NDArray[np.int32]
    places: npt.NDArray[np.uint8]
    shades: Pixels
    by_category: bool

    @classmethod
    def of(cls, points: Points, window: Window, colours_of: Colouring, colours: Palette) -> "Raster":
        """Sort items into cells: up to 600 on the longer side, fewer for fewer items, 150 at least.

        Parameters
        ----------
        points : ndarray
            Positions, ``[n_items, 2]``.
        window : (x range, y range)
            What the picture shows; items outside are left out.
        colours_of : Colouring
            Values of the same items.
        colours : Palette
            From `theme.palette`.
        """
        shape = _shape(window, len(points))
        (x0, x1), (y0, y1) = window
        down, across = shape
        column = np.floor((points[:, 0] - x0) * (across / max(x1 - x0, 1e-9)))
        row = np.floor((points[:, 1] - y0) * (down / max(y1 - y0, 1e-9)))
        inside = (column >= 0) & (column < across) & (row >= 0) & (row < down)
        cells = np.where(inside, row * across + column, -1).astype(np.int32)
        shades, places = shades_of(colours_of, colours)
        rgb = np.array([[int(shade[i : i + 2], 16) for i in (1, 3, 5)] for shade in shades], dtype=np.uint8)
        return cls(shape, cells, places.astype(np.uint8), rgb, bool(colours_of.names))

    @cached_property
    def pixels(self) -> Pixels:
        """The picture of all items."""
        return self._painted(self.cells, self.places)

    @cached_property
    def png(self) -> str:
        """The picture of all items as a ``data:`` address."""
        return _png(self.pixels)

    def png_of(self, selected: IntArray) -> str:
        """Return a picture in which some items keep their colours and all others fade, as a ``data:`` address."""
        if not len(selected):
            return self.png
        picture = self.pixels.copy()
        picture[..., 3] = picture[..., 3] * _FADED
        own = self._painted(self.cells[selected], self.places[selected])
        np.copyto(picture, own, where=own[..., 3:] > 0)
        return _png(picture)

    def _painted(self, cells: npt.NDArray[np.int32], places: npt.NDArray[np.uint8]) -> Pixels:
        """Paint some items."""
        n_cells, grey = self.shape[0] * self.shape[1], len(self.shades) - 1
        named = (places != grey) & (cells >= 0)
        count = np.bincount(cells[cells >= 0], minlength=n_cells)
        where, what = cells[named], places[named]
        known = np.bincount(where, minlength=n_cells)
        best = np.zeros(n_cells, dtype=np.int64)
        if self.by_category and grey:
            best = np.bincount(where * grey + what, minlength=n_cells * grey).reshape(n_cells, grey).argmax(axis=1)
        elif grey:
            best = np.rint(np.bincount(where, weights=what, minlength=n_cells) / np.maximum(known, 1)).astype(np.int64)
        filled = count[count > 0]
        full = float(np.log1p(np.quantile(filled, 0.98))) if len(filled) else 1.0
        strength = _FAINTEST + (1 - _FAINTEST) * np.minimum(np.log1p(count) / full, 1)
        opacity = np.where(count > 0, np.rint(255 * strength), 0).astype(np.uint8)
        shade = self.shades[np.where(known > 0, best, grey)]  # [n_cells, 3]
        return np.concatenate([shade, opacity[:, None]], axis=1).reshape(*self.shape, 4)


def _shape(window: Window, n_items: int) -> tuple[int, int]:
    """Return the cells down and across: many for many items, about square."""
    (x0, x1), (y0, y1) = window
    longest = float(np.clip(1.2 * np.sqrt(n_items), _FEWEST_CELLS, _MOST_CELLS))
    unit = max(x1 - x0, y1 - y0, 1e-9) / longest
    return max(1, round((y1 - y0) / unit)), max(1, round((x1 - x0) / unit))


def _png(picture: Pixels) -> str:
    """Write a picture as a ``data:`` address."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(np.ascontiguousarray(picture[::-1])).save(file, "PNG", compress_level=1)  # from the top
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
