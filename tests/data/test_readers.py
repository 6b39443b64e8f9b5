import bz2
import gzip
import json
import zipfile
from pathlib import Path

import fsspec
import pandas as pd
import pytest

from guidedrec_core.data.interactions import Interactions
from guidedrec_core.data.readers import READERS, RawData, read
from guidedrec_core.errors import DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"
MOVIELENS = SHARED / "movielens_small"
MOVIETWEETINGS = SHARED / "movietweetings_100k"

RATINGS = "userId,movieId,rating,timestamp\n1,10,4.0,964982703\n1,9,3.5,964982703\n2,9,5.0,964982600\n"
MOVIES = 'movieId,title,genres\n9,Toy Story (1995),Adventure|Comedy\n10,"Lost, The",(no genres listed)\n'


def codes(raw: RawData) -> set[str]:
    return {notice.code for notice in raw.notices}


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "ratings.csv").write_text(RATINGS, encoding="utf-8")
    (folder / "movies.csv").write_text(MOVIES, encoding="utf-8")
    return folder


def test_movielens_columns_genres_and_years(films: Path) -> None:
    raw = read("movielens", films)
    assert raw.items is not None
    assert raw.items["category"].tolist() == ["Adventure|Comedy", ""]
    assert raw.items["title"].tolist() == ["Toy Story (1995)", "Lost, The"]
    assert raw.items["year"].tolist() == [1995, pd.NA]
    assert "Harper" in raw.facts["citation"]


def test_movielens_ties_in_time_end_in_movie_number_order(films: Path) -> None:
    clean, _ = Interactions.clean(read("movielens", films).interactions)
    assert clean.frame["item_id"].tolist() == ["9", "10", "9"]


def test_movielens_top_tags_make_the_description(films: Path) -> None:
    tags = "userId,movieId,tag,timestamp\n" + "".join(
        f"1,9,{tag},1\n" for tag in ["Pixar", "pixar", "zoo", "ants", "b", "c", "d", "e"]
    )
    (films / "tags.csv").write_text(tags)
    items = read("movielens", films).items
    assert items is not None
    assert items["description"].tolist() == ["pixar, ants, b, c, d", ""]


@pytest.mark.parametrize("inner", ["", "ml-latest-small/"])
def test_movielens_zip_equals_folder(films: Path, tmp_path: Path, inner: str) -> None:
    archive = tmp_path / "ml.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("ratings.csv", "movies.csv"):
            file.write(films / name, inner + name)
    pd.testing.assert_frame_equal(read("movielens", archive).interactions, read("movielens", films).interactions)


def test_a_folder_in_the_folder_is_found(films: Path) -> None:
    assert len(read("movielens", films.parent).interactions) == 3


def test_all_missing_members_are_named(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::1::1::1")
    with pytest.raises(DataError, match=r"missing: ratings.csv, movies.csv; found: ratings.dat"):
        read("movielens", tmp_path)
    archive = tmp_path / "ml.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("ml/ratings.csv", RATINGS)
    with pytest.raises(DataError, match=r"in the archive .*missing: movies.csv; found: ratings.csv"):
        read("movielens", archive)


def test_a_damaged_zip_says_download_again(films: Path, tmp_path: Path) -> None:
    archive = tmp_path / "ml.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("ratings.csv", "movies.csv"):
            file.write(films / name, name)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="damaged or incomplete; download it again"):
        read("movielens", archive)
    archive.write_bytes(whole[:45] + b"\xff\x00\xff" + whole[48:])
    with pytest.raises(DataError, match=r"cannot be unpacked .*download it again"):
        read("movielens", archive)


def test_neither_folder_nor_zip(films: Path) -> None:
    with pytest.raises(DataError, match=r"ratings\.csv is neither; name the folder it lies in"):
        read("movielens", films / "ratings.csv")


def test_movielens_takes_no_mapping(films: Path) -> None:
    with pytest.raises(DataError, match="fixed columns"):
        read("movielens", films, {"user_id": "userId"})


