"""The choice of a head's form by what generalises: its weights are fitted on some users, its ranks counted on others.

Likelihood decides the weights, NDCG@10 the rest: whether popularity, item-kNN and attributes have a part at all, how
much popularity is taken back after the fit, and whether the head does better than the base model alone. If it does not,
or at the cost of MRR, the base model is what remains. Users are dealt into three folds; each is ranked with weights
fitted on the other two, so that every case counts once. The chosen form is then fitted on all cases.

Taking popularity back means to subtract lambda times the popularity of an item. A likelihood cares for the commonest
targets, which are popular items; lists can do with less popularity at no cost, to the gain of rare items. Lambda is the
largest that surely costs little and does not rank the most popular quarter of items below the base model. If any other
quarter is then surely ranked below it, as over a base model that knows no popularity, lambda is the smallest that mends
this, as long as half of the gain over the base model remains.

Shapes: V cases, O offsets of cold items, N items.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.notices import Notice
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.randomness import derive_seed, generator
from guidedrec_core.ranking.ranks import mask_seen, ndcg_at, ranks_of
from guidedrec_core.refinement.cold import ranks_by_offset
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_blocks import Sampling, blocks_of
from guidedrec_core.refinement.head_fit import WHOLE, Block, Doubles, Form, HeadFit, HeadWeights

REDUCTIONS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
"""Candidates of lambda: what is taken from popularity's weight, in units of log-odds per standard deviation."""

WIDER_REDUCTIONS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)
"""Further candidates where a quarter of items is ranked below the base model."""

_FOLDS = 3
_TOLERANCE = 0.005
"""Share of the best NDCG@10 that a simpler form may lack."""
_LOSS = 0.01
"""Share of NDCG@10 and MRR that taking popularity back may cost, a standard error included."""
_KEPT_GAIN = 0.5
"""Share of the gain in NDCG@10 that must remain where a quarter of items is brought back to the base model's level."""
_CLEARLY = 2.0
"""Standard errors by which a head without attributes must be ahead, for these to be left out."""

_MOST_CASES, _FEWEST_CASES = 8192, 1000
_RANKED_NUMBERS = 512 * 1024 * 1024
"""Cases times items that are ranked at most, as long as there are more than the fewest cases."""
_FITTED_NUMBERS = 4 * 1024 * 1024
"""Cases times candidates of all folds."""
_BLOCK_NUMBERS = 4 * 1024 * 1024
"""Cases times items that are scored at a time."""

_QUARTERS = ("rarest quarter", "second quarter", "third quarter", "most popular quarter")


@dataclass(frozen=True)
class HeadCases:
    """Validation cases that a head is fitted on.

    Attributes
    ----------
    users : IntArray
        User indexes, ``[V]``.
    histories : list of IntArray
        The history before each target.
    targets : IntArray
        Item indexes, ``[V]``.
    """

    users: IntArray
    histories: list[IntArray]
    targets: IntArray

    def __len__(self) -> int:
        return len(self.users)

    def take(self, places: IntArray) -> "HeadCases":
        """Return some of the cases, by position."""
        return HeadCases(self.users[places], [self.histories[n] for n in places.tolist()], self.targets[places])


