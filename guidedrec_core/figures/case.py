"""The pictures of one case: history, taste, score and attribute pairs."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from guidedrec_core import columns as c
from guidedrec_core.data.catalogue import category_words, main_category
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.figures import waterfall
from guidedrec_core.figures.theme import Palette, lay_out, safe, shortened, signed
from guidedrec_core.language import percent

_MOST_LANES = 7
_LABEL = 26
_ROW = 30
_WIDE_ROW = 42


def timeline(history: pd.DataFrame, colours: Palette, height: int = 0) -> go.Figure:
    """Draw the history over time, a lane a category.

    Parameters
    ----------
    history : pandas.DataFrame
        `Case.history`.
    colours : Palette
        Light or dark.
    height : int
        At least so many pixels, e.g. to end where a neighbour ends.
    """
    category = history[c.CATEGORY].map(main_category).map(category_words)
    common = category.value_counts()
    lanes = list(common.index[:_MOST_LANES] if len(common) <= _MOST_LANES else [*common.index[: _MOST_LANES - 1]])
    lane = category.where(category.isin(lanes), "other categories")
    if len(common) > len(lanes):
        lanes.append("other categories")
    newest = history["position"] == history["position"].max()
    figure = go.Figure(
        go.Scatter(
            x=history[c.DATETIME],
            y=lane.map(lanes.index),
            mode="markers",
            marker={
                "color": np.where(newest, colours.text, colours.base),
                "size": np.where(newest, 14, 11),
                "line": {"width": 1, "color": colours.background},
            },
            customdata=[
                (safe(title), position, safe(strongest))
                for title, position, strongest in zip(
                    history[c.TITLE], history["position"], history["strongest"], strict=True
                )
            ],
            hovertemplate="<b>%{customdata[0]}</b><br>%{x|%d %b %Y}, number %{customdata[1]}<br>%{customdata[2]}"
            "<extra></extra>",
        )
    )
    lay_out(figure, colours, height=max(height, 50 + 28 * len(lanes)))
    labels = [safe(shortened(name, _LABEL)) for name in lanes]
    figure.update_yaxes(
        tickvals=list(range(len(lanes))), ticktext=labels, range=[len(lanes) - 0.5, -0.5], zeroline=False
    )
    figure.update_xaxes(showgrid=False)
    figure.update_layout(margin={"t": 6})
    return figure


def taste(
    profile: pd.DataFrame, scale: tuple[float, float], colours: Palette, verb: InteractionVerb, most: int = 12
) -> go.Figure:
    """Draw the user's average score of each attribute against the catalogue's.

    Parameters
    ----------
    profile : pandas.DataFrame
        `Case.profile`.
    scale : tuple of float
        Lowest and highest raw score.
    colours : Palette
        Light or dark.
    verb : InteractionVerb
        What users do.
    most : int
        Attributes shown; those furthest from the catalogue.
    """
    known = profile.dropna(subset=["user_score", "catalogue_score"])
    far = known["user_value"].abs().sort_values(ascending=False, kind="stable").index[:most]
    rows = known.loc[far].sort_values("user_value", ascending=False, kind="stable").reset_index(drop=True)
    figure = go.Figure()
    figure.add_bar(
        x=rows["user_score"] - rows["catalogue_score"],
        base=rows["catalogue_score"],
        y=rows.index,
        orientation="h",
        width=0.42,
        name="difference from the catalogue",
        showlegend=False,
        marker={"color": colours.base, "opacity": 0.45},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=rows["catalogue_score"],
        y=rows.index,
        mode="markers",
        name="catalogue average",
        marker={"symbol": "line-ns", "size": 16, "line": {"width": 2, "color": colours.muted}},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=rows["user_score"],
        y=rows.index,
        mode="markers",
        name=f"this {verb.user}",
        marker={"size": 11, "color": colours.base},
        customdata=_ends(rows, "catalogue_score", "user_value"),
        hovertemplate="<b>%{customdata[0]}</b> %{x:.1f}, catalogue %{customdata[3]:.1f}<br>"
        f"{scale[0]:g}: %{{customdata[1]}}<br>{scale[1]:g}: %{{customdata[2]}}<br>"
        "profile z %{customdata[4]:+.2f}<extra></extra>",
    )
    lay_out(figure, colours, height=64 + _ROW * len(rows))
    figure.update_yaxes(
        tickvals=list(rows.index),
        ticktext=[safe(shortened(label, _LABEL)) for label in rows["label"]],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(range=[scale[0] - 0.2, scale[1] + 0.2], zeroline=False)
    return figure


def _largest(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the largest parts, and the smaller ones of each sign in one row."""
    if len(rows) <= most:
        return rows
    first, rest = rows.iloc[: most - 2], rows.iloc[most - 2 :]
    together = []
    for side, part in (("for", rest[rest["share"] >= 0]), ("against", rest[rest["share"] < 0])):
        if len(part) == 1:
            together.append(part)
        elif len(part):
            others = {
                "kind": "others", "label": f"{len(part)} smaller reasons {side}", "text": ", ".join(part["label"]),
                "share": part["share"].sum(), "contribution": part["contribution"].sum(),
            }  # fmt: skip
            together.append(pd.DataFrame([others]))
    return pd.concat([first, *together], ignore_index=True)


