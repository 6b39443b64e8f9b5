"""The words of an evaluation must say what its numbers say."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.evaluation.verdict import control_answers, highlight_sentence, overview_sentence, verdict


def metrics(refined: float, base: float, placebo: float | None) -> pd.DataFrame:
    values = {"base": base, "refined": refined} | ({} if placebo is None else {"placebo": placebo})
    return pd.DataFrame(
        [(model, metric, value) for model, value in values.items() for metric in ("MRR", "Recall@10", "Recall@20")],
        columns=["model", "metric", "value"],
    )


def differences(**intervals: tuple[float, float]) -> pd.DataFrame:
    rows = [
        ("refined", against, "NDCG@10", (low + high) / 2, (low + high) / 2, low, high, low, high)
        for against, (low, high) in intervals.items()
    ]
    names = ["model", "against", "metric", "absolute", "relative", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=[*names, "relative_ci_low", "relative_ci_high"])


GAIN, LOSS, NOTHING = (0.10, 0.30), (-0.30, -0.10), (-0.05, 0.10)


def test_the_overview_counts_users() -> None:
    assert overview_sentence("shop", metrics(0.268, 0.232, 0.24), "leave-one-out") == (
        "On shop, the refined model has the next item in its top 10 for 27 of 100 users, the base model for 23, "
        "and the same refinement with shuffled scores for 24."
    )


def test_the_overview_counts_in_thousands_where_hits_are_rare_and_cases_are_no_users() -> None:
    assert overview_sentence("shop", metrics(0.068, 0.0641, None), "temporal") == (
        "On shop, the refined model has the next item in its top 10 for 68 of 1,000 held-out interactions, "
        "the base model for 64."
    )


def test_a_gain_over_everything_is_said_with_its_reasons() -> None:
    said = verdict(differences(base=GAIN, second_training=GAIN, placebo=GAIN))
    assert (said.over_base, said.over_second_training, said.over_placebo) == ("higher",) * 3
    assert said.sentence.startswith("Refinement helps: NDCG@10 is +20 % (95 % interval +10 to +30 %) against the base.")
    assert "what the scores mean matters" in said.sentence
    assert "training longer is not the reason" in said.sentence


@pytest.mark.parametrize(
    ("against", "words"),
    [
        ("base", "No clear gain over the base"),
        ("placebo", "no clear gain over shuffled scores"),
        ("second_training", "no clear gain over a second training"),
    ],
)
def test_an_interval_that_holds_zero_is_no_clear_gain(against: str, words: str) -> None:
    said = verdict(differences(**{"base": GAIN, "second_training": GAIN, "placebo": GAIN, against: NOTHING}))
    assert getattr(said, f"over_{against}") == "unclear"
    assert words in said.sentence


def test_losses_are_called_losses() -> None:
    said = verdict(differences(base=LOSS, second_training=LOSS, placebo=LOSS))
    assert (said.over_base, said.over_second_training, said.over_placebo) == ("lower",) * 3
    assert "Refinement hurts here" in said.sentence
    assert "Shuffled scores do better" in said.sentence
    assert "A second training without attributes does better" in said.sentence


def test_a_simple_model_that_does_better_is_named_the_best_of_them_only() -> None:
    said = verdict(differences(base=GAIN, popularity=GAIN, item_knn=LOSS, item_knn_recency=(-0.5, -0.3))).sentence
    assert said.endswith(
        "A far simpler model does better here, recent similar items: against it refined is -40 % "
        "(95 % interval -50 to -30 %)."
    )
    assert "simpler" not in verdict(differences(base=GAIN, item_knn=NOTHING, ease=GAIN)).sentence


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (GAIN, "so the scores tell more than categories do"),
        (NOTHING, "do about as well (+2.5 % (95 % interval -5.0 to +10 %) against them), so nothing here shows"),
        (LOSS, "so the scores are not needed here"),
    ],
)
def test_categories_that_do_as_well_are_said_to(interval: tuple[float, float], words: str) -> None:
    assert words in verdict(differences(base=GAIN, placebo=GAIN, categories=interval)).sentence


def test_random_numbers_and_scores_alone_are_named_only_where_they_do_as_well() -> None:
    well = verdict(differences(base=GAIN, gaussian=NOTHING, guided_only=LOSS)).sentence
    assert "Random numbers do about as well as the scores" in well
    assert "The scores alone, without the base model's item vectors, do about as well" in well
    assert "alone" not in verdict(differences(base=GAIN, gaussian=GAIN, guided_only=GAIN)).sentence


def test_each_control_has_its_question_and_its_answer() -> None:
    answers = control_answers(differences(base=GAIN, placebo=NOTHING, second_training=LOSS, gaussian=GAIN), "NDCG@10")
    assert [control for _, control, _ in answers] == [
        "trained twice, no attributes",
        "shuffled scores",
        "random vectors",
    ]
    assert [said.split(":")[0] for _, _, said in answers] == [
        "The control does better",
        "No clear difference",
        "Refined does better",
    ]


def test_what_was_not_measured_is_not_judged() -> None:
    said = verdict(differences(base=GAIN))
    assert said.over_placebo is None
    assert "shuffled" not in said.sentence


def test_without_a_relative_difference_the_absolute_one_is_said() -> None:
    table = differences(base=GAIN).assign(relative=np.nan)
    assert "+0.200 (95 % interval +0.100 to +0.300)" in verdict(table).sentence


def test_a_highlight_says_the_direction() -> None:
    assert highlight_sentence("Dune", 5, 70) == "Dune, taken next, fell from 5th to 70th."
    assert highlight_sentence("Dune", 5, 5) == "Dune, taken next, is 5th in both."
