"""`Sandbox`: the lists of all users, or of a sample, ready to be asked what changes would do to them.

Scores are linear in the columns that have names: what one unit more of an attribute or fact adds is known for each
user. So a change of items adds ``slopes_u . (x_new - x_old)`` to these items' scores alone, and lists need only be
merged again: the best of the other items, which keep their order, with the changed ones. Nothing is retrained, and
users' tastes stay as they are: histories are read with the scores they were read with.

An attribute's slope is the model's own, so that the change of a score is exact. A price or another fact has slopes of
its own only where the model consists of named columns (mode ``named``); elsewhere they are those of the regression that
names scores, and the effect is an estimate (`Effect.estimated`).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.conditions.members import attribute_of, items_of
from guidedrec_core.conditions.subjects import Subjects
from guidedrec_core.conditions.terms import plain
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError, UnknownIdError
from guidedrec_core.facts.splines import spline_columns
from guidedrec_core.models.base import FloatArray
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import block_size, mask_seen, top_k
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.refinement.guided import Standardisation
from guidedrec_core.rules.preview import exposure, shares_by
from guidedrec_core.sandbox.change import Change

Doubles = npt.NDArray[np.float64]
MOST_SCORES = 100_000_000
"""Scores held at most (400 MB); with more users times items than this, a sample of users stands for all."""
_SPARE = 50
"""Places beyond the lists that are kept, so that other items can move up without all scores being read again."""


@dataclass(frozen=True)
class Effect:
    """What changes do to the lists.

    Attributes
    ----------
    k : int
        Length of the lists.
    users, sampled : int
        Users of the data set, and how many of these were looked at; the same number where all were.
    items_changed : int
        Items whose scores change.
    changed, entered : int
        Of the users looked at, those whose list changes in any place, and those who get at least one other item.
    categories : pandas.DataFrame
        ``category, before, after, change``: shares of all exposure, largest change first; see `rules.preview`.
    items : pandas.DataFrame
        ``item_id, title, before, after, change``: the same by item, those that change only.
    estimated : bool
        A price or another fact was changed in a model that does not consist of named columns.
    seconds : float
        How long this took, without the preparation of the sandbox.
    lists : IntArray
        The new lists of the users looked at, ``[sampled, k]``; -1 where one is shorter.
    """

    k: int
    users: int
    sampled: int
    items_changed: int
    changed: int
    entered: int
    categories: pd.DataFrame
    items: pd.DataFrame
    estimated: bool
    seconds: float
    lists: IntArray


@dataclass(frozen=True, eq=False)
class Sandbox:
    """Scores and lists of some users as they are; see `Sandbox.of`.

    Attributes
    ----------
    model : RefinedRecommender
        Whose.
    k : int
        Length of the lists.
    users : IntArray
        Users looked at, ``[U]``.
    scores : FloatArray
        ``[U, N]``; minus infinity for seen items.
    slopes : FloatArray
        What one unit of each named column adds, ``[U, P]``; the first A are attributes.
    best : IntArray
        The best items of each user, more than k, ``[U, K]``.
    """

    model: RefinedRecommender
    k: int
    users: IntArray
    scores: FloatArray
    slopes: FloatArray
    best: IntArray

    @classmethod
    def of(cls, model: RefinedRecommender, k: int = 10, seed: int = 0, most_scores: int = MOST_SCORES) -> "Sandbox":
        """Score the items for all users, or for a sample that fits in memory.

        Parameters
        ----------
        model : RefinedRecommender
            A refined recommender; its rules, if any, do not count.
        k : int
            Length of the lists.
        seed : int
            Of the sample.
        most_scores : int
            Scores held at most.
        """
        n_users, n_items = len(model.data.dataset.users), model.refined.n_items
        size = max(1, min(n_users, most_scores // n_items))
        users = np.arange(n_users)
        if size < n_users:
            users = np.sort(generator(seed, "users of the sandbox").choice(n_users, size, replace=False))
        scores = np.empty((size, n_items), np.float32)
        slopes = np.empty((size, model.named.columns.values.shape[1]), np.float32)
        step, none = block_size(n_items), np.zeros(1, dtype=np.int64)
        for first in range(0, size, step):
            part = users[first : first + step]
            histories = [model.data.shown_history(user) for user in part.tolist()]
            split = model.refined.parts(part, histories)
            scores[first : first + step] = mask_seen(split.scores, histories)
            slopes[first : first + step] = model.named.parts(part, histories, none).slopes
            if model.config.mode != "named":  # vectors of items stay as they are when a score of theirs changes
                slopes[first : first + step, : split.slopes.shape[1]] = split.slopes
        return cls(model, k, users, scores, slopes, top_k(scores, k + _SPARE))

    @cached_property
    def subjects(self) -> Subjects:
        """What conditions are about."""
        return Subjects(self.model)

    def effect(self, changes: Sequence[Change]) -> Effect:
        """Return what changes, made together, do to the lists.

        Parameters
        ----------
        changes : sequence of Change
            At least one.

        Raises
        ------
        InputError
            A change or its condition is not understood, names what the data set does not have, or changes nothing.
        """
        if not changes:
            raise InputError("expected at least one change, got none")
        start = time.perf_counter()
        delta, gone, weights, estimated = self._resolved(changes)
        return self._effect(delta, gone, weights, estimated, start)

    def with_scores(self, raw: npt.NDArray[np.floating]) -> Effect:
        """Return what other scores of the items do to the lists; model and tastes stay as they are.

        Parameters
        ----------
        raw : ndarray
            Raw scores on the attributes that the model uses, ``[n_items, A]``; NaN = missing.

        Raises
        ------
        InputError
            They are not as many as the model uses, or the run is a control, which does not use its scores.
        """
        start = time.perf_counter()
        own = self.model.item_scores.values
        if raw.shape != own.shape:
            raise InputError(f"expected scores of {own.shape[0]:,} items on {own.shape[1]} attributes, got {raw.shape}")
        columns = self.model.named.columns
        delta: FloatArray = np.zeros_like(columns.values, dtype=np.float32)
        delta[:, : own.shape[1]] = self._guided(raw) - self._guided(own)
        none = np.zeros(len(columns.line_of), np.float32)
        return self._effect(delta, np.zeros(len(delta), dtype=bool), none, False, start)

    def _effect(
        self, delta: FloatArray, gone: npt.NDArray[np.bool_], weights: FloatArray, estimated: bool, start: float
    ) -> Effect:
        """Return what changes of columns, of what is there, and of weights do to the lists; see `_resolved`."""
        touched = np.flatnonzero((delta != 0).any(axis=1) | gone)
        if weights.any():
            final = self._all_items(delta, gone, weights)
            lists, touched = top_k(final, self.k), np.arange(len(gone))
        else:
            lists = self._merged(touched, delta, gone)
        before = self.best[:, : self.k]
        frame = self.model.data.dataset.catalogue.frame
        n_items = len(gone)
        exposures = exposure(before, n_items), exposure(lists, n_items)
        rows = np.flatnonzero((before != lists).any(axis=1))
        entered = sum(bool(set(new[new >= 0]) - set(old)) for new, old in zip(lists[rows], before[rows], strict=True))
        categories = self.model.data.dataset.catalogue.main_categories.replace("", "no category")
        return Effect(
            k=self.k,
            users=len(self.model.data.dataset.users),
            sampled=len(self.users),
            items_changed=len(touched),
            changed=len(rows),
            entered=entered,
            categories=shares_by(categories, *exposures, "category"),
            items=_by_item(frame, *exposures),
            estimated=estimated,
            seconds=time.perf_counter() - start,
            lists=lists,
        )

    def _merged(self, touched: IntArray, delta: FloatArray, gone: npt.NDArray[np.bool_]) -> IntArray:
        """Return the lists after changes of some items: those of the others' best with the changed ones, ``[U, k]``."""
        lists = self.best[:, : self.k].copy()
        changed = np.zeros(len(gone), dtype=bool)
        changed[touched] = True
        own = self.scores[:, touched] + self.slopes @ delta[touched].T  # [U, m]
        own[:, gone[touched]] = -np.inf
        places = np.where(self.best >= 0, self.best, 0)
        listed = (changed[places] & (self.best >= 0))[:, : self.k].any(axis=1)
        last = self.best[:, self.k - 1] if self.best.shape[1] >= self.k else np.full(len(lists), -1)
        edge = np.where(last >= 0, self.scores[np.arange(len(lists)), np.maximum(last, 0)], -np.inf)
        affected = np.flatnonzero(listed | (own >= edge[:, None]).any(axis=1))
        for row in affected.tolist():
            kept = self.best[row][self.best[row] >= 0]
            # A full list of kept places that the changed items leave too few of is read again from all scores.
            enough = int((~changed[kept]).sum()) >= self.k or len(kept) < self.best.shape[1]
            others = kept[~changed[kept]] if enough else np.flatnonzero(~changed)
            items = np.sort(np.concatenate([others, touched]))
            values = self.scores[row, items].copy()
            values[np.searchsorted(items, touched)] = own[row]
            found = top_k(values[None], self.k)[0]
            lists[row] = -1
            lists[row, : len(found)] = np.where(found >= 0, items[found], -1)
        return lists

    def _all_items(self, delta: FloatArray, gone: npt.NDArray[np.bool_], weights: FloatArray) -> FloatArray:
        """Return all scores after changes that include weights, ``[U, N]``."""
        table = self.model.named.columns.values
        final = self.scores.copy()
        for column in np.flatnonzero(weights):
            final += (weights[column] * self.slopes[:, column])[:, None] * (table[:, column] + delta[:, column])
        touched = np.flatnonzero((delta != 0).any(axis=1))
        final[:, touched] += self.slopes @ delta[touched].T
        final[:, gone] = -np.inf
        return final

    def _resolved(self, changes: Sequence[Change]) -> tuple[FloatArray, npt.NDArray[np.bool_], FloatArray, bool]:
        """Return what changes make of items' columns ``[N, P]``, items that go ``[N]``, and weights less 1 ``[P]``."""
        model, columns = self.model, self.model.named.columns
        delta: FloatArray = np.zeros_like(columns.values, dtype=np.float32)
        weights: FloatArray = np.zeros(len(columns.line_of), np.float32)
        gone, estimated = np.zeros(len(delta), dtype=bool), False
        raw = model.item_scores.values.astype(np.float64)
        numbers = {plain(fact.name): fact.numbers.copy() for fact in columns.facts.facts if fact.numbers is not None}
        scored = False
        for change in changes:
            here = items_of(change.where or None, self.subjects)
            if not here.any():
                raise InputError(f"no item fulfils the condition of “{change.text}”; change the condition")
            if change.target == "stock":
                gone |= here
            elif change.target == "weight":
                place = attribute_of(change.name, self.subjects)
                weights[place] = (1 + weights[place]) * change.value - 1
            elif plain(change.name) in numbers:
                known = numbers[plain(change.name)]
                known[here] = [change.applied(value) for value in known[here]]
                estimated = estimated or model.config.mode != "named"
            else:
                place, scored = self._attribute(change), True
                low, high = model.schema.scale.min, model.schema.scale.max
                values = np.array([change.applied(value) for value in raw[here, place]])
                raw[here, place] = np.clip(values, low, high) if change.sign != "=" else values
                if change.sign == "=" and not low <= change.value <= high:
                    raise InputError(f"expected a score from {low:g} to {high:g} in “{change.text}”")
        if scored:
            delta[:, : raw.shape[1]] = self._guided(raw) - self._guided(model.item_scores.values)
        start = len(model.schema.names)
        for fact in columns.facts.facts:
            width = fact.columns.shape[1]
            if fact.numbers is not None and plain(fact.name) in numbers:
                new = spline_columns(numbers[plain(fact.name)], reference=fact.numbers)
                moved = numbers[plain(fact.name)] != fact.numbers
                moved &= ~np.isnan(fact.numbers)
                if moved.any() and new.shape[1] in (width, width - 1) and fact.kind == "number":
                    delta[moved, start : start + new.shape[1]] = (new - fact.columns[:, : new.shape[1]])[moved]
                elif moved.any():
                    raise InputError(f"{fact.label} cannot be changed here; only numbers of the catalogue can")
            start += width
        return delta, gone, weights, estimated

    def _attribute(self, change: Change) -> int:
        """Return the place of the attribute that a change names."""
        try:
            return attribute_of(change.name, self.subjects)
        except UnknownIdError as error:
            facts = [fact.name for fact in self.model.facts.facts if fact.kind == "number"]
            raise UnknownIdError(f"{error}; numbers that can be changed: {', '.join(facts) or 'none'}") from error

    def _guided(self, raw: npt.NDArray[np.floating]) -> FloatArray:
        """Return the guided embedding of raw scores, standardised as the model's own was, ``[N, A]``."""
        model = self.model
        if model.config.control != "none":
            raise InputError("this run is a control and does not use its scores as they are; choose another run")
        weights = None if model.doubt is None else model.doubt.weights.astype(np.float64)
        how = Standardisation.of(model.item_scores.values, model.config.normalisation, weights)
        return how.apply(raw.astype(np.float32), weights)


def _by_item(frame: pd.DataFrame, before: Doubles, after: Doubles) -> pd.DataFrame:
    """Return the shares of exposure by item, those that change only."""
    moved = np.flatnonzero(np.abs(before - after) > 1e-9)
    table = pd.DataFrame(
        {
            c.ITEM: frame[c.ITEM].to_numpy()[moved],
            c.TITLE: frame[c.TITLE].to_numpy()[moved],
            "before": before[moved] / before.sum(),
            "after": after[moved] / max(after.sum(), 1e-12),
        }
    )
    table["change"] = table["after"] - table["before"]
    return table.sort_values("change", key=lambda change: -change.abs(), kind="stable", ignore_index=True)
