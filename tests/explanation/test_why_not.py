"""Why an item is not in the list: it is there, seen or out-ranked, and by how much."""

import numpy as np
import pytest
from small_models import N_ITEMS, named

from guidedrec_core.explanation.question import Question
from guidedrec_core.explanation.why_not import why_not
from guidedrec_core.ranking.ranks import mask_seen, top_k

HISTORY = np.array([2, 7, 11])
K = 5


@pytest.fixture(scope="module")
def names():
    return named("additive", "sasrec")


def test_every_item_is_told_where_it_stands(names) -> None:
    scores = mask_seen(names.model.scores(np.array([3]), [HISTORY]), [HISTORY])
    order = top_k(scores, N_ITEMS)[0]
    order = order[order >= 0].tolist()
    for item in range(N_ITEMS):
        result = why_not(names, Question(3, HISTORY, item, K))
        assert result.n_ranked == N_ITEMS - len(HISTORY)
        if item in HISTORY:
            assert (result.status, result.rank, result.against, result.margin) == ("seen", 0, None, 0.0)
            continue
        rank = order.index(item) + 1
        assert result.rank == rank
        against = order[K - 1] if rank > K else order[K]
        assert result.against == against
        assert result.status == ("outranked" if rank > K else "listed")
        assert result.margin == pytest.approx(float(scores[0, item]) - float(scores[0, against]), abs=1e-5)
        assert (result.margin < 0) == (rank > K)
        assert result.between == max(rank - K - 1, 0)
        parts = result.parts
        assert parts.contributions[0].sum() + parts.neighbours[0] + parts.unnamed[0] == pytest.approx(result.margin)


def test_a_list_that_holds_everything_leaves_nothing_to_compare(names) -> None:
    result = why_not(names, Question(3, HISTORY, 0, k=N_ITEMS))
    assert (result.status, result.against, result.parts, result.margin) == ("listed", None, None, 0.0)
