"""Item-kNN: an item is scored by its similarity to the items in the history (Sarwar et al., WWW 2001).

Similarity is the cosine of the items' sets of training users. The recency-weighted form uses order in two places:
recent interactions of the history weigh more, and a user counts in the similarity of two items by how close together,
and in which order, they are in the user's history.
"""

import copy
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from guidedrec_core.config import ItemKNNConfig
from guidedrec_core.models.base import FloatArray, IntArray
from guidedrec_core.models.history import history_matrix

# A pair of interactions with a smaller weight is left out, which bounds the distances considered.
_NEGLIGIBLE = 0.01


class ItemKNNModel:
    """Cosine similarity between items' sets of training users, cut to the nearest neighbours.

    With ``n_i`` users of item i and ``steps`` the distance of two items in a user's history, the similarity of a
    candidate i to an item j of the history is ``sum over users of both, closeness ** (steps - 1), / sqrt(n_i n_j)``,
    times `backward` for users who have i before j. The score sums these with weight ``decay ** steps back``.

    Parameters
    ----------
    users, items : IntArray
        Training interactions as index pairs, shape ``[n_interactions]`` each; a user's in time order.
    n_users, n_items : int
        Sizes of the vocabularies.
    config : ItemKNNConfig
        Neighbours kept and weights; by default the plain form.
    """

    def __init__(self, users: IntArray, items: IntArray, n_users: int, n_items: int, config: ItemKNNConfig) -> None:
        self.config = config
        users, items = _first_occurrences(users, items)  # a repeated interaction counts once
        users_of = np.bincount(items, minlength=n_items).astype(np.float64)  # [n_items]
        if config.closeness == config.backward == 1:
            interactions = sparse.csr_matrix((np.ones(len(items)), (users, items)), shape=(n_users, n_items))
            shared = (interactions.T @ interactions).tocoo()  # number of users of both items
        else:
            shared = _shared_in_order(users, items, n_items, config.closeness, config.backward).tocoo()
        # One rounding at the end, so that cosines that are equal by their definition tie.
        cosines = shared.data / np.sqrt(users_of[shared.row] * users_of[shared.col])
        similarity = sparse.csr_matrix((cosines.astype(np.float32), (shared.row, shared.col)), shape=shared.shape)
        similarity.setdiag(0)
        similarity.eliminate_zeros()
        self.similarity = _keep_largest(similarity, config.neighbours)

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return int(self.similarity.shape[0])

    def with_decay(self, decay: float) -> Self:
        """Return the same similarities with another weighting of the history."""
        other = copy.copy(self)
        other.config = self.config.parse({**self.config.model_dump(), "decay": decay})
        return other

    def scores(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> FloatArray:
        """Score some items, all by default, by their summed similarity to each history, shape ``[B, n]``."""
        weights = history_matrix(histories, self.n_items, self.config.decay)
        similarity = self._by_history_item if items is None else self.similarity[items].T
        return np.asarray((weights @ similarity).todense(), dtype=np.float32)

    def shares(self, history: IntArray, item: int) -> npt.NDArray[np.float64]:
        """Return what each position of one history adds to the score of an item, ``[n]``; they sum to the score."""
        weights = np.power(self.config.decay, np.arange(len(history))[::-1], dtype=np.float64)
        similar = self.similarity[[item]].toarray()[0, history].astype(np.float64)
        shares: npt.NDArray[np.float64] = weights * similar
        return shares

    @cached_property
    def _by_history_item(self) -> sparse.csr_matrix:
        """Similarities with one row per item of the history; transposed once and not in every product."""
        return self.similarity.T.tocsr()


def _first_occurrences(users: IntArray, items: IntArray) -> tuple[IntArray, IntArray]:
    """Keep the first interaction of each user with each item, grouped by user, in time order."""
    order = np.argsort(users, kind="stable")
    pairs = np.stack([users[order], items[order]])  # [2, n]
    _, first = np.unique(pairs, axis=1, return_index=True)
    kept = pairs[:, np.sort(first)]
    return kept[0], kept[1]


def _shared_in_order(
    users: IntArray, items: IntArray, n_items: int, closeness: float, backward: float
) -> sparse.csr_matrix:
    """Count users of both items by distance and order; row: candidate, column: item of the history."""
    after = sparse.csr_matrix((n_items, n_items))
    for steps in range(1, len(items)):
        weight = closeness ** (steps - 1)
        same_user = users[:-steps] == users[steps:]
        if weight < _NEGLIGIBLE or not same_user.any():
            break
        earlier, later = items[:-steps][same_user], items[steps:][same_user]
        after += sparse.csr_matrix((np.full(len(later), weight), (later, earlier)), shape=after.shape)
    return after + backward * after.T


def _keep_largest(matrix: sparse.csr_matrix, count: int) -> sparse.csr_matrix:
    """Keep the `count` largest entries of each row; ties go to the lower column."""
    starts, columns, values = matrix.indptr, matrix.indices, matrix.data
    keep = np.zeros(len(values), dtype=bool)
    for row in range(matrix.shape[0]):
        part = slice(starts[row], starts[row + 1])
        best = np.lexsort((columns[part], -values[part]))[:count]
        keep[starts[row] + best] = True
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(starts))
    return sparse.csr_matrix((values[keep], (rows[keep], columns[keep])), shape=matrix.shape)
