"""Figures of scores show their numbers, stay readable with many attributes, and take texts as text."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.figures.attributes import agreement_dots, correlation_map, histograms, people_dots
from guidedrec_core.figures.theme import DARK, LIGHT
from guidedrec_core.reliability.distribution import score_counts, score_facts


def schema(count: int) -> AttributeSchema:
    ends = {"low": "<b>little</b>", "high": "much"}
    return AttributeSchema.parse({"attributes": [{"name": f"attribute_{n}", **ends} for n in range(count)]})


def drawn(count: int, seed: int = 0) -> GuidedScores:
    values = np.random.default_rng(seed).integers(0, 11, (50, count)).astype(np.float32)
    values[:30, 0] = 7
    values[0, 1] = np.nan
    return GuidedScores(values, schema(count))


def test_histograms_mark_the_commonest_score_of_each_attribute() -> None:
    scores = drawn(3)
    counts, facts = score_counts(scores), score_facts(scores)
    figure = histograms(counts, facts, scores.schema, LIGHT)
    assert len(figure.data) == 3
    first = figure.data[0]
    assert list(first.y) == pytest.approx(counts["share"][:11].tolist())
    peak = int(np.argmax(first.y))
    assert peak == 7
    assert [colour == LIGHT.refined for colour in first.marker.color] == [place == 7 for place in range(11)]
    assert [text for text in first.text if text] == [f"{100 * max(first.y):.0f} %"]
    assert "1 items not scored" in figure.data[1].hovertemplate
    assert "<b>little" not in str(figure.to_plotly_json())


@pytest.mark.parametrize(("count", "rows"), [(3, 1), (4, 1), (16, 4), (64, 16)])
def test_small_charts_stand_four_in_a_row_of_one_height(count: int, rows: int) -> None:
    scores = drawn(count)
    figure = histograms(score_counts(scores), score_facts(scores), scores.schema, DARK)
    bottoms = {round(figure.layout[f"yaxis{n or ''}"].domain[0], 4) for n in [None, *range(2, count + 1)]}
    assert len(bottoms) == rows
    assert figure.layout.height == pytest.approx(150 * rows + 24)
    ranges = {tuple(figure.layout[f"yaxis{n or ''}"].range) for n in [None, *range(2, count + 1)]}
    assert len(ranges) == 1
    assert [note.text for note in figure.layout.annotations][:2] == ["Attribute 0", "Attribute 1"]


def test_nothing_scored_draws_nothing_and_does_not_fail() -> None:
    scores = GuidedScores(np.full((4, 2), np.nan, dtype=np.float32), schema(2))
    figure = histograms(score_counts(scores), score_facts(scores), scores.schema, LIGHT)
    assert all(not any(trace.y) for trace in figure.data)
    assert correlation_map(np.full((2, 2), np.nan), scores.schema, 0.8, LIGHT).layout.annotations == ()


AGREEMENT = pd.DataFrame(
    {
        "attribute": ["a", "b", "c"],
        "label": ["Warm", "<i>Soft</i>", "Light"],
        "level": ["excellent", "moderate", "unknown"],
        "icc": [0.97, 0.71, np.nan],
        "low": [0.93, 0.55, np.nan],
        "high": [0.99, 0.85, np.nan],
        "difference": [0.3, 1.2, 0.0],
        "sentence": ["Excellent: <b>so</b>.", "Moderate.", "Unknown."],
    }
)


def test_agreement_is_drawn_with_intervals_and_doubt_is_told_by_shape_too() -> None:
    figure = agreement_dots(AGREEMENT, LIGHT)
    dots = figure.data[0]
    assert list(dots.x) == [0.71, 0.97]  # what cannot be computed is left out
    assert list(np.round(dots.error_x.array, 2)) == [0.14, 0.02]
    assert list(np.round(dots.error_x.arrayminus, 2)) == [0.16, 0.04]
    assert list(dots.marker.symbol) == ["diamond-open", "circle"]
    assert figure.layout.xaxis.range[0] <= 0.55
    assert "<i>" not in str(figure.to_plotly_json())
    assert "<b>so" not in str(figure.to_plotly_json())


def test_the_map_shows_each_pair_once_and_numbers_only_the_alike() -> None:
    together = np.array([[1, 0.85, -0.9], [0.85, 1, 0.1], [-0.9, 0.1, 1]])
    figure = correlation_map(together, schema(3), 0.8, LIGHT)
    cells = np.array(figure.data[0].z, dtype=float)
    assert np.isfinite(cells).sum() == 3
    assert sorted(note.text for note in figure.layout.annotations) == ["-0.90", "0.85"]
    assert (figure.data[0].zmin, figure.data[0].zmid, figure.data[0].zmax) == (-1, 0, 1)


def test_what_people_say_is_drawn_with_intervals_next_to_categories_and_people() -> None:
    rows = pd.DataFrame(
        {
            "label": ["Warm", "<i>Soft</i>", "Light"],
            "said": ["strong", "weak: <b>may</b> be chance", "too few"],
            "verdict": ["strong", "weak", "too few"],
            "n_items": [90, 30, 0],
            "spearman": [0.7, 0.2, np.nan],
            "ci_low": [0.6, -0.1, np.nan],
            "ci_high": [0.75, 0.4, np.nan],
            "categories": [0.5, 0.1, np.nan],
            "people": [np.nan, np.nan, np.nan],
        }
    )
    figure = people_dots(rows, LIGHT)
    assert [trace.name for trace in figure.data] == ["categories", "scores"]  # of people nothing is known
    categories, dots = figure.data
    assert list(categories.x) == [0.1, 0.5]
    assert list(dots.x) == [0.2, 0.7]
    assert list(np.round(dots.error_x.array, 2)) == [0.2, 0.05]
    assert list(np.round(dots.error_x.arrayminus, 2)) == [0.3, 0.1]
    assert list(dots.marker.symbol) == ["diamond-open", "circle"]
    assert "<i>" not in str(figure.to_plotly_json())
    assert "<b>may" not in str(figure.to_plotly_json())
