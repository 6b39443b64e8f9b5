"""Where an item stands when a model is shown a part of a history: its probability and its rank among unseen items.

What is removed leaves no gap: the remaining items keep their order and move together, and a model pads the shorter
history on the left as it pads every history. Candidates are the items that the whole history does not hold, whichever
part of it is shown. Each part is scored once, however often it is asked for.

Shapes: n positions, M parts.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.question import Question
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.ranking.ranks import block_size, mask_seen, ranks_of

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """Where an item stands with each of M parts of a history.

    Attributes
    ----------
    scores : FloatArray
        Its score, ``[M]``.
    probabilities : FloatArray
        Its share of the softmax of scores over unseen items, ``[M]``, 0 to 1.
    ranks : IntArray
        Its rank among unseen items, from 1, ``[M]``.
    """

    scores: FloatArray
    probabilities: FloatArray
    ranks: IntArray

    def take(self, rows: slice) -> Self:
        """Return some of the parts."""
        return type(self)(self.scores[rows], self.probabilities[rows], self.ranks[rows])


class Standing:
    """Looks up where one question's item stands with parts of its history.

    Parameters
    ----------
    model : ItemScorer
        Base or refined model.
    question : Question
        About an item that the history does not hold. A repeated item counts at each of its positions.
    most : int, optional
        The newest positions, looked at one by one. Older ones are removed or kept together, as the first of n.

    Attributes
    ----------
    grouped : int
        Positions of the history that the first of n stands for; 1 if each is looked at alone.
    n_evaluations : int
        Parts scored so far.

    Raises
    ------
    InputError
        The history holds the item.
    """

    def __init__(self, model: ItemScorer, question: Question, most: int | None = None) -> None:
        question.require_unseen()
        self.model = model
        self.question = question
        length = len(question.history)
        n_positions = length if most is None else min(length, most)
        self.grouped = length - n_positions + 1
        self._position = np.maximum(np.arange(length) - (length - n_positions), 0)  # of each item of the history
        self._row: dict[bytes, int] = {}
        self._known = np.empty((0, 3))

    @property
    def n_positions(self) -> int:
        """Positions that are removed or kept, n."""
        return len(self.question.history) - self.grouped + 1

    @property
    def n_evaluations(self) -> int:
        """Parts scored so far."""
        return len(self._row)

    def __call__(self, kept: BoolArray) -> Places:
        """Return where the item stands when the model is shown the kept positions ``[M, n]``."""
        keys = [row.tobytes() for row in np.packbits(kept, axis=1)]
        new = {key: row for row, key in enumerate(keys) if key not in self._row}
        if new:
            found = self._scored(kept[list(new.values())])
            self._row |= {key: len(self._known) + number for number, key in enumerate(new)}
            self._known = np.concatenate([self._known, found])
        scores, probabilities, ranks = self._known[[self._row[key] for key in keys]].T
        return Places(scores, probabilities, ranks.astype(np.int64))

    def _scored(self, kept: BoolArray) -> FloatArray:
        """Return score, probability and rank with each part, ``[M, 3]``."""
        question = self.question
        found = np.empty((len(kept), 3))
        by_length = np.argsort(kept.sum(axis=1), kind="stable")  # blocks of similar length need little padding
        size = block_size(self.model.n_items)
        for first in range(0, len(kept), size):
            part = by_length[first : first + size]
            shown = [question.history[row] for row in kept[part][:, self._position]]
            scores = self.model.scores(np.full(len(part), question.user), shown)
            scores = mask_seen(scores, [question.history] * len(part))
            own = scores[:, question.item].astype(np.float64)
            highest = scores.max(axis=1)
            total = np.exp(scores - highest[:, None]).sum(axis=1, dtype=np.float64)
            ranks = ranks_of(scores, np.full(len(part), question.item))
            found[part] = np.stack([own, np.exp(own - highest) / total, ranks], axis=1)
        return found
