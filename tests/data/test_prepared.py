"""What models are told of a cut data set."""

from typing import Any

import numpy as np
import pytest
from tiny import sequences_of

from guidedrec_core.config import SplitConfig
from guidedrec_core.data.prepared import PreparedData
from guidedrec_core.data.split import Split

# Cut after times 5 and 7: a validation period 2 long.
TIMES = [[0, 2, 4, 6, 8], [1, 3, 5], [7, 9]]
SEQUENCES = sequences_of([[0, 1, 2, 3, 4], [1, 2, 0], [1, 2]], 6, TIMES)


def prepared(**split: Any) -> PreparedData:
    nothing: Any = None
    return PreparedData(nothing, nothing, SEQUENCES, Split.of(SEQUENCES, SplitConfig(**split)))


def test_old_interactions_fade_from_the_end_of_training() -> None:
    data = prepared(kind="temporal", valid_fraction=0.2, test_fraction=0.2)
    assert (data.split.train_until, data.split.valid_until) == (5, 7)
    # One half-life is half a validation period: 1. Training has item 0 at times 0 and 5, 1 at 2 and 1, 2 at 4 and 3.
    expected = [2.0**-5 + 1, 2.0**-3 + 2.0**-4, 2.0**-1 + 2.0**-2, 0, 0, 0]
    np.testing.assert_allclose(data.faded_interactions(0.5), expected)
    np.testing.assert_allclose(data.faded_interactions(1e9), data.item_interactions, rtol=1e-6)
    assert data.item_interactions.tolist() == [2, 2, 2, 0, 0, 0]


def test_without_one_end_of_training_nothing_fades() -> None:
    data = prepared()
    assert data.split.train_until is None
    with pytest.raises(ValueError, match="temporal split"):
        data.faded_interactions(1.0)
