"""What is said about a history agrees with its numbers."""

import numpy as np
import pytest

from guidedrec_core.data.verbs import BOUGHT, WATCHED
from guidedrec_core.explanation.past_items.shapley import HistoryShapley
from guidedrec_core.explanation.past_items.words import exactness_words, history_sentence, removal_sentence, row_labels

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
    grouped = shares([0.6, 0.31, 0.42], [-0.2, 0.0, 0.0], grouped=1951)
    labels = row_labels(grouped.grouped, TITLES)
    assert labels == ["The 1,951 oldest together", "Gravity", "Prisoners (2013)"]
    said = history_sentence(grouped, labels, BOUGHT)
    assert said.startswith(
        "The 1,951 oldest together and Prisoners (2013) contributed most (+0.60, +0.42); without the 1,951"
    )
    assert row_labels(1, TITLES) == TITLES
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


@pytest.mark.parametrize(
    ("without", "alone", "said"),
    [
        (
            [1, 54, 66, 700],
            [700, 18, 1, 1],
            "Without Up it would be 54th instead of 1st; without Gravity as well, 66th. "
            "With Up and Gravity alone it would be 1st.",
        ),
        (
            [2, 2, 9, 30],
            [30, 12, 4, 2],
            "Without Up it would still be 2nd; without the 2 viewings that hold it most, 9th. "
            "It takes all 3 viewings to keep its place.",
        ),
        (
            [2, 2, 2, 2],
            [2, 2, 2, 2],
            "Without Up it would still be 2nd. It would be 2nd for somebody without any viewings, too.",
        ),
    ],
)
def test_the_fall_is_told_with_what_is_enough(without: list[int], alone: list[int], said: str) -> None:
    assert removal_sentence(TITLES, np.array(without), np.array(alone), WATCHED) == said


def test_one_past_item_is_told_plainly() -> None:
    assert removal_sentence(["Up"], np.array([3, 40]), np.array([40, 3]), WATCHED) == (
        "Without Up it would be 40th instead of 3rd."
    )


def test_many_that_are_needed_are_counted() -> None:
    ranks = np.array([1, 2, 3, 4, 5, 6])
    said = removal_sentence([*TITLES, "Alien", "Heat"], ranks, np.array([6, 5, 4, 3, 1, 1]), WATCHED)
    assert said.endswith("It takes 4 of the 5 viewings to keep its place.")


def test_what_a_single_removal_contradicts_is_left_out() -> None:
    said = history_sentence(shares([-0.1, 0.31, 0.42], [-0.2, -0.3, 0.5]), TITLES, WATCHED)
    assert said == (
        "Prisoners (2013) and Gravity contributed most (+0.42, +0.31). Up works against it most (-0.10). "
        "Without any past viewings the score would be 1.00; it is 1.63."
    )
