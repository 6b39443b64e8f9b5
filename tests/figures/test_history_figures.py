"""Bars and map of a history's explanation show all of it, and nothing reads titles as markup."""

import numpy as np
import pandas as pd
import pytest
from tiny import HOSTILE_TITLE

from guidedrec_core.figures import history as figures
from guidedrec_core.figures.theme import DARK, LIGHT, Palette, safe


def items(values: list[float], margin: float = 0.0) -> pd.DataFrame:
    n = len(values)
    return pd.DataFrame(
        {
            "number": np.arange(n, 0, -1),
            "item_id": [f"i{k}" for k in range(n)],
            "title": [HOSTILE_TITLE, *(f"Thing {k}" for k in range(1, n))],
            "value": values,
            "margin": np.linspace(margin, 0, n),
            "without": -np.array(values),
        }
    )


def matrix(n: int, n_attributes: int) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(n, n_attributes + 1))
    return pd.DataFrame(values, columns=[*(f"Attribute {k}" for k in range(n_attributes)), "Purchase patterns"])


def test_bars_stand_newest_first_in_the_colour_of_their_sign() -> None:
    bar = figures.item_bars(items([0.4, -0.2, 0.1]), LIGHT).data[0]
    assert list(bar.x) == [0.4, -0.2, 0.1]
    assert list(bar.marker.color) == [LIGHT.positive, LIGHT.negative, LIGHT.positive]
    assert not bar.error_x.visible


def test_sampled_shares_have_whiskers() -> None:
    bar = figures.item_bars(items([0.4, -0.2, 0.1], margin=0.1), LIGHT).data[0]
    assert bar.error_x.visible
    assert list(bar.error_x.array) == [0.1, 0.05, 0.0]


def test_many_items_share_the_last_bar_and_nothing_is_lost() -> None:
    table = items([float(k) for k in range(20)])
    figure = figures.item_bars(table, LIGHT, most=12)
    bar = figure.data[0]
    assert len(bar.x) == 13
    assert sum(bar.x) == pytest.approx(table["value"].sum())
    assert figure.layout.yaxis.ticktext[-1] == "8 other items"
    assert list(bar.x[:12]) == [float(k) for k in range(8, 20)]
    assert len(figures.item_bars(items([1.0] * 13), LIGHT, most=12).data[0].x) == 13  # one alone is not hidden


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize(("n", "n_attributes"), [(1, 0), (3, 2), (30, 16)])
def test_the_maps_margins_are_sums_and_its_colours_are_centred(n: int, n_attributes: int, colours: Palette) -> None:
    table = matrix(n, n_attributes)
    listed = items(table.sum(axis=1).tolist())
    figure = figures.item_attribute_map(listed, table, colours)
    z = np.array(figure.data[0].z)
    assert z.shape == (min(n, 13) + 1, min(n_attributes, 8) + 2)
    np.testing.assert_allclose(z[:-1, :-1].sum(axis=0), z[-1, :-1])
    np.testing.assert_allclose(z[:, :-1].sum(axis=1), z[:, -1])
    assert z[-1, -1] == pytest.approx(table.to_numpy().sum())
    np.testing.assert_allclose(z[-1, -2], table["Purchase patterns"].sum())
    assert figure.data[0].zmin == -figure.data[0].zmax
    single = table.iloc[:, :-1] if n_attributes else table
    assert figure.data[0].zmax == pytest.approx(single.abs().to_numpy().max())
    assert figure.layout.xaxis.ticktext[-1] == "Total"


def test_titles_cannot_become_markup() -> None:
    table = items([0.4, 0.2])
    for figure in (figures.item_bars(table, LIGHT), figures.item_attribute_map(table, matrix(2, 2), LIGHT)):
        shown = figure.data[0].customdata[0]
        assert (shown[0] if isinstance(shown[0], str) else shown[0][0]) == safe(HOSTILE_TITLE, 60)
        assert "<b>Tent" not in figure.to_json()
        assert "<b>Tent" not in figure.layout.yaxis.ticktext[0]


def test_each_removal_shows_both_ranks() -> None:
    steps = pd.DataFrame(
        {
            "number": [2, 1],
            "item_id": ["a", "b"],
            "title": ["Up", "A <b>bold</b> one"],
            "without": [9, 40],
            "alone": [3, 1],
        }
    )
    figure = figures.removal_steps(steps, 1, 40, 10, LIGHT)
    alone, without = figure.data
    assert (list(alone.x), list(without.x)) == ([40, 3, 1], [1, 9, 40])
    assert [note.text for note in figure.layout.annotations] == ["40", "1", "3", "9", "1", "40"]
    assert "<b>" not in "".join(figure.layout.yaxis.ticktext)
    assert list(figures.removal_steps(steps, 1, 40, 10, LIGHT, most=1).data[1].x) == [1, 9]
