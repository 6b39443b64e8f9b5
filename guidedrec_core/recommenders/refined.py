"""`RefinedRecommender`: a refined model with everything it was made from, ready to recommend and to explain."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import AlignedScores, GuidedScores
from guidedrec_core.config import BaselineConfig, ItemKNNConfig, RefinementConfig, TrainingConfig
from guidedrec_core.data.dataset import Shown, SplitDataset
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import InputError, UnknownIdError
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.facts.fact import Facts
from guidedrec_core.models.base import BaseModel, ItemScorer
from guidedrec_core.naming.lines import NamedColumns
from guidedrec_core.naming.model import NamedModel, named_vectors, user_moments
from guidedrec_core.naming.regression import PENALTIES, Doubles
from guidedrec_core.naming.scorer import NamedScorer
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.adjustments import AdjustedScorer, Adjustments
from guidedrec_core.recommenders.base import BaseRecommender
from guidedrec_core.recommenders.explanation import Explanation, explain_item, first_recommendation, item_ranks
from guidedrec_core.recommenders.heads import facts_of, up_to_date
from guidedrec_core.recommenders.recommender import Recommender, as_texts
from guidedrec_core.recommenders.steerable import steerable_schema, steerable_values
from guidedrec_core.recommenders.writing import (
    base_settings,
    found_or_written,
    refined_settings,
    split_path,
    weight_arrays,
    write_base,
)
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.reliability.doubt import Doubt
from guidedrec_core.runs.datasets import data_settings, write_dataset
from guidedrec_core.runs.scores import scores_settings, write_scores
from guidedrec_core.runs.store import Run, RunStore

_NAMING_USERS = 2000
"""Users at most whose vectors say which differences between items matter when a score is named."""


class _Naming:
    """The names of a recommender's scores, fitted once and shared by all its views."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: NamedModel | None = None

    def of(self, model: "RefinedRecommender") -> NamedModel:
        """Return the named model."""
        with self._lock:
            if self._made is None or self._made.model is not model.refined:
                self._made = _fit_names(model)
            return self._made


