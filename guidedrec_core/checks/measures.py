"""What checks measure, one function for each kind.

Without a reference:

- ``share``: share of the places of some users' lists that hold some items.
- ``coverage``: share of the catalogue that is in somebody's list.
- ``top_item``: share of users whose lists hold the item that most lists hold.
- ``repeats``: share of places with an item of the user's history, or with one that the list holds already.
- ``ndcg``: NDCG@k of the held-out items.
- ``missing_scores``: largest share of items without a score on one attribute.

Against a reference, a run of the same data set or of a later state of it; users, items and attributes are matched by id
and name, and those that only one of the runs has are left out:

- ``ndcg_kept``: NDCG@k divided by the reference's.
- ``overlap``: mean share of the k best items of a user that the reference's list holds, too.
- ``moves``: mean places by which the reference's k best items moved.
- ``popularity``: mean training interactions of listed items divided by the reference's, both counted in the reference.
- ``exposure_shift``: share of exposure that moved between values of a column of the catalogue (total variation
  distance).
- ``scores_agree``: lowest correlation, over attributes, of items' scores with the reference's.
- ``weights_kept``: how much attributes count, the root mean square of what they add to scores over users and items,
  divided by the reference's.
- ``values_agree``: share of items with the same value in a column of the catalogue.
- ``histories_agree``: share of users whose history begins with the reference's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.checks.check import Check, Kind
from guidedrec_core.conditions.members import items_of, users_of
from guidedrec_core.conditions.subjects import Subjects
from guidedrec_core.data.catalogue import main_category
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError, UnknownIdError
from guidedrec_core.evaluation.beyond import coverage
from guidedrec_core.ranking.exposure import exposure
from guidedrec_core.ranking.ranks import block_size, mask_seen, ndcg_at, target_ranks, top_lists
from guidedrec_core.recommenders.explanation import all_ranks
from guidedrec_core.recommenders.refined import RefinedRecommender


@dataclass(frozen=True)
class Measured:
    """One value and what it is about.

    Attributes
    ----------
    value : float
        NaN where nothing can be measured.
    about : str
        What was worst, for people; empty where nothing stands out.
    """

    value: float
    about: str = ""


@dataclass(frozen=True, eq=False)
class Measurable:
    """A refined recommender whose lists are computed once.

    Attributes
    ----------
    model : RefinedRecommender
        With rules, where there are any, and with the part of the histories shown that lists start from.
    """

    model: RefinedRecommender
    _made: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def subjects(self) -> Subjects:
        """What conditions are about."""
        return Subjects(self.model)

    def lists(self, k: int) -> IntArray:
        """Return all users' k best unseen items, ``[n_users, k]``; -1 where a list is shorter."""
        data, scorer = self.model.data, self.model.model("refined")
        longest = self._made.get("longest", 0)
        if k > longest:
            users = np.arange(len(data.dataset.users))
            self._made["lists"] = top_lists(scorer, data.sequences, users, data.shown_lengths, k)
            self._made["longest"] = k
        lists: IntArray = self._made["lists"][:, :k]
        return lists

    def ndcg(self, k: int) -> float:
        """Return NDCG@k of the held-out items."""
        if "ranks" not in self._made:
            data = self.model.data
            self._made["ranks"] = target_ranks(self.model.model("refined"), data.sequences, data.test_cases)
        return float(ndcg_at(self._made["ranks"], k).mean())

    @property
    def items(self) -> npt.NDArray[np.object_]:
        """Item ids by index."""
        return self.model.data.dataset.items.ids

    @property
    def users(self) -> npt.NDArray[np.object_]:
        """User ids by index."""
        return self.model.data.dataset.users.ids


def measure(check: Check, run: Measurable, reference: Measurable | None = None) -> Measured:
    """Measure what a check is about.

    Parameters
    ----------
    check : Check
        What.
    run : Measurable
        Of whose lists.
    reference : Measurable, optional
        What kinds out of `AGAINST` compare with.

    Raises
    ------
    InputError
        A condition is not understood or nobody fulfils it; a reference is needed and not given, or has nothing in
        common.
    """
    if check.kind in _ALONE:
        return _ALONE[check.kind](check, run)
    if reference is None:
        raise InputError(f"check {check.name!r} compares with another run, got none; give --against")
    return _COMPARED[check.kind](check, run, reference)


def _share(check: Check, run: Measurable) -> Measured:
    assert check.items is not None
    items = np.append(items_of(check.items, run.subjects), False)
    who = _who(check, run)
    lists = run.lists(check.k)[who]
    here = lists >= 0
    held = items[lists] & here
    worst = held.sum(axis=1)
    concerned = int((worst > 0).sum())
    about = ""
    if concerned:
        user = run.users[np.flatnonzero(who)[int(worst.argmax())]]
        about = f"{concerned:,} of {len(lists):,} users concerned, e.g. {user} with {int(worst.max())}"
    return Measured(float(held.sum() / max(here.sum(), 1)), about)


