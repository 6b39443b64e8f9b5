"""Evaluation figures show the stored numbers with their intervals."""

import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.figures.evaluation import gain_forest, metric_intervals, slice_forest, training_curves
from guidedrec_core.figures.theme import LIGHT
from guidedrec_core.stages import Build


def test_each_model_with_its_interval(tiny_build: Build) -> None:
    metrics = tiny_build.evaluation.read_table("metrics")
    rows = metrics[metrics["metric"] == "NDCG@10"].set_index("model")
    figure = metric_intervals(metrics, "NDCG@10", LIGHT)
    assert len(figure.data) == 8
    last = figure.data[-1]
    assert last.marker.color == LIGHT.refined
    assert last.x[0] + last.error_x.array[0] == pytest.approx(rows.loc["refined", "ci_high"])
    assert last.x[0] - last.error_x.arrayminus[0] == pytest.approx(rows.loc["refined", "ci_low"])


def test_gains_over_each_control_with_a_zero_line(tiny_build: Build) -> None:
    differences = tiny_build.evaluation.read_table("differences")
    shares = ["relative", "relative_ci_low", "relative_ci_high"]
    differences[shares] = differences[shares].fillna(0.1)  # a tiny shop may leave some undefined
    figure = gain_forest(differences, "MRR", LIGHT)
    assert [trace.marker.color for trace in figure.data] == [LIGHT.base, LIGHT.second, LIGHT.placebo]
    rows = differences.set_index(["model", "against", "metric"]).loc[("refined", "placebo", "MRR")]
    assert figure.data[2].x[0] == pytest.approx(rows["relative"])
    assert figure.data[2].x[0] + figure.data[2].error_x.array[0] == pytest.approx(rows["relative_ci_high"])
    assert figure.layout.shapes[0].x0 == 0


def test_controls_that_were_run_get_a_row_of_their_own(tiny_build: Build) -> None:
    differences = tiny_build.evaluation.read_table("differences")
    placebo = differences[(differences["model"] == "refined") & (differences["against"] == "placebo")]
    more = [placebo.assign(against=control) for control in ("guided_only", "categories", "random_vectors")]
    figure = gain_forest(pd.concat([differences, *more]), "MRR", LIGHT)
    assert [trace.y[0] for trace in figure.data][3:] == [
        "over random numbers",
        "over categories instead of scores",
        "over scores only",
    ]
    looks = {(trace.marker.color, trace.marker.symbol) for trace in figure.data}
    assert len(looks) == 6


def test_an_undefined_relative_gain_makes_all_gains_absolute(tiny_build: Build) -> None:
    differences = tiny_build.evaluation.read_table("differences")
    wanted = (differences["model"] == "refined") & (differences["metric"] == "MRR")
    differences.loc[wanted & (differences["against"] == "placebo"), "relative"] = float("nan")
    figure = gain_forest(differences, "MRR", LIGHT)
    row = differences[wanted & (differences["against"] == "base")].iloc[0]
    base = figure.data[0]
    assert base.x[0] == pytest.approx(row["absolute"])
    assert base.x[0] + base.error_x.array[0] == pytest.approx(row["ci_high"])
    assert "%" not in figure.layout.xaxis.tickformat


def test_slices_show_the_gain_with_its_interval_and_are_faded_when_small(tiny_build: Build) -> None:
    slices = tiny_build.evaluation.read_table("slices")
    slices.loc[slices["slice"] == "6 to 10", "n_cases"] = 500
    figure = slice_forest(slices, "history length", "MRR", LIGHT, BOUGHT)
    rows = slices[(slices["slice_by"] == "history length") & (slices["metric"] == "MRR")]
    labels = list(figure.layout.yaxis.ticktext)
    assert all("case" in label for label in labels)
    assert [("too few" in label) for label in labels] == [n < 100 for n in rows.drop_duplicates("slice")["n_cases"]]
    solid = [trace for trace in figure.data if trace.opacity == 1]
    assert [trace.name for trace in solid] == ["over base", "over retrained", "over shuffled scores"]
    row = rows[(rows["model"] == "base") & (rows["slice"] == "6 to 10")].iloc[0]
    assert solid[0].x[0] == pytest.approx(row["gain"])
    assert solid[0].x[0] - solid[0].error_x.arrayminus[0] == pytest.approx(row["ci_low"])
    reach = figure.layout.xaxis.range
    ends = rows[rows["model"].isin(["base", "second_training", "placebo"]) & (rows["slice"] == "6 to 10")]
    assert reach[0] < min(ends["ci_low"].min(), 0)
    assert reach[1] > max(ends["ci_high"].max(), 0)
    pale = [trace for trace in figure.data if trace.opacity != 1]
    assert pale
    assert not any(trace.showlegend for trace in pale)


def test_the_kept_epoch_is_marked_and_the_placebo_dashed() -> None:
    curves = pd.DataFrame(
        {"model": ["base"] * 3 + ["placebo"], "epoch": [1, 2, 3, 1], "loss": [3, 2, 1, 3], "ndcg": [0.1, 0.3, 0.2, 0.1]}
    )
    base, kept, placebo, _ = training_curves(curves, "ndcg", "validation", LIGHT).data
    assert (list(kept.x), base.line.dash, placebo.line.dash) == ([2], "solid", "dash")
    assert len(training_curves(curves, "loss", "loss", LIGHT).data) == 2
