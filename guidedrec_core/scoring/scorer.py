"""Scoring: a language model gives guided scores to items or users, and every answer is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.errors import ConfigError
from guidedrec_core.llm.chat import Chat
from guidedrec_core.progress import Listener, silent
from guidedrec_core.reliability.repeated import RepeatedScores
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.cache_records import Kept, Paid, Question
from guidedrec_core.scoring.prices import Price, find_price
from guidedrec_core.scoring.prompts import PROMPT_VERSION, Kind, Listing
from guidedrec_core.scoring.requests import Waiting
from guidedrec_core.scoring.session import ScoringSession

# Assumed speed of a model that has not answered yet.
_FIRST_TOKEN_SECONDS = 0.5
_TOKENS_A_SECOND = 50.0
_MINUTE = 60.0


@dataclass(frozen=True)
class ScoringPlan:
    """The plan of a run: what it would take.

    Attributes
    ----------
    listings, cached, asked : int
        Items or users in all, those whose scores are stored already, and those to request. Equal texts are requested
        once.
    requests : int
        Number to send, if none fails.
    prompt_tokens, completion_tokens : int
        Estimates, from the model's earlier answers if there are any.
    cost : float or None
        USD; None when the price is not known.
    seconds : float
        From the time of the model's earlier answers; without any, from a usual speed.
    """

    listings: int
    cached: int
    asked: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    seconds: float


@dataclass(frozen=True)
class ScoringResult:
    """Scores, and what they cost.

    Attributes
    ----------
    values : ndarray
        float32 ``[n, n_attributes]``, the median over passes; NaN = missing.
    passes_values : ndarray
        float32 ``[passes, n, n_attributes]``; NaN = missing in that pass.
    positions : ndarray
        float32 ``[passes, n]``: place of each listing in its request, from 1; NaN = missing in that pass.
    faults : dict of str to str
        Id of a requested listing that lacks scores in at least one pass, to the reason.
    requests : int
        Answers that were paid for.
    prompt_tokens, completion_tokens : int
        As the server counted; as estimated where it does not.
    cost : float or None
        USD of the answers; None when the price is not known.
    stopped : str
        ``""`` when everything was requested, else ``"budget"`` or ``"cancelled"``.
    failed_attempts : int
        Requests without an answer, including those that were sent again.
    failed_cost : float or None
        USD at which they are booked on top of `cost` (see `limits.failed_cost`); None when that is not known.
    """

    values: npt.NDArray[np.float32]
    passes_values: npt.NDArray[np.float32]
    positions: npt.NDArray[np.float32]
    faults: dict[str, str]
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    stopped: Literal["", "budget", "cancelled"]
    failed_attempts: int = 0
    failed_cost: float | None = 0.0


class Scorer:
    """Gives scores to items or users.

    Parameters
    ----------
    cache : ReplyCache
        What is in it is not requested again.
    schema : AttributeSchema
        What to score.
    config : ScoringConfig
        The model, and the settings of requests.
    kind : {"item", "user"}
        What the listings describe.

    Raises
    ------
    ConfigError
        There is a budget, but the model's price is not known.
    """

    def __init__(self, cache: ReplyCache, schema: AttributeSchema, config: ScoringConfig, kind: Kind) -> None:
        self.cache = cache
        self.schema = schema
        self.config = config
        self.kind = kind
        self.price = find_price(config.model, config.price)
        self.question = Question.of(kind, config.model, PROMPT_VERSION, schema)
        if config.budget is not None and self.price is None:
            raise ConfigError(
                f"expected the price of {config.model} to keep a budget, it is not known; "
                "set price to USD per million tokens, input and output"
            )

    def plan(self, listings: Sequence[Listing]) -> ScoringPlan:
        """Estimate what `run` would take; nothing is sent.

        Parameters
        ----------
        listings : sequence of Listing
            What to score; ids are all different.
        """
        return self.plan_of(listings, self.waiting(listings), self.price)

    def plan_of(self, listings: Sequence[Listing], waiting: Waiting, price: Price | None) -> ScoringPlan:
        """Estimate the requests for waiting listings; this empties `waiting`.

        Parameters
        ----------
        listings : sequence of Listing
            All listings to score.
        waiting : Waiting
            Those to request.
        price : Price or None
            Price of the answers.
        """
        requests = prompt = completion = 0.0
        while request := waiting.next():
            requests += 1
            prompt += request.prompt_estimate
            completion += request.completion_estimate
        learnt = self.cache.experience(self.kind, self.config.model)
        if learnt:
            prompt *= learnt.prompt_ratio
            completion *= learnt.completion_ratio
        each = _FIRST_TOKEN_SECONDS + completion / max(requests, 1) / _TOKENS_A_SECOND
        rounds = np.ceil(requests / self.config.concurrency)
        lacking = int(np.isnan(self._kept(listings).values).any(axis=(0, 2)).sum())
        return ScoringPlan(
            listings=len(listings),
            cached=len(listings) - lacking,
            asked=lacking,
            requests=int(requests),
            prompt_tokens=round(prompt),
            completion_tokens=round(completion),
            cost=price.cost(prompt, completion) if price else None,
            seconds=max(
                float(rounds) * ((learnt.seconds if learnt else None) or each),
                requests / (self.config.requests_per_minute or np.inf) * _MINUTE,
                (prompt + completion) / (self.config.tokens_per_minute or np.inf) * _MINUTE,
            ),
        )

    def run(self, listings: Sequence[Listing], client: Chat, listener: Listener = silent) -> ScoringResult:
        """Request the scores that are not stored yet.

        Every answer is stored when it arrives, so that a run that ends early, for whatever reason, resumes there.
        Listings without scores after all attempts stay missing; the next run requests them again.

        Parameters
        ----------
        listings : sequence of Listing
            What to score; ids are all different.
        client : Chat
            The model; an asynchronous context manager, such as `ChatClient`, is entered and left.
        listener : callable
            Called with the progress after every answer, and every second. When it raises `JobCancelledError`, nothing
            more is sent, and answers that arrive within a few seconds are stored.

        Returns
        -------
        ScoringResult
            The scores of this run and earlier ones; requests, tokens and cost of this one.

        Raises
        ------
        ConfigError
            The key is refused, or the model or address unknown.
        ServiceError
            The server failed repeatedly; earlier answers are stored.
        """
        session = ScoringSession(self.waiting(listings), self.cache, self.config, self.price, client, listener)
        session.work()
        return self.result(listings, session.paid(), session.stopped)

    def recorded(self, listings: Sequence[Listing]) -> ScoringResult:
        """Return the stored scores, and all that was paid for answers to this question; nothing is sent.

        Parameters
        ----------
        listings : sequence of Listing
            What to return scores of; ids are all different.
        """
        return self.result(listings, self.cache.paid(self.question, self.config.reuse), "")

    def waiting(self, listings: Sequence[Listing]) -> Waiting:
        """Return the listings to request; parameters as in `plan`."""
        different = list({listing.text_hash(): listing for listing in listings}.values())
        return Waiting(different, np.isnan(self._kept(different).values), self.schema, self.config, self.kind)

    def _kept(self, listings: Sequence[Listing]) -> Kept:
        """Read the stored scores of some listings."""
        hashes = [listing.text_hash() for listing in listings]
        different = list(dict.fromkeys(hashes))
        kept = self.cache.read(self.question, different, self.config.passes, self.config.reuse)
        places = {one: place for place, one in enumerate(different)}
        rows = np.array([places[one] for one in hashes], dtype=np.intp)
        return Kept(kept.values[:, rows], kept.positions[:, rows])

    def result(
        self,
        listings: Sequence[Listing],
        paid: Paid,
        stopped: Literal["", "budget", "cancelled"],
    ) -> ScoringResult:
        """Collect the stored scores of some listings and their cost; `stopped` as in `ScoringResult`."""
        kept = self._kept(listings)
        ids = tuple(listing.id for listing in listings)
        return ScoringResult(
            values=RepeatedScores(kept.values, ids, self.schema).scores().astype(np.float32),
            passes_values=kept.values,
            positions=kept.positions,
            faults=self._faults(listings, kept.values),
            requests=paid.requests,
            prompt_tokens=paid.prompt_tokens,
            completion_tokens=paid.completion_tokens,
            cost=paid.cost,
            stopped=stopped,
            failed_attempts=paid.failed_attempts,
            failed_cost=paid.failed_cost,
        )

    def _faults(self, listings: Sequence[Listing], values: npt.NDArray[np.float32]) -> dict[str, str]:
        """Return why listings lack scores."""
        missing = np.asarray(np.isnan(values).any(axis=2))
        lacking = {row: listings[row].text_hash() for row in np.flatnonzero(missing.any(axis=0)).tolist()}
        different = list(dict.fromkeys(lacking.values()))
        reasons = self.cache.faults(self.question, different, self.config.passes, self.config.reuse)
        faults = {}
        for row, text in lacking.items():
            found = [
                f"pass {pass_ + 1}: {reasons[text, pass_]}" if self.config.passes > 1 else reasons[text, pass_]
                for pass_ in range(self.config.passes)
                if missing[pass_, row] and (text, pass_) in reasons
            ]
            if found:
                faults[listings[row].id] = "; ".join(found)
        return faults
