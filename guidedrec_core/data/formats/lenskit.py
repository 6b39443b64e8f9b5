"""LensKit's tables: ``user_id, item_id, rating, timestamp``; ``user`` and ``item`` before 2025; any of our packings."""

from guidedrec_core import columns as c
from guidedrec_core.data import tables
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.files.plain import PARQUET, open_plain
from guidedrec_core.data.formats.own import read_items
from guidedrec_core.data.formats.source import Files, Source, refuse_options, table_rows
from guidedrec_core.data.reading.rows import Rows
from guidedrec_core.data.reading.staging import can_stage

_ADVICE = "LensKit calls them user_id, item_id, rating, timestamp; use --format csv with --map for other names"
_NAMES = {c.USER: ("user_id", "user"), c.ITEM: ("item_id", "item"), c.DATETIME: ("timestamp",), c.WEIGHT: ("rating",)}


def read_lenskit(files: Files) -> Source:
    """Read a table of interactions (CSV, TSV or Parquet); a table of items may be named.

    Raises
    ------
    DataError
        Columns are missing; all are named.
    """
    refuse_options("lenskit", files, items=True)
    place = place_of(files.path)
    with open_plain(place) as plain:
        kind: tables.Kind = "parquet" if plain.peek(4) == PARQUET else "csv"
    with tables.scan_table(files.path, kind, {name for names in _NAMES.values() for name in names}) as scan:
        columns = {new: next((n for n in old if n in scan.names), old[0]) for new, old in _NAMES.items()}
        if columns[c.WEIGHT] not in scan.names:
            del columns[c.WEIGHT]  # implicit feedback
        tables.refuse_missing(scan.names, columns, place.name, _ADVICE)
        stageable = can_stage(scan.schema)
    rows = table_rows(files.path, kind, columns)
    return Source(rows if stageable else Rows(rows.frame, where=rows.where), read_items(files))
