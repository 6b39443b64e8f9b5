"""Times: the quick way and the careful way agree, and what is no time is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidedrec_core.data import times as times_module
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.times import clean_times
from guidedrec_core.errors import DataError

NOW = 1_500_000_000


def cleaned(values: list[object], dtype: str | None = "str") -> list[int]:
    notices: list[Notice] = []
    return clean_times(pd.Series(values, dtype=dtype), notices).tolist()


moments = st.datetimes(pd.Timestamp("1970-01-03").to_pydatetime(), pd.Timestamp("2099-12-30").to_pydatetime())
forms = st.sampled_from(
    ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f"]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(moments, forms), min_size=1, max_size=20), st.booleans())
def test_iso_text_is_exact_whichever_way_it_is_parsed(found: list[tuple[pd.Timestamp, str]], spaces: bool) -> None:
    text = [moment.strftime(form) for moment, form in found]
    expected = [round(pd.Timestamp(pd.Timestamp(t)).value / 1000) for t in text]
    assert cleaned(text) == expected
    # Text with a zone is parsed by pandas, piece by piece.
    assert cleaned([f"{t}{'+00:00' if ':' in t else ''}" for t in text]) == expected
    assert cleaned([f"  {t}" for t in text] if spaces else text, "object") == expected


@pytest.mark.parametrize("word", ["now", "today", "Now", "TODAY", " now", "NaT", "", "x", "-", "0"])
def test_words_are_no_times(word: str) -> None:
    with pytest.raises(DataError, match=r"1 of 3 cannot be read .*in row 2"):
        cleaned(["2020-01-01", word, "2020-01-02T00:00:00Z"])


def test_a_column_of_pieces_keeps_its_order_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times_module, "_ROWS_AT_ONCE", 7)
    expected = [(NOW + n) * 1_000_000 for n in range(50)]
    assert cleaned([str(NOW + n) for n in range(50)]) == expected
    zoned = [f"{pd.Timestamp(NOW + n, unit='s').isoformat()}Z" for n in range(50)]
    assert cleaned(list(zoned)) == expected
    with pytest.raises(DataError, match="'soon' in row 31"):
        cleaned([*zoned[:30], "soon", *zoned])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_datetimes_of_any_unit_and_zone(unit: str, zone: str | None) -> None:
    values = pd.Series(pd.to_datetime([NOW, NOW + 1], unit="s").as_unit(unit))
    values = values if zone is None else values.dt.tz_localize("UTC").dt.tz_convert(zone)
    assert clean_times(values, []).tolist() == [NOW * 1_000_000, (NOW + 1) * 1_000_000]
    dates = pd.Series([pd.Timestamp(NOW, unit="s").date()], dtype="object")
    assert clean_times(dates, []).tolist() == [NOW // 86_400 * 86_400 * 1_000_000]


def test_dates_without_hyphens_among_unix_seconds_are_refused() -> None:
    with pytest.raises(DataError, match=r"1 of 4 look like dates without hyphens \(first: '20200101'\)"):
        cleaned([str(NOW), "20200101", str(NOW), str(NOW)])
    with pytest.raises(DataError, match="2 of 3 look like dates"):
        cleaned([20200101, 20200102, NOW], None)
    with pytest.raises(DataError, match="2 of 2 look like dates"):
        cleaned([20209999, 20201331], None)  # no dates, but nothing else either
    with pytest.raises(DataError, match="1 of 3 look like dates"):
        cleaned([NOW * 1000, NOW * 1000, 20200101], None)


def test_simulated_times_that_begin_in_1970_are_no_dates() -> None:
    times = np.arange(90_000, 25_000_000, 10_001)
    assert ((times >= 19_000_101) & (times <= 21_001_231)).sum() > 100
    assert cleaned(times.tolist(), None) == (times * 1_000_000).tolist()
