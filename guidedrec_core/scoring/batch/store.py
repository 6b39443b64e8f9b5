"""Store of batches and their requests, next to the replies, so that no batch is forgotten or paid for twice."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from filelock import FileLock, Timeout

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.errors import InputError
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.prompts import Kind

Outcome = Literal["open", "answered", "cut off", "refused", "failed", "void"]
"""Outcome of a request: under way; answered; answered in part, for lack of room; refused by the server; failed
otherwise; or never processed, so that it does not count."""

_TABLES = (
    """CREATE TABLE IF NOT EXISTS batch_campaigns (
        campaign TEXT PRIMARY KEY, unwanted TEXT, largest INTEGER
    )""",
    """CREATE TABLE IF NOT EXISTS batches (
        id INTEGER PRIMARY KEY, campaign TEXT, file TEXT, remote TEXT, state TEXT, made TEXT, unwanted TEXT
    )""",
    """CREATE TABLE IF NOT EXISTS batch_requests (
        batch INTEGER, number INTEGER, kind TEXT, pass INTEGER, attempt INTEGER, attributes TEXT, texts TEXT,
        prompt_estimate INTEGER, completion_estimate INTEGER, max_tokens INTEGER, most REAL, outcome TEXT,
        prompt_tokens INTEGER DEFAULT 0, completion_tokens INTEGER DEFAULT 0, cost REAL DEFAULT 0,
        PRIMARY KEY (batch, number)
    ) WITHOUT ROWID""",
)
_REQUEST = "kind, pass, attempt, attributes, texts, prompt_estimate, completion_estimate, max_tokens, most"
_FAILED = "('refused', 'failed')"
_OF_CAMPAIGN = "batch IN (SELECT id FROM batches WHERE campaign = ?)"


@dataclass(frozen=True)
class BatchRequest:
    """One request of a batch, with what is needed to read its reply; fields as in `requests.ScoreRequest`.

    Attributes
    ----------
    texts : tuple of str
        Hashes of the listings, in the order of their numbers.
    most : float
        Largest possible cost in USD; 0 when prices are not known.
    """

    kind: Kind
    pass_: int
    attempt: int
    schema: AttributeSchema
    texts: tuple[str, ...]
    prompt_estimate: int
    completion_estimate: int
    max_tokens: int
    most: float


@dataclass(frozen=True)
class StoredBatch:
    """A batch that is not read yet.

    Attributes
    ----------
    id : int
        Number in the store.
    file : str
        The server's name of the file with the requests.
    remote : str or None
        The server's name of the batch; None while it is not known whether there is one.
    cancelled : bool
        Whether we have cancelled it.
    unwanted : frozenset of str
        Fields that its requests leave out.
    requests : int
        Number of its requests.
    """

    id: int
    file: str
    remote: str | None
    cancelled: bool
    unwanted: frozenset[str]
    requests: int


@dataclass(frozen=True)
class Tried:
    """Earlier requests.

    Attributes
    ----------
    attempts : dict of (str, int) to dict of str to int
        Kind and pass to the hashes of listings, each with its number of attempts so far.
    under_way : dict of (str, int) to set of str
        Kind and pass to the hashes of listings that are under way.
    too_long : dict of str to list of (int, int, int)
        Kind to requests that were too long: listings, estimate of the answer and its room, 0 if that was not it.
    """

    attempts: dict[tuple[Kind, int], dict[str, int]] = field(default_factory=dict)
    under_way: dict[tuple[Kind, int], set[str]] = field(default_factory=dict)
    too_long: dict[Kind, list[tuple[int, int, int]]] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchCounts:
    """Totals of requests.

    Attributes
    ----------
    requests, prompt_tokens, completion_tokens : int
        Answered requests and their tokens.
    cost : float
        USD of the answers.
    failed : int
        Requests without an answer.
    failed_cost : float
        USD at which these are booked.
    held : float
        Largest possible cost of those under way in USD.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    failed: int
    failed_cost: float
    held: float


