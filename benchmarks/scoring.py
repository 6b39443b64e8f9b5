"""What scoring by a language model takes beyond the server's own time, with 64 requests in flight.

`python benchmarks/scoring.py`. A server in a process of its own answers every request right after a fixed time, however
many there are, so that all else is overhead: making prompts, the SDK and its connections, reading answers, the cache on
disk. The overhead is the time of a whole run, relative to the rounds of requests times the server's time. Beside it
stands the least that the SDK allows: the same requests sent by its own `chat.completions.create`, nothing read or kept.
Both take turns; loading the SDK is left out. CPU seconds a request say what either would take where the clock is not to
be trusted, on a busy machine.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
import openai
import pandas as pd

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.llm.client import ChatClient
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.prompts import Listing, messages, reply_format
from guidedrec_core.scoring.scorer import Scorer

ITEMS = 10
SCHEMA = AttributeSchema(
    attributes=tuple(
        Attribute(name=f"attribute_{number}", low="nothing of it", high="as much as there can be", definition="x " * 20)
        for number in range(12)
    ),
    domain="outdoor gear",
)
TEXT = "title: Two-person tent, number {}\ncategory: Tents\nprice: 199\ndescription: " + "light and dry " * 30


async def serve(latency: float) -> None:
    """Answer every request for ten listings after `latency` seconds; print the port."""
    rows = [{"number": number + 1, "scores": dict.fromkeys(SCHEMA.names, 5.5)} for number in range(ITEMS)]
    message = {"role": "assistant", "content": json.dumps({"items": rows})}
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 2200, "completion_tokens": 900, "total_tokens": 3100},
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
                length = next(line for line in lines if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.split(b":")[1]))
                await asyncio.sleep(latency)
                writer.write(head + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def listings(requests: int) -> list[Listing]:
    return [Listing(str(number), TEXT.format(number)) for number in range(ITEMS * requests)]


def ours(url: str, requests: int, concurrency: int, folder: Path) -> tuple[float, float]:
    """Score with this package, everything kept; return seconds and CPU seconds."""
    config = ScoringConfig(model="m", items_per_request=ITEMS, concurrency=concurrency)
    items = listings(requests)
    with ReplyCache(folder / f"{time.monotonic_ns()}.sqlite") as cache:
        scorer = Scorer(cache, SCHEMA, config, "item")
        started, cpu = time.perf_counter(), time.process_time()
        result = scorer.run(items, ChatClient(url))
        taken = time.perf_counter() - started, time.process_time() - cpu
    assert result.requests == requests
    assert not result.faults
    return taken


def bare(url: str, requests: int, concurrency: int) -> tuple[float, float]:
    """Send the same prompts by the SDK alone, made before; return seconds and CPU seconds."""
    items = listings(requests)
    batches = [items[first : first + ITEMS] for first in range(0, len(items), ITEMS)]
    made = [(messages(SCHEMA, batch, "item"), reply_format(SCHEMA, ITEMS)) for batch in batches]

    async def work() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

            async def worker() -> None:
                while made:
                    prompt, form = made.pop()
                    await client.chat.completions.create(
                        messages=prompt, model="m", response_format=form, max_tokens=2000, temperature=0
                    )

            await asyncio.gather(*(worker() for _ in range(concurrency)))

    started, cpu = time.perf_counter(), time.process_time()
    asyncio.run(work())
    return time.perf_counter() - started, time.process_time() - cpu


def measure(options: argparse.Namespace, latency: float, folder: Path) -> list[dict[str, Any]]:
    """Time both at one latency."""
    command = [sys.executable, __file__, "--serve", str(latency)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        requests = options.concurrency * options.rounds
        ideal = options.rounds * latency
        rows = []
        taken: dict[str, list[tuple[float, float]]] = {"guidedrec": [], "SDK alone": []}
        for _ in range(options.repeats):
            taken["guidedrec"].append(ours(url, requests, options.concurrency, folder))
            taken["SDK alone"].append(bare(url, requests, options.concurrency))
        for name, pairs in taken.items():
            wall = [seconds for seconds, _ in pairs]
            rows.append(
                {
                    "latency_s": latency,
                    "method": name,
                    "requests": requests,
                    "server_s": ideal,
                    "median_s": round(statistics.median(wall), 3),
                    "min_s": round(min(wall), 3),
                    "overhead_percent": round((statistics.median(wall) / ideal - 1) * 100, 2),
                    "min_overhead_percent": round((min(wall) / ideal - 1) * 100, 2),
                    "cpu_ms_a_request": round(statistics.median(cpu for _, cpu in pairs) / requests * 1000, 2),
                }
            )
        return rows
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latencies", default="1,2,5", help="seconds in which the server answers")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=10, help="requests by concurrency")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "scoring.json")
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve(options.serve))
        return
    os.environ["NO_PROXY"] = "127.0.0.1"
    result: dict[str, Any] = {
        "benchmark": "scoring",
        "machine": machine.facts("openai", "httpx2"),
        "concurrency": options.concurrency,
        "items_per_request": ITEMS,
        "attributes": len(SCHEMA),
        "repeats": options.repeats,
        "runs": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        for latency in map(float, options.latencies.split(",")):
            result["runs"] += measure(options, latency, Path(folder))
    print(pd.DataFrame(result["runs"]).to_string(index=False))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nwritten to {options.out}")


if __name__ == "__main__":
    main()
