"""The colours of everything that is drawn, light and dark, and the layout all figures share."""

import html
import textwrap
from dataclasses import dataclass

import plotly.graph_objects as go

from guidedrec_core.language import unbroken

FONT = "Source Sans, Source Sans Pro, system-ui, sans-serif"


@dataclass(frozen=True)
class Palette:
    """One colour a meaning; the same meaning has the same colour on every page.

    Attributes
    ----------
    base, refined, second, placebo : str
        The arms of a comparison; the placebo's lines are also dashed.
    positive, negative : str
        Contributions for and against.
    remainder : str
        What attributes do not explain.
    text, muted, grid, background : str
        Writing, secondary writing, lines, the page.
    diverging : tuple of (float, str)
        A plotly colour scale, negative to positive, neutral at 0.5; centre it at 0 (``cmid=0``).
    sequential : tuple of (float, str)
        A plotly colour scale, low to high.
    categorical : tuple of str
        For categories, in order; at most seven.
    """

    base: str
    refined: str
    second: str
    placebo: str
    positive: str
    negative: str
    remainder: str
    text: str
    muted: str
    grid: str
    background: str
    diverging: tuple[tuple[float, str], ...]
    sequential: tuple[tuple[float, str], ...]
    categorical: tuple[str, ...]


LIGHT = Palette(
    base="#64748B",
    refined="#0F766E",
    second="#5B8DB8",
    placebo="#A8B3BF",
    positive="#0F766E",
    negative="#B45309",
    remainder="#94A3B8",
    text="#1B2A33",
    muted="#5B6B76",
    grid="#E3E9EB",
    background="#FFFFFF",
    diverging=((0.0, "#B45309"), (0.25, "#E5B27F"), (0.5, "#EEF1F2"), (0.75, "#7DBDB6"), (1.0, "#0F766E")),
    sequential=((0.0, "#D9E6E5"), (0.5, "#5FA9A2"), (1.0, "#0B4F4A")),
    categorical=("#0F766E", "#64748B", "#B45309", "#6D5BB3", "#2F6DB3", "#B23A6B", "#7A8B2A"),
)

DARK = Palette(
    base="#94A3B8",
    refined="#2DD4BF",
    second="#6FA8E8",
    placebo="#5E6C78",
    positive="#2DD4BF",
    negative="#F59E0B",
    remainder="#7B8CA3",
    text="#E6EDEF",
    muted="#9FB0B8",
    grid="#26333B",
    background="#10181D",
    diverging=((0.0, "#F59E0B"), (0.25, "#8A6320"), (0.5, "#2A363D"), (0.75, "#1F8378"), (1.0, "#2DD4BF")),
    sequential=((0.0, "#22363B"), (0.5, "#1F8378"), (1.0, "#7FF0E2")),
    categorical=("#2DD4BF", "#94A3B8", "#F59E0B", "#A99BEA", "#6FA8E8", "#E782A9", "#B9C964"),
)


def palette(dark: bool) -> Palette:
    """Return the colours for a light or a dark page."""
    return DARK if dark else LIGHT


def lay_out(figure: go.Figure, colours: Palette, height: int) -> go.Figure:
    """Give a figure the common look: fixed height, no ground of its own, quiet grid, labels that fit.

    Parameters
    ----------
    figure : go.Figure
        Changed in place; axes set before keep their own settings.
    colours : Palette
        From `palette`.
    height : int
        In pixels.
    """
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 13, "color": colours.text},
        hoverlabel={
            "bgcolor": colours.background,
            "bordercolor": colours.grid,
            "font": {"family": FONT, "size": 13, "color": colours.text},
            "align": "left",
        },
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.0,
            "x": 0,
            "font": {"color": colours.text, "size": 13},
            "title": {"text": ""},
        },
        dragmode=False,
    )
    common = {
        "automargin": True,
        "gridcolor": colours.grid,
        "zerolinecolor": colours.grid,
        "linecolor": colours.grid,
        "tickfont": {"color": colours.text, "size": 13},
    }
    figure.update_xaxes(**common)
    figure.update_yaxes(**common)
    return figure


def legend_across(figure: go.Figure, space: int, bottom: bool = False) -> go.Figure:
    """Let the legend use the whole width of a figure, so that its entries stand in rows and not below each other.

    Parameters
    ----------
    figure : go.Figure
        Changed in place, after `lay_out`.
    space : int
        Height kept free for it, in pixels.
    bottom : bool
        Put it below the axes.
    """
    edge = "bottom" if bottom else "top"
    figure.update_layout(
        legend={"xref": "container", "yref": "container", "x": 0, "y": 0 if bottom else 1, "yanchor": edge},
        margin={"b" if bottom else "t": space},
    )
    return figure


def safe(text: str, width: int = 0) -> str:
    """Return text from outside (titles, descriptions) so that plotly shows it and never reads it as markup.

    Parameters
    ----------
    text : str
        Anything.
    width : int
        Break lines after about so many characters; 0 leaves it in one line.

    Examples
    --------
    >>> safe("<b>Tent & stove</b>")
    '&lt;b&gt;Tent &amp; stove&lt;/b&gt;'
    """
    lines = textwrap.wrap(unbroken(text), width) if width else [" ".join(text.split())]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def shortened(text: str, length: int) -> str:
    """Cut text that is too long for an axis label; the full text belongs in the tooltip.

    Examples
    --------
    >>> shortened("Ironpass One-Liter Vacuum Flask", 16)
    'Ironpass One-Li…'
    """
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def signed(value: float) -> str:
    """Write a contribution with its sign and two digits; what is shown as zero has no minus.

    Examples
    --------
    >>> signed(-0.351), signed(-0.004), signed(0.2)
    ('-0.35', '+0.00', '+0.20')
    """
    return f"{round(value, 2) + 0.0:+.2f}"