def test_movielens_missing_columns_are_named_at_once(films: Path) -> None:
    (films / "ratings.csv").write_text("user,movieId,stars,timestamp\n1,9,4,964982703\n")
    with pytest.raises(DataError, match=r"in ratings.csv, missing: userId, rating; found: user, movieId, stars"):
        read("movielens", films)


def test_movietweetings_keeps_leading_zeros_and_accents(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::0104257::8::1364690142\r\n1::0002844::7::1364690142\r\n")
    (tmp_path / "movies.dat").write_text("0002844::Fantômas - À l'ombre (1913)::Crime|Drama\n0104257::A::\n", "utf-8")
    raw = read("movietweetings", tmp_path)
    assert raw.items is not None
    assert raw.items["item_id"].tolist() == ["0002844", "0104257"]
    assert raw.items["title"][0] == "Fantômas - À l'ombre (1913)"
    assert raw.items["category"].tolist() == ["Crime|Drama", ""]
    assert raw.interactions["item_id"].tolist() == ["0002844", "0104257"]
    assert raw.interactions["datetime"].tolist() == ["1364690142", "1364690142"]


def test_movietweetings_wrong_lines_are_counted(tmp_path: Path) -> None:
    (tmp_path / "movies.dat").write_text("1::A::B\n")
    (tmp_path / "ratings.dat").write_text("1::2::3::4\n1,2,3,4\n1::2\n")
    with pytest.raises(DataError, match=r"ratings.dat, 2 of 3 have another number \(first: 1 in line 2\)"):
        read("movietweetings", tmp_path)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_guesses_the_separator_and_skips_the_mark(tmp_path: Path, separator: str, mark: bytes) -> None:
    lines = ["user_id,item_id,datetime,weight", "007,NA,2020-01-01,1", "8,None,2020-01-02,2"]
    path = tmp_path / "own.csv"
    path.write_bytes(mark + "\r\n".join(line.replace(",", separator) for line in lines).encode())
    frame = read("csv", path).interactions
    assert list(frame.columns) == ["user_id", "item_id", "datetime", "weight"]
    assert frame["user_id"].tolist() == ["007", "8"]
    assert frame["item_id"].tolist() == ["NA", "None"]


def test_csv_mapping_and_usual_names(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("customer,item,timestamp,rating,shop\nu,i,1500000000,4,x\n")
    raw = read("csv", path, {"user_id": "customer"})
    assert list(raw.interactions.columns) == ["user_id", "item_id", "datetime", "weight"]
    assert codes(raw) == {"columns_taken", "columns_unused"}
    assert "shop" in raw.notices[1].message


def test_csv_without_weights(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("user_id,item_id,datetime\nu,i,1500000000\n")
    raw = read("csv", path)
    assert "weight" not in raw.interactions
    assert raw.notices == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "own.csv is empty"),
        (b"\n  \n", "own.csv is empty"),
        (b"user_id item_id datetime\nu i 1500000000\n", "found one column: 'user_id item_id datetime'"),
        (b"user_id,item_id,datetime\nu,i,1500000000\nM\xfcller,i,1500000000\n", "byte 0xfc in line 3"),
        ("user_id,item_id\n".encode("utf-16"), "byte 0xff in line 1"),
        (b"user_id,item_id,datetime\nu,i,1500000000,9\n", "as many fields in every line"),
        (
            b"user_id,item_id,datetime\nu,i,1500000000\nu,i,1500000000,9\n",
            r"in the header \(3\), line 3 has 4 \('u,i,1500000000,9'\)",
        ),
        (b'user_id,item_id,datetime\nu,"i,1500000000\n', r"in the header \(3\), line 2 has 2"),
        (b'user_id,item_id,datetime\nu,i,"1500000000\n', "to close every quote"),
        (b"user,thing,when\nu,i,1500000000\n", "missing: item_id, datetime; found: user, thing, when"),
    ],
)
def test_bad_csv_gives_one_clear_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read("csv", path)


