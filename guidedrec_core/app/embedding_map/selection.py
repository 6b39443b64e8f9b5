"""The one selection that both maps share.

A chart loses its selection when its figure changes, even under the same key, and two charts with selections overwrite
each other's. So only one map accepts selections, the selection is stored here, and that map's figure is rebuilt only
when something else on it changes; it then starts with the stored selection.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.projection.item_map import selected_indexes

_KEPT = "map_selection"
_DRAWN = "map_selection_drawn"
_ROUND = "map_selection_round"
_NOTHING: IntArray = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class MapSelection:
    """The selection on the maps of one projection run.

    Attributes
    ----------
    projection_id : str
        The run; another one's selection means other items.
    space : {"base", "refined"}
        Which map accepts selections.
    positions : ndarray
        Positions on that map, ``[n_items, 2]``.
    """

    projection_id: str
    space: str
    positions: npt.NDArray[np.float64]

    @property
    def key(self) -> str:
        """Key of the chart that accepts selections; a new one after `clear`, so that the chart loses its own, too."""
        return self.fresh(f"map_{self.space}")

    def fresh(self, name: str) -> str:
        """Return a widget key that is new after `select` and `clear`, so that the widget loses its choice."""
        return f"{name}_{st.session_state.get(_ROUND, 0)}"

    def read(self) -> IntArray:
        """Return the items selected now: from the chart if it has any, else the stored ones."""
        found = self._from_chart()
        if len(found):
            st.session_state[_KEPT] = (self.projection_id, found)
        owner, kept = st.session_state.get(_KEPT, (self.projection_id, _NOTHING))
        return kept if owner == self.projection_id else _NOTHING

    def drawn(self, selected: IntArray, looks: Hashable) -> IntArray:
        """Return the selection to draw into the map that accepts selections.

        Parameters
        ----------
        selected : IntArray
            From `read`.
        looks : hashable
            Everything else that the figure depends on; the figure changes only when this does.
        """
        identity = (self.projection_id, self.key, looks)
        if st.session_state.get(_DRAWN, (None, None))[0] != identity:
            st.session_state[_DRAWN] = (identity, selected)
        drawn: IntArray = st.session_state[_DRAWN][1]
        return drawn

    def changed(self) -> None:
        """Store the selection on the chart, even an empty one; the chart's callback."""
        st.session_state[_KEPT] = (self.projection_id, self._from_chart())

    def select(self, items: IntArray) -> None:
        """Select items without the chart; usable as a callback."""
        st.session_state[_KEPT] = (self.projection_id, items)
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1

    def clear(self) -> None:
        """Clear the selection; usable as a callback."""
        self.select(_NOTHING)

    def _from_chart(self) -> IntArray:
        """Read the chart's own selection."""
        event = st.session_state.get(self.key)
        return _NOTHING if not event else selected_indexes(self.positions, event["selection"])
