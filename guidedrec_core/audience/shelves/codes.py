"""Shelves: the catalogue as a model sees it, a tree of item codes by residual quantisation.

The first code is the nearest of some centres (k-means), the next that of what is left after taking the centre away,
and so on; all items share the codebook of a level. So are items indexed for generative recommendation (TIGER, 2023;
LC-Rec, 2024; P5's collaborative indexing, 2023, clusters in a tree instead). Here the codes are for reading: items
with the same first code stand on one shelf, those with the same first two on one board of it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.audience.lists import Doubles
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.discovery.traits import Trait, Traits
from guidedrec_core.explanation.words import lower_first
from guidedrec_core.randomness import derive_seed, generator

LEVELS = (12, 6, 4)
"""Codes of each level for a catalogue that is large enough."""
_FEWEST_A_CODE = 8  # items for each code of the first level
_STARTS = 4
_SHUFFLES = 50
_NOTABLE = 0.6  # standard deviations from which on a shelf is high or low on an attribute
_LEAST_AT_HOME = 0.5


@dataclass(frozen=True, eq=False)
class Shelves:
    """Codes of all items in one space.

    Attributes
    ----------
    codes : IntArray
        Code of each level from 0, ``[n_items, levels]``; the first one's numbers are by size, the largest first.
    centres : tuple of Doubles
        Codebook of each level, ``[codes, D]``.
    vectors : Doubles
        What was quantised, ``[n_items, D]``.
    """

    codes: IntArray
    centres: tuple[Doubles, ...]
    vectors: Doubles

    @property
    def levels(self) -> int:
        """Number of levels."""
        return int(self.codes.shape[1])

    def shelf_of(self, level: int) -> IntArray:
        """Return each item's shelf down to a level from 1, numbered from 0 in the order of codes, ``[n_items]``."""
        _, numbers = np.unique(self.codes[:, :level], axis=0, return_inverse=True)
        shelves: IntArray = numbers.reshape(-1).astype(np.int64)
        return shelves

    @property
    def collisions(self) -> int:
        """Items whose whole code another item has, too."""
        sizes = np.bincount(self.shelf_of(self.levels))
        return int(sizes[sizes > 1].sum())

    @property
    def explained(self) -> tuple[float, ...]:
        """Share of the vectors' variance that the codes down to each level explain, ``levels`` numbers."""
        rest = self.vectors - self.vectors.mean(axis=0)
        total, shares = max(float((rest**2).sum()), 1e-12), []
        left = self.vectors
        for level, centres in enumerate(self.centres):
            left = left - centres[self.codes[:, level]]
            shares.append(1 - float((left**2).sum()) / total)
        return tuple(shares)


