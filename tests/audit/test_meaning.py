"""The meaning alarm: silent where labels are right, raised by every planted fault, in every mode."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from guidedrec_core.audit.meaning import FEWEST, _lead, agreement, meaning
from guidedrec_core.config import RefinementConfig
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_fit import HeadWeights

N, B, A = 120, 80, 4
NAMES = ("warmth", "style", "comfort", "price_feel")
RNG = np.random.default_rng(5)
MIX = np.eye(A) + 0.4 * RNG.normal(size=(A, A))
TRUE = np.clip(5 + 2 * RNG.normal(size=(N, A)) @ MIX, 0, 10)
JUDGED = np.clip(np.rint(TRUE + 0.5 * RNG.normal(size=(N, A))), 0, 10)
AGAIN = np.clip(np.rint(TRUE + 0.5 * RNG.normal(size=(N, A))), 0, 10)
USERS = np.arange(B)
TASTES = RNG.normal(size=(B, A))
Z = (TRUE - TRUE.mean(axis=0)) / TRUE.std(axis=0)
HISTORIES = [np.argsort(-(Z @ taste) + RNG.gumbel(size=N))[:12] for taste in TASTES]


def model_of(scores: np.ndarray, normalisation: Any = "z") -> HeadModel:
    """Put a head with known weights on a frozen base of random vectors."""
    guided = GuidedEmbedding.of(scores.astype(np.float32), normalisation)
    vectors = np.random.default_rng(0).normal(size=(N, 6)).astype(np.float32)
    base = ExternalModel(vectors, "cosine", 0.8, None, None, np.zeros(N, np.float32))
    model = HeadModel(base, None, vectors, guided, np.ones((N, 1)), RefinementConfig())
    model.learned = HeadWeights(np.ones(1), np.zeros(1), np.full(A, 0.5), np.zeros(A))
    return model


def found(scores: np.ndarray, reference: np.ndarray = AGAIN, normalisation: Any = "z") -> Any:
    return meaning(model_of(scores, normalisation), USERS, HISTORIES, reference, scores, NAMES).set_index("attribute")


def shuffled(scores: np.ndarray) -> np.ndarray:
    faulty = scores.copy()
    faulty[:, 1] = np.random.default_rng(1).permutation(faulty[:, 1])
    return faulty


@pytest.mark.parametrize("normalisation", ["z", "white"])
def test_right_labels_raise_no_alarm(normalisation: str) -> None:
    table = found(JUDGED, normalisation=normalisation)
    assert not table["alarm"].any()
    assert table.index.tolist() == list(NAMES)
    if normalisation == "z":
        own = [stats.pearsonr(JUDGED[:, a], AGAIN[:, a])[0] for a in range(A)]
        np.testing.assert_allclose(table["column_agreement"], own, atol=1e-6)
    assert (table["response"] > 0.3).all()
    assert (table["users_agreement"] > table["users_rival_agreement"].abs()).all()


@pytest.mark.parametrize("normalisation", ["z", "white"])
def test_every_planted_fault_raises_the_alarm_where_it_is(normalisation: str) -> None:
    swapped, inverted = JUDGED[:, [0, 2, 1, 3]], JUDGED.copy()
    inverted[:, 1] = 10 - inverted[:, 1]
    table = found(shuffled(JUDGED), normalisation=normalisation)
    assert table["alarm"].tolist() == [False, True, False, False]
    table = found(swapped, normalisation=normalisation)
    assert table["alarm"].tolist() == [False, True, True, False]
    assert table["column_rival"].loc[["style", "comfort"]].tolist() == ["comfort", "style"]
    table = found(inverted, normalisation=normalisation)
    assert table["alarm"].tolist() == [False, True, False, False]
    assert table.loc["style", "column_agreement"] < -0.7
    assert table.loc["style", "response"] < 0


def test_a_few_items_judged_again_are_enough_for_the_columns() -> None:
    few = np.full((N, A), np.nan)
    few[:20] = AGAIN[:20]
    assert not found(JUDGED, few)["alarm"].any()
    faulty = found(shuffled(JUDGED), few)
    assert faulty["alarm"].tolist() == [False, True, False, False]
    assert faulty["column_count"].tolist() == [20] * A
    # The other questions are asked of the scores as stored, which know nothing of the fault.
    assert (faulty["users_evidence"] > 0).all()
    assert (faulty["response_evidence"] > 0).all()


def test_too_few_judgements_raise_no_alarm_and_are_said_not_to_tell() -> None:
    few = np.full((N, A), np.nan)
    few[: FEWEST - 1] = AGAIN[: FEWEST - 1]
    table = found(JUDGED, few)
    assert table["column_evidence"].isna().all()
    assert not table["alarm"].any()


def test_user_values_that_lost_their_label_raise_the_alarm_alone() -> None:
    """As trained user vectors may: item columns and responses are right all the same."""
    model = model_of(JUDGED)
    right = model._profiles
    model._profiles = lambda histories: right(histories)[:, [1, 0, 2, 3]]  # type: ignore[method-assign]
    table = meaning(model, USERS, HISTORIES, AGAIN, JUDGED, NAMES).set_index("attribute")
    assert table["alarm"].tolist() == [True, True, False, False]
    assert (table["column_evidence"] > 0).all()
    assert (table.loc[["warmth", "style"], "users_evidence"] < 0).all()


def test_the_evidence_is_fishers_z_above_chance_where_no_rival_is_near() -> None:
    few = np.full((N, A), np.nan)
    few[:30] = AGAIN[:30]
    row = found(JUDGED, few).loc["comfort"]
    own = stats.pearsonr(JUDGED[:30, 2], AGAIN[:30, 2])[0]
    alone = np.sqrt(27) * np.arctanh(own) - stats.norm.isf(0.05 / A)
    assert row["column_evidence"] == pytest.approx(alone, rel=1e-4)


def test_a_rival_counts_by_how_clearly_it_leads() -> None:
    """Where own label and rival fit alike, the lead is a standard normal draw, however near they are to each other."""
    rng = np.random.default_rng(0)
    for between in (0.0, 0.7):
        mix = np.linalg.cholesky(np.array([[1, 0.6, 0.6], [0.6, 1, between], [0.6, between, 1]]))
        draws = rng.normal(size=(1500, 40, 3)) @ mix.T
        r = np.array([np.corrcoef(draw.T) for draw in draws])
        leads = np.array([_lead(c[0, 1], c[0, 2], c[1, 2], 40) for c in r])
        assert abs(leads.mean()) < 0.1
        assert leads.std() == pytest.approx(1, abs=0.1)
    assert _lead(0.9, 0.5, 0.4, 40) > 3 > -3 > _lead(0.5, 0.9, 0.4, 40)


def test_columns_that_do_not_vary_agree_with_nothing() -> None:
    reference = AGAIN.copy()
    reference[:, 0] = 5
    table = found(JUDGED, reference)
    assert table.loc["warmth", "column_count"] == 0
    assert not table["alarm"].any()
    flat = agreement(np.zeros((5, 2)), np.arange(10.0).reshape(5, 2))
    assert flat.values.tolist() == [[0, 0], [0, 0]]
