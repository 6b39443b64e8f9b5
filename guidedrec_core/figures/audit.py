"""Figures of audits: what removing reasons costs, and how close explanations come to a planted truth."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.report import PLACEBO
from guidedrec_core.figures.evaluation import MODEL_SYMBOLS
from guidedrec_core.figures.theme import Palette, lay_out, legend_across

_HEIGHT = 320
_ROW = 64
ORDER_WORDS = {
    "explanation": "by the explanation",
    "attention": "by the model's attention",
    "newest first": "newest first",
    "random": "at random",
}
"""Orders of removing as people read them."""

_AXES = {
    "deletion": ("removed", "score lost"),
    "insertion": ("put back", "score regained"),
}


def fidelity_curves(
    curves: pd.DataFrame, part: str, direction: str, colours: Palette, verb: InteractionVerb
) -> go.Figure:
    """Draw what removing costs, or putting back regains, by the order in which it is done.

    Parameters
    ----------
    curves : pandas.DataFrame
        Table ``curves`` of an audit: ``part, direction, order, share, score``.
    part : {"history", "attributes"}
        Which.
    direction : {"deletion", "insertion"}
        Which.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    rows = curves[(curves["part"] == part) & (curves["direction"] == direction)]
    lines = {
        "explanation": {"color": colours.refined, "width": 3},
        "attention": {"color": colours.second, "width": 2, "dash": "dashdot"},
        "newest first": {"color": colours.base, "width": 2, "dash": "dot"},
        "random": {"color": colours.placebo, "width": 2, "dash": "dash"},
    }
    figure = go.Figure()
    for order, name in ORDER_WORDS.items():
        own = rows[rows["order"] == order].sort_values("share")
        if own.empty:
            continue
        figure.add_scatter(
            x=own["share"],
            y=own["score"],
            mode="lines",
            name=name,
            line=lines[order],
            hovertemplate=f"{name}: %{{x:.0%}}, %{{y:.2f}}<extra></extra>",
        )
    lay_out(figure, colours, height=_HEIGHT)
    done, cost = _AXES[direction]
    what = f"past {verb.nouns}" if part == "history" else "attributes"
    figure.update_xaxes(title=f"share of the {what} {done}", tickformat=".0%", showgrid=False)
    figure.update_yaxes(title=f"average {cost}")
    return legend_across(figure, 52)


def planted_dots(
    planted: pd.DataFrame, questions: Mapping[str, str], names: Mapping[str, str], colours: Palette
) -> go.Figure:
    """Draw rank correlations with the truth, each question a row, with 95 % intervals.

    Parameters
    ----------
    planted : pandas.DataFrame
        See `evaluation.planted.planted_truth`.
    questions, names : mapping of str to str
        Questions and explanations as people read them, in order.
    colours : Palette
        From `theme.palette`.
    """
    looks = {
        "refined": (colours.refined, "circle"),
        "plain_mean": (colours.base, "diamond"),
        "placebo": (colours.placebo, MODEL_SYMBOLS[PLACEBO]),
        "mixed_up": (colours.second, "triangle-up"),
    }
    figure = go.Figure()
    for explanation, name in names.items():
        rows = planted[planted["explanation"] == explanation].set_index("question")
        rows = rows.loc[[question for question in questions if question in rows.index]]
        if rows.empty:
            continue
        colour, symbol = looks[explanation]
        figure.add_scatter(
            x=rows["value"],
            y=[questions[question] for question in rows.index],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2, "color": colour}},
            error_x={
                "type": "data",
                "array": rows["high"] - rows["value"],
                "arrayminus": rows["value"] - rows["low"],
                "color": colour,
                "thickness": 1.5,
                "width": 4,
            },
            hovertemplate=f"%{{y}}, {name}: rank correlation %{{x:.2f}}<extra></extra>",
        )
    lay_out(figure, colours, height=_ROW * len(questions) + 110)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(title="agreement with the truth (1 = perfect, 0 = chance)")
    return legend_across(figure, 52)