@dataclass(frozen=True, eq=False)
class RefinedRecommender(Recommender):
    """A refined recommender, or one of its controls; made by `Refiner.fit`, or opened from disk by `open_recommender`.

    Attributes
    ----------
    data : SplitDataset
        Histories and catalogue; `SplitDataset.shown` says which part of a history lists and explanations start from.
    base_recommender : BaseRecommender
        What it refines.
    refined : HeadModel
        The fitted model inside, which knows indexes only.
    scores : AlignedScores
        Raw guided scores on all attributes.
    guided : GuidedEmbedding
        What stands as guided embedding: normalised scores on the attributes used, or those of a control.
    config, training, baselines : RefinementConfig, TrainingConfig, BaselineConfig
        How it was made.
    seed : int
        The seed from which all others descend.
    doubt : Doubt or None
        How far each score counted.
    neighbours : ItemKNNConfig or None
        Settings of the item-kNN next to the model.
    curve : pandas.DataFrame or None
        ``epoch, loss, ndcg`` of the training, where there was one.
    summary : dict
        Small facts of the fit.
    notices : tuple of Notice
        What was odd.
    run_id : str
        The refined run that it was opened from; empty in memory.
    rules : Adjustments or None
        Rules that are added to the refined scores, in lists and explanations; see `with_rules`. They are not stored.
    """

    data: SplitDataset
    base_recommender: BaseRecommender
    refined: HeadModel
    scores: AlignedScores
    guided: GuidedEmbedding
    config: RefinementConfig
    training: TrainingConfig
    baselines: BaselineConfig
    seed: int
    doubt: Doubt | None = None
    neighbours: ItemKNNConfig | None = None
    curve: pd.DataFrame | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    run_id: str = ""
    rules: Adjustments | None = None
    name: str = "refined"
    _naming: "_Naming" = field(default_factory=lambda: _Naming(), repr=False)

    @cached_property
    def facts(self) -> Facts:
        """Facts about items, as recent as the counts of popularity."""
        return facts_of(self.data, self.config, up_to_date(self.data))

    @cached_property
    def steerable(self) -> AttributeSchema:
        """Attributes, then facts that are numbers: what a list can be steered by."""
        return steerable_schema(self)

    @cached_property
    def steerable_values(self) -> npt.NDArray[np.float32]:
        """The items' values along them, ``[n_items, A + F]``, z-scores."""
        return steerable_values(self)

    @property
    def named(self) -> NamedModel:
        """The refined model with the names of its parts; fitted on first use, in about a second."""
        return self._naming.of(self)

    @property
    def base(self) -> BaseModel:
        """The base model, which knows indexes only."""
        return self.base_recommender.scorer

    @cached_property
    def item_scores(self) -> GuidedScores:
        """Raw scores of all items on the attributes used, in column order."""
        return self.scores.items.take(self.config.attributes)

    @property
    def schema(self) -> AttributeSchema:
        """The attributes used, in column order."""
        return self.item_scores.schema

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Where the model uses an attribute's mean for want of a score, ``[n_items, A]``."""
        return self.guided.missing

    @property
    def verb(self) -> InteractionVerb:
        """How to speak of the data set's interactions."""
        return self.data.dataset.verb(self.schema.domain)

    def model(self, name: str) -> ItemScorer:
        """Return the fitted ``"base"`` or ``"refined"`` model, the latter with rules where there are any.

        Raises
        ------
        UnknownIdError
            There is no model of this name.
        """
        models: dict[str, ItemScorer] = {"base": self.base, "refined": self._with_rules(self.refined)}
        if name not in models:
            raise UnknownIdError(f"unknown model {name!r}; there are {', '.join(models)}")
        return models[name]

    def showing(self, shown: Shown) -> "RefinedRecommender":
        """Return the same recommender with another part of each history shown; see `SplitDataset.shown`."""
        return replace(self, data=self.data.showing(shown))

    def with_rules(self, rules: Adjustments | None) -> "RefinedRecommender":
        """Return the same recommender with rules added to the refined scores; None or no rules take them away."""
        return replace(self, rules=rules if rules is not None and len(rules) else None)

    def _with_rules(self, model: ItemScorer) -> ItemScorer:
        return model if self.rules is None else AdjustedScorer(model, self.rules)

    def recommend(
        self,
        users: Sequence[str] | None = None,
        *,
        history: Sequence[str] | None = None,
        k: int = 10,
        shown: Shown = "full",
        unnamed: float = 1.0,
    ) -> pd.DataFrame:
        """Recommend the k best items that are not in the history; see `Recommender.recommend`.

        Parameters
        ----------
        users, history, k, shown
            As there.
        unnamed : float
            How much of what no name covers counts, 0 to 1: with 0 the lists are ranked by attributes, facts and
            item-kNN alone.
        """
        if not 0 <= unnamed <= 1:
            raise InputError(f"expected a weight from 0 to 1 for what no name covers, got {unnamed:g}")
        if unnamed == 1:
            return super().recommend(users, history=history, k=k, shown=shown)
        scorer = self._with_rules(NamedScorer(self.named, unnamed))
        return _ByName(self.data, scorer).recommend(users, history=history, k=k, shown=shown)

    def explain(
        self,
        user: str | None = None,
        item: str | None = None,
        *,
        history: Sequence[str] | None = None,
        shown: Shown = "full",
    ) -> Explanation:
        """Explain why an item stands where it stands in somebody's list.

        Parameters
        ----------
        user : str, optional
            User id.
        item : str, optional
            Item id; the first recommendation by default.
        history : sequence of str, optional
            Item ids, oldest first, of somebody the model has never seen; instead of `user`.
        shown : {"full", "train+valid", "train"}
            Which leading part of the user's history the model sees.

        Returns
        -------
        Explanation
            Its `ledger` sums to its `score`.

        Raises
        ------
        UnknownIdError
            The user or an item is not in the data set.
        InputError
            Neither user nor history is given, or both; or no item, and the history holds the whole catalogue.
        """
        if (user is None) == (history is None):
            raise InputError("expected a user or a history; give one of both")
        data = self.data.showing(shown)
        if user is not None:
            given = UserHistory.shown(data, data.dataset.users.index(str(user)))
        else:
            given = UserHistory(-1, data.dataset.items.indexes(as_texts(history or [], "history")))
        ranks = {name: item_ranks(self.model(name), given) for name in ("base", "refined")}
        wanted = first_recommendation(ranks["refined"], given) if item is None else data.dataset.items.index(str(item))
        return explain_item(replace(self, data=data), given.ask(wanted), ranks)

    @cached_property
    def attribute_weights(self) -> pd.DataFrame:
        """The learned weight of each attribute used: ``attribute, weight``."""
        weights = self.refined.weights().astype(np.float64)
        return pd.DataFrame({"attribute": self.schema.names, "weight": weights})

    def save(self, path: str | Path) -> str:
        """Store it as runs that the app and the command line list.

        What is stored there already is not stored twice.

        Parameters
        ----------
        path : path
            ``HOME/NAME``: a folder of runs (``runs`` is the app's own), and the name that the data set gets there.

        Returns
        -------
        str
            The id of the refined run.

        Raises
        ------
        DataError
            NAME is not made of lower-case letters, digits, ``-`` and ``_``.
        StorageError
            HOME cannot be written.
        """
        store, name = split_path(path)
        dataset = replace(self.data.dataset, name=name)
        data_run = found_or_written(
            store, "data", data_settings(dataset), {}, None, lambda s: write_dataset(store, dataset, s)
        )
        scores = scores_settings(self.scores)
        scores_run = found_or_written(
            store, "scores", scores, {"data": data_run}, None, lambda s: write_scores(store, self.scores, s, data_run)
        )
        base = self.base_recommender
        settings = base_settings(base, self.data.config.model_dump(mode="json"))
        base_run = found_or_written(
            store, "base", settings, {"data": data_run}, base.seed, lambda s: write_base(store, base, s, data_run)
        )
        inputs = {"base": base_run, "scores": scores_run}
        own = refined_settings(self.config, self.training, self.baselines)
        return found_or_written(store, "refined", own, inputs, self.seed, lambda s: self.write(store, s, inputs)).id

    def write(self, store: RunStore, settings: Mapping[str, Any], inputs: Mapping[str, Run]) -> Run:
        """Write it as a run of stage ``refined``.

        Parameters
        ----------
        store : RunStore
            Where to.
        settings : mapping
            See `writing.refined_settings`.
        inputs : mapping of str to Run
            Its ``base`` and ``scores``.
        """
        head, doubt = self.refined, self.doubt
        with store.create("refined", config=settings, inputs=inputs, seed=self.seed) as writer:
            if head.refined is not None:
                writer.write_arrays("weights", weight_arrays(head.refined))
                writer.write_arrays("frozen", head.refined.frozen())
            writer.write_arrays("head", head.arrays())
            writer.write_arrays("guided", self.guided.arrays())
            if doubt is not None:
                writer.write_arrays("doubt", {"weights": doubt.weights, "one_pass": doubt.one_pass})
            if self.curve is not None:
                writer.write_table("training", self.curve)
            if self.config.control == "none":
                writer.write_table("attribute_weights", self.attribute_weights)
            writer.write_json("notices", [notice.as_dict() for notice in self.notices])
            if self.neighbours is not None:
                writer.write_json("item_knn", self.neighbours.model_dump(mode="json"))
            writer.summary.update(self.summary)
        return writer.run

    def _fitted_on(self) -> tuple[SplitDataset, ItemScorer]:
        return self.data, self.model("refined")


