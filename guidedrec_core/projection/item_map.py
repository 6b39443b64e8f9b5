"""`ItemMap`: base and refined map with all that colours them.

Reads stored runs only; needs no model, so no torch.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.report import BASE, REFINED
from guidedrec_core.projection.geometry import Window
from guidedrec_core.projection.spaces import FloatArray, item_pulls
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.runs.datasets import load_split_dataset
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import RunStore


@dataclass(frozen=True)
class ItemMap:
    """Both maps of one refined run.

    Attributes
    ----------
    projection_id : str
        The run it was read from.
    items : pandas.DataFrame
        One row an item, in index order: ``item_id, title, category`` (the main one), ``interactions`` (in training),
        ``kept`` (share of its nearest items that are the same in both original spaces), ``base_x, base_y, refined_x,
        refined_y``.
    schema : AttributeSchema
        The attributes.
    raw, z : FloatArray
        Raw scores (NaN = missing) and their z-scores (0 = missing), ``[n_items, A]``.
    base_neighbours, refined_neighbours : IntArray
        Nearest items in the original spaces, ``[n_items, k]``.
    data : SplitDataset
        Histories, to draw a user's.
    verb : InteractionVerb
        How to speak of the data set's interactions.
    """

    projection_id: str
    items: pd.DataFrame
    schema: AttributeSchema
    raw: FloatArray
    z: FloatArray
    base_neighbours: IntArray
    refined_neighbours: IntArray
    data: SplitDataset
    verb: InteractionVerb

    def positions(self, space: str) -> npt.NDArray[np.float64]:
        """Return all positions on the map of ``"base"`` or ``"refined"``, ``[n_items, 2]``."""
        return self._positions[space]

    @cached_property
    def _positions(self) -> dict[str, npt.NDArray[np.float64]]:
        return {
            space: self.items[[f"{space}_x", f"{space}_y"]].to_numpy(dtype=np.float64) for space in ("base", "refined")
        }

    @cached_property
    def window(self) -> Window:
        """The part of the plane that both maps show, as (x, y) ranges; they are aligned, so it is one.

        A few items that UMAP threw far out would shrink all others to a dot; they are left outside, see `n_outside`.
        """
        both = np.concatenate(list(self._positions.values()))
        low, high = np.quantile(both, [0.005, 0.995], axis=0)
        room = 0.25 * np.maximum(high - low, 1e-6)
        low, high = np.maximum(both.min(axis=0), low - room), np.minimum(both.max(axis=0), high + room)
        pad = 0.06 * max(float((high - low).max()), 1e-6)
        return (float(low[0] - pad), float(high[0] + pad)), (float(low[1] - pad), float(high[1] + pad))

    @cached_property
    def n_outside(self) -> int:
        """How many items lie outside `window` on either map."""
        (x0, x1), (y0, y1) = self.window
        outside = np.zeros(len(self.items), dtype=bool)
        for at in self._positions.values():
            outside |= (at < [x0, y0]).any(axis=1) | (at > [x1, y1]).any(axis=1)
        return int(outside.sum())

    @cached_property
    def categories(self) -> tuple[IntArray, tuple[str, ...]]:
        """Each item's category as a number, ``[n_items]``, and their names, commonest first."""
        codes, names = pd.factorize(self.items[c.CATEGORY], sort=True)
        order = np.argsort(-np.bincount(codes, minlength=len(names)), kind="stable")
        place = np.empty(len(names), dtype=np.int64)
        place[order] = np.arange(len(names))
        return place[codes], tuple(str(names[i]) for i in order)

    @cached_property
    def members(self) -> IntArray:
        """All items, those of the commonest category first, ``[n_items]``; within a category ascending."""
        return np.argsort(self.categories[0], kind="stable")

    @cached_property
    def scores(self) -> tuple[FloatArray, FloatArray]:
        """Raw scores with 0 where missing, and 1 where there is a score, else 0, ``[n_items, A]`` each."""
        known = ~np.isnan(self.raw)
        return np.where(known, self.raw, 0).astype(np.float32), known.astype(np.float32)

    @cached_property
    def mean_scores(self) -> npt.NDArray[np.float64]:
        """Mean raw score of each attribute over the catalogue, ``[A]``; NaN where none is known."""
        return self.mean_known(np.arange(len(self.items)))

    def mean(self, values: FloatArray, items: IntArray) -> npt.NDArray[np.float64]:
        """Average the rows of some items, each given once, of a table ``[n_items, A]``."""
        if len(items) < len(values) // 8:
            few: npt.NDArray[np.float64] = values[items].mean(axis=0, dtype=np.float64)
            return few
        # A product over all rows is several times faster than copying many.
        weights = np.zeros(len(values), dtype=np.float32)
        weights[items] = 1
        return (weights @ values).astype(np.float64) / len(items)

    def mean_known(self, items: IntArray) -> npt.NDArray[np.float64]:
        """Average the raw scores of some items over those that are known, ``[A]``; NaN where none is."""
        filled, known = (self.mean(table, items) for table in self.scores)
        return np.where(known > 0, filled / np.where(known > 0, known, 1), np.nan)

    @cached_property
    def kept(self) -> npt.NDArray[np.float64]:
        """Share of each item's nearest items that are the same in both original spaces, ``[n_items]``."""
        return self.items["kept"].to_numpy(dtype=np.float64)

    @cached_property
    def pulls(self) -> FloatArray:
        """By how many standard deviations each item's nearest items became more alike, ``[n_items, A]``."""
        return item_pulls(self.z, self.base_neighbours, self.refined_neighbours)


