"""What answers tell: planted effects are found, intervals hold what they promise, and the numbers needed are right."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from planted import Planted, dealt, prediction_content, taste_content
from scipy import stats

from guidedrec_core.errors import InputError
from guidedrec_core.judging.analysis import Results, results
from guidedrec_core.judging.content import Content
from guidedrec_core.judging.experiment import Experiment
from guidedrec_core.judging.intervals import difference, share, wilson
from guidedrec_core.judging.power import answers_for_difference, answers_for_share
from guidedrec_core.studies.study import Written

STUDIES = 200
# What 200 intervals of 95 % may hold: 190 expected; fewer than 180 has probability 0.001. Above there is no bound but
# 200 - 1, because intervals of few judges err on the wide side; one that always holds would be of no use.
FEWEST, MOST = 180, 199
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def experiment_of(content: Content) -> Experiment:
    return Experiment("e", "test", "tiny", {}, content, True, Written("Ann", NOW, "Ann", NOW, 1))


def test_the_bounds_accepted_are_those_of_the_binomial() -> None:
    assert stats.binom.cdf(FEWEST - 1, STUDIES, 0.95) < 0.002
    assert stats.binom.sf(MOST, STUDIES, 0.95) < 0.0001


@pytest.mark.parametrize(
    ("n_judges", "n_cases", "per_judge", "effect", "judges", "cases"),
    [(8, 12, 12, 0.4, 0.3, 0.4), (12, 24, 12, 0.0, 0.0, 0.5), (20, 12, 9, 0.8, 0.5, 0.0)],
)
def test_200_planted_taste_tests_hold_the_true_share(n_judges, n_cases, per_judge, effect, judges, cases) -> None:
    planted = Planted({"": effect}, judges, cases)
    content = taste_content(n_cases, per_judge)
    experiment, plans, truth = experiment_of(content), dealt(content, n_judges), planted.rate("")
    found = [results(experiment, planted.answers(plans, seed), ()) for seed in range(STUDIES)]
    whole = pd.DataFrame([one.estimates.iloc[0] for one in found])
    held = int(((whole["low"] <= truth) & (truth <= whole["high"])).sum())
    assert FEWEST <= held <= MOST
    assert abs(whole["value"].mean() - truth) < 5 * whole["value"].std() / np.sqrt(STUDIES)


def test_200_planted_prediction_tests_recover_the_effect_of_the_explanation() -> None:
    planted = Planted({"none": 0.3, "explanation": 1.0, "placebo": 0.25}, judges=0.3, cases=0.4)
    content = prediction_content(12)
    experiment, plans = experiment_of(content), dealt(content, 12)
    found = [results(experiment, planted.answers(plans, seed), ()) for seed in range(STUDIES)]
    for (plus, minus), measure in (
        (("explanation", "none"), "accuracy"),
        (("explanation", "placebo"), "accuracy"),
        (("placebo", "none"), "accuracy"),
        (("explanation", "none"), "brier"),
    ):
        value = planted.rate if measure == "accuracy" else planted.brier
        truth = value(plus) - value(minus)
        indexed = [one.differences.set_index(["plus", "minus", "measure"]) for one in found]
        rows = pd.DataFrame([table.loc[(plus, minus, measure)] for table in indexed])
        held = int(((rows["low"] <= truth) & (truth <= rows["high"])).sum())
        assert FEWEST <= held <= MOST, (plus, minus, measure, held)
        assert abs(rows["value"].mean() - truth) < 5 * rows["value"].std() / np.sqrt(STUDIES)
    # The planted effect, 21 points, is found by about half of such studies, one of nothing by at most 1 in 20.
    assert sum(one.decided and one.sentence.startswith("The explanation helps") for one in found) > 80
    nothing = Planted({"none": 0.3, "explanation": 0.3, "placebo": 0.3})
    false = sum(results(experiment, nothing.answers(plans, seed), ()).decided for seed in range(STUDIES))
    assert false <= STUDIES - FEWEST


@pytest.mark.parametrize(("n_judges", "per_judge"), [(1, 20), (3, 12)])
def test_few_judges_are_taken_as_they_are(n_judges: int, per_judge: int) -> None:
    held = 0
    for seed in range(STUDIES):
        rng = np.random.default_rng(seed)
        own, cases = rng.normal(0, 0.6, n_judges), rng.normal(0, 0.5, 20)
        judge = np.repeat(np.arange(n_judges), per_judge)
        case = np.concatenate([rng.permutation(20)[:per_judge] for _ in range(n_judges)])
        hits = (rng.random(len(case)) < stats.norm.cdf(0.4 + own[judge] + cases[case])).astype(float)
        truth = stats.norm.cdf((0.4 + own) / np.sqrt(1.25)).mean()
        found = share(hits, judge, case)
        held += found.low <= truth <= found.high
    assert FEWEST <= held <= MOST


def test_one_judges_interval_is_wilsons() -> None:
    hits = np.array([1.0] * 8 + [0.0] * 2)
    found = share(hits, np.zeros(10, dtype=int), np.arange(10))
    # Brown, Cai and DasGupta (2001): 8 of 10 give 0.490 to 0.943.
    assert (round(found.low, 3), round(found.high, 3)) == (0.490, 0.943)
    assert (found.low, found.high) == wilson(0.8, 10, float(stats.norm.ppf(0.975)))
    nothing = share(np.zeros(0), np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    assert (nothing.n, np.isnan(nothing.value)) == (0, True)


def test_repeated_answers_are_not_counted_as_independent() -> None:
    """Ten judges who always say the same of each of six cases know as much as one."""
    hits, judges, cases = np.tile([1.0, 1, 1, 1, 0, 0], 10), np.repeat(np.arange(10), 6), np.tile(np.arange(6), 10)
    assert share(hits, judges, cases).independent < 7
    agreed = share(np.ones(60), judges, cases)
    assert 0.6 < agreed.low < 0.8
    assert agreed.high == 1
    same = difference(hits, cases < 3, cases >= 3, judges, cases)
    assert same.independent < 12


def test_the_number_of_answers_needed_gives_the_power_promised() -> None:
    """A test of so many answers sees the difference in 80 of 100 cases, give or take what 2,000 draws may differ."""
    rng, draws = np.random.default_rng(0), 2_000
    needed = answers_for_share(0.1)
    hits = rng.binomial(needed, 0.6, draws) / needed
    seen = np.mean([bool(wilson(share_, needed, 1.96)[0] > 0.5) for share_ in hits])
    assert 0.77 < seen < 0.83
    each = answers_for_difference(0.15, share=0.55)
    one, two = (rng.binomial(each, rate, draws) / each for rate in (0.55, 0.7))
    error = np.sqrt((one * (1 - one) + two * (1 - two)) / each)
    assert 0.77 < np.mean((two - one) / error > 1.96) < 0.83
    assert answers_for_difference(0.15, share=0.55, repeats=2) in (2 * each - 1, 2 * each)
    assert answers_for_difference(0.1, share=1.0) == answers_for_difference(0.1, share=0.9)
    for wrong in (0.0, 0.5, -1.0):
        with pytest.raises(InputError, match=r"between 0 and 0\.5"):
            answers_for_share(wrong)


def test_a_taste_test_says_who_is_preferred_or_how_many_more_answers_it_needs() -> None:
    content = taste_content(20)
    experiment, plans = experiment_of(content), dealt(content, 1)
    answers = Planted({"": 0.0}, 0, 0).answers(plans, 3)
    open_ = results(experiment, answers, ())
    n = int((answers["answer"] == "refined").sum())
    assert not open_.decided
    assert open_.sentence.startswith("Cannot tell yet which list is better: in ")
    assert open_.more_answers == 194 - 20
    assert open_.power == "174 more answers are needed for 80 % power at a difference of 10 points from an even split."
    assert open_.estimates.loc[0, "value"] == n / 20
    assert "for this judge and cases like these" in open_.method
    clear = results(experiment, answers.assign(answer="base"), ())
    assert (clear.decided, clear.more_answers) == (True, 0)
    assert clear.sentence.startswith(
        "In 100 % of 20 answers the list of the base model was preferred to that of the refined"
    )
    assert clear.power == "Decided with 20 answers."
    wider = results(experiment, answers, (), smallest=0.4)
    assert "are enough for 80 % power at a difference of 40 points" in wider.power
    by_side = clear.estimates.set_index("group")
    assert by_side.loc["second_left", "n"] + by_side.loc["second_right", "n"] == 20


def test_skipped_cases_are_counted_apart_and_nothing_is_no_trouble() -> None:
    content = replace(taste_content(4), drawn={"users": 9, "same items": 5})
    experiment = experiment_of(content)
    answers = Planted({"": 0.0}).answers(dealt(content, 2), 0)
    answers.loc[[0, 5], "skipped"] = True
    found = results(experiment, answers, ())
    assert (found.answers, found.skipped) == (6, 2)
    assert found.further == (
        "5 users of 9 got the same items from both and were left out.",
        "2 skipped cases do not count.",
    )
    empty = results(experiment, answers[:0], ())
    assert empty.sentence == "Nobody has answered yet."
    assert empty.more_answers == 194
    nobody = results(experiment_of(prediction_content()), answers[:0], ())
    assert nobody.sentence == "Too few answers to compare yet."
    assert nobody.more_answers > 1000


def test_a_prediction_test_says_what_the_placebo_means() -> None:
    content = prediction_content(60)
    experiment, plans = experiment_of(content), dealt(content, 1)
    answers = Planted({"none": 0.0, "explanation": 0.0, "placebo": 0.0}).answers(plans, 0)
    place = answers.groupby("arm").cumcount()

    def found(none: int, explanation: int, placebo: int) -> Results:
        """Return the results where so many of 20 answers of each arm are right, each with 80 %."""
        right = {"none": none, "explanation": explanation, "placebo": placebo}
        given = answers.assign(correct=(place < answers["arm"].map(right)).astype(float), probability=0.8)
        return results(experiment, given, ())

    helps = found(10, 19, 9)
    assert helps.decided
    assert helps.sentence.startswith(
        "The explanation helps: people were right in 95 % of answers with the explanation and in 50 % without, +45 "
    )
    assert helps.further[0].startswith(
        "With a placebo, the same lines with shuffled values, they were right in 45 %, -50"
    )
    assert helps.further[0].endswith(": the gain comes from what the explanation says.")
    # 0.8: right answers cost 0.04, wrong ones 0.64.
    assert "0.340 without explanation, 0.070 with explanation, 0.370 with placebo" in helps.further[1]
    anyhow = found(8, 17, 16)
    assert anyhow.further[0].startswith(
        "Whether the gain comes from what the explanation says cannot be told yet: with a"
    )
    assert found(19, 10, 10).sentence.startswith("The explanation misleads: ")
    open_ = found(10, 12, 10)
    assert open_.sentence.startswith("Cannot tell yet whether the explanation helps: ")
    assert open_.further[0].endswith(").")
    assert (
        open_.more_answers
        == 3 * answers_for_difference(0.1, 0.5, max(1, 40 / open_.differences.loc[0, "independent"])) - 60
    )
