"""Formats of other programs and of public data sets, each on a few lines as it is published."""

import gzip
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from guidedrec_core.data.importing import import_dataset
from guidedrec_core.data.readers import read
from guidedrec_core.errors import DataError

T = 1_500_000_000


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding)
    return path


INTER = f"user_id:token\titem_id:token\trating:float\ttimestamp:float\nu1\t007\t4\t{T}\nu1\t8\t3.5\t{T + 1}\n"
ITEM = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "007\tToy Story\t1995\tAnimation Comedy\n8\tHeat\t1995\tAction\n"
)


@pytest.mark.parametrize("packed", [False, True])
def test_recbole_folder(tmp_path: Path, packed: bool) -> None:
    for name, text in (("ml.inter", INTER), ("ml.item", ITEM)):
        path = write(tmp_path / "ml" / name, text)
        if packed:
            path.with_name(f"{name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    raw = read("recbole", tmp_path / "ml")
    assert raw.items is not None
    assert raw.interactions.to_dict("list") == {
        "user_id": ["u1", "u1"],
        "item_id": ["007", "8"],
        "datetime": [str(T), str(T + 1)],
        "weight": ["4", "3.5"],
    }
    assert raw.items.to_dict("list") == {
        "item_id": ["007", "8"],
        "title": ["Toy Story", "Heat"],
        "category": ["Animation|Comedy", "Action"],
        "release_year": ["1995", "1995"],
    }


def test_recbole_file_without_ratings_and_items(tmp_path: Path) -> None:
    path = write(tmp_path / "a.inter", f"user_id:token\titem_id:token\ttimestamp:float\nu\ti\t{T}\n")
    raw = read("recbole", path)
    assert list(raw.interactions) == ["user_id", "item_id", "datetime"]
    assert raw.items is None
    with_items = read("recbole", path, items_path=write(tmp_path / "a.item", ITEM)).items
    assert with_items is not None
    assert len(with_items) == 2


def test_recbole_errors_say_what_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path / "a.inter", "user_id\titem_id\ttimestamp\nu\ti\t1\n")
    with pytest.raises(DataError, match=r"expected a header of name:type .* got user_id, item_id, timestamp"):
        read("recbole", path)
    write(path, "uid:token\titem_id:token\ttimestamp:float\nu\ti\t1\n")
    with pytest.raises(DataError, match=r"in a\.inter, missing: user_id; found: uid:token"):
        read("recbole", path)
    with pytest.raises(DataError, match=r"expected one \.inter file in the folder .*, found 0 among: x\.csv"):
        read("recbole", write(tmp_path / "other" / "x.csv", "a").parent)
    write(path, INTER + "u2\t9\t1\tsoon\n")
    with pytest.raises(DataError, match=r"'soon' in line 4 of a\.inter"):
        import_dataset("recbole", path, "x")


@pytest.mark.parametrize("names", ["user_id,item_id", "user,item"])
@pytest.mark.parametrize("packing", ["csv", "csv.gz", "parquet"])
def test_lenskit_tables_of_both_eras(tmp_path: Path, names: str, packing: str) -> None:
    path = write(tmp_path / "a.csv", f"{names},rating,timestamp\n7,07,4.5,{T}\n7,8,3,{T + 9}\n")
    if packing == "csv.gz":
        (tmp_path / "a.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    if packing == "parquet":
        pd.read_csv(path, dtype={"item_id": "str", "item": "str"}).to_parquet(tmp_path / "a.parquet")
    frame = import_dataset("lenskit", tmp_path / f"a.{packing}", "x").interactions.frame
    assert frame["user_id"].tolist() == ["7", "7"]
    assert frame["item_id"].tolist() == ["07", "8"]
    assert frame["weight"].tolist() == [4.5, 3]
    write(path, "user,thing\n1,2\n")
    with pytest.raises(DataError, match=r"missing: item_id, timestamp; found: user, thing. LensKit calls them"):
        read("lenskit", path)


REVIEW = {"rating": 5.0, "title": "Great", "text": "x" * 50, "images": [], "asin": "B01", "parent_asin": "0007",
          "user_id": "AE", "timestamp": T * 1000, "helpful_vote": 0, "verified_purchase": True}  # fmt: skip
META = {"main_category": "All Beauty", "title": "Brush", "average_rating": 4.8, "rating_number": 10,
        "features": ["Soft"], "description": ["A soft", "brush."], "price": "9.99", "store": "Acme",
        "images": [{"thumb": "https://m.media-amazon.com/a.jpg", "large": "https://m.media-amazon.com/b.jpg"}],
        "categories": ["Hair", "Brushes"], "details": {}, "parent_asin": "0007"}  # fmt: skip


def test_amazon_reviews_and_items_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "All_Beauty.jsonl", "\n".join(json.dumps(REVIEW | {"timestamp": T * 1000 + n}) for n in range(3)))
    (tmp_path / "meta_All_Beauty.jsonl.gz").write_bytes(gzip.compress(json.dumps(META).encode()))
    dataset = import_dataset("amazon-2023", tmp_path, "beauty")
    assert dataset.interactions.frame["item_id"].tolist() == ["0007"] * 3
    assert dataset.interactions.frame["datetime"].iloc[0] == pd.Timestamp(T, unit="s")
    assert "times were read as Unix milliseconds" in {notice.message for notice in dataset.notices}
    assert dataset.catalogue.frame.iloc[0].to_dict() == {
        "item_id": "0007",
        "title": "Brush",
        "category": "All Beauty|Hair|Brushes",
        "price": 9.99,
        "description": "A soft brush.",
        "store": "Acme",
        "image": "https://m.media-amazon.com/a.jpg",
        "currency": "USD",
    }
    assert "Hou" in dataset.source["citation"]


