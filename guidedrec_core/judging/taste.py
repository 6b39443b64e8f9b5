"""Taste tests: two recommenders' lists for the same customers."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Protocol

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.errors import InputError, NotFoundError
from guidedrec_core.evaluation.report import PLACEBO
from guidedrec_core.judging.content import Compared, Content, TasteCase
from guidedrec_core.judging.showing import Showing, asked_about, opened_data
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.library import RefinedEntry, refined_entries
from guidedrec_core.runs.store import RunStore
from guidedrec_core.runs.titles import run_titles

BASE, REFINED, NAMED = "base", "refined", "named"
KEYS: Mapping[str, str] = {
    BASE: "the base model",
    REFINED: "the refined model",
    PLACEBO: "refined with shuffled scores",
    NAMED: "the refined model by named parts alone",
}
"""Recommenders of a run that lists can come from, and how results speak of them."""

Opener = Callable[[str], RefinedRecommender]
"""Opens a refined run, or the placebo of one."""
_BLOCK = 64


class Lister(Protocol):
    """Recommends; see `guidedrec_core.recommenders.recommender.Recommender.recommend`."""

    def __call__(self, users: Sequence[str], *, k: int) -> pd.DataFrame:
        """Return ``user_id, item_id, rank`` of the k best items of each user."""


def new_taste_test(
    store: RunStore,
    entry: RefinedEntry,
    first: str,
    second: str,
    open_run: Opener,
    *,
    cases: int = 12,
    length: int = 5,
    per_judge: int | None = None,
    users: Sequence[str] | None = None,
    seed: int = 0,
    note: str = "",
    lock: AbstractContextManager[object] | None = None,
) -> tuple[Content, dict[str, str]]:
    """Draw the cases of a taste test between two recommenders.

    A user to whom both recommend the same items, in whatever order, is passed over, because there is nothing to
    choose; `Content.drawn` counts them. The result speaks of users with different lists.

    Parameters
    ----------
    store : RunStore
        Where runs are.
    entry : RefinedEntry
        The refined run.
    first, second : str
        A key of `KEYS`, or the id of another refined run of the same data.
    open_run : callable
        Opens a run by its id.
    cases : int
        Users to find.
    length : int
        Length of the lists.
    per_judge : int, optional
        Cases for each judge; all by default.
    users : sequence of str, optional
        Draw from these, in this order; by default from all, at random.
    seed : int
        Of the draw, and of what is dealt to judges.
    note : str
        What judges are told at the start.
    lock : context manager, optional
        Held while lists are computed, not while `open_run` runs.

    Returns
    -------
    content : Content
        For `guidedrec_core.judging.store.ExperimentStore.create`.
    runs : dict of str to str
        Role to run id.

    Raises
    ------
    InputError
        Both are the same, or no user has different lists.
    NotFoundError
        The run has no placebo, or there is no such run of these data.
    """
    check_size(cases, length)
    if first == second:
        raise InputError(f"expected two different recommenders, got {first!r} twice")
    ids = {key: _run_of(store, entry, key) for key in (first, second)}
    listers: list[Lister] = [_lister(key, open_run(run_id)) for key, run_id in ids.items()]
    system = open_run(entry.run.id)
    showing = Showing(opened_data(system))
    with lock or nullcontext():
        found, looked, same, short = _draw(showing, asked_about(showing.data, users, seed), listers, cases, length)
    if not found:
        raise InputError(
            f"expected users to whom both recommend different items, found none among {looked:,}; compare others, or "
            "make the lists shorter"
        )
    content = Content(
        length=length,
        per_judge=len(found) if per_judge is None else min(per_judge, len(found)),
        seed=seed,
        verb=system.verb.past,
        taste=tuple(found),
        compared=tuple(Compared(key, _name(store, entry, key)) for key in (first, second)),
        drawn={"users": looked, "same items": same, "list too short": short},
        made_of=made_of(entry),
        note=note,
    )
    return content, {REFINED: entry.run.id, **{key: run_id for key, run_id in ids.items() if key not in (BASE, NAMED)}}


def placebo_of(store: RunStore, entry: RefinedEntry) -> str | None:
    """Return the id of a run's placebo, which its newest evaluation made; None where there is none."""
    return None if entry.evaluation is None else entry.evaluation.inputs.get(PLACEBO)


