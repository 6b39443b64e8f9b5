"""What a group of users is like: what they seek, what their lists hold, and what they are shown more than others."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.audience.lists import MODELS, Doubles
from guidedrec_core.audience.population import Population
from guidedrec_core.conditions.members import Mask
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.errors import InputError
from guidedrec_core.explanation.words import listing, lower_first

_Z = 1.959963984540054
_TYPICAL = 10
NOTABLE = 0.4
"""Standard deviations over users from which on a group seeks or avoids an attribute."""


@dataclass(frozen=True, eq=False)
class GroupProfile:
    """A group of users next to everyone.

    Attributes
    ----------
    n_users, everyone : int
        Users of the group, and in all.
    past : float
        Median past interactions.
    taste : pandas.DataFrame
        ``attribute, label, value, low, high``: mean taste of the group's users who have a past, in standard deviations
        over all users, with a 95 % interval (normal); the strongest first.
    categories : pandas.DataFrame
        ``category, past, base, refined, everyone``: each category's share of the group's past interactions, of the
        exposure in its base and refined lists, and in the refined lists of everyone; the largest refined share first.
    typical : pandas.DataFrame
        ``item_id, title, here, elsewhere``: share of the group's refined lists that hold an item, and of other users';
        at most ten, the largest difference first.
    """

    n_users: int
    everyone: int
    past: float
    taste: pd.DataFrame
    categories: pd.DataFrame
    typical: pd.DataFrame

    @property
    def seeks(self) -> str:
        """What the group seeks and avoids, in a few words; empty where nothing stands out."""
        strong = self.taste[self.taste["value"].abs() >= NOTABLE]
        said = [
            f"{verb} {listing([lower_first(label) for label in part['label'].head(2)])}"
            for verb, part in (("seek", strong[strong["value"] > 0]), ("avoid", strong[strong["value"] < 0]))
            if len(part)
        ]
        return ", and ".join(said)


def group_profile(people: Population, users: Mask) -> GroupProfile:
    """Describe a group of users.

    Parameters
    ----------
    people : Population
        All users.
    users : ndarray of bool
        Those of the group, ``[n_users]``.

    Raises
    ------
    InputError
        Nobody belongs to it.
    """
    if not users.any():
        raise InputError(f"none of the {people.n_users:,} users fulfils the condition; widen it")
    return GroupProfile(
        n_users=int(users.sum()),
        everyone=people.n_users,
        past=float(np.median(people.lengths[users])),
        taste=_taste(people, users),
        categories=_categories(people, users),
        typical=_typical(people, users),
    )


def _taste(people: Population, users: Mask) -> pd.DataFrame:
    """Tabulate the mean taste of a group."""
    profiles = people.profiles.astype(np.float64)
    known = np.any(profiles != 0, axis=1)
    some = profiles[known] if known.any() else profiles
    spread = some.std(axis=0)
    standard = (profiles - some.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    own = standard[users & known]
    mean = own.mean(axis=0) if len(own) else np.full(standard.shape[1], np.nan)
    error = own.std(axis=0, ddof=1) / np.sqrt(len(own)) if len(own) > 1 else np.full(standard.shape[1], np.nan)
    table = pd.DataFrame(
        {
            "attribute": people.schema.names,
            "label": [one.label for one in people.schema.attributes],
            "value": mean,
            "low": mean - _Z * error,
            "high": mean + _Z * error,
        }
    )
    return table.sort_values("value", key=lambda value: -value.abs(), kind="stable", ignore_index=True)


def _categories(people: Population, users: Mask) -> pd.DataFrame:
    """Tabulate shares of categories."""
    cells = people.data.dataset.catalogue.frame[c.CATEGORY].fillna("").astype(str)
    codes, names = pd.factorize(cells, sort=True)
    own = np.asarray(people.past[users].sum(axis=0)).ravel()  # [n_items]
    shares = {"past": _shares(codes.astype(np.int64), own.astype(np.float64), len(names))}
    for name, rows in ((MODELS[0], users), (MODELS[1], users), ("everyone", np.ones_like(users))):
        items = people.lists.items[name if name in MODELS else MODELS[1]][rows]
        filled = items >= 0
        weights = np.broadcast_to(people.lists.weights, items.shape)
        shares[name] = _shares(codes[items[filled]].astype(np.int64), weights[filled], len(names))
    table = pd.DataFrame({"category": [category_words(name) or "without a category" for name in names], **shares})
    return table.sort_values([MODELS[1], "category"], ascending=[False, True], ignore_index=True)


def _typical(people: Population, users: Mask) -> pd.DataFrame:
    """Tabulate the items that the group is shown more than others."""
    items = people.lists.items[MODELS[1]]
    here, elsewhere = (
        np.bincount(items[rows][items[rows] >= 0], minlength=people.n_items) / max(int(rows.sum()), 1)
        for rows in (users, ~users)
    )
    # Where the group is everyone, what is shown most is typical.
    best = np.argsort(elsewhere - here, kind="stable")[:_TYPICAL]
    best = best[(here - elsewhere)[best] > 0]
    dataset = people.data.dataset
    return pd.DataFrame(
        {
            c.ITEM: dataset.items.ids[best],
            c.TITLE: dataset.catalogue.frame[c.TITLE].iloc[best].astype(str).to_numpy(),
            "here": here[best],
            "elsewhere": elsewhere[best],
        }
    )


def _shares(codes: npt.NDArray[np.int64], weights: Doubles, length: int) -> Doubles:
    """Return the share of the weights that each code has, ``[length]``; 0 where there are none."""
    sums = np.bincount(codes, weights=weights, minlength=length).astype(np.float64)
    total = float(sums.sum())
    shares: Doubles = sums / total if total else sums
    return shares
