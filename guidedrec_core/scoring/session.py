"""One session of scoring: requests in flight, failed attempts, stored answers, limits."""

import asyncio
import contextlib
import heapq
import itertools
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Literal

from guidedrec_core.config import ScoringConfig
from guidedrec_core.errors import (
    ConfigError,
    JobCancelledError,
    RequestRefusedError,
    ServerBusyError,
    ServiceError,
)
from guidedrec_core.llm.chat import Chat, ChatCall
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.progress import Listener, StageProgress
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.cache_records import Paid
from guidedrec_core.scoring.limits import Budget, Rates, cautious, failed_cost
from guidedrec_core.scoring.prices import Price, failed_words
from guidedrec_core.scoring.reply import read_reply
from guidedrec_core.scoring.requests import ScoreRequest, Waiting

_TICK_SECONDS = 1.0
# Seconds to wait for answers in flight when a session stops; a job that takes much longer is killed.
_GRACE_SECONDS = 7.0
_FEWEST_FAILURES = 3  # failures in a row before a server is given up


_Task = asyncio.Task[tuple[ChatReply, float]]


@dataclass(frozen=True)
class _Pending:
    """A request, and the call that sends its attempts until there is a reply."""

    request: ScoreRequest
    call: ChatCall


@dataclass(frozen=True)
class _Flight:
    """An attempt in flight, with what is reserved for it: USD, and tokens of the rate."""

    pending: _Pending
    cost: float
    tokens: float


