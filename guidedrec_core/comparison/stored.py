"""Comparing stored runs, with what their evaluations have measured already."""

from collections.abc import Callable

import pandas as pd

from guidedrec_core.audience.population import Population
from guidedrec_core.comparison.compare import Comparison, compare
from guidedrec_core.errors import InputError
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.library import RefinedEntry, repeat_of
from guidedrec_core.runs.store import Run, RunStore


def compare_runs(
    store: RunStore,
    before: RefinedEntry,
    after: RefinedEntry,
    k: int = 10,
    names: bool = True,
    open_model: Callable[[str], RefinedRecommender] | None = None,
) -> Comparison:
    """Say what changed between two stored refined runs.

    Where the earlier one was trained again with another seed, that says how much is chance; see `library.repeat_of`.

    Parameters
    ----------
    store : RunStore
        Where they are.
    before, after : RefinedEntry
        The runs; see `runs.library`. What their evaluations hold is not computed again.
    k : int
        Length of the lists.
    names : bool
        See `compare`.
    open_model : callable, optional
        Opens a refined run by its id; the default reads it from the store.

    Raises
    ------
    InputError
        Both are the same run.
    DataError
        They are not of the same data and split.
    """
    if before.run.id == after.run.id:
        raise InputError(f"expected two different runs, got {after.run.id} twice; `guidedrec runs list` shows all")
    opened = open_model or (lambda run_id: open_refined(store, run_id))
    measured = [None if each.evaluation is None else store.open(each.evaluation.id) for each in (before, after)]
    people = [
        Population.measured(opened(each.run.id), evaluation, k)
        for each, evaluation in zip((before, after), measured, strict=True)
    ]
    scores = store.open(after.run.inputs["scores"], "scores")
    by_hand = scores.read_table("overrides") if "overrides.parquet" in scores.manifest.files else None
    shares = [_shares(run) for run in measured]
    again = repeat_of(store, before)
    return compare(
        people[0],
        people[1],
        k=k,
        seed=int(after.run.seed or 0),
        names=names,
        named=(shares[0], shares[1]),
        by_hand=by_hand,
        repeat=None if again is None or again.id == after.run.id else open_refined(store, again.id),
    )


def _shares(evaluation: Run | None) -> pd.DataFrame | None:
    """Return how much has a name, where an evaluation measured that."""
    if evaluation is None or "named_shares.parquet" not in evaluation.manifest.files:
        return None
    return evaluation.read_table("named_shares")
