"""Figures of one item: its attributes, similar items, who gets it recommended."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from guidedrec_core import columns as c
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe, shortened

_END = 38  # letters of each end of a scale, below a bar of half a page
_ROW = 50
_SMALL = 11
_NAMED_ATTRIBUTES = 3


def attribute_bars(
    attributes: pd.DataFrame, scale: tuple[float, float], colours: Palette, remarks: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw an item's raw scores with what both ends of each attribute mean.

    Parameters
    ----------
    attributes : pandas.DataFrame
        `ItemView.attributes`.
    scale : tuple of float
        Lowest and highest raw score.
    colours : Palette
        From `theme.palette`.
    remarks : mapping of str to str, optional
        What to write next to attributes, by name.
    """
    low, high = scale
    rows = attributes.iloc[::-1].reset_index(drop=True)  # plotly counts categories from below
    figure = go.Figure()
    figure.add_bar(
        y=rows.index,
        x=np.full(len(rows), high - low),
        base=low,
        orientation="h",
        width=0.3,
        marker={"color": colours.grid},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_bar(
        y=rows.index,
        x=rows["score"] - low,
        base=low,
        orientation="h",
        width=0.3,
        name="this item",
        marker={"color": colours.text},  # teal is for the refined model, in the next chart
        opacity=0.4,
        customdata=[
            [safe(label), safe(lowest, 50), safe(highest, 50), mean, z]
            for label, lowest, highest, mean, z in zip(
                rows["label"], rows["low"], rows["high"], rows["catalogue_score"], rows["z"], strict=True
            )
        ],
        hovertemplate=(
            f"<b>%{{customdata[0]}}</b><br>{low:g}: %{{customdata[1]}}<br>{high:g}: %{{customdata[2]}}"
            "<br>catalogue average %{customdata[3]:.1f}; z %{customdata[4]:+.2f}<extra></extra>"
        ),
    )
    figure.add_scatter(
        y=rows.index,
        x=rows["catalogue_score"],
        mode="markers",
        name="catalogue average",
        marker={"symbol": "line-ns", "size": 9, "line": {"width": 2, "color": colours.text}},
        hovertemplate="catalogue average %{x:.1f}<extra></extra>",
    )
    for row, label in enumerate(rows["label"]):
        missing = bool(rows["missing"].iloc[row])
        said = [safe(label), *(["not scored, treated as average"] if missing else [])]
        remark = (remarks or {}).get(rows["attribute"].iloc[row])
        _write(figure, low, row + 0.36, "left", " · ".join([*said, *([safe(remark)] if remark else [])]))
        if not missing:
            _write(figure, high, row + 0.36, "right", f"{rows['score'].iloc[row]:g}")
        lowest, highest = _fitting(rows["low"].iloc[row], rows["high"].iloc[row])
        _write(figure, low, row - 0.3, "left", safe(lowest), colours.muted)
        _write(figure, high, row - 0.3, "right", safe(highest), colours.muted)
    lay_out(figure, colours, height=_ROW * len(rows) + 60)
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(range=[low, high], visible=False)
    figure.update_yaxes(range=[-0.6, len(rows) - 0.3], visible=False)
    return figure


def _fitting(low: str, high: str) -> tuple[str, str]:
    """Cut the texts of both ends so that they fit into one line, after a word; the full texts are in the tooltip."""
    room = _END, max(_END, 2 * _END - len(low))
    texts = []
    for text, most in zip((low, high), room, strict=True):
        if len(text) > most:
            text = text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
        texts.append(text)
    return texts[0], texts[1]


def similarity_bars(
    near: pd.DataFrame, labels: dict[str, str], colour: str, colours: Palette, verb: InteractionVerb
) -> go.Figure:
    """Draw how similar the most similar items are, split by what makes them so where that is known.

    Parameters
    ----------
    near : pandas.DataFrame
        `ItemView.base_near` or `ItemView.refined_near`.
    labels : dict of str to str
        Attribute name to label; attributes that are no column of `near` are left out.
    colour : str
        Colour of the model the space belongs to; used where there is nothing to split.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    rows = near.iloc[::-1].reset_index(drop=True)  # plotly counts from below
    figure = go.Figure()
    known = [name for name in labels if name in rows]
    parts = [(verb.patterns, rows["similarity"], colour)]
    if known:
        rest = [(verb.patterns, rows["rest"], colours.remainder)] if rows["rest"].any() else []
        parts = rest + _attribute_parts(rows[known], labels, colours)
    for name, values, shade in parts:
        figure.add_bar(
            y=rows.index,
            x=values,
            orientation="h",
            width=0.34,
            name=safe(name),
            marker={"color": shade, "line": {"width": 1, "color": colours.background}},
            customdata=[
                [safe(title, 50), similarity, safe(why, 50)]
                for title, similarity, why in zip(rows[c.TITLE], rows["similarity"], rows["why"], strict=True)
            ],
            hovertemplate=(
                f"<b>%{{customdata[0]}}</b><br>{safe(name)} %{{x:+.2f}} of %{{customdata[1]:.2f}} cosine similarity"
                "<br>%{customdata[2]}<extra></extra>"
            ),
        )
    for row, (title, similarity) in enumerate(zip(rows[c.TITLE], rows["similarity"], strict=True)):
        _write(figure, 0.0, row + 0.4, "left", safe(shortened(f"{similarity:.2f}  {title}", 56)))
    space = 48 if known else 8
    lay_out(figure, colours, height=46 * len(rows) + 8 + space)
    legend_across(figure, space, bottom=True)
    figure.update_layout(barmode="relative", showlegend=bool(known), margin={"t": 8})
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=True, zerolinewidth=1)
    figure.update_yaxes(range=[-0.5, len(rows) - 0.3], visible=False)
    return figure


def _attribute_parts(
    shares: pd.DataFrame, labels: dict[str, str], colours: Palette
) -> list[tuple[str, pd.Series, str]]:
    """Return name, shares and colour of the attributes that count most, and of all others together."""
    order = shares.abs().mean().sort_values(ascending=False).index
    named = list(order[:_NAMED_ATTRIBUTES])
    parts = [(labels[n], shares[n], colours.categorical[i]) for i, n in zip((0, 2, 3), named, strict=False)]
    others = shares.drop(columns=named)
    if not others.columns.empty:
        parts.append((f"{others.shape[1]} other attributes", others.sum(axis=1), colours.placebo))
    return parts


def audience_bars(audience: pd.DataFrame, list_length: int, colours: Palette, verb: InteractionVerb) -> go.Figure:
    """Draw how often each model puts an item at each place of a list.

    Parameters
    ----------
    audience : pandas.DataFrame
        `ItemView.audience`.
    list_length : int
        Length of the lists.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    figure = go.Figure()
    places = np.arange(1, list_length + 1)
    for name, column, colour in (
        ("base", "base_rank", colours.base),
        ("refined", "refined_rank", colours.refined),
    ):
        ranks = audience[column].dropna().to_numpy(dtype=np.int64)
        figure.add_bar(
            x=places,
            y=np.bincount(ranks, minlength=list_length + 1)[1:],
            name=name,
            marker={"color": colour},
            hovertemplate=f"rank %{{x}} for %{{y:,}} {verb.users}<extra>{name}</extra>",
        )
    lay_out(figure, colours, height=260)
    figure.update_layout(barmode="group", bargap=0.3)
    figure.update_xaxes(title="rank in the list", showgrid=False, tickvals=[1, *range(5, list_length + 1, 5)])
    most = max(max(trace.y, default=0) for trace in figure.data)
    figure.update_yaxes(title=verb.users, rangemode="tozero", dtick=1 if most <= 5 else None)
    return figure


def _write(figure: go.Figure, x: float, y: float, side: str, text: str, colour: str | None = None) -> None:
    """Write a line of text into a figure."""
    font = {"size": 13} if colour is None else {"size": _SMALL, "color": colour}
    figure.add_annotation(x=x, y=y, text=text, xanchor=side, yanchor="middle", showarrow=False, font=font)
