"""Files that a visitor brings: uploaded and kept by their content, or chosen in a folder that the server allows."""

import hashlib
import os
import re
from pathlib import Path, PurePosixPath

import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.errors import escaped
from guidedrec_core.errors import GuidedrecError

FOLDER = "GUIDEDREC_DATA_FOLDER"
"""Environment variable with the folder of this machine whose files visitors may import."""

_SUFFIXES = (
    ".csv",
    ".tsv",
    ".parquet",
    ".jsonl",
    ".json",
    ".zip",
    ".gz",
    ".zst",
    ".bz2",
    ".inter",
    ".item",
    ".txt",
    ".dat",
)
_TYPES = ["csv", "tsv", "txt", "parquet", "jsonl", "json", "zip", "gz", "zst", "bz2", "inter", "item"]
_MOST_LISTED = 500


def choose(label: str, key: str, help: str | None = None, types: list[str] | None = None) -> Path | None:
    """Let a visitor upload a file or choose one of the server's; what was chosen is kept for the whole visit.

    Parameters
    ----------
    label : str
        What the file is.
    key : str
        Unique in the app.
    help : str, optional
        Tooltip.
    types : list of str, optional
        Suffixes that may be uploaded; tables in any packing by default.
    """
    kept = f"{key}_path"

    def keep() -> None:
        upload = st.session_state.get(f"{key}_upload")
        if upload is not None:
            st.session_state[kept] = str(save(upload.name, upload.getvalue()))

    st.file_uploader(label, type=types or _TYPES, key=f"{key}_upload", on_change=keep, help=help)
    folder = allowed_folder()
    if folder is not None:
        names = listed(folder)

        def pick() -> None:
            name = st.session_state.get(f"{key}_server")
            if name in names:
                st.session_state[kept] = str(folder / name)

        st.selectbox(
            "or choose a file on the server", names, index=None, key=f"{key}_server", on_change=pick, placeholder="File"
        )
    path = st.session_state.get(kept)
    if path is None or not Path(path).exists():
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        show.note(f"In use: {Path(path).name}, {_size(Path(path).stat().st_size)}")
        st.button("Remove", key=f"{key}_remove", type="tertiary", on_click=st.session_state.pop, args=(kept, None))
    return Path(path)


def _size(count: int) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> _size(4_800), _size(12_300_000)
    ('5 kB', '12.3 MB')
    """
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{max(count, 500) / 1e3:,.0f} kB"


def save(name: str, data: bytes) -> Path:
    """Keep an upload under its content's name in the home; nothing of its own name but letters and suffix is used."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", PurePosixPath(name.replace("\\", "/")).name).strip("._") or "file"
    folder = uploads() / hashlib.sha256(data).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / safe[-100:]
    if not path.exists():
        path.write_bytes(data)
    return path


def uploads() -> Path:
    """Return the folder of uploads."""
    return loaders.store().home / "uploads"


def allowed_folder() -> Path | None:
    """Return the server's folder of files, if there is one."""
    named = os.environ.get(FOLDER)
    folder = Path(named).expanduser().resolve() if named else None
    return folder if folder is not None and folder.is_dir() else None


def listed(folder: Path) -> list[str]:
    """List the tables in a folder and its folders, by their path in it; links that lead out of it are left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.resolve().is_relative_to(folder)
        if inside and path.is_file() and path.name.lower().endswith(_SUFFIXES):
            found.append(path.relative_to(folder).as_posix())
        if len(found) == _MOST_LISTED:
            break
    return found


_ON_THE_PAGE = (
    (r"Name the right ones with --map, e\.g\. --map \S+=<column of the file>", "Choose the right ones above"),
    (r"name (it|one) with --map \S+=<column>", "choose it above"),
    (r"name one with --items", "upload one above"),
    (r"say which with --date-format day-first or --date-format month-first", "choose which above"),
    (r"; (or )?add --date-format \S+", "; choose that above"),
    (r"--date-format( %Y%m%d)?", "way to read dates"),
    (r"add them to --event-weights, e\.g\. .*=0 to leave one out", "give each a weight above, 0 to leave it out"),
    (r"--event-weights", "weights of kinds"),
    (r"--min-rating", "the least rating"),
    (r"lower --min-interactions", "choose a smaller number above"),
    (r"choose (another )?--format (\w+)?", "choose another format"),
    (r"--format", "format"),
)


def problem(error: GuidedrecError) -> None:
    """Show what is wrong with a file and how to mend it, in the words of the page."""
    text = str(error)
    for pattern, words in _ON_THE_PAGE:
        text = re.sub(pattern, words, text)
    st.error(escaped(f"{text[:1].upper()}{text[1:]}."), icon=":material/error:")
