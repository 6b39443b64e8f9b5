"""`NamedModel`: a refined model's scores with a name on every part that attributes and facts can tell.

A refined score is ``slopes . g_i + <u, v_i> + b_i`` and item-kNN. Item vectors and biases are regressed on the named
columns x (attributes and facts), ``(v_i, b_i) = a + B' x_i + e_i``, so that

    <u, v_i> + b_i  =  <B (u, 1), x_i>  +  <a, (u, 1)>  +  <e_i, (u, 1)>

The first part is a sum over named columns and joins the attributes' own lines, the second is an average item's score,
the third is what no name covers. The split is exact for any B, because the third is what is left; how well B names
items that it was not fitted on is what `Regression` is chosen by. No score changes, and nothing is trained.

Shapes: B users, N items, n items looked at, A attributes, P named columns, L lines.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.naming.lines import NamedColumns
from guidedrec_core.naming.regression import PENALTIES, RESAMPLES, Doubles, Regression, fit_regression
from guidedrec_core.refinement.cold import NEVER
from guidedrec_core.refinement.guided import FloatArray
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.refined import Parts
from guidedrec_core.refinement.sources import Sources


@dataclass(frozen=True, eq=False)
class NamedParts:
    """Scores of B users, split: ``scores = slopes @ X.T + neighbours + unnamed + average``.

    Attributes
    ----------
    scores : FloatArray
        The model's own, ``[B, n]``.
    profile : FloatArray
        The users' values on each attribute, ``[B, A]``; see `Parts`.
    slopes : Doubles
        What one unit of an item's value on each named column adds, ``[B, P]``.
    neighbours : Doubles
        The share of item-kNN, ``[B, n]``; 0 where there is none.
    unnamed : Doubles
        What no name covers, ``[B, n]``; over the catalogue it has mean 0.
    average : Doubles
        What an item scores that is average in everything and nobody's neighbour, ``[B]``.
    """

    scores: FloatArray
    profile: FloatArray
    slopes: Doubles
    neighbours: Doubles
    unnamed: Doubles
    average: Doubles


@dataclass(frozen=True, eq=False)
class NamedModel:
    """A refined model with the regression that names its remainder.

    Attributes
    ----------
    model : HeadModel
        The refined model; its scores are those of this one.
    columns : NamedColumns
        X and what its columns are called.
    regression : Regression
        Of item vectors and biases on X.
    centre : Doubles
        Mean of item vectors, biases and base biases over the catalogue, ``[d + 2]``.
    """

    model: HeadModel
    columns: NamedColumns
    regression: Regression
    centre: Doubles

    @classmethod
    def fit(
        cls,
        model: HeadModel,
        columns: NamedColumns,
        vectors: npt.NDArray[Any],
        weights: npt.NDArray[np.floating],
        moments: Doubles,
        penalties: tuple[float, ...] = PENALTIES,
        seed: int = 0,
        resamples: int = RESAMPLES,
    ) -> "NamedModel":
        """Fit the regression.

        Parameters
        ----------
        model : HeadModel
            A fitted refined model.
        columns : NamedColumns
            Its guided embedding and facts.
        vectors, weights, moments, penalties
            What is regressed, see `fit_regression`: `named_vectors` of the model, weights of items, and `user_moments`.
        seed : int
            The seed from which those of folds and resamples descend.
        resamples : int
            Times that items are resampled for intervals; see `fit_regression`.
        """
        regression = fit_regression(
            columns.values, vectors, weights, moments, columns.penalty_factors, penalties, seed, resamples
        )
        return cls(model, columns, regression, vectors.mean(axis=0, dtype=np.float64))

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return self.model.n_items

    def parts(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> NamedParts:
        """Split the scores for each history, of some items or of all."""
        split, sides, unsplit, neighbours = self._unsplit(users, histories, items)
        slopes = sides @ self.regression.coefficients[1:].T
        average = sides @ self.centre - slopes @ self._mean
        unnamed = unsplit - slopes @ self._values(items).T - average[:, None]
        slopes[:, : split.slopes.shape[1]] += split.slopes
        return NamedParts(split.scores, split.profile, slopes, neighbours, unnamed, average)

    def sources(self, users: IntArray, histories: list[IntArray]) -> Sources:
        """Split attributes' slopes for each history by source, ``[B, A]``; they sum to those in `NamedParts.slopes`.

        Attributes' share in item vectors is from interactions, their share in biases is the same for everyone.
        """
        own = self.model.slope_sources(users, histories)
        factors = self.model.remainder_factors(users, histories).astype(np.float64)
        shares = self.regression.coefficients[1 : 1 + self.model.n_attributes]  # [A, d + 2]
        width = factors.shape[1]
        named = {"interactions": factors @ shares[:, :width].T, "everyone": shares[:, width]}
        return own.plus(Sources.of(own.own_taste.shape, **named))

    def unsplit(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> Doubles:
        """Return what the regression has to name, ``[B, n]``: all but attributes' own share and item-kNN."""
        return self._unsplit(users, histories, items)[2]

    def unnamed_out_of_fold(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> Doubles:
        """Return what no name covers if each item is named by a regression that was fitted without it, ``[B, n]``.

        Where items are nothing but named columns (penalty 0), there is nothing to estimate, and it is the rest itself.
        """
        if self.regression.penalty == 0:
            return self.parts(users, histories, items).unnamed
        _, sides, unsplit, _ = self._unsplit(users, histories, items)
        X, fold_of = self._values(items), self.regression.fold_of
        own_fold = fold_of if items is None else fold_of[items]
        for fold, coefficients in enumerate(self.regression.without_fold):
            own = np.flatnonzero(own_fold == fold)
            by_column = sides @ coefficients.T  # [B, P + 1]
            unsplit[:, own] -= by_column[:, :1] + by_column[:, 1:] @ X[own].T
        return unsplit

    def base_lines(self, user: int, history: IntArray) -> Doubles:
        """Return what each line adds to one user's scores of all items in the base model, ``[N, L]``.

        The base model's item vectors are among those that were regressed, so that its scores have names, too; what
        these do not cover is the rest of its scores. All 0 where it has no part in the refined model.
        """
        base = self.model.base
        if base is None:
            return np.zeros((self.n_items, len(self.columns.lines)))
        vector = base.user_vectors(np.array([user]), [history])[0].astype(np.float64)
        side = np.zeros(len(self.centre))
        side[: len(vector)], side[-1] = vector, 1.0
        return self.columns.by_line(self.regression.coefficients[1:] @ side * self._values(None))

    def contributions(self, slopes: Doubles, items: IntArray) -> Doubles:
        """Return what each line adds to one user's scores of some items, ``[n, L]``, given slopes ``[P]``."""
        return self.columns.by_line(slopes * self._values(items))

    def resampled(self, user: int, history: IntArray, items: IntArray) -> Doubles:
        """Return one user's contributions under regressions fitted on resampled items, ``[R, n, L]``.

        Parameters
        ----------
        user : int
            User index; -1 for somebody unknown.
        history : IntArray
            Item indexes, oldest first.
        items : IntArray
            Items looked at, ``[n]``.
        """
        split, sides, _, _ = self._unsplit(np.array([user]), [history], items)
        slopes = self.regression.resampled[:, 1:] @ sides[0]  # [R, P]
        slopes[:, : split.slopes.shape[1]] += split.slopes[0]
        return self.columns.by_line(slopes[:, None, :] * self._values(items))

    def _unsplit(
        self, users: IntArray, histories: list[IntArray], items: IntArray | None
    ) -> tuple[Parts, Doubles, Doubles, Doubles]:
        """Return the model's parts, users' sides ``[B, d + 2]``, what is to be named, and item-kNN (``[B, n]``)."""
        split = self.model.parts(users, histories, items)
        factors = self.model.remainder_factors(users, histories) if split.factors is None else split.factors
        neighbours = self.model.neighbour_scores(users, histories, items).astype(np.float64)
        return split, _side(factors), split.remainder.astype(np.float64) + split.bias - neighbours, neighbours

    @cached_property
    def _mean(self) -> Doubles:
        """Mean of X over the catalogue, ``[P]``: 0 but for rounding, and for scores that are weighted."""
        mean: Doubles = self.columns.values.mean(axis=0, dtype=np.float64)
        return mean

    def _values(self, items: IntArray | None) -> Doubles:
        """Return X of some items, all by default, float64 ``[n, P]``."""
        values = self.columns.values if items is None else self.columns.values[items]
        return values.astype(np.float64)


def named_vectors(model: HeadModel) -> npt.NDArray[Any]:
    """Return what names are for: item vectors, biases, and the base model's own biases, ``[N, d + 2]``."""
    base_bias = np.zeros(model.n_items) if model.base is None else model.base.item_bias()
    biases = model.item_biases()
    if model.cold_offset == NEVER:  # no property of an item, but the rule that it is not recommended
        biases = biases - np.float32(NEVER) * model.cold
    return np.column_stack([model.remainder_vectors(), biases, base_bias])


def user_moments(model: HeadModel, users: IntArray, histories: list[IntArray]) -> Doubles:
    """Return the second moments of users' sides, ``[d + 2, d + 2]``: which differences of item vectors matter."""
    sides = user_sides(model, users, histories)
    moments: Doubles = sides.T @ sides / max(len(sides), 1)
    return moments


def user_sides(model: HeadModel, users: IntArray, histories: list[IntArray]) -> Doubles:
    """Return what users meet `named_vectors` with, ``[B, d + 2]``: their products are what is to be named."""
    return _side(model.remainder_factors(users, histories))


def _side(factors: FloatArray) -> Doubles:
    """Return what users' vectors ``[B, d]`` meet item vectors and biases with, float64 ``[B, d + 2]``.

    The factor of biases is 1. That of the base model's own bias is 0, as what it adds is part of the others.
    """
    sides: Doubles = np.column_stack([factors, np.ones(len(factors)), np.zeros(len(factors))]).astype(np.float64)
    return sides
