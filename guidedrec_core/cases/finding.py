"""What a visitor may mean by a typed text: a user, an item, or users on whom something holds.

Ids and titles are looked up here. What holds on users is read by a `ConditionReader`, so that another grammar can take
the place of `read_condition`; the search box and its tests do not change with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.items.search import ItemIndex, fold
from guidedrec_core.recommenders.refined import RefinedRecommender

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Condition:
    """Users on whom something holds.

    Attributes
    ----------
    phrase : str
        What holds, after "customers", e.g. ``"bought jackets"``.
    users : ndarray of bool
        On whom, ``[n_users]``.
    """

    phrase: str
    users: Mask


ConditionReader = Callable[[str], Condition | None]
"""Reads a text; None where it is no condition."""


@dataclass(frozen=True)
class Found:
    """What was found for a text.

    Attributes
    ----------
    text : str
        As typed, without blanks at its ends.
    users, items : tuple of str
        Ids, best first; at most as many as asked for.
    n_users, n_items : int
        How many there are in all.
    condition : str or None
        What holds on the users, where the text is a condition.
    exact : {"user", "item"} or None
        The text is the id, or the only title, of the first of these.
    """

    text: str
    users: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    n_users: int = 0
    n_items: int = 0
    condition: str | None = None
    exact: Literal["user", "item"] | None = None
    titles: dict[str, str] = field(default_factory=dict)


def find(
    text: str, users: Vocabulary, items: ItemIndex, conditions: ConditionReader | None = None, most: int = 50
) -> Found:
    """Look a text up: first ids, then conditions, then parts of ids and titles.

    Parameters
    ----------
    text : str
        Anything; blank finds nothing.
    users : Vocabulary
        The users' ids.
    items : ItemIndex
        The catalogue.
    conditions : ConditionReader, optional
        Reads what is no id.
    most : int
        Ids of each kind returned at most.
    """
    text = " ".join(text.split())
    if not text:
        return Found(text)
    folded = fold(text)
    if text in users:
        return Found(text, users=(text,), n_users=1, exact="user")
    near, n_users = users.search(text, most)
    same = [each for each in near if fold(each) == folded]
    if len(same) == 1:
        return Found(text, users=(same[0],), n_users=1, exact="user")
    found = items.search(text, most)
    ids = tuple(found.items[c.ITEM].tolist())
    titles = dict(zip(ids, found.items[c.TITLE].tolist(), strict=True))
    whole = [each for each in ids if folded in (fold(each), fold(titles[each]))]
    if len(whole) == 1:
        return Found(text, items=(whole[0],), n_items=1, exact="item", titles=titles)
    condition = conditions(text) if conditions is not None else None
    if condition is not None:
        chosen = np.flatnonzero(condition.users)
        return Found(
            text, tuple(users.id(user) for user in chosen[:most].tolist()), n_users=len(chosen),
            condition=condition.phrase,
        )  # fmt: skip
    return Found(text, tuple(near), ids, n_users, found.total, titles=titles)


def read_condition(text: str, system: RefinedRecommender, cases: pd.DataFrame | None, k: int = 10) -> Condition | None:
    """Read a condition on users in the simplest words.

    ``bought jackets`` (the verb of the data set; words of a title or category), ``seeks warmth`` and ``avoids warmth``
    (an attribute's label), ``lost by refinement`` and ``found by refinement`` (what was bought next left the list, or
    entered it).

    Parameters
    ----------
    text : str
        What was typed.
    system : RefinedRecommender
        The opened run.
    cases : pandas.DataFrame or None
        The evaluation's test cases with ``user_id, rank_base, rank_refined``; None before there is one.
    k : int
        Length of the lists.
    """
    verb, words = system.verb, fold(" ".join(text.split()))
    first, _, rest = words.partition(" ")
    if rest in ("by refinement", "by the refinement") and first in ("lost", "found") and cases is not None:
        return _moved(first, system.data.dataset.users, cases, verb, k)
    if not rest:
        return None
    if first in {fold(verb.past), fold(verb.participle), "bought", "watched", "read", "played", "chose"}:
        return _had(rest, system, verb)
    if first in ("seeks", "avoids"):
        return _likes(rest, system, seeks=first == "seeks")
    return None


def _moved(way: str, users: Vocabulary, cases: pd.DataFrame, verb: InteractionVerb, k: int) -> Condition:
    """Return users whose next item left the list, or entered it."""
    base, refined = cases["rank_base"] <= k, cases["rank_refined"] <= k
    rows = cases[base & ~refined] if way == "lost" else cases[~base & refined]
    mask = np.zeros(len(users), dtype=bool)
    mask[users.indexes(rows[c.USER])] = True
    does = f"lost their next {verb.next_noun} from" if way == "lost" else f"got their next {verb.next_noun} into"
    return Condition(f"{does} the top {k} by refinement", mask)


def _had(wanted: str, system: RefinedRecommender, verb: InteractionVerb) -> Condition | None:
    """Return users with an item in the history whose category or title holds all words."""
    data = system.data
    words = [word.removesuffix("s") if len(word) > 3 else word for word in wanted.split()]  # "jacket" is "jackets" too
    frame = data.dataset.catalogue.frame
    for column in (c.CATEGORY, c.TITLE):
        texts = [fold(str(value)).replace("_", " ") for value in frame[column].tolist()]
        items = np.array([all(word in text for word in words) for text in texts])
        if items.any():
            break
    else:
        return None
    mask = np.array([bool(items[data.shown_history(user)].any()) for user in range(len(data.dataset.users))])
    return Condition(f"{verb.past} {wanted}", mask)


def _likes(wanted: str, system: RefinedRecommender, seeks: bool) -> Condition | None:
    """Return users whose average past item lies in the upper (or lower) quarter of users on an attribute."""
    labels = [fold(attribute.label) for attribute in system.schema.attributes]
    near = [place for place, label in enumerate(labels) if label == wanted] or [
        place for place, label in enumerate(labels) if wanted in label
    ]
    if not near:
        return None
    raw, data = system.item_scores.values[:, near[0]].astype(np.float64), system.data
    means = np.full(len(data.dataset.users), np.nan)
    for user in range(len(means)):
        own = raw[data.shown_history(user)]
        own = own[~np.isnan(own)]
        means[user] = own.mean() if len(own) else np.nan
    known = ~np.isnan(means)
    if not known.any():
        return None
    edge = float(np.quantile(means[known], 0.75 if seeks else 0.25))
    mask = np.zeros(len(means), dtype=bool)
    mask[known] = means[known] >= edge if seeks else means[known] <= edge
    label = system.schema.attributes[near[0]].label
    quarter = "highest" if seeks else "lowest"
    return Condition(f"{'seek' if seeks else 'avoid'} {label[:1].lower()}{label[1:]} (the {quarter} quarter)", mask)
