"""Slices are told about with their values, small ones not at all, losses as losses."""

import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT, READ
from guidedrec_core.evaluation.slice_words import slice_gains, slice_sentence

NAMES = ["slice_by", "slice", "n_cases", "model", "metric", "value", "gain", "ci_low", "ci_high"]


def slices(rows: list[tuple[str, int, float, float]]) -> pd.DataFrame:
    made = [
        (
            "history length",
            name,
            n,
            model,
            "MRR",
            value,
            refined - value,
            refined - value - 0.02,
            refined - value + 0.02,
        )
        for name, n, base, refined in rows
        for model, value in (("base", base), ("refined", refined))
    ]
    return pd.DataFrame(made, columns=NAMES)


def test_gains_keep_the_order_of_slices() -> None:
    table = slice_gains(slices([("6 to 10", 200, 0.1, 0.15), ("1 to 5", 100, 0.2, 0.1)]), "history length", "MRR")
    assert table["slice"].tolist() == ["6 to 10", "1 to 5"]
    assert table["gain"].tolist() == pytest.approx([0.05, -0.1])


def test_largest_gain_and_loss_are_named_and_small_slices_are_not() -> None:
    said = slice_sentence(
        slices([("1 to 5", 100, 0.1, 0.3), ("6 to 10", 900, 0.2, 0.1), ("over 100", 5, 0.0, 1.0)]),
        "history length",
        "MRR",
        BOUGHT,
    )
    assert (
        "largest for customers with 1 to 5 purchases (from 0.100 to 0.300; 95 % interval of the gain +0.180 to +0.220)"
        in said
    )
    assert "loses for customers with 6 to 10 purchases (from 0.200 to 0.100;" in said
    assert "over 100" not in said
    assert said.endswith("Faded: under 100 cases, unreliable.")


def test_a_gain_whose_interval_holds_zero_is_not_called_one() -> None:
    said = slice_sentence(
        slices([("1 to 5", 100, 0.1, 0.11), ("6 to 10", 900, 0.2, 0.19)]), "history length", "MRR", READ
    )
    assert said.startswith(
        "By history length, no group shows a clear gain over the base model. It is largest for readers with 1 "
        "to 5 reads"
    )
    assert "the refined model may lose for readers with 6 to 10 reads" in said


def test_too_few_cases_are_said_to_be_too_few() -> None:
    said = slice_sentence(slices([("1 to 5", 9, 0.1, 0.3)]), "history length", "MRR", BOUGHT)
    assert said == "There are too few cases to compare by history length."
