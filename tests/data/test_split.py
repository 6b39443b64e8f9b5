from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import sequences_of

from guidedrec_core.config import SplitConfig
from guidedrec_core.data.sequences import Sequences
from guidedrec_core.data.split import Cases, Split
from guidedrec_core.errors import DataError

LEAVE_ONE_OUT = SplitConfig()
N_ITEMS = 50


def temporal(valid: float = 0.2, test: float = 0.2) -> SplitConfig:
    return SplitConfig(kind="temporal", valid_fraction=valid, test_fraction=test)


def listed(cases: Cases) -> list[tuple[int, int, int]]:
    return list(zip(cases.users.tolist(), cases.lengths.tolist(), cases.targets.tolist(), strict=True))


def counts(split: Split) -> dict[str, int]:
    return {notice.code: notice.count for notice in split.notices}


def test_leave_one_out_holds_out_the_last_two() -> None:
    sequences = sequences_of([[5, 6, 7, 8], [9, 10, 11], [12, 13], [14]], N_ITEMS)
    split = Split.of(sequences, LEAVE_ONE_OUT)
    assert split.n_train.tolist() == [2, 1, 2, 1]
    assert split.n_valid.tolist() == [1, 1, 0, 0]
    assert listed(split.cases(sequences, "valid")) == [(0, 2, 7), (1, 1, 10)]
    assert listed(split.cases(sequences, "test")) == [(0, 3, 8), (1, 2, 11)]
    assert counts(split) == {"short_histories": 2}


def test_temporal_cuts_everybody_at_the_same_moments() -> None:
    # Ten times, the cut after 60 % is at time 5 (0-based rank floor(.6 * 9)), the one after 80 % at time 7.
    times = [[0, 2, 4, 6, 8], [1, 3, 5], [7, 9]]
    sequences = sequences_of([[0, 1, 2, 3, 4], [10, 11, 12], [20, 21]], N_ITEMS, times)
    split = Split.of(sequences, temporal())
    assert split.n_train.tolist() == [3, 3, 0]
    assert split.n_valid.tolist() == [1, 0, 1]
    assert listed(split.cases(sequences, "valid")) == [(0, 3, 3)]
    assert split.cases(sequences, "valid").n_without_history == 1
    # The test case of user 0 is shown what happened in the validation period: histories roll on.
    assert listed(split.cases(sequences, "test")) == [(0, 4, 4), (2, 1, 21)]
    assert counts(split) == {"users_without_training": 1}


def test_rolling_histories_grow_case_by_case() -> None:
    sequences = sequences_of([list(range(10))], N_ITEMS)
    split = Split.of(sequences, temporal(0.2, 0.3))
    assert (split.n_train.tolist(), split.n_valid.tolist()) == ([5], [2])
    assert listed(split.cases(sequences, "valid")) == [(0, 5, 5), (0, 6, 6)]
    assert listed(split.cases(sequences, "test")) == [(0, 7, 7), (0, 8, 8), (0, 9, 9)]


def test_items_the_user_already_had_are_counted_not_predicted() -> None:
    sequences = sequences_of([[1, 2, 1, 3], [4, 5, 6, 4], [7, 8, 9, 10]], N_ITEMS)
    split = Split.of(sequences, LEAVE_ONE_OUT)
    valid, test = split.cases(sequences, "valid"), split.cases(sequences, "test")
    assert (listed(valid), valid.n_repeats) == ([(1, 2, 6), (2, 2, 9)], 1)
    assert (listed(test), test.n_repeats) == ([(0, 3, 3), (2, 3, 10)], 1)
    assert len(test) == 2


def test_a_part_without_cases_is_empty_not_an_error() -> None:
    sequences = sequences_of([[0, 1, 2, 3]], N_ITEMS, [[0, 1, 2, 9]])
    cases = Split.of(sequences, temporal(0.01, 0.2)).cases(sequences, "valid")
    assert listed(cases) == []
    assert cases.users.dtype == np.int64


@pytest.mark.parametrize("histories", [[[1], [2, 3]], [[1, 2, 3], [4, 5, 6]]])
def test_too_short_histories_are_refused(histories: list[list[int]]) -> None:
    with pytest.raises(DataError, match=rf"at least 4 interactions.* has {len(histories[-1])}\. Import more data"):
        Split.of(sequences_of(histories, N_ITEMS), LEAVE_ONE_OUT)


def test_a_temporal_split_with_everything_at_one_moment_is_refused() -> None:
    with pytest.raises(DataError, match="after the training"):
        Split.of(sequences_of([[1, 2, 3, 4]], N_ITEMS, [[7, 7, 7, 7]]), temporal())


@st.composite
def timed_histories(draw: st.DrawFn) -> Sequences:
    histories, times = [], []
    for _ in range(draw(st.integers(1, 8))):
        moments = sorted(draw(st.lists(st.integers(0, 40), min_size=1, max_size=12)))
        times.append(moments)
        histories.append(draw(st.lists(st.integers(0, 14), min_size=len(moments), max_size=len(moments))))
    return sequences_of(histories, 15, times)


configs = st.one_of(
    st.just(LEAVE_ONE_OUT),
    st.builds(temporal, st.floats(0.01, 0.49), st.floats(0.01, 0.49)),
)


@settings(max_examples=150, deadline=None)
@given(timed_histories(), configs)
def test_the_order_of_time_is_never_violated(sequences: Sequences, config: SplitConfig) -> None:
    try:
        split = Split.of(sequences, config)
    except DataError:
        return
    assert (split.n_train >= 0).all()
    assert (split.n_valid >= 0).all()
    assert (split.n_train + split.n_valid <= sequences.lengths).all()
    parts: dict[str, Any] = {"train": [], "valid": [], "test": []}
    for user in range(sequences.n_users):
        moments = sequences.times[sequences.starts[user] : sequences.starts[user + 1]]
        cuts = [split.n_train[user], split.n_train[user] + split.n_valid[user]]
        for name, part in zip(parts, np.split(moments, cuts), strict=True):
            parts[name] += part.tolist()
    if config.kind == "temporal":
        for earlier, later in (("train", "valid"), ("train", "test"), ("valid", "test")):
            if parts[earlier] and parts[later]:
                assert max(parts[earlier]) < min(parts[later])
    for name in ("valid", "test"):
        cases = split.cases(sequences, name)  # type: ignore[arg-type]
        # Nothing is lost: every held-out interaction is a case or counted.
        assert len(cases) + cases.n_repeats + cases.n_without_history == len(parts[name])
        for user, length, target in listed(cases):
            assert length > 0
            assert sequences.history(user)[length] == target
            assert target not in sequences.history(user, length)
            moments = sequences.times[sequences.starts[user] : sequences.starts[user + 1]]
            assert moments[:length].max() <= moments[length]
            first = split.n_train[user] + (split.n_valid[user] if name == "test" else 0)
            assert length >= first


def test_some_cases_can_be_taken() -> None:
    sequences = sequences_of([[1, 2, 3, 4], [5, 6, 7], [8, 9, 1]], N_ITEMS)
    cases = Split.of(sequences, LEAVE_ONE_OUT).cases(sequences, "valid")
    assert listed(cases.take(np.array([0, 2]))) == [listed(cases)[0], listed(cases)[2]]
