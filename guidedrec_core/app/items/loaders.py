"""Cached loading for the pages about items and maps; see `loaders` for the rules."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from guidedrec_core.app import loaders
from guidedrec_core.app.attributes import loaders as attributes_loaders
from guidedrec_core.attributes.overrides import OverrideLog, current
from guidedrec_core.figures.maps.colouring import colouring, legend_figure
from guidedrec_core.figures.maps.item_map import map_figure
from guidedrec_core.figures.maps.raster import Raster
from guidedrec_core.figures.theme import palette
from guidedrec_core.items.search import ItemIndex
from guidedrec_core.projection.item_map import ItemMap, build_map
from guidedrec_core.projection.regions import Region, find_regions
from guidedrec_core.projection.selection import Selection, describe_selection
from guidedrec_core.projection.selection import category_moves as moves_by_category
from guidedrec_core.reliability.marks import Mark, doubt_marks, override_marks
from guidedrec_core.runs.library import RefinedEntry
from guidedrec_core.runs.store import RunStore

if TYPE_CHECKING:
    from guidedrec_core.items.view import ItemView


def index(data_id: str) -> ItemIndex:
    """Prepare a stored data set's catalogue for searching; shared and read-only."""
    return _index(str(loaders.store().home), data_id)


def item_map(projection_id: str) -> ItemMap:
    """Read the maps of a projection run; shared and read-only."""
    return _item_map(str(loaders.store().home), projection_id)


def whole_map(projection_id: str) -> Selection:
    """Describe all items of a projection run; shared and read-only."""
    return _whole_map(str(loaders.store().home), projection_id)


def regions(projection_id: str) -> tuple[Region, ...]:
    """Find the regions of a projection run's maps; shared and read-only."""
    return _regions(str(loaders.store().home), projection_id)


def category_moves(projection_id: str) -> pd.DataFrame:
    """Tabulate how much each category changed; shared and read-only."""
    return _category_moves(str(loaders.store().home), projection_id)


def raster(projection_id: str, space: str, by: str, named: tuple[str, ...], dark: bool) -> Raster:
    """Sort the items of a map into the cells of a picture; shared and read-only."""
    return _raster(str(loaders.store().home), projection_id, space, by, named, dark)


def legend(projection_id: str, by: str, named: tuple[str, ...], dark: bool) -> go.Figure:
    """Draw the maps' legend; shared and read-only."""
    return _legend(str(loaders.store().home), projection_id, by, named, dark)


def plain_map(
    projection_id: str, space: str, by: str, named: tuple[str, ...], dark: bool, as_picture: bool
) -> go.Figure:
    """Draw a map without selection and marks, which is what the visitor selects on; shared and read-only."""
    return _plain_map(str(loaders.store().home), projection_id, space, (by, named, dark), as_picture)


def item_view(run_id: str, evaluation_id: str | None, item_id: str) -> "ItemView":
    """Compute an item's view; see `guidedrec_core.items.view.build_item`."""
    return _item_view(str(loaders.store().home), run_id, evaluation_id, item_id)


def marks(entry: RefinedEntry, item_id: str) -> tuple[Mark, ...]:
    """Mark the scores of an item that are set by hand, or doubtful."""
    scores_id = entry.run.inputs["scores"]
    trust = attributes_loaders.trust(scores_id)
    layer = current(OverrideLog(loaders.store().home, str(entry.data.config["name"])).entries())
    cells = loaders.optional_table(scores_id, "overrides")
    schema = trust.schema
    return (*override_marks(item_id, schema, cells, layer), *doubt_marks(item_id, schema, trust.report))


@st.cache_resource(max_entries=4, show_spinner=False)
def _index(home: str, data_id: str) -> ItemIndex:
    return ItemIndex.of(loaders.dataset(data_id).catalogue)


@st.cache_resource(max_entries=4, show_spinner="Reading the maps")
def _item_map(home: str, projection_id: str) -> ItemMap:
    return build_map(RunStore(Path(home)), projection_id)


@st.cache_resource(max_entries=4, show_spinner=False)
def _whole_map(home: str, projection_id: str) -> Selection:
    item_map = _item_map(home, projection_id)
    return describe_selection(item_map, item_map.items.index.to_numpy())


@st.cache_resource(max_entries=4, show_spinner=False)
def _regions(home: str, projection_id: str) -> tuple[Region, ...]:
    return find_regions(_item_map(home, projection_id))


@st.cache_resource(max_entries=4, show_spinner=False)
def _category_moves(home: str, projection_id: str) -> pd.DataFrame:
    return moves_by_category(_item_map(home, projection_id))


@st.cache_resource(max_entries=16, show_spinner=False)
def _raster(home: str, projection_id: str, space: str, by: str, named: tuple[str, ...], dark: bool) -> Raster:
    item_map = _item_map(home, projection_id)
    return Raster.of(item_map.positions(space), item_map.window, colouring(item_map, by, named), palette(dark))


@st.cache_resource(max_entries=16, show_spinner=False)
def _legend(home: str, projection_id: str, by: str, named: tuple[str, ...], dark: bool) -> go.Figure:
    return legend_figure(colouring(_item_map(home, projection_id), by, named), palette(dark))


@st.cache_resource(max_entries=8, show_spinner=False)
def _plain_map(
    home: str, projection_id: str, space: str, look: tuple[str, tuple[str, ...], bool], as_picture: bool
) -> go.Figure:
    item_map, (by, named, dark) = _item_map(home, projection_id), look
    return map_figure(
        item_map,
        space,
        colouring(item_map, by, named),
        palette(dark),
        regions=_regions(home, projection_id),
        raster=_raster(home, projection_id, space, *look) if as_picture else None,
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _item_view(home: str, run_id: str, evaluation_id: str | None, item_id: str) -> "ItemView":
    from guidedrec_core.items.view import build_item  # imports torch, so only when needed

    recommendations = None if evaluation_id is None else loaders.table(evaluation_id, "recommendations")
    system = loaders.system(run_id)
    with loaders.MODEL_LOCK:
        return build_item(system, item_id, recommendations)
