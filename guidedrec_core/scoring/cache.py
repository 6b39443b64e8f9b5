"""Reply cache: every answer of a language model, stored in SQLite, so that nothing is paid for twice."""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np

from guidedrec_core.errors import DataError
from guidedrec_core.scoring.cache_records import Answered, Experience, Kept, Paid, Question, Reuse

_VERSION = 1
_LOCK_SECONDS = 30.0
_CHUNK = 500  # texts looked up in one statement
_RECENT = 200  # most recent replies that estimates for a model are based on

_TABLES = """
CREATE TABLE questions (
    id INTEGER PRIMARY KEY, kind TEXT, model TEXT, prompt_version INTEGER, schema_hash TEXT,
    UNIQUE (kind, model, prompt_version, schema_hash)
);
CREATE TABLE attributes (id INTEGER PRIMARY KEY, hash TEXT UNIQUE);
CREATE TABLE asked (question INTEGER, attribute INTEGER, PRIMARY KEY (question, attribute)) WITHOUT ROWID;
CREATE TABLE replies (
    id INTEGER PRIMARY KEY, question INTEGER, pass INTEGER, texts TEXT, received TEXT, request_id TEXT,
    finish_reason TEXT, reply TEXT, refusal TEXT, prompt_tokens INTEGER, completion_tokens INTEGER,
    prompt_estimate INTEGER, completion_estimate INTEGER, cost REAL, seconds REAL
);
CREATE INDEX replies_of ON replies (question);
CREATE TABLE scores (
    question INTEGER, text TEXT, pass INTEGER, attribute INTEGER, value REAL, place INTEGER, reply INTEGER,
    PRIMARY KEY (question, text, pass, attribute)
) WITHOUT ROWID;
CREATE TABLE faults (
    question INTEGER, text TEXT, pass INTEGER, reason TEXT, PRIMARY KEY (question, text, pass)
) WITHOUT ROWID;
"""
# Also added to files of older versions, which lack it.
_FAILURES = """
CREATE TABLE IF NOT EXISTS failures (
    id INTEGER PRIMARY KEY, question INTEGER, pass INTEGER, noted TEXT, reason TEXT, cost REAL
)
"""


