"""Killing a process at any moment of scoring by batches loses nothing, and nothing is paid for twice."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch_lives import LISTINGS, SCHEMA, config
from batch_server import BatchServer, Behaviour, batch_server  # noqa: F401
from chat_server import Answer, Request, said, score_of, scorer, texts_in

from guidedrec_core.llm.client import BatchClient
from guidedrec_core.scoring.batch.scorer import BatchScorer
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.scorer import Scorer

MOST_LIVES = 60
BAD = "title: tent 3"


class Lives:
    """A process whose children score, one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self._child = 0
        self._born = threading.Event()

    def live(self, server: BatchServer, path: Path, writes: int = 0) -> int:
        """Let a child score, which dies after so many writes; return how it ended."""
        self._born.clear()
        self._in.write(f"{json.dumps([server.url, str(path), writes])}\n")
        self._in.flush()
        self._child = int(self._out.readline())
        self._born.set()
        return int(self._out.readline())

    def kill_at(self, server: BatchServer, last: int, wanted: str = "") -> None:
        """Kill the next child at a moment of its calls to the server, each of which has two: before and after."""
        moments = itertools.count(1)

        def watch(call: str) -> None:
            if wanted in ("", call) and next(moments) == last and self._born.wait(10):
                os.kill(self._child, signal.SIGKILL)

        server.watch = watch


@pytest.fixture(scope="module")
def lives() -> Iterator[Lives]:
    script = Path(__file__).parents[2] / "helpers" / "batch_lives.py"
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Lives(process)


def prepare(server: BatchServer) -> None:
    """Two batches, one of which expires half done, and an answer that has to be asked for again."""
    server.behaviours = [Behaviour(looks=2), Behaviour(looks=2, status="expired", answered=1), Behaviour(looks=2)]
    seen: Counter[str] = Counter()

    def model(request: Request) -> Answer:
        seen.update(texts_in(request))
        return Answer(said("hm")) if BAD in texts_in(request) and seen[BAD] == 1 else scorer(request)

    server.model = model


def check(server: BatchServer, path: Path) -> None:
    """Everything is scored, nothing paid for twice, and every answer counted."""
    server.end_all()
    with ReplyCache(path) as cache:
        found = Scorer(cache, SCHEMA, config(server.url), "item").recorded(LISTINGS)
        left = BatchScorer(cache, SCHEMA, config(server.url)).cancel(BatchClient(server.url))
    assert found.values.tolist() == [[score_of(one.text, name) for name in SCHEMA.names] for one in LISTINGS]
    again = next(texts_in(request) for request in server.paid if BAD in texts_in(request))
    paid = Counter(text for request in server.paid for text in texts_in(request))
    assert paid == Counter(one.text for one in LISTINGS) + Counter(again)
    assert found.requests == len(server.paid)
    assert left.batches == 0


CALLS = ("POST /files", "POST /batches", "GET /batches/*", "GET /files/*/content")


def test_killed_before_and_after_every_kind_of_call(
    lives: Lives,
    tmp_path: Path,
    batch_server: BatchServer,  # noqa: F811
) -> None:
    """After: the server has done what was asked, and could not say so."""
    prepare(batch_server)
    path = tmp_path / "replies.sqlite"
    for wanted, last in itertools.product(CALLS, (1, 2)):
        lives.kill_at(batch_server, last, wanted)
        assert lives.live(batch_server, path) == signal.SIGKILL, (wanted, last)
    batch_server.watch = lambda call: None
    assert lives.live(batch_server, path) == 0
    check(batch_server, path)


def test_killed_at_any_call(
    lives: Lives,
    tmp_path: Path,
    batch_server: BatchServer,  # noqa: F811
) -> None:
    prepare(batch_server)
    randomly = random.Random(2)
    path = tmp_path / "replies.sqlite"
    ends = []
    while not ends or (ends[-1] != 0 and len(ends) < MOST_LIVES):
        lives.kill_at(batch_server, randomly.randint(3, 12))
        ends.append(lives.live(batch_server, path))
    batch_server.watch = lambda call: None
    assert ends == [signal.SIGKILL] * (len(ends) - 1) + [0]
    assert len(ends) > 2
    check(batch_server, path)


def test_killed_after_any_write_to_the_disk(
    lives: Lives,
    tmp_path: Path,
    batch_server: BatchServer,  # noqa: F811
) -> None:
    prepare(batch_server)
    path = tmp_path / "replies.sqlite"
    ends = []
    while not ends or (ends[-1] != 0 and len(ends) < MOST_LIVES):
        ends.append(lives.live(batch_server, path, 1 + len(ends) % 4))
    assert ends == [signal.SIGKILL] * (len(ends) - 1) + [0]
    assert len(ends) > 8
    check(batch_server, path)
