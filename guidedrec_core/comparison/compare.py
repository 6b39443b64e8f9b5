"""`compare`: what changed between two refined recommenders of the same data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core.audience.population import Population
from guidedrec_core.comparison.list_change import ListChange, list_change, longest
from guidedrec_core.comparison.quality_change import quality_change
from guidedrec_core.comparison.score_change import ScoreChange, score_change
from guidedrec_core.errors import DataError, InputError
from guidedrec_core.evaluation.named import named_report
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.sandbox.sandbox import Sandbox

_UNNAMED = "unnamed_out_of_fold"
_SAMPLES = 2000


@dataclass(frozen=True)
class Direct:
    """What changed scores do by themselves, in the earlier model, before anything is trained anew.

    Attributes
    ----------
    items : int
        Items whose scores changed.
    users, changed, entered : int
        Users looked at (a sample, where the data set is large), those whose list changes in any place, and those who
        get at least one other item.
    """

    items: int
    users: int
    changed: int
    entered: int


@dataclass(frozen=True, eq=False)
class Repeat:
    """What training the earlier run once more with another seed changes: how much is chance of training.

    Attributes
    ----------
    seed : int
        The other seed.
    changed, entered : int
        Users whose list changes in any place, and those who get at least one other item; see `ListChange`.
    overlap : float
        As in `ListChange`.
    metrics : pandas.DataFrame
        ``metric, difference``: the repeat's ranking quality minus that of the earlier run.
    """

    seed: int
    changed: int
    entered: int
    overlap: float
    metrics: pd.DataFrame

    def difference(self, metric: str) -> float:
        """Return the difference of one metric."""
        return float(_row(self.metrics, "metric", metric)["difference"])


@dataclass(frozen=True, eq=False)
class Comparison:
    """What changed between two refined recommenders.

    Attributes
    ----------
    before, after : str
        Ids of the refined runs; empty for recommenders in memory.
    cases : int
        Test cases that both are measured on.
    metrics, gains : pandas.DataFrame
        Ranking quality, and the gain over the base; see `comparison.quality_change.quality_change`.
    lists : ListChange
        Whose lists changed, and which items gained or lost places.
    scores : ScoreChange
        Attributes, scores of items, and weights.
    named : pandas.DataFrame
        ``part, before, before_low, before_high, after, after_low, after_high``: shares of what decides the lists; see
        `evaluation.named.NamedReport.shares`. Empty where it was not wanted.
    settings : pandas.DataFrame
        ``setting, before, after``: what else differs in how they were made, as text.
    same_base : bool
        Whether both refine a base model that ranks alike.
    direct : Direct or None
        What the changed scores of items do by themselves; None where none changed, or attributes came or went.
    repeat : Repeat or None
        How much is chance of training; None where the earlier run was not trained again.
    """

    before: str
    after: str
    cases: int
    metrics: pd.DataFrame
    gains: pd.DataFrame
    lists: ListChange
    scores: ScoreChange
    named: pd.DataFrame
    settings: pd.DataFrame
    same_base: bool
    direct: Direct | None
    repeat: Repeat | None

    def metric(self, name: str) -> pd.Series:
        """Return the row of `metrics` of one metric, e.g. ``"NDCG@10"``.

        Raises
        ------
        InputError
            It was not measured.
        """
        return _row(self.metrics, "metric", name)

    def gain(self, name: str) -> pd.Series:
        """Return the row of `gains` of one metric; see `metric`."""
        return _row(self.gains, "metric", name)

    @property
    def share_named(self) -> tuple[float, float] | None:
        """Share of what decides the lists that has a name, before and after, each item named without itself."""
        if not len(self.named):
            return None
        row = _row(self.named, "part", _UNNAMED)
        return 1 - float(row["before"]), 1 - float(row["after"])

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON but for numbers that are NaN."""
        lists, direct, repeat = self.lists, self.direct, self.repeat
        return {
            "before": self.before,
            "after": self.after,
            "test_cases": self.cases,
            "same_base": self.same_base,
            "metrics": self.metrics.to_dict("records"),
            "gains": self.gains.to_dict("records"),
            "lists": {
                "k": lists.k,
                "users": lists.users,
                "changed": lists.changed,
                "entered": lists.entered,
                "first": lists.first,
                "overlap": lists.overlap,
            },
            "items": lists.items.to_dict("records"),
            "users": lists.people.to_dict("records"),
            "attributes": self.scores.attributes.to_dict("records"),
            "scores": self.scores.items.to_dict("records"),
            "users_rescored": self.scores.users,
            "named": self.named.to_dict("records"),
            "settings": self.settings.to_dict("records"),
            "direct": None if direct is None else asdict(direct),
            "repeat": None
            if repeat is None
            else {
                "seed": repeat.seed,
                "changed": repeat.changed,
                "entered": repeat.entered,
                "overlap": repeat.overlap,
                "metrics": repeat.metrics.to_dict("records"),
            },
        }


