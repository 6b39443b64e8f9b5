"""Amazon Reviews 2023: reviews and items as JSON lines, or the 5-core CSV files; items are named by ``parent_asin``.

Source: https://amazon-reviews-2023.github.io/
"""

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data import tables
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.files.plain import open_plain
from guidedrec_core.data.files.zipped import without_packing
from guidedrec_core.data.formats.source import Files, Source, listings, refuse_options, table_rows
from guidedrec_core.errors import DataError

_REVIEWS = {c.USER: "user_id", c.ITEM: "parent_asin", c.DATETIME: "timestamp", c.WEIGHT: "rating"}
_ITEMS = ("parent_asin", "title", "main_category", "categories", "description", "features", "price", "store", "images")
_FACTS = {
    "licence": "Amazon Reviews 2023: for research; the reviews belong to their authors",
    "citation": "Yupeng Hou, Jiacheng Li, Zhankui He, An Yan, Xiusi Chen and Julian McAuley. 2024. Bridging Language "
    "and Items for Retrieval and Recommendation. arXiv:2403.03952",
}
_CURRENCY = "USD"
_LONGEST_TEXT = 2_000


def read_amazon_2023(files: Files) -> Source:
    """Read reviews, and the items next to them.

    Parameters
    ----------
    files : Files
        `path` is the reviews' file (``All_Beauty.jsonl.gz``, or a CSV file such as ``All_Beauty.train.csv.gz``), or a
        folder with it and ``meta_All_Beauty.jsonl.gz``; `items_path` may name the latter.

    Raises
    ------
    DataError
        No such file, several of them, or columns missing.
    """
    refuse_options("amazon-2023", files, items=True)
    reviews, meta = _members(files)
    place = place_of(reviews)
    with open_plain(place) as plain:
        kind: tables.Kind = "jsonl" if plain.peek(1) == b"{" else "csv"
    if kind == "csv":
        with tables.scan_table(reviews, "csv", ()) as scan:
            tables.refuse_missing(scan.names, _REVIEWS, place.name, "Use the files as they are published")
    return Source(table_rows(reviews, kind, _REVIEWS), None if meta is None else _items(meta), facts=_FACTS)


def _members(files: Files) -> tuple[str, str | None]:
    """Find the reviews and the items; items have the same name with ``meta_`` before it."""
    place, meta = place_of(files.path), None if files.items_path is None else str(files.items_path)
    if not place.exists():
        raise DataError(f"expected the reviews' file or its folder at {place}, found nothing; check the path")
    if not place.is_folder():
        return str(files.path), meta
    found = {path: _stem(path) for path in place.files(1) if _is_table(path)}
    reviews = [path for path, stem in found.items() if not stem.startswith("meta_")]
    if len(reviews) != 1:
        shown = ", ".join(sorted(place.files(1))[:8]) or "nothing"
        raise DataError(
            f"expected one file of reviews (.jsonl or .csv) in the folder {place}, found {len(reviews)} among: "
            f"{shown}. Name the file with --path and its meta file with --items"
        )
    root = str(files.path).rstrip("/")
    beside = [path for path, stem in found.items() if stem.startswith("meta_")]
    return f"{root}/{reviews[0]}", meta or (f"{root}/{beside[0]}" if len(beside) == 1 else None)


def _is_table(path: str) -> bool:
    return without_packing(path).endswith((".jsonl", ".csv"))


def _stem(path: str) -> str:
    return PurePosixPath(without_packing(path)).name.partition(".")[0]


def _items(path: str) -> pd.DataFrame:
    """Read the items: the main category, then the finer ones; price in US dollars; address of the first picture."""
    table = tables.load_table(path, "jsonl", _ITEMS)
    name = place_of(path).name
    tables.refuse_missing(table.columns, {c.ITEM: "parent_asin", c.TITLE: "title"}, name, "Use the files as published")
    frame = table.frame.reindex(columns=list(_ITEMS))
    found = pd.DataFrame({c.ITEM: frame["parent_asin"], c.TITLE: frame["title"]})
    found[c.CATEGORY] = [_categories(*both) for both in zip(frame["main_category"], frame["categories"], strict=True)]
    found[c.PRICE] = frame["price"]
    found[c.DESCRIPTION] = [_text(*both) for both in zip(frame["description"], frame["features"], strict=True)]
    found["store"] = frame["store"].fillna("")
    found[c.IMAGE] = frame["images"].map(_picture, na_action="ignore").fillna("")
    found[c.CURRENCY] = _CURRENCY
    return listings(found)


def _categories(main: Any, finer: Any) -> str:
    """Join categories, each once; a list came as ``"a|b"``."""
    parts = [] if pd.isna(main) else [str(main)]
    if not pd.isna(finer) and finer != "[]":
        parts += [part.strip() for part in str(finer).split("|")]
    return "|".join(dict.fromkeys(part for part in parts if part))


def _text(description: Any, features: Any) -> str:
    """Return the description, or the features where there is none, as sentences."""
    for value in (description, features):
        if not pd.isna(value) and str(value) not in ("", "[]"):
            return " ".join(str(value).split("|"))[:_LONGEST_TEXT].strip()
    return ""


def _picture(images: str) -> str:
    """Return the address of the first picture: a list of objects with a picture in several sizes."""
    try:
        found = json.loads(images)
    except ValueError:
        return ""
    first: Any = found[0] if isinstance(found, list) and found else {}
    if not isinstance(first, Mapping):
        return ""
    return str(next((first[size] for size in ("thumb", "large", "hi_res") if first.get(size)), ""))