def test_amazon_five_core_csv_with_histories(tmp_path: Path) -> None:
    rows = f"user_id,parent_asin,rating,timestamp,history\nAE,0007,5.0,{T}000,\nAE,0008,4.0,{T}900,0007\n"
    dataset = import_dataset("amazon-2023", write(tmp_path / "All_Beauty.train.csv", rows), "beauty")
    assert dataset.interactions.frame["item_id"].tolist() == ["0007", "0008"]
    with pytest.raises(DataError, match="missing: parent_asin"):
        import_dataset("amazon-2023", write(tmp_path / "b.csv", "user_id,asin,rating,timestamp\nu,a,1,1\n"), "x")


def test_amazon_needs_one_file_of_reviews(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write(tmp_path / name, json.dumps(REVIEW))
    with pytest.raises(DataError, match=r"expected one file of reviews .* found 2 among: a.jsonl, b.jsonl"):
        read("amazon-2023", tmp_path)


def test_movielens_1m(tmp_path: Path) -> None:
    write(tmp_path / "ratings.dat", f"1::10::5::{T}\n1::9::3::{T}\n2::9::4::{T}\n")
    write(tmp_path / "movies.dat", "9::Les Misérables (1995)::Drama|Musical\n10::A (1999)::Comedy\n", "latin-1")
    raw = read("movielens-1m", tmp_path)
    assert raw.items is not None
    assert raw.items["title"].tolist() == ["Les Misérables (1995)", "A (1999)"]
    assert raw.items["year"].tolist() == [1995, 1999]
    assert raw.interactions["item_id"].tolist() == ["9", "9", "10"]
    with zipfile.ZipFile(tmp_path / "ml-1m.zip", "w") as archive:
        for name in ("ratings.dat", "movies.dat"):
            archive.write(tmp_path / name, f"ml-1m/{name}")
    pd.testing.assert_frame_equal(read("movielens-1m", tmp_path / "ml-1m.zip").items, raw.items)


def test_movielens_100k(tmp_path: Path) -> None:
    flags = ["0"] * 19
    flags[5] = flags[8] = "1"
    film = "|".join(["1", "Café Society (1995)", "01-Jan-1995", "", "http://x", *flags])
    write(tmp_path / "u.item", f"{film}\n", "latin-1")
    write(tmp_path / "u.data", f"196\t1\t3\t{T}\n186\t1\t4\t{T}\n")
    raw = read("movielens-100k", tmp_path)
    assert raw.items is not None
    assert raw.items[["title", "category"]].values.tolist() == [["Café Society (1995)", "Comedy|Drama"]]
    assert raw.interactions["user_id"].tolist() == ["196", "186"]
    write(tmp_path / "u.data", "196\t1\t3\n")
    with pytest.raises(DataError, match=r"expected 4 fields in every line of u\.data, found 3 in line 1"):
        read("movielens-100k", tmp_path)


def test_the_other_names_of_formats(tmp_path: Path) -> None:
    write(tmp_path / "ratings.csv", f"userId,movieId,rating,timestamp\n1,2,3,{T}\n")
    write(tmp_path / "movies.csv", "movieId,title,genres\n2,A (2001),Drama\n")
    latest, same = (import_dataset(name, tmp_path, "x") for name in ("movielens-latest", "movielens"))
    pd.testing.assert_frame_equal(latest.catalogue.frame, same.catalogue.frame)
    tsv = write(tmp_path / "a.tsv", f"user_id\titem_id\tdatetime\na,b\tc\t{T}\n")
    assert import_dataset("tsv", tsv, "x").interactions.frame["user_id"].tolist() == ["a,b"]


def test_a_large_movielens_names_the_line(tmp_path: Path) -> None:
    write(tmp_path / "ratings.csv", f"userId,movieId,rating,timestamp\n1,2,3,{T}\n1,2,3,{T}\n1,2,3,never\n")
    write(tmp_path / "movies.csv", "movieId,title,genres\n2,A (2001),Drama\n")
    with pytest.raises(DataError, match=r"'never' in line 4 of ratings\.csv"):
        import_dataset("movielens", tmp_path, "x")