@dataclass(frozen=True)
class HeadChoice:
    """What was chosen, with qualities on cases that the weights were not fitted on.

    Attributes
    ----------
    form : Form or None
        Terms of the head; None is the base model alone.
    reduction : float
        Lambda.
    ndcg, base_ndcg : float or None
        NDCG@10 of the head chosen and of the base model; None where there is no base model, or too few users to tell.
    notices : tuple of Notice
        What somebody who uses the head should know about the choice.
    """

    form: Form | None
    reduction: float = 0.0
    ndcg: float | None = None
    base_ndcg: float | None = None
    notices: tuple[Notice, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Return what was chosen for listings."""
        form = self.form or Form(neighbours=False, popularity=False, attributes=False)
        found = {"validation_ndcg": self.ndcg, "base_validation_ndcg": self.base_ndcg}
        rounded = {name: round(value, 6) for name, value in found.items() if value is not None}
        return {"base_alone": self.form is None, **vars(form), "popularity_taken_back": self.reduction, **rounded}


@dataclass(frozen=True)
class _Quality:
    """NDCG@10 and reciprocal rank of each case, ``[V]`` each."""

    ndcg: Doubles
    reciprocal: Doubles


def fit_chosen(head: HeadModel, cases: HeadCases, seed: int, neighbours: Literal["auto", "on", "off"]) -> HeadChoice:
    """Choose a head's form, fit it on all cases, and drop item-kNN if it has no part.

    Parameters
    ----------
    head : HeadModel
        Its weights are set.
    cases : HeadCases
        All that there are.
    seed : int
        The seed from which those of folds and samples descend.
    neighbours : {"auto", "on", "off"}
        Whether item-kNN, where the head has it, may be left out (``auto``).
    """
    choice = _choose(head, cases, seed, neighbours)
    if choice.form is None:
        head.learned = _base_alone(head)
    else:
        sampling = Sampling(derive_seed(seed, "head candidates"))
        blocks = blocks_of(head, cases.users, cases.histories, cases.targets, sampling)
        head.learned = _taken_back(head.fitting(blocks).weights(choice.form), choice.reduction)
    if head.neighbours is not None and (choice.form is None or not choice.form.neighbours):
        head.without_neighbours()
    return choice


def _choose(head: HeadModel, cases: HeadCases, seed: int, neighbours: Literal["auto", "on", "off"]) -> HeadChoice:
    """Choose the form by ranks on users that the weights were not fitted on."""
    with_knn = (True,) if neighbours == "on" else (False, True)
    with_knn = with_knn if head.neighbours is not None else (False,)
    if len(np.unique(cases.users)) < _FOLDS:
        return HeadChoice(replace(WHOLE, neighbours=with_knn[-1]))
    trial = _Trial.of(head, cases, seed)
    forms = [Form(knn, popularity, True) for popularity in (False, True) for knn in with_knn]
    weights = trial.fitted(forms)
    alone = [] if head.base is None else [[_base_alone(head)] * _FOLDS]
    qualities = trial.ranked([*alone, *weights])
    base = qualities.pop(0) if alone else None
    means = np.array([quality.ndcg.mean() for quality in qualities])
    best = int(np.flatnonzero(means >= (1 - _TOLERANCE) * means.max())[0])
    options = [(forms[best], weights[best], qualities[best])]
    if head.n_attributes:
        bare = replace(forms[best], attributes=False)
        fitted = trial.fitted([bare])[0]
        options.append((bare, fitted, trial.ranked([fitted])[0]))
        gain = options[1][2].ndcg - options[0][2].ndcg
        if gain.mean() > _CLEARLY * _standard_error(gain):
            options.reverse()
    for form, fitted, _ in options:
        reduction, reduced = _reduced(trial, fitted, base)
        if base is None or _better(reduced, base):
            notices = _notices(trial, form, options, reduced, base)
            found = None if base is None else float(base.ndcg.mean())
            return HeadChoice(form, reduction, float(reduced.ndcg.mean()), found, notices)
    assert base is not None
    return _fallen_back(base, [quality for _, _, quality in options])


@dataclass(frozen=True)
class _Trial:
    """Folds of users, with the fits on all but one of them."""

    head: HeadModel
    folds: list[HeadCases]
    fit: HeadFit
    places: list[list[int]]

    @classmethod
    def of(cls, head: HeadModel, cases: HeadCases, seed: int) -> "_Trial":
        """Deal users into folds; of very many cases, only some are looked at."""
        rng = generator(seed, "head folds")
        most = min(_MOST_CASES, max(_FEWEST_CASES, _RANKED_NUMBERS // head.n_items))
        if len(cases) > most:
            cases = cases.take(np.sort(rng.permutation(len(cases))[:most]))
        users, user = np.unique(cases.users, return_inverse=True)
        fold_of = (rng.permutation(len(users)) % _FOLDS)[user]  # [V]
        folds = [cases.take(np.flatnonzero(fold_of == fold)) for fold in range(_FOLDS)]
        blocks: list[Block] = []
        places = []
        for number, fold in enumerate(folds):
            sampling = Sampling(derive_seed(seed, "head fold", number), _FITTED_NUMBERS // _FOLDS)
            made = blocks_of(head, fold.users, fold.histories, fold.targets, sampling)
            places.append(list(range(len(blocks), len(blocks) + len(made))))
            blocks += made
        return cls(head, folds, head.fitting(blocks), places)

    @property
    def targets(self) -> IntArray:
        """Targets of all cases, fold after fold, ``[V]``."""
        return np.concatenate([fold.targets for fold in self.folds])

    def fitted(self, forms: Sequence[Form]) -> list[list[HeadWeights]]:
        """Fit each form on all folds but one; one list a form, with weights for each fold left out."""
        found: list[list[HeadWeights]] = []
        for form in forms:
            weights = []
            for left_out in range(_FOLDS):
                among = [place for fold in range(_FOLDS) if fold != left_out for place in self.places[fold]]
                near = found[-1][left_out] if found else None
                weights.append(self.fit.weights(form, among, near))
            found.append(weights)
        return found

    def ranked(self, variants: Sequence[Sequence[HeadWeights]]) -> list[_Quality]:
        """Rank each fold's targets with the weights fitted without it, for each variant."""
        found: list[list[IntArray]] = [[] for _ in variants]
        size = max(1, _BLOCK_NUMBERS // self.head.n_items)
        for number, fold in enumerate(self.folds):
            for first in range(0, len(fold), size):
                part = fold.take(np.arange(first, min(first + size, len(fold))))
                scores = self.head.frozen_scores(part.users, part.histories)
                profiles = self.head.whitened_profiles(part.histories)
                for variant, ranks in zip(variants, found, strict=True):
                    combined = self.head.combined(variant[number], scores, profiles)
                    ranks.append(self._ranks(mask_seen(combined, part.histories), part.targets))
        return [_quality(np.concatenate(ranks, axis=1)) for ranks in found]

    def _ranks(self, scores: npt.NDArray[np.float32], targets: IntArray) -> IntArray:
        """Return the targets' ranks with each offset of cold items, ``[O, B]``; O is 1 where there are none."""
        cold = self.head.cold
        return ranks_by_offset(scores, cold, targets) if cold.any() else ranks_of(scores, targets)[None]


def _quality(ranks: IntArray) -> _Quality:
    """Return the quality with the best offset of cold items, for ``ranks [O, V]``."""
    ndcg = ndcg_at(ranks, 10)
    best = int(ndcg.mean(axis=1).argmax())
    return _Quality(ndcg[best], 1.0 / ranks[best])


def _reduced(trial: _Trial, weights: list[HeadWeights], base: _Quality | None) -> tuple[float, _Quality]:
    """Choose how much popularity is taken back from one form's weights."""
    quarters = _quarters(trial.head.counts, trial.targets)
    qualities = trial.ranked([[_taken_back(each, reduction) for each in weights] for reduction in REDUCTIONS])
    place = chosen_reduction(qualities, base, quarters == len(_QUARTERS) - 1)
    found = REDUCTIONS[place], qualities[place]
    if base is None or not quarters_below(found[1], base, quarters):
        return found
    wider = trial.ranked([[_taken_back(each, reduction) for each in weights] for reduction in WIDER_REDUCTIONS])
    tried = [*zip(REDUCTIONS, qualities, strict=True), *zip(WIDER_REDUCTIONS, wider, strict=True)]
    least = base.ndcg.mean() + _KEPT_GAIN * (found[1].ndcg.mean() - base.ndcg.mean())
    for reduction, quality in tried[place + 1 :]:
        mends = _better(quality, base) and not quarters_below(quality, base, quarters)
        if mends and quality.ndcg.mean() >= least:
            return reduction, quality
    return found


def quarters_below(quality: _Quality, base: _Quality, quarters: IntArray) -> list[int]:
    """Return the quarters whose targets are surely ranked lower than by the base model, by the 95 % interval of MRR.

    Parameters
    ----------
    quality, base : _Quality
        Of the head and of the base model.
    quarters : IntArray
        Quarter of each case's target, ``[V]``; -1 for items without training interactions, which are not compared.
    """
    gain = quality.reciprocal - base.reciprocal
    parts = [(number, gain[quarters == number]) for number in range(len(_QUARTERS))]
    return [number for number, own in parts if len(own) > 1 and own.mean() + 1.96 * _standard_error(own) < 0]


def chosen_reduction(qualities: Sequence[_Quality], base: _Quality | None, popular: npt.NDArray[np.bool_]) -> int:
    """Return the position of the largest lambda that costs little for sure and none of the most popular items' rank.

    Parameters
    ----------
    qualities : sequence of _Quality
        For each of `REDUCTIONS`.
    base : _Quality or None
        The base model's.
    popular : ndarray of bool
        Cases whose target is of the most popular quarter, ``[V]``.
    """
    still, chosen = qualities[0], 0
    for place, quality in enumerate(qualities):
        allowed = all(
            (new - old).mean() - _standard_error(new - old) >= -_LOSS * old.mean()
            for new, old in ((quality.ndcg, still.ndcg), (quality.reciprocal, still.reciprocal))
        )
        if allowed and base is not None:
            allowed = _better(quality, base)
            allowed &= not popular.any() or quality.reciprocal[popular].mean() >= base.reciprocal[popular].mean()
        if allowed:
            chosen = place
    return chosen


def _better(quality: _Quality, base: _Quality) -> bool:
    """Tell whether NDCG@10 is above the base model's, and MRR not below it."""
    return bool(quality.ndcg.mean() > base.ndcg.mean() and quality.reciprocal.mean() >= base.reciprocal.mean())


def _standard_error(values: Doubles) -> float:
    """Return the standard error of a mean."""
    return float(values.std() / np.sqrt(len(values)))


def _quarters(counts: Doubles, items: IntArray) -> IntArray:
    """Return the quarter of the catalogue, 0 the rarest, of each item; -1 for one without training interactions."""
    known = counts[counts > 0]
    edges = np.quantile(known, [0.25, 0.5, 0.75]) if len(known) else np.zeros(3)
    quarters: IntArray = np.searchsorted(edges, counts[items], side="left").astype(np.int64)
    return np.where(counts[items] > 0, quarters, -1)


def _base_alone(head: HeadModel) -> HeadWeights:
    """Return the weights of the base model alone."""
    none = np.zeros(head.n_attributes)
    models = np.array([name == "base" for name in head.models], dtype=np.float64)
    return HeadWeights(models, np.zeros(head.popularity.shape[1]), none, none)


def _taken_back(weights: HeadWeights, reduction: float) -> HeadWeights:
    """Take some of the weight of popularity, that of all times, away."""
    popularity = weights.popularity.copy()
    popularity[0] -= reduction
    return replace(weights, popularity=popularity)


def _notices(
    trial: _Trial,
    form: Form,
    options: list[tuple[Form, list[HeadWeights], _Quality]],
    quality: _Quality,
    base: _Quality | None,
) -> tuple[Notice, ...]:
    """Say what was left out, and which items the head ranks lower than the base model for the others' sake."""
    notices = []
    if trial.head.n_attributes and not form.attributes:
        with_them = next(each for had, _, each in options if had.attributes)
        message = (
            f"the head has no weights for attributes: NDCG@10 on validation users it was not fitted on is "
            f"{quality.ndcg.mean():.4f} without them and {with_them.ndcg.mean():.4f} with them"
        )
        notices.append(Notice("head_without_attributes", trial.head.n_attributes, message))
    if base is not None:
        quarters = _quarters(trial.head.counts, trial.targets)
        for number in quarters_below(quality, base, quarters):
            own = quarters == number
            message = (
                f"items of the {_QUARTERS[number]} by popularity are ranked lower than by the base model: MRR "
                f"{quality.reciprocal[own].mean():.4f} instead of {base.reciprocal[own].mean():.4f} on validation; "
                f"over all items it is {quality.reciprocal.mean():.4f} instead of {base.reciprocal.mean():.4f}"
            )
            notices.append(Notice("head_costs_quarter", int(own.sum()), message))
    return tuple(notices)


def _fallen_back(base: _Quality, heads: list[_Quality]) -> HeadChoice:
    """Return the choice of the base model alone."""
    found, best = float(base.ndcg.mean()), max(float(quality.ndcg.mean()) for quality in heads)
    message = (
        f"the refined model is the base model as it is: nothing added to it improved NDCG@10 without a loss of MRR on "
        f"validation users it was not fitted on (NDCG@10 of the base model {found:.4f}, of the best head {best:.4f})"
    )
    return HeadChoice(None, 0.0, found, found, (Notice("head_fell_back", len(base.ndcg), message),))
