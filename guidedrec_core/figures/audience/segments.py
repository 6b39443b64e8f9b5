"""Segments of users: how sure they are, the gain in each, and how far they tell reasons apart."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.evaluation.report import PLACEBO
from guidedrec_core.figures.audience.group import share_text
from guidedrec_core.figures.evaluation import MODEL_SYMBOLS
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe, shortened

_ROW = 34


def stability_lines(stability: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw how far two halves of the users agree on each number of segments, against a cloud without groups.

    Parameters
    ----------
    stability : pandas.DataFrame
        `Segments.stability`.
    colours : Palette
        From `theme.palette`.
    """
    figure = go.Figure()
    for column, name, colour, dash in (
        ("agreement", "these users", colours.refined, "solid"),
        ("chance", "users without groups", colours.placebo, "dash"),
    ):
        figure.add_scatter(
            x=stability["k"],
            y=stability[column],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"size": 8, "symbol": "circle" if column == "agreement" else "square"},
            hovertemplate=f"%{{x}} segments: agreement %{{y:.2f}}<extra>{name}</extra>",
        )
    lay_out(figure, colours, height=280)
    legend_across(figure, 40)
    figure.update_xaxes(title="number of segments", dtick=1, showgrid=False)
    figure.update_yaxes(title="agreement of two halves", range=[-0.05, 1.05])
    return figure


def segment_forest(gains: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw the refined model's gain in each segment over base and placebo, with 95 % intervals.

    Parameters
    ----------
    gains : pandas.DataFrame
        `segment_report.segment_gains`.
    colours : Palette
        From `theme.palette`.
    """
    figure = go.Figure()
    places = np.arange(len(gains))
    for shift, prefix, name, colour, symbol in (
        (-0.16, "gain", "over the base model", colours.base, "circle"),
        (0.16, "over_placebo", "over shuffled scores", colours.placebo, MODEL_SYMBOLS[PLACEBO]),
    ):
        values, low, high = gains[prefix], gains[f"{prefix}_low"], gains[f"{prefix}_high"]
        if values.isna().all():
            continue
        figure.add_scatter(
            x=values,
            y=places + shift,
            mode="markers",
            name=name,
            marker={"size": 10, "color": colour, "symbol": symbol, "line": {"width": 2, "color": colour}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": high - values,
                "arrayminus": values - low,
                "color": colour,
                "thickness": 2,
                "width": 0,
            },
            customdata=[
                [safe(segment, 50), count, one, two]
                for segment, count, one, two in zip(gains["name"], gains["n_cases"], low, high, strict=True)
            ],
            hovertemplate=f"%{{customdata[0]}}<br>%{{x:+.4f}} {name}<br>95 % interval %{{customdata[2]:+.4f}} to "
            "%{customdata[3]:+.4f}, %{customdata[1]:,} cases<extra></extra>",
        )
    lay_out(figure, colours, height=66 * len(gains) + 90)
    legend_across(figure, 40)
    figure.add_vline(x=0, line={"color": colours.text, "width": 1})
    figure.update_xaxes(title="gain of the refined model, 95 % intervals", tickformat="+.3f", nticks=6)
    figure.update_yaxes(
        tickvals=places,
        ticktext=[safe(_label(number, name), 30) for number, name in zip(gains["segment"], gains["name"], strict=True)],
        range=[len(gains) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    return figure


def explained_bars(parts: pd.DataFrame, labels: dict[str, str], colours: Palette, most: int = 8) -> go.Figure:
    """Draw how much of each part of users' scores lies between segments, against random groups.

    Parameters
    ----------
    parts : pandas.DataFrame
        `Explained.parts`.
    labels : dict of str to str
        How to call the parts.
    colours : Palette
        From `theme.palette`.
    most : int
        Parts drawn, those that segments tell apart best.
    """
    rows = parts.sort_values("share", ascending=False, kind="stable").head(most).reset_index(drop=True)
    names = [safe(shortened(labels.get(part, part), 30)) for part in rows["part"]]
    figure = go.Figure()
    figure.add_bar(
        y=names,
        x=rows["share"],
        orientation="h",
        width=0.6,
        name="between segments",
        marker={"color": colours.refined},
        text=[share_text(share) for share in rows["share"]],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1%} of its variance lies between segments<extra></extra>",
    )
    figure.add_scatter(
        y=names,
        x=rows["chance_high"],
        mode="markers",
        name="random groups of the same sizes (97.5 % of draws lie below)",
        marker={"symbol": "line-ns", "size": 16, "line": {"width": 2, "color": colours.text}},
        hovertemplate="random groups: at most %{x:.1%}<extra></extra>",
    )
    lay_out(figure, colours, height=_ROW * len(rows) + 80)
    legend_across(figure, 40)
    figure.update_xaxes(tickformat=".0%", range=[0, 1.15 * max(float(rows["share"].max()), 0.01)], nticks=6)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def _label(number: int, name: str) -> str:
    return name.capitalize() if number == 0 else f"{number}: {name}"
