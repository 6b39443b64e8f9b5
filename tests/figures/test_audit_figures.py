"""Figures of audits: every order has its own line and look, and controls stand beside the explanations."""

import numpy as np
import pandas as pd

from guidedrec_core.audit.words import EXPLANATION_WORDS, QUESTION_WORDS
from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.figures.audit import fidelity_curves, planted_dots
from guidedrec_core.figures.theme import LIGHT

SHARES = np.linspace(0, 1, 3)


def test_each_order_is_a_line_of_its_own_look() -> None:
    rows = [
        ("history", direction, order, share, share * height)
        for direction in ("deletion", "insertion")
        for order, height in (("random", 1.0), ("explanation", 2.0), ("newest first", 1.5))
        for share in SHARES[::-1]
    ]
    curves = pd.DataFrame(rows, columns=["part", "direction", "order", "share", "score"])
    figure = fidelity_curves(curves, "history", "deletion", LIGHT, BOUGHT)
    assert [line.name for line in figure.data] == ["by the explanation", "newest first", "at random"]
    assert figure.data[0].x.tolist() == SHARES.tolist()
    assert figure.data[0].y.tolist() == [0, 1, 2]
    assert len({line.line.dash for line in figure.data}) == 3
    assert figure.data[0].line.color == LIGHT.refined
    assert figure.layout.yaxis.title.text == "average score lost"
    assert fidelity_curves(curves, "history", "insertion", LIGHT, BOUGHT).layout.xaxis.title.text == (
        "share of the past purchases put back"
    )


def test_truth_stands_beside_its_controls() -> None:
    rows = [
        (question, explanation, value, value - 0.02, value + 0.03)
        for question in ("reasons", "taste")
        for explanation, value in (("refined", 0.5), ("mixed_up", 0.0), ("plain_mean", 0.6))
    ]
    planted = pd.DataFrame(rows, columns=["question", "explanation", "value", "low", "high"])
    figure = planted_dots(planted, QUESTION_WORDS, EXPLANATION_WORDS, LIGHT)
    names = [dots.name for dots in figure.data]
    assert names == [EXPLANATION_WORDS[name] for name in ("refined", "mixed_up", "plain_mean")]
    assert list(figure.data[0].y) == [QUESTION_WORDS["taste"], QUESTION_WORDS["reasons"]]
    assert len({dots.marker.symbol for dots in figure.data}) == 3
    np.testing.assert_allclose(figure.data[0].error_x.array, 0.03)
    np.testing.assert_allclose(figure.data[0].error_x.arrayminus, 0.02)
