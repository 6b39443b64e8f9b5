import numpy as np
import pytest

from guidedrec_core.projection.spaces import ItemSpace, item_pulls, overlap, refined_vectors

RNG = np.random.default_rng(0)


def refined_space(n: int = 50) -> ItemSpace:
    guided = RNG.normal(size=(n, 4)).astype(np.float32)
    return ItemSpace.refined(guided, RNG.normal(0, 0.01, size=(n, 6)).astype(np.float32))


def test_neighbours_agree_with_brute_force() -> None:
    space = ItemSpace.base(RNG.normal(size=(40, 5)).astype(np.float32))
    likeness = space.vectors @ space.vectors.T
    np.fill_diagonal(likeness, -np.inf)
    np.testing.assert_array_equal(space.neighbours(7), np.argsort(-likeness, axis=1)[:, :7])
    nearest, similarity = space.nearest(3, 7)
    np.testing.assert_array_equal(nearest, space.neighbours(7)[3])
    np.testing.assert_allclose(similarity, likeness[3, nearest], rtol=1e-6)


def test_no_item_is_its_own_neighbour_and_k_is_bounded() -> None:
    space = ItemSpace.base(RNG.normal(size=(5, 3)).astype(np.float32))
    assert space.neighbours(99).shape == (5, 4)
    assert not (space.neighbours(99) == np.arange(5)[:, None]).any()


def test_shares_sum_to_the_similarity() -> None:
    space = refined_space()
    others, similarity = space.nearest(0, 10)
    shares = space.shares(0, others)
    assert shares.shape == (10, 5)
    np.testing.assert_allclose(shares.sum(axis=1), similarity, atol=1e-6)


def test_the_scale_of_the_reduced_part_does_not_matter() -> None:
    guided, reduced = RNG.normal(size=(30, 3)).astype(np.float32), RNG.normal(size=(30, 5)).astype(np.float32)
    small, large = ItemSpace.refined(guided, reduced * 1e-3), ItemSpace.refined(guided, reduced * 1e3)
    np.testing.assert_allclose(small.vectors, large.vectors, atol=1e-5)


def test_a_vector_from_outside_is_placed_as_its_copy_in_the_catalogue_is() -> None:
    guided, reduced = RNG.normal(size=(30, 3)).astype(np.float32), RNG.normal(3, 9, size=(30, 5)).astype(np.float32)
    for space, vector in (
        (ItemSpace.refined(guided, reduced), refined_vectors(guided[4:5], reduced[4:5], reduced)[0]),
        (ItemSpace.guided(guided), guided[4]),
    ):
        found, similarity = space.nearest_to(vector, 6)
        assert found[0] == 4
        assert similarity[0] == pytest.approx(1.0)
        others, expected = space.nearest(4, 5)
        np.testing.assert_array_equal(found[1:], others)
        np.testing.assert_allclose(similarity[1:], expected, rtol=1e-5)
        np.testing.assert_allclose(space.shares_of(vector, others), space.shares(4, others), rtol=1e-4, atol=1e-6)
        assert len(space.nearest_to(vector, 99)[0]) == 30


def test_overlap_by_hand() -> None:
    first, second = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[3, 2, 9], [7, 8, 9]])
    assert overlap(first, second).tolist() == pytest.approx([2 / 3, 0.0])


def test_the_attribute_that_pulled_neighbours_together_is_named() -> None:
    z = np.zeros((6, 2), np.float32)
    z[:, 0] = [0, 0, 0, 3, 3, 3]  # in the refined space items flock by this attribute
    z[:, 1] = [1, 2, 1, 2, 1, 2]
    base = np.array([[3, 4], [4, 5], [5, 3], [0, 1], [1, 2], [2, 0]])
    refined = np.array([[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]])
    moved = item_pulls(z, base, refined).mean(axis=0)
    assert moved.argmax() == 0
    assert moved[0] == pytest.approx(3.0)