class ReplyCache:
    """The answers in one SQLite file; a context manager.

    A reply is written together with its scores, before the next one is processed. What is written survives the end of
    the process at any moment; a power failure may lose the last moments, but never damages the rest. Several processes
    may use one file, each through its own object.

    Parameters
    ----------
    path : Path
        Created, with its folder, if it does not exist.

    Raises
    ------
    DataError
        The file is no cache of this version, is damaged, or cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers: dict[Question, tuple[int, list[int]]] = {}
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Transactions are started below, not by sqlite3.
            self._base = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)
        try:
            self._prepare()
        except DataError:
            self._base.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def check(self) -> int:
        """Read the whole file; return how many replies it keeps.

        Raises
        ------
        DataError
            It is damaged, or tables or columns are missing.
        """
        with self._explained():
            (found,) = self._base.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(found)
            with contextlib.closing(sqlite3.connect(":memory:")) as made_anew:
                made_anew.executescript(f"{_TABLES};{_FAILURES}")
                if not _columns(made_anew) <= _columns(self._base):
                    raise sqlite3.DatabaseError("tables or columns are missing")
            (count,) = self._column("SELECT count(*) FROM replies", ())
        return count

    @contextlib.contextmanager
    def together(self) -> Iterator[sqlite3.Connection]:
        """Write everything that is done inside, or nothing; the yielded connection may write other tables, too."""
        with self._explained():
            if self._base.in_transaction:
                yield self._base
            else:
                with self._transaction():
                    yield self._base

    def keep(
        self,
        question: Question,
        pass_: int,
        answered: Answered,
        scores: Mapping[str, Sequence[float]],
        faults: Mapping[str, str],
    ) -> None:
        """Store a reply, which was paid for whether it is of use or not, and what was read from it.

        Parameters
        ----------
        question : Question
            The question it answers.
        pass_ : int
            Number of the pass, from 0.
        answered : Answered
            The reply.
        scores : mapping of str to sequence of float
            Hash of a listing to its scores, in the order of the attributes.
        faults : mapping of str to str
            Hash of a listing that is given up, to the reason.
        """
        with self.together():
            question_id, attributes = self._enter(question)
            places = {text: place for place, text in enumerate(answered.texts, start=1)}
            columns = (
                "question, pass, texts, received, request_id, finish_reason, reply, refusal, prompt_tokens, "
                "completion_tokens, prompt_estimate, completion_estimate, cost, seconds"
            )
            reply = self._base.execute(
                f"INSERT INTO replies ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(question_id, pass_, json.dumps(answered.texts), datetime.now(UTC).isoformat(timespec="seconds")),
                    *(answered.request_id, answered.finish_reason, answered.text, answered.refusal),
                    *(answered.prompt_tokens, answered.completion_tokens),
                    *(answered.prompt_estimate, answered.completion_estimate, answered.cost, answered.seconds),
                ),
            ).lastrowid
            self._base.executemany(
                "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (question_id, text, pass_, attribute, value, places[text], reply)
                    for text, values in scores.items()
                    for attribute, value in zip(attributes, values, strict=True)
                ],
            )
            self._base.executemany(
                "DELETE FROM faults WHERE question = ? AND text = ? AND pass = ?",
                [(question_id, text, pass_) for text in scores],
            )
            self._note(question_id, pass_, faults)

    def give_up(self, question: Question, pass_: int, faults: Mapping[str, str]) -> None:
        """Note listings that are given up without a reply."""
        with self.together():
            question_id, _ = self._enter(question)
            self._note(question_id, pass_, faults)

    def note_failure(self, question: Question, pass_: int, reason: str, cost: float | None) -> None:
        """Note an attempt without a reply, and the USD at which it is booked; None when that is not known."""
        with self.together():
            question_id, _ = self._enter(question)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            row = "INSERT INTO failures (question, pass, noted, reason, cost) VALUES (?, ?, ?, ?, ?)"
            self._base.execute(row, (question_id, pass_, now, reason, cost))

    def read(self, question: Question, texts: Sequence[str], passes: int, reuse: Reuse) -> Kept:
        """Return the stored scores.

        Parameters
        ----------
        question : Question
            The question.
        texts : sequence of str
            Different hashes of listings.
        passes : int
            Number of passes, from the first.
        reuse : str
            ``schema``: only answers to this very question. ``attribute``: answers to any question of this kind and
            prompt version to this model that include the attribute; those to this question first, then the latest.

        Returns
        -------
        Kept
            The scores, and the place of each listing in its request.
        """
        values = np.full((passes, len(texts), len(question.attribute_hashes)), np.nan, dtype=np.float32)
        positions = np.full((passes, len(texts)), np.nan, dtype=np.float32)
        with self._explained():
            places = {attribute: place for place, attribute in enumerate(self._attributes(question))}
            sources = self._sources(question, reuse)
            for rows in _chunks(texts):
                for source in sources:
                    found = self._base.execute(
                        "SELECT text, pass, attribute, value, place FROM scores "
                        f"WHERE question = ? AND pass < ? AND text IN ({_marks(rows)})",
                        (source, passes, *rows),
                    )
                    for text, pass_, attribute, value, position in found:
                        if attribute in places:
                            values[pass_, rows[text], places[attribute]] = value
                            positions[pass_, rows[text]] = position
        return Kept(values, positions)

    def faults(self, question: Question, texts: Sequence[str], passes: int, reuse: Reuse) -> dict[tuple[str, int], str]:
        """Return why listings were given up: hash and pass to the reason; parameters as in `read`."""
        reasons: dict[tuple[str, int], str] = {}
        with self._explained():
            sources = self._sources(question, reuse)
            for rows in _chunks(texts):
                for source in sources:
                    found = self._base.execute(
                        f"SELECT text, pass, reason FROM faults "
                        f"WHERE question = ? AND pass < ? AND text IN ({_marks(rows)})",
                        (source, passes, *rows),
                    )
                    reasons.update({(text, pass_): reason for text, pass_, reason in found})
        return reasons

    def paid(self, question: Question, reuse: Reuse) -> Paid:
        """Return what a question has cost so far; with ``attribute``, including all that share an attribute."""
        with self._explained():
            sources = self._sources(question, reuse)
            where = f"WHERE question IN ({_marks(sources)})"
            requests, prompt, completion, cost, known = self._base.execute(
                "SELECT count(*), total(prompt_tokens), total(completion_tokens), total(cost), count(cost) "
                f"FROM replies {where}",
                sources,
            ).fetchone()
            failed, booked, priced = self._base.execute(
                f"SELECT count(*), total(cost), count(cost) FROM failures {where}", sources
            ).fetchone()
        return Paid(
            requests=requests,
            prompt_tokens=int(prompt),
            completion_tokens=int(completion),
            cost=cost if known == requests else None,
            failed_attempts=failed,
            failed_cost=booked if priced == failed else None,
        )

    def experience(self, kind: str, model: str) -> Experience | None:
        """Return how a model has answered recently about items or users; None without any answer."""
        with self._explained():
            prompt, prompt_estimate, completion, completion_estimate, seconds = self._base.execute(
                "SELECT total(prompt_tokens), total(prompt_estimate), total(completion_tokens), "
                "total(completion_estimate), avg(seconds) FROM (SELECT replies.* FROM replies JOIN questions "
                "ON questions.id = question WHERE kind = ? AND model = ? ORDER BY replies.id DESC LIMIT ?)",
                (kind, model, _RECENT),
            ).fetchone()
        if not prompt_estimate or not completion_estimate:
            return None
        return Experience(prompt / prompt_estimate, completion / completion_estimate, seconds)

    def _prepare(self) -> None:
        """Create the tables, or check that they are of this version."""
        with self._explained():
            # With a write-ahead log, a reply does not wait for the disk, and readers do not wait for the writer.
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            if self._version() == _VERSION:
                self._base.execute(_FAILURES)
                return
            with self._transaction():
                (tables,) = self._column("SELECT count(*) FROM sqlite_master", ())
                if not tables:
                    for statement in _TABLES.split(";"):
                        self._base.execute(statement)
                    self._base.execute(_FAILURES)
                    self._base.execute(f"PRAGMA user_version = {_VERSION}")
                elif self._version() != _VERSION:  # or another process was faster
                    raise DataError(
                        f"expected replies of a language model in {self.path}, version {_VERSION}, got version "
                        f"{self._version()} or another database; name another file"
                    )

    def _version(self) -> int:
        (version,) = self._column("PRAGMA user_version", ())
        return version

    def _enter(self, question: Question) -> tuple[int, list[int]]:
        """Return the numbers of a question and of its attributes; new ones are assigned here."""
        if question not in self._numbers:
            key = (question.kind, question.model, question.prompt_version, question.schema_hash)
            self._base.execute(
                "INSERT OR IGNORE INTO questions (kind, model, prompt_version, schema_hash) VALUES (?, ?, ?, ?)", key
            )
            hashes = [(one,) for one in question.attribute_hashes]
            self._base.executemany("INSERT OR IGNORE INTO attributes (hash) VALUES (?)", hashes)
            (question_id,) = self._find(question)
            attributes = self._attributes(question)
            self._base.executemany(
                "INSERT OR IGNORE INTO asked VALUES (?, ?)", [(question_id, one) for one in attributes]
            )
            self._numbers[question] = question_id, attributes
        return self._numbers[question]

    def _find(self, question: Question) -> list[int]:
        """Return a question's number, if it has one."""
        return self._column(
            "SELECT id FROM questions WHERE kind = ? AND model = ? AND prompt_version = ? AND schema_hash = ?",
            (question.kind, question.model, question.prompt_version, question.schema_hash),
        )

    def _attributes(self, question: Question) -> list[int]:
        """Return the numbers of a question's attributes; negative for those without."""
        hashes = question.attribute_hashes
        found = dict(
            self._base.execute(f"SELECT hash, id FROM attributes WHERE hash IN ({_marks(hashes)})", hashes).fetchall()
        )
        return [found.get(one, -1 - place) for place, one in enumerate(hashes)]

    def _sources(self, question: Question, reuse: Reuse) -> list[int]:
        """Return the questions whose answers are used, the best last."""
        own = self._find(question)
        if reuse == "schema":
            return own
        attributes = self._attributes(question)
        others = self._column(
            "SELECT DISTINCT questions.id FROM questions JOIN asked ON question = questions.id "
            "WHERE kind = ? AND model = ? AND prompt_version = ? "
            f"AND attribute IN ({_marks(attributes)}) ORDER BY questions.id",
            (question.kind, question.model, question.prompt_version, *attributes),
        )
        return [one for one in others if one not in own] + own

    def _note(self, question_id: int, pass_: int, faults: Mapping[str, str]) -> None:
        self._base.executemany(
            "INSERT OR REPLACE INTO faults VALUES (?, ?, ?, ?)",
            [(question_id, text, pass_, reason) for text, reason in faults.items()],
        )

    def _column(self, statement: str, values: Iterable[object]) -> list[int]:
        return [value for (value,) in self._base.execute(statement, tuple(values))]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            self._numbers.clear()  # numbers assigned inside are void
            raise
        self._base.execute("COMMIT")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise DataError(
                f"expected replies of a language model in {self.path}, cannot use it ({error}); "
                "make room or name another file; if it is damaged, move it away"
            ) from error


def _chunks(texts: Sequence[str]) -> Iterator[dict[str, int]]:
    """Yield texts in chunks, each text with its place among all."""
    for first in range(0, len(texts), _CHUNK):
        yield {text: first + place for place, text in enumerate(texts[first : first + _CHUNK])}


def _columns(base: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return the names of all tables' columns."""
    return set(
        base.execute(
            "SELECT tables.name, columns.name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns"
        )
    )


def _marks(values: Iterable[object]) -> str:
    """Return one question mark per value."""
    return ", ".join("?" for _ in values)
