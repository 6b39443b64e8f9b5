"""Scenarios: steerings with a name, saved for each refined run.

``<home>/what_ifs/<run id>/<digest>.json`` holds one; the digest is of user and name, so that a user has each name once.
A file is written next to its place, synced and linked there, so that a reader finds it complete or not at all, even
after a crash. Its content is checked when it is read, and a broken file is named and skipped.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, ValidationError, field_validator

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.config import Config
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import InputError, NotFoundError
from guidedrec_core.explanation.steering.steer import MOST_PULL, Steering
from guidedrec_core.files import named_storage_errors, sync
from guidedrec_core.runs.manifest import ID

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
        Files that are there and cannot be read as what-ifs, with the reason; they are left alone.
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
        self.folder = home / "what_ifs" / run_id

    def save(self, what_if: WhatIf) -> None:
        """Keep a what-if.

        Raises
        ------
        InputError
            The user has one of this name already.
        StorageError
            The disk is full or read-only.
        """
        with named_storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = self.folder / f".{secrets.token_hex(8)}.tmp"
            try:
                temporary.write_text(what_if.model_dump_json(indent=2) + "\n", encoding="utf-8")
                sync(temporary)
                os.link(temporary, self._path(what_if.user_id, what_if.name))  # fails if there is one, unlike a rename
            except FileExistsError:
                raise InputError(
                    f"expected a new name, {what_if.user_id} already has a scenario {what_if.name!r}; choose another "
                    "name, or delete the old one"
                ) from None
            finally:
                temporary.unlink(missing_ok=True)
            sync(self.folder)

    def list(self) -> Kept:
        """Return all that can be read, and name what cannot."""
        found, problems = [], []
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(self._read(path))
            except FileNotFoundError:
                continue  # deleted at this moment
            except (OSError, ValueError) as error:
                problems.append(f"{path.name} cannot be read as a scenario ({_reason(error)})")
        newest_first = sorted(found, key=lambda one: (one.created, one.user_id, one.name), reverse=True)
        return Kept(tuple(newest_first), tuple(problems))

    def load(self, user_id: str, name: str) -> WhatIf:
        """Return one.

        Raises
        ------
        NotFoundError
            It does not exist.
        InputError
            Its file is broken.
        """
        path = self._path(user_id, name)
        try:
            return self._read(path)
        except FileNotFoundError:
            raise NotFoundError(f"scenario {name!r} of {user_id} no longer exists; save it again") from None
        except (OSError, ValueError) as error:
            raise InputError(
                f"expected a scenario in {path}, got something else ({_reason(error)}); delete it, and save it again"
            ) from error

    def delete(self, user_id: str, name: str) -> None:
        """Forget one.

        Raises
        ------
        NotFoundError
            It does not exist.
        """
        try:
            self._path(user_id, name).unlink()
        except FileNotFoundError:
            raise NotFoundError(f"scenario {name!r} of {user_id} no longer exists") from None
        sync(self.folder)

    def _path(self, user_id: str, name: str) -> Path:
        digest = hashlib.sha256(f"{user_id}\0{name}".encode("utf-8", "replace")).hexdigest()
        return self.folder / f"{digest[:24]}.json"

    def _read(self, path: Path) -> WhatIf:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"{path.stat().st_size:,} bytes are too many")
        what_if = WhatIf.model_validate_json(path.read_bytes())
        if path != self._path(what_if.user_id, what_if.name):
            raise ValueError("its name is not that of its content")
        return what_if


def _line(text: str) -> str:
    """Return a text in one line that can be written into a file."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _reason(error: Exception) -> str:
    """Return what is wrong, in a few words."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
