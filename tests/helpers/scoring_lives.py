"""A process that scores again and again, each time in a child that may be killed; for `scoring/test_killed.py`."""

import os
import sys
from pathlib import Path

import openai  # noqa: F401  (once here, not in every child)

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.llm.client import ChatClient
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.prompts import Listing
from guidedrec_core.scoring.scorer import Scorer

SCHEMA = AttributeSchema(attributes=tuple(Attribute(name=name, low="none", high="all") for name in ("calm", "loud")))
LISTINGS = [Listing(f"item {number}", f"title: tent {number}") for number in range(200)]
CONFIG = ScoringConfig(model="small", items_per_request=4, concurrency=5)


def live(url: str, path: Path) -> None:
    """Score everything."""
    with ReplyCache(path) as cache:
        Scorer(cache, SCHEMA, CONFIG, "item").run(LISTINGS, ChatClient(url))


if __name__ == "__main__":
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            live(sys.argv[1], Path(sys.argv[2]))
            os._exit(0)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