@dataclass(frozen=True)
class UserMarks:
    """Item indexes of one user to draw on the maps.

    Attributes
    ----------
    history, held_out : IntArray
        What the models saw, oldest first, and what came next.
    base, refined : IntArray
        Recommended items, best first; empty without stored lists.
    """

    history: IntArray
    held_out: IntArray
    base: IntArray
    refined: IntArray


def build_map(store: RunStore, projection_id: str) -> ItemMap:
    """Read the maps of a projection run.

    Raises
    ------
    NotFoundError, RunCorruptError
        The run, or one it was made from, is gone or damaged.
    """
    run = store.open(projection_id, "projection")
    refined = store.open(run.inputs["refined"], "refined", verify=False)
    data = load_split_dataset(store, store.open(run.inputs["base"], "base", verify=False))
    scores = load_scores(store.open(refined.inputs["scores"], "scores"))
    catalogue = data.dataset.catalogue
    base, after = run.read_array("base", mmap=False), run.read_array("refined", mmap=False)
    items = pd.DataFrame(
        {
            c.ITEM: catalogue.frame[c.ITEM],
            c.TITLE: catalogue.frame[c.TITLE],
            c.CATEGORY: catalogue.main_categories.map(category_words),
            "interactions": data.item_interactions,
            "kept": run.read_array("overlap", mmap=False),
            "base_x": base[:, 0],
            "base_y": base[:, 1],
            "refined_x": after[:, 0],
            "refined_y": after[:, 1],
        }
    )
    return ItemMap(
        projection_id=projection_id,
        items=items,
        schema=scores.schema,
        raw=scores.values,
        z=GuidedEmbedding.of(scores.values).values,
        base_neighbours=run.read_array("base_neighbours", mmap=False),
        refined_neighbours=run.read_array("refined_neighbours", mmap=False),
        data=data,
        verb=data.dataset.verb(scores.schema.domain),
    )


def user_marks(item_map: ItemMap, user_id: str, recommendations: pd.DataFrame | None, k: int = 10) -> UserMarks:
    """Return what to draw of one user.

    Parameters
    ----------
    item_map : ItemMap
        The maps.
    user_id : str
        The user.
    recommendations : pandas.DataFrame, optional
        Stored lists of all users, as an evaluation keeps them.
    k : int
        Recommendations drawn of each model.

    Raises
    ------
    UnknownIdError
        No such user.
    """
    data = item_map.data
    user = data.dataset.users.index(user_id)
    none = np.zeros(0, dtype=np.int64)
    lists = {BASE: none, REFINED: none}
    if recommendations is not None:
        own = recommendations[(recommendations[c.USER] == user_id) & (recommendations[c.RANK] <= k)]
        for name, rows in own.sort_values(c.RANK).groupby(c.MODEL):
            lists[str(name)] = data.dataset.items.indexes(rows[c.ITEM])
    return UserMarks(data.shown_history(user), data.held_out(user), lists[BASE], lists[REFINED])
