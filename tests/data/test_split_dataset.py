"""What models are told of a cut data set."""

from typing import Any

import numpy as np
import pytest
from tiny import sequences_of

from guidedrec_core.config import SplitConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.split import Split

# Cut after times 5 and 7: a validation period 2 long.
TIMES = [[0, 2, 4, 6, 8], [1, 3, 5], [7, 9]]
SEQUENCES = sequences_of([[0, 1, 2, 3, 4], [1, 2, 0], [1, 2]], 6, TIMES)


def prepared(**split: Any) -> SplitDataset:
    nothing: Any = None
    return SplitDataset(nothing, SEQUENCES, Split.of(SEQUENCES, SplitConfig(**split)), SplitConfig(**split))


def test_old_interactions_fade_from_the_end_of_training() -> None:
    data = prepared(kind="temporal", valid_fraction=0.2, test_fraction=0.2)
    assert (data.split.train_until, data.split.valid_until) == (5, 7)
    # One half-life is half a validation period: 1. Training has item 0 at times 0 and 5, 1 at 2 and 1, 2 at 4 and 3.
    expected = [2.0**-5 + 1, 2.0**-3 + 2.0**-4, 2.0**-1 + 2.0**-2, 0, 0, 0]
    np.testing.assert_allclose(data.decayed_interactions(0.5), expected)
    np.testing.assert_allclose(data.decayed_interactions(1e9), data.item_interactions, rtol=1e-6)
    assert data.item_interactions.tolist() == [2, 2, 2, 0, 0, 0]


def test_counts_are_brought_up_to_the_end_of_validation_and_no_further() -> None:
    data = prepared(kind="temporal", valid_fraction=0.2, test_fraction=0.2)
    newer = data.refreshed
    # Validation adds item 3 at time 6 and item 1 at time 7; test, items 4 and 2 at times 8 and 9, stays out.
    assert newer.item_interactions.tolist() == [2, 3, 2, 1, 0, 0]
    assert sorted(zip(*(part.tolist() for part in newer.train_pairs), strict=True)) == [
        *((0, item) for item in (0, 1, 2, 3)), *((1, item) for item in (0, 1, 2)), (2, 1)
    ]  # fmt: skip
    # Half-lives stay as long as they were: half a period is 1, now before time 7.
    expected = [2.0**-7 + 2.0**-2, 2.0**-5 + 2.0**-6 + 1, 2.0**-3 + 2.0**-4, 2.0**-1, 0, 0]
    np.testing.assert_allclose(newer.decayed_interactions(0.5), expected)
    assert data.item_interactions.tolist() == [2, 2, 2, 0, 0, 0]
    with pytest.raises(ValueError, match="temporal split"):
        _ = prepared().refreshed


def test_an_item_that_comes_twice_is_held_out_once() -> None:
    histories = [[0, 1, 2, 3, 4, 3, 0, 4], [1, 2, 0, 3]]
    times = [[0, 1, 2, 3, 8, 9, 10, 11], [0, 1, 2, 3]]
    sequences = sequences_of(histories, 6, times)
    nothing: Any = None
    config = SplitConfig(kind="temporal", valid_fraction=0.05, test_fraction=0.35)
    data = SplitDataset(nothing, sequences, Split.of(sequences, config), config)
    assert data.shown_history(0).tolist() == [0, 1, 2, 3]
    assert data.held_out(0).tolist() == [4]
    assert data.held_out(0).dtype == np.int64
    assert data.held_out(1).tolist() == []
    # Each case rolls on: the second 4 is no case, because the first one is in its history by then.
    assert data.test_cases.targets.tolist() == [4]
    assert data.test_cases.n_repeats == 3


def test_without_one_end_of_training_nothing_fades() -> None:
    data = prepared()
    assert data.split.train_until is None
    with pytest.raises(ValueError, match="temporal split"):
        data.decayed_interactions(1.0)
