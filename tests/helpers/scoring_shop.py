"""A small catalogue that a server on this machine scores, through the real SDK."""

from typing import Any

from chat_server import Answer, ChatServer, score_of, scorer

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.llm.client import ChatClient
from guidedrec_core.llm.retry import RetryPolicy
from guidedrec_core.progress import Listener, silent
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.prompts import Listing
from guidedrec_core.scoring.scorer import Scorer, ScoringResult

PRICE = (1.0, 2.0)


def schema_of(*names: str) -> AttributeSchema:
    return AttributeSchema(attributes=tuple(Attribute(name=name, low="none", high="all") for name in names))


SCHEMA = schema_of("calm", "loud")
LISTINGS = [Listing(f"item {number}", f"title: tent {number}") for number in range(30)]


class Shop:
    """A catalogue to be scored by the test's server."""

    def __init__(self, server: ChatServer, cache: ReplyCache) -> None:
        self.server = server
        self.cache = cache
        server.model = scorer

    def scorer(self, schema: AttributeSchema = SCHEMA, **settings: Any) -> Scorer:
        settings = {"model": "small", "items_per_request": 5, "concurrency": 4, "price": PRICE} | settings
        return Scorer(self.cache, schema, ScoringConfig.parse(settings), "item")

    def run(
        self,
        listings: list[Listing] = LISTINGS,
        schema: AttributeSchema = SCHEMA,
        listener: Listener = silent,
        retries: int = 0,
        **settings: Any,
    ) -> ScoringResult:
        client = ChatClient(self.server.url, retry=RetryPolicy(retries=retries), timeout_seconds=1.0)
        return self.scorer(schema, **settings).run(listings, client, listener)


def right(listings: list[Listing] = LISTINGS, schema: AttributeSchema = SCHEMA) -> list[list[float]]:
    return [[score_of(listing.text, name) for name in schema.names] for listing in listings]


def slower(answer: Answer, delay: float) -> Answer:
    return Answer(answer.body, answer.status, answer.headers, delay)
