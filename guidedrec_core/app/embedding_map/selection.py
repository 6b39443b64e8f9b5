"""The one selection that both maps share; the address keeps it.

A chart loses its selection when its figure changes, even under the same key, and two charts with selections overwrite
each other's. So only one map accepts selections, and that map's figure stays as it is while the visitor selects on it.
The selection itself is in the address (`projection.selector`), so that Back and links find it again; where it came from
anywhere but the chart, the chart is drawn anew with it.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from guidedrec_core.app import url
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError
from guidedrec_core.projection.geometry import Points
from guidedrec_core.projection.item_map import ItemMap
from guidedrec_core.projection.regions import Region
from guidedrec_core.projection.selector import Selector

_ON_CHART = "map_selection_on_chart"
_DRAWN = "map_selection_drawn"
_ROUND = "map_selection_round"
_NAME = "select"
_NOTHING: IntArray = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class MapSelection:
    """The selection on the maps of one projection run.

    Attributes
    ----------
    item_map : ItemMap
        The maps.
    regions : tuple of Region
        Their regions.
    space : {"base", "refined"}
        Which map accepts selections.
    """

    item_map: ItemMap
    regions: tuple[Region, ...]
    space: str

    @property
    def key(self) -> str:
        """Key of the chart that accepts selections; another one where the chart must be drawn anew."""
        return self.fresh(f"map_{self.space}")

    def fresh(self, name: str) -> str:
        """Return a widget key that is new after a selection made elsewhere, so that the widget loses its choice."""
        return f"{name}_{st.session_state.get(_ROUND, 0)}"

    def read(self) -> tuple[Selector | None, IntArray]:
        """Return what the address selects, and which items these are.

        Raises
        ------
        InputError
            The address names what does not exist here.
        """
        text = url.current().get(_NAME)
        place = (self.item_map.projection_id, text)
        if place != st.session_state.setdefault(_ON_CHART, (self.item_map.projection_id, None)):
            st.session_state[_ON_CHART] = place
            st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
        if text is None:
            return None, _NOTHING
        selector = Selector.parse(text)
        found = selector.indexes(self.item_map, self.regions)
        if not len(found):
            raise InputError("no item is inside the selection of this address")
        return selector, found

    def drawn(self, selected: IntArray, selector: Selector | None, looks: Hashable) -> tuple[IntArray, list[Points]]:
        """Return the items and the edges to draw into the map that accepts selections.

        Parameters
        ----------
        selected, selector
            From `read`.
        looks : hashable
            Everything else that the figure depends on; the figure changes only when this does.
        """
        identity = (self.item_map.projection_id, self.key, looks)
        if st.session_state.get(_DRAWN, (None,))[0] != identity:
            st.session_state[_DRAWN] = (identity, selected, self.outlines(selector, self.space))
        _, items, outlines = st.session_state[_DRAWN]
        return items, outlines

    def outlines(self, selector: Selector | None, space: str) -> list[Points]:
        """Return the edges of a selection that belong on a map."""
        if selector is None or selector.space != space:
            return []
        return [shape.outline(self.item_map.window) for shape in selector.shapes]

    def changed(self) -> None:
        """Put what was selected on the chart into the address; the chart's callback."""
        event = st.session_state.get(self.key)
        found = None if not event else Selector.of_event(event["selection"], self.item_map, self.space)
        text = None if found is None else str(found)
        if not len(st.session_state.get(_DRAWN, (None, _NOTHING))[1]):
            # The chart shows it already. Where the figure itself shows an older selection, it is drawn anew.
            st.session_state[_ON_CHART] = (self.item_map.projection_id, text)
        url.update(**{_NAME: text})

    def select(self, selector: Selector | None) -> None:
        """Select something without the chart, or nothing; usable as a callback."""
        url.update(**{_NAME: None if selector is None else str(selector)})
