"""The comparison of all arms."""

import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.figures.overview import dumbbells
from guidedrec_core.figures.theme import LIGHT


def metrics(models: list[str]) -> pd.DataFrame:
    rows = [(m, k, 0.1 + i / 10, 0.05 + i / 10, 0.2 + i / 10) for i, m in enumerate(models) for k in ("MRR", "NDCG@10")]
    return pd.DataFrame(rows, columns=["model", "metric", "value", "ci_low", "ci_high"])


def test_each_arm_shows_its_means_and_intervals_and_baselines_are_left_to_the_evaluation() -> None:
    figure = dumbbells(metrics(["popularity", "base", "second_training", "placebo", "refined"]), LIGHT, BOUGHT)
    assert [trace.name for trace in figure.data] == [
        "base",
        "retrained without attributes",
        "shuffled scores",
        "refined",
    ]
    refined = figure.data[-1]
    assert list(refined.x) == [0.5, 0.5]
    assert refined.error_x.array[0] == pytest.approx(0.1)
    assert refined.marker.color == LIGHT.refined
    band = figure.layout.shapes[0]
    assert (band.x0, band.x1) == (0.2, 0.5)


def test_a_control_that_was_not_measured_is_not_drawn() -> None:
    assert [trace.name for trace in dumbbells(metrics(["base", "refined"]), LIGHT, BOUGHT).data] == ["base", "refined"]
