"""What would change it, why not and why it moved, in words."""

from types import SimpleNamespace

import numpy as np
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.data.verbs import BOUGHT, WATCHED
from guidedrec_core.explanation.contrast import Contrast
from guidedrec_core.explanation.counterfactual import words
from guidedrec_core.explanation.counterfactual.history import HistoryEdit
from guidedrec_core.explanation.counterfactual.item_scores import ScoreEdit, ScoreEdits
from guidedrec_core.explanation.counterfactual.taste import Pull, PullEdits
from guidedrec_core.explanation.rank_change import RankChange
from guidedrec_core.explanation.why_not import WhyNot
from guidedrec_core.explanation.why_not_words import against_words, why_not_words
from guidedrec_core.naming.lines import Line

SCHEMA = AttributeSchema(attributes=tuple(Attribute(name=n, low="a", high="b") for n in ("warmth", "weight", "style")))
RAW = np.array([8.0, 2.5, np.nan], dtype=np.float32)


@pytest.mark.parametrize(
    ("edit", "removed", "said"),
    [
        (
            HistoryEdit("leave", 3, (2,), 14, True, 9),
            ["Stove"],
            "Without Stove in the purchase history, Tent would drop to 14th.",
        ),
        (
            HistoryEdit("enter", 12, (1, 2), 9, True, 9),
            ["Stove", "Mat"],
            "Without Stove and Mat in the purchase history, Tent would rise to 9th. Removing fewer is not enough.",
        ),
        (
            HistoryEdit("leave", 3, (0, 1, 2, 3), 11, False, 9),
            ["A", "B", "C", "D"],
            "Without A, B, C and D in the purchase history, Tent would drop to 11th. Not all smaller combinations were "
            "tried, so fewer may be enough.",
        ),
        (
            HistoryEdit("leave", 3, (), 3, True, 9),
            [],
            "Removing up to three past purchases does not make Tent leave the top 10.",
        ),
        (
            HistoryEdit("enter", 30, (), 30, False, 9),
            [],
            "Removing any of the combinations tried of past purchases does not make Tent enter the top 10.",
        ),
    ],
)
def test_edits_of_the_history(edit: HistoryEdit, removed: list[str], said: str) -> None:
    assert words.history_words("Tent", edit, removed, 10, BOUGHT) == said


def test_pulls() -> None:
    one, other = Pull(np.array([0.0, -0.55, 0.0]), 12), Pull(np.array([1.5, 0.0, 0.0]), 11)
    assert words.pull_words("Tent", PullEdits("leave", 3, 3.0, (one, other), None), SCHEMA, 10, BOUGHT) == [
        "If this customer wanted less weight (0.55 of a typical difference), Tent would drop to 12th.",
        "If this customer wanted more warmth (1.5 times a typical difference), Tent would drop to 11th.",
    ]
    both = Pull(np.array([1.0, 0.0, -2.0]), 10)
    assert words.pull_words("Tent", PullEdits("enter", 30, 3.0, (), both), SCHEMA, 10, WATCHED) == [
        "If this viewer wanted less style (2 times a typical difference) and more warmth (a typical difference), Tent "
        "would rise to 10th."
    ]
    assert words.pull_words("Tent", PullEdits("enter", 30, 3.0, (), None), SCHEMA, 10, BOUGHT) == [
        "No change of taste was found that brings it into the top 10, up to 3 typical differences on each attribute."
    ]


def test_scores() -> None:
    edit = ScoreEdit(np.array([-3.8, 0.0, 0.0]), 11)
    effects = np.zeros(3)
    assert words.score_words("Tent", ScoreEdits("leave", 3, effects, (edit,), None), RAW, SCHEMA, 10) == [
        "With warmth 4.2 instead of 8, Tent would drop to 11th."
    ]
    both = ScoreEdit(np.array([2.0, 7.5, 0.0]), 10)
    assert words.score_words("Tent", ScoreEdits("enter", 30, effects, (), both), RAW, SCHEMA, 10) == [
        "With weight 10 instead of 2.5 and warmth 10 instead of 8, Tent would rise to 10th."
    ]
    assert words.score_words("Tent", ScoreEdits("leave", 3, effects, (), None), RAW, SCHEMA, 10) == [
        "No other scores on this scale would take it out of the top 10."
    ]


