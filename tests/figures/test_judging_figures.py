"""Figures of tests put to people: every group with its interval, and labels that cannot be markup."""

import pandas as pd
import pytest

from guidedrec_core.figures.judging.results import group_intervals
from guidedrec_core.figures.theme import LIGHT


@pytest.fixture
def estimates() -> pd.DataFrame:
    rows = [
        ("none", "without", "accuracy", 0.5, 0.4, 0.6, 40),
        ("explanation", "<b>with</b>", "accuracy", 0.75, 0.6, 0.9, 40),
        ("placebo", "placebo", "accuracy", float("nan"), float("nan"), float("nan"), 0),
        ("none", "without", "brier", 0.25, float("nan"), float("nan"), 40),
    ]
    return pd.DataFrame(rows, columns=["group", "label", "measure", "value", "low", "high", "n"])


def test_each_group_with_answers_has_a_mark_an_interval_and_a_label(estimates: pd.DataFrame) -> None:
    figure = group_intervals(estimates, "accuracy", LIGHT)
    assert [list(trace.x) for trace in figure.data] == [[0.5], [0.75]]
    assert [trace.marker.color for trace in figure.data] == [LIGHT.base, LIGHT.refined]
    assert list(figure.data[1].error_x.array) == pytest.approx([0.15])
    texts = [note.text for note in figure.layout.annotations]
    assert texts == [
        "without: <b>50 % (40 % to 60 %), n = 40</b>",
        "&lt;b&gt;with&lt;/b&gt;: <b>75 % (60 % to 90 %), n = 40</b>",
    ]
    assert [shape.x0 for shape in figure.layout.shapes] == [0.5]


def test_a_score_without_an_interval_is_a_mark_alone(estimates: pd.DataFrame) -> None:
    figure = group_intervals(estimates, "brier", LIGHT)
    assert list(figure.data[0].error_x.array) == [0]
    assert figure.layout.annotations[0].text == "without: <b>0.25, n = 40</b>"
    assert group_intervals(estimates[:0], "accuracy", LIGHT).data == ()
