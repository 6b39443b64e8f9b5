"""Do people see in an item what its scores say?

Judgements by people are compared with guided scores, attribute by attribute, by Spearman's rank correlation over the
judged items. A correlation alone says little, so four others stand next to it: what two people reach who answer the
same question about the same item; what categories (genres) reach in place of scores; what shuffled scores reach; and
what every other column of scores reaches, for the column with the right name has to be best.

One attribute may stand for several questions (tags of a survey). Their answers are made comparable before they are
averaged: means over raters are standardised within each question, over the items it was asked of. So an item counts as
funny if it was called funnier than others that were judged by the same word, whatever words it was judged by.

Shapes: N judged items, n of them by one attribute; A attributes; R resamples; C columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.columns import ITEM
from guidedrec_core.data.judgements.table import ATTRIBUTE, QUESTION, RATER, VALUE, check_judgements
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError
from guidedrec_core.randomness import generator

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int16]
"""How often each item is in each resample, ``[R, N]``; small numbers, as there may be many items."""

STRONG, FAIR, WEAK, TOO_FEW = "strong", "fair", "weak", "too few"
"""Verdicts; see `human_agreement`."""

FEWEST = 20
"""Judged items an attribute needs for a verdict."""
FEWEST_PAIRS = 30
"""Pairs of people an attribute needs for their agreement to count."""

_FEWEST_OF_A_QUESTION = 5  # a mean and a spread over fewer items say nothing
_SHUFFLES = 1_000
_HALVES = 20
_THIRDS = 4
_RIDGE = 1.0
_CELLS_AT_ONCE = 2_000_000
_LARGE = 0.5  # a large correlation, by Cohen's convention


@dataclass(frozen=True)
class HumanAudit:
    """Guided scores next to what people say.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each judged attribute, in schema order; see `human_agreement`.
    summary : dict
        ``attributes`` (with a verdict) and ``columns``; ``best_of_columns`` (how many named columns agree better with
        their attribute than any other column) and ``mean_spearman``; ``people_pairs`` (agreement of two people, all
        attributes together) and ``one_person`` (that of scores and one person, over the same ``people_pair_count``
        pairs); each of the four with ``_low`` and ``_high``. ``ceiling``, what scores could reach on average if they
        knew what everybody thinks (square root of the Spearman-Brown reliability of as many answers as an item has;
        approximate). ``mean_category``, ``mean_categories``, ``mean_shuffled``. ``strong``, ``fair``, ``weak`` and
        ``too_few`` (names). ``items``, ``judgements`` and ``raters`` (0 = not named) that were used, and
        ``not_in_data``, judged items that the data set has not or that have no score.
    """

    table: pd.DataFrame
    summary: dict[str, Any]


def human_agreement(
    judgements: pd.DataFrame,
    scores: GuidedScores,
    items: Vocabulary,
    categories: Sequence[str] | None = None,
    seed: int = 0,
    samples: int = 1_000,
) -> HumanAudit:
    """Compare guided scores with judgements by people.

    Parameters
    ----------
    judgements : pandas.DataFrame
        ``item_id``, ``attribute`` (a name of the schema), ``value`` (any scale; larger is more), and optionally
        ``rater`` and ``question``. Answers of one rater to one question about one item are averaged.
    scores : GuidedScores
        ``[n_items, A]``.
    items : Vocabulary
        Item ids in the order of the scores.
    categories : sequence of str, optional
        Each item's category, several joined by ``|``; without them nothing is compared with categories.
    seed : int
        Of resamples, divisions and shuffles.
    samples : int
        R, resamples of items for the 95 % intervals.

    Returns
    -------
    HumanAudit
        Its table has the columns

        - ``attribute``, ``n_items``, ``n_judgements``, ``n_raters`` (0 = not named);
        - ``spearman`` with ``ci_low`` and ``ci_high`` (bootstrap over items);
        - ``people``, agreement of two people on the same item and question, over ``n_pairs`` pairs, and ``one_person``,
          that of the scores with one person, over the same pairs; both with ``_low`` and ``_high``, and NaN below
          `FEWEST_PAIRS`;
        - ``best_category``, the category chosen most often, and ``category``, the correlation of the category that is
          best on half of the items, measured on the other half; ``categories``, that of a ridge regression on all
          categories, fitted on two thirds of the items and measured on the last; both averaged over random divisions;
          ``lead``, by how much that of the scores on the same thirds is larger, with ``lead_low`` and ``lead_high``;
        - ``shuffled`` and ``shuffled_high``, mean and 95th percentile of the size of the correlation of scores
          randomly reassigned to the same items;
        - ``rank``, 1 where no other column of scores agrees better with the attribute, upside down or not;
          ``best_other`` and ``best_other_spearman``, the other column that agrees best;
        - ``verdict``. ``too few``: fewer than `FEWEST` items. ``weak``: the interval reaches down to what shuffled
          scores give, another column agrees better, or categories do as well. ``strong``: none of these, an interval
          above 0.5, and one for the lead over categories above 0. ``fair``: the rest.

    Raises
    ------
    DataError
        Columns are missing, an attribute is not in the schema, or no judged item has scores.
    """
    judgements = check_judgements(judgements)
    answers, left_out = _answers(judgements, scores, items)
    used = np.unique(answers["row"].to_numpy())  # [N]
    weights = _resamples(len(used), samples, generator(seed, "human", "bootstrap"))
    dummies = None if categories is None else _dummies([categories[row] for row in used])
    rows: list[dict[str, Any]] = []
    replicates, pairs = [], []
    for name in (each for each in scores.schema.names if (judgements[ATTRIBUTE] == each).any()):
        of_name = answers[answers[ATTRIBUTE] == name]
        if of_name.empty:  # judged, but never in a way that could be compared
            rows.append({"attribute": name, "n_items": 0, "n_judgements": 0, "n_raters": 0, "verdict": TOO_FEW})
            continue
        row, of_resamples, of_pairs = _attribute(name, of_name, used, weights, dummies, scores, seed)
        rows.append(row)
        pairs.append(of_pairs)
        if row["verdict"] != TOO_FEW:
            replicates.append(of_resamples)
    table = pd.DataFrame(rows)
    of_all = pd.concat(pairs)
    pair_weights = weights[:, np.searchsorted(used, of_all["row"].to_numpy(dtype=np.int64))]
    summary = _summary(table, replicates, len(scores.schema)) | _people_in_all(table, of_all, pair_weights)
    raters = answers[RATER].nunique() if RATER in answers else 0
    summary |= {"items": len(used), "judgements": len(answers), "raters": raters, "not_in_data": left_out}
    return HumanAudit(table, summary)


def rank_correlations(columns: FloatArray, values: FloatArray, weights: Counts | None = None) -> FloatArray:
    """Correlate columns with values by rank, in each of several resamples of the rows.

    Parameters
    ----------
    columns : FloatArray
        ``[n, C]``.
    values : FloatArray
        ``[n]``.
    weights : ndarray, optional
        int16 ``[R, n]``: how often each row stands in each resample; by default once, in one resample.

    Returns
    -------
    FloatArray
        Spearman's correlations ``[R, C]``, ties at their mean rank; NaN where one side does not vary.
    """
    count: Counts = np.ones((1, len(values)), np.int16) if weights is None else weights
    found = np.empty((len(count), columns.shape[1]))
    step = max(1, _CELLS_AT_ONCE // max(len(values), 1))
    for first in range(0, len(count), step):
        block = count[first : first + step].astype(np.float64)
        y = _centred_ranks(values, block)
        spread = (block * y**2).sum(axis=1)
        for c in range(columns.shape[1]):
            x = _centred_ranks(columns[:, c], block)
            size = np.sqrt((block * x**2).sum(axis=1) * spread)
            varies = size > 1e-9
            together = (block * x * y).sum(axis=1)
            found[first : first + step, c] = np.where(varies, together / np.where(varies, size, 1.0), np.nan)
    return found


def _centred_ranks(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return mean ranks less their mean, in each resample, ``[R, n]``; rows that are not in it have a rank, too."""
    groups, place = np.unique(values, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(groups)))
    sizes = np.add.reduceat(weights[:, order], starts, axis=1)  # [R, groups]
    ranks = (sizes.cumsum(axis=1) - (sizes - 1) / 2)[:, place]  # [R, n]
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    centred: FloatArray = ranks - (weights * ranks).sum(axis=1, keepdims=True) / total
    return centred


