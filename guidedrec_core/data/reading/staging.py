"""The staging table: rows of a file of any size, cleaned and filtered in DuckDB, of which memory holds a part only.

The parsers of `guidedrec_core.data.files` read a file piece by piece, so that what is refused, and how, is the same for
every size. Each piece becomes numbers and ids in a DuckDB file, which spills to disk beyond its memory limit. What is
left after the filters comes back in order; it is equal, to the last bit, to what `Interactions.clean` and `core_filter`
make of the whole table in memory.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from guidedrec_core import columns as c
from guidedrec_core.config import ReadingConfig, TiesConfig
from guidedrec_core.data.interactions import (
    Interactions,
    Numbered,
    core_notice,
    doubled_notice,
    missing_ids,
    nothing_in_core,
    number_distinct,
    repeats_notice,
    trimmed_notice,
)
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.reading.rows import Rows
from guidedrec_core.data.reading.weights import WeightReader, nothing_left
from guidedrec_core.data.ties import FEWEST_PAIRS, Tied, arrange_tied, item_numbers, missing_keys, tie_key, ties_notice
from guidedrec_core.data.times import TimeReader
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import DataError, StorageError
from guidedrec_core.progress import Listener, Progress, silent

MEMORY_LIMIT = "GUIDEDREC_IMPORT_MEMORY"
"""Environment variable with the memory that the staging table may take, e.g. ``512MiB``."""

_DEFAULT_LIMIT = "1GiB"
_MOST_THREADS = 4
# Pieces are put together, because every insert costs some milliseconds.
_ROWS_AT_ONCE = 200_000
# By number, place in the file: an item's rank stands above any row number.
_ROW_BITS = 40
# Ids that may have to be trimmed: with what Python or Arrow take for a space at either end, or with nothing else.
_SPACES = "".join(f"\\x{{{code:x}}}" for code in range(0x3001) if chr(code).isspace() or code in (0x180E, 0x200B))
_SPACED = f"^[{_SPACES}]|[{_SPACES}]$"


class _Staging:
    """One import's tables in DuckDB."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def run(self, query: str) -> list[tuple[Any, ...]]:
        # A result has to be fetched to its end before the next query.
        found: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        return found

    def value(self, query: str) -> int:
        found = self.run(query)[0][0]
        return 0 if found is None else int(found)

    def insert(self, name: str, table: pa.Table) -> None:
        """Append rows to a table; it is created by the first of them."""
        self._connection.register("piece", table)
        if self.value(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = '{name}'"):
            self.run(f"INSERT INTO {name} SELECT * FROM piece")
        else:
            self.run(f"CREATE TABLE {name} AS SELECT * FROM piece")
        self._connection.unregister("piece")

    def arrow(self, query: str) -> pa.Table:
        return self._connection.sql(query).to_arrow_table()

    def numpy(self, query: str) -> dict[str, npt.NDArray[Any]]:
        found: dict[str, npt.NDArray[Any]] = self._connection.sql(query).fetchnumpy()
        return found


def can_stage(schema: pa.Schema) -> bool:
    """Tell whether the columns of a source have types that the staging table keeps exactly.

    Ids and keys of ties are text, whole or floating numbers, or booleans; times may be of any type.
    """
    plain = (
        *(pa.types.is_integer, pa.types.is_string, pa.types.is_large_string),
        *(pa.types.is_boolean, pa.types.is_float32, pa.types.is_float64),
    )
    return all(any(kind(schema.field(name).type) for kind in plain) for name in schema.names if name != c.DATETIME)


def clean_staged(
    rows: Rows,
    ties: TiesConfig,
    reading: ReadingConfig,
    verb: InteractionVerb,
    minimum: int,
    listener: Listener = silent,
) -> tuple[Interactions, tuple[Notice, ...]]:
    """Validate and filter the rows of a source of any size.

    Parameters
    ----------
    rows : Rows
        With `pieces`.
    ties, reading, verb
        See `Interactions.clean`.
    minimum : int
        See `core_filter`.
    listener : callable
        Hears how many rows are read.

    Returns
    -------
    tuple of (Interactions, tuple of Notice)
        What is left, and every change; equal to `Interactions.clean` followed by `core_filter`.

    Raises
    ------
    DataError
        As there.
    StorageError
        There is no room for the staging table.
    """
    import duckdb

    with _staging() as table:
        try:
            notices: list[Notice] = []
            judged = _fill(table, rows, ties, reading, listener)
            if judged.rows >= _ROWS_AT_ONCE:
                listener(Progress("data", message=f"{judged.rows:,} rows read; checking and sorting them"))
            _number(table, rows, judged, notices)
            _remove_duplicates(table, notices, verb)
            _arrange(table, ties, judged, notices)
            _filter(table, minimum, notices)
            return Interactions.of_numbers(_result(table)), tuple(notices)
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            reason = str(error).strip().splitlines()[0][:200]
            raise StorageError(
                f"no room to import the file ({reason}); free space in {tempfile.gettempdir()}, name another folder "
                f"with TMPDIR, or raise {MEMORY_LIMIT} (now {_limit()})"
            ) from error


class _Judged:
    """What shows only when all rows are read."""

    def __init__(self, ties: TiesConfig, reading: ReadingConfig) -> None:
        self.rows = 0
        self.times, self.weights = TimeReader(reading.date_format), WeightReader(reading)
        self.has_weights = self.has_kinds = False
        self.by_column = ties.order == "column"
        self.numeric_keys, self.no_keys, self.first_no_key = True, 0, 0

    def piece(self, piece: pa.Table) -> pa.Table:
        """Turn rows as they are written into ids and numbers."""
        n = piece.num_rows
        series = {name: piece.column(name).to_pandas() for name in piece.column_names if name not in (c.USER, c.ITEM)}
        times = self.times.add(series[c.DATETIME])
        self.has_weights, self.has_kinds = c.WEIGHT in series, c.EVENT in series
        weights, kept = self.weights.add(n, series.get(c.WEIGHT), series.get(c.EVENT))
        columns: dict[str, Any] = {
            "place": pa.array(np.arange(self.rows, self.rows + n)),
            "user_id": piece.column(c.USER),
            "item_id": piece.column(c.ITEM),
            "of_numbers": pa.array(times.moments(True)) if times.of_numbers is not None else pa.nulls(n, pa.int64()),
            "of_text": pa.array(times.moments(False)) if times.of_text is not None else pa.nulls(n, pa.int64()),
            "weight": pa.array(weights),
            "kept": pa.array(np.ones(n, dtype=np.bool_) if kept is None else kept),
        }
        if self.by_column:
            self._keys(series[c.TIE])
            columns["tie"] = piece.column(c.TIE)
        self.rows += n
        return pa.table(columns)

    def _keys(self, keys: pd.Series) -> None:
        absent = keys.isna().to_numpy()
        if absent.any() and not self.no_keys:
            self.first_no_key = self.rows + int(np.argmax(absent)) + 1
        self.no_keys += int(absent.sum())
        self.numeric_keys = self.numeric_keys and not pd.to_numeric(keys, errors="coerce").isna().any()


def _limit() -> str:
    return os.environ.get(MEMORY_LIMIT, _DEFAULT_LIMIT)


@contextmanager
def _staging() -> Iterator[_Staging]:
    """Open an empty staging file; it is deleted at the end."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="guidedrec-import-") as folder:
        settings: dict[str, Any] = {
            "memory_limit": _limit(),
            "threads": max(1, min(_MOST_THREADS, os.cpu_count() or 1)),
            "temp_directory": str(Path(folder) / "spilled"),
            "preserve_insertion_order": False,  # all that is ordered says so
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        try:
            connection = duckdb.connect(str(Path(folder) / "staging.duckdb"), config=settings)
        except duckdb.Error as error:
            raise DataError(f"expected an amount of memory such as 512MiB in {MEMORY_LIMIT}, got {_limit()}") from error
        connection.execute("SET enable_progress_bar = false")
        try:
            yield _Staging(connection)
        finally:
            connection.close()


def _fill(table: _Staging, rows: Rows, ties: TiesConfig, reading: ReadingConfig, listener: Listener) -> _Judged:
    """Read all rows into the table ``raw``."""
    assert rows.pieces is not None
    judged = _Judged(ties, reading)
    waiting: list[pa.Table] = []

    def flush() -> None:
        whole = pa.concat_tables(waiting)
        waiting.clear()
        if whole.num_rows:
            table.insert("raw", judged.piece(whole))
        if judged.rows >= _ROWS_AT_ONCE:  # less takes no time
            listener(Progress("data", step=judged.rows, message=f"{judged.rows:,} rows read"))

    with rows.pieces() as pieces:
        for piece in pieces:
            waiting.append(piece)
            if sum(each.num_rows for each in waiting) >= _ROWS_AT_ONCE:
                flush()
        if waiting:
            flush()
    pa.default_memory_pool().release_unused()
    if not judged.rows:
        raise DataError("expected at least one interaction, got an empty table")
    return judged


def _number(table: _Staging, rows: Rows, judged: _Judged, notices: list[Notice]) -> None:
    """Number the ids, judge times and weights, and make the table ``numbered`` of rows that are kept."""
    for column, kind in ((c.USER, "user"), (c.ITEM, "item")):
        _number_ids(table, column, kind, judged.rows, notices)
    moment = "of_numbers" if judged.times.judge(notices) else "of_text"
    judged.weights.judge(notices, judged.has_weights, judged.has_kinds)
    if judged.no_keys:
        raise missing_keys(judged.no_keys, judged.rows, judged.first_no_key)
    place = "raw.place"
    ranks = item_numbers(_item_ids(table)) if rows.by_item_number else None
    if ranks is not None:
        _, rank = np.unique(ranks, return_inverse=True)
        table.insert("item_ranks", pa.table({"number": np.arange(len(rank)), "rank": rank}))
        place = f"raw.place + (item_ranks.rank << {_ROW_BITS})"
    table.run(
        f"CREATE TABLE numbered AS SELECT {place} AS place, users.number AS u, items.number AS i, raw.{moment} AS t, "
        f"raw.weight AS weight{', raw.tie AS tie' if judged.by_column else ''} FROM raw "
        "JOIN user_id_numbers AS users ON raw.user_id = users.id "
        "JOIN item_id_numbers AS items ON raw.item_id = items.id "
        f"{'JOIN item_ranks ON item_ranks.number = items.number' if ranks is not None else ''} WHERE raw.kept"
    )
    table.run("DROP TABLE raw")
    if not table.value("SELECT count(*) FROM numbered"):
        raise nothing_left()


def _number_ids(table: _Staging, column: str, kind: str, rows: int, notices: list[Notice]) -> None:
    """Number the ids of a column by their order as text, in the table ``<column>_numbers`` of id, text and number."""
    table.run(
        f"CREATE TABLE found AS SELECT {column} AS id, count(*) AS n, min(place) AS first FROM raw GROUP BY {column}"
    )
    _refuse_missing(table, "id IS NULL OR CAST(id AS VARCHAR) = 'nan'", kind, rows)
    of_type = str(table.run("SELECT any_value(typeof(id)) FROM found")[0][0])
    if of_type in ("FLOAT", "DOUBLE", "BOOLEAN"):  # few, and written as pandas writes them
        others = table.arrow("SELECT id FROM found")
    else:
        others = table.arrow(f"SELECT id FROM found WHERE regexp_matches(CAST(id AS VARCHAR), '{_SPACED}')")
    number, texts, changed = number_distinct(others.column("id").to_pandas())
    table.insert(
        "others",
        pa.table({"id": others.column("id"), "text": pa.array(texts.take(number), pa.string()), "changed": changed}),
    )
    table.run(
        f"CREATE TABLE {column}_numbers AS SELECT id, text, n, first, "
        "CAST(dense_rank() OVER (ORDER BY text) - 1 AS INTEGER) AS number, changed FROM ("
        "SELECT found.id, n, first, coalesce(others.text, CAST(found.id AS VARCHAR)) AS text, others.changed "
        "FROM found LEFT JOIN others ON found.id = others.id)"
    )
    table.run("DROP TABLE found")
    _refuse_missing(table, "text = ''", kind, rows, f"{column}_numbers")
    trimmed = table.value(f"SELECT sum(n) FROM {column}_numbers WHERE changed")
    if trimmed:
        notices.append(trimmed_notice(kind, trimmed))
    table.run("DROP TABLE others")


def _refuse_missing(table: _Staging, absent: str, kind: str, rows: int, ids: str = "found") -> None:
    count, first = table.run(f"SELECT sum(n), min(first) FROM {ids} WHERE {absent}")[0]
    if count:
        # The count is of all rows without an id, whichever way they have none.
        raise missing_ids(kind, int(count), rows, int(first) + 1)


def _item_ids(table: _Staging) -> pd.Index:
    """Return the text of each item, by number."""
    return _texts(table, "SELECT DISTINCT text, number FROM item_id_numbers ORDER BY number")[0]


def _texts(table: _Staging, query: str) -> tuple[pd.Index, npt.NDArray[np.int32]]:
    found = table.arrow(query)
    return pd.Index(found.column("text").to_pandas()), found.column("number").to_numpy()


def _remove_duplicates(table: _Staging, notices: list[Notice], verb: InteractionVerb) -> None:
    """Keep the first of rows with the same user, item and time, in the table ``clean``."""
    tie = any(name == "tie" for name, *_ in table.run("DESCRIBE numbered"))
    table.run(
        "CREATE TABLE clean AS SELECT u, i, t, min(place) AS place, arg_min(weight, place) AS weight"
        f"{', arg_min(tie, place) AS tie' if tie else ''} FROM numbered GROUP BY u, i, t"
    )
    doubled = table.value("SELECT count(*) FROM numbered") - table.value("SELECT count(*) FROM clean")
    table.run("DROP TABLE numbered")
    if doubled:
        notices.append(doubled_notice(doubled))
    repeats = table.value("SELECT sum(n - 1) FROM (SELECT count(*) AS n FROM clean GROUP BY u, i)")
    if repeats:
        notices.append(repeats_notice(repeats, verb))


def _arrange(table: _Staging, ties: TiesConfig, judged: _Judged, notices: list[Notice]) -> None:
    """Give rows of one user at the same moment an order: the column ``tied`` of the table ``clean``."""
    table.run("CREATE TABLE moments AS SELECT u, t FROM clean GROUP BY u, t HAVING count(*) > 1")
    tied = table.value("SELECT count(*) FROM clean JOIN moments USING (u, t)")
    by_id = bool(tied) and ties.order == "none" and _is_by_id(table, _item_ids(table))
    if tied:
        notices.append(ties_notice(ties, tied, table.value("SELECT count(*) FROM clean"), by_id))
    if not tied or ties.order == "none":
        return
    tie = ", tie" if judged.by_column else ""
    found = table.arrow(f"SELECT u, t, i, place{tie} FROM clean JOIN moments USING (u, t) ORDER BY u, t, place")
    users, times = found.column("u").to_numpy(), found.column("t").to_numpy()
    group = np.cumsum(np.concatenate([[True], (users[1:] != users[:-1]) | (times[1:] != times[:-1])]))
    key = tie_key(found.column("tie").to_pandas(), judged.numeric_keys) if judged.by_column else None
    by = Tied(found.column("i").to_numpy(), pd.Index([]), key)
    arranged = arrange_tied(np.arange(tied, dtype=np.int32), group, by, ties)
    places = found.column("place").to_numpy()[arranged]
    table.insert("arranged", pa.table({"place": places, "tied": np.arange(tied)}))
    table.run("CREATE TABLE ordered AS SELECT clean.*, arranged.tied FROM clean LEFT JOIN arranged USING (place)")
    table.run("DROP TABLE clean")
    table.run("ALTER TABLE ordered RENAME TO clean")
    table.run("ALTER TABLE clean DROP COLUMN place")
    table.run("ALTER TABLE clean RENAME COLUMN tied TO place")


def _is_by_id(table: _Staging, item_ids: pd.Index) -> bool:
    """Return whether ties come sorted by item id, as text or as numbers."""
    numbers = item_numbers(item_ids)
    ranks = pa.table(
        {
            "i": np.arange(len(item_ids), dtype=np.int32),
            "rank": np.zeros(len(item_ids)) if numbers is None else numbers,
        }
    )
    table.insert("ranks", ranks)
    pairs, by_text, by_number = table.run(
        "SELECT count(*), bool_and(i >= former_i), bool_and(rank >= former_rank) FROM ("
        "SELECT i, rank, lag(i) OVER same AS former_i, lag(rank) OVER same AS former_rank "
        "FROM clean JOIN moments USING (u, t) JOIN ranks USING (i) "
        "WINDOW same AS (PARTITION BY u, t ORDER BY place)) WHERE former_i IS NOT NULL"
    )[0]
    return pairs >= FEWEST_PAIRS and bool(by_text or (numbers is not None and by_number))


def _filter(table: _Staging, minimum: int, notices: list[Notice]) -> None:
    """Leave the k-core in the table ``clean``."""
    if minimum <= 1:
        return
    before = _counts(table)
    while True:
        deleted = 0
        for key in ("u", "i"):
            few = f"SELECT {key} FROM clean GROUP BY {key} HAVING count(*) < {int(minimum)}"
            deleted += table.value(f"DELETE FROM clean WHERE {key} IN ({few})")
        if not deleted:
            break
    after = _counts(table)
    if not after[0]:
        raise nothing_in_core(minimum)
    if after != before:
        notices.append(core_notice(minimum, *(int(a - b) for a, b in zip(before, after, strict=True))))


def _counts(table: _Staging) -> tuple[int, int, int]:
    """Return how many interactions, users and items there are."""
    found = table.run("SELECT count(*), count(DISTINCT u), count(DISTINCT i) FROM clean")[0]
    return int(found[0]), int(found[1]), int(found[2])


def _result(table: _Staging) -> Numbered:
    """Read what is left, in order; ids of which nothing is left never come to memory."""
    kept = "SELECT DISTINCT text, number FROM {0}_numbers WHERE number IN (SELECT {1} FROM clean) ORDER BY number"
    user_ids, users = _texts(table, kept.format(c.USER, "u"))
    item_ids, items = _texts(table, kept.format(c.ITEM, "i"))
    found = table.numpy("SELECT u, i, t, weight FROM clean ORDER BY u, t, place")
    u, i = np.searchsorted(users, found["u"]).astype(np.int32), np.searchsorted(items, found["i"]).astype(np.int32)
    return Numbered(u, user_ids, i, item_ids, found["t"], found["weight"])