class _Paused:
    """Requests that wait for their next attempt; each still counts as one in flight."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Pending]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, pending: _Pending, seconds: float) -> None:
        """Add a request."""
        heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._numbers), pending))

    def pop_due(self) -> _Pending | None:
        """Return a request that has waited long enough."""
        return heapq.heappop(self._heap)[2] if self._heap and self._heap[0][0] <= time.monotonic() else None

    def until_due(self) -> float | None:
        """Return the seconds until one has; None when none waits."""
        return max(self._heap[0][0] - time.monotonic(), 0.0) if self._heap else None


class ScoringSession:
    """Sends waiting requests and stores the answers; used once.

    Everything happens in one coroutine, in the thread that calls `work`; tasks only wait for answers.
    Every attempt at a request is sent here: it counts for the rates and reserves its possible cost from the budget. A
    failed one is booked (see `limits.failed_cost`) and, if the failure is transient, sent again after a pause.

    Parameters
    ----------
    waiting : Waiting
        Listings to request.
    cache : ReplyCache
        Where answers and failures are stored.
    config : ScoringConfig
        Model and limits.
    price : Price or None
        Price of tokens, if known.
    client : Chat
        The model.
    listener : callable
        Called with the progress after every answer; may raise `JobCancelledError`.

    Attributes
    ----------
    requests, prompt_tokens, completion_tokens : int
        Answers that were paid for.
    cost : float
        USD that they cost; 0 when the price is not known.
    failed_attempts : int
        Attempts without an answer.
    failed_cost : float or None
        USD at which they are booked; None when the price is not known and some may be billed.
    budget : Budget
        Both costs together, and what attempts in flight may cost.
    stopped : str
        ``""``, ``"budget"`` or ``"cancelled"``.
    """

    def __init__(
        self,
        waiting: Waiting,
        cache: ReplyCache,
        config: ScoringConfig,
        price: Price | None,
        client: Chat,
        listener: Listener,
    ) -> None:
        self.requests = self.prompt_tokens = self.completion_tokens = self.failed_attempts = 0
        self.cost = 0.0
        self.failed_cost: float | None = 0.0
        self.budget = Budget(config.budget)
        self.stopped: Literal["", "budget", "cancelled"] = ""
        self._waiting = waiting
        self._cache = cache
        self._config = config
        self._price = price
        self._client = client
        self._progress = StageProgress("scores", len(waiting), listener)
        self._rates = Rates(config.requests_per_minute, config.tokens_per_minute)
        self._ratio = 0.0
        self._next: _Pending | None = None
        self._paused = _Paused()
        self._flights: dict[_Task, _Flight] = {}
        self._landed: asyncio.Queue[_Task] = asyncio.Queue()
        self._failures = 0
        self._last_failure: ServiceError | None = None
        self._error: ConfigError | ServiceError | None = None
        self._silent_until = 0.0
        self._ends = float("inf")

    def work(self) -> None:
        """Send requests until nothing waits, or the session is stopped.

        Raises
        ------
        ConfigError, ServiceError
            See `guidedrec_core.scoring.scorer.Scorer.run`.
        """
        if not len(self._waiting):
            return
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            stack = AsyncExitStack()
            try:
                if isinstance(self._client, AbstractAsyncContextManager):
                    loop.run_until_complete(stack.enter_async_context(self._client))
                self._work_on(loop)
            finally:
                loop.run_until_complete(self._leave(stack))
        error = self._error or (None if self.requests else self._last_failure)
        if error is not None and not self.stopped:
            raise self._with_failures(error)

    def _with_failures(self, error: ConfigError | ServiceError) -> ConfigError | ServiceError:
        """Add to the error that ends a session what failed attempts may cost."""
        if not self.failed_cost or not isinstance(error, ServiceError):
            return error
        return error.extended(f"; in all {failed_words(self.failed_attempts, self.failed_cost)}")

    def paid(self) -> Paid:
        """Return what it has cost so far."""
        return Paid(
            requests=self.requests,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cost=self.cost if self._price else None,
            failed_attempts=self.failed_attempts,
            failed_cost=self.failed_cost,
        )

    def _work_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work; after an interrupt, which may happen anywhere, finish what is in flight."""
        task = loop.create_task(self._send_and_keep())
        try:
            while True:
                try:
                    return loop.run_until_complete(task)
                except JobCancelledError:
                    self._cancel()
                    if task.done():
                        task = loop.create_task(self._send_and_keep())
        finally:
            task.cancel()

    async def _leave(self, stack: AsyncExitStack) -> None:
        """Drop what is still in flight, which may yet be answered and billed, and close the client."""
        for task in self._flights:
            task.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)
        await stack.aclose()
        while self._flights:
            _, flight = self._flights.popitem()
            self._book(flight, ServiceError("not waited for until the end"))

    async def _send_and_keep(self) -> None:
        """Keep as many requests in flight as are allowed; return when nothing is left to do."""
        self._say()
        while True:
            pause = self._send()
            if (pause is None and not self._flights) or time.monotonic() > self._ends:
                return
            task = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_TICK_SECONDS, _TICK_SECONDS if pause is None else pause)):
                    task = await self._landed.get()
            while task is not None:
                self._land(task)
                self._send()
                # Send the new request before the next answer is read: many arrive at once, and the server waits.
                await asyncio.sleep(0)
                task = None if self._landed.empty() else self._landed.get_nowait()
            self._say()

    def _send(self) -> float | None:
        """Send what may be sent; return the seconds until more may be, None when an answer must come first."""
        while not self._stopping:
            pending = self._next = self._next or self._paused.pop_due() or self._ask()
            if pending is None:
                return self._paused.until_due()
            request = pending.request
            prompt = cautious(request.prompt_estimate, self._ratio)
            tokens = prompt + request.completion_estimate
            pause = max(self._rates.pause(tokens), self._silent_until - time.monotonic())
            if pause > 0:
                return pause
            cost = self._price.cost(prompt, request.max_tokens) if self._price else 0.0
            if not self.budget.allows(cost):
                if not self._flights:
                    self.stopped = "budget"
                return None
            self._rates.take(tokens)
            self.budget.hold(cost)
            task = asyncio.create_task(self._attempt(pending.call))
            self._flights[task] = _Flight(pending, cost, tokens)
            task.add_done_callback(self._landed.put_nowait)
            self._next = None
        return None

    def _ask(self) -> _Pending | None:
        """Make a request of waiting listings, if there is room for one more."""
        if len(self._flights) + len(self._paused) >= self._config.concurrency:
            return None
        request = self._waiting.next()
        if request is None:
            return None
        call = self._client.call(
            request.messages(),
            self._config.model,
            request.reply_format(),
            request.max_tokens,
            self._config.temperature,
        )
        return _Pending(request, call)

    async def _attempt(self, call: ChatCall) -> tuple[ChatReply, float]:
        """Return the answer, and its time in seconds."""
        started = time.monotonic()
        reply = await call.attempt()
        return reply, time.monotonic() - started

    def _land(self, task: _Task) -> None:
        """Process the result of an attempt."""
        flight = self._flights.pop(task)
        try:
            reply, seconds = task.result()
        except ConfigError as error:
            self._book(flight, error)
            self._give_up(error)
        except ServiceError as error:
            self._book(flight, error)
            self._try_again(flight.pending, error)
        else:
            self._keep(flight, reply, seconds)

    def _keep(self, flight: _Flight, reply: ChatReply, seconds: float) -> None:
        """Store an answer; listings it lacks wait again, or are given up."""
        request = flight.pending.request
        reading = read_reply(request, reply, self._price, seconds)
        answered = reading.answered
        prompt, completion = answered.prompt_tokens, answered.completion_tokens
        self.budget.settle(flight.cost, answered.cost or 0.0)
        self._rates.correct(prompt + completion - flight.tokens)
        self._ratio = max(self._ratio, prompt / request.prompt_estimate)
        self.requests += 1
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self.cost += answered.cost or 0.0
        self._failures = 0

        if not reading.cut_off:
            self._waiting.learn(request, completion)
        named = dict(zip(answered.texts, request.listings, strict=True))
        lost = self._waiting.take_back(request, [named[text] for text in reading.faults], cut_off=reading.cut_off)
        faults = {listing.text_hash(): reading.faults[listing.text_hash()] for listing in lost}
        self._cache.keep(request.question, request.pass_, answered, reading.scores, faults)
        self._progress.done += len(reading.scores) + len(lost)

    def _book(self, flight: _Flight, error: ConfigError | ServiceError) -> None:
        """Count a failed attempt and its possible cost. It still counts for the rates."""
        request = flight.pending.request
        cost = failed_cost(error, self._price, flight.cost)
        self.budget.settle(flight.cost, cost or 0.0)
        self.failed_attempts += 1
        self.failed_cost = None if cost is None or self.failed_cost is None else self.failed_cost + cost
        self._cache.note_failure(request.question, request.pass_, str(error), cost)

    def _try_again(self, pending: _Pending, error: ServiceError) -> None:
        """Let a request wait for its next attempt; there is none when the failure does not pass, or were enough."""
        try:
            pause = pending.call.pause(error)
        except ServiceError as final:
            self._fail(pending.request, final)
            return
        self._paused.add(pending, pause)
        if error.retry_after is not None:
            # The pause is for all requests, not for this one alone.
            self._silent_until = max(self._silent_until, time.monotonic() + error.retry_after)

    def _fail(self, request: ScoreRequest, error: ServiceError) -> None:
        """Note a missing answer; the listings wait again, or are given up."""
        self._last_failure = error
        refused = isinstance(error, RequestRefusedError)
        # A server that has answered others refuses this one because of its content.
        if not refused or not self.requests:
            self._failures += 1
        lost = self._waiting.take_back(request, request.listings, too_long=refused)
        self._cache.give_up(request.question, request.pass_, {one.text_hash(): str(error) for one in lost})
        self._progress.done += len(lost)
        many = self._failures > max(self._config.concurrency, _FEWEST_FAILURES)
        if many or isinstance(error, ServerBusyError):
            self._give_up(error)

    @property
    def _stopping(self) -> bool:
        return bool(self.stopped or self._error)

    def _cancel(self) -> None:
        if not self._stopping:
            self.stopped = "cancelled"
            self._ends = time.monotonic() + _GRACE_SECONDS

    def _give_up(self, error: ConfigError | ServiceError) -> None:
        """Send nothing more: the server cannot be used."""
        if not self._stopping:
            self._error = error
            self._ends = time.monotonic() + _GRACE_SECONDS

    def _say(self) -> None:
        """Report the progress to the listener."""
        if self._stopping:
            return
        passes = f" in {self._config.passes} passes" if self._config.passes > 1 else ""
        message = f"{self._progress.done:,} of {self._progress.total:,} {self._waiting.kind}s{passes}"
        left = self._silent_until - time.monotonic()
        if left >= 1 and not self._flights:
            message += f", waiting {left:,.0f} s for the server"
        try:
            self._progress.say(message, self.paid().words())
        except JobCancelledError:
            self._cancel()
