"""Where the database is; loads no database library, so that commands which need none stay quick."""

import os
from pathlib import Path

DATABASE_URL = "GUIDEDREC_DATABASE_URL"
"""Environment variable with the address of a database server."""
FILE = "guidedrec.db"
"""Name of the SQLite file in the home."""


def database_url() -> str | None:
    """Return the address of the database server to use; None for the SQLite file in the home."""
    return os.environ.get(DATABASE_URL, "").strip() or None


def database_file(home: Path) -> Path:
    """Return where the SQLite file of a home is, or will be."""
    return home / FILE


def anything_stored(home: Path) -> bool:
    """Tell whether there may be anything in the database of a home; opening none at all is quicker."""
    return database_url() is not None or database_file(home).exists()
