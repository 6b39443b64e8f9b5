"""Planted truth: on the bundled shop, how close explanations come to what shoppers really want.

The shop's purchases are simulated, so it is known what each shopper weighs, and how much of a purchase's utility was
preference: the shopper's weights times what the product was designed to be. This module alone reads that truth, and
only to measure; no model and no page is shown it. Four questions, each answered by a rank correlation per shopper, so
that scales do not matter, averaged over shoppers:

- `TASTE`: the twelve values the explanation gives a shopper, compared with the twelve true weights;
- `SLOPES`: the same for what one unit of an item's value adds to the score;
- `REASONS`: the contributions to the held-out purchase's score, compared with its true preference parts (weight times
  design);
- `PREFERENCE`: the attributes' sum, compared with the true preference part, over all that the shopper bought.

The refined model is compared with what it must beat: the same numbers with their labels mixed up; the placebo, which
was given other items' scores; and the plain mean of the scores of what a shopper bought, for which nothing was learned.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from guidedrec_core import columns as c
from guidedrec_core.data.bundled import BUNDLED, sample_data
from guidedrec_core.data.dataset import Dataset, SplitDataset
from guidedrec_core.data.sequences import IntArray, Sequences
from guidedrec_core.evaluation.bootstrap import Interval, UserBootstrap
from guidedrec_core.fernway.generate import DESIGN_TRUTH, PURCHASE_PARTS, SHOPPER_WEIGHTS
from guidedrec_core.fernway.simulator import PARTS
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.refined import RefinedModel

FloatArray = npt.NDArray[np.float64]

TASTE, SLOPES, REASONS, PREFERENCE = "taste", "slopes", "reasons", "preference"
"""The questions."""

REFINED, MIXED_UP, PLACEBO, PLAIN_MEAN = "refined", "mixed_up", "placebo", "plain_mean"
"""Whose explanations are measured."""

_SHOP = BUNDLED[0]
_KEYS = (c.USER, c.ITEM, c.DATETIME)


@dataclass(frozen=True)
class Truth:
    """What is true of the shop's users and items, in the order of a data set.

    Attributes
    ----------
    weights : FloatArray
        Of each user on each attribute, ``[n_users, A]``, in logits per standard deviation of the design.
    design : FloatArray
        What each item was designed to be, ``[n_items, A]``, z-scores.
    preference : FloatArray
        The preference part of each interaction, ``[n_interactions]``, in the order of the data set's.
    """

    weights: FloatArray
    design: FloatArray
    preference: FloatArray


def truth_of(dataset: Dataset, attributes: tuple[str, ...]) -> tuple[Truth | None, str]:
    """Return the truth of a data set, recognised by its content, or None and the reason why there is none.

    Parameters
    ----------
    dataset : Dataset
        Any.
    attributes : tuple of str
        Those to be measured.
    """
    folder = sample_data() / _SHOP
    parts, frame = pd.read_parquet(folder / PURCHASE_PARTS), dataset.interactions.frame
    if len(parts) != len(frame) or not all(_as_text(parts[key]) == _as_text(frame[key]) for key in _KEYS):
        return None, "what shoppers really want is known of the bundled shop only, and these are other interactions"
    design = pd.read_csv(folder / DESIGN_TRUTH, dtype={c.ITEM: "str"}).set_index(c.ITEM)
    unknown = [name for name in attributes if name not in design.columns]
    if unknown:
        return None, f"the bundled shop was planted with other attributes; it has no {', '.join(unknown)}"
    z, names = (design - design.mean()) / design.std(ddof=0), list(attributes)
    weights = pd.read_parquet(folder / SHOPPER_WEIGHTS).set_index(c.USER)
    truth = Truth(
        weights.loc[list(dataset.users.ids), names].to_numpy(np.float64),
        z.loc[list(dataset.items.ids), names].to_numpy(np.float64),
        parts[PARTS[0]].to_numpy(np.float64),
    )
    return truth, ""


def planted_truth(
    refined: RefinedModel,
    placebo: RefinedModel | None,
    data: SplitDataset,
    users: IntArray,
    scores: npt.NDArray[np.floating],
    truth: Truth,
    samples: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Measure how close explanations come to the truth.

    Parameters
    ----------
    refined, placebo : RefinedModel
        The model under study, and the one with shuffled scores, if there is one.
    data : SplitDataset
        Histories; models see what precedes the test part.
    users : IntArray
        User indexes to measure, ``[B]``.
    scores : ndarray
        Raw guided scores of items, ``[n_items, A]``, for the plain mean; NaN = missing.
    truth : Truth
        From `truth_of`, for the same attributes.
    samples : int
        Bootstrap resamples of users.
    rng : numpy.random.Generator
        Mixes up labels and resamples.

    Returns
    -------
    pandas.DataFrame
        ``question, explanation, users, value, low, high, behind, behind_low, behind_high``: mean rank correlation with
        its 95 % interval, and by how much the refined model's is higher, in pairs.
    """
    histories = [data.shown_history(user) for user in users.tolist()]
    guided = GuidedEmbedding.of(scores.astype(np.float32)).values.astype(np.float64)
    explained = {REFINED: _Explained.by(refined, users, histories)}
    explained[MIXED_UP] = explained[REFINED].mixed_up(rng)
    if placebo is not None:
        explained[PLACEBO] = _Explained.by(placebo, users, histories)
    means = np.array([guided[history].mean(axis=0) for history in histories])
    explained[PLAIN_MEAN] = _Explained(means, means, guided)
    rows = []
    for question, measure in _MEASURES.items():
        found = np.column_stack([measure(each, data, users, truth) for each in explained.values()])
        known = ~np.isnan(found).any(axis=1)
        if not known.any():
            continue
        bootstrap = UserBootstrap(found[known], users[known], samples, rng)
        for column, name in enumerate(explained):
            mean, behind = bootstrap.mean(column), bootstrap.difference(0, column)
            rows.append([question, name, int(known.sum()), *_ends(mean), *_ends(behind)])
    names = [f"{what}{end}" for what in ("", "behind_") for end in ("value", "low", "high")]
    names[3] = "behind"
    return pd.DataFrame(rows, columns=["question", "explanation", "users", *names])


