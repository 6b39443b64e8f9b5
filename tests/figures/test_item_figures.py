"""Figures of an item show its numbers, in the agreed colours, and catalogue text as text."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.figures.items import attribute_bars, audience_bars, similarity_bars
from guidedrec_core.figures.theme import LIGHT

ATTRIBUTES = pd.DataFrame(
    {
        "attribute": ["warmth", "comfort"],
        "label": ["Warmth", "Comfort"],
        "low": ["cold", "<i>stiff</i>"],
        "high": ["deep cold", "soft"],
        "score": [8.0, np.nan],
        "catalogue_score": [3.0, 5.0],
        "z": [1.5, 0.0],
        "missing": [False, True],
    }
)
NEAR = pd.DataFrame(
    {
        "rank": [1, 2],
        "item_id": ["a", "b"],
        "title": ["<b>Tent</b>", "Stove"],
        "category": ["tents", "stoves"],
        "similarity": [0.6, 0.4],
        "why": ["both high on warmth", "bought in similar histories"],
        "also": [True, False],
        "warmth": [0.3, 0.1],
        "comfort": [-0.1, 0.0],
        "rest": [0.4, 0.3],
    }
)


def texts(figure: object) -> str:
    return str(figure.to_plotly_json())  # type: ignore[attr-defined]


def test_attribute_bars_show_scores_means_and_both_ends() -> None:
    figure = attribute_bars(ATTRIBUTES, (0, 10), LIGHT)
    _, bars, means = figure.data
    assert list(bars.x)[1] == 8.0
    assert np.isnan(next(iter(bars.x)))
    assert list(means.x) == [5.0, 3.0]
    assert bars.marker.color == LIGHT.text  # the colour of an item, not of a model
    said = [note.text for note in figure.layout.annotations]
    assert "Comfort · not scored, treated as average" in said
    assert {"cold", "deep cold", "soft"} <= set(said)
    assert "<i>" not in texts(figure)


def test_remarks_stand_beside_their_attributes() -> None:
    figure = attribute_bars(ATTRIBUTES, (0, 10), LIGHT, {"comfort": "set <b>by hand</b>", "other": "in doubt"})
    said = [note.text for note in figure.layout.annotations]
    assert "Comfort · not scored, treated as average · set &lt;b&gt;by hand&lt;/b&gt;" in said
    assert "Warmth" in said


def test_a_scale_that_does_not_begin_at_zero() -> None:
    _, bars, _ = attribute_bars(ATTRIBUTES, (1, 9), LIGHT).data
    assert (bars.base, list(bars.x)[1]) == (1, 7.0)


def test_similarity_parts_sum_to_the_similarity() -> None:
    figure = similarity_bars(NEAR, {"warmth": "Warmth", "comfort": "Comfort"}, LIGHT.refined, LIGHT, BOUGHT)
    total = np.sum([np.array(trace.x, dtype=float) for trace in figure.data], axis=0)
    assert total == pytest.approx(NEAR["similarity"].to_numpy()[::-1])
    assert figure.data[0].marker.color == LIGHT.remainder
    assert "<b>Tent" not in texts(figure)
    assert any("&lt;b&gt;Tent" in note.text for note in figure.layout.annotations)


def test_many_attributes_are_gathered_and_still_sum() -> None:
    names = [f"a{n}" for n in range(9)]
    wide = NEAR.drop(columns=["warmth", "comfort"]).assign(**{name: 0.01 * n for n, name in enumerate(names)})
    wide["similarity"] = wide[[*names, "rest"]].sum(axis=1)
    figure = similarity_bars(wide, {name: name for name in names}, LIGHT.refined, LIGHT, BOUGHT)
    assert [trace.name for trace in figure.data] == ["purchase patterns", "a8", "a7", "a6", "6 other attributes"]
    total = np.sum([np.array(trace.x, dtype=float) for trace in figure.data], axis=0)
    assert total == pytest.approx(wide["similarity"].to_numpy()[::-1])


def test_a_base_space_has_one_part_in_its_colour() -> None:
    base = NEAR.drop(columns=["warmth", "comfort", "rest"])
    figure = similarity_bars(base, {"warmth": "Warmth"}, LIGHT.base, LIGHT, BOUGHT)
    assert [trace.marker.color for trace in figure.data] == [LIGHT.base]
    assert not figure.layout.showlegend


def test_audience_counts_places() -> None:
    audience = pd.DataFrame({"user_id": ["u", "v"], "base_rank": [1.0, np.nan], "refined_rank": [3.0, 3.0]})
    base, refined = audience_bars(audience, 4, LIGHT, BOUGHT).data
    assert list(base.y) == [1, 0, 0, 0]
    assert list(refined.y) == [0, 0, 2, 0]


def test_long_ends_of_a_scale_are_cut_after_a_word_and_use_the_room_that_there_is() -> None:
    low, high = "no mention of origin", "recycled, repairable, certified: the point of the product"
    frame = ATTRIBUTES.assign(low=low, high=high)
    texts = [note.text for note in attribute_bars(frame, (0, 10), LIGHT).layout.annotations]
    assert low in texts
    assert "recycled, repairable, certified: the point of the…" in texts
