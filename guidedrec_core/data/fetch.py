"""Fetch public data sets over HTTP: resumable, checked against known contents, whole or not at all.

Files land in ``<home>/downloads/<name>/``, ready for the reader of their format. `GUIDEDREC_DOWNLOAD_URL` names a
mirror: an address that holds the same file names as the original one.
"""

import hashlib
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import filelock

from guidedrec_core.data.files.transfer import download
from guidedrec_core.data.files.zipped import UNZIP_ERRORS, find_entries
from guidedrec_core.errors import ConfigError, DownloadError, NotFoundError
from guidedrec_core.progress import Listener, silent

MIRROR_VARIABLE = "GUIDEDREC_DOWNLOAD_URL"
"""Environment variable that replaces a source's `base_url`."""

_LOCK_SECONDS = 600.0


@dataclass(frozen=True)
class Member:
    """One file a data set needs.

    Attributes
    ----------
    name : str
        Its bare file name.
    size : int
        Bytes.
    sha256 : str
        Of its content. The content is checked, not the archive around it, which may be packed again at any time.
    optional : bool
        Whether the data set is of use without it.
    """

    name: str
    size: int
    sha256: str
    optional: bool = False


@dataclass(frozen=True)
class Source:
    """A public data set and where it is published.

    Attributes
    ----------
    name, format : str
        The data set's name and the reader it is for.
    base_url : str
        The address of the folder that holds the file or files.
    archive : str or None
        The zip archive that holds all members; None when each is published on its own.
    members : tuple of Member
        The files needed.
    page : str
        Where to download it by hand.
    """

    name: str
    format: str
    base_url: str
    archive: str | None
    members: tuple[Member, ...]
    page: str


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source(
            "movielens-small",
            "movielens",
            "https://files.grouplens.org/datasets/movielens",
            "ml-latest-small.zip",
            (
                Member("ratings.csv", 2_382_886, "80da8b3393dae325bbba5a31f291a6ba55d8d4f4396de3c456f2c1635b1b70e8"),
                Member("movies.csv", 484_688, "c47b783f23eb304413307e1bb05335e427737da20ec8d3c0e96335567dd5f3dc"),
                Member("tags.csv", 114_976, "68eec00a0820c2faa8863a6df7032f13d5899a4462bce9a97213905297ff3d34", True),
            ),
            "https://grouplens.org/datasets/movielens/latest/",
        ),
        Source(
            "movietweetings-100k",
            "movietweetings",
            "https://raw.githubusercontent.com/sidooms/MovieTweetings/"
            "4d8280a3f1ea83e3e23f13d1710d19f43564274f/snapshots/100K",
            None,
            (
                Member("ratings.dat", 2_945_101, "c0dd868c2632d10002ebc928ddc5345f33adeaa59eca52c2941c26a2c5e36fd6"),
                Member("movies.dat", 542_192, "e63fb84bc734e3c574f135634a40d3cbafab22b8f94f5fc0b80f80d1d2076efc"),
            ),
            "https://github.com/sidooms/MovieTweetings/tree/master/snapshots/100K",
        ),
    )
}
"""All data sets that can be fetched, by name."""


def fetch(name: str, home: Path, listener: Listener = silent, base_url: str | None = None) -> Path:
    """Download the files of a public data set that are not there yet.

    Parameters
    ----------
    name : str
        A key of `SOURCES`.
    home : pathlib.Path
        The folder of all results; files go to ``downloads/<name>`` in it.
    listener : Listener
        Receives progress in bytes; when it raises, a later call resumes.
    base_url : str, optional
        A mirror; default is ``$GUIDEDREC_DOWNLOAD_URL``, then the original.

    Returns
    -------
    pathlib.Path
        The folder with the files, for the reader `SOURCES[name].format`.

    Raises
    ------
    NotFoundError
        No such data set.
    ConfigError
        The mirror's address is not http or https.
    DownloadError
        The server cannot be reached, refuses, or sends something else; the message says what to do without it.
    """
    if name not in SOURCES:
        raise NotFoundError(f"expected a data set out of {', '.join(SOURCES)}; got {name!r}")
    return fetch_source(SOURCES[name], home, listener, base_url)


