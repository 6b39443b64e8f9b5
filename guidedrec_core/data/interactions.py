"""`Interactions`: the validated, frozen table everything else starts from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.verbs import CHOSE, InteractionVerb
from guidedrec_core.errors import DataError

# Unix times of 1973..5138 in seconds lie below this, of 1973.. in milliseconds above it.
_MILLISECONDS_FROM = 1e11
# 19000101..21001231: dates written as numbers, which as Unix seconds would all fall into a few weeks of 1970.
_COMPACT_DATES = (19_000_101, 21_001_231)
_EARLIEST = pd.Timestamp("1970-01-02")
_LATEST = pd.Timestamp("2100-01-01")


@dataclass(frozen=True)
class Interactions:
    """Which user interacted with which item, when; in time order within each user.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns ``user_id`` (str), ``item_id`` (str), ``datetime`` (datetime64, UTC without a zone) and ``weight``
        (float64, > 0 is not required), sorted by user (in order of first appearance of the id when sorted as text)
        and time; interactions of one user at the same time keep the order of the source. Treat as read-only.
    """

    frame: pd.DataFrame

    def __post_init__(self) -> None:
        """Check the promises above; `clean` makes them true."""
        missing = [name for name in c.INTERACTIONS if name not in self.frame.columns]
        if missing:
            raise DataError(f"interactions need the columns {', '.join(c.INTERACTIONS)}; missing: {', '.join(missing)}")
        if self.frame.empty:
            raise DataError("expected at least one interaction, got none; check the file and the filters")
        if self.frame[list(c.INTERACTIONS)].isna().any(axis=None):
            raise DataError("interactions must have no missing values; use Interactions.clean")
        order = self.frame[c.USER].ne(self.frame[c.USER].shift()) | (self.frame[c.DATETIME].diff() >= pd.Timedelta(0))
        if not order.all() or self.frame[c.USER].ne(self.frame[c.USER].shift()).sum() != self.frame[c.USER].nunique():
            raise DataError("interactions must be sorted by user and time; use Interactions.clean")

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def clean(cls, raw: pd.DataFrame, verb: InteractionVerb = CHOSE) -> tuple["Interactions", tuple[Notice, ...]]:
        """Validate a raw table, mend what can be mended, and say so.

        Parameters
        ----------
        raw : pandas.DataFrame
            At least ``user_id``, ``item_id``, ``datetime``; optional ``weight`` (default 1). Times may be datetimes,
            text, or Unix seconds or milliseconds (told apart by magnitude).
        verb : InteractionVerb
            How the notices speak of interactions.

        Returns
        -------
        tuple of (Interactions, tuple of Notice)
            The clean table, and every change with its count.

        Raises
        ------
        DataError
            Columns missing, no rows, missing ids, unreadable times or weights. Nothing is dropped to make it fit.
        """
        needed = (c.USER, c.ITEM, c.DATETIME)
        missing = [name for name in needed if name not in raw.columns]
        if missing:
            found = ", ".join(map(str, raw.columns))
            raise DataError(
                f"expected the columns {', '.join(needed)}, missing: {', '.join(missing)}; found: {found}. "
                f"Name the right ones with --map, e.g. --map {missing[0]}=<column of the file>"
            )
        if raw.empty:
            raise DataError("expected at least one interaction, got an empty table")
        notices: list[Notice] = []
        users = clean_ids(raw[c.USER], "user", notices)
        items = clean_ids(raw[c.ITEM], "item", notices)
        times = _clean_times(raw[c.DATETIME], notices)
        weights = _clean_weights(raw[c.WEIGHT]) if c.WEIGHT in raw.columns else np.ones(len(raw))
        frame = pd.DataFrame({c.USER: users, c.ITEM: items, c.DATETIME: times, c.WEIGHT: weights}).reset_index(
            drop=True
        )
        doubled = frame.duplicated([c.USER, c.ITEM, c.DATETIME])
        if doubled.any():
            count = int(doubled.sum())
            same = "(same user, item and time), left out"
            notices.append(
                Notice.counted("duplicate_rows", count, f"row repeats another {same}", f"rows repeat another {same}")
            )
            frame = frame[~doubled]
        repeated = int(frame.duplicated([c.USER, c.ITEM]).sum())
        if repeated:
            notices.append(Notice("repeated_items", repeated, f"{verb.count(repeated, 'repeat')}, kept"))
        frame = frame.sort_values([c.USER, c.DATETIME], kind="stable").reset_index(drop=True)
        return cls(frame), tuple(notices)


def clean_ids(values: pd.Series, kind: str, notices: list[Notice]) -> pd.Series:
    """Turn ids into text; trim white space at the ends and say so.

    Parameters
    ----------
    values : pandas.Series
        Ids of any type; floating point numbers without a fraction lose their ``.0``.
    kind : str
        What they name, for messages.
    notices : list of Notice
        Appended to when ids were changed.

    Returns
    -------
    pandas.Series
        Text, same index.

    Raises
    ------
    DataError
        An id is missing or blank.
    """
    absent = values.isna()
    if pd.api.types.is_float_dtype(values) and not absent.any() and (values % 1 == 0).all():
        values = values.astype("int64")
    text = values.astype("str")
    trimmed = text.str.strip()
    absent |= trimmed == ""
    if absent.any():
        raise DataError(
            f"expected a {kind} id in every row, {int(absent.sum()):,} of {len(values):,} have none "
            f"(first: row {int(np.flatnonzero(absent.to_numpy())[0]) + 1}); fill or remove these rows"
        )
    changed = int((trimmed != text).sum())
    if changed:
        code = f"{kind.replace(' ', '_')}_ids_trimmed"
        notices.append(
            Notice.counted(
                code,
                changed,
                f"{kind} id had spaces around it, trimmed",
                f"{kind} ids had spaces around them, trimmed",
            )
        )
    return trimmed


def _clean_times(values: pd.Series, notices: list[Notice]) -> pd.Series:
    """Parse times of any usual form into datetime64 without a zone (UTC)."""
    if not pd.api.types.is_datetime64_any_dtype(values):
        numbers = pd.to_numeric(values, errors="coerce").astype("float64")
        numbers = numbers.where(np.isfinite(numbers))
        if numbers.notna().mean() > 0.5:  # mostly numbers: the others are the mistakes
            _refuse_unreadable(values, numbers.isna())
            return _times_from_numbers(values, numbers, notices)
    times = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601").dt.tz_localize(None)
    _refuse_unreadable(values, times.isna())
    times = times.astype("datetime64[us]")
    outside = (times < _EARLIEST) | (times > _LATEST)
    if outside.any():
        raise DataError(
            f"expected times between 1970 and 2100, {int(outside.sum()):,} of {len(values):,} lie outside "
            f"(first: '{values[outside].iloc[0]}'); check the time column"
        )
    return times


def _times_from_numbers(values: pd.Series, numbers: pd.Series, notices: list[Notice]) -> pd.Series:
    """Read finite numbers as Unix seconds or milliseconds, told apart by magnitude."""
    if numbers.between(*_COMPACT_DATES).all() and (numbers % 1 == 0).all():
        raise DataError(
            f"expected times as ISO 8601 text, Unix seconds or milliseconds; '{values.iloc[0]}' looks like a date "
            "without hyphens; write 2020-01-31, not 20200131"
        )
    milliseconds = bool(numbers.abs().median() >= _MILLISECONDS_FROM)
    unit = "milliseconds" if milliseconds else "seconds"
    other = (numbers.abs() >= _MILLISECONDS_FROM) != milliseconds
    if other.any():
        raise DataError(
            f"expected times in one unit, most look like Unix {unit}, but {int(other.sum()):,} of {len(values):,} "
            f"do not (first: '{values[other].iloc[0]}'); convert the column to one unit"
        )
    seconds = numbers / 1_000 if milliseconds else numbers
    outside = (seconds < _EARLIEST.timestamp()) | (seconds > _LATEST.timestamp())
    if outside.any():  # checked before conversion, because micro- and nanoseconds would overflow there
        raise DataError(
            f"expected times between 1970 and 2100, {int(outside.sum()):,} of {len(values):,} lie outside "
            f"(first: '{values[outside].iloc[0]}' read as Unix {unit}); check the time column and its unit"
        )
    notices.append(Notice("time_unit", len(values), f"times were read as Unix {unit}"))
    # Whole seconds or milliseconds stay exact; fractions of a second are kept to the microsecond.
    microseconds = (numbers * (1_000 if milliseconds else 1_000_000)).round().astype("int64")
    return pd.Series(pd.to_datetime(microseconds, unit="us"), index=values.index)


def _refuse_unreadable(values: pd.Series, bad: pd.Series) -> None:
    """Raise when some times could not be read."""
    if bad.any():
        raise DataError(
            f"expected times as ISO 8601 text, Unix seconds or milliseconds; {int(bad.sum()):,} of {len(values):,} "
            f"cannot be read (first: '{values[bad].iloc[0]}' in row {int(np.flatnonzero(bad.to_numpy())[0]) + 1}); "
            "convert or remove these rows"
        )


def _clean_weights(values: pd.Series) -> Any:
    """Parse weights as finite numbers."""
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise DataError(
            f"expected a number as weight in every row, {int(bad.sum()):,} of {len(values):,} are not "
            f"(first: '{values[bad].iloc[0]}'); fix the column or leave it out"
        )
    return numbers.to_numpy()


def core_filter(interactions: Interactions, minimum: int) -> tuple[Interactions, tuple[Notice, ...]]:
    """Keep users and items with at least `minimum` interactions, repeatedly, until all have them (k-core).

    Parameters
    ----------
    interactions : Interactions
        The table.
    minimum : int
        At least this many distinct interactions for every user and item; 1 keeps all.

    Returns
    -------
    tuple of (Interactions, tuple of Notice)
        The k-core and what was left out.

    Raises
    ------
    DataError
        Nothing is left.
    """
    frame = interactions.frame
    while True:
        kept = frame
        for key in (c.USER, c.ITEM):
            kept = kept[kept.groupby(key, sort=False)[c.WEIGHT].transform("size") >= minimum]
        if len(kept) == len(frame):
            break
        frame = kept
    left_out = len(interactions) - len(frame)
    if frame.empty:
        raise DataError(f"no interactions are left when every user and item needs {minimum}; lower --min-interactions")
    if not left_out:
        return interactions, ()
    users = interactions.frame[c.USER].nunique() - frame[c.USER].nunique()
    items = interactions.frame[c.ITEM].nunique() - frame[c.ITEM].nunique()
    notice = Notice(
        "core_filter",
        left_out,
        f"{left_out:,} interactions, {users:,} users and {items:,} items were left out, because every user and item "
        f"needs at least {minimum} interactions",
    )
    return Interactions(frame.reset_index(drop=True)), (notice,)
