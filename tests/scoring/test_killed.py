"""Killing a scoring process at any moment loses at most what was in flight."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from chat_server import Answer, ChatServer, Request, chat_server, score_of, scorer, texts_in  # noqa: F401
from scoring_lives import CONFIG, LISTINGS, SCHEMA

from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.scorer import Scorer

KILLS = 5


def test_a_killed_process_pays_again_only_for_what_was_in_flight(
    tmp_path: Path,
    chat_server: ChatServer,  # noqa: F811
) -> None:
    randomly = random.Random(3)

    def model(request: Request) -> Answer:
        return Answer(scorer(request).body, delay=randomly.uniform(0.01, 0.1))

    chat_server.model = model
    path = tmp_path / "replies.sqlite"
    script = Path(__file__).parents[1] / "helpers" / "scoring_lives.py"
    process = subprocess.Popen(
        [sys.executable, str(script), chat_server.url, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    kept = []
    for life in range(KILLS + 1):
        before = len(chat_server.asked)
        process.stdin.write("live\n")
        process.stdin.flush()
        child = int(process.stdout.readline())
        if life < KILLS:
            while len(chat_server.asked) < before + 8:
                time.sleep(0.002)
            time.sleep(randomly.uniform(0, 0.05))
            os.kill(child, signal.SIGKILL)
        assert int(process.stdout.readline()) == (signal.SIGKILL if life < KILLS else 0)
        with ReplyCache(path) as cache:  # whole, whatever happened
            kept.append(Scorer(cache, SCHEMA, CONFIG, "item").recorded(LISTINGS))
    process.stdin.close()
    process.wait()
    process.stdout.close()

    counts = [int(np.isfinite(result.values[:, 0]).sum()) for result in kept]
    assert all(later > earlier for earlier, later in itertools.pairwise(counts))
    assert kept[-1].values.tolist() == [[score_of(one.text, name) for name in SCHEMA.names] for one in LISTINGS]
    asked = Counter(text for request in chat_server.asked for text in texts_in(request))
    again = sum(times - 1 for times in asked.values())
    assert again <= KILLS * CONFIG.concurrency * CONFIG.items_per_request
    assert len(chat_server.asked) - kept[-1].requests <= KILLS * CONFIG.concurrency