def offered(store: RunStore, entry: RefinedEntry) -> dict[str, str]:
    """Return what can be compared in a taste test: key to the words for it, other runs of the same data last."""
    keys = [key for key in KEYS if key != PLACEBO or placebo_of(store, entry) is not None]
    others = [one.run.id for one in refined_entries(store, str(entry.data.config["name"])) if _comparable(one, entry)]
    return {key: _name(store, entry, key) for key in (*keys, *others)}


def _draw(
    showing: Showing, users: Sequence[str], listers: Sequence[Lister], cases: int, length: int
) -> tuple[list[TasteCase], int, int, int]:
    """Find users with different lists; also count those looked at, with the same items, and with short lists."""
    found: list[TasteCase] = []
    looked = same = short = 0
    for start in range(0, len(users), _BLOCK):
        block = users[start : start + _BLOCK]
        lists = [_lists(lister(block, k=length)) for lister in listers]
        for user in block:
            if len(found) == cases:
                return found, looked, same, short
            looked += 1
            first, second = (each.get(user, []) for each in lists)
            if len(first) < length or len(second) < length:
                short += 1
            elif {*first} == {*second}:
                same += 1
            else:
                customer = showing.customer(user)
                both = (showing.items(first), showing.items(second))
                found.append(TasteCase(f"case-{len(found) + 1:03d}", customer, *both))
    return found, looked, same, short


def _lists(table: pd.DataFrame) -> dict[str, list[str]]:
    ordered = table.sort_values([c.USER, c.RANK], kind="stable")
    return {str(user): rows[c.ITEM].astype(str).tolist() for user, rows in ordered.groupby(c.USER, sort=False)}


def _run_of(store: RunStore, entry: RefinedEntry, key: str) -> str:
    """Return the run that a recommender is read from."""
    if key in (BASE, REFINED, NAMED):
        return entry.run.id
    if key == PLACEBO:
        found = placebo_of(store, entry)
        if found is None:
            raise NotFoundError(
                f"run {entry.run.id} has no placebo; `guidedrec evaluate {entry.data.config['name']}` makes it"
            )
        return found
    others = {one.run.id: one for one in refined_entries(store, str(entry.data.config["name"]))}
    if key not in others or not _comparable(others[key], entry):
        raise NotFoundError(
            f"expected {', '.join(KEYS)} or the id of another refined run of the same data, got {key!r}; "
            "`guidedrec runs list` shows all"
        )
    return key


def _comparable(other: RefinedEntry, entry: RefinedEntry) -> bool:
    return other.data.id == entry.data.id and other.run.id != entry.run.id


def _lister(key: str, opened: RefinedRecommender) -> Lister:
    if key == BASE:
        return opened.base_recommender.recommend
    return partial(opened.recommend, unnamed=0.0) if key == NAMED else opened.recommend


def _name(store: RunStore, entry: RefinedEntry, key: str) -> str:
    if key in KEYS:
        return KEYS[key]
    return run_titles(refined_entries(store, str(entry.data.config["name"]))).get(key, key)


def made_of(entry: RefinedEntry) -> dict[str, str]:
    """Return where the cases of a test come from; see `Content.made_of`."""
    return {
        "run": entry.run.id,
        "made": f"{entry.run.created:%d %b %Y, %H:%M UTC}",
        "model": entry.details,
        "data": entry.data.id,
    }


def check_size(cases: int, length: int) -> None:
    """Refuse a test without cases.

    Raises
    ------
    InputError
        One of both numbers is not positive.
    """
    for number, what in ((cases, "cases"), (length, "items in a list")):
        if number < 1:
            raise InputError(f"expected at least 1 of {what}, got {number}")
