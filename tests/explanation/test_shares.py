"""Shares of a score's parts, and the sentence that puts the largest first."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.explanation.shares import reason_sentence, share_table


def lines(**contributions: float) -> pd.DataFrame:
    kinds = {"other_patterns": "unnamed", "average": "unnamed", "popularity": "popularity"}
    return pd.DataFrame(
        {
            "kind": [kinds.get(name, "attribute") for name in contributions],
            "name": list(contributions),
            "label": [name.capitalize() for name in contributions],
            "text": "",
            "contribution": list(contributions.values()),
        }
    )


def said(table: pd.DataFrame, rank: int = 1, base_rank: int = 31) -> str:
    shares = share_table(table)
    names = {(kind, name): name for kind, name in zip(shares["kind"], shares["name"], strict=True)}
    return reason_sentence("Alien", rank, base_rank, shares, names)


def test_shares_of_the_side_that_prevails_sum_to_one_and_the_other_is_negative() -> None:
    table = share_table(lines(darkness=0.2, humor=-0.3, popularity=0.5, other_patterns=1.3, average=-9.0))
    assert table["name"].tolist() == ["other_patterns", "popularity", "humor", "darkness"]
    assert table["share"].tolist() == pytest.approx([0.65, 0.25, -0.15, 0.1])
    below = share_table(lines(darkness=0.2, humor=-0.3, popularity=-0.5))
    assert below["share"].tolist() == pytest.approx([0.625, 0.375, -0.25])


def test_the_largest_part_comes_first_whatever_it_is() -> None:
    table = lines(darkness=0.2, humor=-0.3, popularity=0.5, other_patterns=1.3, pace=0.05, average=-9.0)
    assert said(table) == (
        "Why Alien is 1st (31st in the base model): 63 % of what speaks for it is other_patterns, 24 % popularity and "
        "10 % darkness; smaller reasons make up the other 2 %. In all, 37 % has a name. Against it, 15 % as much: "
        "humor."
    )


def test_an_item_below_the_average_is_told_what_speaks_against_it() -> None:
    assert said(lines(humor=-0.6, darkness=-0.2, pace=0.1), 200, 200) == (
        "Why Alien is 200th (200th in the base model too): 75 % of what speaks against it is humor and 25 % darkness. "
        "For it, 12 % as much: pace."
    )


@pytest.mark.parametrize("table", [lines(average=1.0), lines(humor=0.001, pace=-0.001, average=1.0)])
def test_nothing_sets_it_apart(table: pd.DataFrame) -> None:
    assert said(table) == "Why Alien is 1st (31st in the base model): nothing sets it apart from an average item."


def test_shares_agree_with_contributions_for_random_scores() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.normal(size=8)
        table = share_table(lines(**{f"a{place}": value for place, value in enumerate(values)}))
        side = table["share"] > 0
        assert table.loc[side, "share"].sum() == pytest.approx(1.0)
        assert table["contribution"].abs().is_monotonic_decreasing
        scaled = table["share"] * np.sign(values.sum())
        assert (np.sign(scaled) == np.sign(table["contribution"])).all()
