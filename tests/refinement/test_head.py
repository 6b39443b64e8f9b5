"""The head: its gradient, what it recovers, and that it weighs nothing where there is nothing to learn."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from tiny import arrays

from guidedrec_core.config import RefinementConfig
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.refinement import head as head_module
from guidedrec_core.refinement import head_fit as module
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_fit import WHOLE, Block, Form, HeadFit, HeadWeights
from guidedrec_core.refinement.refined import Parts

V, N, A = 600, 60, 3
TAU = np.array([0.7, 0.4])


def problem(n_models: int = 1, seed: int = 0) -> dict[str, Any]:
    """Draw targets from a known head over one or two frozen models."""
    rng = np.random.default_rng(seed)
    scores = 2.0 * rng.normal(size=(n_models, V, N)).astype(np.float32)
    guided, profiles = (rng.normal(size=(count, A)).astype(np.float32) for count in (N, V))
    popularity = rng.normal(size=(N, 2)).astype(np.float32)
    seen = rng.random((V, N)) < 0.1
    logits = np.tensordot(TAU[:n_models], scores, 1) + popularity @ np.array([0.8, -0.3])
    logits = logits + (np.array([0.9, 0.0, -0.6]) * profiles + np.array([0.0, 0.5, 0.0])) @ guided.T
    logits[seen] = -np.inf
    targets = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return {
        **{"scores": scores, "start": np.full(n_models, 1 / max(n_models, 1)), "seen": seen, "targets": targets},
        **{"popularity": popularity, "profiles": profiles, "guided": guided},
    }


def fit_head(penalty: float, form: Form = WHOLE, blocks: int = 3, **known: Any) -> HeadWeights:
    """Fit a head on the whole catalogue, with the cases in some blocks."""
    none = np.zeros(known["popularity"].shape[0], np.float32)
    made = [
        Block(known["scores"][:, part].copy(), None, known["seen"][part], known["targets"][part], profiles, none)
        for part, profiles in (
            (part, known["profiles"][part]) for part in np.array_split(np.arange(len(known["targets"])), blocks)
        )
    ]
    return HeadFit(made, known["start"], known["popularity"], known["guided"], penalty).weights(form)


def everything(learned: HeadWeights) -> np.ndarray:
    return np.concatenate([learned.models, learned.popularity, learned.profile, learned.everyone])


@pytest.mark.parametrize("n_attributes", [0, A])
@pytest.mark.parametrize("n_models", [0, 1, 2])
def test_the_gradient_is_that_of_the_loss(n_models: int, n_attributes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    known = problem(n_models)
    known |= {name: known[name][:, :n_attributes] for name in ("profiles", "guided")}
    asked: list[Any] = []

    def catch(loss: Any, start: np.ndarray, args: Any, **named: Any) -> Any:
        asked.extend((loss, start, args))
        return real(loss, start, args, **named)

    real = module.minimize
    monkeypatch.setattr(module, "minimize", catch)
    fit_head(**known, penalty=2.0)
    loss, start = (lambda x: asked[0](x, *asked[2])), asked[1]
    assert len(start) == n_models + 2 + 2 * n_attributes
    x = start + np.random.default_rng(1).normal(size=len(start)) * 0.3
    gradient, step = loss(x)[1], 1e-2
    for place in range(len(x)):
        ahead, behind = x.copy(), x.copy()
        ahead[place] += step
        behind[place] -= step
        assert gradient[place] == pytest.approx((loss(ahead)[0] - loss(behind)[0]) / (2 * step), rel=0.01, abs=0.3)


@pytest.mark.parametrize("n_models", [0, 1, 2])
def test_planted_weights_are_found(n_models: int) -> None:
    learned = fit_head(**problem(n_models), penalty=0.01)
    np.testing.assert_allclose(learned.models, TAU[:n_models], atol=0.1)
    np.testing.assert_allclose(learned.popularity, [0.8, -0.3], atol=0.2)
    np.testing.assert_allclose(learned.profile, [0.9, 0.0, -0.6], atol=0.2)
    np.testing.assert_allclose(learned.everyone, [0.0, 0.5, 0.0], atol=0.2)


def test_a_model_that_knows_nothing_gets_no_weight() -> None:
    known = problem()
    noise = 50 * np.random.default_rng(7).normal(size=known["scores"].shape).astype(np.float32)
    both = {"scores": np.concatenate([known["scores"], noise]), "start": np.full(2, 0.5)}
    learned = fit_head(**{**known, **both}, penalty=1.0)
    assert learned.models[0] == pytest.approx(0.7, abs=0.1)
    assert abs(learned.models[1]) * 50 < 0.1


def test_a_model_that_is_wrong_gets_no_weight_and_never_a_negative_one() -> None:
    known = problem(2)
    known["scores"] = known["scores"] * np.array([1.0, -1.0], np.float32)[:, None, None]
    learned = fit_head(**known, penalty=1.0)
    assert learned.models[0] == pytest.approx(0.7, abs=0.1)
    assert learned.models[1] == 0
    assert learned.convergence is not None
    assert learned.convergence.gradient_norm < 5  # that of the weight at its bound does not count


def test_a_form_leaves_out_what_it_has_not() -> None:
    known = problem(1)
    assert not fit_head(**known, penalty=1.0, form=Form(popularity=False)).popularity.any()
    bare = fit_head(**known, penalty=1.0, form=Form(attributes=False))
    assert not bare.profile.any()
    assert not bare.everyone.any()
    assert bare.popularity.all()
    assert bare.models.all()


def test_popularity_alone_is_never_held_against_an_item() -> None:
    known = problem(1)
    known["popularity"] = -known["popularity"][:, :1]
    assert fit_head(**known, penalty=1.0).popularity.tolist() == [0.0]


def test_blocks_change_nothing() -> None:
    known = problem(2)
    np.testing.assert_allclose(
        everything(fit_head(**known, penalty=1.0, blocks=1)),
        everything(fit_head(**known, penalty=1.0, blocks=7)),
        atol=2e-3,
    )


@pytest.mark.parametrize("factor", [64.0, 0.125])
def test_weights_do_not_depend_on_the_scale_of_a_models_scores(factor: float) -> None:
    known = problem(2)
    factors = np.array([1.0, factor])
    scaled = known["scores"] * factors[:, None, None].astype(np.float32)
    first = fit_head(**known, penalty=0.01)
    other = fit_head(**{**known, "scores": scaled}, penalty=0.01)
    np.testing.assert_allclose(other.models * factors, first.models, rtol=0.05)
    np.testing.assert_allclose(other.profile, first.profile, atol=0.02)


def test_weights_follow_the_scale_of_profiles() -> None:
    known, factors = problem(), np.array([0.1, 1.0, 4.0])
    first = fit_head(**known, penalty=20.0)
    other = fit_head(**{**known, "profiles": known["profiles"] * factors.astype(np.float32)}, penalty=20.0)
    np.testing.assert_allclose(other.profile * factors, first.profile, atol=0.01)


def test_what_is_added_to_all_of_a_users_scores_changes_nothing() -> None:
    known, rng = problem(), np.random.default_rng(3)
    moved = known["scores"] + rng.uniform(50, 90, size=(V, 1)).astype(np.float32)
    first = fit_head(**known, penalty=100.0)
    other = fit_head(**{**known, "scores": moved}, penalty=100.0)
    np.testing.assert_allclose(everything(other), everything(first), atol=0.01)


@pytest.mark.parametrize(("n_models", "share"), [(0, []), (1, [1.0]), (2, [0.5, 0.5])])
def test_a_huge_penalty_leaves_the_average_of_the_models(n_models: int, share: list[float]) -> None:
    learned = fit_head(**problem(n_models), penalty=1e9)
    np.testing.assert_allclose(everything(learned), [*share, *[0.0] * (2 + 2 * A)], atol=1e-3)


def test_a_shuffled_table_gets_no_weight() -> None:
    known = problem()
    known["guided"] = np.random.default_rng(5).permutation(known["guided"])
    placebo = fit_head(**known, penalty=1.0)
    own = fit_head(**problem(), penalty=1.0)
    assert np.abs(placebo.profile).max() < 0.2 < np.abs(own.profile).max()


def test_items_already_seen_have_no_say() -> None:
    known = problem()
    wild = np.where(known["seen"], 1e3, known["scores"]).astype(np.float32)
    first = fit_head(**known, penalty=1.0)
    np.testing.assert_allclose(everything(fit_head(**{**known, "scores": wild}, penalty=1.0)), everything(first))


def test_weights_are_fitted_without_attributes_or_useful_scores() -> None:
    known = problem()
    bare = {**known, "profiles": known["profiles"][:, :0], "guided": known["guided"][:, :0]}
    learned = fit_head(**bare, penalty=0.01)
    assert learned.profile.shape == learned.everyone.shape == (0,)
    assert learned.models[0] > 0.3
    alone = fit_head(**{**known, "scores": np.zeros_like(known["scores"])}, penalty=0.01)
    assert alone.profile[0] > 0.2
    assert np.isfinite(everything(alone)).all()


def test_a_fit_records_that_it_converged_and_how() -> None:
    found = fit_head(**problem(2), penalty=1.0).convergence
    assert found is not None
    assert found.converged
    assert 1 < found.iterations < module.MAX_ITERATIONS
    # At the start the gradient is far from 0.
    assert 0 < found.gradient_norm < 0.01 * gradient_at_start(problem(2), 1.0)


def gradient_at_start(known: dict[str, Any], penalty: float) -> float:
    """Return the largest absolute component of the gradient before the first iteration."""
    seen: list[float] = []
    real = module.minimize
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            module,
            "minimize",
            lambda loss, first, args, **named: (
                seen.append(np.abs(loss(first, *args)[1]).max()),
                real(loss, first, args, **named),
            )[1],
        )
        fit_head(**known, penalty=penalty)
    return seen[0]


def test_a_fit_that_runs_out_of_iterations_says_so_and_a_longer_one_ends_where_it_converged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = fit_head(**problem(2), penalty=1.0)
    assert whole.convergence is not None
    needed = whole.convergence.iterations
    monkeypatch.setattr(module, "MAX_ITERATIONS", needed)
    np.testing.assert_array_equal(everything(fit_head(**problem(2), penalty=1.0)), everything(whole))
    monkeypatch.setattr(module, "MAX_ITERATIONS", 2)
    short = fit_head(**problem(2), penalty=1.0).convergence
    assert short is not None
    assert (short.converged, short.iterations) == (False, 2)
    assert short.gradient_norm > whole.convergence.gradient_norm


HISTORIES = arrays([[1, 2], [3], [0, 5, 7], [9], [8, 8]])
USERS, TARGETS = np.array([0, 1, -1, 3, 4]), np.array([10, 11, 12, 13, 14])
RNG = np.random.default_rng(2)
RAW = RNG.uniform(0, 10, (N, A)).astype(np.float32)
RAW[:, 2] = 0.8 * RAW[:, 0] + 0.2 * RAW[:, 2]  # correlated, so that whitening does something
RAW[2, 1] = np.nan
GUIDED = GuidedEmbedding.of(RAW)
COLD = np.isin(np.arange(N), [4, 20, 21])
INTERACTIONS = np.where(COLD, 0, RNG.integers(1, 90, N))[:, None] * np.array([1.0, 0.3])  # of all times, and of late
INTERACTIONS[7, 1] = 40.0
POPULARITY = (np.log1p(INTERACTIONS) - np.log1p(INTERACTIONS).mean(axis=0)) / np.log1p(INTERACTIONS).std(axis=0)
BASE = ExternalModel(
    RNG.normal(size=(N, 5)).astype(np.float32), "dot", 0.8, None, None, RNG.normal(size=N).astype(np.float32)
)


class Refined:
    """As much of a refined model as a head reads: known tables."""

    def __init__(self, guided: GuidedEmbedding) -> None:
        rng, (N, A) = np.random.default_rng(9), guided.values.shape
        self.guided = guided
        self.slopes, self.remainder, self.bias = (rng.normal(size=s).astype(np.float32) for s in ((5, A), (5, N), N))

    def parts(self, users: np.ndarray, histories: list[np.ndarray], items: np.ndarray | None = None) -> Parts:
        scores = self.slopes @ self.guided.values.T + self.remainder + self.bias
        return Parts(scores, 2 * self.slopes, self.slopes, self.remainder, self.bias)

    def scores(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        return self.parts(users, histories).scores

    def weights(self) -> np.ndarray:
        return np.arange(self.guided.values.shape[1], dtype=np.float32)


def head(
    base: Any = BASE,
    refined: bool = False,
    guided: GuidedEmbedding = GUIDED,
    penalty: float = 1.0,
    interactions: np.ndarray = INTERACTIONS,
) -> HeadModel:
    config = RefinementConfig(mode="head", head_penalty=penalty)
    inner: Any = Refined(guided) if refined else None
    return HeadModel(base, inner, BASE.item_embedding(), guided, interactions, config)


def fitted(*args: Any, **named: Any) -> HeadModel:
    model = head(*args, **named)
    model.fit(USERS, HISTORIES, TARGETS)
    return model


def test_it_is_fitted_on_what_it_scores_with(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(head_module, "HeadFit", lambda *args: (asked.extend(deepcopy(args)), HeadFit(*args))[1])
    model = fitted(refined=True, penalty=3.0)
    (block,), start, popularity, guided, penalty, beside = asked
    scores, seen, targets, profiles = block.scores, block.barred, block.targets, block.profiles
    assert block.items is None
    assert not block.shift.any()
    assert beside.tolist() == [False, False]
    np.testing.assert_array_equal(start, [0.5, 0.5])
    np.testing.assert_allclose(scores[0], base_scores(), atol=1e-5)
    np.testing.assert_array_equal(scores[1], Refined(GUIDED).scores(USERS, HISTORIES))
    assert [np.flatnonzero(row).tolist() for row in seen] == [[1, 2], [3], [0, 5, 7], [9], [8]]
    np.testing.assert_array_equal(targets, TARGETS)
    np.testing.assert_allclose(popularity, POPULARITY, atol=1e-5)
    np.testing.assert_allclose(guided.T @ guided / N, np.eye(A), atol=1e-4)
    np.testing.assert_allclose(profiles, head().parts(USERS, HISTORIES).profile @ model.mix, atol=1e-5)
    assert penalty == 3.0


def base_scores() -> np.ndarray:
    """Return the base model's scores, with their average over the others for items nobody took."""
    scores = BASE.scores(USERS, HISTORIES).astype(np.float64)
    scores[:, COLD] = scores[:, ~COLD].mean(axis=1, keepdims=True)
    return scores


