"""One item's row of G can be replaced: its score moves as the model says, the others' do not."""

import numpy as np
import pytest
from small_models import KINDS, MAKERS, N_ITEMS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", MAKERS)
def test_only_the_score_of_that_item_changes(form: str, kind: str) -> None:
    model = MAKERS[form](kind)
    users, history, item, A = np.array([3]), [np.array([5, 2, 9])], 7, model.n_attributes
    before = model.scores(users, history)[0]
    own = model.item_values()[item]
    row = own + np.linspace(-1, 2, A, dtype=np.float32)
    changed = model.with_item_value(item, row)
    after = changed.scores(users, history)[0]
    others = np.arange(N_ITEMS) != item
    np.testing.assert_allclose(after[others], before[others], atol=1e-6)
    result = model.new_item_parts(users, history, np.stack([own, row])).scores[0]
    assert after[item] - before[item] == pytest.approx(result[1] - result[0], abs=1e-5)
    assert not A or abs(after[item] - before[item]) > 1e-3
    np.testing.assert_allclose(changed.item_values()[item], row, atol=1e-6)
    np.testing.assert_array_equal(model.scores(users, history)[0], before)  # the model itself is as it was
    np.testing.assert_array_equal(model.with_item_value(item, own).scores(users, history)[0], before)
