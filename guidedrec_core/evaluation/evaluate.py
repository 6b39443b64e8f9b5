"""`evaluate`: recommenders side by side on the test part, with intervals and controls."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd

from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.errors import ConfigError, DataError, InputError
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.evaluation.metrics import case_metrics, metric_names
from guidedrec_core.progress import Listener, StageProgress, silent
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import target_ranks
from guidedrec_core.recommenders.recommender import Recommender
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.recommenders.refiner import Refiner

Control = Literal["placebo", "second_training", "random_vectors", "categories", "guided_only"]
CONTROLS = get_args(Control)


def evaluate(
    models: Mapping[str, Recommender],
    data: SplitDataset,
    *,
    controls: Sequence[Control] = (),
    against: str | None = None,
    cutoffs: tuple[int, ...] = (10,),
    bootstrap_samples: int = 2000,
    seed: int = 0,
    listener: Listener = silent,
) -> pd.DataFrame:
    """Rank every held-out item of the test part with every recommender, and compare.

    The whole catalogue is ranked; items of the history are no candidates; ties are broken by item index.

    Parameters
    ----------
    models : mapping of str to Recommender
        Fitted recommenders by the names that they get in the table.
    data : SplitDataset
        What they were fitted on.
    controls : sequence of str
        Controls of the refined recommenders to be trained and evaluated, too: ``placebo`` (scores randomly reassigned
        to items), ``second_training`` (retrained without attributes), ``random_vectors``, ``categories``,
        ``guided_only``. With several refined recommenders their names are put before it.
    against : str, optional
        The model that the others are compared with; the first by default.
    cutoffs : tuple of int
        K of Recall@K and NDCG@K.
    bootstrap_samples : int
        Resamples of users for the intervals.
    seed : int
        The seed from which that of the bootstrap descends.
    listener : callable
        Receives progress events.

    Returns
    -------
    pandas.DataFrame
        ``model, metric, value, ci_low, ci_high, gain, gain_low, gain_high``: the mean over test cases with its 95 %
        interval, and the relative gain over `against` (0.1 = +10 %) with its paired interval; NaN where undefined.

    Raises
    ------
    InputError
        No model is given, `against` is none of them, or a control is unknown or requested without a refined
        recommender.
    NotFittedError
        A recommender was not fitted.
    DataError
        There is no test case, or a recommender was fitted on other data.
    """
    if not models:
        raise InputError("expected at least one recommender, got none")
    reference = next(iter(models)) if against is None else against
    everything = {**models, **_controls(models, data, controls, listener)}
    if reference not in everything:
        raise InputError(f"expected a model to compare with out of {', '.join(everything)}, got {reference!r}")
    cases = data.test_cases
    if not len(cases):
        raise DataError("expected at least one test case, got none; users need 3 interactions with different items")
    progress = StageProgress("evaluate", len(everything), listener)
    values = []
    for name, model in everything.items():
        scorer = model.fitted_scorer(data)
        values.append(case_metrics(target_ranks(scorer, data.sequences, cases), cutoffs))  # [n_cases, n_metrics]
        progress.step(name)
    bootstrap = UserBootstrap(
        np.concatenate(values, axis=1), cases.users, bootstrap_samples, generator(seed, "bootstrap")
    )
    return _table(bootstrap, list(everything), metric_names(cutoffs), reference)


def _controls(
    models: Mapping[str, Recommender], data: SplitDataset, controls: Sequence[Control], listener: Listener
) -> dict[str, Recommender]:
    """Train the controls of every refined recommender."""
    refined = {name: model for name, model in models.items() if isinstance(model, RefinedRecommender)}
    _check_controls(controls, bool(refined))
    made: dict[str, Recommender] = {}
    for name, model in refined.items():
        for control in controls:
            config = model.config.model_copy(update={"control": control})
            refiner = Refiner.of(config, model.training, model.baselines, model.seed)
            label = control if len(refined) == 1 else f"{name} {control}"
            if label in models:
                raise ConfigError(f"{label!r} is the name of a model and of a control; rename the model")
            made[label] = refiner.fit(data, model.base_recommender, model.scores, doubt=model.doubt, listener=listener)
    return made


def _check_controls(controls: Sequence[Control], any_refined: bool) -> None:
    """Refuse unknown controls, and controls of nothing."""
    unknown = [name for name in controls if name not in CONTROLS]
    if unknown:
        raise InputError(f"expected controls out of {', '.join(CONTROLS)}, got {', '.join(unknown)}")
    if controls and not any_refined:
        raise InputError("controls stand in for the guided scores of a refined recommender, got none; add one")


def _table(bootstrap: UserBootstrap, models: list[str], metrics: list[str], reference: str) -> pd.DataFrame:
    """Tabulate means and gains with their intervals."""
    first = models.index(reference) * len(metrics)
    rows = []
    for place, model in enumerate(models):
        for number, metric in enumerate(metrics):
            column = place * len(metrics) + number
            mean, gain = bootstrap.mean(column), bootstrap.relative(column, first + number)
            shares = (gain.value, gain.low, gain.high) if gain and model != reference else (np.nan,) * 3
            rows.append((model, metric, mean.value, mean.low, mean.high, *shares))
    names = ["model", "metric", "value", "ci_low", "ci_high", "gain", "gain_low", "gain_high"]
    return pd.DataFrame(rows, columns=names)
