"""Sources of contributions: they sum to it, and each is what its name says."""

import numpy as np
import pytest
from small_models import KINDS, MAKERS, N_ITEMS, N_USERS, NAMED_FORMS, named

from guidedrec_core.explanation.named_ledger import named_ledger
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.refinement.profiles import guided_profiles
from guidedrec_core.refinement.sources import SOURCES, Sources, leading_source

USERS = np.arange(N_USERS)
TOLERANCE = 1e-5


def some_histories(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, N_ITEMS, rng.integers(0, 12)) for _ in USERS]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", MAKERS)
def test_sources_sum_to_the_slopes_of_every_form(form: str, kind: str) -> None:
    model, histories = MAKERS[form](kind), some_histories(1)
    sources, slopes = model.slope_sources(USERS, histories), model.parts(USERS, histories).slopes
    for name in SOURCES:
        assert getattr(sources, name).shape == slopes.shape
    np.testing.assert_allclose(sources.total, slopes, atol=TOLERANCE)


@pytest.mark.parametrize("form", NAMED_FORMS)
def test_with_names_sources_sum_to_the_contribution_that_is_shown(form: str) -> None:
    names = named(form, "sasrec")
    for user, history in enumerate(some_histories(2)[:5]):
        ledger = named_ledger(names, UserHistory(user, history), np.arange(N_ITEMS))
        own = ledger.contributions[:, : names.model.n_attributes]
        np.testing.assert_allclose(ledger.sources.total, own, atol=TOLERANCE)


def test_own_taste_depends_on_the_own_attribute_only_and_other_tastes_on_the_others() -> None:
    """The profile is a mean of the histories' rows, so that histories which differ in one column show whose it is."""
    model = MAKERS["head"]("sasrec")
    histories, a = some_histories(3), 1
    original = model.guided.values
    changed = original.copy()
    changed[:, a] = np.random.default_rng(0).normal(size=N_ITEMS)
    before = model.slope_sources(USERS, histories)
    object.__setattr__(model.guided, "values", changed)  # the whitening matrix stays as it was
    try:
        after = model.slope_sources(USERS, histories)
    finally:
        object.__setattr__(model.guided, "values", original)
    others = [b for b in range(model.n_attributes) if b != a]
    np.testing.assert_allclose(after.own_taste[:, others], before.own_taste[:, others], atol=1e-9)
    np.testing.assert_allclose(after.other_tastes[:, a], before.other_tastes[:, a], atol=1e-9)
    assert not np.allclose(after.own_taste[:, a], before.own_taste[:, a])
    assert not np.allclose(after.other_tastes[:, others], before.other_tastes[:, others])


def test_what_is_the_same_for_everyone_is_the_slope_of_somebody_without_history() -> None:
    """Without a history there is no taste; what a head still gives is the same for all."""
    model = MAKERS["head"]("sasrec")
    sources = model.slope_sources(USERS, some_histories(4))
    nobody = model.parts(np.array([0]), [np.array([], dtype=np.int64)]).slopes
    np.testing.assert_allclose(sources.everyone, np.broadcast_to(nobody, sources.everyone.shape), atol=TOLERANCE)
    assert not sources.interactions.any()


def test_the_weight_that_is_shown_is_that_of_the_own_taste() -> None:
    model, histories = MAKERS["head"]("gru4rec"), some_histories(5)
    guided = model.guided
    profiles = guided_profiles(histories, guided.values, ~guided.missing, model.config.decay, model.config.shrinkage)
    own = model.slope_sources(USERS, histories).own_taste
    np.testing.assert_allclose(own, model.weights() * profiles, atol=TOLERANCE)


def test_the_literal_form_learns_its_slopes_and_reads_no_profile() -> None:
    sources = MAKERS["literal-itself"]("sasrec").slope_sources(USERS, some_histories(6))
    assert sources.interactions.any()
    for each in (sources.own_taste, sources.other_tastes, sources.everyone):
        assert not each.any()


def test_what_an_anchor_adds_is_from_interactions() -> None:
    plain, anchored = (MAKERS[f"{form}-itself"]("sasrec") for form in ("additive", "anchored"))
    histories = some_histories(7)
    assert not plain.slope_sources(USERS, histories).interactions.any()
    sources = anchored.slope_sources(USERS, histories)
    assert sources.interactions.any()
    own = anchored.weights() * anchored.parts(USERS, histories).profile
    np.testing.assert_allclose(sources.own_taste, own, atol=TOLERANCE)


def test_the_leading_source_has_the_sign_of_the_sum() -> None:
    assert leading_source({"own_taste": 0.9, "other_tastes": -0.5, "everyone": -0.6, "interactions": 0.0}) == "everyone"
    assert (
        leading_source({"own_taste": 0.1, "other_tastes": 0.2, "everyone": -0.1, "interactions": 0.0}) == "other_tastes"
    )
    rng = np.random.default_rng(0)
    for row in rng.normal(size=(200, 4)):
        each = dict(zip(SOURCES, row.tolist(), strict=True))
        assert each[leading_source(each)] * row.sum() > 0


def test_sources_are_added_and_scaled_one_by_one() -> None:
    first = Sources.of((2, 3), own_taste=np.ones(3), everyone=np.array([[1.0], [2.0]]))
    both = first.plus(first.times(np.array([[1.0, 0.0, -1.0]])))
    assert both.own_taste.tolist() == [[2, 1, 0]] * 2
    assert both.everyone.tolist() == [[2, 1, 0], [4, 2, 0]]
    assert both.one(1, 0) == {"own_taste": 2, "other_tastes": 0, "everyone": 4, "interactions": 0}