def change(before: int, after: int, *gains: float) -> RankChange:
    return RankChange(before, after, np.array([*gains[:3], gains[4]]), gains[3], np.zeros(5), True)


def test_the_change_of_a_rank() -> None:
    said = words.rank_change_words("Tent", change(30, 4, 20.0, -2.0, 0.2, 7.8, 0.0), LABELS, BOUGHT)
    assert said == (
        "Tent went from 30th to 4th. Places gained or lost: +20 from warmth, +8 from other purchase patterns and "
        "-2 from weight."
    )
    same = words.rank_change_words("Tent", change(4, 4, 0.0, 0.0, 0.0, 0.0, 0.0), LABELS, BOUGHT)
    assert same == "Tent is 4th in both models."
    even = words.rank_change_words("Tent", change(4, 4, 3.0, 0.0, 0.0, -3.0, 0.0), LABELS, BOUGHT)
    assert even == (
        "Tent is 4th in both models, but for different reasons. Places gained or lost: +3 from warmth and -3 from "
        "other purchase patterns."
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.31, "explain an estimated 31 % of"), (-0.02, "explain almost none of"), (np.nan, "too few items to estimate")],
)
def test_the_surrogate_is_an_estimate(share: float, said: str) -> None:
    assert said in words.surrogate_words(SimpleNamespace(r2_attributes=share), BOUGHT)


LABELS = [*(attribute.label for attribute in SCHEMA.attributes), "Popularity"]
LINES = (
    *(Line("attribute", attribute.name, attribute.label) for attribute in SCHEMA.attributes),
    Line("popularity", "popularity", "Popularity"),
)


def parts(*values: float) -> Contrast:
    """Compare two items: three attributes, what no name covers, and popularity."""
    row = np.array([values])
    return Contrast(LINES, row[:, [0, 1, 2, 4]], np.zeros(1), row[:, 3], row.sum(axis=1))


def test_why_not() -> None:
    out = WhyNot("outranked", 10, 31, 700, 5, parts(-0.7, 0.3, 0.01, -0.3, 0.04))
    assert why_not_words("Tent", out, "Mat", BOUGHT) == (
        "Tent is 31st, 0.65 below Mat, the last in the top 10, with 20 items in between. It lost because of warmth "
        "(-0.70) and other purchase patterns (-0.30); weight (+0.30) helped."
    )
    next_ = WhyNot("outranked", 10, 11, 700, 5, parts(0.0, 0.0, 0.0, -0.3, 0.0))
    assert why_not_words("Tent", next_, "Mat", WATCHED) == (
        "Tent is 11th, 0.30 below Mat, the last in the top 10. It lost because of other viewing patterns (-0.30)."
    )
    listed = WhyNot("listed", 10, 2, 700, 5, parts(0.5, -0.2, 0.0, 0.1, 0.0))
    assert why_not_words("Tent", listed, "Mat", BOUGHT) == (
        "Tent is recommended: it is 2nd, 0.40 above Mat, the first item outside the list, mostly because of warmth "
        "(+0.50) and other purchase patterns (+0.10)."
    )
    everything = WhyNot("listed", 10, 2, 9, None, None)
    assert why_not_words("Tent", everything, "", BOUGHT) == "Tent is recommended: it is 2nd of 9."
    seen = WhyNot("seen", 10, 0, 700, None, None)
    said = why_not_words("Tent", seen, "", BOUGHT)
    assert said == "Tent is not recommended because this customer has already bought it."


def test_against() -> None:
    above = parts(0.7, -0.3, 0.01, 0.3, -0.04)
    assert against_words("Tent", "Mat", above, BOUGHT) == (
        "Tent scores 0.67 above Mat, because of warmth (+0.70) and other purchase patterns (+0.30); weight (-0.30) "
        "works against it."
    )
    below = against_words("Tent", "Mat", parts(-0.7, 0, 0, 0, 0), BOUGHT)
    assert below == "Tent scores 0.70 below Mat, because of warmth (-0.70)."
    mixed = against_words("Tent", "Mat", parts(-0.7, 0.2, 0.1, 0, 0), BOUGHT)
    assert mixed == "Tent scores 0.40 below Mat, because of warmth (-0.70); weight (+0.20) and style (+0.10) help."
