"""The shelves of one recommender's catalogue in its three spaces, as tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.audience.shelves.codes import (
    Shelves,
    agreement_table,
    commonest,
    find_shelves,
    misplaced,
    shelf_names,
    shelf_table,
)
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.discovery.traits import Traits
from guidedrec_core.language import percent
from guidedrec_core.projection.spaces import ItemSpace
from guidedrec_core.recommenders.refined import RefinedRecommender

SPACES = ("base", "refined", "guided")
"""The base embedding, the refined one, and the attributes alone."""
SPACE_WORDS = {"base": "base model", "refined": "refined model", "guided": "scores alone"}
"""How to call the spaces."""


@dataclass(frozen=True, eq=False)
class ShelfReport:
    """Shelves in all spaces.

    Attributes
    ----------
    shelves : mapping of str to Shelves
        Codes, by space.
    agreement : pandas.DataFrame
        See `codes.agreement_table`.
    tables : mapping of str to pandas.DataFrame
        The shelves of each space; see `codes.shelf_table`.
    trees : mapping of str to pandas.DataFrame
        Shelves and their boards: ``id, parent`` ("" for shelves), ``name, items, category, purity``.
    misplaced : mapping of str to pandas.DataFrame
        ``item_id, title, category, shelf`` (its name), ``home`` (name of the shelf where most of the category stands),
        ``at_home, nearer``; see `codes.misplaced`.
    """

    shelves: Mapping[str, Shelves]
    agreement: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    trees: Mapping[str, pd.DataFrame]
    misplaced: Mapping[str, pd.DataFrame]

    def sentence(self, space: str) -> str:
        """Say how a space's shelves agree with the shop's categories."""
        table = self.agreement
        row = table[(table["space"] == space) & (table["level"] == 1)].iloc[0]
        who = f"The {SPACE_WORDS[space]} sort{'' if space == 'guided' else 's'}"
        said = f"{who} the catalogue onto {row['shelves']} shelves"
        if np.isnan(row["purity"]):
            return f"{said}. The items have no categories to compare them with."
        return (
            f"{said}; {percent(row['purity'])} of the items belong to the most common category of their shelf "
            f"(with shuffled categories: {percent(row['chance'])})."
        )


def catalogue_shelves(model: RefinedRecommender) -> ShelfReport:
    """Find the shelves of a recommender's catalogue.

    Parameters
    ----------
    model : RefinedRecommender
        A fitted refined recommender.
    """
    guided, frame = model.refined.item_values(), model.data.dataset.catalogue.frame
    spaces = {
        "base": ItemSpace.base(model.base.item_embedding()),
        "refined": ItemSpace.refined(guided, model.refined.item_remainders()),
        "guided": ItemSpace.guided(guided),
    }
    categories = model.data.dataset.catalogue.main_categories.reset_index(drop=True)
    traits = Traits.of(model.facts, frame[c.TITLE].astype(str).tolist())
    found = {name: find_shelves(space.vectors, seed=model.seed) for name, space in spaces.items()}
    names = {name: shelf_names(shelves, guided, model.schema, traits) for name, shelves in found.items()}
    tables = {name: shelf_table(shelves, names[name], categories) for name, shelves in found.items()}
    return ShelfReport(
        shelves=found,
        agreement=agreement_table(found, categories, model.seed),
        tables=tables,
        trees={name: _tree(model, found[name], tables[name], traits, categories) for name in found},
        misplaced={name: _with_titles(misplaced(found[name], categories), names[name], frame) for name in found},
    )


def _tree(
    model: RefinedRecommender, shelves: Shelves, table: pd.DataFrame, traits: Traits, categories: pd.Series
) -> pd.DataFrame:
    """Tabulate shelves and boards; a board is named by what tells it from its shelf's others."""
    top, boards = shelves.shelf_of(1), shelves.shelf_of(min(2, shelves.levels))
    columns = ["name", "items", "category", "purity"]
    rows = [(str(number), "", *row) for number, *row in table[["shelf", *columns]].itertuples(index=False)]
    for shelf in range(len(table)):
        own = np.flatnonzero(top == shelf)
        numbers = np.unique(boards[own])
        names = shelf_names(shelves, model.refined.item_values(), model.schema, traits, own, min(2, shelves.levels))
        for number, name in zip(numbers.tolist(), names, strict=True):
            category, purity = commonest(categories[boards == number])
            rows.append(
                (f"{shelf + 1}.{number}", f"{shelf + 1}", name, int((boards == number).sum()), category, purity)
            )
    tree = pd.DataFrame(rows, columns=["id", "parent", *columns])
    return tree.assign(category=tree["category"].map(category_words))


def _with_titles(found: pd.DataFrame, names: tuple[str, ...], frame: pd.DataFrame) -> pd.DataFrame:
    """Put titles and names of shelves in place of numbers."""
    items = frame.iloc[found["item"].to_numpy(dtype=np.int64)]
    return pd.DataFrame(
        {
            c.ITEM: items[c.ITEM].to_numpy(),
            c.TITLE: items[c.TITLE].to_numpy(),
            c.CATEGORY: [category_words(category) for category in found["category"]],
            "shelf": [names[number - 1] for number in found["shelf"]],
            "home": [names[number - 1] for number in found["home"]],
            "at_home": found["at_home"].to_numpy(dtype=np.float64),
            "nearer": found["nearer"].to_numpy(dtype=np.float64),
        }
    )
