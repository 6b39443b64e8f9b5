"""The meaning alarm: does a guided dimension still mean its label after training?

An explanation names attributes. It is worthless if a column of scores was mixed up on its way into the model, or if
training turned a dimension into something else. So each attribute is compared with a reference: scores of items on the
same attributes from another source, judged again or as they were recorded. Each is tested in three ways:

- its *column*: do the model's item values agree with the reference scores of this attribute, and no better with those
  of another, upside down or not?
- its *users*: do the model's user values agree in the same way with the mean scores of these users' items?
- its *response*: does a pull towards more of it bring items with higher scores?

A person may judge twenty items again, but hardly the whole catalogue. The first test needs no more. The others need
scores of most items; where the reference has fewer, they use the stored scores, which still shows what training made of
them.

Each test gives the evidence that the label holds, in standard errors above a threshold. Below it an alarm is raised.
Thresholds follow from theory; none is tuned. Agreement, and response, must exceed chance: a dimension without meaning
passes a test in fewer than 5 % of models, all attributes counted (Fisher's z, Bonferroni). Another label must not fit
clearly better: if it only fits as well, an alarm is raised in fewer than 5 % of models, all pairs counted (Meng,
Rosenthal and Rubin, Psychological Bulletin 1992, on correlations that have a variable in common).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.steering.steer import pull_unit
from guidedrec_core.ranking.ranks import block_size, mask_seen, top_k
from guidedrec_core.refinement.refined import RefinedModel

FloatArray = npt.NDArray[np.float64]

COLUMN, USERS, RESPONSE = "column", "users", "response"
"""The three tests."""

FEWEST = 10
"""Reference scores that an attribute needs: with fewer, agreement cannot be distinguished from chance."""

_LEVEL = 0.05
_COVERED = 0.5  # share of the catalogue that must have reference scores for users and lists to be judged by them
_CERTAIN = 1 - 1e-6  # a correlation of 1 has no Fisher's z


@dataclass(frozen=True)
class Agreement:
    """Correlations of columns with reference columns.

    Attributes
    ----------
    values : FloatArray
        ``[A, A]``: row a's column with reference column b; 0 where one does not vary.
    counts : IntArray
        ``[A]``: how many rows each reference column was compared on.
    among : FloatArray
        ``[A, A]``: correlations of reference columns with each other, over the rows where both are known.
    """

    values: FloatArray
    counts: IntArray
    among: FloatArray


def meaning(
    model: RefinedModel,
    users: IntArray,
    histories: list[IntArray],
    reference: npt.NDArray[np.floating],
    stored: npt.NDArray[np.floating],
    names: tuple[str, ...],
    k: int = 10,
) -> pd.DataFrame:
    """Test whether each attribute still means its label.

    Parameters
    ----------
    model : RefinedModel
        In any mode.
    users, histories
        Users to test with: ``[B]`` indexes, and the history that the model is shown of each.
    reference : ndarray
        Scores of items, floats ``[n_items, A]`` on any scale; NaN = not judged. The columns' labels must be right.
    stored : ndarray
        The scores the model was made from, likewise; may be the same.
    names : tuple of str
        Attributes, in the order of both.
    k : int
        Length of the lists whose response is measured.

    Returns
    -------
    pandas.DataFrame
        One row per attribute, ``attribute``, and the result of each test:

        - ``column_agreement`` with its own reference; ``column_rival`` and ``column_rival_agreement``, the other
          attribute that it agrees with most, signed; ``column_count``, reference scores compared;
        - ``users_agreement``, ``users_rival``, ``users_rival_agreement`` and ``users_count``, the same of user values;
        - ``response``: by how many standard deviations of its scores a list pulled one step up exceeds one pulled
          one step down; ``response_moves`` and ``cross_talk``, the other attribute that this moves most, and how far;

        the learned ``weight``; ``column_evidence``, ``users_evidence``, ``response_evidence`` and their minimum
        ``evidence`` (standard errors above the threshold; NaN = not tested, fewer than `FEWEST` scores); and ``alarm``:
        evidence below 0.
    """
    judged = _standardised(reference)
    whole = np.where((~np.isnan(judged)).mean(axis=0) >= _COVERED, judged, _standardised(stored))
    bar = float(stats.norm.isf(_LEVEL / max(len(names), 1)))
    observed, profiles, moved = _answers(model, users, histories, whole, k)
    agreements = {
        COLUMN: agreement(model.item_values().astype(np.float64), judged),
        USERS: agreement(profiles, observed),
    }
    response, pulled = _response(moved)
    weights = model.weights()
    rows = []
    for a, name in enumerate(names):
        row: dict[str, object] = {"attribute": name, "weight": float(weights[a])}
        evidence = [pulled[a] - bar]
        for question, found in agreements.items():
            own, rival, other, above = _compared(found, a, bar)
            evidence.append(above)
            row |= {
                f"{question}_agreement": own,
                f"{question}_rival": "" if rival is None else names[rival],
                f"{question}_rival_agreement": other,
                f"{question}_count": int(found.counts[a]),
                f"{question}_evidence": above,
            }
        moves = _largest(response[a], a)
        row |= {
            "response": response[a, a],
            "response_moves": "" if moves is None else names[moves],
            "cross_talk": np.nan if moves is None else response[a, moves],
            "response_evidence": evidence[0],
        }
        least = float(np.min([value for value in evidence if not np.isnan(value)], initial=np.inf))
        rows.append({**row, "evidence": least if np.isfinite(least) else np.nan, "alarm": least < 0})
    return pd.DataFrame(rows)


def agreement(columns: FloatArray, reference: FloatArray) -> Agreement:
    """Correlate each column with each reference column, over the rows where the reference is known.

    Parameters
    ----------
    columns : FloatArray
        ``[n, A]``.
    reference : FloatArray
        ``[n, A]``, NaN = unknown.
    """
    A = columns.shape[1]
    values, among, counts = np.zeros((A, A)), np.zeros((A, A)), np.zeros(A, dtype=np.int64)
    for b in range(A):
        known = ~np.isnan(reference[:, b])
        counts[b] = int(known.sum())
        values[:, b] = _correlations(columns[known], reference[known, b])
        for a in range(b):
            both = known & ~np.isnan(reference[:, a])
            among[a, b] = among[b, a] = _correlations(reference[both, a : a + 1], reference[both, b])[0]
    return Agreement(values, counts, among)


def _correlations(columns: FloatArray, other: FloatArray) -> FloatArray:
    """Correlate columns ``[n, A]`` with another ``[n]``; 0 where one does not vary."""
    if len(other) < 2:
        return np.zeros(columns.shape[1])
    x, y = columns - columns.mean(axis=0), other - other.mean()
    spread = np.sqrt((x**2).sum(axis=0) * (y**2).sum())
    varies = spread > 1e-12
    found: FloatArray = np.where(varies, x.T @ y / np.where(varies, spread, 1.0), 0.0)
    return found


def _compared(found: Agreement, a: int, bar: float) -> tuple[float, int | None, float, float]:
    """Compare an attribute's own agreement with chance and with its agreement with every other attribute.

    Returns
    -------
    tuple of (float, int or None, float, float)
        Own agreement, the strongest rival, agreement with it, and the evidence: standard errors above a threshold,
        the least of all comparisons. NaN where too few could be compared.
    """
    if found.counts[a] < FEWEST:
        return np.nan, None, np.nan, np.nan
    A = len(found.values)
    row = np.where(found.counts >= FEWEST, found.values[a], np.nan)
    rival = _largest(row, a)
    evidence = [np.sqrt(found.counts[a] - 3) * _fisher(row[a]) - bar]
    clearly = float(stats.norm.isf(_LEVEL / max(A * (A - 1), 1)))
    for b in range(A):
        if b != a and not np.isnan(row[b]):
            sign = -1.0 if row[b] < 0 else 1.0
            count = min(found.counts[a], found.counts[b])
            evidence.append(_lead(row[a], sign * row[b], sign * found.among[a, b], count) + clearly)
    return float(row[a]), rival, np.nan if rival is None else float(row[rival]), float(min(evidence))


def _lead(first: float, second: float, between: float, count: int) -> float:
    """Return by how many standard errors the first of two correlations with one variable is larger than the second.

    Parameters
    ----------
    first, second : float
        The two correlations.
    between : float
        That of the other two variables with each other.
    count : int
        Rows. See Meng, Rosenthal and Rubin (1992), equations 1 to 3.
    """
    square = min((first**2 + second**2) / 2, _CERTAIN)
    f = min((1 - between) / (2 * (1 - square)), 1.0)
    h = (1 - f * square) / (1 - square)
    error = np.sqrt(2 * max(1 - between, 1 - _CERTAIN) * h / (count - 3))
    return float((_fisher(first) - _fisher(second)) / error)


def _fisher(correlation: float) -> float:
    """Return Fisher's z; that of a correlation of 1 is a large number."""
    return float(np.arctanh(np.clip(correlation, -_CERTAIN, _CERTAIN)))


