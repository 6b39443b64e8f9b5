"""One session of work on batches: those that have ended are read, waiting listings are submitted."""

import itertools
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from guidedrec_core.errors import ConfigError, GuidedrecError, RequestRefusedError, ServiceError
from guidedrec_core.llm.client import BatchClient
from guidedrec_core.llm.protocol import BatchLine, ChatReply, RemoteBatch, blamed_field, chat_fields, may_be_billed
from guidedrec_core.progress import Listener, Progress
from guidedrec_core.scoring.batch.file import MOST_REQUESTS, Parcel, number_of, stored, waiting_for
from guidedrec_core.scoring.batch.store import BatchRequest, BatchStore, StoredBatch
from guidedrec_core.scoring.cache_records import Paid, Question
from guidedrec_core.scoring.limits import Budget, cautious
from guidedrec_core.scoring.prices import Price
from guidedrec_core.scoring.prompts import PROMPT_VERSION, Kind, Listing
from guidedrec_core.scoring.reply import read_reply
from guidedrec_core.scoring.requests import ScoreRequest
from guidedrec_core.scoring.scorer import Scorer

_TOO_MANY_TOKENS = "token_limit_exceeded"
_NEVER_ASKED = ("batch_expired", "batch_cancelled")
# HTTP statuses about the key or model, about the fields of a request, and about its content or length.
_MISDIRECTED, _MALFORMED, _REFUSED = (401, 403, 404), (400, 422), (400, 413, 422)
# Seconds to wait for a cancelled batch to end; a job that takes much longer is killed.
_GRACE_SECONDS = 7.0
_TICK_SECONDS = 0.5


@dataclass(frozen=True)
class BatchState:
    """The progress of the batches.

    Attributes
    ----------
    batches, requests : int
        Batches at the server, and requests in them; when there are none, everything needed has been requested.
    done : int
        Number of these requests that are done, according to the server.
    stopped : str
        ``"budget"`` or ``"cancelled"`` when not everything was requested.
    """

    batches: int
    requests: int
    done: int
    stopped: Literal["", "budget", "cancelled"]


