"""Scoring through the Batch API: half the price, answers within a day, and no process has to wait for them."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.errors import JobCancelledError, ServiceError
from guidedrec_core.llm.address import meant_url
from guidedrec_core.llm.client import BatchClient
from guidedrec_core.progress import Listener, silent
from guidedrec_core.scoring.batch.file import waiting_for
from guidedrec_core.scoring.batch.session import BatchSession, BatchState
from guidedrec_core.scoring.batch.store import BatchStore
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.prices import BATCH_SHARE
from guidedrec_core.scoring.prompts import PROMPT_VERSION, Kind, Listing
from guidedrec_core.scoring.scorer import Scorer, ScoringPlan, ScoringResult

WINDOW_SECONDS = 86_400.0
"""In which a server answers a batch, or lets it expire."""

# Seconds between status requests: the first pause, its growth, the longest.
_FIRST_PAUSE, _GROWTH, _LONGEST_PAUSE = 5.0, 1.5, 60.0
_TICK_SECONDS = 1.0
_MOST_FAILURES = 5  # failures in a row before a server is given up


class BatchScorer:
    """Gives scores to items and users as `Scorer` does, by batches.

    Batches under way are recorded in the file of the cache. Whenever the process ends, even between two steps, the same
    call resumes: it collects what is answered, submits the rest, and pays for nothing twice. Items without usable
    scores are requested again in another batch, up to ``config.attempts`` times.

    Answers cost `BATCH_SHARE` of their price. The budget is for everything between the first batch and the last answer,
    over all calls; a request is submitted only if the budget holds even when all answers fill all their room.

    Parameters
    ----------
    cache : ReplyCache
        What is in it is not requested again.
    schema : AttributeSchema
        What to score.
    config : ScoringConfig
        The model, and the settings of requests; concurrency and rates are not used.

    Raises
    ------
    ConfigError
        There is a budget, but the model's price is not known.
    """

    def __init__(self, cache: ReplyCache, schema: AttributeSchema, config: ScoringConfig) -> None:
        kinds: tuple[Kind, ...] = ("item", "user")
        self._scorers = {kind: Scorer(cache, schema, config, kind) for kind in kinds}
        price = self._scorers["item"].price
        self.price = price.reduced(BATCH_SHARE) if price else None
        key = json.dumps([meant_url(config.base_url), config.model, PROMPT_VERSION, schema.hash()])
        self._store = BatchStore(cache, hashlib.sha256(key.encode()).hexdigest()[:16], schema)

    def plan(self, listings: Sequence[Listing], kind: Kind = "item") -> ScoringPlan:
        """Estimate what is still to be submitted; nothing is sent.

        Parameters
        ----------
        listings : sequence of Listing
            What to score; ids are all different.
        kind : {"item", "user"}
            What they describe.

        Returns
        -------
        ScoringPlan
            Requests, tokens and cost without those that are under way already; `seconds` is what a server may take.
        """
        scorer = self._scorers[kind]
        plan = scorer.plan_of(listings, waiting_for(scorer, self._store, listings), self.price)
        under_way = bool(self._store.under_way())
        return replace(plan, seconds=WINDOW_SECONDS if plan.requests or under_way else 0.0)

    def advance(
        self, listings: Mapping[Kind, Sequence[Listing]], client: BatchClient, listener: Listener = silent
    ) -> BatchState:
        """Collect what is answered, submit what waits, and return at once.

        Parameters
        ----------
        listings : mapping of str to sequence of Listing
            What to score, items and users; ids are all different.
        client : BatchClient
            The way to the server.
        listener : callable
            Called with the progress.

        Returns
        -------
        BatchState
            When no batches are under way, `run` has nothing to wait for.

        Raises
        ------
        InputError
            Another process is at these batches.
        ConfigError
            The key is refused, or the model or address unknown, or the server refuses the batch.
        ServiceError
            The server gives no answer, or none that can be used; earlier answers are stored.
        """
        with self._store.alone():
            work = BatchSession(self._scorers, listings, self._store, self.price, client, listener)
            state = work.round()
            if work.error is not None:
                raise work.error
            return state

    def run(
        self, listings: Mapping[Kind, Sequence[Listing]], client: BatchClient, listener: Listener = silent
    ) -> dict[Kind, ScoringResult]:
        """Submit, wait and collect until nothing is left to request.

        Parameters are those of `advance`, and so are errors.

        Parameters
        ----------
        listings : mapping of str to sequence of Listing
            See `advance`.
        client : BatchClient
            See `advance`.
        listener : callable
            Called with the progress after every status request, and every second. When it raises `JobCancelledError`,
            the batches are cancelled, and what is answered within a few seconds is stored; the next call collects the
            rest.

        Returns
        -------
        dict of str to ScoringResult
            Scores of items and users; requests, tokens and cost are those since the first batch was submitted.
        """
        with self._store.alone():
            work = BatchSession(self._scorers, listings, self._store, self.price, client, listener)
            try:
                self._wait(work)
            except JobCancelledError:
                work.cancel()
            results: dict[Kind, ScoringResult] = {}
            for kind, some in listings.items():
                results[kind] = self._scorers[kind].result(some, work.paid(kind), work.stopped)
            self._end()
            return results

    def cancel(self, client: BatchClient, listener: Listener = silent) -> BatchState:
        """End what is under way and collect what is answered.

        Parameters
        ----------
        client : BatchClient
            The way to the server.
        listener : callable
            Called with the progress.

        Returns
        -------
        BatchState
            With the batches that did not end within a few seconds; calling again collects them.

        Raises
        ------
        InputError
            Another process is at these batches.
        ConfigError, ServiceError
            See `advance`.
        """
        with self._store.alone():
            work = BatchSession(self._scorers, {}, self._store, self.price, client, listener)
            work.cancel()
            state = work.say()
            self._end()
            return state

    def _wait(self, work: BatchSession) -> None:
        """Work until nothing is under way; a server that fails for a while is waited for."""
        pause, failures = _FIRST_PAUSE, 0
        while True:
            try:
                state = work.round()
                failures = 0
            except ServiceError:
                failures += 1
                if failures == _MOST_FAILURES or not self._store.under_way():
                    raise
            else:
                if work.error is not None:
                    raise work.error
                if not state.batches:
                    return
            ends = time.monotonic() + pause
            while (left := ends - time.monotonic()) > 0:
                time.sleep(min(left, _TICK_SECONDS))
                work.say()
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)

    def _end(self) -> None:
        """Forget batches that are all read; what failed in every attempt may be requested again."""
        if not self._store.under_way():
            self._store.forget()
