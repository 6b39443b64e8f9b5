"""The staging table gives what the whole table in memory gives, to the last bit, and says the same when it refuses."""

import json
import random
from pathlib import Path

import pandas as pd
import pytest

from guidedrec_core.config import AS_IN_THE_FILE, AS_WRITTEN, ReadingConfig, TiesConfig
from guidedrec_core.data.formats.source import Files, lines_named
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.data.interactions import Interactions, core_filter
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.readers import open_source
from guidedrec_core.data.reading import staging
from guidedrec_core.data.reading.staging import MEMORY_LIMIT, clean_staged
from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.errors import DataError, StorageError

TIES = (AS_IN_THE_FILE, TiesConfig(order="shuffle", seed=3), TiesConfig(order="column", column="line"))
READINGS = (
    AS_WRITTEN,
    ReadingConfig(min_rating=2),
    ReadingConfig(event_weights={"view": 0, "cart": 0.5, "purchase": 1}),
)
USERS = ("007", "7", " 8", "8", "ü", "U", "a\tb", "a,b", 'say "x"')


def table(rng: random.Random) -> pd.DataFrame:
    """Make a table with ties, repeats, duplicates, spaces around ids, and sometimes a row that is refused."""
    numbers, days = rng.random() < 0.7, rng.random() < 0.5
    rows = [
        (
            rng.choice(USERS) + rng.choice(["", str(rng.randint(0, 5))]),
            str(rng.randint(0, 30)) if numbers else rng.choice("abcdefgé"),
            f"2020-01-{rng.randint(1, 28):02d}" if days else str(1_500_000_000 + rng.randint(0, 50)),
            str(rng.randint(1, 5)),
            rng.choice(["view", "cart", "purchase"]),
            rng.choice([rng.randint(0, 9), 2**53 + rng.randint(0, 9)]),
        )
        for _ in range(rng.choice([3, 40, 400]))
    ]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "datetime", "weight", "event", "line"])
    if rng.random() < 0.2:
        frame = frame.sort_values("item_id")
    if rng.random() < 0.2:
        wrong = rng.choice([("user_id", " "), ("item_id", ""), ("datetime", "soon"), ("weight", "x")])
        frame.loc[frame.index[-1], wrong[0]] = wrong[1]
    return frame


def write(frame: pd.DataFrame, folder: Path, format: str) -> Path:
    path = folder / f"own.{format}"
    if format == "csv":
        frame.to_csv(path, index=False)
    elif format == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in frame.to_dict("records")))
    else:
        frame.to_parquet(path, row_group_size=50)
    return path