def find_shelves(vectors: npt.NDArray[np.floating], levels: tuple[int, ...] | None = None, seed: int = 0) -> Shelves:
    """Quantise item vectors.

    Parameters
    ----------
    vectors : ndarray
        ``[n_items, D]``, finite.
    levels : tuple of int, optional
        Codes of each level; `LEVELS`, or fewer for a small catalogue.
    seed : int
        Seed of the starts.
    """
    left = vectors.astype(np.float64)
    different = len(np.unique(left, axis=0))
    sizes = levels or (min(LEVELS[0], max(2, len(left) // _FEWEST_A_CODE)), *LEVELS[1:])
    codes, centres = [], []
    for level, size in enumerate(sizes):
        fitted = KMeans(
            n_clusters=max(1, min(size, different)),
            n_init=_STARTS,
            random_state=derive_seed(seed, "shelves", level) % 2**32,
        ).fit(left)
        # By size, so that the numbers do not depend on the starts.
        order = np.argsort(-np.bincount(fitted.labels_, minlength=fitted.n_clusters), kind="stable")
        place = np.argsort(order)
        codes.append(place[fitted.labels_].astype(np.int64))
        centres.append(fitted.cluster_centers_[order])
        left = left - centres[-1][codes[-1]]
        different = len(np.unique(left.round(9), axis=0))
    return Shelves(np.stack(codes, axis=1), tuple(centres), vectors.astype(np.float64))


def shelf_names(
    shelves: Shelves,
    guided: npt.NDArray[np.floating],
    schema: AttributeSchema,
    traits: Traits,
    within: IntArray | None = None,
    level: int = 1,
) -> tuple[str, ...]:
    """Name the shelves of a level by what their items have more often than others, and by attributes.

    Parameters
    ----------
    shelves : Shelves
        Codes.
    guided : ndarray
        Guided embedding, z-scores ``[n_items, A]``.
    schema : AttributeSchema
        Names of the attributes.
    traits : Traits
        What can be said of items.
    within : IntArray, optional
        Items among which the shelves are told apart; all by default.
    level : int
        Level from 1.

    Returns
    -------
    tuple of str
        Of each shelf that holds an item of `within`, in the order of their numbers.
    """
    all_items = np.arange(len(guided)) if within is None else within
    shelf = shelves.shelf_of(level)[all_items]
    mean, spread = guided[all_items].mean(axis=0), guided[all_items].std(axis=0)
    names = []
    for number in np.unique(shelf):
        own, others = all_items[shelf == number], all_items[shelf != number]
        rich = [_trait_words(trait) for trait in traits.rich_in(own, others, most=2)]
        z = (guided[own].mean(axis=0) - mean) / np.where(spread > 1e-9, spread, 1.0)
        order = [a for a in np.argsort(-np.abs(z), kind="stable")[:2] if abs(z[a]) >= _NOTABLE]
        high = [f"{'high' if z[a] > 0 else 'low'} {lower_first(schema.attributes[a].label)}" for a in order]
        names.append("; ".join(filter(None, (", ".join(rich), ", ".join(high)))) or "mixed")
    return tuple(names)


def _trait_words(trait: Trait) -> str:
    """Write a trait in a name.

    Examples
    --------
    >>> _trait_words(Trait("number", "Price over 142, to 1295", 3, 0.5, 0.1, 5.0, 2.0, 9.0))
    'price 142 to 1295'
    """
    if trait.kind == "category":
        return category_words(trait.text.partition(": ")[2])
    if trait.kind == "number":
        return lower_first(trait.text.replace(" over ", " ").replace(", to ", " to "))
    return trait.text.removesuffix(" in the title")


def shelf_table(shelves: Shelves, names: tuple[str, ...], categories: pd.Series) -> pd.DataFrame:
    """Tabulate the shelves of the first level.

    Parameters
    ----------
    shelves : Shelves
        Codes.
    names : tuple of str
        From `shelf_names`.
    categories : pandas.Series of str
        Main category of each item, "" where unknown.

    Returns
    -------
    pandas.DataFrame
        ``shelf`` (from 1), ``name, items, category`` (the commonest), ``purity`` (its share of the shelf's items with
        a category; NaN without any).
    """
    shelf = shelves.shelf_of(1)
    rows = []
    for number, name in enumerate(names):
        own = categories[shelf == number]
        rows.append((number + 1, name, len(own), *commonest(own)))
    return pd.DataFrame(rows, columns=["shelf", "name", "items", "category", "purity"])


def commonest(categories: pd.Series) -> tuple[str, float]:
    """Return the commonest of some items' categories, and its share of those that have one; "" and NaN for none.

    Examples
    --------
    >>> commonest(pd.Series(["hats", "hats", "socks", "socks", "hats", ""]))
    ('hats', 0.6)
    """
    counts = categories[categories != ""].value_counts()
    return (str(counts.index[0]), float(counts.iloc[0] / counts.sum())) if len(counts) else ("", np.nan)


def agreement_table(spaces: dict[str, Shelves], categories: pd.Series, seed: int = 0) -> pd.DataFrame:
    """Compare the shelves of several spaces with the shop's own categories, level by level.

    Parameters
    ----------
    spaces : dict of str to Shelves
        By name.
    categories : pandas.Series of str
        Main category of each item; items without one are left out.
    seed : int
        Seed of the shuffled categories.

    Returns
    -------
    pandas.DataFrame
        ``space, level, shelves, purity, chance`` (purity with categories shuffled over items: more shelves are purer by
        chance alone), ``nmi`` and ``ami`` (normalised and adjusted mutual information; adjusted is 0 by chance),
        ``collisions`` (items that share their whole code), ``explained`` (share of the vectors' variance).
    """
    known = (categories != "").to_numpy()
    codes = pd.factorize(categories[known])[0]
    rng = generator(seed, "shuffled categories")
    rows = []
    for space, shelves in spaces.items():
        for level in range(1, shelves.levels + 1):
            shelf = shelves.shelf_of(level)[known]
            n_shelves = len(np.unique(shelves.shelf_of(level)))
            found: tuple[float, ...] = (np.nan,) * 4
            if len(codes):
                chance = np.mean([purity_of(shelf, rng.permutation(codes)) for _ in range(_SHUFFLES)])
                nmi, ami = (
                    float(measure(codes, shelf))
                    for measure in (normalized_mutual_info_score, adjusted_mutual_info_score)
                )
                found = (purity_of(shelf, codes), float(chance), nmi, ami)
            rows.append((space, level, n_shelves, *found, shelves.collisions, shelves.explained[level - 1]))
    names = ["space", "level", "shelves", "purity", "chance", "nmi", "ami", "collisions", "explained"]
    return pd.DataFrame(rows, columns=names)


def purity_of(shelf: IntArray, category: IntArray) -> float:
    """Return the share of items whose category is the commonest of their shelf.

    Examples
    --------
    >>> purity_of(np.array([0, 0, 0, 1]), np.array([5, 5, 6, 6]))
    0.75
    """
    table = np.zeros((shelf.max() + 1, category.max() + 1), dtype=np.int64)
    np.add.at(table, (shelf, category), 1)
    return float(table.max(axis=1).sum() / len(shelf))


def misplaced(shelves: Shelves, categories: pd.Series) -> pd.DataFrame:
    """Return items that stand on another shelf than their category says.

    A category has a home shelf if at least half of its items stand there. An item of such a category on another shelf
    is misplaced, and the more surely the nearer it is to that shelf's centre than to its home's.

    Parameters
    ----------
    shelves : Shelves
        Codes.
    categories : pandas.Series of str
        Main category of each item, "" where unknown.

    Returns
    -------
    pandas.DataFrame
        ``item`` (index), ``category, home, shelf`` (numbers from 1), ``at_home`` (share of the category's items on its
        home shelf), ``nearer`` (by how much of the way between the two centres it is past the middle, 0 to 1 for an
        item between them), the surest first.
    """
    shelf, centres = shelves.shelf_of(1), shelves.centres[0]
    used = np.unique(shelves.codes[:, 0])
    rows = []
    for category, own in categories[categories != ""].groupby(categories):
        items = own.index.to_numpy()
        counts = np.bincount(shelf[items], minlength=len(used))
        home = int(counts.argmax())
        if counts[home] < _LEAST_AT_HOME * len(items) or len(items) < 2:
            continue
        for item in items[shelf[items] != home].tolist():
            here, there = centres[used[shelf[item]]], centres[used[home]]
            way = here - there
            nearer = 2 * float((shelves.vectors[item] - (here + there) / 2) @ way) / max(float(way @ way), 1e-12)
            rows.append((item, category, home + 1, int(shelf[item]) + 1, counts[home] / len(items), nearer))
    table = pd.DataFrame(rows, columns=["item", "category", "home", "shelf", "at_home", "nearer"])
    return table.sort_values(["nearer", "item"], ascending=[False, True], ignore_index=True)
