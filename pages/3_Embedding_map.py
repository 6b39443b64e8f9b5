"""Item map: what refinement moved, and why."""

import streamlit as st

from guidedrec_core.app import loaders, page, url
from guidedrec_core.app.embedding_map.view import explore, user_box
from guidedrec_core.app.errors import guard, way_on
from guidedrec_core.app.export import export_menu
from guidedrec_core.app.items import loaders as item_loaders
from guidedrec_core.app.items.picker import item_picker

view = page.set_up("What moved, and why?", ":material/scatter_plot:")
projection = page.needs(view, "projection", "The maps")
with guard():
    item_map = item_loaders.item_map(projection.id)
dataset, evaluation = item_map.data.dataset, view.entry.evaluation
if view.item is not None and view.item not in dataset.items:
    way_on(f"There is no item {view.item} in {view.dataset}.", "Show no item", item=None)
if view.user is not None and view.user not in dataset.users:
    who = view.verb.user
    way_on(f"There is no {who} {view.user} in {view.dataset}.", f"Show no {who}", user=None)
recommendations = None if evaluation is None else loaders.table(evaluation.id, "recommendations")

export_menu(view, projection=projection)
with st.popover(f"Find an item or a {view.verb.user}", icon=":material/search:"):
    item_picker(item_loaders.index(view.entry.data.id), view.item)
    user_box(view.user, view.verb)
    st.button("Clear", on_click=url.update, kwargs={"user": None, "item": None}, key="show_neither")
explore(item_map, recommendations, view.user, view.item, view.dark)
page.footer(view)