def fetch_source(source: Source, home: Path, listener: Listener = silent, base_url: str | None = None) -> Path:
    """Download the missing files of one source; see `fetch`."""
    base = (base_url or os.environ.get(MIRROR_VARIABLE) or source.base_url).rstrip("/")
    if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).netloc:
        raise ConfigError(f"expected a download address that begins with http:// or https://, got {base!r}")
    downloads = home / "downloads"
    folder = downloads / source.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(downloads / f"{source.name}.lock", timeout=_LOCK_SECONDS):
            if all(
                _sound(folder / member.name, member) or (member.optional and not (folder / member.name).exists())
                for member in source.members
            ):
                return folder
            if source.archive is None:
                for member in source.members:
                    if not _sound(folder / member.name, member):
                        _fetch_member(source, member, base, folder, listener)
            else:
                _fetch_archive(source, source.archive, base, folder, listener)
    except filelock.Timeout as error:
        raise DownloadError(f"another process has been fetching {source.name} for ten minutes; try later") from error
    except OSError as error:
        raise DownloadError(
            f"cannot write to {downloads}: {error.strerror or error}; check space and rights"
        ) from error
    return folder


def _fetch_member(source: Source, member: Member, base: str, folder: Path, listener: Listener) -> None:
    """Download one file that is published on its own."""
    part = folder / f"{member.name}.part"
    while True:
        resumed = _download(source, f"{base}/{member.name}", part, listener)
        if _sound(part, member):
            part.replace(folder / member.name)
            return
        if not resumed:
            raise _unexpected(source, part, f"{member.name} is not the file it should be (checksum differs)")
        part.unlink()  # its beginning may be of another version; start again


def _fetch_archive(source: Source, archive: str, base: str, folder: Path, listener: Listener) -> None:
    """Download an archive and extract its members."""
    part = folder.parent / f"{source.name}.zip.part"
    while True:
        resumed = _download(source, f"{base}/{archive}", part, listener)
        problem = _unpack(source, part, folder)
        if problem is None:
            part.unlink()
            return
        if not resumed:
            raise _unexpected(source, part, problem)
        part.unlink()


def _download(source: Source, url: str, part: Path, listener: Listener) -> bool:
    """Download; on failure say what to do without the network. Return whether a download was resumed."""
    try:
        return download(url, part, f"fetch {source.name}", listener)
    except DownloadError as error:
        raise DownloadError(f"{error}. {_by_hand(source)}") from error


def _unpack(source: Source, archive: Path, folder: Path) -> str | None:
    """Extract all members, or none and return what is wrong."""
    contents: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = find_entries(opened)
            for member in source.members:
                entry = entries.get(member.name)
                if entry is None:
                    if member.optional:
                        continue
                    return f"the archive has no {member.name}"
                # Only this many bytes are ever unpacked, and only to this name, whatever the archive says.
                if entry.file_size != member.size:
                    return f"{member.name} has {entry.file_size:,} bytes instead of {member.size:,}"
                with opened.open(entry) as stream:
                    content = stream.read(member.size + 1)
                if hashlib.sha256(content).hexdigest() != member.sha256:
                    return f"{member.name} has another content (checksum differs)"
                contents[member.name] = content
    except UNZIP_ERRORS as error:
        return f"the archive cannot be unpacked ({error})"
    for name, content in contents.items():
        temporary = folder / f"{name}.part"
        temporary.write_bytes(content)
        temporary.replace(folder / name)
    return None


def _sound(path: Path, member: Member) -> bool:
    """Return whether a file is there with the right content."""
    if not path.is_file() or path.stat().st_size != member.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == member.sha256


def _unexpected(source: Source, part: Path, problem: str) -> DownloadError:
    """Set a wrong file aside, so that the next try starts again, and say where it is."""
    aside = part.with_suffix(".unexpected")
    part.replace(aside)
    return DownloadError(
        f"{source.name}: {problem}; what came was set aside as {aside}. Try again; if it stays so, the published data "
        f"have changed: look at {source.page} and import what you trust with `guidedrec data import --format "
        f"{source.format} --path ...`"
    )


def _by_hand(source: Source) -> str:
    return (
        f"This needs the internet. Without: get the files from {source.page} by any way, then "
        f"`guidedrec data import --format {source.format} --path <folder or zip> --name {source.name}`"
    )
