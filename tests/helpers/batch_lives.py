"""A process that scores by batches again and again, each time in a child that dies; for `scoring/batch` tests."""

import itertools
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai  # noqa: F401  (once here, not in every child)

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.llm.client import BatchClient
from guidedrec_core.llm.retry import NEVER
from guidedrec_core.scoring.batch import scorer as batch_scorer
from guidedrec_core.scoring.batch import session as batch_session
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.prompts import Listing

SCHEMA = AttributeSchema(attributes=tuple(Attribute(name=name, low="none", high="all") for name in ("calm", "loud")))
LISTINGS = [Listing(f"item {number}", f"title: tent {number}") for number in range(12)]


def config(url: str) -> ScoringConfig:
    """Three listings a request."""
    return ScoringConfig(model="small", base_url=url, items_per_request=3, price=(1.0, 2.0))


def live(url: str, path: Path, writes: int) -> None:
    """Score everything; die after so many writes to the disk, 0 is never."""
    batch_scorer._FIRST_PAUSE = batch_scorer._LONGEST_PAUSE = 0.01
    batch_session.MOST_REQUESTS = 2
    together, written = ReplyCache.together, itertools.count(1)

    @contextmanager
    def mortal(cache: ReplyCache) -> Iterator[Any]:
        inside = cache._base.in_transaction
        with together(cache) as base:
            before = base.total_changes
            yield base
            changed = base.total_changes > before
        if changed and not inside and next(written) == writes:
            os.kill(os.getpid(), signal.SIGKILL)

    ReplyCache.together = mortal  # type: ignore[method-assign]
    with ReplyCache(path) as cache:
        batch_scorer.BatchScorer(cache, SCHEMA, config(url)).run({"item": LISTINGS}, BatchClient(url, retry=NEVER))


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            url, path, writes = json.loads(line)
            live(url, Path(path), writes)
            os._exit(0)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
