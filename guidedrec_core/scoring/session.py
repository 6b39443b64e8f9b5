"""One run of scoring: requests in flight, answers kept, limits minded."""

import asyncio
import contextlib
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Literal

from guidedrec_core.config import ScoringConfig
from guidedrec_core.errors import ConfigError, JobCancelledError, RequestRefusedError, ServiceError
from guidedrec_core.llm.chat import Chat
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.progress import Listener, StageProgress
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.limits import Budget, Rates, cautious
from guidedrec_core.scoring.prices import Price
from guidedrec_core.scoring.reply import read_reply
from guidedrec_core.scoring.requests import ScoreRequest, Waiting

_TICK_SECONDS = 1.0
# For answers on their way when a run is to stop; a job that takes much longer is killed.
_GRACE_SECONDS = 7.0
_FEWEST_FAILURES = 3  # one after the other, before a server is given up


_Task = asyncio.Task[tuple[ChatReply, float]]


@dataclass(frozen=True)
class _Flight:
    """A request on its way, with what was set aside for it: USD, and tokens of the rate."""

    request: ScoreRequest
    cost: float
    tokens: float


class ScoringSession:
    """Sends what waits and keeps what comes; used once.

    Everything happens in one coroutine, in the thread that calls `work`; only the waiting for answers is done by tasks.

    Parameters
    ----------
    waiting : Waiting
        What to ask for.
    cache : ReplyCache
        Where answers are kept.
    config : ScoringConfig
        Model and limits.
    price : Price or None
        What tokens cost, if that is known.
    client : Chat
        What answers.
    listener : callable
        Hears of every answer; may raise `JobCancelledError`.

    Attributes
    ----------
    requests, prompt_tokens, completion_tokens : int
        Answers that were paid for.
    budget : Budget
        What they cost.
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
        self.requests = self.prompt_tokens = self.completion_tokens = 0
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
        self._next: ScoreRequest | None = None
        self._flights: dict[_Task, _Flight] = {}
        self._landed: asyncio.Queue[_Task] = asyncio.Queue()
        self._failures = 0
        self._last_failure: ServiceError | None = None
        self._error: ConfigError | ServiceError | None = None
        self._ends = float("inf")

    def work(self) -> None:
        """Ask until nothing waits, or the run is stopped.

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
            raise error

    def _work_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work; when a signal breaks in, which may happen anywhere, go on with what is on its way."""
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
        """Let go of what is still on its way, and of the client."""
        for task in self._flights:
            task.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)
        await stack.aclose()

    async def _send_and_keep(self) -> None:
        """Keep as many requests on their way as are allowed; return when nothing is left to do."""
        self._say()
        while True:
            pause = self._send()
            if (pause is None and not self._flights) or time.monotonic() > self._ends:
                return
            task = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_TICK_SECONDS, pause or _TICK_SECONDS)):
                    task = await self._landed.get()
            while task is not None:
                self._land(task)
                self._send()
                # Let the new request go before the next answer is read: many come at once, and the server waits.
                await asyncio.sleep(0)
                task = None if self._landed.empty() else self._landed.get_nowait()
            self._say()

    def _send(self) -> float | None:
        """Send what may be sent; return the seconds until the rates allow more, None when something else must come."""
        while not self._stopping and len(self._flights) < self._config.concurrency:
            request = self._next = self._next or self._waiting.next()
            if request is None:
                return None
            prompt = cautious(request.prompt_estimate, self._ratio)
            tokens = prompt + request.completion_estimate
            pause = self._rates.pause(tokens)
            if pause:
                return pause
            cost = self._price.cost(prompt, request.max_tokens) if self._price else 0.0
            if not self.budget.allows(cost):
                if not self._flights:
                    self.stopped = "budget"
                return None
            self._rates.take(tokens)
            self.budget.hold(cost)
            task = asyncio.create_task(self._ask(request))
            self._flights[task] = _Flight(request, cost, tokens)
            task.add_done_callback(self._landed.put_nowait)
            self._next = None
        return None

    async def _ask(self, request: ScoreRequest) -> tuple[ChatReply, float]:
        """Return the answer, and the seconds it took."""
        started = time.monotonic()
        reply = await self._client.complete(
            request.messages(),
            self._config.model,
            request.reply_format(),
            request.max_tokens,
            self._config.temperature,
        )
        return reply, time.monotonic() - started

    def _land(self, task: _Task) -> None:
        """Take in what came of a request."""
        flight = self._flights.pop(task)
        try:
            reply, seconds = task.result()
        except (ConfigError, ServiceError) as error:
            self.budget.settle(flight.cost, 0.0)
            self._fail(flight.request, error)
        else:
            self._keep(flight, reply, seconds)

    def _keep(self, flight: _Flight, reply: ChatReply, seconds: float) -> None:
        """Keep an answer; what it lacks waits again, or is given up."""
        request = flight.request
        reading = read_reply(request, reply, self._price, seconds)
        answered = reading.answered
        prompt, completion = answered.prompt_tokens, answered.completion_tokens
        self.budget.settle(flight.cost, answered.cost or 0.0)
        self._rates.correct(prompt + completion - flight.tokens)
        self._ratio = max(self._ratio, prompt / request.prompt_estimate)
        self.requests += 1
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self._failures = 0

        if not reading.cut_off:
            self._waiting.learn(request, completion)
        named = dict(zip(answered.texts, request.listings, strict=True))
        lost = self._waiting.take_back(request, [named[text] for text in reading.faults], cut_off=reading.cut_off)
        faults = {listing.text_hash(): reading.faults[listing.text_hash()] for listing in lost}
        self._cache.keep(request.question, request.pass_, answered, reading.scores, faults)
        self._progress.done += len(reading.scores) + len(lost)

    def _fail(self, request: ScoreRequest, error: ConfigError | ServiceError) -> None:
        """Note that there was no answer; the listings wait again, or are given up."""
        if isinstance(error, ConfigError):
            self._give_up(error)
            return
        self._last_failure = error
        refused = isinstance(error, RequestRefusedError)
        # A server that has answered others refuses this one for what it is.
        if not refused or not self.requests:
            self._failures += 1
        lost = self._waiting.take_back(request, request.listings, too_long=refused)
        self._cache.give_up(request.question, request.pass_, {one.text_hash(): str(error) for one in lost})
        self._progress.done += len(lost)
        if self._failures > max(self._config.concurrency, _FEWEST_FAILURES):
            self._give_up(error)

    @property
    def _stopping(self) -> bool:
        return bool(self.stopped or self._error)

    def _cancel(self) -> None:
        if not self._stopping:
            self.stopped = "cancelled"
            self._ends = time.monotonic() + _GRACE_SECONDS

    def _give_up(self, error: ConfigError | ServiceError) -> None:
        """Send nothing more: the server, or the way to it, is not in order."""
        if not self._stopping:
            self._error = error
            self._ends = time.monotonic() + _GRACE_SECONDS

    def _say(self) -> None:
        """Tell the listener how far it is."""
        if self._stopping:
            return
        passes = f" in {self._config.passes} passes" if self._config.passes > 1 else ""
        spent = f"{self.prompt_tokens + self.completion_tokens:,} tokens"
        if self._price:
            spent += f", {self.budget.spent:.{2 if self.budget.spent >= 1 else 4}f} USD"
        try:
            self._progress.say(
                f"{self._progress.done:,} of {self._progress.total:,} {self._waiting.kind}s{passes}", spent
            )
        except JobCancelledError:
            self._cancel()
