"""Audience: who gets this, and should they?"""

import streamlit as st

from guidedrec_core.app import page
from guidedrec_core.app.audience import group, saved, segments, shelves
from guidedrec_core.app.errors import guard
from guidedrec_core.app.export import export_menu
from guidedrec_core.figures.theme import palette

view = page.set_up("Who gets this, and should they?", ":material/groups:")
run = page.needs(view, "evaluation", "The lists of all users")
colours = palette(view.dark)
tabs = st.tabs(segments.TABS, key="part", on_change="rerun", bind="query-params")
asked = None
with tabs[0], guard():
    if tabs[0].open:
        asked = group.group(view, run, colours)
with tabs[1], guard():
    if tabs[1].open:
        segments.segments(view, run, colours)
        saved.saved_segments(view, run)
with tabs[2], guard():
    if tabs[2].open:
        shelves.shelves(view, colours)
export_menu(view, group=asked)
page.footer(view)