def compare(
    before: RefinedRecommender | Population,
    after: RefinedRecommender | Population,
    *,
    k: int = 10,
    samples: int = _SAMPLES,
    seed: int = 0,
    names: bool = True,
    named: tuple[pd.DataFrame | None, pd.DataFrame | None] = (None, None),
    by_hand: pd.DataFrame | None = None,
    repeat: RefinedRecommender | None = None,
) -> Comparison:
    """Say what changed between two refined recommenders of the same data.

    Lists are those of all users from histories without the test part; test cases are the same for both, so differences
    are paired. Their intervals are over users and know nothing of chance in training: a network that is trained anew on
    one changed score takes another way and changes most lists a little. Three things tell effect from chance: `direct`,
    what the changed scores do before anything is trained; `repeat`, what training again with another seed does; and
    `settings`, what else differs.

    Parameters
    ----------
    before, after : RefinedRecommender or Population
        What to compare; a `Population` brings lists and test cases that are known already.
    k : int
        Length of the lists, and cut-off of the metrics.
    samples : int
        Resamples of users for the intervals.
    seed : int
        Of the resamples.
    names : bool
        Measure how much of what decides the lists has a name; takes some seconds where `named` does not say it.
    named : tuple of (DataFrame or None, DataFrame or None)
        `NamedReport.shares` of either, where they are known.
    by_hand : pandas.DataFrame, optional
        Scores set by hand in the later one, for who and why; see `score_change`.
    repeat : RefinedRecommender, optional
        The earlier one trained again with another seed.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        They were fitted on different interactions or splits, so that nothing can be paired.
    InputError
        `k` is less than 1, or more than lists that are known already have.

    Examples
    --------
    >>> import guidedrec_core as gr
    >>> before, after = gr.open("runs/20261130-233353-5d12d2"), gr.open("runs/fernway")  # doctest: +SKIP
    >>> gr.compare(before, after).metric("NDCG@10")["difference"]  # doctest: +SKIP
    """
    if k < 1:
        raise InputError(f"expected a list length k of at least 1, got {k}")
    _check_same_data(_model(before), _model(after))
    old, new = (each if isinstance(each, Population) else Population.of(each, k=k) for each in (before, after))
    most = longest(old.lists, new.lists)
    if k > most:
        raise InputError(f"expected a list length from 1 to {most}, which the stored lists have; got {k}")
    old, new = old.cut(k), new.cut(k)
    metrics, gains = quality_change(old, new, k, samples, seed)
    shares = (_named(old, named[0], samples, seed), _named(new, named[1], samples, seed)) if names else None
    scores = score_change(old.model, new.model, by_hand)
    lists, (direct, touched) = list_change(old, new), _direct(old, new, scores)
    base_ranks = [each.cases["rank_base"].to_numpy() for each in (old, new)]
    return Comparison(
        before=old.model.run_id,
        after=new.model.run_id,
        cases=len(new.cases),
        metrics=metrics,
        gains=gains,
        lists=lists.first_those(touched),
        scores=scores,
        named=_side_by_side(*shares) if shares is not None else pd.DataFrame(columns=_NAMED_COLUMNS),
        settings=_settings(old.model, new.model),
        same_base=bool(np.array_equal(base_ranks[0], base_ranks[1])),
        direct=direct,
        repeat=None if repeat is None else _repeat(old, repeat),
    )


_NAMED_COLUMNS = ["part", "before", "before_low", "before_high", "after", "after_low", "after_high"]


