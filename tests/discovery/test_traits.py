"""What an end is rich in: categories, ranges of numbers and words of titles, with their odds."""

import numpy as np
import pytest

from guidedrec_core.discovery.directions import ends
from guidedrec_core.discovery.traits import Traits
from guidedrec_core.facts.fact import Fact, Facts, standardised
from guidedrec_core.facts.splines import spline_columns

N = 200


@pytest.fixture
def traits() -> Traits:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 4, N)
    kinds[:20] = 1
    price = rng.uniform(1, 100, N)
    price[:20] = rng.uniform(90, 100, 20)
    price[150] = np.nan
    titles = [f"The Wizard, part {'Two' if i % 2 else 'One'}" if i < 12 else f"Thing {i}" for i in range(N)]
    marks, known = standardised(np.eye(4)[kinds]), np.where(np.isnan(price), 0.0, price)
    names = tuple(f"category {letter}" for letter in "abcd")
    columns = spline_columns(known, 2)
    facts = (
        Fact("category", "Category", "categories", marks, names, ("",) * N),
        Fact("price", "Price", "number", columns, ("",) * columns.shape[1], ("",) * N, price),
    )
    return Traits.of(Facts(facts, N), titles)


def test_ends_are_rich_in_what_was_planted(traits: Traits) -> None:
    rich = traits.rich_in(np.arange(20), np.arange(20, N), 10)
    texts = [trait.text for trait in rich]
    assert "“Wizard” in the title" in texts
    assert "Category: b" in texts
    assert sum(text.startswith("Price over") and text.endswith("to 100") for text in texts) <= 1
    assert any(trait.kind == "number" for trait in rich)
    assert not any("The" in text or "Thing" in text for text in texts)  # words that say nothing, or that many have
    wizard = rich[texts.index("“Wizard” in the title")]
    assert (wizard.items, wizard.share, wizard.elsewhere) == (12, 12 / 20, 0.0)
    lift = (12.5 / 20.5) / (0.5 / (N - 20 + 0.5))
    assert wizard.lift == pytest.approx(lift)
    assert 1 < wizard.low < wizard.lift < wizard.high


def test_random_items_are_rich_in_nothing(traits: Traits) -> None:
    rng, found = np.random.default_rng(1), 0
    for _ in range(40):
        drawn = rng.permutation(N)
        found += len(traits.rich_in(drawn[:20], drawn[20:]))
    assert found <= 2


def test_nothing_is_said_of_no_items(traits: Traits) -> None:
    assert traits.rich_in(np.arange(0), np.arange(N)) == ()
    assert traits.rich_in(np.arange(N), np.arange(0)) == ()
    assert Traits.of(Facts((), 3), ["one", "two", "six"]).rich_in(np.arange(1), np.arange(1, 3)) == ()


def test_ends_hold_known_items_of_the_right_sign() -> None:
    loadings = np.array([5.0, 4.0, -3.0, -6.0, 0.5, 0.1] + [0.0] * 24)
    weights = np.array([0.01, 3.0, 3.0, 3.0, 3.0, 3.0] + [3.0] * 24)
    high, low = ends(loadings, weights)
    assert high.tolist() == [1, 4, 5, 0]  # the last is hardly known
    assert low.tolist() == [3, 2]
    assert ends(loadings, np.zeros(30))[0].tolist() == [0, 1, 4, 5]
