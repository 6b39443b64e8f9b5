"""What an audit says in words: verdicts that change with the figures, and the reason for each alarm."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.audit import stability
from guidedrec_core.audit.words import (
    OTHER,
    SWAPPED,
    fidelity_sentence,
    meaning_phrase,
    meaning_sentence,
    planted_sentence,
    stability_sentence,
)
from guidedrec_core.data.verbs import BOUGHT, WATCHED

LABELS = {"warmth": "Warmth", "style": "Style focus", "comfort": "Comfort"}
RIGHT = {
    **{"attribute": "warmth", "evidence": 4.0, "alarm": False, "response": 1.2},
    **{"column_agreement": 0.97, "column_rival": "style", "column_rival_agreement": 0.3, "column_evidence": 9.0},
    **{"users_agreement": 0.9, "users_rival": "comfort", "users_rival_agreement": -0.4, "users_evidence": 4.0},
    "response_evidence": 12.0,
}


def wrong(**changes: object) -> dict[str, object]:
    return {**RIGHT, "evidence": -1.0, "alarm": True, **changes}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (RIGHT, "means what its name says"),
        ({**RIGHT, "evidence": np.nan}, "too few scores to tell"),
        (
            wrong(column_evidence=-5.0, column_agreement=0.3, column_rival_agreement=0.96),
            "its scores follow Style focus (+0.96) more than the name (+0.30)",
        ),
        (wrong(column_evidence=-9.0, column_agreement=-0.97), "its scores run the other way (-0.97)"),
        (
            wrong(column_evidence=-2.0, column_agreement=0.05),
            "its scores agree with the name no better than chance (+0.05)",
        ),
        (
            wrong(users_evidence=-2.0, users_agreement=0.02, users_rival_agreement=0.1),
            "what the model has learned about users agrees with the name no better than chance (+0.02)",
        ),
        (wrong(response_evidence=-2.0), "asking for more of it does not bring more of it"),
        # The column says most where it is at fault, for the rest follows from it.
        (
            wrong(column_evidence=-1.0, column_agreement=0.05, response_evidence=-20.0),
            "its scores agree with the name no better than chance (+0.05)",
        ),
    ],
)
def test_each_alarm_has_its_reason(row: dict[str, object], said: str) -> None:
    assert meaning_phrase(row, LABELS) == said


def test_the_verdict_names_what_must_not_be_shown() -> None:
    rows = [RIGHT, {**RIGHT, "attribute": "style"}, {**RIGHT, "attribute": "comfort"}]
    against = "compared with scores of 20 items that were judged again"
    assert meaning_sentence(pd.DataFrame(rows), LABELS, "file", 20) == (
        f"All 3 attributes still mean what their names say, {against}."
    )
    rows[1] |= {"alarm": True, "evidence": -1.0}
    assert meaning_sentence(pd.DataFrame(rows), LABELS, "file", 20) == (
        f"Style focus does not mean what its name says, {against}. Do not show explanations that use it until this is "
        "fixed."
    )
    rows[2] |= {"alarm": True, "evidence": -1.0}
    assert meaning_sentence(pd.DataFrame(rows), LABELS, "stored", 1200).startswith(
        "Style focus and Comfort do not mean what their names say, compared with the stored scores of 1,200 items"
    )
    nothing = pd.DataFrame([{**RIGHT, "evidence": np.nan}])
    assert meaning_sentence(nothing, LABELS, "file", 3).startswith("It cannot be said whether attributes mean")


def planted(**values: tuple[float, float, float]) -> pd.DataFrame:
    """Give each explanation its value and the interval of what it is behind by."""
    rows = [
        ("reasons", name, 500, value, value - 0.02, value + 0.02, 0.0, low, high)
        for name, (value, low, high) in values.items()
    ]
    names = ["question", "explanation", "users", "value", "low", "high", "behind", "behind_low", "behind_high"]
    return pd.DataFrame(rows, columns=names)


def test_planted_truth_stands_next_to_the_strongest_control() -> None:
    found = planted(
        refined=(0.44, 0, 0), mixed_up=(0.02, 0.4, 0.5), placebo=(0.05, 0.3, 0.4), plain_mean=(0.3, 0.1, 0.2)
    )
    assert planted_sentence(found) == (
        "Explanations find what shoppers really want: agreement 0.44 out of 1 (95 % interval 0.42 to 0.46) over 500 "
        "shoppers; explanations with shuffled scores reach 0.05."
    )
    found = planted(refined=(0.05, 0, 0), mixed_up=(0.04, -0.1, 0.1), plain_mean=(0.6, -0.6, -0.5))
    assert planted_sentence(found) == (
        "Explanations find no more of what shoppers really want than labels without meaning would: agreement 0.05 out "
        "of 1 (95 % interval 0.03 to 0.07) over 500 shoppers; the same with labels mixed up reach 0.04. A simple "
        "average of what a shopper bought, with nothing learned, comes closer: 0.60."
    )


def areas(gap: tuple[float, float, float], chance: tuple[float, float, float]) -> pd.DataFrame:
    """Give what a random order costs, and by how much the explanation's costs more."""
    common = {"part": "history", "direction": "deletion", "measure": "score"}
    own = {**common, "order": "explanation", "area": chance[0] + gap[0], "low": 0.1, "high": 0.9}
    at_random = {"order": "random", **dict(zip(("area", "low", "high"), chance, strict=True)), "better": 0.93}
    return pd.DataFrame([own, {**common, **at_random, **dict(zip(("gap", "gap_low", "gap_high"), gap, strict=True))}])


def test_fidelity_is_told_as_a_multiple_of_chance() -> None:
    assert fidelity_sentence(areas((0.44, 0.36, 0.52), (0.4, 0.3, 0.5)), "history", BOUGHT) == (
        "Explanations by past purchases hold up: removing the ones they name first lowers the score 2.1 times as much "
        "as removing some at random (95 % interval 1.9 to 2.3), and more than at random for 93 % of customers."
    )
    assert "lowers the score by 0.41 on average, removing some at random by 0.01" in fidelity_sentence(
        areas((0.4, 0.36, 0.52), (0.01, -0.3, 0.5)), "history", BOUGHT
    )
    assert fidelity_sentence(areas((0.1, -0.1, 0.3), (0.4, 0.3, 0.5)), "history", WATCHED).startswith(
        "Explanations by past viewings do not hold up"
    )


def test_stability_is_told_beside_another_user() -> None:
    def summary(low: float) -> pd.DataFrame:
        rows = [(SWAPPED, "attributes_correlation", 0.9, low, 0.95), (OTHER, "attributes_correlation", 0.3, 0.2, 0.4)]
        return pd.DataFrame(rows, columns=["change", "measure", "value", "low", "high"])

    assert stability_sentence(summary(0.85), BOUGHT) == (
        "Explanations are stable: when one past purchase is swapped for a similar item, the old and the new ranking of "
        "attributes agree by 0.90 out of 1 (95 % interval 0.85 to 0.95); those of two different customers agree by "
        "0.30."
    )
    assert stability_sentence(summary(0.35), BOUGHT).startswith("Explanations are not stable")
    assert stability_sentence(summary(0.85).iloc[:1], BOUGHT) == (
        "It cannot be said how stable explanations are: too few customers with four or more purchases."
    )


def test_changes_are_called_what_the_measurement_calls_them() -> None:
    assert (SWAPPED, OTHER) == (stability.SWAPPED, stability.OTHER)
