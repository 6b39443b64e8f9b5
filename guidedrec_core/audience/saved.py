"""Saved segments: users chosen by conditions, kept under a name for a data set, so that other pages can use them."""

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from guidedrec_core.conditions.condition import AllOf, AnyOf, Condition, Definition, Not, Segment
from guidedrec_core.conditions.phrases import condition_text
from guidedrec_core.database import tables
from guidedrec_core.database.database import Database, one_line, plain
from guidedrec_core.errors import ConfigError, InputError, NotFoundError
from guidedrec_core.studies.study import LONGEST_NAME, LONGEST_TEXT, Written

if TYPE_CHECKING:  # brings the models
    from guidedrec_core.audience.population import Population

_NAMES_SAVED = re.compile(r"\bsegment\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class SavedSegment:
    """A segment that somebody saved.

    Attributes
    ----------
    id : str
        Identifies it for good.
    dataset : str
        Name of the data set.
    name : str
        Unique in the data set; may change.
    note : str
        What it is about.
    written : Written
        Who wrote it and when.
    stored : mapping
        Its definition as plain data; see `definition`.
    """

    id: str
    dataset: str
    name: str
    note: str
    written: Written
    stored: Mapping[str, Any] = field(repr=False)

    @property
    def definition(self) -> Definition:
        """Which users it holds.

        Raises
        ------
        ConfigError
            It was saved by another version of guidedrec, whose conditions this one does not know.
        """
        try:
            return Definition.parse(dict(self.stored))
        except ConfigError as error:
            raise ConfigError(
                f"segment {self.name!r} cannot be read: {error}; save it again under the same name"
            ) from error

    @property
    def condition(self) -> Condition:
        """The condition of `definition`; errors as there."""
        return self.definition.condition

    @property
    def text(self) -> str:
        """The condition as it was typed; may be empty."""
        return str(self.stored.get("text", ""))


class SegmentStore:
    """The saved segments of a home. Any number of people and processes may work on them at once.

    Whoever changes or deletes one passes what they have seen; if somebody else was quicker, a `ConflictError` says who
    and when, and nothing is overwritten.

    Parameters
    ----------
    home : pathlib.Path
        The run store's folder.

    Examples
    --------
    >>> import tempfile
    >>> from guidedrec_core.conditions.condition import Past
    >>> segments = SegmentStore(Path(tempfile.mkdtemp()))
    >>> loyal = segments.save("fernway", "Loyal", Definition.of(Past(low=20), "at least 20 purchases"), "Ann")
    >>> loyal = segments.change(loyal, "Bob", note="for the newsletter")
    >>> segments.find("Loyal").written.changed_by, loyal.condition.low
    ('Bob', 20.0)
    """

    def __init__(self, home: Path) -> None:
        self.database = Database(home)

    def list(self, dataset: str | None = None) -> tuple[SavedSegment, ...]:
        """Return the segments of a data set, or of all, by data set and name."""
        query = select(tables.Segment)
        if dataset is not None:
            query = query.where(tables.Segment.dataset == plain(dataset))
        with self.database.read() as session:
            found = [_segment(row) for row in session.scalars(query)]
        return tuple(sorted(found, key=lambda one: (one.dataset, one.name.casefold(), one.name)))

    def find(self, name: str, dataset: str | None = None) -> SavedSegment:
        """Return a segment by its name or id.

        Parameters
        ----------
        name : str
            Name or id.
        dataset : str, optional
            Look only there.

        Raises
        ------
        NotFoundError
            There is none.
        InputError
            Several data sets have one of that name.
        """
        there = self.list(dataset)
        found = [one for one in there if one.id == name] or [one for one in there if one.name == one_line(name)]
        if not found:
            where = "" if dataset is None else f" of data set {dataset}"
            known = ", ".join(repr(one.name) for one in there[:8])
            hint = f"there are {known}" if known else "save one with `guidedrec audience --save`, or in the app"
            raise NotFoundError(f"there is no segment{where} called {name!r}; {hint}")
        if len(found) > 1:
            sets = ", ".join(one.dataset for one in found)
            raise InputError(f"several data sets have a segment {name!r}: {sets}; say which")
        return found[0]

    def save(self, dataset: str, name: str, definition: Definition, who: str, note: str = "") -> SavedSegment:
        """Save a new segment.

        Parameters
        ----------
        dataset, name, note : str
            See `SavedSegment`.
        definition : Definition
            A condition on users; see `pinned` for one that names segments that were found.
        who : str
            The author.

        Raises
        ------
        InputError
            The name is taken, blank or too long, the author is blank, or the condition is one on items.
        """
        values = {"name": _name(name), "note": _text(note), **_defined(definition)}
        with self.database.write(who) as write:
            return _segment(write.add(tables.Segment(dataset=dataset, **values)))

    def change(
        self,
        segment: SavedSegment,
        who: str,
        *,
        name: str | None = None,
        definition: Definition | None = None,
        note: str | None = None,
    ) -> SavedSegment:
        """Change a segment; what is None stays.

        Raises
        ------
        ConflictError
            Somebody has changed or deleted it since `segment` was read.
        InputError
            As `save`.
        """
        values: dict[str, Any] = {} if name is None else {"name": _name(name)}
        values |= {} if note is None else {"note": _text(note)}
        values |= {} if definition is None else _defined(definition)
        with self.database.write(who) as write:
            return _segment(write.change(tables.Segment, segment.id, values, segment.written.version))

    def delete(self, segment: SavedSegment, who: str, why: str = "") -> None:
        """Delete a segment; the history keeps what it was. Errors as `change`."""
        with self.database.write(who) as write:
            write.remove(tables.Segment, segment.id, segment.written.version, why)

    def history(self, segment: SavedSegment) -> tuple[tables.Change, ...]:
        """Return every change of a segment, oldest first."""
        return self.database.history(record=tables.Segment, record_id=segment.id)


def readable(segments: Iterable[SavedSegment]) -> dict[str, Condition]:
    """Return conditions by name, as text may use them; segments that this version cannot read are left out."""
    found = {}
    for segment in segments:
        with contextlib.suppress(ConfigError):
            found[segment.name] = segment.condition
    return found


def segment_facts(segment: SavedSegment) -> dict[str, Any]:
    """Return a segment in the stable form for other programs."""
    written = segment.written
    return {
        "id": segment.id,
        "dataset": segment.dataset,
        "name": segment.name,
        "note": segment.note,
        "definition": dict(segment.stored),
        "created_by": written.created_by,
        "created_at": written.created_at.isoformat(),
        "changed_by": written.changed_by,
        "changed_at": written.changed_at.isoformat(),
        "version": written.version,
    }


def pinned(condition: Condition, names: tuple[str, ...]) -> Condition:
    """Return a condition that names the found segments it speaks of, so that it cannot mean others in another run.

    Parameters
    ----------
    condition : Condition
        On users.
    names : tuple of str
        Names of the segments found in this run, `Segments.names`.

    Examples
    --------
    >>> pinned(Not(of=Segment(number=2)), ("seeks warmth", "average taste")).of.name
    'average taste'
    """
    match condition:
        case Segment() if not condition.name and condition.number <= len(names):
            return condition.model_copy(update={"name": names[condition.number - 1]})
        case AllOf() | AnyOf():
            return type(condition)(of=tuple(pinned(one, names) for one in condition.of))
        case Not():
            return Not(of=pinned(condition.of, names))
    return condition


def definition_of(condition: Condition, text: str, people: "Population") -> Definition:
    """Return the definition under which a group is saved: it means the same later, and its text can be read alone.

    Parameters
    ----------
    condition : Condition
        On users.
    text : str
        As it was typed; the condition in words where that names another saved segment.
    people : Population
        The users of the run in which the group was chosen.
    """
    own = pinned(condition, people.segments.names if has_segment(condition) else ())
    named = not text or _NAMES_SAVED.search(text) is not None
    return Definition.of(own, condition_text(own, people.terms) if named else text)


def has_segment(condition: Condition) -> bool:
    """Return whether a condition speaks of segments that were found, which takes long to look for."""
    match condition:
        case Segment():
            return True
        case AllOf() | AnyOf():
            return any(map(has_segment, condition.of))
        case Not():
            return has_segment(condition.of)
    return False


def _segment(row: tables.Segment) -> SavedSegment:
    written = Written.of(row)
    return SavedSegment(row.id, row.dataset, row.name, row.note, written, row.definition)


def _defined(definition: Definition) -> dict[str, Any]:
    """Return a definition by the names of the table's columns."""
    if definition.about != "users":
        raise InputError(f"expected a condition on users for a segment, got one on {definition.about}")
    stored = definition.model_dump(mode="json")
    return {"definition": stored, "definition_version": definition.version}


def _name(name: str) -> str:
    line = one_line(name)
    if not 0 < len(line) <= LONGEST_NAME:
        raise InputError(f"expected a segment name of 1 to {LONGEST_NAME} characters, got {len(line)}")
    return line


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise InputError(f"expected a note of at most {LONGEST_TEXT:,} characters, got {len(text):,}")
    return text
