"""Notices: what was found odd in imported data, and what was done about it, with counts."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Notice:
    """One named observation about imported data.

    Attributes
    ----------
    code : str
        Stable name, e.g. ``"duplicate_rows"``.
    count : int
        Rows, items or users concerned.
    message : str
        What was found and what was done, in plain words.
    """

    code: str
    count: int
    message: str

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return asdict(self)