@dataclass(frozen=True)
class _ByName(Recommender):
    """A refined recommender in whose lists what no name covers counts less."""

    data: SplitDataset
    scorer: ItemScorer
    name: str = "refined"

    def _fitted_on(self) -> tuple[SplitDataset, ItemScorer]:
        return self.data, self.scorer


def _fit_names(model: RefinedRecommender) -> NamedModel:
    """Name the parts of a recommender's scores by its attributes and facts."""
    columns = NamedColumns.of(model.schema, model.refined.item_values(), model.facts)
    # Where items are nothing but named columns, the regression only reads off what they were made of.
    penalties = (0.0,) if model.config.mode == "named" else PENALTIES
    return NamedModel.fit(model.refined, columns, *naming_inputs(model), penalties, model.seed)


def naming_inputs(model: RefinedRecommender) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64], Doubles]:
    """Return what `NamedModel.fit` regresses: item vectors, item weights, and the second moments of users' sides.

    An item counts by the root of its training interactions: vectors of items with more interactions are surer, and
    these items are recommended more often; with the plain number a few of them would decide alone.
    """
    data = model.data
    users = np.flatnonzero(data.split.n_train > 0)
    if len(users) > _NAMING_USERS:
        users = np.sort(generator(model.seed, "users for naming").choice(users, _NAMING_USERS, replace=False))
    lengths = data.split.n_train[users].tolist()
    histories = [data.sequences.history(user, length) for user, length in zip(users.tolist(), lengths, strict=True)]
    weights = np.sqrt(up_to_date(data).item_interactions.astype(np.float64))
    if model.config.mode == "named":  # nothing is estimated, so all items count alike
        weights = np.ones(len(weights))
    return named_vectors(model.refined), weights, user_moments(model.refined, users, histories)
