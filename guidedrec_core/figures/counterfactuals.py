"""Pictures of what would change a rank, what changed it, and what lost it."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from guidedrec_core import columns as c
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe, shortened

_LABEL = 26
_ROW = 30
_DASHES = ("solid", "dash", "dot", "dashdot")
_MOST = 9


def pull_curves(curves: pd.DataFrame, k: int, colours: Palette) -> go.Figure:
    """Draw how an item's rank changes as the user wants more or less of an attribute.

    Parameters
    ----------
    curves : pandas.DataFrame
        ``attribute, label, steps, rank``; a line an attribute, at most four.
    k : int
        Length of the list; marked.
    colours : Palette
        Light or dark.
    """
    figure = go.Figure()
    for place, (_, rows) in enumerate(curves.groupby("attribute", sort=False)):
        label = str(rows["label"].iloc[0])
        figure.add_scatter(
            x=rows["steps"],
            y=rows[c.RANK],
            mode="lines",
            name=safe(shortened(label, _LABEL)),
            line={"width": 2.5, "color": colours.categorical[place], "dash": _DASHES[place], "shape": "hv"},
            hovertemplate=f"{safe(label)} %{{x:+.1f}}: rank %{{y}}<extra></extra>",
        )
    figure.add_hline(y=k + 0.5, line={"color": colours.muted, "width": 1, "dash": "dot"})
    figure.add_annotation(
        x=0, xref="paper", y=np.log10(k + 0.5), text=f"top {k}", showarrow=False, xanchor="left", yanchor="bottom",
        font={"color": colours.muted, "size": 12}, bgcolor=colours.background,
    )  # fmt: skip
    lay_out(figure, colours, height=320)
    worst = float(curves[c.RANK].max()) if len(curves) else 10.0
    figure.update_yaxes(
        type="log", range=[np.log10(worst * 1.3), np.log10(0.8)], title={"text": "Rank"}, dtick=1, zeroline=False
    )
    figure.update_xaxes(title={"text": "Less or more of it (1 = typical difference in taste)"}, zeroline=True)
    return legend_across(figure, 36)


def rank_steps(parts: pd.DataFrame, base_rank: int, rank: int, colours: Palette) -> go.Figure:
    """Draw the way from the base rank to the refined one, a bar a part.

    Parameters
    ----------
    parts : pandas.DataFrame
        ``label, gained, error``, largest first; the smaller ones share a bar. Losses are drawn before gains.
    base_rank, rank : int
        Both ends.
    colours : Palette
        Light or dark.
    """
    shown, rest = parts.iloc[:_MOST], parts.iloc[_MOST:]
    if len(rest):
        error = float(np.sqrt((rest["error"] ** 2).sum()))
        together = {"label": f"{len(rest)} smaller parts", "gained": float(rest["gained"].sum()), "error": error}
        shown = pd.concat([shown, pd.DataFrame([together])], ignore_index=True)
    # Losses go first, so that the way never leads past the best rank there is.
    shown = shown.sort_values("gained", key=lambda gained: gained >= 0, kind="stable")
    gained, errors, labels = (shown[name].tolist() for name in ("gained", "error", "label"))
    ends = base_rank - np.cumsum(gained)
    starts = np.concatenate([[base_rank], ends[:-1]])
    rows = np.arange(len(labels)) + 1
    figure = go.Figure()
    figure.add_bar(
        x=ends - starts,
        base=starts,
        y=rows,
        orientation="h",
        width=0.62,
        showlegend=False,
        marker={"color": [colours.positive if gain >= 0 else colours.negative for gain in gained]},
        customdata=[(safe(label), gain, 2 * error) for label, gain, error in zip(labels, gained, errors, strict=True)],
        hovertemplate="<b>%{customdata[0]}</b>: %{customdata[1]:+.1f} places ± %{customdata[2]:.1f}<extra></extra>",
    )
    figure.add_scatter(
        x=[base_rank, rank],
        y=[0, len(labels) + 1],
        mode="markers",
        showlegend=False,
        marker={"size": 12, "symbol": "diamond", "color": [colours.base, colours.refined]},
        hovertemplate="rank %{x}<extra></extra>",
    )
    places = [base_rank, *np.maximum(starts, ends), rank]
    texts = [f"{base_rank:,}", *(f"{gain:+,.1f}" for gain in gained), f"{rank:,}"]
    for row, (place, text) in enumerate(zip(places, texts, strict=True)):
        figure.add_annotation(
            x=place, y=row, text=text, showarrow=False, xanchor="right", xshift=-8,
            font={"color": colours.text, "size": 13},
        )  # fmt: skip
    lay_out(figure, colours, height=44 + _ROW * (len(labels) + 2))
    low, high = float(min(starts.min(), ends.min(), rank)), float(max(starts.max(), ends.max(), rank))
    room = 0.14 * max(high - low, 1.0)
    # Better ranks lie to the right, as gains do elsewhere.
    figure.update_xaxes(range=[high + 1.6 * room, low - room], title={"text": "Rank"}, zeroline=False)
    _name_rows(figure, ["Base model", *labels, "Refined model"])
    return figure


def contrast_bars(parts: pd.DataFrame, colours: Palette, most: int = 10) -> go.Figure:
    """Draw what each part adds to a score over another item's, largest loss first.

    Parameters
    ----------
    parts : pandas.DataFrame
        ``label, value``, sorted; the smallest ones are left to the table.
    colours : Palette
        Light or dark.
    most : int
        Bars at most.
    """
    kept = parts["value"].abs().sort_values(ascending=False, kind="stable").index[:most]
    rows = parts.loc[parts.index.isin(kept)].reset_index(drop=True)
    figure = go.Figure(
        go.Bar(
            x=rows["value"],
            y=rows.index,
            orientation="h",
            width=0.62,
            marker={"color": np.where(rows["value"] >= 0, colours.positive, colours.negative)},
            text=[f"{value:+.2f}" for value in rows["value"]],
            textposition="outside",
            cliponaxis=False,
            customdata=[safe(label) for label in rows["label"]],
            hovertemplate="<b>%{customdata}</b> %{x:+.3f}<extra></extra>",
        )
    )
    lay_out(figure, colours, height=44 + _ROW * max(len(rows), 1))
    largest = 1.25 * float(rows["value"].abs().max()) if len(rows) else 1.0
    figure.update_xaxes(range=[-largest, largest], zeroline=True, zerolinewidth=1)
    _name_rows(figure, list(rows["label"]))
    return figure


def _name_rows(figure: go.Figure, labels: list[str]) -> None:
    """Write a label next to each row, the first on top."""
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=[safe(shortened(label, _LABEL)) for label in labels],
        range=[len(labels) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_layout(margin={"t": 6})
