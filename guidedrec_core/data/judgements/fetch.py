"""Fetch the survey behind the Tag Genome from GroupLens: two small files of an archive of about 1.8 GB.

Where the server sends parts of files, only these two are transferred; else all of the archive is, resumably, and then
removed. Neither the archive nor its members have published checksums: a member is checked by the archive's own (CRC),
and by being read.
"""

import os
import tempfile
import zipfile
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import filelock

from guidedrec_core.data.fetch import MIRROR_VARIABLE
from guidedrec_core.data.files.members import find_members
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.files.ranged import NoRangesError, open_ranged
from guidedrec_core.data.files.transfer import download
from guidedrec_core.data.files.zipped import UNZIP_ERRORS, find_entries
from guidedrec_core.data.judgements import SURVEY
from guidedrec_core.data.judgements.survey import ANSWERS, TAGS, read_survey
from guidedrec_core.errors import ConfigError, DataError, DownloadError, NotFoundError
from guidedrec_core.progress import Listener, StageProgress, silent

BASE_URL, ARCHIVE = "https://files.grouplens.org/datasets/tag-genome-2021", "genome_2021.zip"
PAGE = f"{BASE_URL}/"
LICENCE = "CC BY-NC 3.0 (GroupLens): not for commercial use; cite Vig, Sen and Riedl 2012 and Kotkov et al. 2021"

_FILES = (ANSWERS, TAGS)
_LARGEST = 100_000_000  # the answers take about 4 MB
_LOCK_SECONDS = 600.0


def survey_folder(home: Path) -> Path:
    """Return where the fetched survey lies, ready for `read_survey`.

    Raises
    ------
    NotFoundError
        It was not fetched.
    """
    folder = home / "downloads" / SURVEY
    if not all((folder / name).is_file() for name in _FILES):
        raise NotFoundError(
            f"the survey behind the Tag Genome is not here; get it with `guidedrec data fetch {SURVEY}`, or pass a "
            "table of judgements of your own: `--human judgements.csv`"
        )
    return folder


def fetch_survey(
    home: Path, listener: Listener = silent, path: Path | str | None = None, base_url: str | None = None
) -> Path:
    """Make the survey's answers present; nothing is transferred when they are already.

    Parameters
    ----------
    home : pathlib.Path
        The folder of all results; files go to ``downloads/tag-genome-survey`` in it.
    listener : Listener
        Receives progress in bytes; when it raises, a later call goes on.
    path : Path or str, optional
        GroupLens' archive, or the unpacked folder ``raw``, where it is at hand; nothing is transferred then.
    base_url : str, optional
        A mirror; default is ``$GUIDEDREC_DOWNLOAD_URL``, then GroupLens.

    Returns
    -------
    pathlib.Path
        The folder with the files.

    Raises
    ------
    ConfigError
        The mirror's address is not http or https.
    DataError
        At `path` is no survey.
    DownloadError
        The server cannot be reached, refuses, or sends something else; says what to do without it.
    """
    base = (base_url or os.environ.get(MIRROR_VARIABLE) or BASE_URL).rstrip("/")
    if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).netloc:
        raise ConfigError(f"expected a download address that begins with http:// or https://, got {base!r}")
    downloads = home / "downloads"
    folder = downloads / SURVEY
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(downloads / f"{SURVEY}.lock", timeout=_LOCK_SECONDS):
            if path is None and all((folder / name).is_file() for name in _FILES):
                return folder
            contents = _copied(path) if path is not None else _downloaded(f"{base}/{ARCHIVE}", downloads, listener)
            _keep(contents, folder)
    except filelock.Timeout as error:
        raise DownloadError(f"another process has been fetching {SURVEY} for ten minutes; try later") from error
    except OSError as error:
        raise DownloadError(
            f"cannot write to {downloads}: {error.strerror or error}; check space and rights"
        ) from error
    return folder


def _copied(path: Path | str) -> dict[str, bytes]:
    """Read the files from a folder or archive on this machine."""
    contents = {}
    for name, member in find_members(place_of(path), _FILES).items():
        with member.open() as plain:
            contents[name] = plain.read(_LARGEST + 1)
    return _small(contents, str(path))


def _downloaded(url: str, downloads: Path, listener: Listener) -> dict[str, bytes]:
    """Take the files out of the archive on the server."""
    stage = f"fetch {SURVEY}"
    progress = StageProgress(stage, 0, listener)

    def heard(count: int) -> None:
        progress.done += count
        progress.say(f"{progress.done / 1e6:.1f} MB")

    try:
        try:
            with open_ranged(url, heard) as file:
                return _unpacked(file, url)
        except NoRangesError:
            part = downloads / f"{SURVEY}.zip.part"
            download(url, part, stage, listener)
            with part.open("rb") as file:
                contents = _unpacked(file, url)
            part.unlink()
            return contents
    except DownloadError as error:
        raise DownloadError(
            f"{error}. Without the internet: get {ARCHIVE} (about 1.8 GB) from {PAGE} by any way, then "
            f"`guidedrec data fetch {SURVEY} --path {ARCHIVE}`"
        ) from error


def _unpacked(file: IO[bytes], source: str) -> dict[str, bytes]:
    """Read the files out of an open archive."""
    contents = {}
    try:
        with zipfile.ZipFile(file) as archive:
            entries = find_entries(archive)
            for name in _FILES:
                if name not in entries:
                    raise DownloadError(f"the archive {source} has no {name}")
                with archive.open(entries[name]) as stream:
                    contents[name] = stream.read(_LARGEST + 1)
    except UNZIP_ERRORS as error:
        raise DownloadError(f"the archive {source} cannot be unpacked ({error})") from error
    return _small(contents, source)


def _small(contents: dict[str, bytes], source: str) -> dict[str, bytes]:
    for name, content in contents.items():
        if len(content) > _LARGEST:
            raise DataError(f"expected at most {_LARGEST:,} bytes in {name} of {source}, found more; is it the survey?")
    return contents


def _keep(contents: dict[str, bytes], folder: Path) -> None:
    """Read the files once, then put them in their place."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        for file, content in contents.items():
            (Path(name) / file).write_bytes(content)
        read_survey(Path(name))
        for file in contents:
            (Path(name) / file).replace(folder / file)
