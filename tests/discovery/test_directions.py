"""Discovery on a stored run: what is said of a direction follows from its numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guidedrec_core.discovery.directions import discover
from guidedrec_core.discovery.evidence import held_out
from guidedrec_core.errors import InputError
from guidedrec_core.naming.model import user_sides
from guidedrec_core.naming.shares import deciding_items, shares_of
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build


@pytest.fixture
def system(tiny_home: Path, tiny_build: Build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_home), tiny_build.refined.id)


def test_directions_are_ranked_by_what_they_decide(system: RefinedRecommender) -> None:
    discovery = discover(system, 4)
    shares = [direction.of_rest for direction in discovery.found]
    assert shares == sorted(shares, reverse=True)
    assert [direction.number for direction in discovery.found] == [1, 2, 3, 4]
    for direction, loadings in zip(discovery.found, discovery.directions.loadings.T, strict=True):
        assert not set(direction.high.items) & set(direction.low.items)
        assert (loadings[list(direction.high.items)] > 0).all()
        assert (loadings[list(direction.low.items)] < 0).all()
        ids = {one.user_id for one in direction.dependents}
        assert ids <= set(system.data.dataset.users.ids.tolist())
        spreads = [one.spread for one in direction.dependents]
        assert spreads == sorted(spreads, reverse=True)


def test_shares_are_those_of_what_a_direction_adds_to_the_best_items(system: RefinedRecommender) -> None:
    discovery, cases = discover(system, 3), held_out(system)
    weights = discovery.directions.weights(user_sides(system.refined, cases.users, cases.histories))
    unnamed = system.named.unnamed_out_of_fold(cases.users, cases.histories)
    scores, wanted = system.refined.scores(cases.users, cases.histories), []
    for row, history in enumerate(cases.histories):
        best = deciding_items(scores[row], history)
        wanted.append(shares_of(weights[row] * discovery.directions.loadings[best], unnamed[row, best]))
    means = np.mean(wanted, axis=0)
    np.testing.assert_allclose([direction.of_rest for direction in discovery.found], means, atol=1e-6)


def test_all_directions_decide_the_whole_rest(system: RefinedRecommender) -> None:
    discovery = discover(system, 999)
    assert sum(direction.of_rest for direction in discovery.found) == pytest.approx(1, abs=1e-4)
    assert sum(direction.of_score for direction in discovery.found) == pytest.approx(discovery.rest, abs=1e-4)


def test_a_direction_is_found_by_its_number(system: RefinedRecommender) -> None:
    discovery = discover(system, 2)
    assert discovery.numbered(2) is discovery.found[1]
    with pytest.raises(InputError, match="1 to 2, got 3"):
        discovery.numbered(3)


def test_a_model_without_a_rest_has_no_directions(system: RefinedRecommender) -> None:
    named = replace(system, config=system.config.model_copy(update={"mode": "named"}))
    with pytest.raises(InputError, match="another mode"):
        discover(named)