def _resamples(n: int, samples: int, rng: np.random.Generator) -> Counts:
    """Draw n of n items with replacement, several times."""
    drawn = np.empty((samples, n), np.int16)
    for row in drawn:
        row[:] = rng.multinomial(n, np.full(n, 1 / n))
    return drawn


def _answers(judgements: pd.DataFrame, scores: GuidedScores, items: Vocabulary) -> tuple[pd.DataFrame, int]:
    """Return answers that can be used, one a rater, question and item, and how many judged items cannot.

    Adds ``row`` (the item's index), ``z`` (the answer, standardised within its question) and ``item_z`` (the mean of
    all raters, likewise).
    """
    names = scores.schema.names
    unknown = sorted(set(judgements[ATTRIBUTE]) - set(names))
    if unknown:
        raise DataError(
            f"expected attributes out of {', '.join(names)} in the judgements, got {', '.join(unknown[:8])}"
            f"{', ...' if len(unknown) > 8 else ''}; rename or remove these rows"
        )
    row = items.indexes(judgements[ITEM], missing="negative")
    column = judgements[ATTRIBUTE].map({name: place for place, name in enumerate(names)}).to_numpy()
    usable = (row >= 0) & ~np.isnan(scores.values[np.maximum(row, 0), column])
    left_out = judgements[ITEM].nunique() - judgements[ITEM][usable].nunique()
    if not usable.any():
        raise DataError(
            f"expected judgements of items that have scores, but none of {judgements[ITEM].nunique():,} judged items "
            f"has any (judged: {judgements[ITEM].iloc[0]!r}, data set: {items.id(0)!r}); is it the right table?"
        )
    answers = judgements.assign(row=row)[usable]
    if QUESTION not in answers:
        answers = answers.assign(**{QUESTION: answers[ATTRIBUTE]})
    if RATER in answers:  # else nobody knows whether two rows are two people, and all of them are taken for it
        answers = answers.groupby([ATTRIBUTE, QUESTION, "row", RATER])[VALUE].mean().reset_index()
    asked = [ATTRIBUTE, QUESTION]
    means = answers.groupby([*asked, "row"])[VALUE].mean().reset_index()
    by_question = means.groupby(asked)[VALUE]
    means = means.assign(
        n=by_question.transform("size"), mean=by_question.transform("mean"), spread=by_question.transform("std", ddof=0)
    )
    means["item_z"] = (means[VALUE] - means["mean"]) / means["spread"].where(means["spread"] > 1e-9)
    means = means[(means["n"] >= _FEWEST_OF_A_QUESTION) & means["item_z"].notna()]
    answers = answers.merge(means.drop(columns=[VALUE, "n"]), on=[*asked, "row"])
    if answers.empty:
        raise DataError(
            f"expected a question that was asked of at least {_FEWEST_OF_A_QUESTION} items with scores and not always "
            "answered alike, found none; collect more judgements"
        )
    answers["z"] = (answers[VALUE] - answers["mean"]) / answers["spread"]
    return answers.drop(columns=["mean", "spread"]), left_out


