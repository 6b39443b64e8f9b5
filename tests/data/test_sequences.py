import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import arrays, sequences_of

from guidedrec_core.data.interactions import Interactions
from guidedrec_core.data.sequences import Batch, Sequences, TrainingWindows, item_seq
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import UnknownIdError

N_ITEMS = 30
histories_of_users = st.lists(st.lists(st.integers(0, N_ITEMS - 1), max_size=23), min_size=1, max_size=12)


def shop() -> Interactions:
    raw = pd.DataFrame(
        [("b", "z", 30), ("a", "y", 20), ("b", "x", 10), ("a", "x", 5), ("b", "y", 20)],
        columns=["user_id", "item_id", "datetime"],
    )
    raw["datetime"] = raw["datetime"] * 86_400 + 1_500_000_000
    return Interactions.clean(raw)[0]


def test_interactions_become_histories_in_time_order() -> None:
    sequences = Sequences.of(shop(), Vocabulary(["a", "b"], "user"), Vocabulary(["x", "y", "z"], "item"))
    assert [sequences.history(u).tolist() for u in range(2)] == [[0, 1], [0, 1, 2]]
    assert sequences.starts.tolist() == [0, 2, 5]
    assert sequences.lengths.tolist() == [2, 3]
    assert (sequences.n_users, sequences.n_items) == (2, 3)
    assert (sequences.times - 1_500_000_000_000_000).tolist() == [86_400_000_000 * d for d in (5, 20, 10, 20, 30)]


def test_another_numbering_of_users_is_obeyed_and_idle_users_have_no_history() -> None:
    sequences = Sequences.of(shop(), Vocabulary(["b", "idle", "a"], "user"), Vocabulary(["z", "y", "x"], "item"))
    assert [sequences.history(u).tolist() for u in range(3)] == [[2, 1, 0], [], [2, 1]]


def test_an_item_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(UnknownIdError, match="'z'"):
        Sequences.of(shop(), Vocabulary(["a", "b"], "user"), Vocabulary(["x", "y"], "item"))


def test_a_history_can_be_cut_short() -> None:
    sequences = sequences_of([[4, 5, 6], [7]], N_ITEMS)
    assert sequences.history(0, 2).tolist() == [4, 5]
    assert sequences.history(0, 0).tolist() == []
    assert sequences.history(1).tolist() == [7]


@pytest.mark.parametrize(
    ("histories", "max_length", "expected"),
    [
        ([[4, 5, 6], [7]], 5, [[5, 6, 7], [0, 0, 8]]),
        ([[4, 5, 6], [7]], 2, [[6, 7], [0, 8]]),
        ([[], [0]], 5, [[0], [1]]),
        ([[]], 5, [[0]]),
        ([], 5, np.zeros((0, 1))),
    ],
)
def test_item_seq_pads_on_the_left_and_keeps_the_most_recent(
    histories: list[list[int]], max_length: int, expected: list[list[int]]
) -> None:
    assert np.array_equal(item_seq(arrays(histories), max_length), expected)


def real_part(batch: Batch, row: int) -> tuple[list[int], list[int]]:
    """Return a window's inputs and targets as item indexes, and check that padding stands left of them only."""
    tokens = batch.item_seq[row]
    size = int(np.count_nonzero(tokens))
    assert not tokens[: len(tokens) - size].any()
    real = (tokens[-size:] - 1).tolist()
    return real[:-1], real[1:]


