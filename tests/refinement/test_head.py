"""The head: its gradient, what it recovers, and that it weighs nothing where there is nothing to learn."""

from typing import Any

import numpy as np
import pytest
from tiny import arrays

from guidedrec_core.config import RefinementConfig
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.refinement import head as module
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel, fit_head

V, N, A = 600, 60, 3


def problem(seed: int = 0) -> dict[str, Any]:
    """Draw targets from a known head over two models."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(2, V, N)).astype(np.float32) * np.array([2.0, 0.5], np.float32)[:, None, None]
    guided, profiles = (rng.normal(size=(count, A)).astype(np.float32) for count in (N, V))
    popularity = rng.normal(size=N).astype(np.float32)
    seen = rng.random((V, N)) < 0.1
    logits = 0.7 * scores[0] + 1.5 * scores[1] + 0.8 * popularity
    logits = logits + (np.array([0.9, 0.0, -0.6]) * profiles + np.array([0.0, 0.5, 0.0])) @ guided.T
    logits[seen] = -np.inf
    targets = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return {
        **{"scores": scores, "seen": seen, "targets": targets, "popularity": popularity},
        **{"profiles": profiles, "guided": guided},
    }


@pytest.mark.parametrize("n_models", [0, 1, 2])
@pytest.mark.parametrize("n_attributes", [0, A])
def test_the_gradient_is_that_of_the_loss(n_models: int, n_attributes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    known = problem()
    known |= {name: known[name][:, :n_attributes] for name in ("profiles", "guided")}
    known["scores"] = known["scores"][:n_models]
    asked: list[Any] = []

    def catch(loss: Any, start: np.ndarray, **_: Any) -> Any:
        asked.extend((loss, start))
        return real(loss, start, **_)

    real = module.minimize
    monkeypatch.setattr(module, "minimize", catch)
    fit_head(**known, penalty=2.0)
    loss, start = asked
    assert len(start) == n_models + 1 + 2 * n_attributes
    x = start + np.random.default_rng(1).normal(size=len(start)) * 0.3
    gradient, step = loss(x)[1], 1e-2
    for place in range(len(x)):
        ahead, behind = x.copy(), x.copy()
        ahead[place] += step
        behind[place] -= step
        assert gradient[place] == pytest.approx((loss(ahead)[0] - loss(behind)[0]) / (2 * step), rel=0.01, abs=0.3)


def test_planted_weights_are_found() -> None:
    learned = fit_head(**problem(), penalty=0.01)
    np.testing.assert_allclose(learned.models, [0.7, 1.5], atol=0.25)
    assert learned.popularity == pytest.approx(0.8, abs=0.2)
    np.testing.assert_allclose(learned.profile, [0.9, 0.0, -0.6], atol=0.2)
    np.testing.assert_allclose(learned.everyone, [0.0, 0.5, 0.0], atol=0.2)


def test_weights_do_not_depend_on_the_scale_of_a_models_scores() -> None:
    known = problem()
    first = fit_head(**known, penalty=0.01)
    # In powers of two, so that rounding is the same.
    known["scores"] = known["scores"] * np.array([64.0, 0.125], np.float32)[:, None, None]
    np.testing.assert_allclose(fit_head(**known, penalty=0.01).models * [64.0, 0.125], first.models, rtol=0.02)


def test_a_huge_penalty_leaves_the_base_alone() -> None:
    learned = fit_head(**problem(), penalty=1e9)
    np.testing.assert_allclose(learned.models, [1.0, 0.0], atol=1e-3)
    rest = [learned.popularity, *learned.profile, *learned.everyone]
    np.testing.assert_allclose(rest, 0, atol=1e-3)


def test_a_shuffled_table_gets_no_weight() -> None:
    known = problem()
    known["guided"] = np.random.default_rng(5).permutation(known["guided"])
    placebo = fit_head(**known, penalty=1.0)
    own = fit_head(**problem(), penalty=1.0)
    assert np.abs(placebo.profile).max() < 0.2 < np.abs(own.profile).max()


def test_weights_are_fitted_without_attributes_or_models() -> None:
    known = problem()
    bare = {**known, "profiles": known["profiles"][:, :0], "guided": known["guided"][:, :0]}
    learned = fit_head(**bare, penalty=0.01)
    assert learned.profile.shape == learned.everyone.shape == (0,)
    assert learned.models[1] > learned.models[0] > 0
    alone = fit_head(**{**known, "scores": known["scores"][:0]}, penalty=0.01)
    assert alone.models.shape == (0,)
    assert alone.profile[0] > 0.2


HISTORIES = arrays([[1, 2], [3], [0, 5, 7], [9], [8, 8]])
USERS = np.array([0, 1, -1, 3, 4])
RNG = np.random.default_rng(2)
RAW = RNG.uniform(0, 10, (N, A)).astype(np.float32)
RAW[2, 1] = np.nan
GUIDED = GuidedEmbedding.of(RAW)
POPULARITY = RNG.normal(size=N).astype(np.float32)
BASE = ExternalModel(
    RNG.normal(size=(N, 5)).astype(np.float32), "dot", 0.8, None, None, RNG.normal(size=N).astype(np.float32)
)


def head(models: list[Any], guided: GuidedEmbedding = GUIDED, penalty: float = 1.0) -> HeadModel:
    config = RefinementConfig(mode="head", head_penalty=penalty)
    return HeadModel(models, BASE.item_embedding(), guided, POPULARITY, config)


@pytest.mark.parametrize("n_models", [0, 1, 2])
@pytest.mark.parametrize("guided", [GUIDED, GUIDED.take([])])
def test_stored_weights_give_the_same_scores(n_models: int, guided: GuidedEmbedding) -> None:
    models = [BASE, BASE.with_decay(0.3)][:n_models]
    first, second = head(models, guided), head(models, guided)
    first.fit(USERS, HISTORIES, np.array([10, 11, 12, 13, 14]))
    second.load(first.arrays())
    np.testing.assert_array_equal(second.scores(USERS, HISTORIES), first.scores(USERS, HISTORIES))
    assert first.weights().shape == (guided.values.shape[1],)
    if n_models:
        assert not np.allclose(first.scores(USERS, HISTORIES), head(models, guided).scores(USERS, HISTORIES))


def test_not_fitted_or_held_down_it_is_the_base_model() -> None:
    own = BASE.scores(USERS, HISTORIES)
    held = head([BASE], penalty=1e12)
    held.fit(USERS, HISTORIES, np.array([10, 11, 12, 13, 14]))
    for model in (head([BASE]), held):
        np.testing.assert_allclose(model.scores(USERS, HISTORIES), own, atol=1e-4)


def test_scores_follow_the_formula() -> None:
    model = head([BASE])
    model.fit(USERS, HISTORIES, np.array([10, 11, 12, 13, 14]))
    learned = model.learned
    profile = model.parts(USERS, HISTORIES).profile
    expected = learned.models[0] * BASE.scores(USERS, HISTORIES) + learned.popularity * POPULARITY
    expected = expected + (learned.profile * profile + learned.everyone) @ GUIDED.values.T
    np.testing.assert_allclose(model.scores(USERS, HISTORIES), expected, atol=1e-4)


def test_over_a_refined_model_the_attributes_stay_its_own() -> None:
    """Weighing a refined model against another keeps the meaning of its ledger: slopes only scale."""
    inner = head([BASE])
    inner.fit(USERS, HISTORIES, np.array([10, 11, 12, 13, 14]))
    config = RefinementConfig(mode="additive", neighbours=True)
    outer = HeadModel([inner, BASE], BASE.item_embedding(), GUIDED, POPULARITY, config, attributes=False)
    outer.fit(USERS, HISTORIES, np.array([20, 21, 22, 23, 24]))
    assert not outer.learned.profile.any()
    assert not outer.learned.everyone.any()
    tau = np.float32(outer.learned.models[0])
    own, whole = inner.parts(USERS, HISTORIES), outer.parts(USERS, HISTORIES)
    np.testing.assert_allclose(whole.slopes, tau * own.slopes, rtol=1e-5)
    np.testing.assert_array_equal(whole.profile, own.profile)
    np.testing.assert_allclose(outer.weights(), tau * inner.weights(), rtol=1e-5)
