"""How the scores in use spread over the scale, and which attributes overlap."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.attributes.schema import AttributeSchema, Scale
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.reliability.agreement import commonest

_FEWEST_STEPS, _MOST_STEPS = 3, 20
_USUAL_STEPS = 10


def steps(scale: Scale) -> npt.NDArray[np.float64]:
    """Return the values at which scores are counted: the whole numbers of a scale, or ten equal steps of it.

    Examples
    --------
    >>> steps(Scale(min=1, max=5)).tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0]
    """
    width = float(scale.max - scale.min)
    whole = width.is_integer() and _FEWEST_STEPS <= width <= _MOST_STEPS
    return np.linspace(scale.min, scale.max, (int(width) if whole else _USUAL_STEPS) + 1)


def score_counts(scores: GuidedScores) -> pd.DataFrame:
    """Count the items at each step of the scale.

    Returns
    -------
    pandas.DataFrame
        In schema order ``attribute, value`` (a step), ``items, share`` (of the items that have a score); scores between
        two steps count at the nearer one, halves at the upper.
    """
    at = steps(scores.schema.scale)
    edges = np.concatenate([[-np.inf], (at[1:] + at[:-1]) / 2, [np.inf]])
    frames = []
    for name, column in zip(scores.schema.names, scores.values.T.astype(np.float64), strict=True):
        counts = np.histogram(column[~np.isnan(column)], edges)[0]
        frames.append(
            pd.DataFrame({"attribute": name, "value": at, "items": counts, "share": counts / max(counts.sum(), 1)})
        )
    return pd.concat(frames, ignore_index=True)


def score_facts(scores: GuidedScores) -> pd.DataFrame:
    """Describe the scores of each attribute in numbers.

    Returns
    -------
    pandas.DataFrame
        In schema order ``attribute, label, mean, spread`` (standard deviation), ``commonest`` (value), ``bunching``
        (its share) and ``missing`` (items). NaN where nothing is scored.
    """
    rows = []
    for attribute, column in zip(scores.schema.attributes, scores.values.T.astype(np.float64), strict=True):
        known = column[~np.isnan(column)]
        value, share = commonest(column[:, None])
        rows.append(
            {
                "attribute": attribute.name,
                "label": attribute.label,
                "mean": known.mean() if len(known) else np.nan,
                "spread": known.std() if len(known) else np.nan,
                "commonest": value,
                "bunching": share,
                "missing": len(column) - len(known),
            }
        )
    return pd.DataFrame(rows)


def alike(correlations: npt.NDArray[np.float64], schema: AttributeSchema) -> pd.DataFrame:
    """List all pairs of attributes, the most similar (or opposite) first.

    Parameters
    ----------
    correlations : ndarray
        ``[A, A]``; NaN where there is none.
    schema : AttributeSchema
        Names.

    Returns
    -------
    pandas.DataFrame
        ``first, second`` (labels) and ``correlation``; pairs without a correlation are left out.
    """
    labels = [attribute.label for attribute in schema.attributes]
    rows, columns = np.triu_indices(len(labels), k=1)
    pairs = pd.DataFrame(
        {
            "first": [labels[row] for row in rows],
            "second": [labels[column] for column in columns],
            "correlation": correlations[rows, columns],
        }
    ).dropna()
    order = np.argsort(-pairs["correlation"].abs().to_numpy(), kind="stable")
    return pairs.iloc[order].reset_index(drop=True)
