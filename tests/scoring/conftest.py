"""A cache of answers and a shop to score, for all tests of scoring."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_server import ChatServer, chat_server  # noqa: F401
from scoring_shop import Shop

from guidedrec_core.scoring.cache import ReplyCache


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ReplyCache]:
    with ReplyCache(tmp_path / "replies.sqlite") as cache:
        yield cache


@pytest.fixture
def shop(chat_server: ChatServer, cache: ReplyCache) -> Shop:  # noqa: F811
    return Shop(chat_server, cache)
