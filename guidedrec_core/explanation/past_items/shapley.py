"""Which past item drove a score: Shapley values over the positions of a history (Shapley, 1953).

The game: the worth of some kept positions is the item's score, split into its parts, when the model sees these
positions alone, in their order, without gaps. Shapley values are linear in the worth, so that one matrix, positions by
attributes and remainder, answers both questions: its rows sum to the positions' values of the score, its columns to
what the history adds to each contribution. The bias does not depend on the history. With the names of a `NamedModel`
the columns are its lines, item-kNN, what no name covers, and an average item's score, and nothing is left over.

Exact over all coalitions of few positions. Of more, `shap.PermutationExplainer` draws orders in which positions join,
each forwards and backwards (Mitchell, Cooper, Frank and Holmes, JMLR 2022). The two passes of an order depend on each
other, so that shap's own ``error_std``, the spread over passes, is no error of the mean: each order is its own row
here, and the error is that of the mean over orders.

Shapes: n positions, R rows (positions, the oldest perhaps together), M coalitions, C columns.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.question import Question
from guidedrec_core.models.base import BaseModel
from guidedrec_core.naming.model import NamedModel
from guidedrec_core.randomness import derive_seed
from guidedrec_core.refinement.refined import RefinedModel

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Worth = Callable[[list[IntArray]], FloatArray]
"""Maps B histories to what each is worth, ``[B, C]``."""

EXACT_UP_TO = 12
"""Positions whose coalitions are all scored by default."""
EVALUATIONS = 4096
"""Coalitions scored at most, about: all of 12 positions."""
MOST = 50
"""Positions with a row of their own by default; older ones share the first row."""

_BLOCK = 1024
_FEWEST_ORDERS = 8
# shap draws from NumPy's global generator, which belongs to the whole process.
_DRAWING = threading.Lock()


@dataclass(frozen=True)
class HistoryShapley:
    """What each position of a history did for the score of one item.

    Attributes
    ----------
    positions : IntArray
        Each row's position in the history, 0 = oldest, ascending, ``[R]``.
    items : IntArray
        The item index at each position, ``[R]``.
    grouped : int
        Positions that the first row stands for, together with all before it; 1 if every position has its row.
    matrix : FloatArray
        Shapley values, ``[R, C]``, in units of the score: a column for each attribute, last the remainder; of a named
        model a column for each line, then item-kNN, what no name covers, and an average item's score.
    cell_errors : FloatArray
        Their standard errors, ``[R, C]``; 0 if exact.
    errors : FloatArray
        Standard errors of `values`, ``[R]``; 0 if exact. Sums of columns, and of all, have none.
    without : FloatArray
        The score if this row alone is dropped, ``[R]``, as the model computes it.
    alone : FloatArray
        The parts without any history, ``[C]``: with the sum of a column, the part.
    bias : float
        The rest of the score; 0 of a named model.
    exact : bool
        All coalitions were scored.
    n_evaluations : int
        Coalitions scored, each once.
    """

    positions: IntArray
    items: IntArray
    grouped: int
    matrix: FloatArray
    cell_errors: FloatArray
    errors: FloatArray
    without: FloatArray
    alone: FloatArray
    bias: float
    exact: bool
    n_evaluations: int

    @property
    def values(self) -> FloatArray:
        """Shapley values of the score, ``[R]``."""
        values: FloatArray = self.matrix.sum(axis=1)
        return values

    @property
    def each_position(self) -> FloatArray:
        """The same for every position of the history, ``[n]``: those of the first row share its value alike."""
        values = self.values
        first: FloatArray = np.repeat(values[:1] / self.grouped, self.grouped)
        return np.concatenate([first, values[1:]])

    @property
    def score(self) -> float:
        """The item's score with the whole history."""
        return float(self.matrix.sum() + self.alone.sum()) + self.bias


def history_shapley(
    model: RefinedModel,
    question: Question,
    seed: int = 0,
    evaluations: int = EVALUATIONS,
    most: int = MOST,
    exact_up_to: int = EXACT_UP_TO,
) -> HistoryShapley:
    """Share out an item's refined score over the positions of a history.

    Parameters
    ----------
    model : RefinedModel
        The refined model.
    question : Question
        About any item. Each position of the history counts by itself, repeated items too.
    seed : int
        Of the orders drawn.
    evaluations : int
        How many coalitions to score where not all are, about; at least eight orders are drawn.
    most : int
        Positions that get a row of their own, at least 1; older ones share the first row, so that time is bounded.
    exact_up_to : int
        Rows up to which all coalitions are scored, 2 to the power of their number.

    Returns
    -------
    HistoryShapley
        Its sums agree with the model's float32 score to 1e-5.
    """
    values = model.item_values()[question.item].astype(np.float64)  # [A]
    bias = float(model.parts(question.users, question.histories, question.items).bias[0])

    def worth(histories: list[IntArray]) -> FloatArray:
        parts = model.parts(np.full(len(histories), question.user), histories, question.items)
        return np.concatenate([parts.slopes * values, parts.remainder.astype(np.float64)], axis=1)

    return _share_out(worth, bias, question.history, seed, evaluations, most, exact_up_to)


