"""Evaluation figures show the stored numbers with their intervals."""

import pandas as pd
import pytest

from guidedrec_core.figures.evaluation import gain_forest, metric_intervals, slice_dots, training_curves
from guidedrec_core.figures.theme import LIGHT
from guidedrec_core.pipeline import Build


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
    figure = gain_forest(differences, LIGHT)
    assert [trace.marker.color for trace in figure.data] == [LIGHT.base, LIGHT.second, LIGHT.placebo]
    rows = differences[(differences["model"] == "refined") & (differences["against"] == "placebo")]
    assert list(figure.data[2].x) == pytest.approx(rows["relative"].tolist())
    assert figure.layout.shapes[0].x0 == 0


def test_an_undefined_relative_gain_makes_all_gains_absolute(tiny_build: Build) -> None:
    differences = tiny_build.evaluation.read_table("differences")
    differences.loc[0, ["relative", "relative_ci_low", "relative_ci_high"]] = float("nan")
    figure = gain_forest(differences, LIGHT)
    rows = differences[(differences["model"] == "refined") & (differences["against"] == "base")]
    base = figure.data[0]
    assert list(base.x) == pytest.approx(rows["absolute"].tolist())
    assert base.x[0] + base.error_x.array[0] == pytest.approx(rows["ci_high"].iloc[0])
    assert "%" not in figure.layout.xaxis.tickformat


def test_slices_say_how_many_cases_they_hold(tiny_build: Build) -> None:
    slices = tiny_build.evaluation.read_table("slices")
    figure = slice_dots(slices, "history length", "MRR", LIGHT)
    rows = slices[(slices["slice_by"] == "history length") & (slices["metric"] == "MRR")]
    refined = next(trace for trace in figure.data if trace.name == "refined")
    assert list(refined.x) == pytest.approx(rows[rows["model"] == "refined"]["value"].tolist())
    assert all("case" in label for label in refined.y)


def test_the_kept_epoch_is_marked_and_the_placebo_dashed() -> None:
    curves = pd.DataFrame(
        {"model": ["base"] * 3 + ["placebo"], "epoch": [1, 2, 3, 1], "loss": [3, 2, 1, 3], "ndcg": [0.1, 0.3, 0.2, 0.1]}
    )
    base, kept, placebo, _ = training_curves(curves, "ndcg", "validation", LIGHT).data
    assert (list(kept.x), base.line.dash, placebo.line.dash) == ([2], "solid", "dash")
    assert len(training_curves(curves, "loss", "loss", LIGHT).data) == 2
