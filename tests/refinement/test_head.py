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
    """Draw targets from a known head."""
    rng = np.random.default_rng(seed)
    base = 2.0 * rng.normal(size=(V, N)).astype(np.float32)
    guided, profiles = (rng.normal(size=(count, A)).astype(np.float32) for count in (N, V))
    popularity = rng.normal(size=N).astype(np.float32)
    seen = rng.random((V, N)) < 0.1
    logits = 0.7 * base + 0.8 * popularity
    logits = logits + (np.array([0.9, 0.0, -0.6]) * profiles + np.array([0.0, 0.5, 0.0])) @ guided.T
    logits[seen] = -np.inf
    targets = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return {
        **{"base": base, "seen": seen, "targets": targets, "popularity": popularity},
        **{"profiles": profiles, "guided": guided},
    }


@pytest.mark.parametrize("n_attributes", [0, A])
def test_the_gradient_is_that_of_the_loss(n_attributes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    known = problem()
    known |= {name: known[name][:, :n_attributes] for name in ("profiles", "guided")}
    asked: list[Any] = []

    def catch(loss: Any, start: np.ndarray, **_: Any) -> Any:
        asked.extend((loss, start))
        return real(loss, start, **_)

    real = module.minimize
    monkeypatch.setattr(module, "minimize", catch)
    fit_head(**known, penalty=2.0)
    loss, start = asked
    assert len(start) == 2 + 2 * n_attributes
    x = start + np.random.default_rng(1).normal(size=len(start)) * 0.3
    gradient, step = loss(x)[1], 1e-2
    for place in range(len(x)):
        ahead, behind = x.copy(), x.copy()
        ahead[place] += step
        behind[place] -= step
        assert gradient[place] == pytest.approx((loss(ahead)[0] - loss(behind)[0]) / (2 * step), rel=0.01, abs=0.3)


def test_planted_weights_are_found() -> None:
    learned = fit_head(**problem(), penalty=0.01)
    assert learned.temperature == pytest.approx(0.7, abs=0.1)
    assert learned.popularity == pytest.approx(0.8, abs=0.2)
    np.testing.assert_allclose(learned.profile, [0.9, 0.0, -0.6], atol=0.2)
    np.testing.assert_allclose(learned.everyone, [0.0, 0.5, 0.0], atol=0.2)


@pytest.mark.parametrize("factor", [64.0, 0.125])
def test_weights_do_not_depend_on_the_scale_of_the_base_models_scores(factor: float) -> None:
    known = problem()
    first = fit_head(**known, penalty=0.01)
    other = fit_head(**{**known, "base": known["base"] * np.float32(factor)}, penalty=0.01)
    assert other.temperature * factor == pytest.approx(first.temperature, rel=0.02)
    np.testing.assert_allclose(other.profile, first.profile, atol=0.02)


def test_a_huge_penalty_leaves_the_base_alone() -> None:
    learned = fit_head(**problem(), penalty=1e9)
    assert learned.temperature == pytest.approx(1.0, abs=1e-3)
    rest = [learned.popularity, *learned.profile, *learned.everyone]
    np.testing.assert_allclose(rest, 0, atol=1e-3)


def test_a_shuffled_table_gets_no_weight() -> None:
    known = problem()
    known["guided"] = np.random.default_rng(5).permutation(known["guided"])
    placebo = fit_head(**known, penalty=1.0)
    own = fit_head(**problem(), penalty=1.0)
    assert np.abs(placebo.profile).max() < 0.2 < np.abs(own.profile).max()


def test_weights_are_fitted_without_attributes_or_base_scores() -> None:
    known = problem()
    bare = {**known, "profiles": known["profiles"][:, :0], "guided": known["guided"][:, :0]}
    learned = fit_head(**bare, penalty=0.01)
    assert learned.profile.shape == learned.everyone.shape == (0,)
    assert learned.temperature > 0.3
    alone = fit_head(**{**known, "base": np.zeros_like(known["base"])}, penalty=0.01)
    assert alone.profile[0] > 0.2
    assert np.isfinite([alone.temperature, alone.popularity, *alone.profile, *alone.everyone]).all()


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


def head(base: Any, guided: GuidedEmbedding = GUIDED, penalty: float = 1.0) -> HeadModel:
    config = RefinementConfig(mode="head", head_penalty=penalty)
    return HeadModel(base, BASE.item_embedding(), guided, POPULARITY, config)


@pytest.mark.parametrize("base", [BASE, None])
@pytest.mark.parametrize("guided", [GUIDED, GUIDED.take([])])
def test_stored_weights_give_the_same_scores(base: ExternalModel | None, guided: GuidedEmbedding) -> None:
    first, second = head(base, guided), head(base, guided)
    first.fit(USERS, HISTORIES, np.array([10, 11, 12, 13, 14]))
    second.load(first.arrays())
    np.testing.assert_array_equal(second.scores(USERS, HISTORIES), first.scores(USERS, HISTORIES))
    assert first.weights().shape == (guided.values.shape[1],)
    assert not np.allclose(first.scores(USERS, HISTORIES), head(base, guided).scores(USERS, HISTORIES))


def test_not_fitted_or_held_down_it_is_the_base_model() -> None:
    own = BASE.scores(USERS, HISTORIES)
    held = head(BASE, penalty=1e12)
    held.fit(USERS, HISTORIES, np.array([10, 11, 12, 13, 14]))
    for model in (head(BASE), held):
        np.testing.assert_allclose(model.scores(USERS, HISTORIES), own, atol=1e-4)


def test_scores_follow_the_formula() -> None:
    model = head(BASE)
    model.fit(USERS, HISTORIES, np.array([10, 11, 12, 13, 14]))
    learned = model.learned
    profile = model.parts(USERS, HISTORIES).profile
    expected = learned.temperature * BASE.scores(USERS, HISTORIES) + learned.popularity * POPULARITY
    expected = expected + (learned.profile * profile + learned.everyone) @ GUIDED.values.T
    np.testing.assert_allclose(model.scores(USERS, HISTORIES), expected, atol=1e-4)
