"""Retries of requests to a language model: which failures are transient, how long to wait, and when to give up.

All retries follow one policy, for chat, embeddings and batches. The SDK retries nothing: budgets and rate limits would
not count it. A caller that accounts for attempts sends them one by one (`chat.ChatCall`); all others use
`persist` or `until_answered`. A reply that cannot be used is not retried here: `scoring.requests.Waiting` requests its
listings again, in smaller requests.
"""

import asyncio
import email.utils
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np

from guidedrec_core.errors import ServerBusyError, ServiceError
from guidedrec_core.llm.chat import ChatCall
from guidedrec_core.llm.protocol import ChatReply

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds: the pause after the first failure, which doubles with every other, up to the longest."""

_MOST_JITTER = 0.5  # largest random cut of a pause, as a share, so that requests that failed together spread
_LONGEST_NAMED = 1e9  # largest pause in seconds that a server may name; more means never
_MORE_JITTER = 0.1  # largest random addition to the pause that a server names, which is never shortened

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class RetryPolicy:
    """How often a request is sent again.

    Transient failures: connection errors, timeouts, and status 408, 409, 429 and 5xx, unless the server says otherwise.

    Attributes
    ----------
    retries : int
        Maximum number of attempts after the first one.
    patience : float
        Maximum total of the pauses for one request, in seconds. After a longer ``Retry-After`` the request is not sent
        again.
    seed : int
        Of the jitter.
    """

    retries: int = 5
    patience: float = 300.0
    seed: int = 0


DEFAULT_POLICY, NEVER = RetryPolicy(), RetryPolicy(retries=0)


class Attempts:
    """The failed attempts at one request.

    Parameters
    ----------
    policy : RetryPolicy
        The bounds.
    randomly : numpy.random.Generator
        Draws the jitter; shared by requests that are sent at the same time.

    Attributes
    ----------
    failed : int
        Attempts that failed.
    waited : float
        Seconds spent in pauses.
    """

    def __init__(self, policy: RetryPolicy, randomly: np.random.Generator) -> None:
        self._policy = policy
        self._randomly = randomly
        self.failed = 0
        self.waited = 0.0

    def pause(self, error: ServiceError) -> float:
        """Count a failed attempt; return the seconds until the next one.

        Raises
        ------
        ServerBusyError
            The server asks for a longer pause than the policy allows.
        ServiceError
            The failure is not transient, or there were enough attempts; the message says how many.
        """
        self.failed += 1
        if not error.transient:
            raise error
        pause = self._pause(error.retry_after)
        named = error.retry_after is not None
        if named and self.waited + pause > self._policy.patience:
            raise ServerBusyError(
                f"{error}; it wants no request for {error.retry_after:,.0f} s, so run the same again after that",
                transient=True,
                retry_after=error.retry_after,
                may_be_billed=error.may_be_billed,
                tokens=error.tokens,
            )
        if self.failed > self._policy.retries or self.waited + pause > self._policy.patience:
            raise error if self.failed == 1 else error.extended(f" ({self.failed} attempts failed)")
        self.waited += pause
        return pause

    def _pause(self, retry_after: float | None) -> float:
        """Return the server's pause, or one that grows with every failure, both with jitter."""
        chance = float(self._randomly.random())
        if retry_after is not None:
            return retry_after * (1 + _MORE_JITTER * chance)
        doublings = min(self.failed - 1, 30)
        return min(FIRST_PAUSE * 2.0**doublings, LONGEST_PAUSE) * (1 - _MOST_JITTER * chance)


def persist(send: Callable[[], Answer], attempts: Attempts) -> Answer:
    """Send until there is an answer.

    Parameters
    ----------
    send : callable
        Makes one attempt; raises `ServiceError` when it fails.
    attempts : Attempts
        The bounds.

    Raises
    ------
    ServiceError
        The last attempt failed, too.
    """
    while True:
        try:
            return send()
        except ServiceError as error:
            pause = attempts.pause(error)
        time.sleep(pause)


async def until_answered(call: ChatCall) -> ChatReply:
    """Send a chat call until it is answered; errors as in `persist`."""
    while True:
        try:
            return await call.attempt()
        except ServiceError as error:
            pause = call.pause(error)
        await asyncio.sleep(pause)


def passes(status: int, headers: Mapping[str, str], code: str = "") -> bool:
    """Return whether a request that was answered with an error may succeed later.

    Parameters
    ----------
    status : int
        HTTP status.
    headers : mapping of str to str
        With lower-case names; ``x-should-retry`` decides where a server sends it.
    code : str
        The server's word for the error.

    Examples
    --------
    >>> passes(503, {}), passes(400, {}), passes(500, {"x-should-retry": "false"})
    (True, False, False)
    """
    said = headers.get("x-should-retry")
    if said in ("true", "false"):
        return said == "true"
    # The same status as a rate limit, but only a payment helps.
    return code != "insufficient_quota" and (status in (408, 409, 429) or status >= 500)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the pause in seconds that a server asks for; None when it does not say, or says nonsense.

    Parameters
    ----------
    headers : mapping of str to str
        With lower-case names: ``retry-after-ms``, or ``retry-after`` in seconds or as a date (RFC 9110, 10.2.3).

    Examples
    --------
    >>> read_retry_after({"retry-after": "1.5"}), read_retry_after({"retry-after-ms": "20"}), read_retry_after({})
    (1.5, 0.02, None)
    """
    for name, scale in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers[name]) / scale
        except (KeyError, ValueError):
            continue
        return min(seconds, _LONGEST_NAMED) if seconds > 0 and math.isfinite(seconds) else None
    try:
        moment = email.utils.parsedate_to_datetime(headers["retry-after"])
        seconds = (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return min(seconds, _LONGEST_NAMED) if seconds > 0 else None
