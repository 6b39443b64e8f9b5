import pandas as pd
import pytest

from guidedrec_core.data.catalogue import Catalogue, align, main_category
from guidedrec_core.errors import DataError


def listings() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item_id": ["a", " b", "c", "a"],
            "title": ["Tent", None, " Stove ", "Tent again"],
            "category": ["shelter|camp", None, "cook", "shelter"],
            "price": ["9.5", "free", None, "1"],
            "description": [None, "light", " hot ", ""],
            "brand": ["Acme", "Acme", None, "X"],
        }
    )


def test_rows_are_the_items_in_order_and_everything_odd_is_counted() -> None:
    catalogue, notices = align(listings(), ["x", "b", "a"])
    frame = catalogue.frame
    assert frame["item_id"].tolist() == ["x", "b", "a"]
    assert frame["title"].tolist() == ["x", "b", "Tent"]
    assert frame["category"].tolist() == ["", "", "shelter|camp"]
    assert frame["description"].tolist() == ["", "light", ""]
    assert frame["price"].tolist()[2] == 9.5
    assert frame["price"].isna().tolist() == [True, True, False]
    assert frame["brand"].tolist()[1:] == ["Acme", "Acme"]
    assert {n.code: n.count for n in notices} == {
        "catalogue_item_ids_trimmed": 1,
        "duplicate_listings": 1,
        "unused_listings": 1,
        "unlisted_items": 1,
        "blank_titles": 1,
        "unreadable_prices": 1,
    }
    assert catalogue.main_categories.tolist() == ["", "", "shelter"]


def test_prices_that_no_computer_holds_are_left_blank() -> None:
    prices = ["9.5", "1e400", "-inf", None]
    frame = pd.DataFrame({"item_id": list("abcd"), "title": "x", "category": "", "price": prices})
    catalogue, notices = align(frame, list("abcd"))
    assert catalogue.frame["price"].isna().tolist() == [False, True, True, True]
    assert [(n.code, n.message) for n in notices] == [
        ("unreadable_prices", "2 prices are no finite numbers, left blank")
    ]


def test_without_listings_items_show_their_ids() -> None:
    catalogue, notices = align(None, ["1", "2"])
    assert catalogue.frame["title"].tolist() == ["1", "2"]
    assert [n.code for n in notices] == ["no_catalogue"]


def test_nothing_odd_gives_no_notice() -> None:
    frame = pd.DataFrame({"item_id": ["a"], "title": ["Tent"], "category": pd.Categorical(["camp"])})
    catalogue, notices = align(frame, ["a"])
    assert notices == ()
    assert catalogue.frame["category"].tolist() == ["camp"]


def test_a_listing_without_an_id_is_refused() -> None:
    frame = pd.DataFrame({"item_id": ["a", None], "title": ["A", "B"], "category": ["", ""]})
    with pytest.raises(DataError, match="catalogue item id in every row, 1 of 2"):
        align(frame, ["a"])


def test_the_constructor_checks_its_promises() -> None:
    good = pd.DataFrame({"item_id": ["a", "b"], "title": ["A", "B"], "category": ["", ""]})
    with pytest.raises(DataError, match="missing: title, category"):
        Catalogue(good[["item_id"]])
    with pytest.raises(DataError, match="two or more for a"):
        Catalogue(good.assign(item_id="a"))
    with pytest.raises(DataError, match="a title in every row"):
        Catalogue(good.assign(title=["A", " "]))


def test_main_category() -> None:
    assert main_category("Adventure|Comedy") == "Adventure"
    assert main_category("tents") == "tents"
