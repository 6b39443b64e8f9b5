"""`Selector`: what is selected on the maps, in a form that an address can keep."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import numpy.typing as npt

from guidedrec_core import columns as c
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError
from guidedrec_core.projection.geometry import Shape, drawn_shapes
from guidedrec_core.projection.item_map import ItemMap
from guidedrec_core.projection.regions import Region

SPACES = ("base", "refined")
"""The maps."""


@dataclass(frozen=True)
class Selector:
    """One of: shapes drawn on a map, a region, a category, or single items.

    Attributes
    ----------
    space : str
        The map that the shapes were drawn on; "" without shapes.
    shapes : tuple of Shape
        What is inside any of them is selected.
    region : int or None
        A region's number.
    category : str or None
        A category's name.
    items : tuple of str
        Item ids.

    Examples
    --------
    >>> str(Selector(region=3)), Selector.parse("items.TVB-007,KNI-020").items
    ('region.3', ('TVB-007', 'KNI-020'))
    """

    space: str = ""
    shapes: tuple[Shape, ...] = ()
    region: int | None = None
    category: str | None = None
    items: tuple[str, ...] = ()

    @classmethod
    def of_event(cls, event: Any, item_map: ItemMap, space: str) -> "Selector | None":
        """Read what a visitor selected on a chart of a map.

        Parameters
        ----------
        event : mapping
            ``box`` and ``lasso`` in data units (see `geometry.drawn_shapes`). Without either, ``points`` of the first
            trace, whose place is the item's index, or, without these, ``point_indices``.
        item_map : ItemMap
            The maps.
        space : {"base", "refined"}
            Whose chart it is.

        Returns
        -------
        Selector or None
            None where nothing is selected. Shapes decide where there are any: they also hold what is not drawn as a
            point.
        """
        shapes = drawn_shapes(event, item_map.window)
        if shapes:
            return cls(space, shapes)
        points = event.get("points") or ()
        first = [point["point_index"] for point in points if point.get("curve_number", 0) == 0]
        places = first if points else list(event.get("point_indices") or ())
        known = sorted({int(place) for place in places if 0 <= place < len(item_map.items)})
        return cls(items=tuple(item_map.items[c.ITEM].iloc[known])) if known else None

    @classmethod
    def parse(cls, text: str) -> "Selector":
        """Read what `str` wrote.

        Raises
        ------
        InputError
            It is no selection.
        """
        kind, _, rest = text.partition(".")
        if kind in SPACES and rest:
            return cls(kind, tuple(Shape.parse(part) for part in rest.split(".")))
        if kind == "region" and rest.isdecimal():
            return cls(region=int(rest))
        if kind == "category" and rest:
            return cls(category=rest)
        ids = tuple(unquote(part) for part in rest.split(",") if part)
        if kind == "items" and ids:
            return cls(items=ids)
        raise InputError(f"expected base., refined., region., category. or items. and what is selected, got {text!r}")

    def __str__(self) -> str:
        """Return it as one short word for an address."""
        if self.shapes:
            return ".".join([self.space, *map(str, self.shapes)])
        if self.region is not None:
            return f"region.{self.region}"
        if self.category is not None:
            return f"category.{self.category}"
        return f"items.{','.join(quote(item, safe='') for item in self.items)}"

    def indexes(self, item_map: ItemMap, regions: tuple[Region, ...]) -> IntArray:
        """Return the items meant, ascending; none where shapes hold none.

        Raises
        ------
        InputError
            The region, the category or an item does not exist.
        """
        if self.shapes:
            at = item_map.positions(self.space)
            inside: npt.NDArray[np.bool_] = np.zeros(len(at), dtype=bool)
            for shape in self.shapes:
                inside |= shape.contains(at, item_map.window)
            return np.flatnonzero(inside)
        if self.region is not None:
            for region in regions:
                if region.number == self.region:
                    return region.items
            raise InputError(f"there is no group {self.region} on these maps")
        if self.category is not None:
            codes, names = item_map.categories
            if self.category not in names:
                raise InputError(f"there is no category {self.category!r} here")
            return np.flatnonzero(codes == names.index(self.category))
        ids = item_map.items[c.ITEM]
        unknown = sorted(set(self.items) - set(ids))
        if unknown:
            raise InputError(f"there is no item {unknown[0]!r} here")
        return np.flatnonzero(ids.isin(self.items).to_numpy())
