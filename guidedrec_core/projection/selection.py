"""What a selection of items has in common, and what moved it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation import words
from guidedrec_core.language import percent
from guidedrec_core.projection.item_map import ItemMap
from guidedrec_core.projection.pull import chance_pull
from guidedrec_core.randomness import derive_seed

NOTABLE_PULL = 0.1
"""A pull of fewer standard deviations is too small to be a headline, even where it is no chance."""

# Half a standard deviation from the catalogue's mean: less does not mark a selection out.
_MARKED = 0.5
_NAMED = 3


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
        ``category, items, share, catalogue_share, kept`` (mean share of nearest items kept), commonest first.
    attributes : pandas.DataFrame
        One row an attribute: ``attribute, label, low, high, score, catalogue_score`` (raw means), ``z`` (mean
        distance from the catalogue in standard deviations), ``pull`` (by how many standard deviations the nearest
        items became more alike on it; negative = less alike), ``notable`` (more than chance, and not tiny); largest
        pull first.
    chance : float
        The pull that the strongest attribute reaches by chance; see `pull.chance_pull`.
    sentence, detail : str
        What moved the selection; what it consists of.
    """

    indexes: IntArray
    kept: float
    kept_everywhere: float
    categories: pd.DataFrame
    attributes: pd.DataFrame
    chance: float
    sentence: str
    detail: str

    @property
    def moved_by(self) -> str | None:
        """Name of the attribute that moved it most; None where that may be chance."""
        notable = self.attributes["attribute"][self.attributes["notable"]]
        return None if notable.empty else str(notable.iloc[0])


def describe_selection(item_map: ItemMap, indexes: IntArray, seed: int = 0) -> Selection:
    """Say what moved some items and what they have in common.

    Parameters
    ----------
    item_map : ItemMap
        The maps.
    indexes : IntArray
        Item indexes; repeated ones count once. At least one.
    seed : int
        Seed of the test against chance.
    """
    selected: npt.NDArray[np.bool_] = np.zeros(len(item_map.items), dtype=bool)
    selected[indexes] = True
    chosen = np.flatnonzero(selected)
    schema, n_items = item_map.schema, len(item_map.items)
    pull = item_map.mean(item_map.pulls, chosen)
    chance = _chance(item_map, chosen, seed)
    attributes = pd.DataFrame(
        {
            "attribute": schema.names,
            "label": [a.label for a in schema.attributes],
            "low": [a.low for a in schema.attributes],
            "high": [a.high for a in schema.attributes],
            "score": item_map.mean_known(chosen),
            "catalogue_score": item_map.mean_scores,
            "z": item_map.mean(item_map.z, chosen),
            "pull": pull,
            "notable": pull >= max(chance, NOTABLE_PULL),
        }
    ).sort_values("pull", ascending=False, ignore_index=True, kind="stable")
    categories = _category_table(item_map, chosen)
    kept, everywhere = float(item_map.kept[chosen].mean()), float(item_map.kept.mean())
    return Selection(
        indexes=chosen,
        kept=kept,
        kept_everywhere=everywhere,
        categories=categories,
        attributes=attributes,
        chance=chance,
        sentence=_move_sentence(attributes, chance, kept, everywhere, len(chosen), n_items),
        detail=_content_sentence(item_map, chosen, categories, attributes),
    )


def moved_by(item_map: ItemMap, indexes: IntArray, seed: int = 0) -> str:
    """Return the label of the attribute that moved some items most, "" where that may be chance.

    It agrees with `describe_selection` of the same seed; `indexes` ascend, each once.
    """
    pull = item_map.mean(item_map.pulls, indexes)
    strongest = int(pull.argmax())
    if pull[strongest] < NOTABLE_PULL or pull[strongest] < _chance(item_map, indexes, seed):
        return ""
    return item_map.schema.attributes[strongest].label