@pytest.mark.parametrize("base", [BASE, None])
@pytest.mark.parametrize("refined", [True, False])
@pytest.mark.parametrize("guided", [GUIDED, GUIDED.take([])])
def test_stored_weights_give_the_same_scores(base: Any, refined: bool, guided: GuidedEmbedding) -> None:
    first, second = fitted(base, refined, guided), head(base, refined, guided)
    first.cold_offset = -1.5
    second.load(first.arrays())
    np.testing.assert_array_equal(second.scores(USERS, HISTORIES), first.scores(USERS, HISTORIES))
    assert (second.cold_offset, len(first.learned.models)) == (-1.5, (base is not None) + refined)
    assert first.weights().shape == (guided.values.shape[1],)
    second.cold_offset = 0.0
    assert not np.allclose(second.scores(USERS, HISTORIES), head(base, refined, guided).scores(USERS, HISTORIES))


def test_convergence_is_stored_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted()
    assert model.notices() == head().notices() == ()
    monkeypatch.setattr(module, "MAX_ITERATIONS", 1)
    short = fitted()
    (notice,) = short.notices()
    assert (notice.code, notice.count) == ("head_not_converged", 1)
    assert "not converged when their fit ended (L-BFGS iterations: 1, largest gradient: " in notice.message
    for each in (model, short):
        other = head()
        other.load(each.arrays())
        assert other.learned.convergence == each.learned.convergence
        assert other.notices() == each.notices()


