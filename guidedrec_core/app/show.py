"""Small pieces every page uses: a leading sentence, a chart, a note."""

import re
from typing import Any

import pandas as pd
import PIL.Image  # noqa: F401  # see below
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from guidedrec_core.app.errors import escaped
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.figures.theme import palette
from guidedrec_core.spreadsheets import harmless

# `PIL.Image` is imported above for Plotly, which looks for it among the loaded modules whenever it writes a figure, and
# fails when another thread has loaded half of it: shap and matplotlib, which a visit brings in, do that.

_CHART = {"displaylogo": False, "showSendToCloud": False, "scrollZoom": False, "modeBarButtons": [["toImage"]]}
_IMAGES, _IMAGE_FORMAT, _TABLES = ("PNG", "SVG"), "image_format", "page_tables"

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
    """Show a figure whose only control, at its top right corner, saves it as an image.

    Parameters
    ----------
    figure : go.Figure
        From `guidedrec_core.figures`.
    alt : str
        Description for visitors who cannot see it.
    key : str
        Unique on the page.
    """
    ground = go.Figure(figure).update_layout(paper_bgcolor=palette(dark()).background)  # of the saved image, too
    saved = {"filename": key, "format": str(st.session_state.get(_IMAGE_FORMAT, "PNG")).lower(), "scale": 2}
    st.plotly_chart(ground, alt=alt, key=key, config=_CHART | {"toImageButtonOptions": saved})


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
    # A name that is the same each time a part of the page is drawn anew.
    name = options.get("key") or options.get("alt") or "_".join(map(str, frame.columns[:3]))
    page_tables()[_file_name(str(name))] = frame
    return st.dataframe(harmless(frame), **options)


def page_tables() -> dict[str, pd.DataFrame]:
    """Return the tables that the page has shown in this session, by name; `forget_tables` empties it."""
    tables: dict[str, pd.DataFrame] = st.session_state.setdefault(_TABLES, {})
    return tables


def forget_tables() -> None:
    """Begin a page: what the last one has shown is not its own."""
    st.session_state[_TABLES] = {}


def choose_image_format() -> None:
    """Let the visitor choose how charts are saved."""
    st.segmented_control(
        "Save charts as",
        _IMAGES,
        default=None if _IMAGE_FORMAT in st.session_state else _IMAGES[0],
        required=True,
        key=_IMAGE_FORMAT,
        persist_state="session",
        help="The camera at the top right corner of a chart saves it; point at the chart to see it.",
    )


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


def _file_name(text: str) -> str:
    """Return a name for a file, of letters, digits and ``_``."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:60] or "table"


def _tooltip(text: str | None) -> str | None:
    return None if text is None else escaped(text)
