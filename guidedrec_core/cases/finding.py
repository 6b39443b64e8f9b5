"""What a visitor may mean by a typed text: a user, an item, or users on whom something holds.

Ids and titles are looked up here. What holds on users is read by a `ConditionReader`, usually `read_condition`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core import columns as c
from guidedrec_core.audience.audience import Audience
from guidedrec_core.conditions.phrases import condition_text
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import InputError, UnknownIdError
from guidedrec_core.items.search import ItemIndex, fold

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Condition:
    """Users on whom something holds.

    Attributes
    ----------
    phrase : str
        What holds, e.g. ``"bought jackets"``.
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


def read_condition(text: str, audience: Audience) -> Condition | None:
    """Read a condition on users, in the grammar of `guidedrec_core.conditions.reading`.

    Parameters
    ----------
    text : str
        What was typed, e.g. ``"bought jackets"``, ``"seeks warmth"`` or ``"lost by refinement"``.
    audience : Audience
        The users.

    Returns
    -------
    Condition or None
        None where the text is no condition that the data set can answer.
    """
    try:
        condition = audience.condition(text, "users")
        return Condition(condition_text(condition, audience.terms), audience.users(condition))
    except (InputError, UnknownIdError):
        return None
