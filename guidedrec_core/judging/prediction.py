"""Prediction tests: can people tell which of two items is recommended, and does an explanation help?

A forward simulation, as in Doshi-Velez and Kim (2017) and Hase and Bansal (2020): the explanation is worth what people
predict with it that they do not predict without. The third arm, a placebo, shows the same lines with values that were
dealt out anew, so that what comes from being shown an explanation at all is told from what comes from its content.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError
from guidedrec_core.explanation.lines import AVERAGE
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.judging.content import Content, Option, PredictionCase, Reason
from guidedrec_core.judging.showing import Showing, asked_about, opened_data
from guidedrec_core.judging.taste import REFINED, Opener, check_size, made_of
from guidedrec_core.randomness import generator
from guidedrec_core.recommenders.explanation import Explanation, item_ranks
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.library import RefinedEntry

_MOST_REASONS = 4
_GAP, _REACH = 3, 10
"""The other item's rank lies between these multiples of the list's length: not nearly recommended, not absurd."""
_ALIKE = 5
"""Candidates for the other item; the one that is most like the recommended one in popularity is taken."""
_TRIES = 1_000


@dataclass(frozen=True)
class _Pair:
    """Two items by index, with their ranks."""

    user_id: str
    items: tuple[int, int]
    ranks: tuple[int, int]


def new_prediction_test(
    entry: RefinedEntry,
    open_run: Opener,
    *,
    cases: int = 12,
    length: int = 5,
    per_judge: int | None = None,
    users: Sequence[str] | None = None,
    seed: int = 0,
    note: str = "",
    lock: AbstractContextManager[object] | None = None,
) -> tuple[Content, dict[str, str]]:
    """Draw the cases of a prediction test of a refined run.

    Each case is a user with two items: one of the top `length`, and one from further down, of similar popularity.

    Parameters
    ----------
    entry : RefinedEntry
        The refined run.
    open_run : callable
        Opens a run by its id.
    cases : int
        Users to find.
    length : int
        So many items count as recommended.
    per_judge, users, seed, note, lock
        As `guidedrec_core.judging.taste.new_taste_test`.

    Returns
    -------
    content : Content
        For `guidedrec_core.judging.store.ExperimentStore.create`.
    runs : dict of str to str
        Role to run id.

    Raises
    ------
    InputError
        No user has enough items left to choose from.
    """
    check_size(cases, length)
    system = open_run(entry.run.id)
    showing = Showing(opened_data(system))
    with lock or nullcontext():
        pairs, looked = _pairs(system, showing, asked_about(showing.data, users, seed), cases, length, seed)
        if not pairs:
            raise InputError(
                f"expected users with at least {_GAP * length + 1} items they have not had, found none; make the list "
                "shorter"
            )
        # Whoever believes a placebo is right in exactly half of the cases.
        rng = generator(seed, "placebo")
        favoured = rng.permutation(np.arange(len(pairs)) % 2 == 0)
        found = [
            _case(system, showing, f"case-{number:03d}", pair, bool(favours), rng)
            for number, (pair, favours) in enumerate(zip(pairs, favoured.tolist(), strict=True), 1)
        ]
    content = Content(
        length=length,
        per_judge=len(found) if per_judge is None else min(per_judge, len(found)),
        seed=seed,
        verb=system.verb.past,
        prediction=tuple(found),
        drawn={"users": looked, "list too short": looked - len(found)},
        made_of=made_of(entry),
        note=note,
    )
    return content, {REFINED: entry.run.id}


def placebo_values(
    first: Sequence[float], second: Sequence[float], favours_first: bool, rng: np.random.Generator
) -> tuple[list[float], list[float]]:
    """Deal the values of two explanations out anew among all of their lines.

    Parameters
    ----------
    first, second : sequence of float
        What each line adds to the score of either item.
    favours_first : bool
        Which item is to look better by its largest lines, those that judges see.
    rng : numpy.random.Generator
        Source of the draw.

    Examples
    --------
    >>> dealt = placebo_values([3.0, 2.0], [-1.0], favours_first=False, rng=np.random.default_rng(0))
    >>> sorted(dealt[0] + dealt[1]), sum(dealt[0]) < sum(dealt[1])
    ([-1.0, 2.0, 3.0], True)
    """
    pooled = np.array([*first, *second], dtype=np.float64)
    best: tuple[list[float], list[float]] = ([*first], [*second])
    for _ in range(_TRIES):
        dealt = rng.permutation(pooled).tolist()
        best = dealt[: len(first)], dealt[len(first) :]
        one, two = map(_shown_sum, best)
        if (one > two) if favours_first else (one < two):
            break
    return best


def _shown_sum(values: Sequence[float]) -> float:
    return sum(sorted(values, key=abs, reverse=True)[:_MOST_REASONS])


def _pairs(
    system: RefinedRecommender, showing: Showing, users: Sequence[str], cases: int, length: int, seed: int
) -> tuple[list[_Pair], int]:
    """Find a pair of items for so many users; also return how many users were looked at."""
    found: list[_Pair] = []
    data, model = showing.data, system.model(REFINED)
    popularity = data.item_interactions
    looked = 0
    for user_id in users:
        if len(found) == cases:
            break
        looked += 1
        rng = generator(seed, "pair", user_id)
        given = UserHistory.shown(data, data.dataset.users.index(user_id))
        ranks = item_ranks(model, given)
        unseen = len(ranks) - len(np.unique(given.history))
        if unseen <= _GAP * length:
            continue
        by_rank = np.empty(len(ranks) + 1, dtype=np.int64)
        by_rank[ranks] = np.arange(len(ranks))
        high = int(rng.integers(1, length + 1))
        lower = np.arange(_GAP * length + 1, min(_REACH * length, unseen) + 1)
        low = _most_alike(by_rank[high], rng.permutation(lower)[:_ALIKE], by_rank, popularity)
        found.append(_Pair(user_id, (int(by_rank[high]), int(by_rank[low])), (high, low)))
    return found, looked


def _most_alike(item: int, ranks: IntArray, by_rank: IntArray, popularity: IntArray) -> int:
    """Return the rank whose item is most like another one in popularity."""
    counts = np.log1p(popularity.astype(np.float64))
    return int(ranks[np.abs(counts[by_rank[ranks]] - counts[item]).argmin()])


def _case(
    system: RefinedRecommender, showing: Showing, case_id: str, pair: _Pair, favours: bool, rng: np.random.Generator
) -> PredictionCase:
    ids = showing.data.dataset.items.ids
    lines = [_lines(system, system.explain(pair.user_id, str(ids[item]))) for item in pair.items]
    dealt = placebo_values([r.value for r in lines[0]], [r.value for r in lines[1]], favours, rng)
    recommended, other = (
        Option(showing.item(item), rank, _largest(own), _largest(_with_values(own, values)))
        for item, rank, own, values in zip(pair.items, pair.ranks, lines, dealt, strict=True)
    )
    return PredictionCase(case_id, showing.customer(pair.user_id), recommended, other)


def _lines(system: RefinedRecommender, why: Explanation) -> list[Reason]:
    """Return every line of an explanation but the average item's, without its rank."""
    top = system.schema.scale.max
    scores = dict(zip(why.parts["attribute"], why.parts["item_score"].where(~why.parts["missing"]), strict=True))
    kept = why.lines[why.lines["name"] != AVERAGE]
    return [
        Reason(label, _detail(scores.get(name), top) if kind == "attribute" else "", float(value))
        for kind, name, label, value in zip(
            *(kept[column].tolist() for column in ("kind", "name", "label", "contribution")), strict=True
        )
    ]


def _detail(score: float | None, top: float) -> str:
    return "" if score is None or score != score else f"{score:.0f} of {top:g}"  # a NaN


def _largest(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda reason: -abs(reason.value))[:_MOST_REASONS])


def _with_values(reasons: Sequence[Reason], values: Sequence[float]) -> list[Reason]:
    return [Reason(one.label, one.detail, value) for one, value in zip(reasons, values, strict=True)]
