"""Guesses about a file that somebody brings: its format, what its columns are, and its first rows."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from guidedrec_core import columns as c
from guidedrec_core.data import tables
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.files.plain import PARQUET, open_plain
from guidedrec_core.data.files.table import LONGEST_NAME

# Names are compared without case, spaces and underscores; the first of them that a file has is taken.
_NAMES = {
    c.USER: "user_id user customer_id customer userid uid member_id visitor_id reviewer_id account_id client_id",
    c.ITEM: "item_id item product_id product sku parent_asin asin movie_id article_id itemid track_id book_id game_id",
    c.DATETIME: "datetime timestamp date time created_at bought_at bought purchased_at "
    "purchased ordered_at order_date event_time when",
    c.WEIGHT: "weight rating stars score quantity",
    c.EVENT: "event event_type behavior behavior_type behaviour interaction_type action",
    c.TITLE: "title name product_name item_name movie_title",
    c.CATEGORY: "category categories genre genres main_category department class",
    c.PRICE: "price unit_price",
    c.DESCRIPTION: "description text",
    c.IMAGE: "image image_url picture thumbnail",
    c.CURRENCY: "currency",
}
_MOST_ROWS = 20


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-.]", "", name).casefold()


def guess_columns(names: Sequence[str], wanted: Sequence[str] = (*c.INTERACTIONS, c.EVENT)) -> dict[str, str]:
    """Guess which column of a file is which; what no column looks like is left out.

    Examples
    --------
    >>> guess_columns(["Customer ID", "SKU", "bought_at", "shop"])
    {'user_id': 'Customer ID', 'item_id': 'SKU', 'datetime': 'bought_at'}
    """
    known = {_plain(name): name for name in reversed(names)}
    found: dict[str, str] = {}
    for key in wanted:
        choices = [known[_plain(name)] for name in _NAMES[key].split() if _plain(name) in known]
        free = [name for name in choices if name not in found.values()]
        if free:
            found[key] = free[0]
    return found


def guess_kind(path: Path | str) -> tables.Kind:
    """Tell a Parquet file, JSON lines and delimited text apart, by their first bytes.

    Raises
    ------
    DataError
        There is no file, or one that cannot be unpacked.
    """
    with open_plain(place_of(path)) as plain:
        if plain.peek(4) == PARQUET:
            return "parquet"
        return "jsonl" if plain.peek(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "csv"


def first_rows(path: Path | str, kind: tables.Kind) -> pd.DataFrame:
    """Read the first rows of a table with all columns, as they are written.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    if kind == "jsonl":
        with open_plain(place_of(path)) as plain:
            head = plain.read(1 << 18)
        lines = head.splitlines()[: _MOST_ROWS + 1]
        from guidedrec_core.data.files.json_lines import read_json_lines
        from guidedrec_core.data.files.plain import Plain

        whole = lines if len(head) < 1 << 18 or len(lines) > _MOST_ROWS else lines[:-1]
        return read_json_lines(Plain.of_bytes(b"\n".join(whole[:_MOST_ROWS]), place_of(path).name)).frame
    with tables.scan_table(path, kind, _All()) as scan:
        piece: pa.Table = next(iter(scan.pieces), None)
        if piece is None:
            return pd.DataFrame({name: pd.Series(dtype="str") for name in scan.names})
        frame: pd.DataFrame = piece.slice(0, _MOST_ROWS).to_pandas()
        return frame


class _All(frozenset[str]):
    """Holds every column name."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and len(name) <= LONGEST_NAME