def named_history_shapley(
    named: NamedModel,
    question: Question,
    seed: int = 0,
    evaluations: int = EVALUATIONS,
    most: int = MOST,
    exact_up_to: int = EXACT_UP_TO,
) -> HistoryShapley:
    """Share out an item's refined score with the names of its parts; see `history_shapley`."""
    values = named.columns.values[question.item].astype(np.float64)  # [P]

    def worth(histories: list[IntArray]) -> FloatArray:
        parts = named.parts(np.full(len(histories), question.user), histories, question.items)
        lines = named.columns.by_line(parts.slopes * values)  # [B, L]
        return np.concatenate([lines, parts.neighbours, parts.unnamed, parts.average[:, None]], axis=1)

    return _share_out(worth, 0.0, question.history, seed, evaluations, most, exact_up_to)


def base_history_shapley(
    model: BaseModel,
    question: Question,
    seed: int = 0,
    evaluations: int = EVALUATIONS,
    most: int = MOST,
    exact_up_to: int = EXACT_UP_TO,
) -> HistoryShapley:
    """Share out an item's base score: all remainder, since a base model knows no attributes; see `history_shapley`."""
    vector = model.item_embedding()[question.item].astype(np.float64)  # [d]

    def worth(histories: list[IntArray]) -> FloatArray:
        worths: FloatArray = model.user_vectors(np.full(len(histories), question.user), histories) @ vector
        return worths[:, None]

    bias = float(model.item_bias()[question.item])
    return _share_out(worth, bias, question.history, seed, evaluations, most, exact_up_to)


def warm_up() -> None:
    """Load shap and let it compile what it runs: some seconds that the first history of many items need not wait."""
    draws = _Orders(n_rows=2, n_orders=1, seed=0)
    masks = np.unique(np.concatenate(draws.coalitions()), axis=0)
    draws.values(masks, np.zeros((len(masks), 2)))


def _share_out(
    worth: Worth, bias: float, history: IntArray, seed: int, evaluations: int, most: int, exact_up_to: int
) -> HistoryShapley:
    """Play the game, exactly or by sampling."""
    n = len(history)
    n_rows = min(n, most)
    rows = np.maximum(np.arange(n) - (n - n_rows), 0)  # [n], the row of each position

    def worth_of(coalitions: BoolArray) -> FloatArray:
        return _in_blocks(worth, history, coalitions[:, rows])

    exact = n_rows <= exact_up_to
    if exact:
        masks = _all_coalitions(n_rows)
        worths = worth_of(masks)
        matrix = exact_shapley(worths)
        cell_errors, errors = np.zeros_like(matrix), np.zeros(n_rows)
    else:
        n_orders = max(_FEWEST_ORDERS, evaluations // (2 * n_rows))
        draws = _Orders(n_rows, n_orders, seed)
        masks = np.unique(np.concatenate([*draws.coalitions(), ~np.eye(n_rows, dtype=bool)]), axis=0)
        worths = worth_of(masks)
        each = draws.values(masks, worths)  # [orders, R, C]
        matrix = each.mean(axis=0)
        cell_errors, errors = _error_of_mean(each), _error_of_mean(each.sum(axis=2))
    sizes = masks.sum(axis=1)
    lacking_one = np.flatnonzero(sizes == n_rows - 1)
    which, dropped = np.nonzero(~masks[lacking_one])
    without = np.empty(n_rows)
    without[dropped] = worths[lacking_one[which]].sum(axis=1) + bias
    return HistoryShapley(
        positions=np.arange(n - n_rows, n),
        items=history[n - n_rows :],
        grouped=n - n_rows + 1,
        matrix=matrix,
        cell_errors=cell_errors,
        errors=errors,
        without=without,
        alone=worths[np.argmin(sizes)],
        bias=bias,
        exact=exact,
        n_evaluations=len(masks),
    )


def exact_shapley(worths: FloatArray) -> FloatArray:
    """Return the Shapley values of a game of R players from the worth of every coalition.

    ``phi_i = sum over S without i of |S|! (R - |S| - 1)! / R! (v(S + i) - v(S))``

    Parameters
    ----------
    worths : FloatArray
        ``[2 ** R, C]``; coalition number s holds player i where bit i of s is set.

    Returns
    -------
    FloatArray
        ``[R, C]``.

    Examples
    --------
    >>> exact_shapley(np.array([[0.0], [1.0], [2.0], [5.0]])).tolist()
    [[2.0], [3.0]]
    """
    n = len(worths).bit_length() - 1
    numbers = np.arange(len(worths))
    sizes = _all_coalitions(n).sum(axis=1)
    weights = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
    values = np.empty((n, worths.shape[1]))
    for player in range(n):
        lacking = numbers[numbers >> player & 1 == 0]
        values[player] = weights[sizes[lacking]] @ (worths[lacking | 1 << player] - worths[lacking])
    return values


def _all_coalitions(n: int) -> BoolArray:
    """Return every subset of n players, ``[2 ** n, n]``, as `exact_shapley` counts them."""
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)


