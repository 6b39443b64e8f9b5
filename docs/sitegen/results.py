"""What the benchmarks measured, as they stored it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from guidedrec_core.errors import NotFoundError

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


class Results:
    """Reads the benchmarks' result files and remembers which were used.

    Parameters
    ----------
    folder : Path
        Holds one JSON file a result.

    Attributes
    ----------
    used : set of str
        Names read so far, without suffix.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self.used: set[str] = set()

    def read(self, name: str) -> dict[str, Any]:
        """Return a result.

        Raises
        ------
        NotFoundError
            There is no such file.
        """
        self.used.add(name)
        path = self.folder / f"{name}.json"
        if not path.is_file():
            raise NotFoundError(
                f"expected the measured result {path.name} in {path.parent}, found none; run the benchmark that "
                "writes it, or name a file that is there"
            )
        return _read(path)


@cache
def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