def _standardised(reference: npt.NDArray[np.floating]) -> FloatArray:
    """Return reference scores as z-scores over the judged items; a column that does not vary counts as not judged."""
    known = ~np.isnan(reference)
    values = np.where(known, reference, 0.0).astype(np.float64)
    count = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, values - values.sum(axis=0) / count, np.nan)
    spread = np.sqrt(np.nansum(centred**2, axis=0) / count)
    standardised: FloatArray = np.where(spread > 0, centred / np.where(spread > 0, spread, 1.0), np.nan)
    return standardised


def _answers(
    model: RefinedModel, users: IntArray, histories: list[IntArray], scores: FloatArray, k: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Evaluate the model for some users.

    Returns
    -------
    tuple of FloatArray
        Mean scores of each history ``[B, A]``, the model's user values ``[B, A]`` (learned ones where it has
        them, as training may have changed their meaning), and for each pulled attribute the mean scores of a list
        pulled up less those of one pulled down, ``[A, B, A]``; NaN = unknown.
    """
    B, A = len(users), scores.shape[1]
    guided, unit = model.item_values(), np.float32(pull_unit(model))
    observed, profiles, moved = np.empty((B, A)), np.empty((B, A)), np.empty((A, B, A))
    size = block_size(model.n_items)
    for first in range(0, B, size):
        block = slice(first, first + size)
        shown = histories[block]
        parts = model.parts(users[block], shown)
        profiles[block] = parts.profile if parts.trained_values is None else parts.trained_values
        observed[block] = np.array([_mean(scores[history]) for history in shown])
        for a in range(A):
            pull = unit * guided[:, a]
            up, down = (top_k(mask_seen(parts.scores + sign * pull, shown), k) for sign in (1, -1))
            moved[a, block] = _list_means(scores, up) - _list_means(scores, down)
    return observed, profiles, moved


def _list_means(scores: FloatArray, lists: IntArray) -> FloatArray:
    """Return the mean scores of each list's items, ``[B, A]``."""
    return np.array([_mean(scores[items[items >= 0]]) for items in lists])


def _mean(rows: FloatArray) -> FloatArray:
    """Average what is known in each column; NaN where nothing is."""
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    mean: FloatArray = np.where(count > 0, np.where(known, rows, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return mean


def _response(moved: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how far pulling each attribute moves each other, ``[A, A]``, and its own move in standard errors, ``[A]``.

    Where lists never change, the move is 0 standard errors: nothing shows that the pull works.
    """
    A = len(moved)
    means, errors = np.full((A, A), np.nan), np.full(A, np.nan)
    for a in range(A):
        means[a] = _mean(moved[a])
        own = moved[a, :, a][~np.isnan(moved[a, :, a])]
        if len(own) >= FEWEST:
            error = own.std(ddof=1) / np.sqrt(len(own))
            errors[a] = own.mean() / error if error > 0 else np.sign(own.mean()) * np.sqrt(len(own))
    return means, errors


def _largest(row: FloatArray, own: int) -> int | None:
    """Return the other attribute with the largest value by size; None where there is none."""
    size = np.nan_to_num(np.abs(row), nan=-1.0)
    size[own] = -1.0
    best = int(size.argmax())
    return best if size[best] >= 0 else None
