import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays
from tiny import arrays, random_histories, sequences_of

from guidedrec_core.config import SplitConfig
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.split import Cases, Split
from guidedrec_core.models.base import FloatArray
from guidedrec_core.ranking import ranks as ranking
from guidedrec_core.ranking.ranks import block_size, mask_seen, ndcg_at, ranks_of, target_ranks, top_k, top_lists

N_ITEMS = 12
# Few different values, so that most rows have ties.
score_tables = numpy_arrays(
    np.float32, st.tuples(st.integers(1, 5), st.integers(1, 9)), elements=st.sampled_from([-1.5, 0.0, 0.5, 2.0])
)


class Fixed:
    """Scores that depend on user and history length only, with many ties; remembers the size of its calls."""

    n_items = N_ITEMS

    def __init__(self) -> None:
        self.calls: list[int] = []

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        self.calls.append(len(users))
        rows = [
            np.random.default_rng([u, len(h)]).integers(0, 4, N_ITEMS) for u, h in zip(users, histories, strict=True)
        ]
        return np.array(rows, dtype=np.float32).reshape(len(users), N_ITEMS)


def ordered(row: FloatArray) -> list[int]:
    """Order all items by the definition: higher score first, then lower index."""
    return sorted(range(len(row)), key=lambda item: (-row[item], item))


@settings(max_examples=100, deadline=None)
@given(score_tables, st.data())
def test_ranks_are_places_in_the_sorted_list(scores: FloatArray, data: st.DataObject) -> None:
    items = np.array([data.draw(st.integers(0, scores.shape[1] - 1)) for _ in scores])
    expected = [ordered(row).index(item) + 1 for row, item in zip(scores, items.tolist(), strict=True)]
    assert ranks_of(scores, items).tolist() == expected


@settings(max_examples=200, deadline=None)
@given(score_tables, st.integers(1, 12), st.sampled_from([1, 2, 3, 256]), st.data())
def test_lists_are_the_beginning_of_the_sorted_catalogue(
    scores: FloatArray, k: int, run: int, data: st.DataObject
) -> None:
    seen = data.draw(numpy_arrays(np.bool_, scores.shape))
    masked = np.where(seen, -np.inf, scores).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "_RUN", run)  # short runs, so that small tables hold many
        lists = top_k(masked, k)
    assert lists.shape == (len(scores), min(k, scores.shape[1]))
    for row, hidden, listed in zip(scores, seen, lists.tolist(), strict=True):
        expected = [item for item in ordered(row) if not hidden[item]][:k]
        assert listed == expected + [-1] * (len(listed) - len(expected))


def test_rank_and_list_agree() -> None:
    scores = np.random.default_rng(0).integers(0, 5, (20, N_ITEMS)).astype(np.float32)
    lists = top_k(scores, N_ITEMS)
    for place in range(N_ITEMS):
        assert (ranks_of(scores, lists[:, place]) == place + 1).all()


def test_a_score_that_is_no_number_is_never_a_good_rank() -> None:
    scores = np.array([[np.nan, 1.0, 2.0], [np.nan, 1.0, 2.0], [np.nan] * 3], dtype=np.float32)
    assert (ranks_of(scores, np.array([0, 2, 0])) >= [3, 2, 3]).all()


def test_seen_items_are_masked_in_a_copy() -> None:
    scores = np.zeros((3, 4), dtype=np.float32)
    masked = mask_seen(scores, arrays([[1, 1, 3], [], [0]]))
    assert np.isneginf(masked).tolist() == [[False, True, False, True], [False] * 4, [True, False, False, False]]
    assert not scores.any()
    assert mask_seen(scores[:0], []).shape == (0, 4)


def cases_of_random_users() -> tuple[ranking.Sequences, Cases]:
    sequences = sequences_of(random_histories(np.random.default_rng(3), 30, N_ITEMS, 9), N_ITEMS)
    return sequences, Split.of(sequences, SplitConfig()).cases(sequences, "test")


