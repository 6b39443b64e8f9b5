"""Overrides: single scores set by people, which replace the guided scores.

The database holds the current state of each and every change of it (`OverrideLog`): no change is ever lost, whatever is
scored, imported or refined later. The overrides in force follow from the changes (`current`) and are applied to the
scores when these are used (`apply`), so they survive every new scoring.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import AwareDatetime, Field, ValidationError

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema, Scale
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.config import Config
from guidedrec_core.data.dataset import check_name
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.database.place import anything_stored
from guidedrec_core.errors import ConflictError, DataError, InputError
from guidedrec_core.files import read_bounded

if TYPE_CHECKING:  # the database's libraries take a moment to load, and most homes have no override
    from guidedrec_core.database.database import Database, Write
    from guidedrec_core.database.tables import ScoreOverride

FILES = "overrides"
"""Folder where versions before 0.3.0 kept the changes, a ``<data set>.jsonl`` each, which move to the database."""
_MOST_BYTES = 1 << 30

Problem = Literal["", "unknown_items", "unknown_attributes", "other_scale"]

_PROBLEMS: dict[Problem, str] = {
    "unknown_items": "of items that the data set does not have now",
    "unknown_attributes": "of attributes that are not scored now",
    "other_scale": "on another scale than that of the scores now",
}


class Override(Config):
    """One change of one score by a person."""

    item_id: str
    """The item."""
    attribute: str
    """Name of the attribute."""
    value: float | None
    """The raw score from now on; None withdraws the earlier override."""
    scale: Scale
    """The range it was given on."""
    who: str = Field(min_length=1)
    """Who set it."""
    when: AwareDatetime
    """UTC, to the second."""
    why: str = Field(min_length=1)
    """The reason."""
    replaced: float | None
    """What was in force before: an earlier override or the score; None where there was none."""

    def problem(self, schema: AttributeSchema, items: Vocabulary) -> Problem:
        """Say why it cannot be applied to scores of these attributes and items; empty when it can."""
        if self.item_id not in items:
            return "unknown_items"
        if self.attribute not in schema.names:
            return "unknown_attributes"
        return "" if self.scale == schema.scale else "other_scale"


class OverrideLog:
    """The log of one data set's overrides. Any number of processes may read and write at once.

    Parameters
    ----------
    home : pathlib.Path
        The run store's folder.
    dataset : str
        Name of the data set; its later imports have the same log.
    """

    def __init__(self, home: Path, dataset: str) -> None:
        check_name(dataset)
        self.home = home
        self.dataset = dataset
        self._file = home.expanduser().absolute() / FILES / f"{dataset}.jsonl"

    def entries(self) -> tuple[Override, ...]:
        """Return every change, oldest first.

        Raises
        ------
        DataError
            A line of a file of an earlier version is no override, or the file cannot be read.
        StorageError
            The database cannot be reached or read.
        """
        if not anything_stored(self.home) and not self._file.exists():
            return ()
        from guidedrec_core.database.files import can_import
        from guidedrec_core.database.tables import ScoreOverride

        database = self._database()
        waiting: tuple[Override, ...] = ()
        if self._file.exists() and not can_import(database, self._file):  # a disk that may only be read
            waiting = tuple(self._parsed(self._read(), 1))
        changes = database.history(record=ScoreOverride, scope=self.dataset)
        return (*(_from_row(change.after) for change in changes if change.after), *waiting)

    def set(
        self,
        scores: GuidedScores,
        items: Vocabulary,
        item_id: str,
        attribute: str,
        value: float,
        who: str,
        why: str,
        version: int | None = None,
    ) -> Override:
        """Set the score of an item on an attribute by hand.

        Parameters
        ----------
        scores : GuidedScores
            What was scored, ``[n_items, A]``.
        items : Vocabulary
            The items of these rows.
        item_id, attribute, value
            The item, the attribute's name, and its raw score on the schema's scale.
        who, why : str
            Who sets it, and the reason; neither may be blank.
        version : int, optional
            How many changes of this score the author has seen, see `n_changes`; None sets it whatever there is.

        Raises
        ------
        UnknownIdError
            No such item or attribute.
        DataError
            The value is outside the scale, or `who` or `why` is blank.
        ConflictError
            Somebody else has set or withdrawn it meanwhile; nothing is overwritten.
        """
        scored = scores.values[items.index(item_id), scores.schema.index(attribute)]
        scale = scores.schema.scale
        if not scale.min <= value <= scale.max:
            raise DataError(f"expected a score from {scale.min:g} to {scale.max:g} for {attribute}, got {value:g}")
        who, why = _said(who, "who"), _said(why, "why")
        with self._database().write(who) as write:
            row = self._row(write, item_id, attribute)
            _check_seen(row, version)
            other_scale = row is None or row.scale != scale.model_dump(mode="json")
            replaced = _plain(scored) if row is None or row.value is None or other_scale else row.value
            made = Override(
                item_id=item_id,
                attribute=attribute,
                value=value,
                scale=scale,
                replaced=replaced,
                who=who,
                why=why,
                when=_now(),
            )
            self._write(write, made, row)
        return made

    def withdraw(self, item_id: str, attribute: str, who: str, why: str, version: int | None = None) -> Override:
        """Withdraw an override, so that the guided score counts again.

        Raises
        ------
        InputError
            No override of this score is in force, or `who` or `why` is blank.
        ConflictError
            As `set`.
        """
        who, why = _said(who, "who"), _said(why, "why")
        with self._database().write(who) as write:
            row = self._row(write, item_id, attribute)
            _check_seen(row, version)
            if row is None or row.value is None:
                raise InputError(
                    f"expected an override of {attribute!r} of item {item_id!r} to withdraw, there is none in force; "
                    f"`guidedrec score overrides {self.dataset}` lists them"
                )
            gone = {"value": None, "replaced": row.value, "who": who, "why": why, "when": _now()}
            made = _from_row(row.facts()).model_copy(update=gone)
            self._write(write, made, row)
        return made

    def _database(self) -> "Database":
        """Open the database, after moving what a file of an earlier version has into it."""
        from guidedrec_core.database.database import Database
        from guidedrec_core.database.files import can_import, import_file

        database = Database(self.home)
        if can_import(database, self._file):
            try:
                import_file(database, self._file, "guidedrec", self._insert)
            except OSError as error:
                raise self._unreadable(error) from error
        return database

    def _insert(self, write: "Write", content: bytes, size_before: int) -> int:
        """Write the lines of a file into the database."""
        first = 1
        if size_before:
            first += self._read()[:size_before].count(b"\n")
        found = list(self._parsed(content, first))
        for override in found:
            self._write(write, override, self._row(write, override.item_id, override.attribute))
        return len(found)

    def _row(self, write: "Write", item_id: str, attribute: str) -> "ScoreOverride | None":
        from guidedrec_core.database.tables import ScoreOverride

        columns = {"dataset": self.dataset, c.ITEM: item_id, "attribute": attribute}
        return write.find(ScoreOverride, columns)

    def _write(self, write: "Write", override: Override, row: "ScoreOverride | None") -> None:
        from guidedrec_core.database.tables import ScoreOverride

        values: dict[str, Any] = override.model_dump(mode="json", exclude={"who", "when"})
        if row is None:
            row = ScoreOverride(dataset=self.dataset, **values)
            write.add(row, override.why, override.who, override.when)
        else:
            write.change(ScoreOverride, row.id, values, None, override.why, override.who, override.when)

    def _read(self) -> bytes:
        try:
            return read_bounded(self._file, _MOST_BYTES)
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> DataError:
        return DataError(
            f"expected overrides in {self._file}, cannot read it ({error.strerror or error}); mend that, or move it "
            "away"
        )

    def _parsed(self, content: bytes, first: int) -> Iterator[Override]:
        for number, line in enumerate(content.splitlines(), start=first):
            if not line.strip():
                continue
            try:
                yield Override.model_validate_json(line)
            except ValidationError as error:
                problem = error.errors()[0]
                reason = f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}".removeprefix(": ")
                raise DataError(
                    f"expected an override in line {number} of {self._file}, got something else ({reason}); mend the "
                    "line"
                ) from error


@dataclass(frozen=True)
class Overridden:
    """Scores with overrides applied.

    Attributes
    ----------
    scores : GuidedScores
        The scores to use.
    cells : pandas.DataFrame
        One row per override in use: ``item_id, attribute, value, who, when`` (UTC), ``why, scored`` (NaN without a
        score).
    left_out : pandas.DataFrame
        Those that cannot be used now, with ``problem`` instead of ``scored``; see `Override.problem`.
    notices : tuple of Notice
        How many are in use, and how many are kept but cannot be used now.
    """

    scores: GuidedScores
    cells: pd.DataFrame
    left_out: pd.DataFrame
    notices: tuple[Notice, ...]


def current(entries: Iterable[Override]) -> tuple[Override, ...]:
    """Return the overrides in force, the latest for each score, sorted by item and attribute."""
    layer = _in_force(entries)
    return tuple(layer[cell] for cell in sorted(layer))


def n_changes(entries: Iterable[Override], item_id: str, attribute: str) -> int:
    """Count the changes of one score; whoever changes it says how many they have seen."""
    return sum((entry.item_id, entry.attribute) == (item_id, attribute) for entry in entries)


def digest(layer: Iterable[Override]) -> str:
    """Return 16 hex digits that identify some overrides by content."""
    text = "\n".join(override.model_dump_json() for override in layer)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def apply(layer: tuple[Override, ...], scores: GuidedScores, items: Vocabulary) -> Overridden:
    """Apply overrides to scores; those that fit no item or attribute are left out and counted.

    Parameters
    ----------
    layer : tuple of Override
        In force; see `current`.
    scores : GuidedScores
        What was scored, ``[n_items, A]``; left as it is.
    items : Vocabulary
        The items of these rows.
    """
    schema = scores.schema
    found = [(override, override.problem(schema, items)) for override in layer]
    used = [override for override, problem in found if not problem]
    unused = [(override, problem) for override, problem in found if problem]
    rows = items.indexes([override.item_id for override in used])
    columns = np.array([schema.index(override.attribute) for override in used], dtype=np.int64)
    scored = scores.values[rows, columns]
    cells = _table(used).assign(scored=scored.astype(np.float64))
    values = scores.values.copy()
    values[rows, columns] = cells["value"]
    problems = [problem for _, problem in unused]
    left_out = _table([override for override, _ in unused]).assign(problem=pd.Series(problems, dtype="str"))
    notices = [_in_use(len(used), int(np.isnan(scored).sum()))] if used else []
    return Overridden(GuidedScores(values, schema), cells, left_out, (*notices, *_not_in_use(problems)))


def _table(layer: list[Override]) -> pd.DataFrame:
    """Tabulate overrides: ``item_id, attribute, value, who, when, why``."""
    text = {name: [getattr(override, name) for override in layer] for name in (c.ITEM, "attribute", "who", "why")}
    table = pd.DataFrame(text, dtype="str").assign(
        value=np.array([override.value for override in layer], dtype=np.float64),
        when=pd.to_datetime([override.when for override in layer], utc=True),
    )
    return table[[c.ITEM, "attribute", "value", "who", "when", "why"]]


def _in_use(count: int, n_missing: int) -> Notice:
    """Count the overrides in use."""
    filled = f", {n_missing:,} of them missing otherwise" if n_missing else ""
    return Notice("overridden_scores", count, f"{count:,} single scores of items are set by hand{filled}")


def _not_in_use(problems: Sequence[Problem]) -> Iterator[Notice]:
    """Count the overrides that cannot be used, by the reason."""
    for code, what in _PROBLEMS.items():
        if count := problems.count(code):
            yield Notice(f"overrides_{code}", count, f"{count:,} overrides are {what}; kept, but not used")


def _in_force(entries: Iterable[Override]) -> dict[tuple[str, str], Override]:
    """Return what is in force, by item and attribute."""
    latest = {(override.item_id, override.attribute): override for override in entries}
    return {cell: override for cell, override in latest.items() if override.value is not None}


def _from_row(facts: dict[str, Any]) -> Override:
    """Return a version of an override as it was written into the database."""
    names = ("item_id", "attribute", "value", "scale", "why", "replaced")
    values = {**{name: facts[name] for name in names}, "who": facts["changed_by"], "when": facts["changed_at"]}
    return Override.model_validate(values)


def _check_seen(row: "ScoreOverride | None", version: int | None) -> None:
    """Refuse to overwrite what the author has not seen.

    Raises
    ------
    ConflictError
        The score has been set or withdrawn since.
    """
    if row is None or version is None or row.version == version:
        return
    did = f"withdrew {row.called}" if row.value is None else f"set {row.called} to {row.value:g}"
    raise ConflictError(
        f"{row.changed_by} {did} ({row.changed_at:%d %b %Y, %H:%M} UTC) after you opened it; nothing was overwritten. "
        "Look at it again, then make your change"
    )


def _said(text: str, name: str) -> str:
    """Return text in one line, fit for a file.

    Raises
    ------
    DataError
        It is blank.
    """
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    if not line:
        what = "a reason" if name == "why" else "your name"
        raise DataError(f"enter {what}; nothing was given")
    return line


def _plain(score: np.float32) -> float | None:
    """Return a stored float32 score as people would write it: 7.3, not 7.30000019."""
    return None if math.isnan(score) else float(str(score))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