def _in_blocks(worth: Worth, history: IntArray, kept: BoolArray) -> FloatArray:
    """Return what some kept positions ``[M, n]`` are worth, ``[M, C]``; alike lengths together, which saves padding."""
    order = np.argsort(kept.sum(axis=1), kind="stable")
    blocks = [order[first : first + _BLOCK] for first in range(0, len(order), _BLOCK)]
    worths = np.concatenate([worth([history[row] for row in kept[block]]) for block in blocks])
    unsorted = np.empty_like(worths)
    unsorted[order] = worths
    return unsorted


def _error_of_mean(samples: FloatArray) -> FloatArray:
    """Return the standard error of the mean over independent samples, the first axis."""
    error: FloatArray = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    return error


class _Orders:
    """Random orders of joining, drawn and averaged by `shap.PermutationExplainer`.

    It asks for an order's coalitions at a time, too few for a model to be fast, and asks for many twice. It is
    therefore run twice with one seed: first to hear which coalitions it wants, then with the worth of each at hand.
    """

    def __init__(self, n_rows: int, n_orders: int, seed: int) -> None:
        self.n_rows, self.n_orders = n_rows, n_orders
        self.seed = derive_seed(seed, "history orders") % 2**32

    def coalitions(self) -> list[BoolArray]:
        """Return the coalitions that each order visits, ``[2 R + 1, R]`` an order."""
        visited: list[BoolArray] = []

        def listen(masks: BoolArray) -> FloatArray:
            visited.append(masks)
            return np.zeros((len(masks), 1))

        self._run(listen)
        return visited

    def values(self, masks: BoolArray, worths: FloatArray) -> FloatArray:
        """Return each order's Shapley values, ``[orders, R, C]``, from what coalitions ``[M, R]`` are worth."""
        place = {row.tobytes(): number for number, row in enumerate(np.packbits(masks, axis=1))}

        def recall(requested: BoolArray) -> FloatArray:
            return worths[[place[row.tobytes()] for row in np.packbits(requested, axis=1)]]

        return self._run(recall)

    def _run(self, worth_of: Callable[[BoolArray], FloatArray]) -> FloatArray:
        """Let shap explain the same row once an order, each by that order and its reverse."""
        once: dict[str, Any] = {"max_evals": 2 * self.n_rows + 1, "batch_size": "auto", "outputs": None, "silent": True}
        row = np.zeros(self.n_rows)
        with _DRAWING:
            import shap  # takes seconds, and the first explanation compiles for some more

            state = np.random.get_state()  # noqa: NPY002 (shap seeds and uses NumPy's global generator)
            try:
                explainer = shap.PermutationExplainer(worth_of, _Masker(self.n_rows), seed=self.seed)
                # Row by row, since the explainer of many rows computes main effects that are not needed.
                explained = [
                    explainer.explain_row(row, main_effects=False, error_bounds=False, **once)
                    for _ in range(self.n_orders)
                ]
            finally:
                np.random.set_state(state)  # noqa: NPY002
        return np.stack([each["values"] for each in explained])


class _Masker:
    """Hands coalitions through to the model, as shap asks of a masker that turns its toggles into rows by itself."""

    supports_delta_masking = True

    def __init__(self, n_rows: int) -> None:
        self.shape = (1, n_rows)

    def __call__(self, toggled: IntArray, _: FloatArray) -> tuple[tuple[BoolArray], BoolArray]:
        """Return the coalitions after each toggle, and that all of them vary; the first toggle changes nothing."""
        steps = np.zeros((len(toggled), self.shape[1]), np.int64)
        steps[np.arange(1, len(toggled)), toggled[1:]] = 1
        coalitions = (steps.cumsum(axis=0) % 2).astype(bool)
        return (coalitions,), np.ones((len(toggled), 1), dtype=bool)

    def mask_shapes(self, _: FloatArray) -> list[tuple[int]]:
        """Return the shape of one explained row."""
        return [(self.shape[1],)]
