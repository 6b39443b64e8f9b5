"""How large a pull is by chance, when scores have nothing to do with what moved."""

import numpy as np

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.projection.item_map import ItemMap

_DRAWS, _MOST_ITEMS = 200, 100
_LEVEL = 0.95
_FEWEST_CATEGORIES = 3


def chance_pull(
    item_map: ItemMap,
    indexes: IntArray,
    rng: np.random.Generator,
    *,
    draws: int = _DRAWS,
    most: int = _MOST_ITEMS,
) -> float:
    """Return the pull that the strongest attribute reaches by chance, in 95 of 100 cases at most.

    Every category is dealt the scores of another one, item by item at random, so that scores are as alike within
    categories, and as different between them, as they are; neighbours stay as they are. A group of items that merely
    came to lie next to another group is thereby no evidence for the attribute on which both happen to agree. The
    largest pull of any attribute is what counts, because the largest is what a headline names.

    Parameters
    ----------
    item_map : ItemMap
        The maps. With fewer than three categories scores are dealt among all items.
    indexes : IntArray
        The items, at least one.
    rng : numpy.random.Generator
        Source of randomness.
    draws : int
        How often scores are dealt.
    most : int
        Items looked at, drawn at random where there are more. Fewer items leave more to chance, so that the result is
        then a little too large, never too small.

    Returns
    -------
    float
        In standard deviations; compare it with `ItemMap.pulls` averaged over the items.
    """
    chosen = np.asarray(indexes)
    if len(chosen) > most:
        chosen = chosen[rng.choice(len(chosen), most, replace=False, shuffle=False)]
    near = np.concatenate([item_map.base_neighbours[chosen], item_map.refined_neighbours[chosen]], axis=1)  # [n, 2k]
    involved, places = np.unique(np.concatenate([chosen[:, None], near], axis=1), return_inverse=True)
    places = places.reshape(len(chosen), -1)  # [n, 1 + 2k]
    k = item_map.base_neighbours.shape[1]
    deal = _Deal(item_map, involved)
    largest = np.empty(draws)
    for draw in range(draws):
        z = item_map.z[deal.drawn(rng)]  # [involved, A]
        gaps = np.abs(z[places[:, 1:]] - z[places[:, :1]]).sum(axis=0)  # [2k, A]
        largest[draw] = (gaps[:k].sum(axis=0) - gaps[k:].sum(axis=0)).max() / (k * len(chosen))
    return float(np.quantile(largest, _LEVEL))


class _Deal:
    """Whose scores items get."""

    def __init__(self, item_map: ItemMap, items: IntArray) -> None:
        codes, names = item_map.categories
        self.members = item_map.members
        if len(names) < _FEWEST_CATEGORIES:
            self.codes, self.sizes = np.zeros(len(items), dtype=np.int64), np.array([len(codes)])
        else:
            self.codes, self.sizes = codes[items], np.bincount(codes, minlength=len(names))
        self.starts = np.cumsum(self.sizes) - self.sizes

    def drawn(self, rng: np.random.Generator) -> IntArray:
        """Deal once: return an item for each item."""
        order = rng.permutation(len(self.sizes))
        giver = np.empty_like(order)
        giver[order] = np.roll(order, 1)  # one circle, so that no category keeps its own
        category = giver[self.codes]
        place = (rng.random(len(category)) * self.sizes[category]).astype(np.int64)
        dealt: IntArray = self.members[self.starts[category] + place]
        return dealt