class BatchStore:
    """The batches of one campaign: all requests to one model, with one schema, at one server.

    Parameters
    ----------
    cache : ReplyCache
        Everything is stored in its file.
    campaign : str
        Its name.
    schema : AttributeSchema
        All attributes.
    """

    def __init__(self, cache: ReplyCache, campaign: str, schema: AttributeSchema) -> None:
        self._cache = cache
        self._campaign = campaign
        self._schema = schema
        with cache.together() as base:
            for statement in _TABLES:
                base.execute(statement)
            # Servers that have a Batch API know the newer name of this field, and some only that.
            unwanted = json.dumps(["max_tokens"])
            base.execute("INSERT OR IGNORE INTO batch_campaigns VALUES (?, ?, NULL)", (campaign, unwanted))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from working on the campaign.

        Raises
        ------
        InputError
            Another process is working on it.
        """
        lock = FileLock(self._cache.path.parent / f".batches-{self._campaign}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise InputError(
                "expected to be alone with these batches, another process is at them, too; "
                "wait for it or stop it, then run the same command again"
            ) from None
        try:
            yield
        finally:
            lock.release()

    @property
    def unwanted(self) -> frozenset[str]:
        """Fields of requests that the server refuses."""
        with self._cache.together() as base:
            row = "SELECT unwanted FROM batch_campaigns WHERE campaign = ?"
            return frozenset(json.loads(base.execute(row, (self._campaign,)).fetchone()[0]))

    def leave_out(self, field: str) -> None:
        """Note a field that the server refuses."""
        self._set(unwanted=json.dumps(sorted(self.unwanted | {field})))

    @property
    def largest(self) -> int | None:
        """Maximum number of requests in a batch at this server; None for the general limit."""
        with self._cache.together() as base:
            row = "SELECT largest FROM batch_campaigns WHERE campaign = ?"
            found: int | None = base.execute(row, (self._campaign,)).fetchone()[0]
            return found

    def limit(self, largest: int) -> None:
        """Note the maximum number of requests in a batch."""
        self._set(largest=largest)

    def add(self, file: str, unwanted: frozenset[str], requests: Sequence[BatchRequest]) -> StoredBatch:
        """Note a batch that is about to be made of an uploaded file, whose requests are numbered from 0."""
        marks = ", ".join("?" * 12)
        with self._cache.together() as base:
            row = "INSERT INTO batches (campaign, file, state, made, unwanted) VALUES (?, ?, 'uploaded', ?, ?)"
            now = datetime.now(UTC).isoformat(timespec="seconds")
            batch = base.execute(row, (self._campaign, file, now, json.dumps(sorted(unwanted)))).lastrowid
            assert batch is not None
            base.executemany(
                f"INSERT INTO batch_requests (batch, number, {_REQUEST}, outcome) VALUES ({marks})",
                [
                    (
                        *(batch, number, one.kind, one.pass_, one.attempt, json.dumps(one.schema.names)),
                        *(json.dumps(one.texts), one.prompt_estimate, one.completion_estimate, one.max_tokens),
                        *(one.most, "open"),
                    )
                    for number, one in enumerate(requests)
                ],
            )
        return StoredBatch(batch, file, None, False, unwanted, len(requests))

    def submitted(self, batch: StoredBatch, remote: str) -> StoredBatch:
        """Note the server's name of a batch."""
        self._set_batch(batch, state="submitted", remote=remote)
        return replace(batch, remote=remote)

    def cancelling(self, batch: StoredBatch) -> None:
        """Note that a batch was cancelled."""
        self._set_batch(batch, state="cancelling")

    def ended(self, batch: StoredBatch) -> None:
        """Note that a batch is read; requests without an outcome do not count."""
        with self._cache.together() as base:
            base.execute("UPDATE batch_requests SET outcome = 'void' WHERE batch = ? AND outcome = 'open'", (batch.id,))
            self._set_batch(batch, state="ended")

    def under_way(self) -> list[StoredBatch]:
        """Return the batches that are not read yet, the oldest first."""
        with self._cache.together() as base:
            found = base.execute(
                "SELECT id, file, remote, state, unwanted, (SELECT count(*) FROM batch_requests WHERE batch = id) "
                "FROM batches WHERE campaign = ? AND state != 'ended' ORDER BY id",
                (self._campaign,),
            ).fetchall()
        return [
            StoredBatch(number, file, remote, state == "cancelling", frozenset(json.loads(unwanted)), requests)
            for number, file, remote, state, unwanted, requests in found
        ]

    def open_requests(self, batch: StoredBatch) -> dict[int, BatchRequest]:
        """Return those requests of a batch whose outcome is not known, by number."""
        with self._cache.together() as base:
            rows = base.execute(
                f"SELECT number, {_REQUEST} FROM batch_requests WHERE batch = ? AND outcome = 'open'", (batch.id,)
            ).fetchall()
        schemas: dict[str, AttributeSchema] = {}
        requests = {}
        for number, kind, pass_, attempt, names, texts, *numbers in rows:
            if names not in schemas:
                kept = set(json.loads(names))
                attributes = tuple(one for one in self._schema.attributes if one.name in kept)
                schemas[names] = self._schema.model_copy(update={"attributes": attributes})
            requests[number] = BatchRequest(kind, pass_, attempt, schemas[names], tuple(json.loads(texts)), *numbers)
        return requests

    def came_to(
        self,
        batch: StoredBatch,
        number: int,
        outcome: Outcome,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        cost: float = 0.0,
    ) -> None:
        """Note the outcome of a request; an unknown cost counts as 0."""
        with self._cache.together() as base:
            base.execute(
                "UPDATE batch_requests SET outcome = ?, prompt_tokens = ?, completion_tokens = ?, cost = ? "
                "WHERE batch = ? AND number = ?",
                (outcome, prompt_tokens, completion_tokens, cost, batch.id, number),
            )

    def tried(self) -> Tried:
        """Return the earlier requests."""
        tried = Tried()
        with self._cache.together() as base:
            rows = base.execute(
                "SELECT kind, pass, attempt, texts, completion_estimate, max_tokens, outcome FROM batch_requests "
                f"WHERE outcome != 'void' AND {_OF_CAMPAIGN}",
                (self._campaign,),
            ).fetchall()
        for kind, pass_, attempt, words, estimate, room, outcome in rows:
            texts = json.loads(words)
            if outcome == "open":
                tried.under_way.setdefault((kind, pass_), set()).update(texts)
                continue
            attempts = tried.attempts.setdefault((kind, pass_), {})
            attempts.update((text, max(attempt, attempts.get(text, 0))) for text in texts)
            if outcome in ("cut off", "refused"):
                tried.too_long.setdefault(kind, []).append((len(texts), estimate, room if outcome == "cut off" else 0))
        return tried

    def counts(self, kind: Kind | None = None) -> BatchCounts:
        """Return what the campaign has cost so far, for items or users, or in all."""
        of_kind = "" if kind is None else "AND kind = ?"
        with self._cache.together() as base:
            requests, prompt, completion, cost, failed, failed_cost, held = base.execute(
                "SELECT coalesce(sum(prompt_tokens > 0), 0), total(prompt_tokens), total(completion_tokens), "
                f"total(CASE WHEN outcome NOT IN {_FAILED} THEN cost END), "
                f"coalesce(sum(outcome IN {_FAILED}), 0), total(CASE WHEN outcome IN {_FAILED} THEN cost END), "
                "total(CASE outcome WHEN 'open' THEN most END) "
                f"FROM batch_requests WHERE {_OF_CAMPAIGN} {of_kind}",
                (self._campaign, *([] if kind is None else [kind])),
            ).fetchone()
        return BatchCounts(requests, int(prompt), int(completion), cost, failed, failed_cost, held)

    def outcomes(self) -> dict[str, int]:
        """Count requests by outcome."""
        with self._cache.together() as base:
            return dict(
                base.execute(
                    f"SELECT outcome, count(*) FROM batch_requests WHERE {_OF_CAMPAIGN} GROUP BY outcome",
                    (self._campaign,),
                ).fetchall()
            )

    def forget(self, batch: StoredBatch | None = None) -> None:
        """Forget one batch that was never made, or all batches; what is known of the server is kept."""
        with self._cache.together() as base:
            which, value = ("id = ?", batch.id) if batch is not None else ("campaign = ?", self._campaign)
            base.execute(f"DELETE FROM batch_requests WHERE batch IN (SELECT id FROM batches WHERE {which})", (value,))
            base.execute(f"DELETE FROM batches WHERE {which}", (value,))
            if batch is None:
                self._set(largest=None)

    def _set(self, **values: object) -> None:
        with self._cache.together() as base:
            fields = ", ".join(f"{name} = ?" for name in values)
            base.execute(f"UPDATE batch_campaigns SET {fields} WHERE campaign = ?", (*values.values(), self._campaign))

    def _set_batch(self, batch: StoredBatch, **values: object) -> None:
        with self._cache.together() as base:
            fields = ", ".join(f"{name} = ?" for name in values)
            base.execute(f"UPDATE batches SET {fields} WHERE id = ?", (*values.values(), batch.id))
