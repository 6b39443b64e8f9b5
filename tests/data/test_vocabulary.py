import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError, UnknownIdError


@pytest.fixture
def items() -> Vocabulary:
    return Vocabulary(["tent", "stove", "0012", "Fantômas à l'ombre"], "item")


def test_ids_and_indexes_agree(items: Vocabulary) -> None:
    assert [items.index(i) for i in items.ids] == [0, 1, 2, 3]
    assert [items.id(n) for n in range(len(items))] == list(items.ids)


def test_leading_zeros_and_unicode_are_kept(items: Vocabulary) -> None:
    assert items.id(2) == "0012"
    assert "12" not in items
    assert "Fantômas à l'ombre" in items


def test_a_repeated_id_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="got twice: tent"):
        Vocabulary(["tent", "stove", "tent"], "item")


def test_unknown_id_names_near_ones(items: Vocabulary) -> None:
    with pytest.raises(UnknownIdError, match=r"unknown item id: 'stoves'; did you mean stove\?"):
        items.index("stoves")


def test_unknown_id_with_nothing_near_shows_what_ids_look_like(items: Vocabulary) -> None:
    with pytest.raises(UnknownIdError, match="ids look like 'tent'"):
        items.index("zzzzz")


def test_many_unknown_ids_are_counted(items: Vocabulary) -> None:
    with pytest.raises(UnknownIdError, match=r"4 unknown item ids: 'a', 'b', 'c', \.\.\."):
        items.indexes(["a", "tent", "b", "c", "d"])


def test_missing_negative(items: Vocabulary) -> None:
    found = items.indexes(pd.Series(["stove", "lamp"], index=[7, 3]), missing="negative")
    assert found.dtype == np.int64
    assert found.tolist() == [1, -1]


def test_empty_vocabulary_refuses_every_id() -> None:
    empty = Vocabulary([], "user")
    assert len(empty) == 0
    assert empty.indexes([]).tolist() == []
    with pytest.raises(UnknownIdError, match="unknown user id: 'a'"):
        empty.index("a")


def test_equality_needs_the_same_kind_and_order() -> None:
    assert Vocabulary(["a", "b"], "item") == Vocabulary(["a", "b"], "item")
    assert Vocabulary(["a", "b"], "item") != Vocabulary(["b", "a"], "item")
    assert Vocabulary(["a", "b"], "item") != Vocabulary(["a", "b"], "user")


@given(st.lists(st.text(st.characters(codec="utf-8")), unique=True, max_size=30))
def test_every_text_goes_there_and_back(ids: list[str]) -> None:
    vocabulary = Vocabulary(ids, "item")
    assert vocabulary.indexes(ids).tolist() == list(range(len(ids)))
    assert [vocabulary.id(n) for n in range(len(ids))] == ids


def test_search_finds_beginnings_first_in_any_case_and_says_how_many() -> None:
    users = Vocabulary(["bob", "Anna", "joanna", "Hannah", "a.n"], "user")
    assert users.search("AN") == (["Anna", "joanna", "Hannah"], 3)
    assert users.search("an", limit=2) == (["Anna", "joanna"], 3)
    assert users.search("a.n") == (["a.n"], 1)  # a point is a point
    assert users.search(" ", limit=2) == (["bob", "Anna"], 5)
    assert users.search("zoë") == ([], 0)
