"""A base model of vectors that the user brings: the recommender a team already runs, or vectors of its items' texts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from guidedrec_core.config import ExternalConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import DataError
from guidedrec_core.models.base import FloatArray, IntArray
from guidedrec_core.models.history import history_matrix
from guidedrec_core.vectors.pca import pca
from guidedrec_core.vectors.table import Vectors

Similarity = Literal["dot", "cosine"]

DECAYS = (0.5, 0.7, 0.85, 1.0)
"""Decays among which validation chooses."""

_FUSED_WIDTH = 64


class ExternalModel:
    """Scores are products of user and item vectors; a user without a vector is represented by the history.

    Its vector is the mean of the history's item vectors, an interaction weighing `decay` times the next one; zeros for
    an empty history.

    Parameters
    ----------
    items : FloatArray
        ``[n_items, d]``.
    similarity : {"dot", "cosine"}
        With ``cosine``, item and user vectors are scaled to length 1; zeros stay zeros.
    decay : float
        In (0, 1].
    users : FloatArray, optional
        ``[n_users, d]``, in the space of `items`.
    users_missing : ndarray of bool, optional
        ``[n_users]``; True where the history is used instead of the row of `users`.
    bias : FloatArray, optional
        ``[n_items]``, added to the scores; zeros when not given.

    Raises
    ------
    DataError
        User and item vectors differ in width.
    """

    def __init__(
        self,
        items: FloatArray,
        similarity: Similarity,
        decay: float,
        users: FloatArray | None = None,
        users_missing: npt.NDArray[np.bool_] | None = None,
        bias: FloatArray | None = None,
    ) -> None:
        if users is not None and users.shape[1] != items.shape[1]:
            raise DataError(
                f"expected user and item vectors of one width, got {users.shape[1]} and {items.shape[1]} columns; "
                "take both from the same model, or leave out the user vectors"
            )
        self.similarity: Similarity = similarity
        self.decay = decay
        self._items = self._scaled(items)  # [n_items, d]
        self._users = None if users is None else self._scaled(users)  # [n_users, d]
        given = 0 if users is None else len(users)
        self._users_missing = np.zeros(given, np.bool_) if users_missing is None else users_missing
        self._bias = np.zeros(len(items), np.float32) if bias is None else bias

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self._items)

    def user_vectors(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return users' own vectors, or decayed means of their histories, shape ``[B, d]``."""
        weights = history_matrix(histories, self.n_items, self.decay)
        # The last interaction weighs 1, so that only an empty history has a total below 1.
        totals = np.maximum(np.asarray(weights.sum(axis=1), dtype=np.float64), 1.0)  # [B, 1]
        vectors = self._scaled((weights @ self._items / totals).astype(np.float32))
        if self._users is not None:
            own = (users >= 0) & (users < len(self._users))
            own[own] = ~self._users_missing[users[own]]
            vectors[own] = self._users[users[own]]
        return vectors

    def item_embedding(self) -> FloatArray:
        """Return the item vectors, scaled where similarity is cosine, shape ``[n_items, d]``."""
        return self._items

    def item_bias(self) -> FloatArray:
        """Return the bias added to each item's scores, shape ``[n_items]``."""
        return self._bias

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for a batch of users, shape ``[B, n_items]``; see `ItemScorer`."""
        scores: FloatArray = self.user_vectors(users, histories) @ self._items.T + self._bias
        return scores

    def with_decay(self, decay: float) -> "ExternalModel":
        """Return the same model with another decay; the vectors are shared."""
        return ExternalModel.from_arrays(self.arrays(), self.similarity, decay)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the model's arrays, ready to store; similarity and decay are not among them."""
        arrays: dict[str, np.ndarray] = {"items": self._items, "bias": self._bias}
        if self._users is not None:
            arrays |= {"users": self._users, "users_missing": self._users_missing}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], similarity: Similarity, decay: float) -> Self:
        """Create a model from what `arrays` returned, with the same scores."""
        model = cls(arrays["items"], "dot", decay, arrays.get("users"), arrays.get("users_missing"), arrays["bias"])
        # These vectors are scaled already; scaling them again could change their last bits.
        model.similarity = similarity
        return model

    def _scaled(self, vectors: FloatArray) -> FloatArray:
        """Return vectors of length 1 for cosine, else as they are."""
        if self.similarity == "dot":
            return vectors
        # Divided by the largest entry first, because squares of very small or large entries leave the range of floats.
        largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
        shrunk = vectors / np.where(largest > 0, largest, 1).astype(np.float64)
        lengths = np.linalg.norm(shrunk, axis=1, keepdims=True)
        return np.asarray(shrunk / np.where(lengths > 0, lengths, 1), dtype=np.float32)


