"""Choices of attributes, and what they are worth against all and none."""

import numpy as np
import pytest

from guidedrec_core.evaluation.ablation import Choice, ablation_table, first_choices, single_choices
from guidedrec_core.evaluation.ablation_words import ablation_sentence

NAMES = ("warmth", "style", "rugged")


def test_each_attribute_is_dropped_and_kept_once() -> None:
    said = [(choice.kind, choice.attribute, choice.attributes) for choice in single_choices(NAMES)]
    assert said == [
        ("drop", "warmth", (1, 2)),
        ("drop", "style", (0, 2)),
        ("drop", "rugged", (0, 1)),
        ("keep", "warmth", (0,)),
        ("keep", "style", (1,)),
        ("keep", "rugged", (2,)),
    ]


def test_the_first_few_go_by_the_size_of_the_weight_whatever_its_sign() -> None:
    choices = first_choices(NAMES, np.array([0.1, -0.9, 0.5]))
    assert [(choice.attribute, choice.attributes) for choice in choices] == [("style", (1,)), ("rugged", (1, 2))]


def test_differences_are_paired_and_point_to_all_and_none() -> None:
    ranks = {
        Choice("all", "", (0, 1)): np.array([1, 2, 1, 4]),
        Choice("none", "", ()): np.array([2, 4, 2, 8]),
        Choice("drop", "warmth", (1,)): np.array([2, 4, 2, 8]),
    }
    table = ablation_table(ranks, np.arange(4), 200, np.random.default_rng(0))
    rows = table[table["metric"] == "MRR"].set_index("kind")
    assert rows["value"].tolist() == pytest.approx([0.6875, 0.34375, 0.34375])
    assert rows.loc["all", ["to_all", "to_all_low", "to_all_high"]].tolist() == [0, 0, 0]
    assert rows.loc["drop", "to_all"] == pytest.approx(-0.34375)
    assert rows.loc["drop", "to_all_low"] < -0.34375 < rows.loc["drop", "to_all_high"] < 0
    assert rows.loc["drop", ["to_none", "to_none_low", "to_none_high"]].tolist() == [0, 0, 0]
    assert rows["n_attributes"].tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("without", "words"),
    [
        ([2, 4, 2, 8], "Clearly missed when removed: Warmth."),
        ([1, 2, 1, 4], "Removing any single one makes no clear difference"),
    ],
)
def test_the_words_name_what_is_missed(without: list[int], words: str) -> None:
    ranks = {
        Choice("all", "", (0, 1)): np.array([1, 2, 1, 4]),
        Choice("none", "", ()): np.array([2, 4, 2, 8]),
        Choice("drop", "warmth", (1,)): np.array(without),
    }
    table = ablation_table(ranks, np.arange(4), 200, np.random.default_rng(0))
    said = ablation_sentence(table, "MRR", {"warmth": "Warmth"})
    assert said.startswith(
        "All attributes together move ranking quality over all items from 0.3438 to 0.6875 (+0.3438, 95 % interval +0."
    )
    assert words in said
