"""RecBole's atomic files: ``<name>.inter`` and ``<name>.item``, tab-separated, ``name:type`` in the header.

Source: https://recbole.io/docs/user_guide/data/atomic_files.html
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data import tables
from guidedrec_core.data.files.place import Place, place_of
from guidedrec_core.data.files.zipped import without_packing
from guidedrec_core.data.formats.source import Files, Source, listings, refuse_options, table_rows
from guidedrec_core.errors import DataError

_TITLES = ("title", "movie_title", "item_name", "name", "product_name", "game_title", "book_title", "track_name")
_CATEGORIES = ("category", "categories", "class", "genre", "genres", "main_category")
_TYPES = ("token", "token_seq", "float", "float_seq")


def read_recbole(files: Files) -> Source:
    """Read a ``.inter`` file, or a folder with one and perhaps an ``.item`` file next to it.

    Parameters
    ----------
    files : Files
        `path` is the folder or the ``.inter`` file; `items_path` may name the ``.item`` file.

    Raises
    ------
    DataError
        No ``.inter`` file, a header without types, or columns missing.
    """
    refuse_options("recbole", files, items=True)
    inter, item = _members(files)
    with tables.scan_table(inter, "csv", ()) as scan:
        types = _types(scan.names, place_of(inter).name)
    columns = {c.USER: "user_id", c.ITEM: "item_id", c.DATETIME: "timestamp", c.WEIGHT: "rating"}
    if "rating" not in types:
        del columns[c.WEIGHT]
    missing = [name for name in columns.values() if name not in types]
    if missing:
        raise DataError(
            f"expected the columns {', '.join(f'{n}:...' for n in columns.values())} in {place_of(inter).name}, "
            f"missing: {', '.join(missing)}; found: {', '.join(scan.names[:50])}. Rename them, or use "
            "--format csv with --map"
        )
    rows = table_rows(inter, "csv", {new: f"{old}:{types[old]}" for new, old in columns.items()})
    return Source(rows, None if item is None else _items(item))


def _members(files: Files) -> tuple[str, str | None]:
    """Find the file of interactions and that of items; they have one name in a folder."""
    place, item = place_of(files.path), None if files.items_path is None else str(files.items_path)
    if not place.exists():
        raise DataError(f"expected a folder or an .inter file at {place}, found nothing; check the path")
    if not place.is_folder():
        return str(files.path), item
    found = place.files(1)
    inter = _ending(found, ".inter")
    if len(inter) != 1:
        names = ", ".join(sorted(found)[:8]) or "nothing"
        raise DataError(
            f"expected one .inter file in the folder {place}, found {len(inter)} among: {names}. Name the file, or "
            "check the --format"
        )
    root = str(files.path).rstrip("/")
    stem = without_packing(inter[0]).removesuffix(".inter")
    beside = [path for path in _ending(found, ".item") if without_packing(path).removesuffix(".item") == stem]
    return f"{root}/{inter[0]}", item or (f"{root}/{beside[0]}" if beside else None)


def _ending(found: Mapping[str, Place], suffix: str) -> list[str]:
    return [path for path in found if PurePosixPath(without_packing(path)).suffix == suffix]


def _types(names: Sequence[str], where: str) -> dict[str, str]:
    """Split a header into names and types."""
    split = [name.rpartition(":") for name in names]
    wrong = [name for name, (field, _, kind) in zip(names, split, strict=True) if not field or kind not in _TYPES]
    if wrong:
        raise DataError(
            f"expected a header of name:type with types out of {', '.join(_TYPES)} in {where}, got "
            f"{', '.join(wrong[:8])}; mend the header, or use --format csv"
        )
    return {field: kind for field, _, kind in split}


def _items(path: str) -> pd.DataFrame:
    """Read an ``.item`` file; several categories are joined by ``|``, everything else keeps its text."""
    frame = tables.load_table(path, "csv").frame
    types = _types(list(frame.columns), place_of(path).name)
    if "item_id" not in types:
        raise DataError(f"expected the column item_id:token in {place_of(path).name}; mend its header")
    frame.columns = pd.Index(list(types))
    title = next((name for name in _TITLES if name in types), None)
    category = next((name for name in _CATEGORIES if name in types), None)
    if category is not None and types[category] == "token_seq":
        frame[category] = frame[category].str.split().str.join("|")
    names = {"item_id": c.ITEM, title: c.TITLE, category: c.CATEGORY}
    return listings(frame.rename(columns={old: new for old, new in names.items() if old is not None}))
