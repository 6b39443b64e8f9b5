"""Small pieces every page uses: a leading sentence, a chart, a note."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from guidedrec_core.app.errors import escaped

_CHART = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False, "scrollZoom": False}

_ABOUT = (
    "A recommender learns from what people did, and cannot say why it recommends. Here a base model was refined with "
    "scores of attributes that people understand, so that every recommendation is an exact sum: each attribute, the "
    "purchase patterns beyond them, and popularity. These pages show what that changed, why, and whether it is better."
)


def dark() -> bool:
    """Tell whether the visitor sees the dark theme."""
    return bool(st.context.theme.type == "dark")


def lead(sentence: str) -> None:
    """Show the answer of a page or section in one sentence; the text is shown as it is."""
    st.markdown(f"#### {escaped(sentence)}")


def note(text: str) -> None:
    """Show a quiet remark; the text is shown as it is."""
    st.caption(escaped(text))


def about() -> None:
    """Say what this is, in three sentences."""
    st.write(escaped(_ABOUT))


def pair() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return two places side by side; one below the other where the window is too narrow for both."""
    grid = st.grid(2, min_column_width=420, gap="medium")
    return grid.cell(), grid.cell()


def chart(figure: go.Figure, alt: str, key: str) -> None:
    """Show a figure that is only looked at.

    Parameters
    ----------
    figure : go.Figure
        From `guidedrec_core.figures`.
    alt : str
        What a visitor who cannot see it should know.
    key : str
        Unique on the page.
    """
    st.plotly_chart(figure, alt=alt, key=key, config=_CHART)


def table_twin(frame: pd.DataFrame, label: str, key: str, **options: Any) -> None:
    """Offer the table behind a chart, closed at first.

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
        st.dataframe(frame, hide_index=True, key=key, alt=label, **options)
