"""`ItemMap`: base and refined map with all that colours them, and what a selection of items has in common.

Reads stored runs only; needs no model, so no torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
from guidedrec_core.explanation import words
from guidedrec_core.language import percent
from guidedrec_core.projection.spaces import FloatArray, attribute_of_move
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.runs.datasets import load_split_dataset
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import RunStore

# A pull of less than this many standard deviations is not named; over the whole catalogue much averages out.
_NOTABLE_PULL = 0.1
_NOTABLE_PULL_EVERYWHERE = 0.05
# Half a standard deviation from the catalogue's mean: less does not mark a selection out.
_MARKED = 0.5


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
        return self.items[[f"{space}_x", f"{space}_y"]].to_numpy(dtype=np.float64)


@dataclass(frozen=True)
class Selection:
    """What some items have in common.

    Attributes
    ----------
    indexes : IntArray
        The items, ascending.
    kept, kept_everywhere : float
        Mean share of nearest items kept, in the selection and in the catalogue.
    categories : pandas.DataFrame
        ``category, items, share, catalogue_share, kept`` (mean share of nearest items kept), ``moved_by`` (label of the
        attribute with the largest pull, "" when none is notable), commonest first.
    attributes : pandas.DataFrame
        One row an attribute: ``attribute, label, low, high, score, catalogue_score`` (raw means), ``z`` (mean
        distance from the catalogue in standard deviations), ``pull`` (by how many standard deviations the nearest
        items became more alike on it; negative = less alike); largest pull first.
    sentence, detail : str
        What moved the selection; what it consists of.
    """

    indexes: IntArray
    kept: float
    kept_everywhere: float
    categories: pd.DataFrame
    attributes: pd.DataFrame
    sentence: str
    detail: str


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


def describe_selection(item_map: ItemMap, indexes: IntArray) -> Selection:
    """Say what moved some items and what they have in common.

    Parameters
    ----------
    item_map : ItemMap
        The maps.
    indexes : IntArray
        Item indexes; repeated ones count once. At least one.
    """
    chosen = np.unique(indexes)
    schema, items = item_map.schema, item_map.items
    pull = attribute_of_move(item_map.z, chosen, item_map.base_neighbours, item_map.refined_neighbours)
    attributes = pd.DataFrame(
        {
            "attribute": schema.names,
            "label": [a.label for a in schema.attributes],
            "low": [a.low for a in schema.attributes],
            "high": [a.high for a in schema.attributes],
            "score": _mean_known(item_map.raw[chosen]),
            "catalogue_score": _mean_known(item_map.raw),
            "z": item_map.z[chosen].astype(np.float64).mean(axis=0),
            "pull": pull.astype(np.float64),
        }
    ).sort_values("pull", ascending=False, ignore_index=True, kind="stable")
    categories = _category_table(item_map, chosen)
    kept, everywhere = float(items["kept"].iloc[chosen].mean()), float(items["kept"].mean())
    return Selection(
        indexes=chosen,
        kept=kept,
        kept_everywhere=everywhere,
        categories=categories,
        attributes=attributes,
        sentence=_move_sentence(attributes, kept, everywhere, len(chosen), len(items)),
        detail=_content_sentence(items.iloc[chosen], categories, attributes, len(items)),
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


def selected_indexes(positions: npt.NDArray[np.float64], selection: Mapping[str, Any]) -> IntArray:
    """Return the items that a chart's selection event means.

    Parameters
    ----------
    positions : ndarray
        Where the items are, ``[n_items, 2]``.
    selection : mapping
        ``box`` and ``lasso``: lists of ``{"x": [...], "y": [...]}`` in data units, a box by two corners. Without
        either, ``points`` whose ``curve_number`` is 0, or, without these, ``point_indices``.

    Returns
    -------
    IntArray
        Item indexes, ascending. Geometry decides where there is one: it also holds what is not drawn as a point.
    """
    inside = np.zeros(len(positions), dtype=bool)
    shapes = [(points_in_box, shape) for shape in selection.get("box") or ()]
    shapes += [(points_in_lasso, shape) for shape in selection.get("lasso") or ()]
    for test, shape in shapes:
        inside |= test(positions, shape["x"], shape["y"])
    if not shapes:
        clicked = _clicked(selection)
        inside[clicked[(clicked >= 0) & (clicked < len(positions))]] = True
    return np.flatnonzero(inside)


def _clicked(selection: Mapping[str, Any]) -> IntArray:
    """Return the items that were clicked one by one; other curves than the first are no items."""
    points = selection.get("points") or ()
    if not points:
        return np.array(selection.get("point_indices") or (), dtype=np.int64)
    return np.array([point["point_index"] for point in points if point.get("curve_number", 0) == 0], dtype=np.int64)


def points_in_box(positions: npt.NDArray[np.float64], x: Sequence[float], y: Sequence[float]) -> npt.NDArray[np.bool_]:
    """Tell which points lie in a rectangle given by two opposite corners, edges included.

    Examples
    --------
    >>> points_in_box(np.array([[0.5, 0.5], [2.0, 0.5]]), [1, 0], [0, 1]).tolist()
    [True, False]
    """
    low, high = np.array([min(x), min(y)]), np.array([max(x), max(y)])
    inside: npt.NDArray[np.bool_] = np.all((positions >= low) & (positions <= high), axis=1)
    return inside


def points_in_lasso(
    positions: npt.NDArray[np.float64], x: Sequence[float], y: Sequence[float]
) -> npt.NDArray[np.bool_]:
    """Tell which points lie inside a closed line, by the even-odd rule.

    Examples
    --------
    >>> points_in_lasso(np.array([[0.5, 0.5], [2.0, 0.5]]), [0, 1, 1, 0], [0, 0, 1, 1]).tolist()
    [True, False]
    """
    inside: npt.NDArray[np.bool_] = np.zeros(len(positions), dtype=bool)
    px, py = positions[:, 0], positions[:, 1]
    for i in range(len(x)):
        (x0, y0), (x1, y1) = (x[i - 1], y[i - 1]), (x[i], y[i])
        if y0 == y1:
            continue  # a horizontal edge is never crossed by a horizontal ray
        between = (y0 > py) != (y1 > py)
        left = px < (x1 - x0) * (py - y0) / (y1 - y0) + x0
        inside = np.asarray(np.logical_xor(inside, between & left))
    return inside


def _mean_known(raw: FloatArray) -> npt.NDArray[np.float64]:
    """Average each column over its known values; NaN where none is known."""
    known = ~np.isnan(raw)
    count = known.sum(axis=0)
    total = np.nan_to_num(raw.astype(np.float64)).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _category_table(item_map: ItemMap, chosen: IntArray) -> pd.DataFrame:
    """Tabulate the categories of a selection."""
    categories, kept = item_map.items[c.CATEGORY], item_map.items["kept"]
    everywhere = categories.value_counts(normalize=True)
    rows = []
    counts = categories.iloc[chosen].value_counts()
    for name, count in zip(counts.index, counts, strict=True):
        members = chosen[(categories.iloc[chosen] == name).to_numpy()]
        pull = attribute_of_move(item_map.z, members, item_map.base_neighbours, item_map.refined_neighbours)
        strongest = int(pull.argmax())
        moved_by = item_map.schema.attributes[strongest].label if pull[strongest] >= _NOTABLE_PULL else ""
        rows.append((name, count, count / len(chosen), everywhere[name], float(kept.iloc[members].mean()), moved_by))
    return pd.DataFrame(rows, columns=[c.CATEGORY, "items", "share", "catalogue_share", "kept", "moved_by"])


def _move_sentence(attributes: pd.DataFrame, kept: float, everywhere: float, n: int, n_items: int) -> str:
    """Say which attributes moved a selection, and how far its neighbourhoods changed."""
    least = _NOTABLE_PULL_EVERYWHERE if n == n_items else _NOTABLE_PULL
    names = [words.lower_first(label) for label in attributes["label"][attributes["pull"] >= least].head(3)]
    if names:
        pronoun = "it" if len(names) == 1 else "them"
        moved = f"Moved mostly by {words.listing(names)}: after refinement, neighbours are more alike on {pronoun}"
    else:
        moved = "No single attribute moved these items: neighbours are about as alike on each as before"
    if n == n_items:
        return f"{moved}. On average, {percent(kept)} of an item's neighbours are unchanged."
    own = "its" if n == 1 else "their"
    rest = f"in the whole catalogue it is {percent(everywhere)}"
    return f"{moved}. {percent(kept)} of {own} neighbours are unchanged; {rest}."


def _content_sentence(chosen: pd.DataFrame, categories: pd.DataFrame, attributes: pd.DataFrame, n_items: int) -> str:
    """Say what a selection consists of."""
    if len(chosen) == 1:
        what = f"{chosen[c.TITLE].iloc[0]} ({chosen[c.CATEGORY].iloc[0]})"
    else:
        top = categories.head(3)
        parts = [f"{name} ({count:,})" for name, count in zip(top[c.CATEGORY], top["items"], strict=True)]
        more = len(categories) - len(parts)
        rest = f"{more:,} other categor{'y' if more == 1 else 'ies'}"
        what = f"{len(chosen):,} of {n_items:,} items: {words.listing([*parts, rest] if more else parts)}"
    apart = attributes.sort_values("z", key=np.abs, ascending=False, kind="stable").head(2)
    apart = apart[apart["z"].abs() >= _MARKED]
    ends = [
        f"{'high' if z > 0 else 'low'} on {words.lower_first(label)}"
        for z, label in zip(apart["z"], apart["label"], strict=True)
    ]
    return f"{what}. Compared with the catalogue: {words.listing(ends)}." if ends else f"{what}."
