"""Named scores stay what they were, and names are earned: planted ones are found, random ones are not."""

import numpy as np
import pytest
from small_models import KINDS, MAKERS, N_ITEMS, N_USERS, NAMED_FORMS, named, named_over

from guidedrec_core.explanation.named_ledger import named_ledger
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.naming.regression import fit_regression
from guidedrec_core.naming.shares import deciding_items, shares_of
from guidedrec_core.refinement.cold import NEVER

TOLERANCE = 1e-5


def some_histories(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, N_ITEMS, rng.integers(0, 12)) for _ in range(N_USERS)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", NAMED_FORMS)
def test_parts_sum_to_the_score_of_the_model(form: str, kind: str) -> None:
    names, users, histories = named(form, kind), np.arange(N_USERS), some_histories(1)
    scores = names.model.scores(users, histories)
    parts = names.parts(users, histories)
    np.testing.assert_array_equal(parts.scores, scores)
    by_name = parts.slopes @ names.columns.values.T
    total = by_name + parts.neighbours + parts.unnamed + parts.average[:, None]
    np.testing.assert_allclose(total, scores, atol=TOLERANCE, rtol=TOLERANCE)
    np.testing.assert_allclose(parts.unnamed.mean(axis=1), 0, atol=TOLERANCE)
    some = np.array([3, 0, 11])
    few = names.parts(users, histories, some)
    np.testing.assert_allclose(few.slopes, parts.slopes, atol=TOLERANCE)
    np.testing.assert_allclose(few.unnamed, parts.unnamed[:, some], atol=TOLERANCE)
    by_line = np.stack([names.contributions(slopes, some) for slopes in parts.slopes])
    np.testing.assert_allclose(by_line.sum(axis=2), by_name[:, some], atol=TOLERANCE)
    np.testing.assert_allclose(parts.neighbours, names.model.neighbour_scores(users, histories), atol=TOLERANCE)


def test_items_that_must_not_be_recommended_do_not_move_the_average() -> None:
    users, histories = np.arange(N_USERS), some_histories(3)
    before = named("anchored", "sasrec").parts(users, histories)
    model = MAKERS["anchored"]("sasrec")
    model.cold_offset = NEVER
    names = named_over(model)
    after = names.parts(users, histories)
    kept = ~model.cold
    np.testing.assert_allclose(after.average, before.average, atol=0.5)
    np.testing.assert_allclose(after.unnamed[:, kept], before.unnamed[:, kept], atol=0.5)
    assert (after.unnamed[:, model.cold] < NEVER / 2).all()
    total = after.slopes @ names.columns.values.T + after.neighbours + after.unnamed + after.average[:, None]
    np.testing.assert_allclose(total, names.model.scores(users, histories), atol=2e-3)


@pytest.mark.parametrize("form", ["head-beside-item-knn", "literal-beside-item-knn"])
def test_what_item_knn_gives_belongs_to_past_items_exactly(form: str) -> None:
    model = named(form, "sasrec").model
    for user, history in enumerate(some_histories(2)):
        scores = model.neighbour_scores(np.array([user]), [history])[0]
        for item in (0, 7, 19):
            shares = model.neighbour_shares(history, item)
            assert shares.shape == history.shape
            assert shares.sum() == pytest.approx(scores[item], abs=1e-6)


def test_the_ledger_of_one_user_is_the_row_of_all() -> None:
    names, history = named("additive", "gru4rec"), np.array([3, 8, 3])
    items = np.arange(N_ITEMS)
    ledger = named_ledger(names, UserHistory(2, history), items)
    scores = names.model.scores(np.array([2]), [history])[0]
    np.testing.assert_allclose(ledger.score, scores, atol=TOLERANCE)
    np.testing.assert_allclose(ledger.contributions.mean(axis=0), 0, atol=TOLERANCE)


def test_base_lines_and_what_they_leave_sum_to_the_base_score() -> None:
    names, history = named("additive", "sasrec"), np.array([3, 8])
    base = names.model.base
    lines = names.base_lines(2, history)
    assert lines.shape == (N_ITEMS, len(names.columns.lines))
    scores = base.scores(np.array([2]), [history])[0]
    # With all columns at hand a regression explains most, in sample; the lines are not the score's by accident.
    left = (scores - lines.sum(axis=1)).std()
    assert left < 0.8 * scores.std()


