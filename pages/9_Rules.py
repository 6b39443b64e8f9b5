"""Rules: what would a rule or a change do?"""

import streamlit as st

from guidedrec_core.app import page, url
from guidedrec_core.app.errors import guard
from guidedrec_core.app.rules import listing, what_if

view = page.set_up("What would a rule or a change do?", ":material/rule:")
TABS = {"Rules": None, "What if": "what-if"}
url.follow("rules_tab", next((label for label, name in TABS.items() if name == url.current().get("tab")), "Rules"))
tabs = st.tabs(
    ("Rules", "What if"), key="rules_tab", on_change=lambda: url.update(tab=TABS[st.session_state["rules_tab"]])
)
with tabs[0], guard():
    if tabs[0].open:
        listing.rules(view)
with tabs[1], guard():
    if tabs[1].open:
        what_if.what_if(view)
page.footer(view)
