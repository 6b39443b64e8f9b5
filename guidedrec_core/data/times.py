"""Times in any usual form: datetimes, ISO 8601 text, Unix seconds or milliseconds."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import DataError

# Unix times of 1973..5138 are below this in seconds, and those of 1973.. are above it in milliseconds.
_MILLISECONDS_FROM = 1e11
# 19000101..21001231: dates written as numbers, which as Unix seconds would all fall into a few weeks of 1970.
_COMPACT_DATES = (19_000_101, 21_001_231)
_SECONDS_OF_1970 = 365 * 86_400
_EARLIEST = pd.Timestamp("1970-01-02")
_LATEST = pd.Timestamp("2100-01-01")
# Text is parsed in pieces, because pandas makes a Python object of every cell.
_ROWS_AT_ONCE = 100_000


def clean_times(values: pd.Series, notices: list[Notice]) -> npt.NDArray[np.int64]:
    """Parse a column of times.

    Parameters
    ----------
    values : pandas.Series
        Datetimes, text, or numbers, ``[n]``.
    notices : list of Notice
        Appended to when numbers were read as Unix times.

    Returns
    -------
    ndarray
        Unix time in microseconds (UTC), int64 ``[n]``.

    Raises
    ------
    DataError
        A time is missing, cannot be read, or is outside 1970 to 2100; or the column mixes units.
    """
    plain = _plain_iso(values)
    if plain is None and not pd.api.types.is_datetime64_any_dtype(values):
        numbers = to_numbers(values)
        numbers = numbers.where(np.isfinite(numbers))
        if numbers.notna().mean() > 0.5:  # mostly numbers: what is no number is the mistake
            _refuse_unreadable(values, numbers.isna())
            return _times_from_numbers(values, numbers, notices)
    times = pd.concat([_parse(piece) for piece in _pieces(values)]) if plain is None else plain
    _refuse_unreadable(values, times.isna())
    outside = (times < _EARLIEST) | (times > _LATEST)
    if outside.any():
        raise DataError(
            f"expected times between 1970 and 2100, {int(outside.sum()):,} of {len(values):,} lie outside "
            f"(first: '{values[outside].iloc[0]}'); check the time column"
        )
    return np.asarray(times, dtype="datetime64[us]").view(np.int64)


def _plain_iso(values: pd.Series) -> pd.Series | None:
    """Parse text that is ISO 8601 without a zone in every cell; None for others, which need a slower parser."""
    if values.dtype == object or not pd.api.types.is_string_dtype(values):
        return None
    try:
        times = pa.array(values).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    return pd.Series(times.to_numpy(zero_copy_only=False)) if times.null_count == 0 else None


def to_numbers(values: pd.Series) -> pd.Series:
    """Read a column as float64; what is no number becomes NaN."""
    return pd.concat([pd.to_numeric(piece, errors="coerce").astype("float64") for piece in _pieces(values)])


def _pieces(values: pd.Series) -> Iterator[pd.Series]:
    for start in range(0, len(values), _ROWS_AT_ONCE):
        yield values.iloc[start : start + _ROWS_AT_ONCE]


def _parse(values: pd.Series) -> pd.Series:
    """Parse datetimes or ISO 8601 text into datetime64[us] without a zone (UTC); NaT where that fails."""
    times = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601").dt.tz_localize(None)
    times = times.astype("datetime64[us]")
    if pd.api.types.is_datetime64_any_dtype(values):
        return times
    # pandas also parses "now" and "today", which would give another time at each import.
    return times.where(values.astype("str").str.match(r"\s*\d").to_numpy(dtype=np.bool_))


def _times_from_numbers(values: pd.Series, numbers: pd.Series, notices: list[Notice]) -> npt.NDArray[np.int64]:
    """Read finite numbers as Unix seconds or milliseconds, distinguished by magnitude."""
    dates = _look_like_dates(numbers)
    if dates.any():
        raise DataError(
            f"expected times as ISO 8601 text, Unix seconds or milliseconds; {int(dates.sum()):,} of {len(values):,} "
            f"look like dates without hyphens (first: '{values[dates].iloc[0]}'); write 2020-01-31, not 20200131"
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
    return np.asarray((numbers * (1_000 if milliseconds else 1_000_000)).round(), dtype=np.int64)


def _look_like_dates(numbers: pd.Series) -> pd.Series:
    """Find numbers such as 20200131 that are dates, not Unix seconds; read as seconds they would all be in August 1970.

    A column that begins in 1970 may hold such numbers by chance, at most one in 25 of them a date of the calendar.
    """
    inside = numbers.between(*_COMPACT_DATES) & (numbers % 1 == 0)
    dates = inside & (numbers // 100 % 100).between(1, 12) & (numbers % 100).between(1, 31)
    if inside.all():
        return inside
    if dates.mean() > 0.5 or numbers.median() > _SECONDS_OF_1970:
        return dates
    return dates & False


def _refuse_unreadable(values: pd.Series, bad: pd.Series) -> None:
    """Raise when some times could not be read."""
    if bad.any():
        raise DataError(
            f"expected times as ISO 8601 text, Unix seconds or milliseconds; {int(bad.sum()):,} of {len(values):,} "
            f"cannot be read (first: '{values[bad].iloc[0]}' in row {int(np.flatnonzero(bad.to_numpy())[0]) + 1}); "
            "convert or remove these rows"
        )
