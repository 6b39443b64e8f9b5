import warnings
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from guidedrec_core.errors import DataError
from guidedrec_core.refinement.guided import (
    GuidedEmbedding,
    Standardisation,
    standardise_user_scores,
    whitening,
)

N_ITEMS, N_ATTRIBUTES = 300, 5
Normalisation = Literal["z", "white"]


def correlated_scores(seed: int = 0) -> np.ndarray:
    """Draw scores from 0 to 10 whose attributes share a common cause, as those of a language model do."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(N_ITEMS, 1))
    raw = 5 + 1.2 * common * [1, 1, -1, 1, 0.2] + rng.normal(size=(N_ITEMS, N_ATTRIBUTES)) * [1, 0.5, 1, 2, 1]
    return np.clip(raw, 0, 10).astype(np.float32)


def with_gaps(raw: np.ndarray) -> np.ndarray:
    raw = raw.copy()
    raw[::7, 1] = np.nan
    raw[3] = np.nan
    return raw


def test_z_scores_by_hand() -> None:
    guided = GuidedEmbedding.of(np.array([[2, 1], [4, 1], [6, 7]], dtype=np.float32))
    root = np.sqrt(1.5)
    np.testing.assert_allclose(guided.values, [[-root, -(0.5**0.5)], [0, -(0.5**0.5)], [root, 2**0.5]], rtol=1e-6)
    np.testing.assert_allclose(guided.mean, [4, 3])
    np.testing.assert_allclose(guided.scale, np.sqrt([8 / 3, 8]), rtol=1e-6)
    assert guided.values.dtype == np.float32
    assert not guided.missing.any()


@pytest.mark.parametrize("normalisation", ["z", "white"])
def test_columns_have_mean_0_and_spread_1(normalisation: Normalisation) -> None:
    values = GuidedEmbedding.of(correlated_scores(), normalisation).values
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-4)


def test_whitened_columns_are_uncorrelated_and_each_is_its_own_attribute() -> None:
    raw = correlated_scores()
    assert np.abs(np.corrcoef(raw.T) - np.eye(N_ATTRIBUTES)).max() > 0.5
    white = GuidedEmbedding.of(raw, "white").values
    np.testing.assert_allclose(np.corrcoef(white.T), np.eye(N_ATTRIBUTES), atol=1e-4)
    between = np.corrcoef(white.T, raw.T)[:N_ATTRIBUTES, N_ATTRIBUTES:]
    assert between.argmax(axis=1).tolist() == list(range(N_ATTRIBUTES))
    assert between.argmax(axis=0).tolist() == list(range(N_ATTRIBUTES))
    assert np.diag(between).min() > 0.7


def test_whitening_is_the_inverse_square_root_of_the_correlations() -> None:
    raw = correlated_scores()
    z = GuidedEmbedding.of(raw).values.astype(np.float64)
    whitening = np.linalg.lstsq(z, GuidedEmbedding.of(raw, "white").values.astype(np.float64), rcond=None)[0]
    np.testing.assert_allclose(whitening, whitening.T, atol=1e-4)
    np.testing.assert_allclose(whitening @ whitening @ np.corrcoef(raw.T), np.eye(N_ATTRIBUTES), atol=1e-3)


@pytest.mark.parametrize("normalisation", ["z", "white"])
def test_missing_scores_become_the_mean_and_are_flagged(normalisation: Normalisation) -> None:
    raw = with_gaps(correlated_scores())
    before = raw.copy()
    guided = GuidedEmbedding.of(raw, normalisation)
    assert np.array_equal(guided.missing, np.isnan(raw))
    assert (guided.values[guided.missing] == 0).all()
    np.testing.assert_allclose(guided.values.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(guided.mean, np.nanmean(raw, axis=0), rtol=1e-5)
    np.testing.assert_allclose(guided.scale, np.nanstd(raw, axis=0), rtol=1e-5)
    assert np.array_equal(raw, before, equal_nan=True)


@pytest.mark.parametrize("normalisation", ["z", "white"])
def test_copied_attributes_stay_bounded(normalisation: Normalisation) -> None:
    raw = correlated_scores()
    raw[:, 1] = raw[:, 0]
    values = GuidedEmbedding.of(raw, normalisation).values
    assert np.isfinite(values).all()
    assert np.abs(values).max() < 10


@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, 7.3, 3.3333333])
@pytest.mark.parametrize("n_items", [3, 7, 1000])
def test_a_constant_attribute_is_refused_whatever_its_value(value: float, n_items: int) -> None:
    raw = np.random.default_rng(0).uniform(0, 10, (n_items, 3)).astype(np.float32)
    raw[:, 1] = value
    raw[0, 1] = np.nan
    with pytest.raises(DataError, match=r"columns \[1\] have the same score for every item; remove them"):
        GuidedEmbedding.of(raw)


def test_an_attribute_without_scores_is_refused() -> None:
    raw = correlated_scores()
    raw[:, 2] = np.nan
    with pytest.raises(DataError, match=r"columns \[2\] have no scores"):
        GuidedEmbedding.of(raw)


def test_the_placebo_moves_whole_rows() -> None:
    guided = GuidedEmbedding.of(with_gaps(correlated_scores()))
    placebo = guided.shuffled(np.random.default_rng(5))
    order = [int(np.flatnonzero((guided.values == row).all(axis=1))[0]) for row in placebo.values]
    assert sorted(order) == list(range(N_ITEMS))
    assert order != list(range(N_ITEMS))
    assert np.array_equal(guided.missing[order], placebo.missing)
    assert np.array_equal(guided.shuffled(np.random.default_rng(5)).values, placebo.values)
    assert not np.array_equal(guided.shuffled(np.random.default_rng(6)).values, placebo.values)


def test_some_attributes_or_none_can_be_taken() -> None:
    guided = GuidedEmbedding.of(correlated_scores())
    some = guided.take([3, 0])
    assert np.array_equal(some.values, guided.values[:, [3, 0]])
    assert np.array_equal(some.mean, guided.mean[[3, 0]])
    none = guided.take([])
    assert none.values.shape == none.missing.shape == (N_ITEMS, 0)
    assert none.mean.shape == none.scale.shape == (0,)


def test_user_scores_become_z_scores_and_gaps_the_average_user() -> None:
    raw = np.array([[1, 5, np.nan], [3, 5, np.nan], [np.nan, 5, np.nan]], dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        standard = standardise_user_scores(raw)
    assert standard.tolist() == [[-1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert standard.dtype == np.float32
    assert standardise_user_scores(np.full((9, 1), 7.3, dtype=np.float32)).tolist() == [[0]] * 9
    assert standardise_user_scores(np.empty((0, 2), dtype=np.float32)).shape == (0, 2)


cells = st.one_of(st.just(np.nan), st.integers(0, 10).map(float), st.sampled_from([0.1, 7.3, 9.9]))


@settings(max_examples=150, deadline=None)
@given(numpy_arrays(np.float32, st.tuples(st.integers(1, 8), st.integers(1, 4)), elements=cells), st.booleans())
def test_any_table_is_refused_or_normalised(raw: np.ndarray, white: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            guided = GuidedEmbedding.of(raw, "white" if white else "z")
        except DataError:
            assert any(len(np.unique(column[~np.isnan(column)])) < 2 for column in raw.T)
            return
    assert all(len(np.unique(column[~np.isnan(column)])) >= 2 for column in raw.T)
    assert np.isfinite(guided.values).all()
    assert (guided.values[np.isnan(raw)] == 0).all()
    # The ids of items carry no meaning: another order of rows gives the same rows.
    other = GuidedEmbedding.of(raw[::-1], "white" if white else "z")
    np.testing.assert_allclose(other.values[::-1], guided.values, atol=2e-3)


@pytest.mark.parametrize("normalisation", ["z", "white"])
def test_what_comes_later_stands_where_an_item_with_its_scores_stands(normalisation: Normalisation) -> None:
    raw = with_gaps(correlated_scores())
    catalogue, how = GuidedEmbedding.of(raw, normalisation).values, Standardisation.of(raw, normalisation)
    np.testing.assert_array_equal(how.apply(raw), catalogue)
    for row in (0, 7, 3, 299):
        np.testing.assert_allclose(how.apply(raw[[row]])[0], catalogue[row], rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(how.apply(np.full((1, N_ATTRIBUTES), np.nan, np.float32)), 0)
    # A straight line, so that scores beyond the catalogue's go on where it ends.
    ends = how.apply(np.array([[0] * 5, [4] * 5, [8] * 5], np.float32))
    np.testing.assert_allclose(ends[0] + ends[2], 2 * ends[1], atol=1e-5)


def weights_of(raw: np.ndarray, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 1, raw.shape)


def test_scores_that_count_by_weight_by_hand() -> None:
    raw = np.array([[2], [4], [6], [np.nan]], dtype=np.float32)
    guided = GuidedEmbedding.of(raw, "z", np.array([[1.0], [0.5], [0.5], [0.3]]))
    # The weighted mean is (2 + 2 + 3) / 2, the spread that of the scores themselves.
    np.testing.assert_allclose(guided.mean, [3.5])
    expected = np.array([-1.5, 0.5 * 0.5, 0.5 * 2.5]) / np.sqrt(8 / 3)
    np.testing.assert_allclose(guided.values[:, 0], [*expected, 0], rtol=1e-6)
    assert guided.moments is not None
    np.testing.assert_allclose(guided.moments, [[3 / 4]], rtol=1e-6)  # z-scores in full, and a gap


@pytest.mark.parametrize("normalisation", ["z", "white"])
def test_weighted_columns_keep_mean_0_and_gaps_and_new_items_their_place(normalisation: Normalisation) -> None:
    raw = with_gaps(correlated_scores())
    weights = weights_of(raw)
    guided, how = GuidedEmbedding.of(raw, normalisation, weights), Standardisation.of(raw, normalisation, weights)
    np.testing.assert_allclose(guided.values.mean(axis=0), 0, atol=1e-6)
    assert (guided.values[np.isnan(raw)] == 0).all()
    assert (guided.values.std(axis=0) < 0.9).all()
    np.testing.assert_array_equal(how.apply(raw, weights), guided.values)
    one = how.apply(raw[[5]], weights[5])
    np.testing.assert_allclose(one, guided.values[[5]], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("normalisation", ["z", "white"])
def test_weights_of_1_change_nothing(normalisation: Normalisation) -> None:
    raw = with_gaps(correlated_scores())
    plain, full = (GuidedEmbedding.of(raw, normalisation, w) for w in (None, np.ones(raw.shape)))
    np.testing.assert_allclose(full.values, plain.values, atol=1e-6)
    np.testing.assert_allclose(full.whitener(), plain.whitener(), atol=1e-6)
    assert plain.moments is None
    np.testing.assert_array_equal(plain.whitener(), whitening(plain.values.astype(np.float64)))
    assert plain.arrays().keys() == {"values", "missing"}


@pytest.mark.parametrize("normalisation", ["z", "white"])
def test_no_whitening_undoes_doubt(normalisation: Normalisation) -> None:
    raw = correlated_scores()
    weights = np.tile([1, 1, 1, 0.25, 0], (N_ITEMS, 1))
    guided = GuidedEmbedding.of(raw, normalisation, weights)
    plain = GuidedEmbedding.of(raw, normalisation)
    np.testing.assert_allclose(guided.whitener(), plain.whitener(), atol=1e-6)
    whole = np.linalg.norm(guided.values @ guided.whitener(), axis=0) / np.linalg.norm(
        plain.values @ plain.whitener(), axis=0
    )
    assert whole[3] < 0.6
    assert whole[4] < 0.3
    if normalisation == "z":
        np.testing.assert_allclose(guided.values[:, 3], 0.25 * plain.values[:, 3], rtol=1e-5, atol=1e-6)
        assert not guided.values[:, 4].any()
    order = np.random.default_rng(5)
    np.testing.assert_array_equal(guided.shuffled(order).whitener(), guided.whitener())
    assert guided.take([]).whitener().shape == (0, 0)
    np.testing.assert_array_equal(guided.take([3, 0]).moments, guided.moments[np.ix_([3, 0], [3, 0])])
