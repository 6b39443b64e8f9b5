"""Shares and scores of a test's groups with 95 % intervals, readable on a phone: each label stands above its line."""

import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.figures.theme import Palette, lay_out, safe, shortened

_ROW = 64
_LABEL = 46
_REFERENCE = {"preference": 0.5, "accuracy": 0.5, "brier": 0.25}
_TITLES = {
    "preference": "prefer its list",
    "accuracy": "right answers",
    "brier": "Brier score, lower is better",
}


def group_intervals(estimates: pd.DataFrame, measure: str, colours: Palette, what: str = "") -> go.Figure:
    """Draw one measure of each group of answers, with its interval and what knowing nothing would give.

    Parameters
    ----------
    estimates : pandas.DataFrame
        `guidedrec_core.judging.analysis.Results.estimates`.
    measure : {"preference", "accuracy", "brier"}
        Which one.
    colours : Palette
        From `theme.palette`.
    what : str
        Title of the axis, instead of the measure's own.
    """
    rows = estimates[(estimates["measure"] == measure) & (estimates["n"] > 0)].reset_index(drop=True)
    figure = go.Figure()
    for place, row in rows.iterrows():
        colour, symbol = _look(str(row["group"]), colours)
        low, high = (row[side] if row[side] == row[side] else row["value"] for side in ("low", "high"))
        figure.add_scatter(
            x=[row["value"]],
            y=[place],
            mode="markers",
            marker={"size": 13, "color": colour, "symbol": symbol, "line": {"width": 2, "color": colour}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - row["value"]],
                "arrayminus": [row["value"] - low],
                "color": colour,
                "thickness": 2,
                "width": 0,
            },
            hovertemplate=f"{safe(str(row['label']))}: {_written(row, measure)}<extra></extra>",
            showlegend=False,
            cliponaxis=False,
        )
        figure.add_annotation(
            x=0,
            xref="paper",
            y=place,
            yshift=20,
            text=f"{safe(shortened(str(row['label']), _LABEL))}: <b>{_written(row, measure)}</b>",
            showarrow=False,
            xanchor="left",
            font={"color": colours.text, "size": 13},
            bgcolor=colours.background,
        )
    lay_out(figure, colours, height=_ROW * max(len(rows), 1) + 64)
    figure.add_vline(x=_REFERENCE[measure], line={"color": colours.muted, "width": 1, "dash": "dot"}, layer="below")
    figure.update_yaxes(range=[len(rows) - 0.5, -0.75], visible=False)
    percent = measure != "brier"
    figure.update_xaxes(
        range=[-0.02, 1.02] if percent else [-0.01, max(0.52, float(rows["high"].max()) if len(rows) else 0) + 0.02],
        tickformat=".0%" if percent else ".2f",
        title=safe(what or _TITLES[measure]),
        zeroline=False,
        nticks=6,
    )
    return figure


def _look(group: str, colours: Palette) -> tuple[str, str]:
    """Return the colour and symbol of a group, as they are elsewhere in the app."""
    return {
        "none": (colours.base, "circle"),
        "explanation": (colours.refined, "circle"),
        "placebo": (colours.placebo, "x-thin-open"),
        "all": (colours.refined, "circle"),
    }.get(group, (colours.remainder, "circle-open"))


def _written(row: pd.Series, measure: str) -> str:
    form = ".2f" if measure == "brier" else ".0%"
    value = f"{format(row['value'], form)}"
    if row["low"] == row["low"]:
        value += f" ({format(row['low'], form)} to {format(row['high'], form)})"
    return f"{value}, n = {row['n']:,}".replace("%", " %")
