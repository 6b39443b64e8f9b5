"""Requests: how waiting listings are grouped into requests, and how those without scores are requested again."""

import json
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.randomness import generator
from guidedrec_core.scoring.cache_records import Question
from guidedrec_core.scoring.prices import estimate_prompt, estimate_tokens
from guidedrec_core.scoring.prompts import PROMPT_VERSION, Kind, Listing, messages, reply_format

_SPARE_TOKENS = 100
# Room for an answer relative to its estimate: some models put each number and bracket on its own line.
_SLACK = 2.0
# Factor of the room per listing after an answer that was cut off, for models that think first. As half as many listings
# are requested, it doubles the room of the whole answer.
_MORE_SLACK = 4.0
_STREAK = 8  # complete answers after which a request may be larger again


@dataclass(frozen=True)
class ScoreRequest:
    """One request for scores.

    Attributes
    ----------
    kind : {"item", "user"}
        What is scored.
    schema, question
        The requested attributes, and their key in the cache.
    pass_, attempt : int
        Number of the pass, from 0, and of the attempt, from 1.
    listings : tuple of Listing
        What the model reads, numbered from 1 in this order.
    prompt_estimate, completion_estimate : int
        Tokens of prompt and answer.
    max_tokens : int
        Room for the answer.
    """

    kind: Kind
    schema: AttributeSchema
    question: Question
    pass_: int
    attempt: int
    listings: tuple[Listing, ...]
    prompt_estimate: int
    completion_estimate: int
    max_tokens: int

    @property
    def texts(self) -> tuple[str, ...]:
        """Hashes of the listings."""
        return tuple(listing.text_hash() for listing in self.listings)

    def messages(self) -> list[dict[str, str]]:
        """Return the messages to send."""
        return messages(self.schema, self.listings, self.kind)

    def reply_format(self) -> dict[str, Any]:
        """Return the ``response_format`` of the answer."""
        return reply_format(self.schema, len(self.listings))


@dataclass
class _Group:
    """Waiting listings with the same attributes to score in the same pass."""

    schema: AttributeSchema
    question: Question
    pass_: int
    fixed: int
    """Tokens of a prompt without listings."""
    each: int
    """Tokens of a listing's number."""
    row: int
    """Tokens of a listing's scores in the answer."""
    queues: dict[int, deque[Listing]] = field(default_factory=dict)
    """Waiting listings by attempt."""


