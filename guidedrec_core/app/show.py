"""Small pieces every page uses: a leading sentence, a chart, a note."""

from typing import Any

import pandas as pd
import PIL.Image  # noqa: F401  # see below
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from guidedrec_core.app.errors import escaped
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.spreadsheets import harmless

# `PIL.Image` is imported above for Plotly, which looks for it among the loaded modules whenever it writes a figure, and
# fails when another thread has loaded half of it: shap and matplotlib, which a visit brings in, do that.

_CHART = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False, "scrollZoom": False}

_ABOUT = (
    "A recommender learns from what people do, but cannot say why it recommends something. Here a base model was "
    "refined with scores on attributes that people understand. Every recommendation is an exact sum of reasons with a "
    "name: attributes, facts such as category, price and season, and popularity; what is left are other {patterns}. "
    "These pages show what that changed, why, and whether it is better."
)


# Streamlit writes white on the primary colour (buttons), and in the primary colour on the page (selected or hovered
# segments and tabs). On a dark page no colour has a contrast of 4.5 in both, so segments and tabs keep the colour of
# other text; tint, border and underline show the selection.
_SEGMENTS = """<style>
.stButtonGroup button[data-variant]:not([data-disabled]), .stTabs [role="tab"]:not([data-disabled]) {
  color: inherit !important;
}
</style>"""


def readable_segments() -> None:
    """Give selected segments and tabs a readable text colour; draws nothing."""
    st.html(_SEGMENTS)


def dark() -> bool:
    """Return whether the visitor sees the dark theme."""
    return bool(st.context.theme.type == "dark")


def lead(sentence: str, help: str | None = None) -> None:
    """Show the answer of a page or section in one sentence, with an optional tooltip; both are shown as they are."""
    st.markdown(f"#### {escaped(sentence)}", help=_tooltip(help))


def note(text: str, help: str | None = None) -> None:
    """Show a note in small type, with an optional tooltip; both are shown as they are."""
    st.caption(escaped(text), help=_tooltip(help))


def about(verb: InteractionVerb) -> None:
    """Describe the app in three sentences."""
    st.write(escaped(_ABOUT.format(patterns=verb.patterns)))


def pair() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return two places side by side; one below the other where the window is too narrow for both."""
    grid = st.grid(2, min_column_width=420, gap="medium")
    return grid.cell(), grid.cell()


def chart(figure: go.Figure, alt: str, key: str) -> None:
    """Show a figure without controls.

    Parameters
    ----------
    figure : go.Figure
        From `guidedrec_core.figures`.
    alt : str
        Description for visitors who cannot see it.
    key : str
        Unique on the page.
    """
    st.plotly_chart(figure, alt=alt, key=key, config=_CHART)


def table(frame: pd.DataFrame, **options: Any) -> Any:
    """Show a table; every table has a button that downloads it, so its texts are made harmless for spreadsheets.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to show.
    **options
        Passed to `st.dataframe`.

    Returns
    -------
    DeltaGenerator or DataframeState
        What `st.dataframe` returns: the selection, where rows can be selected.
    """
    return st.dataframe(harmless(frame), **options)


def table_twin(frame: pd.DataFrame, label: str, key: str, **options: Any) -> None:
    """Offer the table behind a chart, initially closed.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to show.
    label : str
        What the reader opens.
    key : str
        Unique on the page.
    **options
        Passed to `st.dataframe`, e.g. ``column_config``.
    """
    with st.expander(label, icon=":material/table:"):
        table(frame, hide_index=True, key=key, alt=label, **options)


def _tooltip(text: str | None) -> str | None:
    return None if text is None else escaped(text)
