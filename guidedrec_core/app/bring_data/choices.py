"""What a visitor chooses about a file: format, columns, dates, kinds of interaction, ratings, filter, words."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show
from guidedrec_core.app.errors import escaped
from guidedrec_core.config import ReadingConfig
from guidedrec_core.data import tables
from guidedrec_core.data.reading.dates import NAMED, parse_dates
from guidedrec_core.data.reading.guess import first_rows, guess_columns, guess_kind
from guidedrec_core.data.verbs import VERBS
from guidedrec_core.errors import DataError

_FORMATS = {
    "own": "A table of my own (CSV, TSV, Parquet, JSON lines)",
    "recbole": "RecBole atomic files (.inter)",
    "lenskit": "LensKit (user_id, item_id, rating, timestamp)",
    "amazon-2023": "Amazon Reviews 2023",
    "movielens-latest": "MovieLens latest, small, 25M, 32M (zip)",
    "movielens-1m": "MovieLens 1M or 10M (zip)",
    "movielens-100k": "MovieLens 100K (zip)",
    "movietweetings": "MovieTweetings (zip)",
}
_COLUMNS = {
    c.USER: "Who: column with the customer or user",
    c.ITEM: "What: column with the item",
    c.DATETIME: "When: column with the time",
    c.WEIGHT: "Rating or weight (optional)",
    c.EVENT: "Kind of interaction: view, purchase, … (optional)",
}
_DATES = {"": "As in 2024-01-31, or Unix time", **{name: f"With {words}" for name, words in NAMED.items()}}
_REQUIRED = (c.USER, c.ITEM, c.DATETIME)
_NONE = "(none)"
_USUAL_WEIGHTS = {
    "purchase": 1.0,
    "buy": 1.0,
    "order": 1.0,
    "transaction": 1.0,
    "cart": 0.5,
    "addtocart": 0.5,
    "view": 0.2,
}
_SHOWN_DATES = 5


@dataclass(frozen=True)
class Choices:
    """How files are to be imported; ready for JSON."""

    format: str
    path: str
    items: str | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    min_interactions: int = 1
    verb: str | None = None
    currency: str | None = None
    reading: dict[str, Any] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of an import."""
        return {name: value for name, value in asdict(self).items() if value not in (None, {}, "")}