class BatchSession:
    """Reads batches that have ended and makes new ones; used by one call of `batch.scorer.BatchScorer`.

    Parameters
    ----------
    scorers : mapping of str to Scorer
        Scorers of items and users.
    listings : mapping of str to sequence of Listing
        What to score.
    store : BatchStore
        The batches under way.
    price : Price or None
        Price of answers by batch, if known.
    client : BatchClient
        The way to the server.
    listener : callable
        Called with the progress after every status request.

    Attributes
    ----------
    stopped : str
        ``""``, ``"budget"`` or ``"cancelled"``.
    error : GuidedrecError or None
        Why it cannot continue.
    """

    def __init__(
        self,
        scorers: Mapping[Kind, Scorer],
        listings: Mapping[Kind, Sequence[Listing]],
        store: BatchStore,
        price: Price | None,
        client: BatchClient,
        listener: Listener,
    ) -> None:
        self.stopped: Literal["", "budget", "cancelled"] = ""
        self.error: GuidedrecError | None = None
        self._scorers = scorers
        self._listings = listings
        self._store = store
        self._price = price
        self._client = client
        self._listener = listener
        self._cache = scorers["item"].cache
        self._config = scorers["item"].config
        self._due = True
        self._remote: dict[int, RemoteBatch] = {}
        self._questions: dict[tuple[Kind, tuple[str, ...]], Question] = {}

    def round(self) -> BatchState:
        """Process every batch once, and submit waiting listings."""
        for batch in self._store.under_way():
            self._look_after(batch)
        if self._due and not self.stopped and self.error is None:
            self._submit()
        return self.say()

    def cancel(self) -> None:
        """End all batches, and read what is answered; a batch that does not end soon is left to the next run."""
        self.stopped = "cancelled"
        for batch in self._store.under_way():
            remote = batch.remote
            if remote is None:
                made = self._client.find(batch.file)
                if made is None:
                    self._store.forget(batch)
                    continue
                remote = made.id
                batch = self._store.submitted(batch, remote)
            self._client.cancel(remote)
            self._store.cancelling(batch)
        ends = time.monotonic() + _GRACE_SECONDS
        while batches := self._store.under_way():
            for batch in batches:
                found = self._client.look(batch.remote or "")
                if found is None:
                    self._store.ended(batch)
                elif found.over:
                    self._read(batch, found)
            if time.monotonic() > ends:
                return
            time.sleep(_TICK_SECONDS)

    def say(self) -> BatchState:
        """Report the progress to the listener, which may raise `JobCancelledError`."""
        batches = self._store.under_way()
        remote = [self._remote[batch.id] for batch in batches if batch.id in self._remote]
        outcomes = self._store.outcomes()
        requests = outcomes.get("open", 0)
        done = min(requests, sum(one.answered + one.failed for one in remote))
        resolved = sum(count for outcome, count in outcomes.items() if outcome not in ("open", "void"))
        words = f"{len(batches)} {'batch' if len(batches) == 1 else 'batches'} under way"
        if remote:
            words += f" ({', '.join(sorted({one.status.replace('_', ' ') for one in remote}))})"
        total = resolved + requests
        message = f"{resolved + done:,} of {total:,} requests, {words}"
        self._listener(Progress("scores", resolved + done, total, message, self.paid().words()))
        return BatchState(len(batches), requests, done, self.stopped)

    def paid(self, kind: Kind | None = None) -> Paid:
        """Return what the batches have cost so far for items, for users, or in all."""
        counts = self._store.counts(kind)
        known = self._price is not None
        return Paid(
            requests=counts.requests,
            prompt_tokens=counts.prompt_tokens,
            completion_tokens=counts.completion_tokens,
            cost=counts.cost if known else None,
            failed_attempts=counts.failed,
            failed_cost=counts.failed_cost if known or not counts.failed else None,
        )

    def _look_after(self, batch: StoredBatch) -> None:
        """Check the state of a batch; read it if it has ended."""
        if batch.remote is None:
            # An earlier process may have made it just before it ended; a second one would be paid for twice.
            remote = self._client.find(batch.file) or self._create(batch)
            batch = self._store.submitted(batch, remote.id)
        else:
            found = self._client.look(batch.remote)
            if found is None:
                self.error = ServiceError(
                    f"{self._client.base_url} does not know the batch {batch.remote} (any more); use the key that it "
                    "was made with, or give it up with --cancel, after which everything in it is requested again"
                )
                return
            remote = found
        self._remote[batch.id] = remote
        if remote.over:
            self._read(batch, remote)

    def _create(self, batch: StoredBatch) -> RemoteBatch:
        """Make the batch at the server; a refused one is forgotten."""
        try:
            return self._client.create(batch.file)
        except (RequestRefusedError, ConfigError):
            self._store.forget(batch)
            raise

    def _read(self, batch: StoredBatch, remote: RemoteBatch) -> None:
        """Process the results of a batch that has ended."""
        self._due = True
        if remote.status == "failed":
            self._store.ended(batch)
            self._refused(batch, remote)
            return
        requests = self._store.open_requests(batch)
        untouched = len(requests) == batch.requests
        answered = self._read_files(batch, remote, requests)
        if remote.status == "completed":
            for number, request in requests.items():
                # It may have been answered and the answer lost, so it is booked.
                reason = "the batch holds no answer to it"
                self._give_up(batch, number, request, reason, "failed", request.most)
        self._store.ended(batch)
        if remote.status == "cancelled" and not batch.cancelled:
            self.stopped = "cancelled"
        if remote.status == "expired" and untouched and not answered:
            self.error = ServiceError(
                f"{self._client.base_url} answered none of {batch.requests:,} requests within a day, and did not "
                "charge for them; run the same again to resubmit them"
            )

    def _read_files(self, batch: StoredBatch, remote: RemoteBatch, requests: dict[int, BatchRequest]) -> bool:
        """Process a batch's files; their requests are removed from `requests`. Return whether any was answered."""
        answered = False
        for line in itertools.chain.from_iterable(map(self._client.lines, remote.files)):
            number = number_of(line.custom_id)
            request = requests.pop(number, None)
            if request is None:
                continue
            if line.reply is not None:
                answered = True
                self._keep(batch, number, request, line.reply)
            else:
                self._fail(batch, number, request, line, remote)
        return answered

    def _keep(self, batch: StoredBatch, number: int, request: BatchRequest, reply: ChatReply) -> None:
        """Store an answer; listings it lacks wait again, or are given up."""
        reading = read_reply(request, reply, self._price, None)
        answered = reading.answered
        lost = reading.faults if request.attempt >= self._config.attempts else {}
        with self._cache.together():
            self._cache.keep(self._question(request), request.pass_, answered, reading.scores, lost)
            self._store.came_to(
                *(batch, number, "cut off" if reading.cut_off else "answered"),
                *(answered.prompt_tokens, answered.completion_tokens, answered.cost or 0.0),
            )

    def _fail(
        self, batch: StoredBatch, number: int, request: BatchRequest, line: BatchLine, remote: RemoteBatch
    ) -> None:
        """Note a missing answer."""
        reason = _reason(line)
        ended_early = not line.status and remote.status in ("expired", "cancelled")
        if line.code in _NEVER_ASKED or ended_early:
            self._store.came_to(batch, number, "void")
        elif line.status in _MISDIRECTED:
            self._store.came_to(batch, number, "void")
            self.error = ConfigError(
                f"{self._client.base_url} {reason} to requests of a batch; see that --model may be used by batch, and "
                "with this key, then run the same again"
            )
        elif line.status in _MALFORMED and (blamed := self._blamed(batch, line)):
            with self._cache.together():
                self._store.came_to(batch, number, "void")
                self._store.leave_out(blamed)
        else:
            outcome: Literal["refused", "failed"] = "refused" if line.status in _REFUSED else "failed"
            cost = request.most if line.status and may_be_billed(line.status) else 0.0
            self._give_up(batch, number, request, reason, outcome, cost)

    def _blamed(self, batch: StoredBatch, line: BatchLine) -> str | None:
        """Name the field for which a server refused a request; once one was answered, its fields are right."""
        if {"answered", "cut off"} & self._store.outcomes().keys():
            return None
        wanted: dict[str, Any] = {"response_format": {}, "temperature": 0, "max_tokens": 0}
        return blamed_field(line.param, line.message, chat_fields(wanted, batch.unwanted))

    def _give_up(
        self,
        batch: StoredBatch,
        number: int,
        request: BatchRequest,
        reason: str,
        outcome: Literal["refused", "failed"],
        cost: float,
    ) -> None:
        """Note an attempt without an answer, booked at `cost`; after the last one, the listings are given up."""
        with self._cache.together():
            self._store.came_to(batch, number, outcome, cost=cost)
            if request.attempt >= self._config.attempts:
                self._cache.give_up(self._question(request), request.pass_, dict.fromkeys(request.texts, reason))

    def _refused(self, batch: StoredBatch, remote: RemoteBatch) -> None:
        """Make smaller batches if the server has no room for large ones; else the session ends with an error."""
        codes = {code for code, _ in remote.errors}
        if _TOO_MANY_TOKENS in codes and batch.requests > 1:
            self._store.limit(batch.requests // 2)
            return
        reasons = "; ".join(dict.fromkeys(message or code for code, message in remote.errors)) or "no reason given"
        message = f"{self._client.base_url} refused a batch of {batch.requests:,} requests ({reasons})"
        if _TOO_MANY_TOKENS in codes:
            self.error = ServiceError(f"{message}; wait until other batches have ended, then run the same again")
        else:
            self.error = ConfigError(f"{message}; see that --model may be used by batch, then run the same again")

    def _question(self, request: BatchRequest) -> Question:
        key = request.kind, request.schema.names
        if key not in self._questions:
            self._questions[key] = Question.of(request.kind, self._config.model, PROMPT_VERSION, request.schema)
        return self._questions[key]

    def _submit(self) -> None:
        """Make batches of waiting listings, as far as the budget allows."""
        largest = self._store.largest
        if largest is not None and self._store.under_way():
            return  # the server has no room for two at once
        self._due = False
        counts = self._store.counts()
        budget = Budget(self._config.budget)
        budget.settle(0.0, counts.cost + counts.failed_cost)
        budget.hold(counts.held)
        unwanted = self._store.unwanted
        most_requests = min(largest or MOST_REQUESTS, MOST_REQUESTS)
        with tempfile.TemporaryDirectory(dir=self._cache.path.parent, prefix="batch-") as folder:
            parcel = Parcel(Path(folder), most_requests)
            for request, most in self._requests():
                if not budget.allows(most):
                    if not parcel.requests and not self._store.under_way():
                        self.stopped = "budget"
                    break
                line = self._line(request, unwanted)
                if not parcel.holds(line):
                    self._send(parcel, unwanted)
                    if largest is not None:
                        return
                    parcel = Parcel(Path(folder), most_requests)
                budget.hold(most)
                parcel.add(stored(request, most), line)
            if parcel.requests:
                self._send(parcel, unwanted)

    def _send(self, parcel: Parcel, unwanted: frozenset[str]) -> None:
        """Make a batch; once it is recorded, it is not made twice."""
        parcel.file.seek(0)
        batch = self._store.add(self._client.upload(parcel.file), unwanted, parcel.requests)
        parcel.file.close()
        remote = self._create(batch)
        self._remote[batch.id] = remote
        self._store.submitted(batch, remote.id)

    def _requests(self) -> Iterator[tuple[ScoreRequest, float]]:
        """Yield requests for what is neither stored nor under way, with the largest possible cost of each in USD."""
        for kind, listings in self._listings.items():
            waiting = waiting_for(self._scorers[kind], self._store, listings)
            learnt = self._cache.experience(kind, self._config.model)
            while request := waiting.next():
                prompt = cautious(request.prompt_estimate, learnt.prompt_ratio if learnt else 0.0)
                yield request, self._price.cost(prompt, request.max_tokens) if self._price else 0.0

    def _line(self, request: ScoreRequest, unwanted: frozenset[str]) -> bytes:
        """Return the body of a request as JSON."""
        wanted = {
            "response_format": request.reply_format(),
            "temperature": self._config.temperature,
            "max_tokens": request.max_tokens,
        }
        body = {"model": self._config.model, "messages": request.messages(), **chat_fields(wanted, unwanted)}
        return json.dumps(body).encode()


def _reason(line: BatchLine) -> str:
    """Say why a line holds no answer."""
    if line.status:
        return f"answered with an error ({line.status}: {line.message or line.code})"
    return f"the server said: {line.message or line.code or 'nothing'}"
