"""The steps of a score must add up to it, whatever is grouped."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.figures.waterfall import ATTRIBUTE, BIAS, OTHERS, REMAINDER, SCORE, START, steps


def parts(contributions: np.ndarray) -> pd.DataFrame:
    names = [f"a{i}" for i in range(len(contributions))]
    return pd.DataFrame({"attribute": names, "label": names, "contribution": contributions, "phrase": ""})


@pytest.mark.parametrize("n_attributes", [0, 1, 8, 9, 50])
def test_steps_add_up_to_the_score(n_attributes: int) -> None:
    rng = np.random.default_rng(n_attributes)
    contributions = rng.normal(size=n_attributes)
    remainder, bias, average_remainder, average_bias = rng.normal(size=4)
    table = steps(parts(contributions), remainder, bias, average_remainder, average_bias, BOUGHT)
    score = contributions.sum() + remainder + bias
    assert table["value"].iloc[-1] == pytest.approx(score, abs=1e-12)
    assert table["value"].iloc[:-1].sum() == pytest.approx(score, abs=1e-12)
    assert table["end"].iloc[-2] == pytest.approx(score, abs=1e-12)
    np.testing.assert_allclose(table["start"].iloc[1:-1], table["end"].iloc[:-2], atol=1e-12)


def test_small_attributes_are_grouped_with_their_exact_sum() -> None:
    table = steps(parts(np.array([0.1, -2.0, 0.2, 1.0])), 0.0, 0.0, 0.0, 0.0, BOUGHT, most=2)
    assert table["kind"].tolist() == [START, ATTRIBUTE, ATTRIBUTE, OTHERS, REMAINDER, BIAS, SCORE]
    assert table["attribute"].tolist()[1:3] == ["a1", "a3"]
    assert table["label"][3] == "2 other attributes"
    assert table["value"][3] == pytest.approx(0.3)


def test_remainder_and_bias_count_against_an_average_item() -> None:
    table = steps(parts(np.array([])), remainder=1.0, bias=0.5, average_remainder=0.25, average_bias=0.75, verb=BOUGHT)
    assert table.set_index("kind")["value"].to_dict() == {START: 1.0, REMAINDER: 0.75, BIAS: -0.25, SCORE: 1.5}