def choose(path: Path, items: Path | None) -> Choices:
    """Show the choices about a file; return what is chosen.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    format = st.selectbox(
        "What is it?", list(_FORMATS), format_func=_FORMATS.__getitem__, key="bring_format", persist_state="session"
    )
    mapping: dict[str, str] = {}
    reading: dict[str, Any] = {}
    if format == "own":
        format = guess_kind(path)
        rows = first_rows(path, format)
        mapping = _columns(list(map(str, rows.columns)), str(path))
        show.table(rows.head(8).astype("str"), hide_index=True, key="bring_rows", alt="The first rows of the file")
        reading = _reading(rows, path, format, mapping)
        if items is not None:
            mapping |= _item_columns(items)
    left, right = show.pair()
    with left:
        minimum = st.number_input(
            "Keep customers and items with at least this many interactions",
            1,
            100,
            5,
            key="bring_core",
            persist_state="session",
            help="Applied again and again until it holds for all (K-core). 5 is usual in research; 1 keeps all.",
        )
    with right:
        guessed = "(guess)"
        verb = st.selectbox(
            "What did people do with the items?", [guessed, *VERBS], key="bring_verb", persist_state="session"
        )
    currency = None
    if items is not None:
        currency = st.text_input(
            "Currency of the prices", max_chars=3, placeholder="EUR", key="bring_currency", persist_state="session"
        )
    chosen = {key: column for key, column in mapping.items() if key != column or key == c.EVENT}
    return Choices(
        format,
        str(path),
        None if items is None else str(items),
        chosen,
        int(minimum),
        None if verb == guessed else verb,
        currency or None,
        reading,
    )


def _columns(names: list[str], file: str) -> dict[str, str]:
    """Let the visitor say which column is which; guessed to begin with."""
    guessed = guess_columns(names)
    if st.session_state.get("bring_columns_of") != file:  # another file: guess anew
        st.session_state["bring_columns_of"] = file
        for key in _COLUMNS:
            st.session_state[f"bring_column_{key}"] = guessed.get(key, _NONE)
    found = {}
    grid = st.grid(len(_COLUMNS), min_column_width=230)
    for key, label in _COLUMNS.items():
        with grid.cell():
            column = st.selectbox(label, [_NONE, *names], key=f"bring_column_{key}", persist_state="session")
        if column != _NONE:
            found[key] = column
    missing = [label for key, label in _COLUMNS.items() if key in _REQUIRED and key not in found]
    if missing:
        raise DataError(f"choose the columns above that say: {'; '.join(label.partition(':')[0] for label in missing)}")
    return found


def _item_columns(items: Path) -> dict[str, str]:
    """Guess the columns of a table of items where they have other names."""
    names = list(map(str, tables.read_table(items).columns))
    wanted = (c.TITLE, c.CATEGORY, c.PRICE, c.DESCRIPTION, c.IMAGE, c.CURRENCY)
    return {key: column for key, column in guess_columns(names, wanted).items() if key != column}


def _reading(rows: pd.DataFrame, path: Path, kind: tables.Kind, mapping: dict[str, str]) -> dict[str, Any]:
    """Let the visitor say how dates are written, what kinds count, and from which rating on."""
    reading: dict[str, Any] = {}
    left, right = show.pair()
    with left:
        if c.DATETIME in mapping:
            reading["date_format"] = _dates(rows[mapping[c.DATETIME]])
    with right:
        if c.WEIGHT in mapping and st.checkbox("Leave out disliked items", key="bring_liked", persist_state="session"):
            reading["min_rating"] = st.number_input(
                "Least rating to keep", value=3.5, step=0.5, key="bring_rating", persist_state="session"
            )
    if c.EVENT in mapping:
        reading["event_weights"] = _kinds(path, kind, mapping[c.EVENT])
    found = {name: value for name, value in reading.items() if value not in (None, "", {})}
    return ReadingConfig.parse(found).model_dump(mode="json", exclude_defaults=True)


def _dates(cells: pd.Series) -> str:
    own = "own"
    options = {**_DATES, own: "In another way"}
    chosen: str = st.selectbox(
        "How are dates written?", list(options), format_func=options.__getitem__, key="bring_dates",
        persist_state="session",
    )  # fmt: skip
    if chosen == own:
        chosen = st.text_input(
            "Pattern of the dates",
            "%d.%m.%Y %H:%M",
            key="bring_pattern",
            persist_state="session",
            help="%Y year, %m month, %d day, %H hour, %M minute, %S second, %b short name of the month.",
        )
    first = cells.dropna().astype("str").head(_SHOWN_DATES)
    if chosen and len(first):
        read = parse_dates(first, chosen)
        pairs = [
            f"{cell} is {moment:%d %B %Y}" if not pd.isna(moment) else f"{cell} cannot be read so"
            for cell, moment in zip(first, read, strict=True)
        ]
        show.note(f"Read this way: {'; '.join(pairs)}.")
    return chosen


@st.cache_data(max_entries=16, show_spinner="Counting the kinds of interaction …")
def _counted(path: str, modified: float, kind: tables.Kind, column: str) -> dict[str, int]:
    """Count the kinds in a column of a file; `modified` is a part of the cache's key."""
    counts: dict[str, int] = {}
    with tables.scan_table(path, kind, {column}) as scan:
        for piece in scan.pieces:
            for name, count in piece.column(column).to_pandas().astype("str").value_counts().items():
                counts[str(name).strip()] = counts.get(str(name).strip(), 0) + int(count)
    return dict(sorted(counts.items(), key=lambda pair: -pair[1])[:20])


def _kinds(path: Path, kind: tables.Kind, column: str) -> dict[str, float]:
    """Let the visitor weigh each kind of interaction."""
    counts = _counted(str(path), path.stat().st_mtime, kind, column)
    show.note("How much does each kind of interaction count? 0 leaves a kind out.")
    grid, weights = st.grid(min(len(counts), 4) or 1, min_column_width=200), {}
    for name, count in counts.items():
        usual = _USUAL_WEIGHTS.get(name.casefold().replace("_", "").replace(" ", ""), 1.0)
        with grid.cell():
            weights[name] = st.number_input(
                f"{escaped(name)} ({count:,})", 0.0, 100.0, usual, 0.1, key=f"bring_kind_{name}",
                persist_state="session",
            )  # fmt: skip
    return weights
