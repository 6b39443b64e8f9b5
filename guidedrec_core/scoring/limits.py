"""Limits of a scoring run: the rates that a server allows, and a budget."""

import time
from collections.abc import Callable

from guidedrec_core.errors import GuidedrecError, ServiceError
from guidedrec_core.scoring.prices import Price

_MINUTE = 60.0
# Estimates of prompts may be too low. Factors by which more is reserved from a budget: until answers have shown the
# error, and afterwards on top of the largest error seen.
_CAUTION, _CARE = 1.5, 1.1
_ROUNDING = 1e-6  # error of sums of units


def cautious(prompt_estimate: float, ratio: float) -> float:
    """Return an upper bound of a prompt's tokens.

    Parameters
    ----------
    prompt_estimate : float
        Tokens, estimated.
    ratio : float
        Tokens counted by the server, relative to the estimates; 0 while nothing is known.

    Examples
    --------
    >>> cautious(100, 0), round(cautious(100, 1.2))
    (150.0, 132)
    """
    return prompt_estimate * (ratio * _CARE or _CAUTION)


def failed_cost(error: GuidedrecError, price: Price | None, most: float) -> float | None:
    """Return the cost at which a failed attempt is booked, in USD; None when it is not known.

    It is 0 where the request was never sent or the server refused it before a model worked on it. Else it follows the
    tokens that the server counts in its error; without these it is the most that the attempt may cost, because an
    answer that did not arrive may still be billed, and the budget must hold even then.

    Parameters
    ----------
    error : GuidedrecError
        Why there is no answer.
    price : Price or None
        Of tokens, if it is known.
    most : float
        USD that an answer would have cost at most.

    Examples
    --------
    >>> failed_cost(ServiceError("connection refused", may_be_billed=False), None, 0.0)
    0.0
    >>> failed_cost(ServiceError("no answer in time"), Price(1.0, 2.0), 0.02)
    0.02
    >>> failed_cost(ServiceError("overloaded", tokens=(1000, 0)), Price(1.0, 2.0), 0.02)
    0.001
    """
    if not isinstance(error, ServiceError) or not error.may_be_billed:
        return 0.0
    if price is None:
        return None
    return most if error.tokens is None else price.cost(*error.tokens)


class TokenBucket:
    """A rate limit: a bucket that fills steadily, and from which every request takes units.

    The bucket holds one second's worth, so that requests are spread over the minute. A larger request waits for a full
    bucket and leaves a debt.

    Parameters
    ----------
    per_minute : float
        Units per minute.
    clock : callable
        Returns seconds.

    Examples
    --------
    >>> now = [0.0]
    >>> bucket = TokenBucket(60, clock=lambda: now[0])
    >>> bucket.pause(1)
    0.0
    >>> bucket.take(1)
    >>> bucket.pause(1)
    1.0
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / _MINUTE
        self._size = max(self._rate, 1.0)
        self._clock = clock
        self._level = self._size
        self._seen = clock()

    def pause(self, amount: float) -> float:
        """Return the seconds until this many units may be taken."""
        self._fill()
        missing = min(amount, self._size) - self._level
        return missing / self._rate if missing > _ROUNDING else 0.0

    def take(self, amount: float) -> None:
        """Take units; a negative amount returns some."""
        self._fill()
        self._level = min(self._size, self._level - amount)

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self._size, self._level + (now - self._seen) * self._rate)
        self._seen = now


class Rates:
    """Limits of requests and tokens per minute; None is no limit."""

    def __init__(
        self,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = TokenBucket(requests_per_minute, clock) if requests_per_minute else None
        self._tokens = TokenBucket(tokens_per_minute, clock) if tokens_per_minute else None

    def pause(self, tokens: float) -> float:
        """Return the seconds until a request of this many tokens may be sent."""
        return max(
            self._requests.pause(1) if self._requests else 0.0, self._tokens.pause(tokens) if self._tokens else 0.0
        )

    def take(self, tokens: float) -> None:
        """Count a request that is sent."""
        if self._requests:
            self._requests.take(1)
        self.correct(tokens)

    def correct(self, tokens: float) -> None:
        """Correct the tokens taken by an estimate: positive if it was too low, negative if too high."""
        if self._tokens:
            self._tokens.take(tokens)


class Budget:
    """A budget: money spent, and money reserved for the requests in flight.

    Parameters
    ----------
    limit : float or None
        USD; None is no limit.

    Examples
    --------
    >>> budget = Budget(1.0)
    >>> budget.hold(0.6)
    >>> budget.allows(0.6)
    False
    >>> budget.settle(0.6, 0.2)
    >>> budget.allows(0.6), budget.spent
    (True, 0.2)
    """

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self.spent = 0.0
        self._held = 0.0

    def allows(self, cost: float) -> bool:
        """Return whether a request that may cost this much may be sent."""
        return self.limit is None or self.spent + self._held + cost <= self.limit

    def hold(self, cost: float) -> None:
        """Reserve what a request may cost."""
        self._held += cost

    def settle(self, held: float, cost: float) -> None:
        """Replace the reservation `held` by the actual cost."""
        self._held -= held
        self.spent += cost
