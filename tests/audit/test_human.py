"""Guided scores next to what people say: planted judgements, and the survey behind the Tag Genome where it is here."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores, read_scores
from guidedrec_core.audit.human import HumanAudit, human_agreement, rank_correlations
from guidedrec_core.data.bundled import bundled_questions, bundled_scores
from guidedrec_core.data.judgements.survey import read_questions, read_survey, survey_judgements
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError

SURVEY = Path(__file__).parents[3] / "shared" / "data" / "tag_genome_survey" / "answers.csv"
NAMES = ("warmth", "style", "weight")
N = 120


def world(seed: int = 0) -> tuple[GuidedScores, Vocabulary, np.random.Generator]:
    rng = np.random.default_rng(seed)
    schema = AttributeSchema(attributes=tuple(Attribute(name=name, low="little", high="much") for name in NAMES))
    values = rng.integers(0, 11, (N, len(NAMES))).astype(np.float32)
    return GuidedScores(values, schema), Vocabulary([f"i{n}" for n in range(N)], "item"), rng


def judged(values: np.ndarray, attribute: str = "warmth", **columns: object) -> pd.DataFrame:
    ids = [f"i{n}" for n in range(len(values))]
    return pd.DataFrame({"item_id": ids, "attribute": attribute, "value": values, **columns})


def row(audit: HumanAudit, attribute: str = "warmth") -> pd.Series:
    return audit.table.set_index("attribute").loc[attribute]


def test_weighted_rank_correlations_are_those_of_the_resampled_rows() -> None:
    rng = np.random.default_rng(1)
    columns, values = rng.integers(0, 4, (40, 3)).astype(float), rng.integers(0, 5, 40).astype(float)
    weights = rng.multinomial(40, np.full(40, 1 / 40), 5).astype(np.int16)
    found = rank_correlations(columns, values, weights)
    for r, counts in enumerate(weights):
        rows = np.repeat(np.arange(40), counts)
        expected = [stats.spearmanr(columns[rows, c], values[rows]).statistic for c in range(3)]
        np.testing.assert_allclose(found[r], expected)
    assert np.isnan(rank_correlations(np.ones((40, 1)), values)).all()


def test_judgements_equal_to_the_scores_agree_fully() -> None:
    scores, items, _ = world()
    found = row(human_agreement(judged(scores.values[:, 0] * 3 - 7), scores, items))
    assert (found["spearman"], found["ci_low"], found["ci_high"]) == pytest.approx((1, 1, 1))
    assert (found["rank"], found["verdict"], found["n_items"], found["n_judgements"]) == (1, "strong", N, N)
    assert np.isnan(found[["people", "one_person", "category", "categories", "lead"]].astype(float)).all()


def test_shuffled_scores_agree_by_chance_only_and_are_called_weak() -> None:
    scores, items, rng = world()
    found = row(human_agreement(judged(rng.permutation(scores.values[:, 0])), scores, items))
    assert abs(found["spearman"]) < 0.2
    assert found["ci_low"] < 0 < found["ci_high"]
    assert found["verdict"] == "weak"
    # under chance the correlation has a standard deviation of 1 / sqrt(n - 1)
    assert found["shuffled"] == pytest.approx(np.sqrt(2 / np.pi / (N - 1)), rel=0.1)
    assert found["shuffled_high"] == pytest.approx(1.96 / np.sqrt(N - 1), rel=0.1)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_wrong_column_is_not_first_upside_down_or_not(sign: int) -> None:
    scores, items, rng = world()
    values = sign * scores.values[:, 1] + 0.5 * scores.values[:, 0] + rng.normal(size=N)
    audit = human_agreement(judged(values), scores, items)
    found = row(audit)
    assert (found["rank"], found["best_other"], found["verdict"]) == (2, "style", "weak")
    assert np.sign(found["best_other_spearman"]) == sign
    assert audit.summary["best_of_columns"] == 0
    assert audit.summary["weak"] == ["warmth"]


def test_a_column_upside_down_is_not_first() -> None:
    scores, items, _ = world()
    found = row(human_agreement(judged(-scores.values[:, 0]), scores, items))
    assert found["spearman"] == pytest.approx(-1)
    assert (found["rank"], found["verdict"]) == (3, "weak")


def test_raters_are_averaged_and_their_agreement_is_over_pairs_of_people() -> None:
    scores, items, rng = world()
    truth = scores.values[:, 0].astype(float)
    answers = {name: truth + 3 * rng.normal(size=N) for name in "abc"}
    frames = [judged(values, rater=name) for name, values in answers.items()]
    frames.append(judged(answers["a"], rater="a"))  # who answers twice is still one person
    audit = human_agreement(pd.concat(frames), scores, items)
    found = row(audit)
    mean = np.mean(list(answers.values()), axis=0)
    assert found["spearman"] == pytest.approx(stats.spearmanr(truth, mean).statistic)
    assert (found["n_judgements"], found["n_raters"], found["n_pairs"]) == (3 * N, 3, 3 * N)
    ordered = [(x, y) for x in "abc" for y in "abc" if x != y]
    one, other = (np.concatenate([answers[pair[side]] for pair in ordered]) for side in (0, 1))
    assert found["people"] == pytest.approx(stats.spearmanr(one, other).statistic)
    assert found["one_person"] == pytest.approx(stats.spearmanr(one, np.tile(truth, len(ordered))).statistic)
    assert found["people_low"] < found["people"] < found["people_high"]
    assert found["people"] < found["one_person"] < found["spearman"]
    summary = audit.summary
    assert summary["people_pairs"] == pytest.approx(found["people"])
    reliability = 3 * found["people"] / (1 + 2 * found["people"])
    assert summary["ceiling"] == pytest.approx(np.sqrt(reliability))
    assert summary["mean_spearman"] == pytest.approx(found["spearman"])
    assert (summary["people_pair_count"], summary["raters"], summary["items"]) == (3 * N, 3, N)


def test_without_raters_nothing_is_said_of_people() -> None:
    scores, items, _ = world()
    audit = human_agreement(pd.concat([judged(scores.values[:, 0])] * 2), scores, items)
    assert (row(audit)["n_pairs"], audit.summary["raters"]) == (0, 0)
    assert np.isnan(audit.summary["people_pairs"])
    assert np.isnan(audit.summary["ceiling"])


def test_questions_are_made_comparable_before_they_are_averaged() -> None:
    """A strict question asked of the best items must not make them look the worst."""
    scores, items, _ = world()
    truth = scores.values[:, 0].astype(float)
    lenient = judged(truth + 20, question="warm").iloc[: N // 2]
    strict = judged(truth - 20, question="scorching").iloc[N // 2 :]
    found = row(human_agreement(pd.concat([lenient, strict]), scores, items))
    assert found["spearman"] > 0.97
    pooled = row(human_agreement(pd.concat([lenient, strict]).drop(columns="question"), scores, items))
    assert pooled["spearman"] < 0.6


def test_a_question_asked_of_few_items_or_answered_alike_counts_as_none() -> None:
    scores, items, _ = world()
    truth = scores.values[:, 0].astype(float)
    good = judged(truth, question="warm")
    few = judged(-truth, question="odd").iloc[:4]
    alike = judged(np.full(N, 3.0), question="alike")
    audit = human_agreement(pd.concat([good, few, alike]), scores, items)
    assert row(audit)["n_judgements"] == N
    assert row(audit)["spearman"] == pytest.approx(1)
    audit = human_agreement(pd.concat([good, judged(truth, "style", question="styled").iloc[:4]]), scores, items)
    assert (row(audit, "style")["verdict"], row(audit, "style")["n_items"]) == ("too few", 0)
    assert audit.summary["too_few"] == ["style"]
    assert (audit.summary["attributes"], audit.summary["best_of_columns"]) == (1, 1)
    with pytest.raises(DataError, match="collect more judgements"):
        human_agreement(few, scores, items)


def test_categories_are_chosen_on_one_half_and_measured_on_the_other() -> None:
    scores, items, rng = world()
    # Many categories that mean nothing: the best of them fits its own items well, and others not at all.
    noise = ["|".join(f"c{c}" for c in np.flatnonzero(rng.random(30) < 0.3)) for _ in range(N)]
    found = row(human_agreement(judged(scores.values[:, 0]), scores, items, noise))
    dummies = pd.Series(noise).str.get_dummies("|").to_numpy(dtype=float)
    flattered = np.abs(rank_correlations(dummies, scores.values[:, 0].astype(float))[0]).max()
    assert flattered > 0.2
    assert abs(found["category"]) < 0.12
    assert abs(found["categories"]) < 0.25
    assert (found["lead"] > 0.7, found["lead_low"] > 0.5, found["verdict"]) == (True, True, "strong")


def test_where_categories_know_as_much_scores_are_weak() -> None:
    scores, items, rng = world()
    truth = scores.values[:, 0] > 5
    values = 10.0 * truth + rng.normal(size=N)
    given = GuidedScores(np.where(truth[:, None], 6, 4) + rng.integers(-3, 4, (N, 3)).astype(np.float32), scores.schema)
    categories = ["hot|any" if hot else "cold|any" for hot in truth]
    found = row(human_agreement(judged(values), given, items, categories))
    assert found["best_category"] in ("hot", "cold")
    alone = rank_correlations(truth[:, None].astype(float), values)[0, 0]
    assert found[["category", "categories"]].astype(float).to_numpy() == pytest.approx(alone, abs=0.03)
    assert alone > found["spearman"] > 0.3
    assert found["lead"] == pytest.approx(found["spearman"] - found["categories"], abs=0.05)
    assert found["verdict"] == "weak"


def test_items_without_scores_or_outside_the_data_set_are_left_out_and_counted() -> None:
    scores, items, _ = world()
    truth = scores.values[:, 0].astype(float)
    holes = scores.values.copy()
    holes[:10, 0] = np.nan
    strangers = pd.DataFrame({"item_id": ["x", "y"], "attribute": "warmth", "value": [1, 2]})
    audit = human_agreement(pd.concat([judged(truth), strangers]), GuidedScores(holes, scores.schema), items)
    assert (row(audit)["n_items"], audit.summary["not_in_data"]) == (N - 10, 12)
    with pytest.raises(DataError, match=r"none of 2 judged items has any \(judged: 'x', data set: 'i0'\)"):
        human_agreement(strangers, scores, items)


def test_unknown_attributes_and_columns_are_named() -> None:
    scores, items, _ = world()
    with pytest.raises(DataError, match=r"out of warmth, style, weight in the judgements, got colour; rename"):
        human_agreement(judged(scores.values[:, 0], "colour"), scores, items)
    with pytest.raises(DataError, match="missing: attribute; found: item_id, value"):
        human_agreement(judged(scores.values[:, 0]).drop(columns="attribute"), scores, items)


def test_few_items_get_no_verdict() -> None:
    scores, items, _ = world()
    audit = human_agreement(judged(scores.values[:, 0]).iloc[:19], scores, items)
    assert row(audit)["verdict"] == "too few"
    assert audit.summary["attributes"] == 0
    assert np.isnan(audit.summary["mean_spearman"])


def test_the_seed_decides_and_nothing_else() -> None:
    scores, items, rng = world()
    given = judged(scores.values[:, 0] + rng.normal(size=N))
    one, same, other = (human_agreement(given, scores, items, seed=seed, samples=200) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.table, same.table)
    assert repr(one.summary) == repr(same.summary)
    assert row(one)["ci_low"] != row(other)["ci_low"]
    assert row(one)["spearman"] == row(other)["spearman"]


@pytest.mark.skipif(not SURVEY.is_file(), reason="the survey behind the Tag Genome is not on this machine")
def test_scores_of_films_agree_with_people_more_than_genres_do_and_each_name_is_right() -> None:
    files = bundled_scores("movielens-small")
    questions = bundled_questions("movielens-small")
    assert files is not None
    assert questions is not None
    schema = AttributeSchema.read(files.attributes)
    items = Vocabulary(pd.read_csv(files.item_scores, dtype=str)["item_id"], "item")
    scores, _ = read_scores(files.item_scores, schema, items)
    judgements = survey_judgements(read_survey(SURVEY), read_questions(questions))
    summary = human_agreement(judgements, scores, items, samples=200).summary
    assert (summary["attributes"], summary["columns"]) == (16, 16)
    assert summary["best_of_columns"] >= 14
    assert summary["mean_spearman"] > 0.55
    assert summary["one_person_high"] > summary["people_pairs"] > 0.3
    # The same answers, dealt to the wrong films.
    mixed = dict(zip(items.ids, np.random.default_rng(0).permutation(items.ids), strict=True))
    wrong = judgements.assign(item_id=judgements["item_id"].map(mixed)).dropna()
    assert abs(human_agreement(wrong, scores, items, samples=50).summary["mean_spearman"]) < 0.1
