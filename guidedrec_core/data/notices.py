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

    @classmethod
    def counted(cls, code: str, count: int, one: str, many: str) -> "Notice":
        """Return a notice whose message is the count and what is said of one or of many.

        Examples
        --------
        >>> Notice.counted("blank_titles", 1, "listing has no title", "listings have no title").message
        '1 listing has no title'
        """
        return cls(code, count, f"{count:,} {one if count == 1 else many}")

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return asdict(self)