def reason_shares(shares: pd.DataFrame, colours: Palette, height: int = 0, most: int = 7) -> go.Figure:
    """Draw what sets an item apart, in shares, largest first.

    Parameters
    ----------
    shares : pandas.DataFrame
        `Explanation.shares`.
    colours : Palette
        Light or dark.
    height : int
        In pixels; 0 for what the rows need.
    most : int
        Bars at most. Smaller parts share one bar with others of the same sign, so that the bars of the sign that
        prevails sum to 1, as the sentence's shares do.
    """
    rows = _largest(shares[["kind", "label", "text", "share", "contribution"]], most)
    values = rows["share"].to_numpy(dtype=float) + 0.0
    amounts = rows["contribution"].to_numpy(dtype=float)
    sign = np.where(amounts >= 0, colours.positive, colours.negative)
    figure = go.Figure(
        go.Bar(
            x=values,
            y=rows.index,
            orientation="h",
            width=0.62,
            marker={"color": np.where(rows["kind"] == waterfall.UNNAMED, colours.remainder, sign)},
            customdata=[(safe(text, 60), amount) for text, amount in zip(rows["text"], amounts, strict=True)],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]:+.2f} of the score<extra></extra>",
            showlegend=False,
        )
    )
    low, high = min(0.0, float(values.min(initial=0.0))), max(0.0, float(values.max(initial=0.0)))
    room = 0.2 * (high - low or 1.0)
    for row, value in enumerate(values):
        figure.add_annotation(
            x=max(value, 0.0),
            y=row,
            text=percent(value).replace("-", "−"),
            showarrow=False,
            xanchor="left",
            xshift=6,
            font={"color": colours.text, "size": 13},
        )
    lay_out(figure, colours, height=height or 30 + _ROW * len(rows))
    figure.update_yaxes(
        tickvals=list(rows.index),
        ticktext=[safe(shortened(label, _LABEL)) for label in rows["label"]],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(range=[low, high + room], zeroline=True, zerolinewidth=1, showticklabels=False, showgrid=False)
    figure.update_layout(margin={"t": 4, "b": 4})
    return figure


def score_steps(table: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw a score as the sum it is.

    Parameters
    ----------
    table : pandas.DataFrame
        From `guidedrec_core.figures.waterfall.steps`.
    colours : Palette
        Light or dark.
    """
    ends = table["kind"].isin([waterfall.START, waterfall.SCORE])
    rest = table["kind"] == waterfall.UNNAMED
    sign = np.where(table["value"] >= 0, colours.positive, colours.negative)
    colour = np.select([ends, rest], [colours.base, colours.remainder], sign)
    figure = go.Figure()
    for upper, lower in zip(table.index[:-1], table.index[1:], strict=True):
        figure.add_shape(
            type="line",
            x0=table["end"][upper],
            x1=table["end"][upper],
            y0=upper,
            y1=lower,
            line={"color": colours.muted, "width": 1, "dash": "dot"},
            layer="below",
        )
    figure.add_bar(
        x=table["value"],
        base=table["start"],
        y=table.index,
        orientation="h",
        width=0.62,
        marker={"color": colour},
        showlegend=False,
        customdata=[(safe(phrase, 60), end) for phrase, end in zip(table["phrase"], table["end"], strict=True)],
        hovertemplate="%{customdata[0]}<br>so far %{customdata[1]:.2f}<extra></extra>",
    )
    low, high = float(table[["start", "end"]].min().min()), float(table[["start", "end"]].max().max())
    room = 0.16 * (high - low or 1.0)
    right = table[["start", "end"]].max(axis=1)
    for row in table.index:
        value = table["value"][row]
        figure.add_annotation(
            x=right[row],
            y=row,
            text=f"{value:.2f}" if ends[row] else signed(value),
            showarrow=False,
            xanchor="left",
            xshift=6,
            font={"color": colours.text, "size": 13},
        )
    lay_out(figure, colours, height=44 + _ROW * len(table))
    figure.update_yaxes(
        tickvals=list(table.index),
        ticktext=[safe(shortened(label, _LABEL)) for label in table["label"]],
        range=[len(table) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(range=[low - 0.25 * room, high + room], zeroline=True, zerolinewidth=1)
    figure.update_layout(margin={"t": 6})
    return figure


def pairs(
    parts: pd.DataFrame,
    scale: tuple[float, float],
    colours: Palette,
    verb: InteractionVerb,
    most: int = 8,
    height: int = 0,
) -> go.Figure:
    """Draw user and item on the attributes that count most.

    Shape tells user from item, not colour: teal and amber are for what speaks for an item and against it.

    Parameters
    ----------
    parts : pandas.DataFrame
        `Explanation.parts`.
    scale : tuple of float
        Lowest and highest raw score.
    colours : Palette
        Light or dark.
    verb : InteractionVerb
        What users do.
    most : int
        Attributes shown, by size of contribution: those of the score's steps.
    height : int
        In pixels; 0 for what the rows need.
    """
    order = parts["contribution"].abs().sort_values(ascending=False, kind="stable").index[:most]
    rows = parts.loc[order].reset_index(drop=True)
    item = rows["item_score"].fillna(rows["catalogue_score"])
    figure = go.Figure()
    figure.add_scatter(
        x=rows["catalogue_score"],
        y=rows.index,
        mode="markers",
        name="catalogue average",
        marker={"symbol": "line-ns", "size": 18, "line": {"width": 2, "color": colours.muted}},
        hoverinfo="skip",
    )
    for name, x, value, symbol, colour in (
        (f"this {verb.user}", rows["user_score"], "user_value", "circle", colours.base),
        ("this item", item, "item_value", "diamond", colours.text),
    ):
        open_where_missing = np.where(rows["missing"], f"{symbol}-open", symbol) if name == "this item" else symbol
        figure.add_scatter(
            x=x,
            y=rows.index,
            mode="markers",
            name=name,
            marker={"symbol": open_where_missing, "size": 12, "color": colour, "line": {"width": 1, "color": colour}},
            customdata=_ends(rows, value, "contribution"),
            hovertemplate=f"<b>%{{customdata[0]}}</b>, {name}: %{{x:.1f}}<br>{scale[0]:g}: %{{customdata[1]}}<br>"
            f"{scale[1]:g}: %{{customdata[2]}}<br>z %{{customdata[3]:+.2f}}, contribution %{{customdata[4]:+.2f}}"
            "<extra></extra>",
        )
    lay_out(figure, colours, height=height or 64 + _WIDE_ROW * len(rows))
    figure.update_yaxes(
        tickvals=list(rows.index),
        ticktext=[safe(shortened(label, _LABEL)) for label in rows["label"]],
        range=[len(rows) - 0.4, -0.6],
        zeroline=False,
    )
    figure.update_xaxes(range=[scale[0] - 0.3, scale[1] + 0.3], zeroline=False, showgrid=False)
    return figure


def _ends(rows: pd.DataFrame, *numbers: str) -> list[tuple[object, ...]]:
    """Return label, low and high end, ready for tooltips, and some numbers, a row an attribute."""
    texts = [[safe(text, 50) for text in rows[name]] for name in ("label", "low", "high")]
    return list(zip(*texts, *(rows[name].tolist() for name in numbers), strict=True))
