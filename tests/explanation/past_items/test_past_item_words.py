"""What is said about a history agrees with its numbers."""

import numpy as np
import pytest

from guidedrec_core.data.verbs import BOUGHT, WATCHED
from guidedrec_core.explanation.past_items.shapley import HistoryShapley
from guidedrec_core.explanation.past_items.words import exactness_words, history_sentence, row_labels

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


def test_the_sentence_names_what_contributed_most_and_what_holds_it_back() -> None:
    said = history_sentence(shares([-0.1, 0.31, 0.42], [0.2, -0.3, -0.5]), TITLES, WATCHED)
    assert said == (
        "Prisoners (2013) and Gravity contributed most (+0.42, +0.31); without Prisoners (2013) the score would be "
        "0.50 lower. Up works against it most (-0.10); without it the score would be 0.20 higher. "
        "Without any past viewings the score would be 1.00; it is 1.63."
    )


@pytest.mark.parametrize(
    ("values", "gains", "begin"),
    [
        (
            [0.01, 0.42, 0.02],
            [0.01, -0.5, 0.0],
            "Gravity contributed most (+0.42); without Gravity the score would be 0.50 lower. ",
        ),
        ([-0.04, 0.01, 0.02], [0.3, 0.0, 0.0], "No past purchase contributed much. Without any "),
        (
            [-0.3, 0.01, 0.02],
            [0.3, 0.0, 0.0],
            "No past purchase contributed much. Up works against it most (-0.30); without it the score would be 0.30 "
            "higher. ",
        ),
    ],
)
def test_what_hardly_counts_is_not_named(values: list[float], gains: list[float], begin: str) -> None:
    assert history_sentence(shares(values, gains), TITLES, BOUGHT).startswith(begin)


def test_without_a_history_nothing_is_named() -> None:
    assert history_sentence(shares([], []), [], BOUGHT) == (
        "There are no past purchases, so none of them counts; the score is 1.00 anyway."
    )


def test_items_that_share_a_row_are_counted_and_named_in_a_sentence() -> None:
    grouped = shares([0.6, 0.31, 0.42], [0.2, 0.0, 0.0], grouped=1951)
    labels = row_labels(grouped, TITLES)
    assert labels == ["The 1,951 oldest together", "Gravity", "Prisoners (2013)"]
    said = history_sentence(grouped, labels, BOUGHT)
    assert said.startswith(
        "The 1,951 oldest together and Prisoners (2013) contributed most (+0.60, +0.42); without the 1,951"
    )
    assert row_labels(shares([0.1] * 3, [0.0] * 3), TITLES) == TITLES
    film = history_sentence(shares([-0.1, 0.31, 0.42], [0.2, 0, 0]), ["The Ring", "Gravity", "Up"], WATCHED)
    assert "The Ring works against it most (-0.10); without it the score would be 0.20 higher." in film


def test_it_says_how_sure_it_is() -> None:
    assert exactness_words(shares([0.1], [0.0])) == (
        "Exact: the model scored it with all 1,234 combinations of these items."
    )
    drawn = exactness_words(shares([0.1, 0.2], [0.0, 0.0], exact=False, error=0.04))
    assert drawn == (
        "Each share is accurate to ± 0.08: the model scored it with 1,234 combinations of these items, drawn at "
        "random. Their sum is exact."
    )
    assert "accurate to ± 0.01" in exactness_words(shares([0.1, 0.2], [0.0, 0.0], exact=False, error=1e-7))
