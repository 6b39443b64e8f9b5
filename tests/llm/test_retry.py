"""Which failures are tried again, after which pauses, and how often."""

import contextlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from statistics import correlation

import numpy as np
import pytest

from guidedrec_core.errors import RequestRefusedError, ServerBusyError, ServiceError
from guidedrec_core.llm.retry import (
    DEFAULT_POLICY,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    NEVER,
    Attempts,
    RetryPolicy,
    passes,
    persist,
    read_retry_after,
)

BUSY = ServiceError("busy", transient=True)


def attempts(policy: RetryPolicy = DEFAULT_POLICY, seed: int = 0) -> Attempts:
    return Attempts(policy, np.random.default_rng(seed))


def pauses(policy: RetryPolicy, error: ServiceError = BUSY, seed: int = 0) -> list[float]:
    """The pauses until it is given up."""
    tried, found = attempts(policy, seed), []
    with contextlib.suppress(ServiceError):
        while len(found) < 10_000:
            found.append(tried.pause(error))
    assert tried.failed == len(found) + 1
    assert tried.waited == pytest.approx(sum(found))
    return found


def test_pauses_double_up_to_the_longest_and_chance_takes_up_to_half_off() -> None:
    found = pauses(RetryPolicy(retries=8))
    whole = [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(8)]
    assert all(0.5 * most <= pause <= most for pause, most in zip(found, whole, strict=True))
    assert len({pause / most for pause, most in zip(found, whole, strict=True)}) == 8


def test_the_jitter_follows_the_seed() -> None:
    policy = RetryPolicy(retries=20)
    assert pauses(policy, seed=1) == pauses(policy, seed=1)
    assert abs(correlation(pauses(policy, seed=1)[5:], pauses(policy, seed=2)[5:])) < 0.6


def test_requests_that_share_a_generator_do_not_pause_alike() -> None:
    randomly = np.random.default_rng(0)
    both = [Attempts(DEFAULT_POLICY, randomly).pause(BUSY) for _ in range(2)]
    assert both[0] != both[1]


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_attempts_are_bounded_in_number(retries: int) -> None:
    assert len(pauses(RetryPolicy(retries=retries))) == retries


def test_attempts_are_bounded_in_time() -> None:
    found = pauses(RetryPolicy(retries=1000, patience=60.0))
    assert 60 - LONGEST_PAUSE < sum(found) <= 60


def test_the_last_error_says_how_many_attempts_failed() -> None:
    tried = attempts(RetryPolicy(retries=1))
    error = ServiceError("busy", transient=True, may_be_billed=False, tokens=(3, 4))
    tried.pause(error)
    with pytest.raises(ServiceError, match=r"^busy \(2 attempts failed\)$") as last:
        tried.pause(error)
    assert (last.value.may_be_billed, last.value.tokens) == (False, (3, 4))
    with pytest.raises(ServiceError, match=r"^busy$"):
        attempts(NEVER).pause(error)


def test_what_does_not_pass_is_not_tried_again() -> None:
    refused = RequestRefusedError("too long")
    with pytest.raises(RequestRefusedError) as caught:
        attempts().pause(refused)
    assert caught.value is refused


def test_the_pause_that_a_server_names_is_never_cut_short_and_hardly_longer() -> None:
    named = [attempts(seed=seed).pause(ServiceError("busy", transient=True, retry_after=20.0)) for seed in range(50)]
    assert 20.0 <= min(named) < max(named) <= 22.0


def test_a_server_that_wants_a_longer_pause_than_there_is_patience_is_left_alone() -> None:
    hour = ServiceError("busy", transient=True, retry_after=3600.0)
    with pytest.raises(ServerBusyError, match=r"^busy; it wants no request for 3,600 s, so run the same again after"):
        attempts().pause(hour)
    tried = attempts(RetryPolicy(retries=10, patience=50.0))
    short = ServiceError("busy", transient=True, retry_after=20.0)
    assert tried.pause(short) + tried.pause(short) <= 44
    with pytest.raises(ServerBusyError):  # the third would be beyond it
        tried.pause(short)


def test_persisting_sends_until_there_is_an_answer_and_waits_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("guidedrec_core.llm.retry.time.sleep", waited.append)
    answers = iter([BUSY, BUSY, "answer"])

    def send() -> str:
        answer = next(answers)
        if isinstance(answer, ServiceError):
            raise answer
        return answer

    tried = attempts()
    assert persist(send, tried) == "answer"
    assert (len(waited), tried.failed) == (2, 2)
    assert sum(waited) == tried.waited > 0


@pytest.mark.parametrize(
    ("status", "headers", "code", "expected"),
    [
        *((status, {}, "", True) for status in (408, 409, 429, 500, 502, 503, 504, 529)),
        *((status, {}, "", False) for status in (400, 401, 403, 404, 413, 422)),
        (400, {"x-should-retry": "true"}, "", True),
        (503, {"x-should-retry": "false"}, "", False),
        (503, {"x-should-retry": "perhaps"}, "", True),
        (429, {}, "rate_limit_exceeded", True),
        (429, {}, "insufficient_quota", False),
    ],
)
def test_which_statuses_pass(status: int, headers: dict[str, str], code: str, expected: bool) -> None:
    assert passes(status, headers, code) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.25 "}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "1e300"}, 1e9),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        *(({"retry-after": nonsense}, None) for nonsense in ("", "soon", "-3", "0", "nan", "inf", "1e999", "9" * 400)),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "Wed, 99 Oct 99999 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_what_a_server_says_of_pauses_is_read(headers: dict[str, str], expected: float | None) -> None:
    assert read_retry_after(headers) == expected


def test_a_moment_is_a_pause_too() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert read_retry_after({"retry-after": moment}) == pytest.approx(90, abs=3)
    assert read_retry_after({"retry-after": format_datetime(datetime(9999, 12, 31, tzinfo=UTC))}) == 1e9
