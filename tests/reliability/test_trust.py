"""How far scores can be trusted: gaps, doubtful scores, and the sentences that say so."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.reliability import trust_words
from guidedrec_core.reliability.repeated import RepeatedScores
from guidedrec_core.reliability.trust import Trust, build_trust

NAMES = ("warm", "soft", "light")
SCHEMA = AttributeSchema.parse({"attributes": [{"name": name, "low": "little", "high": "much"} for name in NAMES]})
IDS = [f"i{n}" for n in range(12)]


def scores(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 10, (12, 3)).astype(np.float32)


def trust(values: np.ndarray, passes: np.ndarray | None = None) -> Trust:
    repeated = None if passes is None else RepeatedScores(passes.astype(np.float64), tuple(IDS), SCHEMA)
    return build_trust(GuidedScores(values, SCHEMA), Vocabulary(IDS, "item"), repeated)


def repeated(values: np.ndarray) -> np.ndarray:
    """Three passes: warm is nearly the same, soft at random, light always the same but for one item."""
    passes = np.stack([values, values, values]).astype(np.float64)
    passes[1, 0, 0] += 1
    passes[:, :, 1] = np.random.default_rng(1).integers(0, 11, (3, 12))
    passes[:, 5, 2] = [2, 9, np.nan]
    return passes


def test_gaps_are_listed_by_item_most_first() -> None:
    values = scores()
    values[3, 1], values[7] = np.nan, np.nan
    found = trust(values)
    assert found.unscored.to_numpy().tolist() == [["i7", "all", 3], ["i3", "Soft", 1]]
    assert found.n_scored == 11
    said = trust_words.gaps_sentence(found)
    assert said == (
        "1 of 12 items has no score at all and 1 lacks some scores. Missing scores count as average and are marked."
    )
    assert trust_words.trust_sentence(found).startswith("11 of 12 items are scored from 0 to 10 on 3 attributes")
    assert trust_words.gaps_sentence(trust(scores())) == "Every item has a score on every attribute."


def test_without_passes_nobody_knows() -> None:
    found = trust(scores())
    assert (found.report, found.agreement, found.doubtful) == (None, None, None)
    assert "each only once, so it is unknown whether a second scoring would agree." in trust_words.trust_sentence(found)
    assert "No item was scored twice, so doubtful scores cannot be found." in trust_words.doubt_sentence(found)


def test_passes_tell_which_attributes_and_which_scores_are_in_doubt() -> None:
    values = scores()
    found = trust(values, repeated(values))
    assert found.agreement is not None
    assert found.doubtful is not None
    assert found.agreement.set_index("attribute")["level"].to_dict()["warm"] == "excellent"
    said = trust_words.trust_sentence(found)
    assert "1 of 3 would come out much the same" in said or "2 of 3 would come out much the same" in said
    assert "Least certain: Soft" in said
    row = found.doubtful[(found.doubtful["item_id"] == "i5") & (found.doubtful["attribute"] == "light")].iloc[0]
    assert (row["passes"], row["label"], row["doubtful"]) == ("2 to 9", "Light", True)
    assert found.doubtful["spread"].is_monotonic_decreasing
    first = found.doubtful[found.doubtful["attribute"] == "warm"].iloc[0]
    assert (first["item_id"], first["doubtful"]) == ("i0", False)
    doubted = int(found.doubtful["doubtful"].sum())
    assert trust_words.doubt_sentence(found).startswith(
        f"{doubted} scores of the 12 items that were scored more than once are doubtful"
    )


def test_items_that_the_data_set_has_no_more_are_not_named() -> None:
    values = scores()
    passes = RepeatedScores(repeated(values), ("gone", *IDS[1:]), SCHEMA)
    found = build_trust(GuidedScores(values, SCHEMA), Vocabulary(IDS, "item"), passes)
    assert found.doubtful is not None
    assert len(found.doubtful)
    assert "gone" not in set(found.doubtful["item_id"])


def test_bunching_is_said_with_its_numbers() -> None:
    values = scores()
    assert trust_words.spread_sentence(trust(values)).startswith("Scores of every attribute spread over the scale")
    values[:9, 1] = 0
    assert "Scores bunch on Soft (75 % of items have 0)" in trust_words.spread_sentence(trust(values))
    assert trust_words.spread_sentence(trust(np.full((12, 3), np.nan, dtype=np.float32))) == "Nothing is scored."


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "Too few items have every score to compare attributes with each other."),
        ([("Warm", "Soft", 0.4)], "No two attributes overlap much; the closest are Warm and Soft (correlation 0.40)."),
        (
            [("Warm", "Soft", -0.84), ("Warm", "Light", 0.4)],
            "These overlap strongly: Warm and Soft (opposite, correlation -0.84). One of them could be removed.",
        ),
        (
            [("Warm", "Soft", 0.9), ("Warm", "Light", 0.8)],
            "These overlap strongly: Warm and Soft (correlation 0.90) and Warm and Light (correlation 0.80). One of "
            "each pair could be removed.",
        ),
    ],
)
def test_pairs_that_overlap_are_named(rows: list[tuple[str, str, float]], said: str) -> None:
    assert trust_words.alike_sentence(pd.DataFrame(rows, columns=["first", "second", "correlation"])) == said