def test_mapping_of_absent_columns_and_unknown_names(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("user_id,item_id,datetime\nu,i,1500000000\n")
    with pytest.raises(DataError, match="missing: customer, stars"):
        read("csv", path, {"user_id": "customer", "weight": "stars"})
    with pytest.raises(DataError, match="got usr, x"):
        read("csv", path, {"usr": "customer", "x": "y"})
    with pytest.raises(DataError, match="title are mapped, but they belong to a table of items"):
        read("csv", path, {"title": "name"})


def test_item_table_beside_interactions(tmp_path: Path) -> None:
    path, items = tmp_path / "own.csv", tmp_path / "items.csv"
    path.write_text("user_id,sku,datetime\nu,01,1500000000\n")
    items.write_text("sku,name,price,brand\n01,Tent,9.5,Acme\n")
    raw = read("csv", path, {"item_id": "sku", "title": "name"}, items)
    assert raw.items is not None
    assert raw.items.to_dict("records") == [
        {"item_id": "01", "title": "Tent", "price": "9.5", "category": "", "brand": "Acme"}
    ]
    items.write_text("item_id,title\n01,Tent\n")
    with_canonical = read("csv", path, {"item_id": "sku"}, items).items
    assert with_canonical is not None
    assert with_canonical["item_id"].tolist() == ["01"]
    items.write_text("code,name\n01,Tent\n")
    with pytest.raises(DataError, match=r"in items\.csv, missing: sku, title; found: code, name"):
        read("csv", path, {"item_id": "sku"}, items)


def test_parquet_with_mapping(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    frame = pd.DataFrame({"customer": [1, 2], "item_id": ["007", "7"], "datetime": pd.to_datetime(["2020", "2021"])})
    frame.to_parquet(path)
    clean, _ = Interactions.clean(read("parquet", path, {"user_id": "customer"}).interactions)
    assert clean.frame["user_id"].tolist() == ["1", "2"]
    assert clean.frame["item_id"].tolist() == ["007", "7"]


def test_the_same_table_in_every_format_and_packing(tmp_path: Path) -> None:
    rows = [("007", "01", "2020-01-01", "1.50"), ("8", "NA", "2020-01-02", "2")]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "datetime", "weight"], dtype="str")
    text = frame.to_csv(index=False).encode()
    lines = "\n".join(json.dumps(row) for row in frame.to_dict("records")).encode()
    files = {
        "csv": {
            "a.csv": text,
            "a.tsv": text.replace(b",", b"\t"),
            "a.csv.gz": gzip.compress(text),
            "a.tsv.bz2": bz2.compress(text.replace(b",", b"\t")),
        },
        "jsonl": {"a.jsonl": lines, "a.jsonl.gz": gzip.compress(lines), "a.txt": lines},
        "parquet": {"a.parquet": frame.to_parquet(), "parts/1.parquet": frame.to_parquet()},
    }
    for format, named in files.items():
        for name, content in named.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(content)
            pd.testing.assert_frame_equal(read(format, tmp_path / name).interactions, frame)
            with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
                archive.writestr(name, content)
            pd.testing.assert_frame_equal(read(format, tmp_path / "a.zip").interactions, frame)
            address = f"memory://{tmp_path}/{name}"
            with fsspec.open(address, "wb") as file:
                file.write(content)
            pd.testing.assert_frame_equal(read(format, address, items_path=None).interactions, frame)
    pd.testing.assert_frame_equal(read("parquet", f"memory://{tmp_path}/parts").interactions, frame)


