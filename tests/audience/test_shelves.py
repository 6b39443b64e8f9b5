"""Shelves: codes that quantise residuals, a planted catalogue found again, and agreement with categories."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.audience.shelves.codes import (
    agreement_table,
    find_shelves,
    misplaced,
    shelf_names,
    shelf_table,
)
from guidedrec_core.audience.shelves.report import catalogue_shelves
from guidedrec_core.discovery.traits import Traits
from guidedrec_core.facts.fact import Facts


@pytest.fixture(scope="module")
def planted():
    """Five kinds of 40 items, two sorts of each; one tent lies among the stoves."""
    rng = np.random.default_rng(0)
    kinds, sorts = np.repeat(np.arange(5), 40), np.tile(np.repeat([0, 1], 20), 5)
    vectors = np.eye(8)[kinds] * 6 + np.eye(8)[5 + sorts] * 2 + rng.normal(size=(200, 8)) * 0.1
    categories = pd.Series(np.array(["tents", "stoves", "hats", "socks", "mugs"])[kinds])
    vectors[0] = vectors[50]
    return vectors, categories, kinds, sorts


def test_planted_kinds_and_sorts_become_the_levels(planted) -> None:
    vectors, categories, kinds, sorts = planted
    shelves = find_shelves(vectors, (5, 2))
    table = agreement_table({"base": shelves}, categories)
    assert table["purity"].iloc[0] == pytest.approx(199 / 200)
    assert table["chance"].iloc[0] < 0.4
    assert table["ami"].iloc[0] > 0.95
    assert table["shelves"].tolist() == [5, 10]
    pure = pd.crosstab(shelves.shelf_of(2)[1:], kinds[1:] * 2 + sorts[1:])
    assert ((pure > 0).sum(axis=1) == 1).all()
    assert (np.diff(np.bincount(shelves.codes[:, 0])) <= 0).all()
    assert shelves.collisions == 200
    assert shelves.explained[0] < shelves.explained[1] < 1


def test_each_level_quantises_what_the_one_before_left() -> None:
    vectors = np.random.default_rng(1).normal(size=(150, 4))
    shelves = find_shelves(vectors, (6, 4, 3))
    left = vectors
    for level in range(3):
        distances = ((left[:, None, :] - shelves.centres[level][None]) ** 2).sum(axis=2)
        assert (distances.argmin(axis=1) == shelves.codes[:, level]).all()
        left = left - shelves.centres[level][shelves.codes[:, level]]
    assert shelves.explained[2] == pytest.approx(1 - (left**2).sum() / ((vectors - vectors.mean(axis=0)) ** 2).sum())
    codes = [tuple(row) for row in shelves.codes.tolist()]
    assert shelves.collisions == sum(codes.count(code) > 1 for code in codes)
    again = find_shelves(vectors, (6, 4, 3))
    assert (again.codes == shelves.codes).all()


def test_random_shelves_are_no_purer_than_chance() -> None:
    rng = np.random.default_rng(2)
    categories = pd.Series(np.array(list("abcde"))[rng.integers(0, 5, 300)])
    table = agreement_table({"base": find_shelves(rng.normal(size=(300, 6)))}, categories)
    assert (abs(table["purity"] - table["chance"]) < 0.06).all()
    assert (abs(table["ami"]) < 0.06).all()
    assert (table["nmi"].diff().iloc[1:] > 0.05).all()  # which is why it is not shown alone


def test_an_item_among_others_is_found(planted) -> None:
    vectors, categories, _, _ = planted
    shelves = find_shelves(vectors, (5, 2))
    found = misplaced(shelves, categories)
    assert found["item"].tolist() == [0]
    row = found.iloc[0]
    shelf = shelves.shelf_of(1)
    assert (row["category"], row["home"], row["shelf"]) == ("tents", shelf[1] + 1, shelf[50] + 1)
    assert row["at_home"] == pytest.approx(39 / 40)
    assert row["nearer"] > 0.5


def test_shelves_are_named_by_attributes_and_words(planted) -> None:
    vectors, categories, kinds, _ = planted
    schema = AttributeSchema(domain="", attributes=(Attribute(name="warmth", low="a", high="b"),))
    guided = np.where(kinds == 2, 2.0, -0.5)[:, None]
    titles = [f"{category.title()} {number}" for number, category in enumerate(categories)]
    shelves = find_shelves(vectors, (5, 2))
    names = shelf_names(shelves, guided, schema, Traits.of(Facts((), 200), titles))
    hats = shelves.shelf_of(1)[kinds == 2][0]
    assert names[hats] == "high warmth"  # a word of a fifth of the titles is too common to tell anything
    table = shelf_table(shelves, names, categories)
    assert table["category"].iloc[hats] == "hats"
    assert table["purity"].iloc[hats] == 1.0
    assert table["items"].sum() == 200
    board = shelf_names(shelves, guided, schema, Traits.of(Facts((), 200), titles), np.flatnonzero(kinds == 2), 2)
    assert board == ("mixed", "mixed")


def test_without_categories_nothing_is_compared(planted) -> None:
    vectors = planted[0]
    nothing = pd.Series([""] * 200)
    shelves = find_shelves(vectors, (5, 2))
    table = agreement_table({"base": shelves}, nothing)
    assert table[["purity", "chance", "nmi", "ami"]].isna().all(axis=None)
    assert misplaced(shelves, nothing).empty


def test_equal_items_need_no_more_codes_than_there_are() -> None:
    shelves = find_shelves(np.ones((30, 3)))
    assert shelves.codes.max() == 0
    assert shelves.collisions == 30


def test_the_report_of_a_recommender_counts_every_item_once(tiny_model) -> None:
    report = catalogue_shelves(tiny_model)
    for space in ("base", "refined", "guided"):
        tree = report.trees[space]
        shelves, boards = tree[tree["parent"] == ""], tree[tree["parent"] != ""]
        assert shelves["items"].sum() == boards["items"].sum() == 40
        inside = boards.groupby("parent")["items"].sum()
        assert (inside.loc[shelves["id"]].to_numpy() == shelves["items"].to_numpy()).all()
        assert tree["id"].is_unique
        assert report.sentence(space).count("%") == 2
        assert set(report.misplaced[space]["category"]) <= {"tents", "stoves", "socks"}