def test_a_target_is_ranked_among_unseen_items_by_what_preceded_it() -> None:
    sequences, cases = cases_of_random_users()
    ranks = target_ranks(Fixed(), sequences, cases)
    for case in range(len(cases)):
        user, shown, target = cases.users[case], cases.lengths[case], cases.targets[case]
        history = sequences.history(user, shown)
        row = Fixed().scores(np.array([user]), [history])[0]
        unseen = [item for item in ordered(row) if item not in history]
        assert ranks[case] == unseen.index(target) + 1


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_blocks_change_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sequences, cases = cases_of_random_users()
    expected = target_ranks(Fixed(), sequences, cases)
    monkeypatch.setattr(ranking, "block_size", lambda n_items: size)
    model, heard = Fixed(), list[int]()
    assert np.array_equal(target_ranks(model, sequences, cases, heard.append), expected)
    assert max(model.calls) <= size
    assert sum(model.calls) == len(cases)
    assert heard == np.cumsum(model.calls).tolist()


def test_blocks_stay_within_a_quarter_of_a_gibibyte() -> None:
    for n_items in (0, 1, 3_000, 65_536, 1_000_000, 10**8):
        assert block_size(n_items) >= 1
        assert block_size(n_items) * n_items * 4 <= 2**28 or block_size(n_items) == 1
    assert block_size(1_000_000) == 67
    assert block_size(1) == block_size(3_000) > 100


def test_no_cases_give_no_ranks() -> None:
    sequences, _ = cases_of_random_users()
    empty = np.empty(0, np.int64)
    assert len(target_ranks(Fixed(), sequences, Cases(empty, empty, empty, 0, 0))) == 0


def test_ndcg_by_hand() -> None:
    ranks = np.array([1, 2, 3, 10, 11])
    expected = [1, 1 / math.log2(3), 0.5, 1 / math.log2(11), 0]
    np.testing.assert_allclose(ndcg_at(ranks, 10), expected)


@pytest.mark.parametrize("k", [5, 10])
def test_parity_with_ranx(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reciprocal rank, recall and NDCG of single targets, as an independent library computes them."""
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)  # compiling would take half a minute
    ranx = pytest.importorskip("ranx")
    rng = np.random.default_rng(8)
    scores = rng.permuted(np.tile(np.arange(40, dtype=np.float32), (25, 1)), axis=1)  # no ties: ranx orders them anyhow
    targets = rng.integers(0, 40, 25)
    ranks = ranks_of(scores, targets)
    own = {"mrr": 1 / ranks, f"recall@{k}": ranks <= k, f"ndcg@{k}": ndcg_at(ranks, k)}
    qrels = ranx.Qrels({f"u{row}": {f"i{item}": 1} for row, item in enumerate(targets)})
    run = ranx.Run({f"u{row}": {f"i{i}": float(s) for i, s in enumerate(line)} for row, line in enumerate(scores)})
    theirs = ranx.evaluate(qrels, run, list(own), threads=1)
    assert {name: float(np.mean(values)) for name, values in own.items()} == pytest.approx(theirs, abs=1e-12)


def test_lists_are_those_of_each_user_alone_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    histories = random_histories(np.random.default_rng(4), 9, N_ITEMS, 8)
    sequences = sequences_of(histories, N_ITEMS)
    users = np.array([8, 0, 3, 5, 1])
    lengths = np.array([(len(histories[user]) + 1) // 2 for user in users])
    model = Fixed()
    monkeypatch.setattr(ranking, "_LARGEST_BLOCK", 2)
    lists = top_lists(model, sequences, users, lengths, 4)
    assert model.calls == [2, 2, 1]
    for row, user, length in zip(lists, users.tolist(), lengths.tolist(), strict=True):
        shown = histories[user][:length]
        order = ordered(model.scores(np.array([user]), arrays([shown]))[0])
        assert row.tolist() == [item for item in order if item not in shown][:4]
    assert top_lists(model, sequences, users, lengths, 99).shape == (5, N_ITEMS)
