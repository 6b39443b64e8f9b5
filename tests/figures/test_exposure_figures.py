"""Who gains and who loses: gains above losses, the largest of both, with text from the data shown as it is."""

import pandas as pd

from guidedrec_core.figures.audience.exposure import exposure_bars
from guidedrec_core.figures.theme import LIGHT


def table(*changes: float) -> pd.DataFrame:
    names = [f"<b>{number}</b>" for number in range(len(changes))]
    frame = pd.DataFrame({"name": names, "before": 0.2, "change": changes})
    return frame.assign(after=frame["before"] + frame["change"])


def test_the_largest_gains_and_losses_are_drawn_in_their_colours() -> None:
    figure = exposure_bars(table(0.05, -0.04, 0.03, -0.02, 0.01, 0.0), "name", LIGHT, most=2)
    (bars,) = figure.data
    assert list(bars.x) == [5.0, 3.0, -2.0, -4.0]
    assert list(bars.marker.color) == [LIGHT.positive] * 2 + [LIGHT.negative] * 2
    assert next(iter(figure.layout.yaxis.ticktext)) == "&lt;b&gt;0&lt;/b&gt;"
    assert [note.text for note in figure.layout.annotations] == ["+5.00", "+3.00", "−2.00", "−4.00"]
    low, high = figure.layout.xaxis.range
    assert low < -4 < 5 < high


def test_small_changes_have_more_digits_and_none_is_an_empty_chart() -> None:
    figure = exposure_bars(table(0.0005, -0.0001), "name", LIGHT)
    assert [note.text for note in figure.layout.annotations] == ["+0.050", "−0.010"]
    assert not len(exposure_bars(table(0.0), "name", LIGHT).data[0].x)
