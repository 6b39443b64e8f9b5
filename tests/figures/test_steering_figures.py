import pandas as pd
import pytest

from guidedrec_core.figures.steering import mix_change
from guidedrec_core.figures.theme import DARK, LIGHT


def mix(n: int = 9) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "attribute": [f"a{i}" for i in range(n)],
            "label": ["<b>Warmth</b>", *(f"Label {i}" for i in range(1, n))],
            "low": "little",
            "high": "much",
            "before": [5.0] * n,
            "after": [5.0 + (i if i % 2 else -i) / 4 for i in range(n)],
        }
    )


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_attributes_that_changed_most_stand_first_from_before_to_after(colours) -> None:
    figure = mix_change(mix(), (0, 10), colours)
    bar, before, after = figure.data
    assert list(figure.layout.yaxis.ticktext) == [f"Label {i}" for i in (8, 7, 6, 5, 4, 3)]
    assert list(before.x) == [5.0] * 6
    assert list(after.x) == [3.0, 6.75, 3.5, 6.25, 4.0, 5.75]
    assert list(bar.base + bar.x) == list(after.x)
    assert list(bar.marker.color) == [colours.negative, colours.positive] * 3
    assert before.marker.symbol != after.marker.symbol  # not told by colour alone


def test_labels_are_text() -> None:
    assert mix_change(mix(1), (0, 10), LIGHT).layout.yaxis.ticktext == ("&lt;b&gt;Warmth&lt;/b&gt;",)
