"""What is said about a history agrees with its numbers."""

import numpy as np
import pytest

from guidedrec_core.explanation.history_shapley import HistoryShapley
from guidedrec_core.explanation.history_words import exactness_words, history_sentence, row_labels

TITLES = ["Up", "Gravity", "Prisoners (2013)"]


def shares(
    values: list[float], gains: list[float], exact: bool = True, error: float = 0.0, grouped: int = 1
) -> HistoryShapley:
    n = len(values)
    matrix = np.stack([np.array(values) - 0.5, np.full(n, 0.5)], axis=1)
    errors = np.linspace(0, error, n)
    score = sum(values) + 1.0
    return HistoryShapley(
        positions=np.arange(n),
        items=np.arange(n),
        grouped=grouped,
        matrix=matrix,
        cell_errors=np.zeros((n, 2)),
        errors=errors,
        without=score + np.array(gains),
        alone=np.array([0.7, 0.1]),
        bias=0.2,
        exact=exact,
        n_evaluations=1234,
    )


def test_the_sentence_names_what_did_most_and_what_holds_it_back() -> None:
    said = history_sentence(shares([-0.1, 0.31, 0.42], [0.2, -0.3, -0.5]), TITLES)
    assert said == (
        "Prisoners (2013) and Gravity did most for it (+0.42, +0.31); without Up it would score 0.20 higher. "
        "Without any history it would score 1.00, now 1.63."
    )


@pytest.mark.parametrize(
    ("values", "gains", "begin"),
    [
        ([0.01, 0.42, 0.02], [0.01, -0.5, 0.0], "Gravity did most for it (+0.42). "),
        ([-0.3, 0.01, 0.02], [0.04, 0.0, 0.0], "No past item did much for it. "),
        ([-0.3, 0.01, 0.02], [0.3, 0.0, 0.0], "No past item did much for it; without Up it would score 0.30 higher. "),
    ],
)
def test_what_hardly_counts_is_not_named(values: list[float], gains: list[float], begin: str) -> None:
    assert history_sentence(shares(values, gains), TITLES).startswith(begin)


def test_without_a_history_nothing_is_named() -> None:
    assert history_sentence(shares([], []), []) == (
        "There is no history, so that no past item counts; it scores 1.00 all the same."
    )


def test_items_that_share_a_row_are_counted_and_named_in_a_sentence() -> None:
    grouped = shares([0.6, 0.31, 0.42], [0.2, 0.0, 0.0], grouped=1951)
    labels = row_labels(grouped, TITLES)
    assert labels == ["The 1,951 oldest together", "Gravity", "Prisoners (2013)"]
    said = history_sentence(grouped, labels)
    assert said.startswith(
        "The 1,951 oldest together and Prisoners (2013) did most for it (+0.60, +0.42); without the 1,951"
    )
    assert row_labels(shares([0.1] * 3, [0.0] * 3), TITLES) == TITLES
    film = history_sentence(shares([-0.1, 0.31, 0.42], [0.2, 0, 0]), ["The Ring", "Gravity", "Up"])
    assert "without The Ring it" in film


def test_it_says_how_sure_it_is() -> None:
    assert exactness_words(shares([0.1], [0.0])) == (
        "Exact: the model scored it with each of the 1,234 selections of these items."
    )
    drawn = exactness_words(shares([0.1, 0.2], [0.0, 0.0], exact=False, error=0.04))
    assert "within ± 0.08" in drawn
    assert "1,234 of the selections" in drawn
    assert "within ± 0.01" in exactness_words(shares([0.1, 0.2], [0.0, 0.0], exact=False, error=1e-7))
