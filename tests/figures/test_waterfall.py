"""The steps of a score must add up to it, whatever is grouped."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.figures.waterfall import OTHERS, SCORE, START, UNNAMED, steps


def lines(named: np.ndarray, unnamed: float = 0.0) -> pd.DataFrame:
    names = [f"a{i}" for i in range(len(named))]
    rows = [("attribute", name, name, name, value) for name, value in zip(names, named, strict=True)]
    rows.append((UNNAMED, "other_patterns", "Other purchase patterns", "", unnamed))
    return pd.DataFrame(rows, columns=["kind", "name", "label", "text", "contribution"])


@pytest.mark.parametrize("n_named", [0, 1, 8, 9, 10, 50])
def test_steps_add_up_to_the_score(n_named: int) -> None:
    rng = np.random.default_rng(n_named)
    contributions = rng.normal(size=n_named)
    unnamed, average = rng.normal(size=2)
    table = steps(lines(contributions, unnamed), average, BOUGHT)
    score = contributions.sum() + unnamed + average
    assert table["value"].iloc[-1] == pytest.approx(score, abs=1e-12)
    assert table["value"].iloc[:-1].sum() == pytest.approx(score, abs=1e-12)
    assert table["end"].iloc[-2] == pytest.approx(score, abs=1e-12)
    np.testing.assert_allclose(table["start"].iloc[1:-1], table["end"].iloc[:-2], atol=1e-12)


def test_small_lines_are_grouped_with_their_exact_sum() -> None:
    table = steps(lines(np.array([0.1, -2.0, 0.2, 1.0])), 0.0, BOUGHT, most=2)
    assert table["kind"].tolist() == [START, "attribute", "attribute", OTHERS, UNNAMED, SCORE]
    assert table["name"].tolist()[1:3] == ["a1", "a3"]
    assert table["label"][3] == "2 other reasons"
    assert table["value"][3] == pytest.approx(0.3)


def test_one_line_left_over_is_shown() -> None:
    table = steps(lines(np.array([0.1, -2.0, 1.0])), 0.0, BOUGHT, most=2)
    assert table["name"].tolist()[1:4] == ["a1", "a2", "a0"]


def test_what_no_name_covers_always_has_its_own_step() -> None:
    table = steps(lines(np.arange(1.0, 30.0), unnamed=1e-3), 0.25, BOUGHT)
    assert table["kind"].tolist()[-2:] == [UNNAMED, SCORE]
    assert table["value"].tolist()[-2] == 1e-3
    assert table["value"][0] == 0.25
