"""Search finds what people mean, says how much it shows, and puts the best first."""

import pandas as pd
import pytest

from guidedrec_core.data.catalogue import Catalogue
from guidedrec_core.items.search import ItemIndex

ITEMS = [
    ("a-1", "Amélie", "Comedy|Romance"),
    ("a-2", "The Tent", "tents"),
    ("a-3", "Tent pegs <b>", "tents"),
    ("tent", "Stove", "stoves"),
    ("a-5", "Extent of snow", "socks"),
]


@pytest.fixture
def index() -> ItemIndex:
    return ItemIndex.of(Catalogue(pd.DataFrame(ITEMS, columns=["item_id", "title", "category"])))


@pytest.mark.parametrize("query", ["amelie", "AMÉLIE", "romance a-1", "  amel  rom "])
def test_case_accents_order_and_spaces_do_not_matter(index: ItemIndex, query: str) -> None:
    assert index.search(query).items["item_id"].tolist() == ["a-1"]


def test_equal_id_first_then_beginnings_then_the_rest_in_index_order(index: ItemIndex) -> None:
    assert index.search("tent").items["item_id"].tolist() == ["tent", "a-3", "a-2", "a-5"]


def test_says_how_many_are_not_shown(index: ItemIndex) -> None:
    result = index.search("tent", limit=2)
    assert (len(result.items), result.total, result.note) == (2, 4, "2 of 4 shown")
    assert index.search("stove").note == "1 found"
    assert index.search("").total == 5


def test_nothing_found_is_no_error(index: ItemIndex) -> None:
    result = index.search("zzz (.*")
    assert (len(result.items), result.total, result.note) == (0, 0, "none found")


def test_titles_by_id(index: ItemIndex) -> None:
    assert index.title("a-1") == "Amélie"
    assert index.title("gone") == "gone"
