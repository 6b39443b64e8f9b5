import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidedrec_core.data.catalogue import align
from guidedrec_core.data.dataset import Dataset, item_order
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import DataError
from guidedrec_core.runs.datasets import load_dataset, save_dataset
from guidedrec_core.runs.store import RunStore

MOVIELENS = Path(__file__).parents[3] / "shared" / "data" / "movielens_small"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    rows = [("u2", "10"), ("u2", "9"), ("u1", "9"), ("u1", "10"), ("u1", "9"), ("u3", "007")]
    lines = [f"{user},{item},2020-01-{day:02}" for day, (user, item) in enumerate(rows, 1)]
    (tmp_path / "own.csv").write_text("user_id,item_id,datetime\n" + "\n".join(lines))
    (tmp_path / "items.csv").write_text(
        "item_id,title,category,price,year\n9,Tent,camp|shelter,9.5,1999\n10,Stove,,1,\n"
    )
    return tmp_path


def test_import_and_describe(own: Path) -> None:
    dataset = import_dataset("csv", own / "own.csv", "my-shop", items_path=own / "items.csv")
    assert list(dataset.users.ids) == ["u1", "u2", "u3"]
    assert list(dataset.items.ids) == ["007", "9", "10"]
    assert dataset.catalogue.frame["title"].tolist() == ["007", "Tent", "Stove"]
    facts = dataset.describe()
    assert json.loads(json.dumps(facts)) == facts
    notices = facts.pop("notices")
    assert {n["code"]: n["count"] for n in notices} == {"repeated_items": 1, "unlisted_items": 1}
    assert facts == {
        "name": "my-shop",
        "users": 3,
        "items": 3,
        "interactions": 6,
        "density": 5 / 9,
        "first": "2020-01-01T00:00:00",
        "last": "2020-01-06T00:00:00",
        "history": {"min": 1, "median": 2.0, "max": 3},
        "categories": 1,
        "interaction_verb": "bought",
        "source": {"format": "csv", "path": "own.csv"},
    }


@pytest.mark.parametrize(("verb", "said"), [(None, "1 repeat purchase, kept"), ("read", "1 repeat read, kept")])
def test_notices_speak_by_the_verb(own: Path, verb: str | None, said: str) -> None:
    dataset = import_dataset("csv", own / "own.csv", "my-shop", verb=verb)
    assert [notice.message for notice in dataset.notices if notice.code == "repeated_items"] == [said]


def test_a_domain_helps_to_guess_the_verb(own: Path) -> None:
    dataset = import_dataset("csv", own / "own.csv", "mine")
    assert (dataset.verb().past, dataset.verb("movies").past) == ("chose", "watched")
    assert dataset.describe()["interaction_verb"] == "chose"


def test_the_filter_takes_listings_along(own: Path) -> None:
    dataset = import_dataset("csv", own / "own.csv", "my-shop", items_path=own / "items.csv", min_interactions=2)
    assert list(dataset.items.ids) == ["9", "10"]
    assert {n.code for n in dataset.notices} == {"repeated_items", "core_filter"}


def test_saved_and_loaded_is_the_same(own: Path) -> None:
    dataset = import_dataset("csv", own / "own.csv", "my-shop", items_path=own / "items.csv")
    store = RunStore(own / "runs")
    with store.create("data", config={}) as writer:
        save_dataset(dataset, writer)
    back = load_dataset(store.open(writer.run.id))
    pd.testing.assert_frame_equal(back.interactions.frame, dataset.interactions.frame)
    pd.testing.assert_frame_equal(back.catalogue.frame, dataset.catalogue.frame)
    assert (back.name, back.source, back.notices) == (dataset.name, dataset.source, dataset.notices)
    assert back.users == dataset.users
    assert back.items == dataset.items


def test_a_name_of_5000_characters_is_refused_in_one_short_sentence(own: Path) -> None:
    with pytest.raises(DataError, match=r"at most 100 .*; got 'x{60}'\.\.\. \(5,000 characters\)$"):
        import_dataset("csv", own / "own.csv", "x" * 5_000)
    assert import_dataset("csv", own / "own.csv", "x" * 100).name == "x" * 100


@pytest.mark.parametrize("name", ["", "My-Shop", "a b", "../x", "-a", "é", "a\n"])
def test_bad_names_are_refused(own: Path, name: str) -> None:
    with pytest.raises(DataError, match="expected a data set name"):
        import_dataset("csv", own / "own.csv", name)


def test_a_filter_below_one_is_refused(own: Path) -> None:
    with pytest.raises(DataError, match="1 or more, got 0"):
        import_dataset("csv", own / "own.csv", "a", min_interactions=0)


def test_catalogue_and_interactions_must_agree(own: Path) -> None:
    dataset = import_dataset("csv", own / "own.csv", "a")
    other, _ = align(None, ["9", "10", "007"])
    with pytest.raises(DataError, match="not the items in index order"):
        Dataset("a", dataset.interactions, other)


@given(st.lists(st.text("0123456789", min_size=1, max_size=4), min_size=1, max_size=20))
def test_item_order_is_by_number_and_depends_only_on_the_set(ids: list[str]) -> None:
    order = item_order(pd.Series(ids, dtype="str"))
    assert order == item_order(pd.Series(ids[::-1], dtype="str"))
    assert sorted(order) == sorted(set(ids))
    assert [int(i) for i in order] == sorted(int(i) for i in set(ids))


def test_digits_of_other_scripts_are_text() -> None:
    assert item_order(pd.Series(["²", "10", "9"])) == ["10", "9", "²"]


@pytest.mark.skipif(not MOVIELENS.is_dir(), reason="MovieLens ml-latest-small is not on this machine")
def test_movielens_five_core() -> None:
    dataset = import_dataset("movielens", MOVIELENS, "movielens-small", min_interactions=5)
    facts = dataset.describe()
    assert (facts["users"], facts["items"], facts["interactions"]) == (610, 3650, 90_274)
    assert dataset.catalogue.frame["title"][0] == "Toy Story (1995)"