def test_weights_stored_without_convergence_are_still_read() -> None:
    model, other = fitted(), head()
    arrays = {name: array for name, array in model.arrays().items() if name != "convergence"}
    assert arrays.keys() == {"models", "popularity", "profile", "everyone", "ranks_cold", "cold_offset"}
    other.load(arrays)
    np.testing.assert_array_equal(other.scores(USERS, HISTORIES), model.scores(USERS, HISTORIES))
    assert other.learned.convergence is None
    assert other.notices() == ()


def test_not_fitted_or_held_down_it_is_the_base_model() -> None:
    everywhere = np.maximum(INTERACTIONS, 1)
    for model in (head(interactions=everywhere), fitted(penalty=1e12, interactions=everywhere)):
        np.testing.assert_allclose(model.scores(USERS, HISTORIES), BASE.scores(USERS, HISTORIES), atol=1e-4)


def test_held_down_over_two_models_it_is_their_average() -> None:
    model = fitted(refined=True, penalty=1e12)
    expected = (base_scores() + Refined(GUIDED).scores(USERS, HISTORIES)) / 2
    np.testing.assert_allclose(model.scores(USERS, HISTORIES), expected, atol=1e-4)


@pytest.mark.parametrize(("base", "refined"), [(BASE, True), (BASE, False), (None, True), (None, False)])
def test_scores_follow_the_formula_in_whitened_columns(base: Any, refined: bool) -> None:
    """Told in z columns, the attributes' share is what the weights say in uncorrelated ones."""
    model = fitted(base, refined)
    model.cold_offset = 0.75
    learned = model.learned
    values, vectors = np.linalg.eigh(GUIDED.values.T.astype(np.float64) @ GUIDED.values / N)
    whitening = vectors @ np.diag(values**-0.5) @ vectors.T
    white = GUIDED.values @ whitening
    np.testing.assert_allclose(white.T @ white / N, np.eye(A), atol=1e-5)
    alone = head(base)
    own = alone.parts(USERS, HISTORIES).profile @ whitening
    attributes = (learned.profile * own + learned.everyone) @ white.T
    assert np.abs(attributes).max() > 0.05
    expected = attributes + POPULARITY @ learned.popularity + 0.75 * COLD
    if base is not None:
        expected = expected + learned.models[0] * base_scores()
    inner = Refined(GUIDED).parts(USERS, HISTORIES)
    parts = model.parts(USERS, HISTORIES)
    if refined:
        expected = expected + learned.models[-1] * inner.scores
        attributes = attributes + learned.models[-1] * inner.slopes @ GUIDED.values.T
        np.testing.assert_array_equal(parts.profile, inner.profile)
    np.testing.assert_allclose(parts.scores, expected, atol=1e-4)
    np.testing.assert_array_equal(model.scores(USERS, HISTORIES), parts.scores)
    np.testing.assert_allclose(parts.slopes @ GUIDED.values.T, attributes, atol=1e-4)
    whole = parts.slopes.astype(np.float64) @ GUIDED.values.T + parts.remainder + parts.bias
    np.testing.assert_allclose(parts.scores, whole, atol=1e-5)