@dataclass(frozen=True)
class _Explained:
    """What explanations say: of B users ``values`` and ``slopes`` ``[B, A]``, of items ``guided`` ``[n_items, A]``."""

    values: FloatArray
    slopes: FloatArray
    guided: FloatArray

    @classmethod
    def by(cls, model: RefinedModel, users: IntArray, histories: list[IntArray]) -> "_Explained":
        """Read them from a model; one item is enough to get the values of users."""
        parts = model.parts(users, histories, np.zeros(1, np.int64))
        arrays = (parts.profile, parts.slopes, model.item_values())
        return cls(*(array.astype(np.float64) for array in arrays))

    def mixed_up(self, rng: np.random.Generator) -> "_Explained":
        """Permute the labels of every user's values, differently for each user."""
        order = rng.permuted(np.tile(np.arange(self.values.shape[1]), (len(self.values), 1)), axis=1)
        values, slopes = (np.take_along_axis(array, order, axis=1) for array in (self.values, self.slopes))
        return _Explained(values, slopes, self.guided)


def _taste(explained: _Explained, data: SplitDataset, users: IntArray, truth: Truth) -> FloatArray:
    return _rank_correlations(explained.values, truth.weights[users])


def _slopes(explained: _Explained, data: SplitDataset, users: IntArray, truth: Truth) -> FloatArray:
    return _rank_correlations(explained.slopes, truth.weights[users])


def _reasons(explained: _Explained, data: SplitDataset, users: IntArray, truth: Truth) -> FloatArray:
    """Average over a user's held-out items; NaN without any."""
    found = np.full(len(users), np.nan)
    for row, user in enumerate(users.tolist()):
        items = data.held_out(user)
        if len(items):
            said, true = explained.slopes[row] * explained.guided[items], truth.weights[user] * truth.design[items]
            found[row] = _rank_correlations(said, true).mean()
    return found


def _preference(explained: _Explained, data: SplitDataset, users: IntArray, truth: Truth) -> FloatArray:
    bought = Sequences.of(data.dataset.interactions, data.dataset.users, data.dataset.items)
    found = np.full(len(users), np.nan)
    for row, user in enumerate(users.tolist()):
        said = explained.guided[bought.history(user)] @ explained.slopes[row]
        true = truth.preference[bought.starts[user] : bought.starts[user + 1]]
        found[row] = _rank_correlations(said[None], true[None])[0]
    return found


_MEASURES: dict[str, Callable[[_Explained, SplitDataset, IntArray, Truth], FloatArray]] = {
    TASTE: _taste,
    SLOPES: _slopes,
    REASONS: _reasons,
    PREFERENCE: _preference,
}


def _rank_correlations(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return Spearman's correlation of each pair of rows, ``[n]``; 0 where one does not vary."""
    ranks = [stats.rankdata(rows, axis=1) for rows in (first, second)]
    x, y = (r - r.mean(axis=1, keepdims=True) for r in ranks)
    spread = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    found: FloatArray = (x * y).sum(axis=1) / np.where(spread > 0, spread, 1.0)
    return found


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high


def _as_text(column: pd.Series) -> list[str]:
    """Return ids, and moments as whole seconds, as text, whatever a file stores them as."""
    if not pd.api.types.is_datetime64_any_dtype(column):
        return column.astype("str").tolist()
    seconds: list[str] = column.dt.strftime("%Y-%m-%dT%H:%M:%S").tolist()
    return seconds
