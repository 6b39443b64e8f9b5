"""How scores spread over the scale, and which attributes say the same."""

import numpy as np
import pytest

from guidedrec_core.attributes.schema import AttributeSchema, Scale
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.reliability.distribution import alike, score_counts, score_facts, steps

SCHEMA = AttributeSchema.parse(
    {"attributes": [{"name": name, "low": "little", "high": "much"} for name in ("warm", "soft_touch", "light")]}
)
SCORES = GuidedScores(
    np.array([[0, 10, 5], [0, 9.5, 5], [0, 0.4, np.nan], [4, np.nan, np.nan]], dtype=np.float32), SCHEMA
)


@pytest.mark.parametrize(
    ("low", "high", "count", "second"),
    [(0, 10, 11, 1), (1, 5, 5, 2), (0, 1, 11, 0.1), (0, 0.5, 11, 0.05), (0, 100, 11, 10)],
)
def test_steps_are_whole_numbers_or_tenths(low: float, high: float, count: int, second: float) -> None:
    at = steps(Scale(min=low, max=high))
    assert (len(at), at[0], at[-1]) == (count, low, high)
    assert at[1] == pytest.approx(second)


def test_every_score_is_counted_once_at_the_nearest_step() -> None:
    counts = score_counts(SCORES)
    items = counts.pivot(index="attribute", columns="value", values="items")
    assert items.loc["warm"].to_dict() == {**dict.fromkeys(range(11), 0), 0: 3, 4: 1}
    assert items.loc["soft_touch"].to_dict() == {**dict.fromkeys(range(11), 0), 0: 1, 10: 2}
    assert counts.groupby("attribute")["share"].sum().tolist() == pytest.approx([1, 1, 1])
    assert list(dict.fromkeys(counts["attribute"])) == list(SCHEMA.names)


def test_facts_leave_out_what_is_missing() -> None:
    facts = score_facts(SCORES).set_index("attribute")
    assert facts["missing"].to_dict() == {"warm": 0, "soft_touch": 1, "light": 2}
    assert facts.loc["warm", ["mean", "commonest", "bunching"]].tolist() == [1, 0, 0.75]
    assert facts.loc["light", "spread"] == 0
    assert facts.loc["soft_touch", "label"] == "Soft touch"
    nothing = score_facts(GuidedScores(np.full((2, 3), np.nan, dtype=np.float32), SCHEMA))
    assert nothing["mean"].isna().all()
    assert (nothing["missing"] == 2).all()


def test_pairs_come_by_strength_whichever_way() -> None:
    together = np.array([[1, 0.2, -0.9], [0.2, 1, np.nan], [-0.9, np.nan, 1]])
    pairs = alike(together, SCHEMA)
    assert pairs.to_numpy().tolist() == [["Warm", "Light", -0.9], ["Warm", "Soft touch", 0.2]]
