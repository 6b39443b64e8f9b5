import numpy as np
import pytest
from sklearn.decomposition import PCA

from guidedrec_core.errors import ConfigError
from guidedrec_core.vectors.pca import pca

EMBEDDING = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32) * [5, 4, 3, 2, 1, 0.5] + 3
EMBEDDING = EMBEDDING.astype(np.float32)


def test_components_are_those_of_scikit_learn_but_for_the_sign() -> None:
    reduced = pca(EMBEDDING, 4)
    expected = PCA(4, svd_solver="full").fit_transform(EMBEDDING.astype(np.float64))
    assert reduced.shape == (40, 4)
    assert reduced.dtype == np.float32
    np.testing.assert_allclose(np.abs(reduced), np.abs(expected), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(reduced.mean(axis=0), 0, atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_the_largest_entry_of_a_component_is_positive(seed: int) -> None:
    reduced = pca(np.random.default_rng(seed).normal(size=(40, 6)).astype(np.float32), 6)
    largest = np.abs(reduced).argmax(axis=0)
    assert (reduced[largest, range(6)] > 0).all()


def test_pca_repeats_and_does_not_care_for_mirrored_input_dimensions() -> None:
    reduced = pca(EMBEDDING, 5)
    assert np.array_equal(pca(EMBEDDING.copy(), 5), reduced)
    mirrored = pca(EMBEDDING * np.array([-1, 1, -1, 1, 1, -1], dtype=np.float32), 5)
    np.testing.assert_allclose(mirrored, reduced, atol=1e-4)


def test_all_components_keep_all_distances() -> None:
    reduced = pca(EMBEDDING, 6)
    before = np.linalg.norm(EMBEDDING[:, None] - EMBEDDING[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(reduced[:, None] - reduced[None], axis=2), before, rtol=1e-3, atol=1e-4)


def test_an_embedding_without_spread_gives_zeros() -> None:
    np.testing.assert_allclose(pca(np.full((5, 4), 2.5, dtype=np.float32), 2), 0)


@pytest.mark.parametrize("components", [0, -1, 7, 41])
def test_more_components_than_there_are_is_refused(components: int) -> None:
    with pytest.raises(ConfigError, match=rf"expected 1 to 6 .* got {components}; use fewer attributes"):
        pca(EMBEDDING, components)
