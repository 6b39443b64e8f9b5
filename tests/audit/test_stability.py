"""Near-copies of a user hear nearly the same reasons; other users do not."""

import numpy as np
import pytest
from small_models import COLD, GUIDED, KINDS, MAKERS, N_ITEMS, additive, random_questions

from guidedrec_core.audit.stability import MEASURES, OTHER, SHORTENED, SWAPPED, stability
from guidedrec_core.explanation.past_items.shapley import history_shapley
from guidedrec_core.projection.spaces import ItemSpace


def test_measures_are_those_of_two_explanations() -> None:
    model = additive("sasrec")
    questions = random_questions(N_ITEMS)
    found = stability(model, questions, samples=50).cases
    case = int(found["case"].iloc[0])
    row = found[(found["case"] == case) & (found["change"] == SHORTENED)].iloc[0]
    own = history_shapley(model, questions[case])
    near = history_shapley(model, questions[case].with_history(questions[case].history[1:]))
    before, after = (each.matrix.sum(axis=0) + each.alone for each in (own, near))
    size = np.abs(before).sum()
    assert row["score_change"] == pytest.approx(abs(own.score - near.score) / size)
    assert row["attributes_change"] == pytest.approx(np.abs(after - before).sum() / size)
    first, second = own.values[1:], near.values
    assert row["history_change"] == pytest.approx(np.abs(first - second).sum() / np.abs(first).sum())
    ranks = np.argsort(np.argsort(first)), np.argsort(np.argsort(second))
    assert row["history_correlation"] == pytest.approx(np.corrcoef(*ranks)[0, 1])


@pytest.mark.parametrize("rows", [4, 10])
def test_reasons_of_near_copies_are_nearer_than_those_of_others(rows: int) -> None:
    result = stability(additive("sasrec"), random_questions(N_ITEMS, longest=12), rows=rows, samples=100)
    value = result.summary.set_index(["change", "measure"])["value"]
    for near in (SWAPPED, SHORTENED):
        for measure in MEASURES:
            larger, smaller = (near, OTHER) if measure.endswith("correlation") else (OTHER, near)
            assert value[larger, measure] > value[smaller, measure], (near, measure)
    assert (
        (result.summary["low"] <= result.summary["value"]) & (result.summary["value"] <= result.summary["high"])
    ).all()


def test_what_is_swapped_is_like_it_new_and_not_the_item_explained() -> None:
    """Read off what the model was asked."""
    model = additive("sasrec", COLD)
    asked: list[np.ndarray] = []
    real = model.parts

    def noted(users: np.ndarray, histories: list[np.ndarray], items: np.ndarray | None = None) -> object:
        asked.extend(each for each in histories)
        return real(users, histories, items)

    model.parts = noted
    question = next(each for each in random_questions(N_ITEMS) if len(each.history) >= 4)
    stability(model, [question], samples=10)
    history = question.history
    (swapped,) = {tuple(each) for each in asked if len(each) == len(history)} - {tuple(history)}
    (place,) = np.flatnonzero(history != swapped)
    assert swapped[place] not in {*history.tolist(), question.item}
    nearest, _ = ItemSpace.refined(GUIDED.values, model.item_remainders()).nearest(int(history[place]), N_ITEMS)
    allowed = [each for each in nearest.tolist() if each not in {*history.tolist(), question.item}]
    assert swapped[place] == allowed[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["guided-only", "literal", "head-beside-item-knn"])
def test_every_model_can_be_measured(form: str, kind: str) -> None:
    questions = random_questions(N_ITEMS, 7)
    short = sum(len(question.history) < 4 for question in questions)
    result = stability(MAKERS[form](kind), questions, samples=20)
    assert (result.n_cases, result.n_short) == (len(questions) - short, short)
    assert short > 0
    assert len(result.cases) == 3 * result.n_cases
    assert set(result.summary["measure"]) == set(MEASURES)


def test_one_user_alone_has_no_control() -> None:
    long = [question for question in random_questions(N_ITEMS) if len(question.history) >= 4]
    result = stability(additive("gru4rec"), long[:1], samples=10)
    assert set(result.summary["change"]) == {SWAPPED, SHORTENED}
