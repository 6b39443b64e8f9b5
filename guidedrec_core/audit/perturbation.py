"""Counterfactual metrics of explanations by past items, as LXR defines them.

O. Barkan, V. Bogina, L. Gurevitch, Y. Asher and N. Koenigstein, "A Counterfactual Framework for Learning and Evaluating
Explanations for Recommender Systems", WWW 2024; definitions from the authors' code, github.com/DeltaLabTLV/LXR,
`code/metrics.ipynb` (`single_user_metrics`, `eval_one_expl_type`) and `code/help_functions.ipynb` (`get_ndcg`).

An explanation gives every past item a number. In ten steps of a tenth of the history each (`numpy.array_split`: with
fewer than ten items, one item a step until none is left), items are removed and the model is asked again, before the
first step and after each, 11 times; every metric is the mean over these:

- ``POS@k``: the items with the largest numbers are removed first; 1 while the recommended item is among the first k of
  the list. Lower is better.
- ``NEG@k``: those with the smallest are removed first. Higher is better.
- ``CNDCG``: ``1 / log2(rank + 1)`` while the largest are removed. Lower is better.
- ``DEL``: the recommended item's probability while the largest are removed. Lower is better.
- ``INS``: its probability when the model is shown nothing but the largest. Higher is better.

Two things had to be settled for sequences. The code zeroes entries of a user's vector of items; here positions of a
history are removed, and the rest keeps its order, moves together and is padded on the left as every history is. Its
recommenders end in a sigmoid or a softmax; the probability here is the softmax of scores over unseen items. As in the
code, candidates are the items that the whole history does not hold.

Shapes: n positions, S = 11 times asked.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError
from guidedrec_core.explanation.past_items.standing import Standing
from guidedrec_core.explanation.question import Question
from guidedrec_core.models.base import ItemScorer

FloatArray = npt.NDArray[np.float64]

STEPS = 10
"""Tenths of a history that are removed one after the other."""
CUTOFFS = (1, 5, 10, 20, 50, 100)
"""Lengths of lists, k."""
HIGHER, LOWER = "higher", "lower"
BETTER: dict[str, str] = {
    "DEL": LOWER,
    "INS": HIGHER,
    "CNDCG": LOWER,
    **{f"POS@{k}": LOWER for k in CUTOFFS},
    **{f"NEG@{k}": HIGHER for k in CUTOFFS},
}
"""All metrics, and which end of each is the better one."""


def removed_counts(n: int, steps: int = STEPS) -> IntArray:
    """Return how many of n items are gone before the first step and after each, ``[steps + 1]``.

    Examples
    --------
    >>> removed_counts(12).tolist()
    [0, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    >>> removed_counts(3).tolist()
    [0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3]
    """
    sizes = [0, *(len(part) for part in np.array_split(np.arange(n), steps))]
    return np.cumsum(sizes).astype(np.int64)


def importance_order(values: FloatArray) -> IntArray:
    """Return positions by what an explanation gives them, largest first, ``[n]``; among equals, the newest first."""
    order: IntArray = np.lexsort((-np.arange(len(values)), -values))
    return order


def perturbation_metrics(standing: Standing, values: FloatArray) -> dict[str, float]:
    """Measure one explanation.

    Parameters
    ----------
    standing : Standing
        Of the model and question explained.
    values : FloatArray
        How much each position of the history speaks for the item, ``[n]``; only their order counts.

    Returns
    -------
    dict of str to float
        Each metric of `BETTER`.

    Raises
    ------
    InputError
        There is not one finite number for each position, or the history is empty.
    """
    n = standing.n_positions
    if values.shape != (n,) or not n or not np.isfinite(values).all():
        raise InputError(
            f"expected a finite number for each of the {n} positions of a history that is not empty, "
            f"got values of shape {values.shape}; explain each position, with 0 where nothing is known"
        )
    place = np.argsort(importance_order(values))  # [n]
    counts = removed_counts(n)[:, None]
    largest, smallest = place < counts, place >= n - counts  # [S, n]
    S = len(counts)
    places = standing(np.concatenate([~largest, ~smallest, largest]))
    positive, negative, inserted = (places.take(slice(S * part, S * (part + 1))) for part in range(3))
    found = {
        "DEL": positive.probabilities.mean(),
        "INS": inserted.probabilities.mean(),
        "CNDCG": (1.0 / np.log2(positive.ranks + 1.0)).mean(),
        **{f"POS@{k}": (positive.ranks <= k).mean() for k in CUTOFFS},
        **{f"NEG@{k}": (negative.ranks <= k).mean() for k in CUTOFFS},
    }
    return {name: float(value) for name, value in found.items()}


def perturbation_table(model: ItemScorer, questions: list[Question], values: list[FloatArray]) -> pd.DataFrame:
    """Measure explanations of several questions; a row for each, a column for each metric of `BETTER`."""
    rows = [
        perturbation_metrics(Standing(model, question), each) for question, each in zip(questions, values, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(BETTER))
