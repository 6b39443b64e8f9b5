"""Rates and money."""

import pytest

from guidedrec_core.scoring.limits import Budget, Rates, TokenBucket


def simulate(bucket: TokenBucket, now: list[float], amount: float, seconds: float) -> list[float]:
    """Take as often as allowed; return when."""
    taken = []
    while now[0] < seconds:
        pause = bucket.pause(amount)
        if pause:
            now[0] += pause
            continue
        bucket.take(amount)
        taken.append(now[0])
    return taken


@pytest.mark.parametrize(("per_minute", "amount"), [(3, 1), (600, 1), (60_000, 2500), (60_000, 700)])
def test_a_rate_is_kept_over_every_minute_and_used(per_minute: float, amount: float) -> None:
    now = [0.0]
    taken = simulate(TokenBucket(per_minute, lambda: now[0]), now, amount, 300)
    for first in range(0, 240, 7):
        inside = sum(amount for moment in taken if first <= moment < first + 60)
        # A second's worth may have been saved up, and one request may reach beyond.
        assert inside <= per_minute * (1 + 1 / 60) + amount
        assert inside >= per_minute - amount


def test_what_was_taken_too_much_is_put_back() -> None:
    now = [0.0]
    rates = Rates(None, 6000, lambda: now[0])
    rates.take(1000)
    assert rates.pause(100) == pytest.approx(10.0)
    rates.correct(-500)
    assert rates.pause(100) == pytest.approx(5.0)
    rates.correct(-5000)
    assert rates.pause(100) == 0
    rates.take(100)
    assert rates.pause(100) == pytest.approx(1.0)  # no more than a full bucket was put back


def test_the_tighter_rate_counts() -> None:
    now = [0.0]
    rates = Rates(60, 6000, lambda: now[0])
    rates.take(10)
    assert rates.pause(10) == pytest.approx(1.0)
    now[0] = 1.0
    rates.take(1000)
    assert rates.pause(10) == pytest.approx(9.1)
    assert Rates(None, None).pause(1e9) == 0


def test_a_budget_counts_what_is_in_flight() -> None:
    budget = Budget(1.0)
    budget.hold(0.4)
    budget.hold(0.4)
    assert not budget.allows(0.3)
    budget.settle(0.4, 0.1)
    assert budget.allows(0.5)
    assert not budget.allows(0.51)
    assert Budget(None).allows(1e9)
