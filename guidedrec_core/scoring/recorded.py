"""A server on this machine that answers with recorded scores: what scoring by a language model looks like, for free.

It speaks the part of OpenAI's protocol that scoring needs, so that everything but the model is real: requests, waiting,
answers, cache and progress. Like a model it gets only the text of an item; ids are never sent.
"""

import json
import re
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import numpy as np

from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.scoring.prices import estimate_prompt, estimate_tokens
from guidedrec_core.scoring.prompts import Listing

RECORDED = "recorded"
"""Name of the model that this server has."""

Answers = Mapping[str, Mapping[str, float]]
"""Scores by attribute, for the text of each listing."""

_MOST_BYTES = 16 * 2**20  # size of one request
_PATIENCE = 60.0  # seconds without data on a connection
_FIRST_LINE = re.compile(r"^=== ([0-9a-f]{12}) (\w+) 1 ===$", re.MULTILINE)


def recorded_answers(listings: Sequence[Listing], scores: GuidedScores, vocabulary: Vocabulary) -> Answers:
    """Match recorded scores to the texts that a language model would read.

    Parameters
    ----------
    listings : sequence of Listing
        Items or users; of equal texts, the first that has scores counts.
    scores : GuidedScores
        Recorded scores.
    vocabulary : Vocabulary
        Ids of the rows of `scores`.

    Returns
    -------
    dict
        Listings without any recorded score have no entry; an entry lacks the scores that are missing.
    """
    answers: dict[str, dict[str, float]] = {}
    for listing in listings:
        if listing.id not in vocabulary or answers.get(listing.text):
            continue
        row = scores.values[vocabulary.index(listing.id)]
        known = zip(scores.schema.names, row.tolist(), strict=True)
        answers[listing.text] = {name: value for name, value in known if not np.isnan(value)}
    return {text: known for text, known in answers.items() if known}


def read_listings(prompt: str) -> list[str]:
    """Read the listings out of a prompt: the reverse of `sanitize.fence`.

    Returns
    -------
    list of str
        Texts by number, from 1 on; empty when there is no fence.
    """
    first = _FIRST_LINE.search(prompt)
    if first is None:
        return []
    code, label = first.groups()
    texts: list[str] = []
    rest = prompt[first.end() + 1 :]
    while True:
        text, line, after = rest.partition(f"\n=== {code} {label} {len(texts) + 2} ===\n")
        if not line:
            break
        texts.append(_unmarked(text))
        rest = after
    last, end, _ = rest.partition(f"\n=== {code} end ===")
    return [*texts, _unmarked(last)] if end else []


def _unmarked(text: str) -> str:
    """Return a text without the mark before each line."""
    return "\n".join(line.removeprefix("| ") for line in text.split("\n"))


class RecordedServer(ThreadingHTTPServer):
    """Answers requests for scores out of `answers`; a context manager that serves in a thread of its own.

    It listens on 127.0.0.1 only. An unknown listing, or one without a score for a requested attribute, is
    left out of the answer, so that the caller reports it as missing.

    Parameters
    ----------
    answers : dict
        Scores by text; see `recorded_answers`.
    port : int
        0 takes a free one.

    Examples
    --------
    >>> with RecordedServer({"title: Tent": {"warmth": 3.0}}) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, answers: Answers, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answers = answers
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()

    @property
    def url(self) -> str:
        """The base URL, in the form of `--base-url`."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: object) -> None:
        """Ignore clients that hang up."""

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return a chat completion with the recorded scores of the listings in a request.

        Raises
        ------
        ValueError
            It is not a request for scores; the message says why.
        """
        messages = _messages(request)
        texts = read_listings(messages[-1]["content"]) if messages else []
        if not texts:
            raise ValueError("this server only gives recorded scores, and found no listings in the last message")
        wanted = _wanted(request.get("response_format"))
        entries = []
        for number, text in enumerate(texts, start=1):
            known = self.answers.get(text, {})
            names = known.keys() if wanted is None else wanted
            if known and names <= known.keys():
                entries.append({"number": number, "scores": {name: known[name] for name in known if name in names}})
        return _completion(request, messages, json.dumps({"items": entries}))


def _messages(request: dict[str, Any]) -> list[dict[str, str]]:
    """Return the messages of a request."""
    messages = request.get("messages")
    if not isinstance(messages, list) or not all(
        isinstance(message, dict) and isinstance(message.get("content"), str) for message in messages
    ):
        raise ValueError("expected messages, each with a text as content")
    return messages


def _wanted(response_format: Any) -> set[str] | None:
    """Return the requested attributes; None when the request does not name them."""
    try:
        entry = response_format["json_schema"]["schema"]["properties"]["items"]["items"]
        return set(entry["properties"]["scores"]["properties"])
    except (KeyError, TypeError):
        return None


def _completion(request: dict[str, Any], messages: list[dict[str, str]], text: str) -> dict[str, Any]:
    """Return an answer in the form of the protocol; token counts are estimates."""
    tokens = estimate_prompt(messages), estimate_tokens(text)
    return {
        "id": "chatcmpl-recorded",
        "object": "chat.completion",
        "created": 0,
        "model": str(request.get("model", RECORDED)),
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text, "refusal": None},
            }
        ],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)},
    }


class _Handler(BaseHTTPRequestHandler):
    server: RecordedServer
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE
    disable_nagle_algorithm = True  # else an answer waits until the client confirms its head

    def log_message(self, *_: object) -> None:
        """Write nothing on standard error."""

    def do_GET(self) -> None:
        if self.path != "/v1/models":
            self._refuse(404, f"this server knows /v1/models and /v1/chat/completions, not {self.path}")
            return
        model = {"id": RECORDED, "object": "model", "created": 0, "owned_by": "guidedrec"}
        self._send(200, {"object": "list", "data": [model]})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MOST_BYTES:
            self.close_connection = True  # what follows is not read
            self._refuse(413, f"expected a request of at most {_MOST_BYTES} bytes, with its Content-Length")
            return
        body = self.rfile.read(int(length))
        if self.path != "/v1/chat/completions":
            self._refuse(404, f"this server knows /v1/models and /v1/chat/completions, not {self.path}")
            return
        try:
            request = json.loads(body)
            if not isinstance(request, dict):
                raise ValueError("expected a JSON object")
            answer = self.server.answer(request)
        except (ValueError, RecursionError) as error:
            self._refuse(400, str(error))
            return
        self._send(200, answer)

    def _refuse(self, status: int, message: str) -> None:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        self._send(status, {"error": error})

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
