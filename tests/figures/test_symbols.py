"""A model has one form in every chart: shuffled scores are a cross wherever they are drawn as a point."""

import pandas as pd

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.evaluation.report import BASE, PLACEBO, REFINED, SECOND_TRAINING
from guidedrec_core.figures.audience.segments import segment_forest
from guidedrec_core.figures.audit import planted_dots
from guidedrec_core.figures.evaluation import metric_intervals
from guidedrec_core.figures.overview import dumbbells
from guidedrec_core.figures.theme import LIGHT

ARMS = (BASE, SECOND_TRAINING, PLACEBO, REFINED)


def test_shuffled_scores_are_the_same_cross_everywhere_and_nothing_else_is() -> None:
    rows = [(arm, "Recall@10", 0.2, 0.1, 0.3) for arm in ARMS]
    metrics = pd.DataFrame(rows, columns=["model", "metric", "value", "ci_low", "ci_high"])
    one = [trace.marker.symbol for trace in metric_intervals(metrics, "Recall@10", LIGHT).data]
    two = [trace.marker.symbol for trace in dumbbells(metrics, LIGHT, BOUGHT).data]
    assert one == two
    cross = one[ARMS.index(PLACEBO)]
    assert cross == "x-thin-open"
    assert one.count(cross) == 1
    numbers = {f"{name}{end}": [0.1] for name in ("gain", "over_placebo") for end in ("", "_low", "_high")}
    gains = pd.DataFrame({"segment": [0], "name": ["everybody"], "n_cases": [9], **numbers})
    assert [trace.marker.symbol for trace in segment_forest(gains, LIGHT).data] == ["circle", cross]
    planted = pd.DataFrame(
        [("taste", name, 0.5, 0.4, 0.6) for name in ("refined", "placebo")],
        columns=["question", "explanation", "value", "low", "high"],
    )
    names = {"refined": "explanation", "placebo": "of shuffled scores"}
    dots = planted_dots(planted, {"taste": "Taste"}, names, LIGHT).data
    assert [trace.marker.symbol for trace in dots] == ["circle", cross]
    assert all(trace.marker.line.width for trace in dots)  # a thin cross is nothing but its line
