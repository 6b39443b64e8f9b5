"""A gain in parts that sum to it, held against the strict control, in words that say when it may be chance."""

import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.errors import InputError
from guidedrec_core.evaluation.gain_parts import (
    GainParts,
    counted_metric,
    gain_parts,
    gain_parts_of_slice,
    gain_sentence,
    strict_control,
)
from guidedrec_core.evaluation.report import COMPARISONS
from guidedrec_core.evaluation.slice_words import slice_gains, slice_sentence


def tables(**values: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make metrics and differences of Recall@10 and NDCG@10, all intervals 0.01 to both sides."""
    metrics, differences = [], []
    for metric, factor in (("Recall@10", 1.0), ("NDCG@10", 0.5)):
        metrics += [(model, metric, factor * value) for model, value in values.items()]
        for model, against in COMPARISONS:
            if {model, against} <= set(values):
                gain = factor * (values[model] - values[against])
                differences.append((model, against, metric, gain, gain - 0.01, gain + 0.01))
    names = ["model", "against", "metric", "absolute", "ci_low", "ci_high"]
    return pd.DataFrame(metrics, columns=["model", "metric", "value"]), pd.DataFrame(differences, columns=names)


def said(**values: float) -> str:
    return gain_sentence(gain_parts(*tables(**values)), "leave-one-out", BOUGHT)


def test_parts_sum_to_the_gain_over_the_better_control() -> None:
    metrics, differences = tables(base=0.273, second_training=0.28, placebo=0.285, refined=0.298)
    assert strict_control(differences, "NDCG@10") == "placebo"
    found = gain_parts(metrics, differences, "NDCG@10")
    assert (found.metric, found.control, found.k) == ("Recall@10", "placebo", 10)
    assert found.parts["per_1000"].tolist() == pytest.approx([12, 13])
    assert found.base + found.parts["per_1000"].sum() == pytest.approx(found.refined)
    assert found.part("meaning") == pytest.approx({"per_1000": 13, "low": 3, "high": 23})
    assert found.table()["part"].tolist() == ["base", "control", "meaning", "refined"]
    assert gain_parts(*tables(base=0.2, second_training=0.26, placebo=0.25, refined=0.3)).control == "second_training"


def test_the_sentence_counts_customers() -> None:
    assert said(base=0.273, placebo=0.285, refined=0.298) == (
        "Of 1,000 customers, the refined model has the next purchase in its top 10 for 298, the base model for 273. Of "
        "the 25 more, shuffled scores alone bring 12 anyway; the meaning of the scores adds 13 (95 % interval 3 to 23)."
    )
    assert "25 more: shuffled scores alone lose 5; the meaning of the scores adds 30" in said(
        base=0.273, placebo=0.268, refined=0.298
    )
    longer = said(base=0.273, second_training=0.293, refined=0.298)
    assert "training a second time alone brings 20 anyway; the meaning of the scores adds 5 " in longer
    assert longer.endswith("(95 % interval -5 to 15, so it may be chance).")
    less = said(base=0.273, placebo=0.28, refined=0.26)
    assert "13 fewer: shuffled scores alone win 7; the meaning of the scores takes away 20 (95 % interval -30" in less
    assert "No control was evaluated" in said(base=0.273, refined=0.298)


def test_numbers_shown_sum_to_the_difference_shown() -> None:
    # Both parts are 0.4: what is shown of the sum, 1, is given to the control.
    assert "Of the 1 more, shuffled scores alone bring 1 anyway; the meaning of the scores adds 0" in said(
        base=0.2733, placebo=0.2737, refined=0.2741
    )


def test_a_slice_is_held_against_the_same_control() -> None:
    names = ["slice_by", "slice", "n_cases", "model", "metric", "value", "gain", "ci_low", "ci_high"]
    rows = [
        ("saved segment", "loyal", 200, model, "Recall@10", value, 0.4 - value, 0.3 - value, 0.5 - value)
        for model, value in (("base", 0.2), ("placebo", 0.45), ("refined", 0.4))
    ]
    slices = pd.DataFrame(rows, columns=names)
    found = gain_parts_of_slice(slices, "saved segment", "loyal", "NDCG@10", "placebo")
    assert found.parts["per_1000"].tolist() == pytest.approx([250, -50])
    gains = slice_gains(slices, "saved segment", "Recall@10", "placebo").iloc[0]
    assert (gains["gain"], gains["over_control"], gains["over_control_low"]) == pytest.approx((0.2, -0.05, -0.15))
    words = slice_sentence(slices, "saved segment", "Recall@10", BOUGHT, "placebo")
    assert words.startswith("The gain over shuffled scores (the strict control) is not clear for")
    assert "“loyal” (from 0.450 to 0.400; 95 % interval of the gain -0.150 to +0.050)" in words


def test_without_a_share_of_found_items_it_says_what_is_missing() -> None:
    metrics, differences = tables(base=0.2, refined=0.3)
    with pytest.raises(InputError, match="Recall@K"):
        counted_metric(metrics[metrics["metric"] != "Recall@10"], "MRR")
    with pytest.raises(InputError, match="a refined and a base model"):
        gain_parts(metrics, differences[differences["against"] != "base"])
    assert isinstance(gain_parts(metrics, differences, "MRR"), GainParts)