def test_a_file_of_another_format_says_which(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(pd.DataFrame({"a": [1]}).to_parquet())
    with pytest.raises(DataError, match=r"expected delimited text, a\.csv is a Parquet file; choose --format parquet"):
        read("csv", tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"expected JSON lines, a\.csv is a Parquet file; choose --format parquet"):
        read("jsonl", tmp_path / "a.csv")
    (tmp_path / "a.jsonl").write_text('{"user_id": "u"}')
    with pytest.raises(DataError, match=r"expected delimited text, a\.jsonl is JSON lines; choose --format jsonl"):
        read("csv", tmp_path / "a.jsonl")


def test_unused_columns_are_never_loaded_but_named(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"user_id": "u", "item_id": "i", "timestamp": 1500000000, "review": "long"}')
    raw = read("jsonl", path)
    assert raw.interactions.columns.tolist() == ["user_id", "item_id", "datetime"]
    assert [n.message for n in raw.notices if n.code == "columns_unused"] == ["own.jsonl: columns not used: review"]


def test_a_column_for_ties_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("user_id,item_id,datetime,line\nu,i,1500000000,3\n")
    raw = read("csv", path, tie_column="line")
    assert raw.interactions["tie_order"].tolist() == ["3"]
    assert raw.notices == ()
    assert read("csv", path, tie_column="datetime").interactions["tie_order"].tolist() == ["1500000000"]
    with pytest.raises(DataError, match="missing: place; found: user_id, item_id, datetime, line"):
        read("csv", path, tie_column="place")


def test_movielens_has_no_column_for_ties(films: Path) -> None:
    with pytest.raises(DataError, match="movielens has no column that orders ties; use --ties none or --ties shuffle"):
        read("movielens", films, tie_column="rating")


def test_movielens_from_an_address(films: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(films), f"{films}/in", recursive=True)
    expected = read("movielens", films).interactions
    pd.testing.assert_frame_equal(read("movielens", f"memory://{films}").interactions, expected)
    with fsspec.open(f"memory://{films}.zip", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name in ("ratings.csv", "movies.csv"):
            archive.write(films / name, name)
    pd.testing.assert_frame_equal(read("movielens", f"memory://{films}.zip").interactions, expected)


def test_a_movielens_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ml.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("movies.csv", MOVIES)
        archive.writestr("ratings.csv", bytes(80 << 20))
    with pytest.raises(DataError, match=r"ratings\.csv in .* of [\d,]+ bytes unpacks to 83,886,080 or more"):
        read("movielens", tmp_path / "ml.zip")


def test_what_is_not_parquet(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    path.write_text("user_id,item_id,datetime\n")
    with pytest.raises(DataError, match=r"expected a Parquet file, own\.parquet cannot be read as one"):
        read("parquet", path)


@pytest.mark.parametrize("format", list(READERS))
def test_a_path_to_nothing(tmp_path: Path, format: str) -> None:
    with pytest.raises(DataError, match="found nothing; check the path"):
        read(format, tmp_path / "nowhere")


def test_a_folder_where_a_file_is_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found a folder; name the file in it"):
        read("csv", tmp_path)


def test_an_unknown_format_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"movielens, movietweetings, csv, parquet, jsonl, tsv, .*; got 'excel'"):
        read("excel", tmp_path)


@pytest.mark.skipif(not MOVIELENS.is_dir(), reason="MovieLens ml-latest-small is not on this machine")
def test_real_movielens() -> None:
    raw = read("movielens", MOVIELENS)
    assert raw.items is not None
    assert (len(raw.interactions), len(raw.items)) == (100_836, 9_742)
    clean, _ = Interactions.clean(raw.interactions)
    expected = raw.interactions.sort_values(
        ["user_id", "datetime", "item_id"],
        key=lambda column: column if column.name == "user_id" else column.astype(int),
    )
    assert clean.frame["item_id"].tolist() == expected["item_id"].tolist()
    assert clean.frame["user_id"].nunique() == 610


@pytest.mark.skipif(not MOVIETWEETINGS.is_dir(), reason="MovieTweetings 100K is not on this machine")
def test_real_movietweetings() -> None:
    raw = read("movietweetings", MOVIETWEETINGS)
    assert raw.items is not None
    assert (len(raw.interactions), len(raw.items)) == (100_000, 10_506)
    assert set(raw.interactions["item_id"].str.len()) == {7}
    assert raw.interactions["item_id"].isin(raw.items["item_id"]).all()
