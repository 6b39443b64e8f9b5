"""Refining in every mode and with every control, from a base run to the opened system, and any base before it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from numpy.testing import assert_array_equal
from refine_shop import GRID, Shop

from guidedrec_core import stages
from guidedrec_core.cases.case import build_case
from guidedrec_core.config import (
    ExternalConfig,
    RefinementConfig,
    SplitConfig,
)
from guidedrec_core.errors import ConfigError
from guidedrec_core.evaluation.report import MODELS, REFINED
from guidedrec_core.explanation.ledger import ledgers
from guidedrec_core.recommenders.reading import load_base, load_refined, open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.refinement import head_fit
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import Run

MODES = ("additive", "literal", "head", "named")
CONTROLS = ("none", "placebo", "random_vectors", "categories", "second_training", "guided_only")
KINDS = ("sasrec", "gru4rec", "bert4rec", "external")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


def shown(system: RefinedRecommender) -> tuple[np.ndarray, list[np.ndarray]]:
    users = np.array([0, 7, 30, -1])
    return users, [*(system.data.shown_history(u) for u in users[:3].tolist()), np.array([3, 5])]


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_and_control_is_opened_as_it_was_stored(
    mode: str, control: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    arrays = HeadModel.arrays
    monkeypatch.setattr(HeadModel, "arrays", lambda model: (made.append(model), arrays(model))[1])
    run = shop.refine(mode=mode, control=control, neighbours="off")
    assert (run.summary["mode"], run.summary["control"]) == (mode, control)
    system = open_refined(shop.store, run.id)
    users, histories = shown(system)
    scores, parts = system.refined.scores(users, histories), system.refined.parts(users, histories)
    assert len(made) == 1
    assert_array_equal(scores, made[0].scores(users, histories))
    assert np.isfinite(scores).all()
    weighed = [*["base"] * (control != "guided_only" and mode != "named"), *["refined"] * (mode != "head")]
    assert [*run.summary["head"]] == [*weighed, "popularity"]
    assert (
        len(run.summary["head"]["popularity"]) == 1
    )  # nothing is of late where training ends when a user's history does
    assert [run.summary["head"][name] for name in weighed] == run.read_arrays("head")["models"].tolist()
    total = parts.slopes @ system.refined.item_values().T + parts.remainder + parts.bias
    np.testing.assert_allclose(total, scores, atol=1e-5, rtol=1e-5)
    assert system.refined.n_attributes == {"categories": 3, "second_training": 0}.get(control, 3)
    assert not list((shop.store.home / "checkpoints").glob("*"))


def test_controls_put_other_tables_in_place_of_the_scores(shop: Shop) -> None:
    own = GuidedEmbedding.of(load_scores(shop.scores).values).values

    def table(control: str) -> np.ndarray:
        return shop.refine(mode="head", control=control).read_arrays("guided")["values"]

    assert_array_equal(table("none"), own)
    assert_array_equal(np.sort(table("placebo"), axis=0), np.sort(own, axis=0))
    assert (table("placebo") != own).any()
    assert table("second_training").shape == (40, 0)
    noise = np.corrcoef(table("random_vectors").T, own.T)[:3, 3:]
    assert np.abs(noise).max() < 0.5
    frame = load_dataset(shop.data).catalogue.frame
    for column, category in zip(table("categories").T, ("socks", "stoves", "tents"), strict=True):
        assert_array_equal(column > 0, frame["category"] == category)


@pytest.mark.parametrize("kind", ["gru4rec", "bert4rec", "external"])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_goes_on_every_kind_of_base(mode: str, kind: str, shop: Shop) -> None:
    run = shop.refine(kind, mode=mode)
    system = open_refined(shop.store, run.id)
    users, histories = shown(system)
    parts = system.refined.parts(users, histories)
    assert_array_equal(parts.scores, open_refined(shop.store, run.id).refined.scores(users, histories))
    total = parts.slopes @ system.refined.item_values().T + parts.remainder + parts.bias
    np.testing.assert_allclose(total, parts.scores, atol=1e-5, rtol=1e-5)
    assert_array_equal(system.base.item_embedding(), load_base(shop.base(kind), system.data).scorer.item_embedding())


@pytest.mark.parametrize("normalisation", ["z", "white"])
@pytest.mark.parametrize("mode", MODES)
def test_an_ablation_knows_only_the_attributes_kept(mode: str, normalisation: str, shop: Shop) -> None:
    run = shop.refine(mode=mode, attributes=(0, 2), normalisation=normalisation)
    kept = [tiny.ATTRIBUTES[0], tiny.ATTRIBUTES[2]]
    expected = GuidedEmbedding.of(load_scores(shop.scores).values[:, [0, 2]], normalisation)
    assert_array_equal(run.read_arrays("guided")["values"], expected.values)
    system = open_refined(shop.store, run.id)
    assert list(system.schema.names) == kept
    assert_array_equal(system.item_scores.values, load_scores(shop.scores).values[:, [0, 2]])
    table = next(ledgers(system.refined, system.schema.names, system.data, np.array([3]), 2))
    assert table["part"].tolist() == [*kept, "remainder", "bias"] * 2
    assert build_case(system, "user-03").profile["attribute"].tolist() == kept


def test_an_ablation_of_attributes_that_do_not_exist_is_refused(shop: Shop) -> None:
    for attributes in ((0, 3), (1, 1)):
        with pytest.raises(ConfigError, match="different positions of attributes, 0 to 2, got"):
            shop.refine(mode="head", attributes=attributes)


@pytest.mark.parametrize("mode", MODES)
def test_item_knn_stands_beside_the_model_and_counts_as_remainder(mode: str, shop: Shop) -> None:
    run = shop.refine(mode=mode, neighbours="on")
    assert run.read_json("item_knn")["decay"] == 0.8
    system = open_refined(shop.store, run.id)
    users, histories = shown(system)
    parts = system.refined.parts(users, histories)
    total = parts.slopes @ system.refined.item_values().T + parts.remainder + parts.bias
    np.testing.assert_allclose(total, system.refined.scores(users, histories), atol=1e-5, rtol=1e-5)
    weight = run.summary["head"]["item_knn"]
    assert weight != 0
    refined: Any = system.refined
    beside, refined.neighbours = refined.neighbours, Silent()
    alone = refined.parts(users, histories)
    added = weight * beside.scores(users, histories)
    np.testing.assert_allclose(parts.remainder - alone.remainder, added, atol=1e-5)
    for name in ("profile", "slopes", "bias"):
        assert_array_equal(getattr(parts, name), getattr(alone, name))
    assert shop.refine(mode=mode, neighbours="on").id == run.id


@pytest.mark.parametrize("control", ["none", "placebo", "second_training"])
def test_item_knn_stands_there_only_where_validation_chose_it(control: str, shop: Shop) -> None:
    """Controls choose in the same way, each for itself."""
    run = shop.refine(mode="head", control=control)
    assert run.config["refinement"]["neighbours"] == "auto"
    chosen = run.summary["head_choice"]
    assert chosen["neighbours"] == ("item_knn.json" in run.manifest.files) == ("item_knn" in run.summary["head"])
    assert chosen["base_alone"] == (run.read_arrays("head")["models"].tolist() == [1.0])
    assert chosen["base_alone"] == any(notice["code"] == "head_fell_back" for notice in run.read_json("notices"))
    assert (run.read_arrays("head")["models"] >= 0).all()


class Silent:
    """Item-kNN of a shop where nothing goes together."""

    def scores(self, users: np.ndarray, histories: list[np.ndarray], items: np.ndarray | None = None) -> np.ndarray:
        return np.zeros((len(histories), 40 if items is None else len(items)), np.float32)


def test_a_model_with_item_knn_is_named_by_what_that_was_chosen_from(shop: Shop) -> None:
    first = shop.refine(mode="head", neighbours="on")
    config = shop.config(mode="head", neighbours="on")
    grid = GRID.model_copy(update={"decay": (0.5,)})
    other = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"baselines": grid})})
    second = stages.refine(shop.store, shop.base(), shop.scores, other)
    assert second.id != first.id
    assert second.read_json("item_knn")["decay"] == 0.5


def test_guided_scores_alone_have_no_item_knn_beside_them(shop: Shop) -> None:
    for mode in MODES:
        run = shop.refine(mode=mode, neighbours="on", control="guided_only")
        assert "item_knn.json" not in run.manifest.files


def test_an_external_base_is_known_by_its_content(shop: Shop, tmp_path: Path) -> None:
    run = shop.base("external")
    elsewhere = tmp_path / shop.vectors.name
    elsewhere.write_bytes(shop.vectors.read_bytes())
    config = shop.config("external")
    moved = config.model_copy(update={"external": ExternalConfig(item_vectors=(str(elsewhere),))})
    assert stages.train_base(shop.store, shop.data, moved).id == run.id
    assert str(shop.vectors) not in str(run.config)
    ids = load_dataset(shop.data).items.ids.astype(str)
    np.savez(elsewhere, ids=ids, vectors=np.random.default_rng(9).normal(size=(40, 5)))
    assert stages.train_base(shop.store, shop.data, moved).id != run.id


@pytest.mark.parametrize("mode", MODES)
def test_an_external_base_goes_all_the_way(mode: str, shop: Shop) -> None:
    config = shop.config("external", mode=mode)
    refined = shop.refine("external", mode=mode)
    evaluation = stages.evaluate(shop.store, refined, config)
    assert {"base", "refined", "placebo", "second_training"} <= set(evaluation.read_table("metrics")["model"])
    if mode == "additive":
        projection = stages.project_items(shop.store, refined, config)
        assert projection.read_array("refined").shape == (40, 2)


@pytest.mark.parametrize("mode", ["additive", "head"])
def test_all_controls_are_measured_and_compared(mode: str, shop: Shop) -> None:
    config = shop.config(mode=mode)
    every = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"controls": "all"})})
    evaluation = stages.evaluate(shop.store, shop.refine(mode=mode), every)
    assert set(evaluation.read_table("metrics")["model"]) == set(MODELS)
    differences = evaluation.read_table("differences")
    own = differences[differences["model"] == REFINED]
    assert set(own["against"]) == set(MODELS) - {REFINED}
    assert evaluation.read_json("notices") == []
    for role, control in (
        ("random_vectors", "random_vectors"),
        ("categories", "categories"),
        ("guided_only", "guided_only"),
    ):
        arm = shop.store.open(evaluation.inputs[role], "refined")
        assert arm.summary["control"] == control
        assert arm.config["training"] == shop.refine(mode=mode).config["training"]


def test_a_catalogue_without_categories_leaves_that_control_out_and_says_so(tmp_path: Path) -> None:
    shop = Shop(tmp_path, categories=False)
    config = shop.config(mode="head")
    every = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"controls": "all"})})
    evaluation = stages.evaluate(shop.store, shop.refine(mode="head"), every)
    assert set(evaluation.read_table("metrics")["model"]) == set(MODELS) - {"categories"}
    notices = evaluation.read_json("notices")
    assert [notice["code"] for notice in notices] == ["categories_left_out"]
    with pytest.raises(ConfigError, match="at least two categories"):
        shop.refine(mode="head", control="categories")


def test_items_that_first_appear_after_the_training_period_are_ranked_by_their_scores(tmp_path: Path) -> None:
    """With such items among the validation targets the anchored form is taken without asking."""
    shop = Shop(tmp_path, late=True)
    temporal = {"split": SplitConfig(kind="temporal", valid_fraction=0.2, test_fraction=0.2)}
    config = shop.config(neighbours="off").model_copy(update=temporal)
    base = stages.train_base(shop.store, shop.data, config)
    run = stages.refine(shop.store, base, shop.scores, config)
    system = open_refined(shop.store, run.id)
    cold = system.data.item_interactions == 0
    head, inner = opened(system.refined)
    assert inner.anchored
    assert 0 < cold.sum() == run.summary["cold_items"] < 40
    for known in (head.cold, inner.cold.numpy()):
        assert_array_equal(known, cold)
    assert head.cold_offset == run.summary["cold_offset"] != 0
    # An opened model knows what was taken up to the end of validation, but the items its training never saw stay cold.
    newer = system.data.refreshed
    assert (newer.item_interactions[cold] > 0).any()
    counted = [newer.item_interactions, *(newer.decayed_interactions(h) for h in (0.2, 1.0))]
    for column, counts in zip(head.popularity.T, [np.log1p(each) for each in counted], strict=True):
        np.testing.assert_allclose(column, (counts - counts.mean()) / counts.std(), atol=1e-5)
    assert len(run.summary["head"]["popularity"]) == 3
    parts = head.parts(np.array([0]), [system.data.shown_history(0)])
    assert np.ptp(parts.remainder[:, cold]) < 1e-5 < np.ptp(parts.remainder)
    evaluation = stages.evaluate(shop.store, run, config)
    assert evaluation.summary["n_cases"] > 0
    placebo = shop.store.open(evaluation.inputs["placebo"], "refined")
    assert placebo.summary["cold_items"] == cold.sum()
    off = config.model_copy(update={"refinement": RefinementConfig(cold="off")})
    refined = stages.refine(shop.store, base, shop.scores, off)
    plain = load_refined(refined, system.base_recommender, shop.scores).refined
    head, inner = opened(plain)
    assert (inner.anchored, head.cold_offset) == (False, 0.0)


def opened(model: Any) -> tuple[HeadModel, AdditiveRefinedModel]:
    """Return the head of an additive run, and the trained model in it."""
    assert isinstance(model, HeadModel)
    assert isinstance(model.refined, AdditiveRefinedModel)
    return model, model.refined


def test_the_anchored_form_is_not_taken_where_no_validation_target_asks_for_it(shop: Shop) -> None:
    for cold, anchored in (("auto", False), ("anchored", True), ("off", False)):
        run = shop.refine(cold=cold)
        assert opened(open_refined(shop.store, run.id).refined)[1].anchored == anchored


def test_a_head_ranks_cold_items_where_validation_or_the_user_asks_for_it(shop: Shop) -> None:
    for cold, ranked in (("auto", False), ("anchored", True), ("off", False)):
        run = shop.refine(mode="head", cold=cold)
        head: Any = open_refined(shop.store, run.id).refined
        assert head.ranks_cold == ranked


def test_a_head_that_did_not_converge_is_noted_in_the_run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_fit, "MAX_ITERATIONS", 1)
    short = shop.refine(mode="head", head_penalty=0.3)
    assert [notice["code"] for notice in short.read_json("notices")] == ["head_not_converged"]
    monkeypatch.undo()
    whole = shop.refine(mode="head", head_penalty=0.4)
    assert whole.read_json("notices") == []
    assert whole.read_arrays("head")["convergence"][0] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_no_base_model_holds_a_guided_column(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit the same base, whether there are no scores at all, these, or others; and it never reads any."""
    shop = Shop(tmp_path, scores=False)
    alone = shop.base(kind).read_arrays("weights")
    shop.store.delete(shop.base(kind).id)
    shop.score()

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the base stage asked for scores")

    opened = Run.__dict__["read_array"]

    def guarded(run: Run, name: str, *rest: Any, **more: Any) -> Any:
        assert run.info.stage != "scores", f"the base stage read {name} of a scores run"
        return opened(run, name, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "read_array", guarded)
        for name in ("load_scores", "load_aligned_scores"):
            patch.setattr(f"guidedrec_core.runs.scores.{name}", refuse)
        beside = shop.base(kind).read_arrays("weights")
    assert alone.keys() == beside.keys()
    for name, value in alone.items():
        assert_array_equal(value, beside[name])
    run = shop.refine(kind)
    # Refining leaves the base as it is, too.
    for name, value in shop.store.open(run.inputs["base"], "base").read_arrays("weights").items():
        assert_array_equal(value, alone[name])
