"""How ranking quality and gains differ between two refined recommenders, paired over the same test cases."""

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.audience.intervals import percentile_interval
from guidedrec_core.audience.population import Population
from guidedrec_core.errors import DataError
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.evaluation.metrics import case_metrics, metric_names
from guidedrec_core.randomness import generator

_MODELS = ("base", "refined")


def quality_change(
    before: Population, after: Population, k: int, samples: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare ranking quality and gains on the test cases.

    Parameters
    ----------
    before, after : Population
        The same users; their `cases` must be the same.
    k : int
        Cut-off of Recall@k and NDCG@k.
    samples, seed : int
        Resamples of users, and their seed.

    Returns
    -------
    metrics : pandas.DataFrame
        ``metric, before, before_low, before_high, after, after_low, after_high, difference, low, high``: means of the
        refined models, and after minus before, with 95 % intervals.
    gains : pandas.DataFrame
        The same columns for the relative gain of each refined model over its own base (0.1 = +10 %); NaN where that is
        undefined.

    Raises
    ------
    DataError
        The test cases differ, or there are none.
    """
    columns = [c.USER, c.ITEM]
    old, new = (each.cases.sort_values(columns, kind="stable", ignore_index=True) for each in (before, after))
    if not len(new):
        raise DataError("expected at least one test case, got none; users need 3 interactions with different items")
    if not old[columns].equals(new[columns]):
        raise DataError("expected the same test cases in both runs, got others; evaluate both runs again")
    names = metric_names((k,))
    values = [
        case_metrics(cases[f"rank_{model}"].to_numpy(dtype=np.int64), (k,)) for cases in (old, new) for model in _MODELS
    ]
    users = after.data.dataset.users.indexes(new[c.USER])
    bootstrap = UserBootstrap(np.concatenate(values, axis=1), users, samples, generator(seed, "comparison"))
    width = len(names)
    metrics, gains = [], []
    for number, name in enumerate(names):
        was, now = width + number, 3 * width + number  # columns: old base, old refined, new base, new refined
        means = [bootstrap.mean(column) for column in (was, now)]
        difference = bootstrap.difference(now, was)
        metrics.append((name, *(v for one in (*means, difference) for v in (one.value, one.low, one.high))))
        gains.append((name, *_gains(bootstrap, (number, was), (2 * width + number, now))))
    ends = ("", "_low", "_high")
    header = [
        "metric", *(f"before{e}" for e in ends), *(f"after{e}" for e in ends), "difference", "low", "high",
    ]  # fmt: skip
    return pd.DataFrame(metrics, columns=header), pd.DataFrame(gains, columns=header)


def _gains(bootstrap: UserBootstrap, old: tuple[int, int], new: tuple[int, int]) -> list[float]:
    """Return both relative gains and their difference with intervals; NaN where a gain is undefined."""
    found = [bootstrap.relative(refined, base) for base, refined in (old, new)]
    row = [v for one in found for v in ((np.nan,) * 3 if one is None else (one.value, one.low, one.high))]
    if found[0] is None or found[1] is None:
        return [*row, np.nan, np.nan, np.nan]
    drawn = bootstrap.resampled
    shares = [drawn[:, refined] / drawn[:, base] for base, refined in (old, new)]
    return [*row, found[1].value - found[0].value, *percentile_interval(shares[1] - shares[0])]
