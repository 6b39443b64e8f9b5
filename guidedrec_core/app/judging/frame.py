"""The frame of the judges' page: no sidebar, nothing about runs, large targets for fingers."""

import streamlit as st

from guidedrec_core.app import show, url
from guidedrec_core.app.page import TAB_ICON

KEY = "judging"
"""Of the container that the page is drawn in."""

# Apple and the WCAG (2.5.5) ask for targets of 44 pixels. The sidebar holds nothing here.
_STYLE = f"""<style>
.st-key-{KEY} button {{ min-height: 3rem; }}
.st-key-{KEY} input {{ min-height: 2.75rem; font-size: 1rem; }}
.st-key-{KEY} .stButtonGroup button {{ padding-left: 0.25rem; padding-right: 0.25rem; min-width: 0; }}
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"], [data-testid="stHeader"] {{ display: none; }}
[data-testid="stMainBlockContainer"] {{ padding-top: 1rem; }}
@media (max-width: 640px) {{
  [data-testid="stMainBlockContainer"] {{ padding: 0.75rem 0.9rem 2rem; }}
  [data-testid="stHeading"] h1 {{ font-size: 1.3rem !important; padding: 0 0 0.4rem; }}
}}
</style>"""

# Streamlit stays where the last case was scrolled to, and moves once more when the new one is drawn. The number makes
# it a new element, which runs again.
_TO_TOP = """<script>
for (const wait of [0, 100, 300, 600]) {
  setTimeout(() => document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0), wait);
} // case %d
</script>"""


def begin() -> dict[str, str]:
    """Begin the page; return what its address says."""
    st.set_page_config(page_title="guidedrec", page_icon=TAB_ICON, layout="centered", initial_sidebar_state="collapsed")
    show.readable_segments()
    show.forget_tables()
    st.html(_STYLE)
    url.open_page(url.JUDGE)
    return url.read()


def to_top(position: int) -> None:
    """Scroll to the top of the page, once for each case."""
    st.html(_TO_TOP % position, unsafe_allow_javascript=True)
