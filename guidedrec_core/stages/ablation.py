"""Stage ablation: what each attribute is worth. Nothing is chosen by what is found here."""

from dataclasses import replace

import numpy as np

from guidedrec_core.config import AblationConfig
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.evaluation.ablation import ALL, NONE, Choice, ablation_table, first_choices, single_choices
from guidedrec_core.models.base import BaseModel, FloatArray
from guidedrec_core.progress import Listener, Progress, StageProgress, silent
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import target_ranks
from guidedrec_core.recommenders.heads import head_cases, head_over, with_newer_counts
from guidedrec_core.recommenders.reading import load_base, load_refined
from guidedrec_core.refinement.controls import guided_table
from guidedrec_core.refinement.refined import RefinedModel
from guidedrec_core.runs.datasets import load_split_dataset
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import Identity, config_of, made_once
from guidedrec_core.stages.refinement import refine
from guidedrec_core.stages.scoring.passes import doubt_of

_REMEMBERED_NUMBERS = 128 * 1024 * 1024
"""Scores of the frozen base that are kept between fits at most: 512 MiB of float32."""


def ablate(store: RunStore, refined: Run, config: AblationConfig, listener: Listener = silent) -> Run:
    """Make the refined model anew from some of its attributes, and compare on the test part.

    One attribute is left out, one kept alone, and the first few are kept by the size of their learned weight. With
    mode ``head`` each is a head on the same frozen base, with every term but item-kNN and none of them chosen, so that
    heads differ in nothing but attributes; with the others each is trained, and kept as a refined run.

    Returns
    -------
    Run
        With the table ``ablation``; see `evaluation.ablation.ablation_table`.
    """
    settings, inputs = config.model_dump(mode="json"), {"refined": refined}
    identity = Identity("ablation", settings, inputs, refined.seed)
    return made_once(store, identity, lambda _: _ablate(store, refined, config, listener), listener)


def _ablate(store: RunStore, refined: Run, config: AblationConfig, listener: Listener) -> Run:
    """Make the models and compare them, and store what is found."""
    base, scores = store.open(refined.inputs["base"], "base"), store.open(refined.inputs["scores"], "scores")
    build = config_of(base, refined)
    wanted = build.refinement.model_copy(update={"mode": config.mode, "neighbours": "off"})
    prepared = load_split_dataset(store, base)
    all_scores = load_scores(scores)
    names = all_scores.take(wanted.attributes).schema.names
    places = range(len(names)) if wanted.attributes is None else wanted.attributes
    doubt = None if wanted.doubt == "ignore" else doubt_of(store, scores)[0]
    base_recommender = load_base(base, prepared)
    frozen = _Remembered(base_recommender.scorer)
    fitted_on = head_cases(prepared, build.seed)
    cases = prepared.test_cases

    def made(choice: Choice) -> RefinedModel:
        some = {"attributes": tuple(places[a] for a in choice.attributes)} if choice.attributes else {}
        chosen = wanted.model_copy(update={**some, "control": "none" if some else "second_training"})
        if config.mode != "head":
            run = refine(store, base, scores, build.model_copy(update={"refinement": chosen}), within(choice))
            return load_refined(run, base_recommender, scores).refined
        some_doubt = None if doubt is None else doubt.take(chosen.attributes)
        guided = guided_table(prepared.dataset, all_scores, chosen, build.encoder.width, build.seed, some_doubt)
        head = head_over(frozen, None, guided, chosen, prepared)
        head.fit(*fitted_on)
        return with_newer_counts(head, prepared, chosen)

    def within(choice: Choice) -> Listener:
        def hear(event: Progress) -> None:
            message = f"{choice.kind} {choice.attribute}, {event.message}"
            listener(replace(event, stage="ablation", step=progress.done, total=progress.total, message=message))

        return hear

    every = Choice(ALL, "", tuple(range(len(names))))
    choices = [every, Choice(NONE, "", ()), *single_choices(names), *first_choices(names, np.ones(len(names)))]
    progress = StageProgress("ablation", len({choice.attributes for choice in choices}), listener)
    progress.say("all attributes")
    full = made(every)
    choices = [*choices[: 2 + 2 * len(names)], *first_choices(names, full.weights())]
    ranks: dict[Choice, IntArray] = {}
    known: dict[tuple[int, ...], IntArray] = {}
    for choice in choices:
        if choice.attributes not in known:
            model = full if choice is every else made(choice)
            known[choice.attributes] = target_ranks(model, prepared.sequences, cases)
            progress.step(f"{choice.kind} {choice.attribute}".strip())
        ranks[choice] = known[choice.attributes]
    table = ablation_table(ranks, cases.users, config.bootstrap_samples, generator(build.seed, "ablation"))
    settings = config.model_dump(mode="json")
    with store.create("ablation", config=settings, inputs={"refined": refined}, seed=refined.seed) as writer:
        writer.write_table("ablation", table)
        writer.summary.update(mode=config.mode, attributes=len(names), n_cases=len(cases))
    return writer.run


class _Remembered:
    """A frozen base model that scores each batch once, as far as memory allows."""

    def __init__(self, model: BaseModel) -> None:
        self.model = model
        self.n_items = model.n_items
        self._scores: dict[tuple[bytes, bytes], FloatArray] = {}
        self._room = _REMEMBERED_NUMBERS

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for a batch of users, shape ``[B, n_items]``."""
        key = users.tobytes(), np.array([len(h) for h in histories]).tobytes()
        if key in self._scores:
            return self._scores[key]
        scores = self.model.scores(users, histories)
        if scores.size <= self._room:
            self._room -= scores.size
            self._scores[key] = scores
        return scores

    def user_vectors(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return the model's vectors of users."""
        return self.model.user_vectors(users, histories)

    def item_embedding(self) -> FloatArray:
        """Return the model's item vectors."""
        return self.model.item_embedding()

    def item_bias(self) -> FloatArray:
        """Return what the model adds to each item's scores."""
        return self.model.item_bias()
