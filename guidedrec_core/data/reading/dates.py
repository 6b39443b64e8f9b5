"""Dates that are not ISO 8601: read only in a format that somebody named, because 01/02/2024 has two readings."""

import re
from collections.abc import Sequence

import pandas as pd

from guidedrec_core.errors import ConfigError

NAMED = {"day-first": "the day first, e.g. 31/01/2024", "month-first": "the month first, e.g. 01/31/2024"}
"""Orders of day and month by name; between the numbers stand slashes, dots or hyphens, a time of day may follow."""

# Day or month, then the other, then the year; then perhaps a time of day.
_NUMBERS = r"^\s*(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4}|\d{2})(?:[ T,]+(\d{1,2}:\d{2}.*?))?\s*$"
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,9})?))?\s*([AaPp])?\.?(?:[Mm]\.?)?$")
# As `strptime` reads years of two digits.
_CENTURY_CHANGES = 69


def check_format(text: str) -> str:
    """Return a date format, if it is a name in `NAMED` or a pattern of `strptime` with year, month and day.

    Raises
    ------
    ConfigError
        It is neither.

    Examples
    --------
    >>> check_format("%d.%m.%Y %H:%M")
    '%d.%m.%Y %H:%M'
    """
    codes = set(re.findall(r"%([A-Za-z])", text))
    whole = codes & set("cxsD") or (codes & set("Yy") and codes & set("mbB") and codes & set("de")) or "j" in codes
    if text not in NAMED and not whole:
        raise ConfigError(
            f"expected a date format out of {', '.join(NAMED)}, or a pattern with year, month and day such as "
            f"'%d.%m.%Y' or '%m/%d/%Y %H:%M'; got {text!r}"
        )
    return text


def parse_dates(values: pd.Series, date_format: str) -> pd.Series:
    """Parse text by a date format.

    Parameters
    ----------
    values : pandas.Series
        Text, ``[n]``.
    date_format : str
        See `check_format`.

    Returns
    -------
    pandas.Series
        datetime64[us] without a zone (UTC), ``[n]``; NaT where the text does not fit the format.
    """
    text = values.astype("str").str.strip()
    pattern = date_format
    if date_format in NAMED:
        text, pattern = _as_iso(text, date_format), "ISO8601"
    times = pd.to_datetime(text, errors="coerce", utc=True, format=pattern)
    return times.dt.tz_localize(None).astype("datetime64[us]")


def _as_iso(text: pd.Series, order: str) -> pd.Series:
    """Rewrite dates of numbers as ISO 8601; missing where they are none. ISO dates stay as they are."""
    parts = text.str.extract(_NUMBERS)
    day, month = (parts[0], parts[1]) if order == "day-first" else (parts[1], parts[0])
    year = parts[2].where(parts[2].str.len() != 2, parts[2].map(_with_century, na_action="ignore"))
    written = year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)
    clock = parts[3]
    if clock.notna().any():
        # What is no time of day spoils the whole, so that it is refused.
        written = written.where(clock.isna(), written + "T" + clock.map(_day_time, na_action="ignore").fillna("?"))
    iso = text.str.match(r"\d{4}-\d{1,2}-\d{1,2}")
    return written.where(~iso.fillna(False).astype(bool), text)


def _with_century(year: str) -> str:
    return f"{'19' if int(year) >= _CENTURY_CHANGES else '20'}{year}"


def _day_time(clock: str) -> str:
    """Write a time of day with 24 hours and seconds.

    Examples
    --------
    >>> _day_time("1:05 pm"), _day_time("12:00 AM"), _day_time("23:59:07.5")
    ('13:05:00', '00:00:00', '23:59:07.5')
    """
    found = _CLOCK.match(clock.strip())
    if found is None:
        return "?"
    hour, minute, second, half = int(found[1]), found[2], found[3] or "00", found[4]
    if half:
        if not 1 <= hour <= 12:
            return "?"
        hour = hour % 12 + (12 if half in "Pp" else 0)
    return f"{hour:02d}:{minute}:{second}"


def advice(values: Sequence[str]) -> str | None:
    """Say how dates that no reader takes unasked can be read; None when they are of no such form.

    Parameters
    ----------
    values : sequence of str
        Cells as they are written, the first of them named in the sentence.

    Examples
    --------
    >>> print(advice(["01/02/2024", "03/02/2024"]))
    '01/02/2024' can be read as 1 February 2024 (day first) or as 2 January 2024 (month first); say which with \
--date-format day-first or --date-format month-first
    >>> print(advice(["01/02/2024", "13/02/2024"]))
    dates such as '13/02/2024' can only be read with the day first; add --date-format day-first
    """
    cells = pd.Series(list(values), dtype="str")
    read = {order: parse_dates(cells, order).notna() & cells.str.match(_NUMBERS) for order in NAMED}
    fits = {order: bool(found.any()) for order, found in read.items()}
    if not any(fits.values()):
        return None
    only = {order: read[order] & ~read[other] for order, other in zip(NAMED, reversed(NAMED), strict=True)}
    told = [order for order, found in only.items() if found.any()]
    if len(told) == 1:
        order = told[0]
        return (
            f"dates such as '{cells[only[order]].iloc[0]}' can only be read with the {order.partition('-')[0]} first; "
            f"add --date-format {order}"
        )
    both = cells[read["day-first"] & read["month-first"]]
    if both.empty or len(told) == 2:
        return "some dates have the day first and others the month first; write them all one way, e.g. 2024-01-31"
    first = both.iloc[0]
    day, month = (parse_dates(both.iloc[:1], order).iloc[0] for order in NAMED)
    return (
        f"'{first}' can be read as {day.day} {day:%B %Y} (day first) or as {month.day} {month:%B %Y} (month first); "
        "say which with --date-format day-first or --date-format month-first"
    )
