"""Scenarios: steerings with a name, saved for each refined run in the database; a user has each name once."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, ValidationError, field_validator
from sqlalchemy import select

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.config import Config
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.database.database import Database, Write, one_line, plain
from guidedrec_core.database.files import can_import, import_file
from guidedrec_core.database.place import anything_stored
from guidedrec_core.database.tables import Scenario
from guidedrec_core.errors import InputError, NotFoundError
from guidedrec_core.explanation.steering.steer import MOST_PULL, Steering
from guidedrec_core.files import read_bounded
from guidedrec_core.runs.manifest import ID

FILES = "what_ifs"
"""Folder where versions before 0.3.0 kept scenarios, ``<run id>/<digest>.json`` each, which move to the database."""
UNNAMED = "unnamed"
"""Author of what was saved without a name."""
_LONGEST_NAME = 80
_LARGEST = 1_000_000  # bytes of a file

Pull = Annotated[float, Field(ge=-MOST_PULL, le=MOST_PULL)]


class WhatIf(Config):
    """A steering by names and ids, which outlive a change of indexes."""

    name: str = Field(min_length=1, max_length=_LONGEST_NAME)
    """What its maker calls it."""
    user_id: str
    """Whose list is steered."""
    pulls: dict[str, Pull] = {}
    """Attribute name to steps; attributes that are not pulled are left out."""
    removed: tuple[str, ...] = ()
    """Ids of items removed from the history."""
    added: tuple[str, ...] = ()
    """Ids of items put at its end, in this order."""
    created: AwareDatetime
    """UTC, to the second."""

    @field_validator("name")
    @classmethod
    def _one_line(cls, name: str) -> str:
        if name != _line(name):
            raise ValueError("expected a name of one line, without blanks at its ends")
        return name

    @classmethod
    def of(cls, name: str, user_id: str, steering: Steering, schema: AttributeSchema, items: Vocabulary) -> "WhatIf":
        """Name a steering.

        Raises
        ------
        InputError
            The name is blank or too long.
        """
        line = _line(name)
        if not 0 < len(line) <= _LONGEST_NAME:
            raise InputError(f"expected a scenario name of 1 to {_LONGEST_NAME} characters, got {len(line)}")
        pulls = zip(schema.names, steering.pulls, strict=True) if steering.pulls else ()
        return cls(
            name=line,
            user_id=user_id,
            pulls={attribute: float(pull) for attribute, pull in pulls if pull},
            removed=tuple(items.id(item) for item in steering.removed),
            added=tuple(items.id(item) for item in steering.added),
            created=datetime.now(UTC).replace(microsecond=0),
        )

    def steering(self, schema: AttributeSchema, items: Vocabulary) -> tuple[Steering, tuple[str, ...]]:
        """Return the steering that it means for a run, as far as attributes and items still exist.

        Returns
        -------
        tuple of (Steering, tuple of str)
            And what no longer exists, e.g. ``"attribute warmth"``, ``"item tent-4"``.
        """
        gone = [f"attribute {name}" for name in self.pulls if name not in schema.names]
        gone += [f"item {item}" for item in (*self.removed, *self.added) if item not in items]
        removed, added = (
            tuple(items.index(item) for item in ids if item in items) for ids in (self.removed, self.added)
        )
        return Steering(tuple(self.pulls.get(name, 0.0) for name in schema.names), removed, added), tuple(gone)


@dataclass(frozen=True)
class Kept:
    """What is kept for a run.

    Attributes
    ----------
    what_ifs : tuple of WhatIf
        Newest first.
    problems : tuple of str
        Files of an earlier version that cannot be read as scenarios, with the reason; they are left alone.
    """

    what_ifs: tuple[WhatIf, ...]
    problems: tuple[str, ...]


class WhatIfStore:
    """The what-ifs of one refined run. Any number of processes may read and write at once.

    Parameters
    ----------
    home : pathlib.Path
        The run store's folder.
    run_id : str
        The refined run; a what-if of one run says nothing of another.
    """

    def __init__(self, home: Path, run_id: str) -> None:
        if not ID.fullmatch(run_id):
            raise InputError(f"expected a run id, got {run_id!r}; `guidedrec runs list` shows what there is")
        self.home = home
        self.run_id = run_id
        self._folder = home.expanduser().absolute() / FILES / run_id

    def save(self, what_if: WhatIf, who: str = UNNAMED) -> None:
        """Keep a what-if.

        Parameters
        ----------
        what_if : WhatIf
            Its time is kept, too.
        who : str
            Its author.

        Raises
        ------
        InputError
            The user has one of this name already.
        StorageError
            The disk is full or read-only, or the database cannot be reached.
        """
        database, *_ = self._migrated()
        with database.write(who) as write:
            self._add(write, what_if, who)

    def list(self) -> Kept:
        """Return all that can be read, and name what cannot."""
        if not anything_stored(self.home) and not self._folder.exists():
            return Kept((), ())
        database, waiting, problems = self._migrated()
        with database.read() as session:
            rows = session.scalars(select(Scenario).where(Scenario.run_id == self.run_id)).all()
        found = [*map(_from_row, rows), *waiting]
        newest_first = sorted(found, key=lambda one: (one.created, one.user_id, one.name), reverse=True)
        return Kept(tuple(newest_first), problems)

    def load(self, user_id: str, name: str) -> WhatIf:
        """Return one.

        Raises
        ------
        NotFoundError
            It does not exist.
        """
        for one in self.list().what_ifs:
            if (one.user_id, one.name) == (plain(user_id), name):
                return one
        raise NotFoundError(f"scenario {name!r} of {user_id} no longer exists; save it again")

    def delete(self, user_id: str, name: str, who: str = UNNAMED) -> None:
        """Delete one; the history keeps what it was.

        Raises
        ------
        NotFoundError
            It does not exist.
        """
        database, *_ = self._migrated()
        with database.write(who) as write:
            row = write.find(Scenario, {"run_id": self.run_id, "user_id": user_id, "name": name})
            if row is None:
                raise NotFoundError(f"scenario {name!r} of {user_id} no longer exists")
            write.remove(Scenario, row.id, row.version)

    def _add(self, write: Write, what_if: WhatIf, who: str) -> None:
        own = {"run_id": self.run_id, "user_id": what_if.user_id, "name": what_if.name}
        if write.find(Scenario, own) is not None:
            raise InputError(
                f"expected a new name, {what_if.user_id} already has a scenario {what_if.name!r}; choose another "
                "name, or delete the old one"
            )
        steering = what_if.model_dump(mode="json", exclude={"name", "user_id", "created"})
        write.add(Scenario(**own, steering=steering), who=who, at=what_if.created)

    def _migrated(self) -> tuple[Database, tuple[WhatIf, ...], tuple[str, ...]]:
        """Open the database, after moving the files of an earlier version into it.

        Returns
        -------
        tuple of (Database, tuple of WhatIf, tuple of str)
            And what is still in files, because the disk may only be read; and what is wrong with broken files.
        """
        database = Database(self.home)
        waiting, problems = [], []
        for path in sorted(self._folder.glob("*.json")):
            try:
                if can_import(database, path):
                    import_file(database, path, UNNAMED, lambda write, content, _: self._insert(write, content))
                else:
                    waiting.append(WhatIf.model_validate_json(read_bounded(path, _LARGEST)))
            except FileNotFoundError:
                continue  # taken over by another process at this moment
            except (OSError, ValueError, InputError) as error:
                problems.append(f"{path.name} cannot be read as a scenario ({_reason(error)})")
        return database, tuple(waiting), tuple(problems)

    def _insert(self, write: Write, content: bytes) -> int:
        if len(content) > _LARGEST:
            raise ValueError(f"{len(content):,} bytes are too many")
        self._add(write, WhatIf.model_validate_json(content), UNNAMED)
        return 1


def _from_row(row: Scenario) -> WhatIf:
    return WhatIf.model_validate({**row.steering, "name": row.name, "user_id": row.user_id, "created": row.created_at})


def _line(text: str) -> str:
    """Return a text in one line, as the database keeps it."""
    return one_line(text)


def _reason(error: Exception) -> str:
    """Return what is wrong, in a few words."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