def planted(seed: int = 0, n_items: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw item vectors of which four columns tell half, and other columns nothing."""
    rng = np.random.default_rng(seed)
    columns, noise = rng.normal(size=(n_items, 4)), rng.normal(size=(n_items, 60))
    vectors = columns @ rng.normal(size=(4, 8)) + 2 * rng.normal(size=(n_items, 8))
    return columns, noise, vectors


def left_out_error(columns: np.ndarray, vectors: np.ndarray) -> float:
    """Return the share of the vectors' variance that left-out items keep."""
    made = fit_regression(columns, vectors, np.ones(len(vectors)), np.eye(vectors.shape[1]), resamples=0)
    ones = np.column_stack([np.ones(len(columns)), columns])
    predicted = np.stack([ones[i] @ made.without_fold[fold] for i, fold in enumerate(made.fold_of)])
    return float(((vectors - predicted) ** 2).sum() / ((vectors - vectors.mean(axis=0)) ** 2).sum())


def test_planted_names_are_found_and_random_ones_name_nothing() -> None:
    columns, noise, vectors = planted()
    assert left_out_error(columns, vectors) == pytest.approx(0.5, abs=0.1)
    assert left_out_error(noise, vectors) > 0.97
    assert left_out_error(np.column_stack([columns, noise]), vectors) < 0.65


def test_an_items_own_vector_has_no_say_in_its_out_of_fold_name() -> None:
    columns, _, vectors = planted(1)
    weights, moments = np.ones(len(vectors)), np.eye(8)
    before = fit_regression(columns, vectors, weights, moments, penalties=(1.0,), resamples=0)
    item = 17
    changed = vectors.copy()
    changed[item] += 100.0
    after = fit_regression(columns, changed, weights, moments, penalties=(1.0,), resamples=0)
    fold = before.fold_of[item]
    np.testing.assert_allclose(after.without_fold[fold], before.without_fold[fold], atol=1e-9)
    assert not np.allclose(after.coefficients, before.coefficients)


def test_items_without_weight_do_not_count() -> None:
    columns, _, vectors = planted(2)
    weights = np.ones(len(vectors))
    weights[:50] = 0
    changed = vectors.copy()
    changed[:50] = 1e3
    first, second = (fit_regression(columns, v, weights, np.eye(8), resamples=3) for v in (vectors, changed))
    np.testing.assert_allclose(first.coefficients, second.coefficients, atol=1e-9)
    np.testing.assert_allclose(first.resampled, second.resampled, atol=1e-9)


def test_resamples_spread_as_the_error_of_the_coefficients() -> None:
    """Over fresh draws of items the coefficients vary about as much as over resamples of one draw."""
    rng = np.random.default_rng(0)
    truth, drawn, spreads = rng.normal(size=(4, 3)), [], []
    for seed in range(40):
        own = np.random.default_rng(seed)
        columns = own.normal(size=(300, 4))
        vectors = columns @ truth + own.normal(size=(300, 3))
        made = fit_regression(columns, vectors, np.ones(300), np.eye(3), seed=seed, resamples=50)
        drawn.append(made.coefficients[1:])
        spreads.append(made.resampled[:, 1:].std(axis=0))
    ratio = np.mean(spreads, axis=0) / np.std(drawn, axis=0)
    assert 0.7 < ratio.mean() < 1.4


def test_shares_sum_to_one_and_only_the_best_unseen_items_decide() -> None:
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(30, 4))
    assert shares_of(parts, parts.sum(axis=1)).sum() == pytest.approx(1)
    assert np.isnan(shares_of(np.ones((5, 2)), np.full(5, 2.0))).all()
    scores = np.array([5.0, 1.0, 4.0, 3.0, 2.0])
    assert deciding_items(scores, np.array([0]), 3).tolist() == [2, 3, 4]
    assert deciding_items(scores, np.arange(5)).tolist() == []
