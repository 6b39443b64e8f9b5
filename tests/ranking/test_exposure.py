"""Lists before and after: who is counted as changed, what exposure is, and whose list an item moves in."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.catalogue import Catalogue
from guidedrec_core.ranking.exposure import compare_lists, exposure


@pytest.fixture
def catalogue() -> Catalogue:
    frame = pd.DataFrame({"item_id": list("abcd"), "title": list("ABCD"), "category": ["x", "y|x", "", "y"]})
    return Catalogue(frame.astype("str"))


def test_exposure_counts_places_by_their_discount() -> None:
    np.testing.assert_allclose(exposure(np.array([[2, 0], [2, -1]]), 3), [1 / np.log2(3), 0, 2])


def test_lists_are_compared_by_hand(catalogue: Catalogue) -> None:
    before = np.array([[0, 1], [2, 3], [1, 0], [0, -1], [3, 2]])
    after = np.array([[1, 0], [2, 0], [1, 0], [-1, -1], [3, -1]])
    found = compare_lists(catalogue, 9, np.array([4, 5, 6, 7, 8]), before, after)
    assert (found.k, found.users, found.sampled) == (2, 9, 5)
    # Order alone changes one list, another loses its only item, another its last; one user gets another item.
    assert (found.changed, found.entered) == (4, 1)
    assert (found.coverage_before, found.coverage_after) == (1.0, 1.0)
    second = 1 / np.log2(3)
    whole = np.array([exposure(each, 4).sum() for each in (before, after)])
    items = found.items.set_index("item_id")
    assert items.loc["d", "before"] == pytest.approx((1 + second) / whole[0])
    assert items.loc["d", "after"] == pytest.approx(1 / whole[1])
    shares = found.categories.set_index("category")
    assert shares.loc["no category", "before"] == pytest.approx((1 + second) / whole[0])
    assert shares[["before", "after"]].sum().tolist() == pytest.approx([1, 1])
    assert found.categories["change"].abs().is_monotonic_decreasing


def test_the_users_in_whose_lists_an_item_moves_come_by_how_much(catalogue: Catalogue) -> None:
    before = np.array([[0, 1, 2], [1, 2, 3], [2, 0, 1], [1, 2, 3]])
    after = np.array([[1, 2, 3], [1, 2, 0], [2, 1, 0], [1, 2, 3]])
    found = compare_lists(catalogue, 9, np.array([3, 5, 7, 8]), before, after).most_moved(0)
    assert found.to_dict("list") == {"user": [3, 5, 7], "before": [1, 0, 2], "after": [0, 3, 3]}
    assert len(compare_lists(catalogue, 9, np.array([3, 5, 7, 8]), before, after).most_moved(0, most=1)) == 1


def test_no_lists_at_all_have_no_exposure(catalogue: Catalogue) -> None:
    empty = np.full((2, 2), -1)
    found = compare_lists(catalogue, 2, np.arange(2), empty, empty)
    assert (found.changed, found.entered, found.coverage_after) == (0, 0, 0.0)
    assert found.categories["after"].tolist() == [0, 0, 0]
