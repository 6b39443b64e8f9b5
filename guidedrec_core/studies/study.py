"""What a study and a saved case are, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from guidedrec_core.database.tables import VERDICTS, Record, Verdict
from guidedrec_core.errors import InputError

__all__ = ["VERDICTS", "CaseContent", "SavedCase", "Study", "Verdict", "Written"]

LONGEST_NAME = 120
LONGEST_TEXT = 20_000
"""Characters of a note or reason."""


@dataclass(frozen=True)
class Written:
    """Who wrote something and when.

    Attributes
    ----------
    created_by, changed_by : str
        Who made it, and who last changed it.
    created_at, changed_at : datetime
        When, in UTC.
    version : int
        From 1; counts up with every change. Whoever changes it says which version they have seen.
    """

    created_by: str
    created_at: datetime
    changed_by: str
    changed_at: datetime
    version: int

    @classmethod
    def of(cls, row: Record) -> "Written":
        """Read it from a row of the database."""
        return cls(row.created_by, row.created_at, row.changed_by, row.changed_at, row.version)


@dataclass(frozen=True)
class Study:
    """A named collection of cases.

    Attributes
    ----------
    id : str
        Identifies it for good.
    name : str
        Unique; may change.
    note : str
        What it is about.
    n_cases : int
        How many cases it has.
    written : Written
        Who wrote it and when.
    """

    id: str
    name: str
    note: str
    n_cases: int
    written: Written


@dataclass(frozen=True)
class CaseContent:
    """What is saved of a view, and what somebody thinks of it.

    Attributes
    ----------
    dataset : str
        Name of the data set.
    user_id : str
        The user.
    item_id : str, optional
        The item, where one was chosen.
    runs : mapping of str to str
        Role to run id, e.g. ``{"refined": "20261129-114936-a142dd"}``.
    address : str
        The view's address in the app from ``?`` on, with every control's state.
    note : str
        Free text.
    verdict : str, optional
        ``good``, ``wrong``, ``harmful`` or ``unsure``; None as long as nobody has judged.
    reason : str
        Why this verdict.

    Raises
    ------
    InputError
        Data set or user is blank, the verdict is another word, the address is no query, or a text is too long.
    """

    dataset: str
    user_id: str
    item_id: str | None = None
    runs: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    note: str = ""
    verdict: Verdict | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        """Check the content, which may come from a file."""
        texts = {name: getattr(self, name) for name in ("dataset", "user_id", "address", "note", "reason")}
        texts |= {"item_id": self.item_id or ""}
        for name, text in texts.items():
            if not isinstance(text, str) or len(text) > LONGEST_TEXT:
                got = f"{len(text):,} characters" if isinstance(text, str) else type(text).__name__
                raise InputError(f"expected {name} of at most {LONGEST_TEXT:,} characters, got {got}")
        if not self.dataset.strip() or not self.user_id.strip():
            raise InputError("expected a case with a data set and a user, got blanks")
        if self.verdict is not None and self.verdict not in VERDICTS:
            raise InputError(f"expected a verdict of {', '.join(VERDICTS)}, got {str(self.verdict)[:40]!r}")
        # It is opened in the app: an address of another place must not get in through a file.
        if self.address and not self.address.startswith("?"):
            raise InputError(f"expected an address that starts with '?', got {self.address[:40]!r}")
        if not isinstance(self.runs, Mapping) or not all(isinstance(x, str) for x in (*self.runs, *self.runs.values())):
            raise InputError("expected runs as an object of role to run id")

    def columns(self) -> dict[str, Any]:
        """Return the content by the names of the table's columns."""
        names = ("dataset", "user_id", "item_id", "address", "note", "verdict", "reason")
        return {**{name: getattr(self, name) for name in names}, "runs": dict(self.runs)}


@dataclass(frozen=True)
class SavedCase:
    """A case of a study.

    Attributes
    ----------
    id : str
        Identifies it for good.
    study_id : str
        Its study.
    position : int
        Place in the study, from 0.
    content : CaseContent
        What is saved.
    written : Written
        Who wrote it and when.
    """

    id: str
    study_id: str
    position: int
    content: CaseContent
    written: Written
