"""Requests to be submitted as a batch, and the file that they are written to."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from guidedrec_core.scoring.batch.store import BatchRequest, BatchStore
from guidedrec_core.scoring.prompts import Listing
from guidedrec_core.scoring.requests import ScoreRequest, Waiting
from guidedrec_core.scoring.scorer import Scorer

# OpenAI's limits of one batch.
MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000


def waiting_for(scorer: Scorer, store: BatchStore, listings: Sequence[Listing]) -> Waiting:
    """Return the listings to request that are not under way, each with its next attempt."""
    waiting = scorer.waiting(listings)
    tried = store.tried()
    for pass_ in range(scorer.config.passes):
        attempts = {text: tries + 1 for text, tries in tried.attempts.get((scorer.kind, pass_), {}).items()}
        never = scorer.config.attempts + 1
        waiting.postpone(pass_, attempts | dict.fromkeys(tried.under_way.get((scorer.kind, pass_), ()), never))
    for too_long in tried.too_long.get(scorer.kind, ()):
        waiting.shorten(*too_long)
    return waiting


class Parcel:
    """The requests of one batch, in a file."""

    def __init__(self, folder: Path, most_requests: int) -> None:
        self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (it is closed when it is sent)
        self.requests: list[BatchRequest] = []
        self._most_requests = most_requests
        self._bytes = 0

    def holds(self, body: bytes) -> bool:
        """Return whether there is room for one more."""
        fits = self._bytes + len(self._line(body)) <= MOST_BYTES and len(self.requests) < self._most_requests
        return fits or not self.requests

    def add(self, request: BatchRequest, body: bytes) -> None:
        """Write one more."""
        line = self._line(body)
        self.file.write(line)
        self._bytes += len(line)
        self.requests.append(request)

    def _line(self, body: bytes) -> bytes:
        """Name a request by its place."""
        head = (
            f'{{"custom_id": "request-{len(self.requests)}", "method": "POST", "url": "/v1/chat/completions", "body": '
        )
        return head.encode() + body + b"}\n"


def stored(request: ScoreRequest, most: float) -> BatchRequest:
    """Return what has to be stored of a request; `most` is its largest possible cost in USD."""
    return BatchRequest(
        kind=request.kind,
        pass_=request.pass_,
        attempt=request.attempt,
        schema=request.schema,
        texts=request.texts,
        prompt_estimate=request.prompt_estimate,
        completion_estimate=request.completion_estimate,
        max_tokens=request.max_tokens,
        most=most,
    )


def number_of(custom_id: str) -> int:
    """Return a request's place in its batch; -1 for a name that is not ours."""
    place = custom_id.removeprefix("request-")
    return int(place) if place.isdecimal() else -1
