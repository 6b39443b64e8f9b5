"""Small pieces every page uses: a leading sentence, a chart, a note."""

import plotly.graph_objects as go
import streamlit as st

from guidedrec_core.ui.errors import escaped

_CHART = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False, "scrollZoom": False}


def dark() -> bool:
    """Tell whether the visitor sees the dark theme."""
    return bool(st.context.theme.type == "dark")


def lead(sentence: str) -> None:
    """Show the answer of a page or section in one sentence; the text is shown as it is."""
    st.markdown(f"#### {escaped(sentence)}")


def note(text: str) -> None:
    """Show a quiet remark; the text is shown as it is."""
    st.caption(escaped(text))


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
