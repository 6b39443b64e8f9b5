"""Guided profiles against their formula: what is not known is left out, never counted as average."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from tiny import ENCODER, arrays

from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.sequences import item_seq
from guidedrec_core.models.registry import make_encoder
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.profiles import concatenate_histories, decayed_sums, guided_profiles

N_ITEMS, A = 12, 3
RAW = np.random.default_rng(0).uniform(0, 10, (N_ITEMS, A)).astype(np.float32)
RAW[[0, 1, 2, 5, 5], [0, 1, 2, 0, 2]] = np.nan
RAW[7] = np.nan
GUIDED = GuidedEmbedding.of(RAW)
HISTORIES = [[], [0], [7], [7, 7, 3], [1, 2, 3, 3, 4], list(range(N_ITEMS)), [5] * 30]


def sums_of(
    histories: list[npt.NDArray[np.int64]], guided: np.ndarray, known: np.ndarray, decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """Gather the rows of histories and sum them."""
    items, lengths = concatenate_histories(histories)
    sums, counts = decayed_sums(torch.from_numpy(guided[items]), torch.from_numpy(known[items]), lengths, decay)
    assert sums.dtype == counts.dtype == torch.float32
    return sums.numpy(), counts.numpy()


def sums_by_whole_tables(
    histories: list[npt.NDArray[np.int64]], guided: np.ndarray, known: np.ndarray, decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """Sum by a sparse product with the whole tables, in float64: what stored models were trained with."""
    lengths = np.array([len(h) for h in histories], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    items = np.concatenate([*histories, np.empty(0, np.int64)])
    steps_back = np.repeat(starts[1:], lengths) - 1 - np.arange(len(items))
    weights = sparse.csr_matrix((float(decay) ** steps_back, items, starts), shape=(len(histories), len(guided)))
    return (weights @ guided).astype(np.float32), (weights @ known.astype(np.float64)).astype(np.float32)


def slow_profile(history: list[int], decay: float, shrinkage: float) -> list[float]:
    """Compute a profile one interaction at a time."""
    profile = []
    for a in range(A):
        total = count = 0.0
        for item in history:
            total, count = total * decay, count * decay
            if not np.isnan(RAW[item, a]):
                total, count = total + float(GUIDED.values[item, a]), count + 1
        profile.append(total / (count + shrinkage) if count + shrinkage else 0.0)
    return profile


@pytest.mark.parametrize("decay", [1.0, 0.85, 0.2])
@pytest.mark.parametrize("shrinkage", [0.0, 3.0])
def test_profiles_follow_the_formula(decay: float, shrinkage: float) -> None:
    found = guided_profiles(arrays(HISTORIES), GUIDED.values, ~GUIDED.missing, decay, shrinkage)
    assert found.dtype == np.float32
    expected = [slow_profile(history, decay, shrinkage) for history in HISTORIES]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_nobody_has_no_profile() -> None:
    assert guided_profiles([], GUIDED.values, ~GUIDED.missing, 0.9, 1.0).shape == (0, A)


def test_an_item_without_scores_changes_no_plain_mean() -> None:
    """Were a missing score counted as the average one, it would pull the mean towards 0."""
    known = ~GUIDED.missing
    without, between, after = guided_profiles(arrays([[3, 4], [3, 7, 4], [3, 4, 7]]), GUIDED.values, known, 1.0, 0.0)
    np.testing.assert_allclose(between, without, rtol=1e-6)
    np.testing.assert_allclose(after, without, rtol=1e-6)
    sums, counts = sums_of(arrays([[7, 7], [0, 3]]), GUIDED.values, known, 1.0)
    assert not sums[0].any()
    assert counts.tolist() == [[0, 0, 0], [1, 2, 2]]


@pytest.mark.parametrize("decay", [1.0, 0.85, 0.3, 1e-3])
@pytest.mark.parametrize(("n_items", "n_attributes"), [(1, 1), (700, 12), (4000, 33), (50, 0)])
def test_sums_over_gathered_rows_are_those_over_whole_tables_bit_for_bit(
    n_items: int, n_attributes: int, decay: float
) -> None:
    rng = np.random.default_rng(n_items)
    known = rng.random((n_items, n_attributes)) < 0.9
    guided = np.where(known, rng.normal(size=known.shape), 0.0).astype(np.float32)
    for longest in (1, 20, 400):
        rows = [rng.integers(0, n_items, rng.integers(0, longest)) for _ in range(64)]
        for found, expected in zip(
            sums_of(rows, guided, known, decay), sums_by_whole_tables(rows, guided, known, decay), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
        sums, counts = sums_by_whole_tables(rows, guided, known, decay)
        for shrinkage in (0.0, 3.0, 0.1):
            divisors = np.maximum(counts + np.float32(shrinkage), np.float32(1e-9))
            profiles = guided_profiles(rows, guided, known, decay, shrinkage)
            np.testing.assert_array_equal(profiles, sums / divisors)


histories = st.lists(st.integers(0, N_ITEMS - 1), max_size=40)


@settings(max_examples=80, deadline=None)
@given(st.lists(histories, min_size=1, max_size=4), st.floats(0.05, 1), st.sampled_from([0.0, 0.5, 3.0]))
def test_any_profile_is_a_mean_of_known_scores_and_of_no_other_row(
    rows: list[list[int]], decay: float, shrinkage: float
) -> None:
    found = guided_profiles(arrays(rows), GUIDED.values, ~GUIDED.missing, decay, shrinkage)
    assert np.isfinite(found).all()
    assert (np.abs(found) <= np.abs(GUIDED.values).max(axis=0) + 1e-5).all()
    for row, history in zip(found, rows, strict=True):
        np.testing.assert_allclose(row, slow_profile(history, decay, shrinkage), rtol=1e-3, atol=1e-5)
        single = guided_profiles(arrays([history]), GUIDED.values, ~GUIDED.missing, decay, shrinkage)
        np.testing.assert_array_equal(single[0], row)


@settings(max_examples=40, deadline=None)
@given(histories.filter(bool), st.sampled_from([1.0, 0.85, 0.3]), st.sampled_from([0.0, 3.0]), st.integers(-1, 3))
def test_the_profile_trained_on_is_the_profile_used(
    history: list[int], decay: float, shrinkage: float, user: int
) -> None:
    """The last step of a training window, with what precedes the window, is what inference sees."""
    users = np.random.default_rng(1).normal(size=(3, A)).astype(np.float32)
    config = RefinementConfig(decay=decay, shrinkage=shrinkage)
    reduced, bias = np.zeros((N_ITEMS, 1), np.float32), np.zeros(N_ITEMS, np.float32)
    model = AdditiveRefinedModel(make_encoder(ENCODER, 0), GUIDED, reduced, bias, config, users)
    window, before = history[-ENCODER.max_length :], history[: -ENCODER.max_length]
    tokens = torch.from_numpy(item_seq(arrays([window]), ENCODER.max_length))
    with torch.no_grad():
        trained = model.profiles(tokens, np.array([user]), arrays([before]))[0, -1].numpy()
    used = model.parts(np.array([user]), arrays([history])).profile[0]
    np.testing.assert_allclose(trained, used, rtol=1e-4, atol=1e-5)