@dataclass(frozen=True)
class DecayChoice:
    """The decay chosen on the validation part.

    Attributes
    ----------
    model : ExternalModel
        With the chosen decay.
    validations : tuple of (float, float)
        Each decay tried and its validation figure.
    """

    model: ExternalModel
    validations: tuple[tuple[float, float], ...]


def choose_decay(
    model: ExternalModel, validate: Callable[[ExternalModel], float], decays: tuple[float, ...] = DECAYS
) -> DecayChoice:
    """Choose the decay whose validation figure is highest; of equal ones the first.

    Parameters
    ----------
    model : ExternalModel
        Its decay is ignored.
    validate : callable
        Returns the figure, e.g. validation NDCG@10.
    decays : tuple of float
        Candidates.
    """
    models = [model.with_decay(decay) for decay in decays]
    figures = [validate(one) for one in models]
    best = max(range(len(models)), key=figures.__getitem__)
    return DecayChoice(models[best], tuple(zip(decays, figures, strict=True)))


def external_of(
    config: ExternalConfig, tables: list[Vectors], people: Vectors | None, bias: Vectors | None
) -> tuple[ExternalModel, tuple[Notice, ...]]:
    """Make an external model of vectors that are matched to the data set already.

    Parameters
    ----------
    config : ExternalConfig
        Similarity, decay and width.
    tables : list of Vectors
        Item vectors, ``[n_items, d_i]`` each; several are fused.
    people, bias : Vectors or None
        User vectors ``[n_users, d]`` and one number an item ``[n_items, 1]``.

    Returns
    -------
    tuple of (ExternalModel, tuple of Notice)
        With the requested decay, or 1 where `choose_decay` is to choose; and what did not match.

    Raises
    ------
    DataError
        The vectors do not fit together.
    """
    vectors = tables[0].values
    if len(tables) > 1 or config.width is not None:
        vectors = fuse(tables, config.width or _FUSED_WIDTH)
    model = ExternalModel(
        vectors,
        config.similarity or ("cosine" if people is None else "dot"),
        config.decay or 1.0,
        None if people is None else people.values,
        None if people is None else people.missing,
        None if bias is None else bias.values[:, 0],
    )
    read = [*tables, *(table for table in (people, bias) if table is not None)]
    return model, tuple(notice for table in read for notice in table.notices)


def fuse(tables: list[Vectors], width: int) -> FloatArray:
    """Make one table of item vectors of several: each with the same total variance, side by side, then PCA.

    One vector from several modalities, as Molar (arXiv 2412.18176) trains it; here nothing is trained.

    Parameters
    ----------
    tables : list of Vectors
        ``[n_items, d_i]`` each.
    width : int
        Components kept, at most ``min(n_items, sum of d_i)``.

    Returns
    -------
    FloatArray
        ``[n_items, width]``.

    Raises
    ------
    DataError
        More components wanted than there are.
    """
    blocks = []
    for table in tables:
        centred = table.values - table.values.mean(axis=0, dtype=np.float64)
        spread = np.sqrt(centred.var(axis=0).sum())
        blocks.append(centred / (spread if spread > 0 else 1.0))
    joined = np.concatenate(blocks, axis=1)  # [n_items, sum of d_i]
    if not 0 < width <= min(joined.shape):
        raise DataError(
            f"expected a width of 1 to {min(joined.shape)} for item vectors of {joined.shape[1]} numbers and "
            f"{joined.shape[0]:,} items, got {width}; choose a smaller one"
        )
    return pca(joined.astype(np.float32), width)