def _attribute(
    name: str,
    answers: pd.DataFrame,
    used: IntArray,
    weights: Counts,
    dummies: pd.DataFrame | None,
    scores: GuidedScores,
    seed: int,
) -> tuple[dict[str, Any], FloatArray, pd.DataFrame]:
    """Judge one attribute; return its row, ``[R, 2]`` (own correlation, the best other's size), and pairs of people."""
    own = scores.schema.index(name)
    questions = answers.drop_duplicates([QUESTION, "row"])
    people = questions.groupby("row")["item_z"].mean()  # in the order of rows
    y, places = people.to_numpy(), np.searchsorted(used, people.index.to_numpy())
    columns = scores.values[used[places]].astype(np.float64)  # [n, A]
    known = ~np.isnan(columns)
    mean = np.where(known, columns, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    columns = np.where(known, columns, mean)  # only in other columns; its own are all known
    n, of_items = len(y), weights[:, places]
    pairs = _pairs(answers, columns[:, own], people.index.to_numpy())
    pair_weights = weights[:, np.searchsorted(used, pairs["row"].to_numpy(dtype=np.int64))]
    row: dict[str, Any] = {"attribute": name, "n_items": n, "n_judgements": len(answers)}
    row["n_raters"] = answers[RATER].nunique() if RATER in answers else 0
    found = rank_correlations(columns, y)[0]
    resampled = rank_correlations(columns, y, of_items)  # [R, A]
    row |= {"spearman": found[own], **_interval("ci", resampled[:, own])}
    row |= _people(pairs, pair_weights)
    row |= _by_category(columns[:, own], y, places, of_items, dummies, generator(seed, "human", name, "categories"))
    row |= _by_chance(columns[:, own], y, generator(seed, "human", name, "shuffled"))
    sizes = np.nan_to_num(np.abs(found), nan=-1.0)
    sizes[own] = -1.0
    other = int(sizes.argmax()) if len(sizes) > 1 else None
    row["rank"] = 1 + int((sizes > np.nan_to_num(found[own], nan=0.0)).sum())
    row["best_other"] = "" if other is None else scores.schema.names[other]
    row["best_other_spearman"] = np.nan if other is None else found[other]
    row["verdict"] = _verdict(row)
    others = np.delete(np.nan_to_num(np.abs(resampled), nan=0.0), own, axis=1)
    return row, np.stack([resampled[:, own], others.max(axis=1, initial=0.0)], axis=1), pairs


def _interval(name: str, resampled: FloatArray) -> dict[str, float]:
    """Return the 95 % interval of resampled values."""
    known = resampled[~np.isnan(resampled)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return {f"{name}_low": float(low), f"{name}_high": float(high)}


def _pairs(answers: pd.DataFrame, column: FloatArray, rows: IntArray) -> pd.DataFrame:
    """Return all pairs of people who answered the same question about the same item, each in both orders.

    Columns ``row``, ``one`` and ``other`` (their answers) and ``score``, all three standardised within the attribute.
    """
    if RATER not in answers:
        return pd.DataFrame(columns=["row", "one", "other", "score"], dtype="float64")
    column = (column - column.mean()) / max(float(column.std()), 1e-9)
    given = answers[[QUESTION, "row", RATER, "z"]]
    both = given.merge(given, on=[QUESTION, "row"], suffixes=("_one", "_other"))
    both = both[both[f"{RATER}_one"] != both[f"{RATER}_other"]]
    score = column[np.searchsorted(rows, both["row"].to_numpy())]
    return pd.DataFrame({"row": both["row"], "one": both["z_one"], "other": both["z_other"], "score": score})


def _people(pairs: pd.DataFrame, weights: Counts) -> dict[str, Any]:
    """Return what two people reach, and what the scores reach with one person, over the same pairs."""
    count = len(pairs) // 2
    names = ("people", "one_person")
    found: dict[str, Any] = {"n_pairs": count}
    for name in names:
        found |= {name: np.nan, f"{name}_low": np.nan, f"{name}_high": np.nan}
    if count >= FEWEST_PAIRS:
        columns, values = pairs[["other", "score"]].to_numpy(), pairs["one"].to_numpy()
        both, resampled = rank_correlations(columns, values)[0], rank_correlations(columns, values, weights)
        for place, name in enumerate(names):
            found |= {name: float(both[place]), **_interval(name, resampled[:, place])}
    return found


def _dummies(categories: Sequence[str]) -> pd.DataFrame:
    """Return a column of 0 and 1 for each category, ``[N, categories]``."""
    return pd.Series(list(categories)).str.get_dummies(sep="|").astype("float64")


def _by_category(
    own: FloatArray,
    y: FloatArray,
    places: IntArray,
    weights: Counts,
    dummies: pd.DataFrame | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Put categories in the place of scores: the best one, chosen and measured on different items, and all of them."""
    names = ("category", "categories", "lead", "lead_low", "lead_high")
    nothing: dict[str, Any] = {"best_category": "", **dict.fromkeys(names, np.nan)}
    if dummies is None or len(y) < FEWEST:
        return nothing
    known = dummies.iloc[places]
    counts = known.sum()
    known = known.loc[:, (counts >= _FEWEST_OF_A_QUESTION) & (counts <= len(known) - _FEWEST_OF_A_QUESTION)]
    if known.empty:
        return nothing
    x = known.to_numpy()
    chosen, found = [], []
    for _ in range(_HALVES):
        order = rng.permutation(len(y))
        for half, rest in ((order[::2], order[1::2]), (order[1::2], order[::2])):
            on_half = np.nan_to_num(rank_correlations(x[half], y[half])[0])
            best = int(np.abs(on_half).argmax())
            chosen.append(best)
            on_rest = rank_correlations(x[rest][:, [best]], y[rest])[0, 0]
            found.append(float(np.nan_to_num(on_rest)) * float(np.sign(on_half[best])))
    pair, resampled = _against_all(own, x, y, weights, rng)
    return {
        "best_category": str(known.columns[int(np.bincount(chosen).argmax())]),
        "category": float(np.mean(found)),
        "categories": float(pair[1]),
        "lead": float(pair[0] - pair[1]),
        **_interval("lead", resampled[:, 0] - resampled[:, 1]),
    }


def _against_all(
    own: FloatArray, x: FloatArray, y: FloatArray, weights: Counts, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the correlations of scores and of what categories predict, ``[2]``, and in resamples, ``[R, 2]``.

    Both are measured within each third and averaged. Predictions of different thirds must not be ranked together: an
    item with a high value lowers what is predicted for its like, so that true predictions look worse than they are.
    """
    found, resampled = [], []
    for _ in range(_THIRDS):
        third = rng.permutation(len(y)) % 3
        for out in range(3):
            kept, rest = third != out, third == out
            mean, centre = x[kept].mean(axis=0), y[kept].mean()
            square = (x[kept] - mean).T @ (x[kept] - mean) + _RIDGE * np.eye(x.shape[1])
            slopes = np.linalg.solve(square, (x[kept] - mean).T @ (y[kept] - centre))
            both = np.stack([own[rest], (x[rest] - mean) @ slopes], axis=1)
            found.append(np.nan_to_num(rank_correlations(both, y[rest])[0]))  # what does not vary predicts nothing
            resampled.append(np.nan_to_num(rank_correlations(both, y[rest], weights[:, rest])))
    return np.mean(found, axis=0), np.mean(resampled, axis=0)


def _by_chance(own: FloatArray, y: FloatArray, rng: np.random.Generator) -> dict[str, float]:
    """Reassign the scores to the same items at random."""
    once = np.ones((1, len(y)))
    x, ranks = _centred_ranks(own, once)[0], _centred_ranks(y, once)[0]
    size = np.sqrt((x**2).sum() * (ranks**2).sum())
    if size < 1e-9:
        return {"shuffled": np.nan, "shuffled_high": np.nan}
    found = np.abs([rng.permutation(x) @ ranks / size for _ in range(_SHUFFLES)])
    return {"shuffled": float(found.mean()), "shuffled_high": float(np.quantile(found, 0.95))}


def _verdict(row: Mapping[str, Any]) -> str:
    """Judge an attribute by its row; see `human_agreement`."""
    if row["n_items"] < FEWEST:
        return TOO_FEW
    if not row["ci_low"] > row["shuffled_high"] or row["rank"] > 1 or row["lead"] <= 0:
        return WEAK
    return STRONG if row["ci_low"] > _LARGE and not row["lead_low"] <= 0 else FAIR


def _people_in_all(table: pd.DataFrame, pairs: pd.DataFrame, weights: Counts) -> dict[str, Any]:
    """Return what two people reach in all attributes together, and what that leaves for scores to reach."""
    found = _people(pairs, weights)
    named = {name.replace("people", "people_pairs"): value for name, value in found.items() if name != "n_pairs"}
    each, r = table["n_judgements"].sum() / table["n_items"].sum(), found["people"]
    ceiling = float(np.sqrt(each * r / (1 + (each - 1) * r))) if r > 0 else np.nan
    return {**named, "people_pair_count": found["n_pairs"], "ceiling": ceiling}


def _summary(table: pd.DataFrame, replicates: list[FloatArray], columns: int) -> dict[str, Any]:
    """Sum up the attributes with a verdict."""
    judged = table[table["verdict"] != TOO_FEW]
    nothing = {f"{name}_{end}": np.nan for name in ("best_of_columns", "mean_spearman") for end in ("low", "high")}
    facts: dict[str, Any] = {"attributes": len(judged), "columns": columns}
    facts["best_of_columns"] = int((judged["rank"] == 1).sum())
    facts["mean_spearman"] = float(judged["spearman"].mean())
    facts |= nothing
    if replicates:
        own, other = np.moveaxis(np.stack(replicates), 2, 0)  # [attributes, R] each
        facts |= _interval("best_of_columns", (own > other).sum(axis=0).astype(np.float64))
        facts |= _interval("mean_spearman", own.mean(axis=0))
    for name in ("category", "categories", "shuffled"):
        facts[f"mean_{name}"] = float(judged[name].mean())
    for verdict in (STRONG, FAIR, WEAK, TOO_FEW):
        facts[verdict.replace(" ", "_")] = table.loc[table["verdict"] == verdict, "attribute"].tolist()
    return facts
