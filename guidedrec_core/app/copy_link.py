"""A button that gives the address of exactly what the page shows, for a mail or a ticket."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from guidedrec_core.app import show, url


def copy_link(actions: DeltaGenerator) -> None:
    """Offer the address, defaults included, so that it still shows the same when there are newer runs.

    Parameters
    ----------
    actions : DeltaGenerator
        Where the page has its actions: `View.actions`.
    """
    with actions:
        # The address is made when the visitor opens it: parts of the page change it without drawing the whole page.
        opened = st.popover("Copy link", icon=":material/link:", key="copy_link", on_change="rerun")
    if opened.open:
        with opened:
            st.code(url.address(), language=None, wrap_lines=True)
            show.note("Opens exactly this view. The button in the corner copies it; or select the text.")