@settings(max_examples=60, deadline=None)
@given(histories_of_users, st.integers(2, 7), st.integers(1, 5), st.data())
def test_every_training_step_but_the_first_is_a_target_once(
    histories: list[list[int]], max_length: int, batch_size: int, data: st.DataObject
) -> None:
    n_train = np.array([data.draw(st.integers(0, len(h)), label="n_train") for h in histories])
    windows = TrainingWindows(sequences_of(histories, N_ITEMS), n_train, max_length, batch_size)
    if not len(windows):
        assert n_train.max() < 2
        return
    learned: list[tuple[int, int]] = []
    batches = list(windows.epoch(np.random.default_rng(0)))
    assert sum(len(batch.users) for batch in batches) == len(windows)
    targets = [int((batch.item_seq != 0).sum()) - len(batch.users) for batch in batches]
    assert all(1 <= n < windows.n_targets * batch_size / len(windows) + max_length for n in targets)
    for batch in batches:
        assert len(batch.users) == len(batch.item_seq) == len(batch.prefixes)
        assert batch.item_seq.shape[1] <= max_length + 1
        for row, user in enumerate(batch.users.tolist()):
            inputs, targets = real_part(batch, row)
            before = batch.prefixes[row].tolist()
            # Prefix, inputs and last target are one stretch from the user's first interaction on.
            assert before + inputs + targets[-1:] == histories[user][: len(before) + len(inputs) + 1]
            assert targets == histories[user][len(before) + 1 : len(before) + len(inputs) + 1]
            # A profile fades the prefix by columns, which is right only if no padding stands between.
            assert not before or len(inputs) == batch.item_seq.shape[1] - 1
            learned += [(user, len(before) + step + 1) for step in range(len(inputs))]
    wanted = [(user, step) for user, n in enumerate(n_train.tolist()) for step in range(1, n)]
    assert sorted(learned) == wanted
    assert windows.n_targets == len(wanted)


def test_held_out_items_are_never_seen_in_training() -> None:
    sequences = sequences_of([[0, 1, 2, 3, 20, 21], [4, 5, 22]], N_ITEMS)
    windows = TrainingWindows(sequences, np.array([4, 2]), max_length=3, batch_size=2)
    for batch in windows.epoch(np.random.default_rng(1)):
        seen = np.concatenate([batch.item_seq.ravel() - 1, *batch.prefixes])
        assert seen.max() < 20


def test_windows_count_from_the_end_so_only_the_oldest_is_short() -> None:
    windows = TrainingWindows(sequences_of([list(range(8))], N_ITEMS), np.array([8]), max_length=3, batch_size=9)
    assert list(zip(windows.starts, windows.ends, strict=True)) == [(4, 7), (1, 4), (0, 1)]
    (batch,) = windows.epoch(np.random.default_rng(0))
    rows = np.argsort([len(p) for p in batch.prefixes])
    assert batch.item_seq[rows].tolist() == [[0, 0, 1, 2], [2, 3, 4, 5], [5, 6, 7, 8]]
    assert [batch.prefixes[row].tolist() for row in rows] == [[], [0], [0, 1, 2, 3]]


def test_an_epochs_order_depends_on_its_generator_only() -> None:
    rng = np.random.default_rng(2)
    sequences = sequences_of([rng.permutation(N_ITEMS)[:9].tolist() for _ in range(40)], N_ITEMS)
    windows = TrainingWindows(sequences, np.full(40, 7), max_length=4, batch_size=4)

    def users(seed: int) -> list[list[int]]:
        return [batch.users.tolist() for batch in windows.epoch(np.random.default_rng(seed))]

    assert users(0) == users(0)
    assert users(0) != users(1)


def test_batches_of_short_and_long_histories_have_about_as_many_targets() -> None:
    """So that an interaction moves the weights as far, whoever made it."""
    rng = np.random.default_rng(3)
    lengths = np.concatenate([np.full(900, 3), np.full(90, 41)])
    sequences = sequences_of([rng.integers(0, N_ITEMS, n).tolist() for n in lengths], N_ITEMS)
    windows = TrainingWindows(sequences, lengths, max_length=40, batch_size=32)
    batches = list(windows.epoch(np.random.default_rng(0)))
    targets = np.array([(batch.item_seq != 0).sum() - len(batch.users) for batch in batches])
    assert windows.n_targets == targets.sum() == 5400
    assert 31 <= len(batches) <= 33
    assert targets.min() > 120
    assert targets.max() < 175 + 40
    # Most hold histories of one length alone.
    padded = sum(int((batch.item_seq == 0).any()) for batch in batches)
    assert padded <= 4


def test_a_window_longer_than_a_batch_is_one_by_itself() -> None:
    windows = TrainingWindows(sequences_of([list(range(9))] * 3, N_ITEMS), np.full(3, 9), max_length=8, batch_size=1)
    batches = list(windows.epoch(np.random.default_rng(0)))
    assert [len(batch.users) for batch in batches] == [1, 1, 1]
