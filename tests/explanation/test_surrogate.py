"""The surrogate says how much of a base model's scores attributes explain, on items it did not see."""

from types import SimpleNamespace

import numpy as np
import pytest

from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.explanation.surrogate import base_surrogate

N, A = 400, 3
HISTORY = np.array([0, 1])
GIVEN = UserHistory(0, HISTORY)
RNG = np.random.default_rng(0)
G = RNG.normal(size=(N, A)).astype(np.float32)
SLOPES = np.array([1.0, -0.5, 0.0])
COUNTS = RNG.integers(0, 200, N)
LOGS = (np.log1p(COUNTS) - np.log1p(COUNTS).mean()) / np.log1p(COUNTS).std()


def base(scores: np.ndarray) -> SimpleNamespace:
    return SimpleNamespace(scores=lambda users, histories: scores.astype(np.float32)[None])


def test_what_attributes_make_is_found() -> None:
    noise = RNG.normal(size=N) * np.sqrt(1.25)  # as much variance as the attributes make
    found = base_surrogate(base(3 + G @ SLOPES + noise), GIVEN, G)
    assert found.r2 == pytest.approx(0.5, abs=0.08)
    np.testing.assert_allclose(found.slopes, SLOPES, atol=0.15)
    np.testing.assert_allclose(found.approximate_contributions(G[:2]), found.slopes * G[:2])
    assert found.n_items == N - 2
    assert base_surrogate(base(3 + G @ SLOPES), GIVEN, G).r2 > 0.999


def test_scores_without_attributes_are_not_explained() -> None:
    r2 = [base_surrogate(base(RNG.normal(size=N)), GIVEN, G).r2 for _ in range(20)]
    assert np.mean(r2) < 0.01  # a fit measured on its own items would explain some


def test_popularity_may_help() -> None:
    found = base_surrogate(base(G @ SLOPES + 2 * LOGS), GIVEN, G, COUNTS)
    assert found.r2 > 0.999
    assert found.popularity == pytest.approx(2, abs=0.05)
    assert 0.05 < found.r2_attributes < 0.5


def test_the_history_does_not_count() -> None:
    scores = G @ SLOPES
    scores[HISTORY] += 1000
    assert base_surrogate(base(scores), GIVEN, G).r2 > 0.999


def test_too_little_to_tell_is_said() -> None:
    assert np.isnan(base_surrogate(base(np.ones(N)), GIVEN, G).r2)
    few = SimpleNamespace(scores=lambda users, histories: G[None, :12, 0])
    assert np.isnan(base_surrogate(few, GIVEN, G[:12]).r2)