def _coverage(check: Check, run: Measurable) -> Measured:
    return Measured(coverage(run.lists(check.k), len(run.items)))


def _top_item(check: Check, run: Measurable) -> Measured:
    lists = run.lists(check.k)
    counts = np.bincount(lists[lists >= 0], minlength=len(run.items))
    title = run.model.data.dataset.catalogue.frame[c.TITLE].iloc[int(counts.argmax())]
    return Measured(float(counts.max() / len(lists)), str(title))


def _repeats(check: Check, run: Measurable) -> Measured:
    lists, bad, places, worst = run.lists(check.k), 0, 0, ""
    for user, listed in enumerate(lists):
        items = listed[listed >= 0].tolist()
        found = len(items) - len(set(items) - set(run.model.data.shown_history(user).tolist()))
        bad, places = bad + found, places + len(items)
        worst = worst or (f"e.g. user {run.users[user]}" if found else "")
    return Measured(bad / max(places, 1), worst)


def _ndcg(check: Check, run: Measurable) -> Measured:
    return Measured(run.ndcg(check.k))


def _missing_scores(check: Check, run: Measurable) -> Measured:
    shares = np.isnan(run.model.item_scores.values).mean(axis=0)
    return Measured(float(shares.max()), run.model.schema.attributes[int(shares.argmax())].label)


def _ndcg_kept(check: Check, run: Measurable, reference: Measurable) -> Measured:
    before = reference.ndcg(check.k)
    return Measured(run.ndcg(check.k) / before if before > 0 else np.nan)


def _overlap(check: Check, run: Measurable, reference: Measurable) -> Measured:
    own, other = _paired_users(check, run, reference)
    now, before = run.items[run.lists(check.k)[own]], reference.items[reference.lists(check.k)[other]]
    listed = run.lists(check.k)[own] >= 0
    shares = [
        len(set(a[here]) & set(b)) / max(int(here.sum()), 1) for a, b, here in zip(now, before, listed, strict=True)
    ]
    return Measured(float(np.mean(shares)), f"least for user {run.users[own[int(np.argmin(shares))]]}")


def _moves(check: Check, run: Measurable, reference: Measurable) -> Measured:
    own, other = _paired_users(check, run, reference)
    position = pd.Series(np.arange(len(run.items)), index=run.items)
    before = reference.lists(check.k)[other]
    moves = np.empty(len(own))
    data, scorer, size = run.model.data, run.model.model("refined"), block_size(len(run.items))
    for first in range(0, len(own), size):
        block = own[first : first + size]
        histories = [data.shown_history(user) for user in block.tolist()]
        scores = mask_seen(scorer.scores(block, histories), histories)
        for row, final in enumerate(scores):
            items = before[first + row]
            ids = reference.items[items[items >= 0]]
            there = position.reindex(ids).to_numpy(dtype=np.float64)
            ranks = all_ranks(final)
            known = ~np.isnan(there)
            steps = np.abs(ranks[there[known].astype(np.int64)] - (np.flatnonzero(known) + 1))
            moves[first + row] = steps.mean() if len(steps) else np.nan
    if np.isnan(moves).all():
        return Measured(np.nan)
    return Measured(float(np.nanmean(moves)), f"most for user {run.users[own[int(np.nanargmax(moves))]]}")


def _popularity(check: Check, run: Measurable, reference: Measurable) -> Measured:
    counts = pd.Series(reference.model.data.item_interactions, index=reference.items)
    means = []
    for each in (run, reference):
        lists = each.lists(check.k)
        listed = counts.reindex(each.items[lists[lists >= 0]]).dropna()
        means.append(float(listed.mean()))
    return Measured(means[0] / means[1] if means[1] > 0 else np.nan)


def _exposure_shift(check: Check, run: Measurable, reference: Measurable) -> Measured:
    column, shares = check.column or c.CATEGORY, []
    for each in (run, reference):
        values = _column(each, column).map(main_category)
        by_value = pd.Series(exposure(each.lists(check.k), len(values))).groupby(values.to_numpy()).sum()
        shares.append(by_value / by_value.sum())
    both = pd.concat(shares, axis=1).fillna(0.0)
    change = both.iloc[:, 0] - both.iloc[:, 1]
    place = int(change.abs().to_numpy().argmax())
    largest = f"most for {change.index[place]}: {100 * float(change.iloc[place]):+.1f} points"
    return Measured(float(np.abs(change.to_numpy()).sum() / 2), largest)


