import numpy as np
import pytest

from guidedrec_core.evaluation.metrics import case_metrics, metric_names


def test_hand_computed_values() -> None:
    values = case_metrics(np.array([1, 2, 10, 11, 500]), (10, 20))
    assert metric_names((10, 20)) == ["MRR", "Recall@10", "Recall@20", "NDCG@10", "NDCG@20"]
    np.testing.assert_allclose(values[:, 0], [1, 0.5, 0.1, 1 / 11, 0.002])
    np.testing.assert_array_equal(values[:, 1], [1, 1, 1, 0, 0])
    np.testing.assert_array_equal(values[:, 2], [1, 1, 1, 1, 0])
    np.testing.assert_allclose(values[:, 3], [1, 1 / np.log2(3), 1 / np.log2(11), 0, 0])
    np.testing.assert_allclose(values[:, 4], [1, 1 / np.log2(3), 1 / np.log2(11), 1 / np.log2(12), 0])


def test_ndcg_is_normalised_by_what_one_item_can_achieve() -> None:
    # Dividing by an ideal of ten hits would give 0.22 here.
    assert case_metrics(np.array([1]), (10,))[0, 2] == pytest.approx(1.0)
