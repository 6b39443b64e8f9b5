"""The comparison of all arms at a glance."""

import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.report import BASE, PLACEBO, REFINED, SECOND_TRAINING
from guidedrec_core.evaluation.verdict import MODEL_WORDS, metric_label, model_meaning
from guidedrec_core.figures.evaluation import model_marker
from guidedrec_core.figures.theme import Palette, lay_out

_ARMS = (BASE, SECOND_TRAINING, PLACEBO, REFINED)
_ROW = 84


def arm_colours(colours: Palette) -> dict[str, str]:
    """Return the colour of each arm of the comparison."""
    return {
        BASE: colours.base,
        SECOND_TRAINING: colours.second,
        PLACEBO: colours.placebo,
        REFINED: colours.refined,
    }


def dumbbells(metrics: pd.DataFrame, colours: Palette, verb: InteractionVerb) -> go.Figure:
    """Draw base, both controls and refined for each metric, with 95 % intervals.

    Parameters
    ----------
    metrics : pandas.DataFrame
        `EvaluationReport.metrics`.
    colours : Palette
        Light or dark.
    verb : InteractionVerb
        What users do.
    """
    names = list(dict.fromkeys(metrics["metric"]))
    arms = [arm for arm in _ARMS if arm in set(metrics["model"])]
    colour = arm_colours(colours)
    figure = go.Figure()
    value = metrics.set_index(["model", "metric"])["value"]
    for n, name in enumerate(names):
        figure.add_shape(  # the gain, or loss, of refinement over the base
            type="rect",
            x0=value[BASE, name],
            x1=value[REFINED, name],
            y0=n - 0.42,
            y1=n + 0.42,
            fillcolor=colours.refined,
            opacity=0.12,
            line={"width": 0},
            layer="below",
        )
    for place, arm in enumerate(arms):
        rows = metrics[metrics["model"] == arm].set_index("metric").loc[names]
        # Arms lie a little apart, so that their intervals can be read.
        height = [n + (place - (len(arms) - 1) / 2) * 0.17 for n in range(len(names))]
        figure.add_scatter(
            x=rows["value"],
            y=height,
            mode="markers",
            name=MODEL_WORDS[arm],
            marker=model_marker(arm, colours, 13 if arm == REFINED else 10),
            error_x={
                "type": "data",
                "symmetric": False,
                "array": rows["ci_high"] - rows["value"],
                "arrayminus": rows["value"] - rows["ci_low"],
                "color": colour[arm],
                "thickness": 1.5,
                "width": 0,
            },
            customdata=list(zip(names, rows["ci_low"], rows["ci_high"], strict=True)),
            hovertemplate=f"<b>{MODEL_WORDS[arm]}</b>: {model_meaning(arm, verb)}<br>%{{customdata[0]}} %{{x:.4f}}, "
            "95 % interval %{customdata[1]:.4f} to %{customdata[2]:.4f}<extra></extra>",
        )
    lay_out(figure, colours, height=70 + _ROW * len(names))
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[metric_label(name) for name in names],
        range=[len(names) - 0.45, -0.55],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(rangemode="tozero", tickformat=".2f", zeroline=False)
    for n in range(1, len(names)):
        figure.add_hline(y=n - 0.5, line={"color": colours.grid, "width": 1})
    return figure
