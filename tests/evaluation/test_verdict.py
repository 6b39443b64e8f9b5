"""The words of an evaluation must say what its numbers say."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.verbs import BOUGHT, WATCHED
from guidedrec_core.evaluation.report import MODELS
from guidedrec_core.evaluation.verdict import (
    MODEL_WORDS,
    control_answers,
    headlines,
    highlight_sentence,
    model_meaning,
    overview_sentence,
    verdict,
)


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
    assert overview_sentence("shop", metrics(0.268, 0.232, 0.24), "leave-one-out", BOUGHT) == (
        "On shop, the refined model finds the next purchase in its top 10 for 27 of 100 customers, the base model for "
        "23, and the same refinement with shuffled scores for 24."
    )


def test_the_overview_counts_in_thousands_where_hits_are_rare_and_cases_are_no_users() -> None:
    assert overview_sentence("films", metrics(0.068, 0.0641, None), "temporal", WATCHED) == (
        "On films, the refined model finds the next film in its top 10 in 68 of 1,000 cases, the base model in 64."
    )


def test_a_gain_over_everything_is_said_with_its_reasons() -> None:
    said = verdict(differences(base=GAIN, second_training=GAIN, placebo=GAIN))
    assert (said.over_base, said.over_second_training, said.over_placebo) == ("higher",) * 3
    interval = "95 % interval +10 to +30 %"
    assert said.lead == (
        f"Refinement helps: ranking quality in the top 10 is 20 % higher than with the base model ({interval}). "
        f"Compared with shuffled scores it is 20 % higher ({interval}), so the meaning of the scores matters."
    )
    assert said.more == (
        f"Compared with retraining without attributes it is 20 % higher ({interval}), so longer training is not the "
        "reason."
    )


@pytest.mark.parametrize(
    ("against", "words"),
    [
        ("base", "No clear gain over the base model: ranking quality in the top 10 is 2.5 % higher"),
        ("placebo", "no clear gain over shuffled scores"),
        ("second_training", "no clear gain over retraining without attributes"),
    ],
)
def test_an_interval_that_holds_zero_is_no_clear_gain(against: str, words: str) -> None:
    said = verdict(differences(**{"base": GAIN, "second_training": GAIN, "placebo": GAIN, against: NOTHING}))
    assert getattr(said, f"over_{against}") == "unclear"
    assert words in said.sentence


def test_other_measures_that_end_differently_are_named() -> None:
    table = differences(base=GAIN, placebo=GAIN)
    recall = differences(base=GAIN, placebo=NOTHING).assign(metric="Recall@10")
    both = pd.concat([table, recall])
    by_ndcg, by_recall = verdict(both), verdict(both, "Recall@10")
    assert by_ndcg.more == (
        "By the share found in the top 10 the gain over shuffled scores is not clear, so read it with care."
    )
    assert by_recall.more == "By ranking quality in the top 10 the gain over shuffled scores is clear."
    assert not verdict(pd.concat([table, table.assign(metric="MRR")])).more


def test_losses_are_called_losses() -> None:
    said = verdict(differences(base=LOSS, second_training=LOSS, placebo=LOSS))
    assert (said.over_base, said.over_second_training, said.over_placebo) == ("lower",) * 3
    assert "Refinement hurts here" in said.sentence
    assert "Shuffled scores do better" in said.sentence
    assert "Retraining without attributes does better: refined is 20 % lower" in said.sentence


def test_a_simple_model_that_does_better_is_named_the_best_of_them_only() -> None:
    said = verdict(differences(base=GAIN, popularity=GAIN, item_knn=LOSS, item_knn_recency=(-0.5, -0.3))).sentence
    assert said.endswith(
        "A far simpler model does better here, recent similar items: refined is 40 % lower "
        "(95 % interval -50 to -30 %)."
    )
    assert "simpler" not in verdict(differences(base=GAIN, item_knn=NOTHING, ease=GAIN)).sentence


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (GAIN, "so the scores say more than categories do"),
        (NOTHING, "do about as well (refined is 2.5 % higher, 95 % interval -5.0 to +10 %), so nothing here shows"),
        (LOSS, "so the scores are not needed here"),
    ],
)
def test_categories_that_do_as_well_are_said_to(interval: tuple[float, float], words: str) -> None:
    assert words in verdict(differences(base=GAIN, placebo=GAIN, categories=interval)).sentence


def test_random_numbers_and_scores_alone_are_named_only_where_they_do_as_well() -> None:
    well = verdict(differences(base=GAIN, random_vectors=NOTHING, guided_only=LOSS)).sentence
    assert "Random numbers in place of scores do about as well" in well
    assert "The scores alone, without the base model, do about as well" in well
    assert "alone" not in verdict(differences(base=GAIN, random_vectors=GAIN, guided_only=GAIN)).sentence


def test_each_control_has_its_question_and_its_answer() -> None:
    answers = control_answers(
        differences(base=GAIN, placebo=NOTHING, second_training=LOSS, random_vectors=GAIN), "NDCG@10"
    )
    assert [control for _, control, _ in answers] == [
        "retrained without attributes",
        "shuffled scores",
        "random numbers",
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
    assert "0.200 higher than with the base model (95 % interval +0.100 to +0.300)" in verdict(table).sentence


def test_a_highlight_says_the_direction() -> None:
    assert highlight_sentence("Dune", 5, 70, WATCHED) == "Dune, watched next, fell from 5th to 70th."
    assert highlight_sentence("Dune", 5, 5, BOUGHT) == "Dune, bought next, is 5th in both."


def test_every_model_has_a_word_and_a_purpose_in_the_words_of_the_data_set() -> None:
    assert set(MODEL_WORDS) == set(MODELS)
    purposes = [model_meaning(model, WATCHED) for model in MODELS]
    assert len(set(purposes)) == len(MODELS)
    assert not [text for text in purposes if "{" in text or "custom" in text or "purchas" in text]


def test_headlines_give_shares_in_percent_and_other_measures_as_they_are() -> None:
    table = metrics(0.268, 0.232, 0.24)
    changes = differences(base=(0.01, 0.05), placebo=(-0.01, 0.03))
    rows = pd.concat([changes.assign(metric=name) for name in ("MRR", "Recall@10", "Recall@20")])
    overall, found, _ = headlines(table, rows, BOUGHT)
    assert (found.label, found.value, found.change) == ("Found in the top 10", "26.8 %", "+3.0 points")
    assert (found.interval, found.effect) == ("+1.0 to +5.0", "higher")
    assert found.controls == ("+1.0 over shuffled scores, not clear",)
    assert found.meaning == "share of cases in which the item bought next is in the top 10"
    assert (overall.label, overall.value, overall.change) == ("Ranking quality, all items", "0.268", "+0.030")