def test_the_weights_told_are_the_heads_and_a_share_of_the_refined_models_own() -> None:
    model = fitted(refined=True)
    own = np.diag(model.mix @ np.diag(model.learned.profile) @ model.mix)  # of p_a g_ia, in readable columns
    expected = own + model.learned.models[1] * np.arange(A)
    np.testing.assert_allclose(model.weights(), expected, rtol=1e-5)


def test_an_attribute_and_its_copy_share_a_contribution_instead_of_cancelling() -> None:
    raw = RAW.copy()
    raw[:, 2] = 10 - raw[:, 0]
    model = head(None, guided=GuidedEmbedding.of(raw))
    model.learned = HeadWeights(np.zeros(0), np.zeros(2), np.array([0.5, 0.2, -0.3]), np.zeros(A))
    slopes = model.parts(USERS, HISTORIES).slopes
    assert 0.01 < np.abs(slopes).max() < 2
    np.testing.assert_allclose(slopes[:, 2], -slopes[:, 0], atol=1e-5)


def test_an_item_nobody_took_gets_the_average_of_the_base_models_scores_and_its_offset() -> None:
    model = head()
    own = BASE.scores(USERS, HISTORIES)
    average = own[:, ~COLD].mean(axis=1, keepdims=True) * np.ones(COLD.sum())
    assert np.abs(own[:, COLD] - average).max() > 0.5
    np.testing.assert_allclose(model.scores(USERS, HISTORIES)[:, COLD], average, atol=1e-5)
    model.cold_offset = -2.0
    np.testing.assert_allclose(model.scores(USERS, HISTORIES)[:, COLD], average - 2, atol=1e-5)
    np.testing.assert_allclose(model.scores(USERS, HISTORIES)[:, ~COLD], own[:, ~COLD], atol=1e-5)


def test_where_nobody_took_anything_the_base_models_scores_stand() -> None:
    model = head(interactions=np.zeros((N, 1)))
    np.testing.assert_allclose(model.scores(USERS, HISTORIES), BASE.scores(USERS, HISTORIES), atol=1e-5)
