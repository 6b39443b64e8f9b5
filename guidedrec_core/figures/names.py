"""What decides the lists: shares of each name, what ranking by names costs, and what stands at the ends of the rest."""

import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.report import BASE, ITEM_KNN_RECENCY
from guidedrec_core.evaluation.verdict import MODEL_WORDS
from guidedrec_core.figures.theme import Palette, lay_out, safe, shortened
from guidedrec_core.language import percent

_ROW = 26
_LABEL = 26
_TITLE = 40
_MOST = 12


def line_shares(
    lines: pd.DataFrame, shares: pd.DataFrame, colours: Palette, verb: InteractionVerb, most: int = _MOST
) -> go.Figure:
    """Draw the share of each line in what decides the lists, the largest first, and what has no name last.

    Parameters
    ----------
    lines, shares : pandas.DataFrame
        See `NamedReport`.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    most : int
        Lines drawn each; the others are added up.
    """
    order = lines["share"].abs().sort_values(ascending=False, kind="stable").index
    shown, others = lines.loc[order[:most]], lines.loc[order[most:]]
    rows = [(label, share, colours.positive) for label, share in zip(shown["label"], shown["share"], strict=True)]
    if len(others):
        rows.append((f"{len(others)} others", float(others["share"].sum()), colours.positive))
    own = dict(zip(shares["part"], shares["share"], strict=True))
    if own["neighbours"]:
        rows.append((f"{verb.participle.capitalize()} together", own["neighbours"], colours.positive))
    rows.append((f"Other {verb.patterns}", own["unnamed"], colours.remainder))
    figure = go.Figure(
        go.Bar(
            x=[share for _, share, _ in rows],
            y=list(range(len(rows))),
            orientation="h",
            width=0.62,
            marker={"color": [colour if share >= 0 else colours.negative for _, share, colour in rows]},
            customdata=[safe(label) for label, _, _ in rows],
            hovertemplate="%{customdata}: %{x:.1%}<extra></extra>",
            showlegend=False,
        )
    )
    high = max(max(share for _, share, _ in rows), 0.0)
    for place, (_, share, _) in enumerate(rows):
        figure.add_annotation(
            x=max(share, 0.0),
            y=place,
            text=percent(share, 1),
            showarrow=False,
            xanchor="left",
            xshift=6,
            font={"color": colours.text, "size": 13},
        )
    lay_out(figure, colours, height=48 + _ROW * len(rows))
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[safe(shortened(label, _LABEL)) for label, _, _ in rows],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    low = min(min(share for _, share, _ in rows), 0.0)
    figure.update_xaxes(tickformat=".0%", range=[1.1 * low, 1.18 * high or 1.0], zeroline=True)
    return figure


def frontier(table: pd.DataFrame, metrics: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw ranking quality by how much of what has no name counts, with base and similar items as lines.

    Parameters
    ----------
    table : pandas.DataFrame
        `NamedReport.frontier`.
    metrics : pandas.DataFrame
        `EvaluationReport.metrics`, with NDCG@10.
    colours : Palette
        From `theme.palette`.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=table["unnamed_spread"],
        y=table["ndcg"],
        mode="lines+markers",
        line={"color": colours.refined, "width": 2},
        marker={"size": 10, "color": colours.refined},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": table["ci_high"] - table["ndcg"],
            "arrayminus": table["ndcg"] - table["ci_low"],
            "color": colours.refined,
            "thickness": 1,
            "width": 3,
        },
        customdata=table["unnamed_weight"],
        hovertemplate="weight %{customdata:.2f}: NDCG@10 %{y:.4f}, %{x:.0%} of the differences without a name"
        "<extra></extra>",
        showlegend=False,
    )
    own = metrics[metrics["metric"] == "NDCG@10"].set_index("model")["value"]
    for model, dash in ((BASE, "dash"), (ITEM_KNN_RECENCY, "dot")):
        if model in own:
            colour = colours.base if model == BASE else colours.muted
            figure.add_hline(y=float(own[model]), line={"color": colour, "dash": dash, "width": 1.5})
            figure.add_annotation(
                x=1,
                xref="paper",
                y=float(own[model]),
                text=MODEL_WORDS[model],
                showarrow=False,
                xanchor="right",
                yanchor="bottom",
                font={"color": colours.text, "size": 13},
            )
    lay_out(figure, colours, height=360)
    right = float(table["unnamed_spread"].max())
    figure.update_xaxes(
        tickformat=".0%", title="Differences without a name", range=[-0.06 * right, 1.25 * right or 1.0]
    )
    figure.update_yaxes(title="Ranking quality, top 10", rangemode="normal")
    return figure


def direction_ends(ends: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw the items at both ends of a direction that has no name, those of the high end first.

    Parameters
    ----------
    ends : pandas.DataFrame
        ``title, loading``, in the order of the rows drawn.
    colours : Palette
        From `theme.palette`.
    """
    loadings = ends["loading"].astype(float)
    figure = go.Figure(
        go.Bar(
            x=loadings,
            y=list(range(len(ends))),
            orientation="h",
            width=0.62,
            marker={"color": [colours.positive if loading >= 0 else colours.negative for loading in loadings]},
            customdata=[safe(title) for title in ends["title"]],
            hovertemplate="%{customdata}: %{x:+.2f}<extra></extra>",
            showlegend=False,
        )
    )
    lay_out(figure, colours, height=64 + _ROW * len(ends))
    figure.update_yaxes(
        tickvals=list(range(len(ends))),
        ticktext=[safe(shortened(title, _TITLE)) for title in ends["title"]],
        range=[len(ends) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(title="Place between the two ends", zeroline=True)
    return figure