def outcome(way: str, format: str, path: Path, ties: TiesConfig, reading: ReadingConfig, minimum: int) -> object:
    """Return the interactions and what is said of them, or the error."""
    try:
        source = open_source(format, Files(path, {}, None, ties.column, bool(reading.event_weights)))
        with lines_named(source.rows):
            if way == "staged":
                found, notices = clean_staged(source.rows, ties, reading, BOUGHT, minimum)
            else:
                found, cleaned = Interactions.clean(source.rows.frame(), ties, BOUGHT, reading)
                found, filtered = core_filter(found, minimum)
                notices = (*cleaned, *filtered)
    except DataError as error:
        return str(error)
    return found.frame.to_dict("list"), found.frame.dtypes.map(str).to_dict(), notices


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_staged_equals_in_memory(format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_ROWS_AT_ONCE", 60)
    rng = random.Random(format)
    refused = 0
    for _ in range(15):
        path = write(table(rng), tmp_path, format)
        options = (format, path, rng.choice(TIES), rng.choice(READINGS), rng.choice([1, 1, 2, 3]))
        expected = outcome("memory", *options)
        assert outcome("staged", *options) == expected
        refused += isinstance(expected, str)
    assert 0 < refused < 12


def test_a_small_memory_limit_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.csv"
    rows = "".join(f"u{n * 7919 % 5_000},i{n * 31 % 997},{1_500_000_000 + n % 10_000}\n" for n in range(60_000))
    path.write_text("user_id,item_id,datetime\n" + rows)
    expected = import_dataset("csv", path, "own", min_interactions=12)
    monkeypatch.setenv(MEMORY_LIMIT, "64MiB")
    found = import_dataset("csv", path, "own", min_interactions=12)
    pd.testing.assert_frame_equal(found.interactions.frame, expected.interactions.frame)
    assert found.notices == expected.notices


def test_too_little_memory_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.csv"
    path.write_text("user_id,item_id,datetime\n" + "".join(f"u{n},i{n},{1_500_000_000 + n}\n" for n in range(300_000)))
    monkeypatch.setenv(MEMORY_LIMIT, "1MiB")
    with pytest.raises(StorageError, match=r"no room to import the file \(.*or raise GUIDEDREC_IMPORT_MEMORY"):
        import_dataset("csv", path, "own")
    monkeypatch.setenv(MEMORY_LIMIT, "much")
    with pytest.raises(DataError, match="expected an amount of memory such as 512MiB"):
        import_dataset("csv", path, "own")


def test_the_staging_file_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = tmp_path / "own.csv"
    path.write_text("user_id,item_id,datetime\nu,i,1500000000\nu,j,never\n")
    with pytest.raises(DataError):
        import_dataset("csv", path, "own")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_unusual_types_go_through_memory(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    frame = pd.DataFrame(
        {"user_id": pd.Categorical(["b", "a"]), "item_id": [b"x", b"y"], "datetime": ["2020-01-01"] * 2}
    )
    frame.to_parquet(path)
    dataset = import_dataset("parquet", path, "own")
    assert dataset.interactions.frame["user_id"].tolist() == ["a", "b"]
    assert dataset.interactions.frame["item_id"].tolist() == ["y", "x"]


def test_kinds_and_ratings(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        "user_id,item_id,datetime,event_type,weight\nu,a,1500000000,view,2\nu,b,1500000001,cart,1\n"
        "u,c,1500000002,purchase,3\nu,d,1500000003,purchase,1\n"
    )
    weights = ReadingConfig(event_weights={"view": 0.2, "cart": 0, "purchase": 1})
    dataset = import_dataset("csv", path, "own", reading=weights)
    assert dataset.interactions.frame["item_id"].tolist() == ["a", "c", "d"]
    assert dataset.interactions.frame["weight"].tolist() == [0.4, 3, 1]
    assert Notice("left_out", 1, "1 interaction of kind cart, left out") in dataset.notices
    assert dataset.source["event_weights"] == "cart=0, purchase=1, view=0.2"
    liked = import_dataset("csv", path, "own", reading=ReadingConfig(min_rating=2))
    assert liked.interactions.frame["item_id"].tolist() == ["a", "c"]
    assert "2 interactions rated below 2, left out" in {notice.message for notice in liked.notices}
    plain = import_dataset("csv", path, "own")
    assert len(plain.interactions) == 4
    assert set(plain.source) == {"format", "path"}


def test_choices_of_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("user_id,item_id,datetime,what\nu,a,1500000000,view\nu,b,1500000001,wish\nu,c,1500000002,\n")
    some = ReadingConfig(event_weights={"view": 1})
    with pytest.raises(DataError, match="a column with the kind of each interaction for --event-weights; name it"):
        import_dataset("csv", path, "own", reading=some)
    with pytest.raises(DataError, match=r"none was given for wish \(1\), \(blank\) \(1\); add .* wish=0 to leave one"):
        import_dataset("csv", path, "own", {"event": "what"}, reading=some)
    none = ReadingConfig(event_weights={"view": 0, "wish": 0, "": 0})
    with pytest.raises(DataError, match="no interactions are left"):
        import_dataset("csv", path, "own", {"event": "what"}, reading=none)
    with pytest.raises(DataError, match="expected a column of ratings for --min-rating"):
        import_dataset("csv", path, "own", reading=ReadingConfig(min_rating=3))
    with pytest.raises(DataError, match="format movielens has no kinds of interaction"):
        import_dataset("movielens", tmp_path, "own", reading=some)


def test_errors_name_the_line_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text('user_id,item_id,datetime\n\n"u\n1",a,2020-01-01\nu,b,2020-01-02\nu,c,soon\n')
    with pytest.raises(DataError, match=r"\(first: 'soon' in line 6 of own\.csv\)"):
        import_dataset("csv", path, "own")
    path.write_text("user_id,item_id,datetime\nu,a,2020-01-01\n,b,2020-01-02\n")
    with pytest.raises(DataError, match=r"a user id in every row, 1 of 2 have none \(first: line 3 of own\.csv\)"):
        import_dataset("csv", path, "own")
    lines = tmp_path / "own.jsonl"
    lines.write_text('\n{"user_id": "u", "item_id": "i", "datetime": "2020"}\n{"user_id": "u", "datetime": "2020"}\n')
    with pytest.raises(DataError, match=r"an item id in every row|a item id in every row.*line 3 of own\.jsonl"):
        import_dataset("jsonl", lines, "own")