def category_moves(item_map: ItemMap, seed: int = 0) -> pd.DataFrame:
    """Tabulate all categories: ``category, items, kept, moved_by``, those whose neighbours changed most first."""
    codes, names = item_map.categories
    members = np.split(item_map.members, np.cumsum(np.bincount(codes, minlength=len(names)))[:-1])
    rows = [
        (name, len(own), float(item_map.kept[own].mean()), moved_by(item_map, own, seed))
        for name, own in zip(names, members, strict=True)
    ]
    table = pd.DataFrame(rows, columns=[c.CATEGORY, "items", "kept", "moved_by"])
    return table.sort_values("kept", kind="stable", ignore_index=True)


def _chance(item_map: ItemMap, indexes: IntArray, seed: int) -> float:
    return chance_pull(item_map, indexes, np.random.default_rng(derive_seed(seed, "map selection")))


def _category_table(item_map: ItemMap, chosen: IntArray) -> pd.DataFrame:
    """Tabulate the categories of a selection."""
    codes, names = item_map.categories
    everywhere = np.bincount(codes, minlength=len(names))
    own = codes[chosen]
    counts = np.bincount(own, minlength=len(names))
    kept = np.bincount(own, weights=item_map.kept[chosen], minlength=len(names))
    found = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    return pd.DataFrame(
        {
            c.CATEGORY: [names[i] for i in found],
            "items": counts[found],
            "share": counts[found] / len(chosen),
            "catalogue_share": everywhere[found] / len(codes),
            "kept": kept[found] / counts[found],
        }
    )


def _move_sentence(
    attributes: pd.DataFrame, chance: float, kept: float, everywhere: float, n: int, n_items: int
) -> str:
    """Say which attributes moved a selection, and how far its neighbourhoods changed."""
    names = [words.lower_first(label) for label in attributes["label"][attributes["notable"]].head(_NAMED)]
    if n == n_items:
        unchanged = f"On average, {percent(kept)} of an item's neighbours are unchanged."
    else:
        own = "its" if n == 1 else "their"
        rest = f"in the whole catalogue it is {percent(everywhere)}"
        unchanged = f"{percent(kept)} of {own} neighbours are unchanged; {rest}."
    if not names:
        strongest, pull = words.lower_first(attributes["label"].iloc[0]), float(attributes["pull"].iloc[0])
        return f"{unchanged} {_no_move(strongest, pull, chance)}."
    pronoun = "it" if len(names) == 1 else "them"
    moved = f"Moved mostly by {words.listing(names)}: after refinement, neighbours are more alike on {pronoun}"
    return f"{moved}. {unchanged}"


def _no_move(strongest: str, pull: float, chance: float) -> str:
    """Say why no attribute is named."""
    if pull < 0.005:  # rounds to nothing
        return "No attribute moved these items: neighbours are no more alike on any than before"
    if pull >= chance:
        return f"No attribute moved these items much: the strongest, {strongest}, has a pull of only {pull:.2f}"
    return (
        f"No attribute moved these items beyond chance: the strongest, {strongest}, has a pull of {pull:.2f}, and "
        f"randomly reassigned scores reach {chance:.2f}"
    )


def _content_sentence(item_map: ItemMap, chosen: IntArray, categories: pd.DataFrame, attributes: pd.DataFrame) -> str:
    """Say what a selection consists of."""
    if len(chosen) == 1:
        item = item_map.items.iloc[chosen[0]]
        what = f"{item[c.TITLE]} ({item[c.CATEGORY]})"
    else:
        top = categories.head(3)
        parts = [f"{name} ({count:,})" for name, count in zip(top[c.CATEGORY], top["items"], strict=True)]
        more = len(categories) - len(parts)
        rest = f"{more:,} other categor{'y' if more == 1 else 'ies'}"
        listed = words.listing([*parts, rest] if more else parts)
        what = f"{len(chosen):,} of {len(item_map.items):,} items: {listed}"
    apart = attributes.sort_values("z", key=np.abs, ascending=False, kind="stable").head(2)
    apart = apart[apart["z"].abs() >= _MARKED]
    ends = [
        f"{'high' if z > 0 else 'low'} on {words.lower_first(label)}"
        for z, label in zip(apart["z"], apart["label"], strict=True)
    ]
    return f"{what}. Compared with the catalogue: {words.listing(ends)}." if ends else f"{what}."
