"""Regions of the maps: items that lie together on both, with a name, and those that moved together most."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from guidedrec_core import columns as c
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation import words
from guidedrec_core.facts.catalogue import catalogue_facts
from guidedrec_core.facts.fact import Fact
from guidedrec_core.projection.item_map import ItemMap
from guidedrec_core.projection.selection import moved_by
from guidedrec_core.randomness import derive_seed

FloatArray = npt.NDArray[np.float64]

_MOST = 40
_FITTED = 20_000
_FEWEST_ITEMS = 3
_MOSTLY, _ALSO = 0.6, 0.2  # shares of a region's items that give it its name
_STANDS_OUT = 0.6  # standard deviations between a region's mean and the catalogue's
_TOGETHER = 1 / 3  # of the nearest items are in the region, too: less is no group
_COMPACT = 0.1  # of the window: half of a region's items are no further from its middle


@dataclass(frozen=True)
class Region:
    """Items that lie together on both maps.

    Attributes
    ----------
    number : int
        Its place among all regions of the maps, by which an address names it.
    name : str
        What stands out: its category or categories, else facts and attributes. Different from all others' names.
    items : IntArray
        Its items, ascending.
    kept : float
        Mean share of nearest items that are the same in both original spaces.
    together : float
        Share of its items' nearest items in the refined space that are in the region, too.
    moved_by : str
        Label of the attribute that moved it, "" where that may be chance.
    base, refined : (float, float) or None
        Its middle on either map; None where its items lie scattered.
    """

    number: int
    name: str
    items: IntArray
    kept: float
    together: float
    moved_by: str
    base: tuple[float, float] | None
    refined: tuple[float, float] | None


def find_regions(item_map: ItemMap, seed: int = 0) -> tuple[Region, ...]:
    """Divide the items into regions, by k-means on their positions on both maps.

    Parameters
    ----------
    item_map : ItemMap
        The maps.
    seed : int
        The same seed gives the same regions.

    Returns
    -------
    tuple of Region
        As many as the square root of the number of items, 40 at most; those of fewer than three items are left out.
    """
    codes = _clusters(item_map, derive_seed(seed, "map regions") % 2**32)
    names = _names(item_map, codes)
    inside = (codes[item_map.refined_neighbours] == codes[:, None]).mean(axis=1)  # [n_items]
    regions = []
    for number, name in enumerate(names):
        items = np.flatnonzero(codes == number)
        if len(items) < _FEWEST_ITEMS:
            continue
        middles = [_middle(item_map, space, items) for space in ("base", "refined")]
        kept, together = float(item_map.kept[items].mean()), float(inside[items].mean())
        regions.append(
            Region(number, name, items, kept, together, moved_by(item_map, items, seed), middles[0], middles[1])
        )
    return _told_apart(regions)


def moved_most(regions: tuple[Region, ...], most: int = 5) -> tuple[Region, ...]:
    """Return the regions whose neighbours changed most, of those that are still together after the refinement."""
    groups = [region for region in regions if region.together >= _TOGETHER]
    return tuple(sorted(groups, key=lambda region: (region.kept, region.number))[:most])


def _clusters(item_map: ItemMap, seed: int) -> IntArray:
    """Number the region of each item."""
    from scipy.cluster.vq import kmeans2, vq  # scikit-learn's takes seconds to import, and the page needs no more

    n = len(item_map.items)
    at = np.concatenate([item_map.positions("base"), item_map.positions("refined")], axis=1)  # [n, 4]
    # What lies outside the window would otherwise be a region of its own, item by item.
    (x0, x1), (y0, y1) = item_map.window
    at = np.clip(at, [x0, y0] * 2, [x1, y1] * 2).astype(np.float32)
    k = int(np.clip(round(np.sqrt(n)), 1, _MOST))
    fitted = at
    if n > _FITTED:
        fitted = at[np.random.default_rng(seed).choice(n, _FITTED, replace=False)]
    centres, _ = kmeans2(fitted, k, iter=30, minit="++", seed=seed, missing="warn")
    codes: IntArray = np.unique(vq(at, centres)[0], return_inverse=True)[1].astype(np.int64)  # none is empty
    return codes


def _middle(item_map: ItemMap, space: str, items: IntArray) -> tuple[float, float] | None:
    """Return the middle of a region on a map, where half of its items are near it."""
    at = item_map.positions(space)[items]
    middle = np.median(at, axis=0)
    size = max(high - low for low, high in item_map.window)
    near = float(np.median(np.sqrt(((at - middle) ** 2).sum(axis=1))))
    return (float(middle[0]), float(middle[1])) if near <= _COMPACT * size else None


def _names(item_map: ItemMap, codes: IntArray) -> list[str]:
    """Name each region by its categories, else by what stands out."""
    category, titles = item_map.categories
    k, n_categories = int(codes.max()) + 1, len(titles)
    counts = np.bincount(codes * n_categories + category, minlength=k * n_categories).reshape(k, n_categories)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    features = list(_features(item_map, codes, k))
    names = []
    for number in range(k):
        first, second = (*np.argsort(-shares[number], kind="stable")[:2], 0)[:2]
        own = shares[number]
        if own[first] >= _MOSTLY:
            names.append(titles[first])
        elif second != first and own[second] >= _ALSO and own[first] + own[second] >= _MOSTLY:
            names.append(f"{titles[first]}, {titles[second]}")
        else:
            apart = sorted(((abs(z[number]), say(number)) for z, say in features), key=lambda pair: -pair[0])
            said = [text for size, text in apart if size >= _STANDS_OUT][:2]
            names.append(", ".join(said) if said else f"{titles[first]} and others")
    return names


def _features(item_map: ItemMap, codes: IntArray, k: int) -> Iterator[tuple[FloatArray, "_Said"]]:
    """Yield, for attributes and facts, how far each region is from the catalogue and how to say it."""
    sizes = np.maximum(np.bincount(codes, minlength=k), 1)
    for number, attribute in enumerate(item_map.schema.attributes):
        z = np.bincount(codes, weights=item_map.z[:, number], minlength=k) / sizes
        yield z, _Said(words.lower_first(attribute.label), z)
    if item_map.data is None:
        return
    # Categories have named the others; for many items they take long to read.
    for fact in catalogue_facts(item_map.data.dataset.catalogue.frame.drop(columns=c.CATEGORY)):
        if fact.numbers is not None:
            z = _region_means(fact.numbers, codes, k)
            yield z, _Said(words.lower_first(fact.label), z)
        else:
            yield from _values(fact, codes, k, sizes)


def _values(fact: Fact, codes: IntArray, k: int, sizes: IntArray) -> Iterator[tuple[FloatArray, "_Said"]]:
    """Yield the values of a fact of categories that most items of a region have, and few of the others."""
    for number, value in enumerate(fact.column_names):
        marks = fact.columns[:, number] > 0
        share = np.bincount(codes, weights=marks, minlength=k) / sizes
        lift = np.where((share >= _MOSTLY) & (marks.mean() < _MOSTLY / 2), share, 0.0) * 2
        yield lift, _Said(f"{words.lower_first(fact.label)} {value}", None)


@dataclass(frozen=True)
class _Said:
    """How to say that a region stands out: the end of a scale, or a value."""

    label: str
    z: FloatArray | None

    def __call__(self, number: int) -> str:
        return self.label if self.z is None else f"{'high' if self.z[number] > 0 else 'low'} {self.label}"


def _region_means(numbers: FloatArray, codes: IntArray, k: int) -> FloatArray:
    """Return each region's mean of a fact, in standard deviations from that of the catalogue; unknown ones left out."""
    known = ~np.isnan(numbers)
    spread = float(numbers[known].std())
    z = (numbers[known] - numbers[known].mean()) / (spread if spread > 0 else 1.0)
    own = codes[known]
    means: FloatArray = np.bincount(own, weights=z, minlength=k) / np.maximum(np.bincount(own, minlength=k), 1)
    return means


def _told_apart(regions: list[Region]) -> tuple[Region, ...]:
    """Number the regions that would have the same name, the largest first."""
    many = {name for name, count in Counter(region.name for region in regions).items() if count > 1}
    seen: Counter[str] = Counter()
    told = {}
    for region in sorted(regions, key=lambda region: (-len(region.items), region.number)):
        seen[region.name] += 1
        told[region.number] = f"{region.name} {seen[region.name]}" if region.name in many else region.name
    return tuple(replace(region, name=told[region.number]) for region in regions)
