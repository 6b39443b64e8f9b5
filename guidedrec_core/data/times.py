"""Times in any usual form: datetimes, ISO 8601 text, Unix seconds or milliseconds, or dates in a named format."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from guidedrec_core.data.notices import Notice
from guidedrec_core.data.reading.dates import NAMED, advice, check_format, parse_dates
from guidedrec_core.errors import DataError, RowError

# Unix times of 1973..5138 are below this in seconds, and those of 1973.. are above it in milliseconds.
_MILLISECONDS_FROM = 1e11
# 19000101..21001231: dates written as numbers, which as Unix seconds would all fall into a few weeks of 1970.
_COMPACT_DATES = (19_000_101, 21_001_231)
_SECONDS_OF_1970 = 365 * 86_400
_EARLIEST = pd.Timestamp("1970-01-02")
_LATEST = pd.Timestamp("2100-01-01")
# Text is parsed in pieces, because pandas makes a Python object of every cell.
_ROWS_AT_ONCE = 100_000
# Numbers below this may be a year or a date without hyphens, where most of a column is text.
_DATES_BELOW = 1e8
_NONE = np.iinfo(np.int64).min  # NaT
_UNREADABLE_KEPT = 1_000

Moments = npt.NDArray[np.int64]


def clean_times(values: pd.Series, notices: list[Notice], date_format: str | None = None) -> Moments:
    """Parse a column of times.

    Parameters
    ----------
    values : pandas.Series
        Datetimes, text, or numbers, ``[n]``.
    notices : list of Notice
        Appended to when numbers were read as Unix times.
    date_format : str, optional
        How dates are written where they are not ISO 8601; see `guidedrec_core.data.reading.dates.check_format`.

    Returns
    -------
    ndarray
        Unix time in microseconds (UTC), int64 ``[n]``.

    Raises
    ------
    DataError
        A time is missing, cannot be read, or is outside 1970 to 2100; or the column mixes units.
    """
    reader = TimeReader(date_format)
    found = [reader.add(piece) for piece in _pieces(values)]
    as_numbers = reader.judge(notices)
    return np.concatenate([times.moments(as_numbers) for times in found])


def to_numbers(values: pd.Series) -> pd.Series:
    """Read a column as float64; what is no number becomes NaN."""
    return pd.concat([pd.to_numeric(piece, errors="coerce").astype("float64") for piece in _pieces(values)])


def _pieces(values: pd.Series) -> Iterator[pd.Series]:
    for start in range(0, len(values), _ROWS_AT_ONCE):
        yield values.iloc[start : start + _ROWS_AT_ONCE]


@dataclass(frozen=True)
class TimesRead:
    """Times of some rows, read as numbers and as text, as far as they are either.

    Attributes
    ----------
    of_numbers, of_text : ndarray or None
        Unix time in microseconds, int64 ``[n]``; the least integer where a cell cannot be read so. None when no cell
        can.
    """

    rows: int
    of_numbers: Moments | None
    of_text: Moments | None

    def moments(self, as_numbers: bool) -> Moments:
        """Return the times, read the one way or the other, ``[n]``."""
        found = self.of_numbers if as_numbers else self.of_text
        return np.full(self.rows, _NONE) if found is None else found


@dataclass
class _Case:
    """Rows of one kind: how many there are, and the first of them."""

    count: int = 0
    row: int = 0
    value: object = None

    def add(self, mask: npt.NDArray[np.bool_], values: pd.Series, start: int) -> None:
        found = int(mask.sum())
        if found and not self.count:
            place = int(np.argmax(mask))
            self.row, self.value = start + place + 1, values.iloc[place]
        self.count += found


class TimeReader:
    """Reads a column of times piece by piece, and judges it as a whole when all are read.

    Whether the column holds numbers or text, and the unit of its numbers, shows only at the end: pieces are read both
    ways where they can be.

    Parameters
    ----------
    date_format : str, optional
        See `clean_times`; cells are then read in no other way.
    """

    def __init__(self, date_format: str | None = None) -> None:
        self._format = None if date_format is None else check_format(date_format)
        self._rows, self._typed = 0, False
        self._numbers, self._no_numbers = _Case(), _Case()
        self._inside, self._dates, self._late = _Case(), _Case(), _Case()
        self._seconds, self._milliseconds = _Case(), _Case()
        self._outside = {"seconds": _Case(), "milliseconds": _Case()}
        self._unreadable, self._text_outside = _Case(), _Case()
        self._odd: list[str] = []

    def add(self, values: pd.Series) -> TimesRead:
        """Read the next rows, ``[n]``."""
        rows = len(values)
        if pd.api.types.is_datetime64_any_dtype(values):
            self._typed = True
            read = TimesRead(rows, None, self._judged_text(_micro(_parse(values)), values))
        elif self._format is not None:
            read = TimesRead(rows, None, self._judged_text(_micro(parse_dates(values, self._format)), values))
        elif (plain := _plain_iso(values)) is not None:
            self._no_numbers.add(np.ones(rows, dtype=np.bool_), values, self._rows)
            read = TimesRead(rows, None, self._judged_text(plain, values))
        else:
            read = self._either(values)
        self._rows += rows
        return read

    def judge(self, notices: list[Notice]) -> bool:
        """Return whether the column holds numbers; it holds dates else.

        Parameters
        ----------
        notices : list of Notice
            Appended to when numbers were read as Unix times.

        Raises
        ------
        DataError
            A time is missing, cannot be read, or is outside 1970 to 2100; or the column mixes units.
        """
        as_numbers = self._numbers.count > 0.5 * self._rows  # mostly numbers: what is no number is the mistake
        if not as_numbers:
            self._refuse_unreadable(self._unreadable)
            self._refuse_outside(self._text_outside)
            return False
        self._refuse_unreadable(self._no_numbers)
        self._refuse_dates()
        milliseconds = self._milliseconds.count >= self._seconds.count
        unit = "milliseconds" if milliseconds else "seconds"
        other = self._seconds if milliseconds else self._milliseconds
        if other.count:
            raise DataError(
                f"expected times in one unit, most look like Unix {unit}, but {other.count:,} of {self._rows:,} "
                f"do not (first: '{other.value}'); convert the column to one unit"
            )
        self._refuse_outside(self._outside[unit], unit)
        notices.append(Notice("time_unit", self._rows, f"times were read as Unix {unit}"))
        return True

    def _either(self, values: pd.Series) -> TimesRead:
        """Read cells as numbers and, where they may be dates, as text."""
        numbers = np.asarray(pd.to_numeric(values, errors="coerce"), dtype=np.float64)
        finite = np.isfinite(numbers)
        self._numbers.add(finite, values, self._rows)
        self._no_numbers.add(~finite, values, self._rows)
        of_numbers = self._judged_numbers(numbers, finite, values) if finite.any() else None
        of_text = np.full(len(values), _NONE)
        maybe = ~finite | (np.abs(numbers) < _DATES_BELOW)
        if maybe.any() and not pd.api.types.is_numeric_dtype(values):
            of_text[maybe] = _micro(_parse(values[maybe]))
        return TimesRead(len(values), of_numbers, self._judged_text(of_text, values))

    def _judged_text(self, moments: Moments, values: pd.Series) -> Moments:
        unreadable = moments == _NONE
        self._unreadable.add(unreadable, values, self._rows)
        if unreadable.any() and len(self._odd) < _UNREADABLE_KEPT:
            self._odd += [str(value) for value in values[unreadable].iloc[:_UNREADABLE_KEPT]]
        outside = (moments < _EARLIEST.value // 1_000) | (moments > _LATEST.value // 1_000)
        self._text_outside.add(outside & ~unreadable, values, self._rows)
        return moments

    def _judged_numbers(
        self, numbers: npt.NDArray[np.float64], finite: npt.NDArray[np.bool_], values: pd.Series
    ) -> Moments:
        """Read numbers as Unix seconds or milliseconds, each by its magnitude; mixed ones are refused later."""
        whole = np.where(finite, numbers, 0.0)
        inside = finite & (whole >= _COMPACT_DATES[0]) & (whole <= _COMPACT_DATES[1]) & (whole % 1 == 0)
        month, day = whole // 100 % 100, whole % 100
        dates = inside & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
        milliseconds = finite & (np.abs(whole) >= _MILLISECONDS_FROM)
        for case, mask in (
            (self._inside, inside),
            (self._dates, dates),
            (self._late, finite & (whole > _SECONDS_OF_1970)),
            (self._milliseconds, milliseconds),
            (self._seconds, finite & ~milliseconds),
        ):
            case.add(mask, values, self._rows)
        seconds = np.where(milliseconds, whole / 1_000, whole)
        # Checked before conversion, because micro- and nanoseconds would overflow there.
        outside = (seconds < _EARLIEST.timestamp()) | (seconds > _LATEST.timestamp())
        self._outside["milliseconds"].add(finite & outside & milliseconds, values, self._rows)
        self._outside["seconds"].add(finite & outside & ~milliseconds, values, self._rows)
        safe = np.where(finite & ~outside, whole, 0.0)
        # Whole seconds or milliseconds stay exact; fractions of a second are kept to the microsecond.
        moments = (safe * np.where(milliseconds, 1_000, 1_000_000)).round().astype(np.int64)
        moments[~finite | outside] = _NONE
        return moments

    def _refuse_dates(self) -> None:
        """Find numbers such as 20200131 that are dates; read as seconds they would all be in August 1970.

        A column that begins in 1970 may hold such numbers by chance, at most one in 25 of them a date of the calendar.
        """
        dates = _Case()
        if self._inside.count == self._rows:
            dates = self._inside
        elif self._dates.count > 0.5 * self._rows or self._late.count > 0.5 * self._rows:
            dates = self._dates
        if dates.count:
            raise DataError(
                f"expected times as ISO 8601 text, Unix seconds or milliseconds; {dates.count:,} of {self._rows:,} "
                f"look like dates without hyphens (first: '{dates.value}'); write 2020-01-31, not 20200131, or add "
                "--date-format %Y%m%d"
            )

    def _refuse_outside(self, case: _Case, unit: str = "") -> None:
        if case.count:
            read, its = (f" read as Unix {unit}", " and its unit") if unit else ("", "")
            raise DataError(
                f"expected times between 1970 and 2100, {case.count:,} of {self._rows:,} lie outside "
                f"(first: '{case.value}'{read}); check the time column{its}"
            )

    def _refuse_unreadable(self, case: _Case) -> None:
        """Raise when some times could not be read; say how they could be."""
        if not case.count:
            return
        expected, mend = "times as ISO 8601 text, Unix seconds or milliseconds", "convert or remove these rows"
        if self._format is not None:
            words = NAMED.get(self._format, self._format)
            expected, mend = f"dates with {words}", "choose another --date-format, or convert or remove these rows"
            if self._format not in NAMED:
                expected = f"dates of the form {words}"
        elif self._odd:
            mend = advice(self._odd) or mend
        raise RowError(
            f"expected {expected}; {case.count:,} of {self._rows:,} cannot be read (first: '{case.value}' in ",
            case.row,
            f"); {mend}",
        )


def _plain_iso(values: pd.Series) -> Moments | None:
    """Parse text that is ISO 8601 without a zone in every cell; None for others, which need a slower parser."""
    if values.dtype == object or not pd.api.types.is_string_dtype(values):
        return None
    try:
        times = pa.array(values).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    if times.null_count:
        return None
    return np.asarray(times.to_numpy(zero_copy_only=False), dtype="datetime64[us]").view(np.int64)


def _parse(values: pd.Series) -> pd.Series:
    """Parse datetimes or ISO 8601 text into datetime64[us] without a zone (UTC); NaT where that fails."""
    times = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601").dt.tz_localize(None)
    times = times.astype("datetime64[us]")
    if pd.api.types.is_datetime64_any_dtype(values):
        return times
    # pandas also parses "now" and "today", which would give another time at each import.
    return times.where(values.astype("str").str.match(r"\s*\d").to_numpy(dtype=np.bool_))


def _micro(times: pd.Series) -> Moments:
    """Return datetime64[us] as integers; NaT is the least one."""
    return np.asarray(times, dtype="datetime64[us]").view(np.int64)
