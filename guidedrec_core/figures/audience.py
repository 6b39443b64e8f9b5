"""Figures about groups: what a group of items takes, who had such items, segments, and shelves."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.report import BASE, REFINED
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe, shortened

_ROW = 34
_SHELF, _BOARD = 30, 20


def share_bars(
    measures: pd.DataFrame, catalogue: float, past: float, colours: Palette, verb: InteractionVerb
) -> go.Figure:
    """Draw what a group of items takes of the lists, next to what it makes up elsewhere.

    Parameters
    ----------
    measures : pandas.DataFrame
        `GroupAnswer.measures`.
    catalogue, past : float
        Share of the catalogue and of past interactions.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    rows: list[tuple[str, float, float, float, str]] = [
        ("of the catalogue", catalogue, np.nan, np.nan, colours.placebo),
        (f"of past {verb.nouns}", past, np.nan, np.nan, colours.placebo),
    ]
    for measure, words in (("places", "of all places in lists"), ("exposure", "of exposure")):
        for model, colour in ((BASE, colours.base), (REFINED, colours.refined)):
            row = measures[(measures["model"] == model) & (measures["measure"] == measure)].iloc[0]
            rows.append((f"{words}, {model}", row["value"], row["low"], row["high"], colour))
    figure = go.Figure()
    for place, (words, value, low, high, colour) in enumerate(rows):
        known = bool(np.isfinite(low))
        figure.add_bar(
            y=[place],
            x=[value],
            orientation="h",
            width=0.6,
            marker={"color": colour},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - value if known else 0],
                "arrayminus": [value - low if known else 0],
                "color": colours.text,
                "thickness": 1.2,
                "width": 4,
                "visible": known,
            },
            hovertemplate=f"%{{x:.2%}} {safe(words)}"
            + (f"<br>95 % interval {low:.2%} to {high:.2%}" if known else "")
            + "<extra></extra>",
            showlegend=False,
        )
        figure.add_annotation(
            x=max(value, high) if known else value,
            y=place,
            text=_percent(value),
            showarrow=False,
            xanchor="left",
            xshift=8,
        )
    lay_out(figure, colours, height=_ROW * len(rows) + 60)
    most = max(high if np.isfinite(high) else value for _, value, _, high, _ in rows)
    figure.update_xaxes(tickformat=".0%" if most >= 0.05 else ".1%", range=[0, 1.18 * most or 1], nticks=6)
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[words for words, *_ in rows],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    return figure


def reach_bars(measures: pd.DataFrame, colours: Palette, verb: InteractionVerb) -> go.Figure:
    """Draw how many users are shown one of the items, split by whether they had one before.

    Parameters
    ----------
    measures : pandas.DataFrame
        `GroupAnswer.measures`.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    figure = go.Figure()
    table = {(row["model"], row["measure"]): row for row in measures.to_dict("records")}
    for measure, short, words, colour in (
        ("had", "before", f"{verb.participle} one before", colours.positive),
        ("never", "never", f"never {verb.participle} one", colours.negative),
    ):
        rows = [table[model, measure] for model in (BASE, REFINED)]
        figure.add_bar(
            y=["base model", "refined model"],
            x=[row["count"] for row in rows],
            orientation="h",
            width=0.5,
            name=words,
            marker={"color": colour, "line": {"width": 1, "color": colours.background}},
            text=[f"{short}: {int(row['count']):,} ({_percent(row['value'])})" if row["count"] else "" for row in rows],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": colours.background, "size": 13},
            customdata=[[row["of"], row["low"], row["high"]] for row in rows],
            hovertemplate=f"%{{x:,}} of %{{customdata[0]:,}} shown one: {words}<br>95 % interval "
            "%{customdata[1]:.1%} to %{customdata[2]:.1%}<extra>%{y}</extra>",
        )
    lay_out(figure, colours, height=250)
    legend_across(figure, 40)
    figure.update_layout(barmode="stack", legend={"traceorder": "normal"})
    figure.update_xaxes(title=f"{verb.users} shown one", rangemode="tozero", nticks=6)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


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
        (0.16, "over_placebo", "over shuffled scores", colours.placebo, "square"),
    ):
        values, low, high = gains[prefix], gains[f"{prefix}_low"], gains[f"{prefix}_high"]
        if values.isna().all():
            continue
        figure.add_scatter(
            x=values,
            y=places + shift,
            mode="markers",
            name=name,
            marker={"size": 10, "color": colour, "symbol": symbol},
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
        text=[_percent(share) for share in rows["share"]],
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


def shelf_tree(tree: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw the catalogue as nested boxes: shelves and their boards, as large as they hold items.

    Parameters
    ----------
    tree : pandas.DataFrame
        ``id, parent`` ("" for shelves), ``name, items, purity`` (NaN where unknown), ``category`` (the commonest).
    colours : Palette
        From `theme.palette`.
    """
    top = tree["parent"] == ""
    shown = [
        shortened(str(name).partition("; ")[0], _SHELF) if shelf else shortened(str(name), _BOARD)
        for name, shelf in zip(tree["name"], top, strict=True)
    ]
    shades = sample_colorscale([list(stop) for stop in colours.sequential], tree["purity"].fillna(0.0).clip(0, 1))
    said = [
        [
            safe(str(name), 60),
            "no category" if np.isnan(purity) else f"{_percent(purity)} of them: {safe(str(category))}",
        ]
        for name, category, purity in zip(tree["name"], tree["category"], tree["purity"], strict=True)
    ]
    # The catalogue itself is the outermost box, without a colour.
    figure = go.Figure(
        go.Treemap(
            ids=["catalogue", *tree["id"]],
            parents=["", *tree["parent"].where(~top, "catalogue")],
            labels=["Whole catalogue", *map(safe, shown)],
            values=[int(tree["items"][top].sum()), *tree["items"].tolist()],
            branchvalues="total",
            marker={"colors": [colours.background, *shades], "line": {"width": 1, "color": colours.background}},
            customdata=[["Whole catalogue", ""], *said],
            hovertemplate="<b>%{customdata[0]}</b><br>%{value:,} items<br>%{customdata[1]}<extra></extra>",
            textfont={"size": 13},
            tiling={"pad": 2},
            pathbar={"visible": False},
            maxdepth=3,
        )
    )
    lay_out(figure, colours, height=520)
    # Boxes too small for their name show it when pointed at.
    figure.update_layout(margin={"l": 0, "r": 0, "t": 8, "b": 0}, uniformtext={"minsize": 10, "mode": "hide"})
    return figure


def _label(number: int, name: str) -> str:
    return name.capitalize() if number == 0 else f"{number}: {name}"


def _percent(share: float) -> str:
    """Write a share with as many digits as tell it from 0."""
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.0995 else f"{100 * share:.1f} %"