def _scores_agree(check: Check, run: Measurable, reference: Measurable) -> Measured:
    own, other = _common(run.items, reference.items)
    now, before = run.model.item_scores, reference.model.item_scores
    lowest, where = np.nan, ""
    for place, name in enumerate(now.schema.names):
        if name not in before.schema.names:
            continue
        a = now.values[own, place].astype(np.float64)
        b = before.values[other, before.schema.names.index(name)].astype(np.float64)
        known = ~np.isnan(a) & ~np.isnan(b)
        varies = known.sum() > 1 and a[known].std() > 0 and b[known].std() > 0
        found = float(np.corrcoef(a[known], b[known])[0, 1]) if varies else 0.0
        if not found >= lowest:
            lowest, where = found, now.schema.attributes[place].label
    return Measured(lowest, where)


def _weights_kept(check: Check, run: Measurable, reference: Measurable) -> Measured:
    sizes = []
    for each in (run, reference):
        data = each.model.data
        users = np.arange(len(each.users))[: block_size(len(each.items))]
        histories = [data.shown_history(user) for user in users.tolist()]
        slopes = each.model.refined.parts(users, histories, np.zeros(1, dtype=np.int64)).slopes.astype(np.float64)
        table = each.model.refined.item_values().astype(np.float64)
        # Mean over users and items of (slopes . g)^2, without the table of all of them.
        sizes.append(float(np.einsum("ij,ji->", slopes.T @ slopes, table.T @ table) / (len(users) * len(table))))
    return Measured(float(np.sqrt(sizes[0] / sizes[1])) if sizes[1] > 0 else np.nan)


def _values_agree(check: Check, run: Measurable, reference: Measurable) -> Measured:
    own, other = _common(run.items, reference.items)
    column = check.column or c.CATEGORY
    now, before = _column(run, column).to_numpy()[own], _column(reference, column).to_numpy()[other]
    same = now == before
    about = "" if same.all() else f"e.g. item {run.items[own[int(np.argmin(same))]]}"
    return Measured(float(same.mean()), about)


def _histories_agree(check: Check, run: Measurable, reference: Measurable) -> Measured:
    own, other = _common(run.users, reference.users)
    same, example = 0, ""
    for a, b in zip(own.tolist(), other.tolist(), strict=True):
        before = reference.items[reference.model.data.shown_history(b)]
        now = run.items[run.model.data.shown_history(a)[: len(before)]]
        if np.array_equal(now, before):
            same += 1
        else:
            example = example or f"e.g. user {run.users[a]}"
    return Measured(same / len(own), example)


def _who(check: Check, run: Measurable) -> npt.NDArray[np.bool_]:
    """Return the users that a check is about, ``[n_users]``."""
    who = users_of(check.users, run.subjects)
    if not who.any():
        raise InputError(f"check {check.name!r}: nobody fulfils its condition on users")
    return who


def _paired_users(check: Check, run: Measurable, reference: Measurable) -> tuple[IntArray, IntArray]:
    """Return the indexes of the users that a check is about and both runs have, in either run, ``[n]`` each."""
    own, other = _common(run.users, reference.users)
    kept = _who(check, run)[own]
    if not kept.any():
        raise InputError(f"check {check.name!r}: none of its users is in the run that it compares with")
    return own[kept], other[kept]


def _common(first: npt.NDArray[np.object_], second: npt.NDArray[np.object_]) -> tuple[IntArray, IntArray]:
    """Return where the ids that both have are, in either, ``[n]`` each."""
    place = pd.Series(np.arange(len(second)), index=second).reindex(first).to_numpy(dtype=np.float64)
    own = np.flatnonzero(~np.isnan(place))
    if not len(own):
        raise InputError("expected two runs with users and items in common, got none; compare runs of one data set")
    return own.astype(np.int64), place[own].astype(np.int64)


def _column(run: Measurable, column: str) -> pd.Series:
    """Return a column of the catalogue as text."""
    frame = run.model.data.dataset.catalogue.frame
    if column not in frame:
        raise UnknownIdError(f"the catalogue has no column {column!r}; it has {', '.join(map(str, frame.columns))}")
    return frame[column].fillna("").astype(str)


_ALONE: Mapping[Kind, Callable[[Check, Measurable], Measured]] = {
    "share": _share,
    "coverage": _coverage,
    "top_item": _top_item,
    "repeats": _repeats,
    "ndcg": _ndcg,
    "missing_scores": _missing_scores,
}
_COMPARED: Mapping[Kind, Callable[[Check, Measurable, Measurable], Measured]] = {
    "ndcg_kept": _ndcg_kept,
    "overlap": _overlap,
    "moves": _moves,
    "popularity": _popularity,
    "exposure_shift": _exposure_shift,
    "scores_agree": _scores_agree,
    "weights_kept": _weights_kept,
    "values_agree": _values_agree,
    "histories_agree": _histories_agree,
}
