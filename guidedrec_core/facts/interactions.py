"""Facts from interactions: when people interact with an item, how often, and both together.

Only the training part is read.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.facts.fact import Fact, standardised
from guidedrec_core.facts.splines import spline_columns

SEASON, TREND, POPULARITY = "season", "trend", "popularity"
QUANTILES = (0.1, 0.5, 0.9)
"""Of an item's training times: when its interactions begin, are at their middle, and end."""

SECONDS_OF_YEAR = 365.25 * 86_400
"""`Fact.numbers` of a season are years since 1970."""


def season(data: SplitDataset, newest: SplitDataset) -> Fact | None:
    """Return when people interact with each item: splines of the quantiles of its training times.

    An item without training interactions has no season. None where all training interactions have one time.

    Parameters
    ----------
    data : SplitDataset
        Knots and scales come from its training part.
    newest : SplitDataset
        Values come from its training part: `data` itself, or `SplitDataset.refreshed`.
    """
    before, times = time_quantiles(data), time_quantiles(newest)  # [n_items, 3], microseconds
    known = ~np.isnan(times[:, 0])
    blocks = [spline_columns(now, reference=then) for now, then in zip(times.T, before.T, strict=True)]
    names = [
        f"{SEASON} {quantile:.0%} {number}"
        for quantile, block in zip(QUANTILES, blocks, strict=True)
        for number in range(1, block.shape[1] + 1)
    ]
    columns = np.concatenate(blocks, axis=1)
    if not columns.shape[1]:
        return None
    unknown_before = np.isnan(before[:, :1])
    if unknown_before.any():
        everywhere = np.ones(len(times), dtype=bool)
        mark = standardised((~known[:, None]).astype(np.float64), everywhere, (unknown_before * 1.0, everywhere))
        columns, names = np.column_stack([columns, mark]), [*names, f"{SEASON} unknown"]
    middle = times[:, QUANTILES.index(0.5)]
    return Fact(SEASON, "Season", "season", columns, tuple(names), _months(middle), middle / 1e6 / SECONDS_OF_YEAR)


def trend(data: SplitDataset, newest: SplitDataset) -> Fact | None:
    """Return when an item was popular: hat functions of its median training time, each times its popularity.

    Season and popularity as sums of their own cannot say that one item was popular in spring and another in autumn.
    None where all training interactions have one time. Parameters as for `season`.
    """
    place = QUANTILES.index(0.5)
    before, now = time_quantiles(data)[:, place], time_quantiles(newest)[:, place]
    logs, logs_now = (np.log1p(each.item_interactions.astype(np.float64))[:, None] for each in (data, newest))
    everywhere = np.ones(len(now), dtype=bool)
    old = spline_columns(before) * standardised(logs)
    if not old.shape[1]:
        return None
    new = spline_columns(now, reference=before) * standardised(logs_now, everywhere, (logs, everywhere))
    columns = standardised(new, ~np.isnan(now), (old, ~np.isnan(before)))
    verb = newest.dataset.verb()
    texts = tuple(
        f"{verb.count(count)}, {month}" if month else ""
        for count, month in zip(newest.item_interactions.tolist(), _months(now), strict=True)
    )
    names = tuple(f"{TREND} {number}" for number in range(1, columns.shape[1] + 1))
    return Fact(TREND, "Trend", "trend", columns, names, texts)


def popularity(data: SplitDataset, newest: SplitDataset, half_lives: tuple[float, ...] = ()) -> Fact:
    """Return how often people interact with each item: splines of ``log(1 + training interactions)``.

    Parameters
    ----------
    data, newest : SplitDataset
        As for `season`.
    half_lives : tuple of float
        With a temporal split, the same of interactions that count less with age, once for each half-life; see
        `SplitDataset.decayed_interactions`.
    """

    def counts(of: SplitDataset) -> list[npt.NDArray[np.float64]]:
        aged = [of.decayed_interactions(half_life) for half_life in half_lives] if of.is_temporal else []
        return [of.item_interactions.astype(np.float64), *aged]

    columns = np.concatenate(
        [
            spline_columns(np.log1p(now), reference=np.log1p(then))
            for now, then in zip(counts(newest), counts(data), strict=True)
        ],
        axis=1,
    )
    never = data.item_interactions == 0
    if never.any():
        columns = np.column_stack([columns, standardised(never[:, None].astype(np.float64))])
    verb, total = newest.dataset.verb(), newest.item_interactions
    texts = tuple(verb.count(int(number)) for number in total)
    names = tuple(f"{POPULARITY} {number}" for number in range(1, columns.shape[1] + 1))
    return Fact(POPULARITY, "Popularity", "popularity", columns, names, texts, np.log1p(total.astype(np.float64)))


def time_quantiles(data: SplitDataset) -> npt.NDArray[np.float64]:
    """Return `QUANTILES` of each item's training times, float64 ``[n_items, 3]``, in microseconds since 1970.

    NaN for an item without training interactions. A quantile is one of the times (the lower of two neighbours), so that
    sorting once is enough for any number of items.
    """
    items, times = data.train_pairs[1], data.train_times
    order = np.lexsort((times, items))
    counts = data.item_interactions
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    quantiles = np.full((len(counts), len(QUANTILES)), np.nan)
    some = counts > 0
    for column, quantile in enumerate(QUANTILES):
        place = starts[some] + np.floor(quantile * (counts[some] - 1)).astype(np.int64)
        quantiles[some, column] = times[order[place]]
    return quantiles


def _months(times: npt.NDArray[np.float64]) -> tuple[str, ...]:
    """Return the month of each time, e.g. ``"mostly around November 2013"``; empty where unknown."""
    moments = pd.to_datetime(pd.Series(np.where(np.isnan(times), 0, times)), unit="us")
    months = moments.dt.strftime("%B %Y")
    return tuple("" if np.isnan(time) else f"mostly around {month}" for time, month in zip(times, months, strict=True))