class Waiting:
    """Listings still to be scored: makes requests of them and takes back those that got no scores.

    Requests get smaller when an answer is cut off or a request refused, and slowly larger again. In the last attempt
    each listing is requested alone, so that one cannot spoil the answer for others.

    Parameters
    ----------
    listings : sequence of Listing
        Their texts are all different.
    missing : ndarray
        bool ``[passes, len(listings), n_attributes]``: scores to request. Listings that lack the same attributes are
        requested together, and only for these.
    schema : AttributeSchema
        All attributes.
    config : ScoringConfig
        Sizes and attempts.
    kind : {"item", "user"}
        What the listings describe.
    """

    def __init__(
        self,
        listings: Sequence[Listing],
        missing: npt.NDArray[np.bool_],
        schema: AttributeSchema,
        config: ScoringConfig,
        kind: Kind,
    ) -> None:
        self._config = config
        self.kind = kind
        self._size = config.items_per_request
        self._slack = _SLACK
        self._needed = 0.0
        self._streak = 0
        self._left = 0
        self._groups: dict[tuple[Question, int], _Group] = {}
        for pass_, lacking in enumerate(missing):
            for mask, rows in _alike(lacking):
                kept = tuple(one for one, wanted in zip(schema.attributes, mask, strict=True) if wanted)
                group = self._group(schema.model_copy(update={"attributes": kept}), pass_)
                order = generator(0, "scoring order", kind, pass_).permutation(rows)
                group.queues[1] = deque(listings[row] for row in order)
                self._left += len(rows)
                self._groups[group.question, pass_] = group

    def __len__(self) -> int:
        """Number of pairs of listing and pass that no request has been made of."""
        return self._left

    def next(self) -> ScoreRequest | None:
        """Make a request of waiting listings; None when there are none. First attempts come first."""
        for attempt in range(1, self._config.attempts + 1):
            for group in self._groups.values():
                if group.queues.get(attempt):
                    return self._make(group, attempt)
        return None

    def take_back(
        self, request: ScoreRequest, failed: Collection[Listing], too_long: bool = False, cut_off: bool = False
    ) -> list[Listing]:
        """Let listings wait for the next attempt.

        Parameters
        ----------
        request : ScoreRequest
            The request.
        failed : collection of Listing
            Its listings that got no scores.
        too_long : bool
            The server refused the request, perhaps for its length.
        cut_off : bool
            The answer did not fit into `max_tokens`.

        Returns
        -------
        list of Listing
            Those that have had their last attempt and are given up.
        """
        if too_long or cut_off:
            self.shorten(len(request.listings), request.completion_estimate, request.max_tokens if cut_off else 0)
        if request.attempt >= self._config.attempts:
            return list(failed)
        if failed:
            group = self._groups[request.question, request.pass_]
            group.queues.setdefault(request.attempt + 1, deque()).extend(failed)
            self._left += len(failed)
        return []

    def shorten(self, listings: int, completion_estimate: int, room: int) -> None:
        """Make smaller requests from now on.

        Parameters
        ----------
        listings : int
            A number of listings that was too large.
        completion_estimate : int
            Tokens of their scores.
        room : int
            Tokens of an answer that was cut off; 0 if none was.
        """
        self._size = min(self._size, max(1, listings // 2))
        self._streak, self._needed = 0, 0.0
        if room:
            self._slack = max(self._slack, _MORE_SLACK * (room - _SPARE_TOKENS) / completion_estimate)

    def postpone(self, pass_: int, attempts: Mapping[str, int]) -> None:
        """Set the number of the next attempt of some listings.

        Parameters
        ----------
        pass_ : int
            Number of the pass, from 0.
        attempts : mapping of str to int
            Hash of a listing to the number of its next attempt; beyond the last one, it is not requested.
        """
        for group in self._groups.values():
            if group.pass_ != pass_:
                continue
            first, group.queues = group.queues[1], {1: deque()}
            for listing in first:
                attempt = attempts.get(listing.text_hash(), 1)
                if attempt <= self._config.attempts:
                    group.queues.setdefault(attempt, deque()).append(listing)
                else:
                    self._left -= 1

    def learn(self, request: ScoreRequest, completion_tokens: int) -> None:
        """Note a complete answer; after some in a row, requests may be larger and rooms closer to what is needed."""
        self._streak += 1
        self._needed = max(self._needed, completion_tokens / request.completion_estimate)
        if self._streak == _STREAK:
            self._size = min(self._size + 1, self._config.items_per_request)
            self._slack = max(_SLACK, min(self._slack, 1.5 * self._needed))
            self._streak, self._needed = 0, 0.0

    def _group(self, schema: AttributeSchema, pass_: int) -> _Group:
        """Estimate the tokens of a request with a schema."""
        nothing = Listing("", "")
        one, two = (estimate_prompt(messages(schema, [nothing] * n, self.kind)) for n in (1, 2))
        scores = dict.fromkeys(schema.names, 5.5)
        row = estimate_tokens(json.dumps({"number": 10, "scores": scores}))
        question = Question.of(self.kind, self._config.model, PROMPT_VERSION, schema)
        return _Group(schema, question, pass_, fixed=2 * one - two, each=two - one, row=row)

    def _make(self, group: _Group, attempt: int) -> ScoreRequest:
        """Take as many listings as fit."""
        queue = group.queues[attempt]
        alone = attempt == self._config.attempts > 1
        prompt = group.fixed
        listings: list[Listing] = []
        while queue and len(listings) < (1 if alone else self._size):
            longer = prompt + group.each + estimate_tokens(queue[0].text)
            if listings and longer + self._room(group, len(listings) + 1) > self._config.max_request_tokens:
                break
            prompt = longer
            listings.append(queue.popleft())
        self._left -= len(listings)
        room = self._room(group, len(listings))
        return ScoreRequest(
            kind=self.kind,
            schema=group.schema,
            question=group.question,
            pass_=group.pass_,
            attempt=attempt,
            listings=tuple(listings),
            prompt_estimate=prompt,
            completion_estimate=len(listings) * group.row,
            max_tokens=max(min(room, self._config.max_request_tokens - prompt), group.row + _SPARE_TOKENS),
        )

    def _room(self, group: _Group, count: int) -> int:
        """Return the room that an answer gets, in tokens."""
        return _SPARE_TOKENS + round(count * group.row * self._slack)


def _alike(lacking: npt.NDArray[np.bool_]) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]]:
    """Yield each pattern of missing attributes with the rows that have it."""
    rows = np.flatnonzero(lacking.any(axis=1))
    if len(rows):
        patterns, which = np.unique(lacking[rows], axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            yield pattern, rows[which.reshape(-1) == number]
