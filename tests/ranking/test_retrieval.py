import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from guidedrec_core.errors import DataError
from guidedrec_core.models.base import FloatArray
from guidedrec_core.ranking.ranks import mask_seen, top_k
from guidedrec_core.ranking.retrieval import ItemIndex

# Small whole numbers: products are exact in any order of summation, and many scores tie.
few_values = st.sampled_from([-1.0, 0.0, 1.0])
item_vectors = numpy_arrays(np.float32, st.tuples(st.integers(1, 600), st.integers(1, 5)), elements=few_values)


@settings(max_examples=200, deadline=None)
@given(item_vectors, st.integers(1, 700), st.data())
def test_the_list_is_that_of_the_full_ranking(vectors: FloatArray, k: int, data: st.DataObject) -> None:
    n_items, width = vectors.shape
    bias = data.draw(numpy_arrays(np.float32, n_items, elements=few_values))
    user = data.draw(numpy_arrays(np.float32, width, elements=few_values))
    seen = np.array(data.draw(st.lists(st.integers(0, n_items - 1), max_size=n_items + 3)), dtype=np.int64)
    scores = vectors @ user + bias
    expected = top_k(mask_seen(scores[None], [seen]), k)[0]
    items, listed_scores = ItemIndex.of(vectors, bias).best(user, seen, k)
    assert items.tolist() == expected[expected >= 0].tolist()
    assert np.array_equal(listed_scores, scores[items])
    assert listed_scores.dtype == np.float32


def test_it_agrees_with_sorting_random_scores() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((20_000, 16)).astype(np.float32)
    bias, user = rng.standard_normal(20_000).astype(np.float32), rng.standard_normal(16).astype(np.float32)
    order = np.argsort(-(vectors.astype(np.float64) @ user + bias), kind="stable")
    seen = order[:50:2]
    items, scores = ItemIndex.of(vectors, bias).best(user, seen, 100)
    assert items.tolist() == [item for item in order if item not in seen][:100]
    np.testing.assert_allclose(scores, vectors[items] @ user + bias[items], rtol=1e-4)


def test_somebody_who_has_seen_everything_gets_nothing() -> None:
    index = ItemIndex.of(np.ones((3, 2), np.float32), np.zeros(3, np.float32))
    items, scores = index.best(np.ones(2, np.float32), np.arange(3), 2)
    assert len(items) == len(scores) == 0


def test_a_request_changes_nothing() -> None:
    vectors, bias, user = np.eye(3, dtype=np.float32), np.ones(3, np.float32), np.ones(3, np.float32)
    index = ItemIndex.of(vectors, bias)
    first = index.best(user, np.array([0]), 3)
    assert [a.tolist() for a in index.best(user, np.array([0]), 3)] == [a.tolist() for a in first]
    assert bias.tolist() == user.tolist() == [1, 1, 1]
    assert index.n_items == 3


@pytest.mark.parametrize("bias", [np.zeros(2), np.zeros((3, 1))])
def test_vectors_and_bias_must_fit(bias: FloatArray) -> None:
    with pytest.raises(DataError, match=r"got shapes \(3, 2\) and \("):
        ItemIndex.of(np.zeros((3, 2), np.float32), bias)
