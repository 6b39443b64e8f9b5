"""Files of a data set that comes as several: found by name in a folder or a zip archive."""

import contextlib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from guidedrec_core.data.files.place import Place, reason_of
from guidedrec_core.data.files.plain import Plain, open_plain, refuse_bomb
from guidedrec_core.data.files.zipped import UNZIP_ERRORS, find_entries
from guidedrec_core.errors import DataError


@dataclass(frozen=True)
class Member:
    """One file of a data set: where it lies, or in which archive and under which name."""

    place: Place
    entry: str | None = None

    @contextlib.contextmanager
    def open(self) -> Iterator[Plain]:
        """Open the file as a stream of plain bytes.

        Raises
        ------
        DataError
            It cannot be read, or the archive is damaged.
        """
        if self.entry is None:
            with open_plain(self.place) as plain:
                yield plain
            return
        with _archive(self.place) as archive:
            entry = archive.getinfo(self.entry)
            name = PurePosixPath(self.entry).name
            refuse_bomb(entry.compress_size, entry.file_size, f"{name} in {self.place}")
            try:
                stream = archive.open(entry)
            except UNZIP_ERRORS as error:
                raise _damaged(self.place, error) from error
            with stream:
                yield Plain(stream, name, name)


def find_members(place: Place, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Member]:
    """Find files by name in a folder or a zip archive; they may lie in one folder inside it.

    Returns
    -------
    dict of str to Member
        By file name; optional files that are not there are left out.

    Raises
    ------
    DataError
        Nothing at `place`, a damaged archive, or required files missing (all are named).
    """
    if not place.exists():
        raise DataError(f"expected a folder or a zip archive at {place}, found nothing; check the path")
    return (_in_folder if place.is_folder() else _in_zip)(place, required, optional)


def _in_folder(place: Place, required: Sequence[str], optional: Sequence[str]) -> dict[str, Member]:
    files = place.files(1)
    # The folder itself goes first; an archive unpacked into it often brings a folder of its own.
    folders = ["", *(path.partition("/")[0] + "/" for path in files if "/" in path)]
    folder = next((one for one in folders if all(one + name in files for name in required)), "")
    missing = [name for name in required if folder + name not in files]
    found = list(dict.fromkeys(path.partition("/")[0] for path in files))
    _refuse_missing(missing, required, found, f"the folder {place}")
    return {name: Member(files[folder + name]) for name in (*required, *optional) if folder + name in files}


def _in_zip(place: Place, required: Sequence[str], optional: Sequence[str]) -> dict[str, Member]:
    with _archive(place) as archive:
        entries = find_entries(archive)
    missing = [name for name in required if name not in entries]
    _refuse_missing(missing, required, list(entries), f"the archive {place}")
    return {name: Member(place, entries[name].filename) for name in (*required, *optional) if name in entries}


@contextlib.contextmanager
def _archive(place: Place) -> Iterator[zipfile.ZipFile]:
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(contextlib.closing(place.open()))
        if not zipfile.is_zipfile(file):
            reason = "is neither; name the folder it lies in"
            if place.name.lower().endswith(".zip"):
                reason = "is damaged or incomplete; download it again"
            raise DataError(f"expected a folder or a zip archive, {place} {reason}")
        errors: tuple[type[Exception], ...] = (*UNZIP_ERRORS, *place.read_errors)
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
        except errors as error:
            raise _damaged(place, error) from error
        yield archive


def _damaged(place: Place, error: Exception) -> DataError:
    return DataError(f"the archive {place} cannot be unpacked ({reason_of(error)}); download it again")


def _refuse_missing(missing: Sequence[str], required: Sequence[str], found: Sequence[str], where: str) -> None:
    if missing:
        shown = ", ".join(sorted(found)[:8]) + (", ..." if len(found) > 8 else "") if found else "nothing"
        raise DataError(
            f"expected {', '.join(required)} in {where}, missing: {', '.join(missing)}; found: {shown}. "
            "Check the path and the --format"
        )
