"""Scores that passes disagree on count less in a refinement, its controls and its previews, if that is asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from numpy.testing import assert_allclose, assert_array_equal

from guidedrec_core import stages
from guidedrec_core.config import AblationConfig, BuildConfig, EncoderConfig, RefinementConfig, TrainingConfig
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.items.new_item import preview
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.reliability.doubt import score_doubt
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages import pipeline
from guidedrec_core.stages.pipeline import refine_task
from guidedrec_core.stages.scoring.passes import doubt_of

DOUBTFUL = 1
"""The attribute that passes disagree on."""


class Shop:
    """The tiny shop with scores of three passes, and the same without."""

    def __init__(self, folder: Path) -> None:
        files = tiny.write_shop(folder)
        self.store = RunStore(folder / "home")
        self.data = stages.store_dataset(self.store, import_dataset("csv", files.interactions, "tiny"))
        self.once = stages.score_attributes(self.store, self.data, files.scores)
        rng = np.random.default_rng(0)
        values = load_scores(self.once).values
        passes = values + np.array([0.5, 2.0, 0.3]) * rng.normal(size=(3, *values.shape))
        passes[:, 20:] = np.nan
        passes[0, 20:] = values[20:]  # the other half is scored once
        self.passes = passes.clip(0, 10).astype(np.float32)
        self.scores = self.scored(self.passes)
        self.base = stages.train_base(self.store, self.data, self.config())

    def scored(self, passes: np.ndarray) -> Run:
        missing = np.isnan(passes).all(axis=0)
        medians = np.where(missing, np.nan, np.nanmedian(np.where(missing, 0, passes), axis=0))
        config = {"scoring": {"model": "toy", "passes": len(passes)}}
        with self.store.create("scores", config=config, inputs={"data": self.data}) as writer:
            writer.write_json("attributes", self.once.read_json("attributes"))
            writer.write_json("notices", [])
            writer.write_array("item_scores", medians.astype(np.float32))
            writer.write_array("item_passes", passes)
            writer.write_array("item_positions", np.ones(passes.shape[:2], dtype=np.float32))
            writer.summary.update(self.once.summary)
        return writer.run

    def config(self, **refinement: Any) -> BuildConfig:
        return BuildConfig(
            encoder=EncoderConfig(width=8, heads=2, feedforward=8, max_length=6),
            training=TrainingConfig(threads=1, max_epochs=1, warmup_steps=4, batch_size=16, device="cpu"),
            refinement=RefinementConfig(**{"mode": "head", **refinement}),
        )

    def refine(self, scores: Run | None = None, control: str | None = None, **refinement: Any) -> Run:
        config = self.config(**{"doubt": "shrink", **refinement})
        return stages.refine(self.store, self.base, scores or self.scores, config, control=control)

    def table(self, run: Run) -> np.ndarray:
        return run.read_arrays("guided")["values"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


def notices(run: Run) -> dict[str, str]:
    return {notice["code"]: notice["message"] for notice in run.read_json("notices")}


@pytest.mark.parametrize("normalisation", ["z", "white"])
def test_scores_count_as_the_passes_agree(shop: Shop, normalisation: Any) -> None:
    run = shop.refine(normalisation=normalisation)
    raw = load_scores(shop.scores).values
    doubt = score_doubt(raw, shop.passes, np.zeros(raw.shape, dtype=bool))
    assert doubt.one_pass.argmin() == DOUBTFUL
    assert_array_equal(shop.table(run), GuidedEmbedding.of(raw, normalisation, doubt.weights).values)
    off = shop.refine(normalisation=normalisation, doubt="ignore")
    spread = shop.table(run).std(axis=0) / shop.table(off).std(axis=0)
    assert spread[DOUBTFUL] < 0.85 < spread[[0, 2]].min()
    said = notices(run)["doubted_scores"]
    assert "20 items scored repeatedly" in said
    assert f"{100 * doubt.one_pass[1]:.0f} % on style_focus, the most doubtful" in said


@pytest.mark.parametrize("mode", ["head", "additive", "literal"])
def test_an_opened_run_is_what_was_fitted(shop: Shop, mode: str) -> None:
    run = shop.refine(mode=mode)
    system = open_refined(shop.store, run.id)
    assert_array_equal(system.refined.item_values(), shop.table(run))
    raw = load_scores(shop.scores).values
    # The head's whitening is that of the scores in full, or doubt were undone in it.
    assert_allclose(system.refined.mix, GuidedEmbedding.of(raw).whitener(), atol=1e-5)
    assert stages.refine(shop.store, shop.base, shop.scores, shop.config(mode=mode, doubt="shrink")) == run


def test_off_is_as_ever(shop: Shop) -> None:
    plain = shop.config()
    assert "doubt" not in plain.refinement.model_dump(mode="json")
    assert RefinementConfig.parse(plain.refinement.model_dump(mode="json")).doubt == "ignore"
    run = stages.refine(shop.store, shop.base, shop.scores, plain)
    assert "doubt" not in run.config["refinement"]
    assert "doubt.safetensors" not in run.manifest.files
    assert run.read_arrays("guided").keys() == {"values", "missing"}
    assert_array_equal(shop.table(run), GuidedEmbedding.of(load_scores(shop.scores).values).values)
    assert shop.refine(doubt="ignore") == run
    assert shop.refine() != run


def test_where_nothing_was_scored_twice_all_counts_in_full(shop: Shop) -> None:
    run = shop.refine(shop.once)
    assert_array_equal(shop.table(run), shop.table(shop.refine(shop.once, doubt="ignore")))
    assert "no item was scored twice" in notices(run)["nothing_scored_twice"]
    assert preview(open_refined(shop.store, run.id), {"warmth": 5}).ranks.any()


def test_controls_get_the_same_treatment_where_they_use_scores(shop: Shop) -> None:
    own = shop.table(shop.refine())
    shuffled = shop.table(shop.refine(control="placebo"))
    assert not np.array_equal(shuffled, own)
    assert_array_equal(np.sort(shuffled.view("f4,f4,f4"), axis=0), np.sort(own.view("f4,f4,f4"), axis=0))
    assert_array_equal(shop.table(shop.refine(control="guided_only")), own)
    assert shop.table(shop.refine(control="second_training")).shape == (40, 0)
    placebo = open_refined(shop.store, shop.refine(control="placebo").id).refined
    assert_array_equal(placebo.mix, open_refined(shop.store, shop.refine().id).refined.mix)


def test_some_attributes_count_as_they_do_among_all(shop: Shop) -> None:
    both = shop.table(shop.refine(attributes=(2, 1)))
    assert_array_equal(both, shop.table(shop.refine())[:, [2, 1]])
    table = stages.ablate(shop.store, shop.refine(), AblationConfig(bootstrap_samples=100)).read_table("ablation")
    assert len(table)


def test_what_a_person_says_is_beyond_doubt(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    stages.override_score(shop.store, shop.data, "item-03", "style_focus", 9.5, "Ann", "it is a tent")
    scores = stages.find_scores(shop.store, shop.data)
    assert scores.inputs["scores"] == shop.scores.id
    doubt, _ = doubt_of(shop.store, scores)
    assert doubt is not None
    assert doubt.weights[3, DOUBTFUL] == 1
    assert doubt.weights[4, DOUBTFUL] < 0.95
    assert doubt.weights[3, 0] < 1


def test_attributes_of_noise_count_for_nothing_and_are_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    passes = shop.passes.copy()
    passes[:, :, DOUBTFUL] = np.where(np.arange(3)[:, None] == 0, 0, 10)
    passes[:, 0, DOUBTFUL] = [0, 9, 9]
    run = shop.refine(shop.scored(passes))
    assert not shop.table(run)[:, DOUBTFUL].any()
    assert shop.table(run)[:, 0].any()
    assert "count for nothing: style_focus;" in notices(run)["attributes_of_noise"]
    system = open_refined(shop.store, run.id)
    found = preview(system, {"warmth": 9, "style_focus": 9})
    assert_array_equal(found.ranks, preview(system, {"warmth": 9, "style_focus": 1}).ranks)
    alone = shop.refine(shop.scored(passes), attributes=(DOUBTFUL,))
    assert np.isfinite(
        open_refined(shop.store, alone.id).refined.scores(np.arange(2), [np.array([1]), np.array([2])])
    ).all()


@pytest.mark.parametrize("refinement", [{}, {"normalisation": "white"}], ids=str)
def test_a_new_item_counts_as_one_that_was_scored_once(shop: Shop, refinement: dict[str, Any]) -> None:
    system = open_refined(shop.store, shop.refine(**refinement).id)
    twin = 25  # scored once
    scores = dict(zip(system.schema.names, map(float, system.item_scores.values[twin]), strict=True))
    found = preview(system, scores)
    assert found.near["item_id"].iloc[0] == system.data.dataset.items.id(twin)
    assert found.near["similarity"].iloc[0] == pytest.approx(1, abs=1e-5)
    if refinement:
        return
    everyone = found.contributions.set_index("part")["everyone"]
    users = np.arange(len(system.data.dataset.users))
    parts = system.refined.parts(users, [system.data.shown_history(user) for user in users.tolist()])
    assert_allclose(
        everyone[:-1], (parts.slopes * shop.table(shop.store.open(system.run_id))[twin]).mean(axis=0), atol=1e-5
    )


def test_refining_anew_can_change_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for stage in ("evaluate", "project_items"):  # which follow, and take longer
        monkeypatch.setattr(pipeline, stage, lambda *_: None)
    earlier = shop.refine(doubt="ignore")
    arguments = {"run": earlier.id, "doubt": "shrink"}
    made = shop.store.open(refine_task(arguments, shop.store.home, lambda _: None))
    assert made == shop.refine()
    assert shop.store.open(refine_task({"run": made.id}, shop.store.home, lambda _: None)) == made
    assert refine_task({"run": made.id, "doubt": "ignore"}, shop.store.home, lambda _: None) == earlier.id