def _model(given: RefinedRecommender | Population) -> RefinedRecommender:
    return given.model if isinstance(given, Population) else given


def _check_same_data(before: RefinedRecommender, after: RefinedRecommender) -> None:
    """Refuse recommenders whose users, items, interactions or splits differ.

    Raises
    ------
    DataError
        As said.
    """
    old, new = before.data, after.data
    same = (
        old.dataset.users == new.dataset.users
        and old.dataset.items == new.dataset.items
        and np.array_equal(old.sequences.items, new.sequences.items)
        and np.array_equal(old.sequences.starts, new.sequences.starts)
    )
    if not same:
        what = [f"{each.dataset.name} ({len(each.sequences.items):,} interactions)" for each in (old, new)]
        raise DataError(
            f"expected two runs of the same users, items and interactions, got {what[0]} and {what[1]}; compare runs "
            "of one import"
        )
    parts = [(each.split.n_train, each.split.n_valid) for each in (old, new)]
    if not all(np.array_equal(a, b) for a, b in zip(*parts, strict=True)):
        kinds = [each.config.kind for each in (old, new)]
        raise DataError(
            f"expected two runs with the same split, got {kinds[0]} and {kinds[1]}, whose test cases differ; compare "
            "runs of one split"
        )


def _direct(before: Population, after: Population, scores: ScoreChange) -> tuple[Direct | None, set[str]]:
    """Put the later scores into the earlier model; return what that does, and the ids of the users it concerns."""
    old, new = before.model, after.model
    alike = old.schema.names == new.schema.names and old.schema.scale == new.schema.scale
    if not len(scores.items) or not alike or old.config.control != "none":
        return None, set()
    box = Sandbox.of(old, before.lists.k)
    effect = box.with_scores(new.item_scores.values)
    changed = box.users[(effect.lists != box.best[:, : box.k]).any(axis=1)]
    direct = Direct(effect.items_changed, effect.sampled, effect.changed, effect.entered)
    return direct, set(old.data.dataset.users.ids[changed])


def _repeat(before: Population, repeat: RefinedRecommender) -> Repeat:
    """Compare the earlier one with itself, trained again."""
    _check_same_data(before.model, repeat)
    k = before.lists.k
    again = Population.of(repeat, k=k)
    change = list_change(before, again)
    metrics = quality_change(before, again, k, samples=1, seed=0)[0][["metric", "difference"]]
    return Repeat(repeat.seed, change.changed, change.entered, change.overlap, metrics)


def _named(people: Population, known: pd.DataFrame | None, samples: int, seed: int) -> pd.DataFrame:
    if known is not None:
        return known
    model = people.model.showing("full")
    return named_report(model, model.data.test_cases, samples, seed).shares


def _side_by_side(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Put the shares of both in one table."""
    sides = []
    for name, table in (("before", before), ("after", after)):
        renamed = {"share": name, "ci_low": f"{name}_low", "ci_high": f"{name}_high"}
        sides.append(table.rename(columns=renamed).set_index("part"))
    both = sides[1].join(sides[0], how="inner").reset_index()
    return both[_NAMED_COLUMNS]


def _settings(before: RefinedRecommender, after: RefinedRecommender) -> pd.DataFrame:
    """Return how the ways in which both were made differ."""
    old, new = (_flat(_made_by(each)) for each in (before, after))
    names = [name for name in dict.fromkeys([*new, *old]) if old.get(name) != new.get(name)]
    text = {"before": [old.get(name, "") for name in names], "after": [new.get(name, "") for name in names]}
    return pd.DataFrame({"setting": names, **text}, dtype="str")


def _made_by(model: RefinedRecommender) -> dict[str, Any]:
    base = model.base_recommender
    return {
        "base": {"encoder": base.encoder.model_dump(mode="json"), "seed": base.seed},
        "refinement": model.config.model_dump(mode="json"),
        "training": model.training.model_dump(mode="json"),
        "seed": model.seed,
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Write nested settings flat, e.g. ``refinement.mode``."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = str(value)
    return flat


def _row(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    found = table[table[column] == name]
    if not len(found):
        raise InputError(f"expected one of {', '.join(table[column])}, got {name!r}")
    return found.iloc[0]
