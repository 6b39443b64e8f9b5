"""The tiny shop's users, once for all tests of this folder."""

from typing import TYPE_CHECKING

import pytest

from guidedrec_core.audience.audience import Audience
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import RunStore

if TYPE_CHECKING:
    from guidedrec_core.recommenders.refined import RefinedRecommender
    from guidedrec_core.stages import Build


@pytest.fixture(scope="session")
def tiny_model(tiny_build: "Build") -> "RefinedRecommender":
    """Open the tiny shop's refined model."""
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


@pytest.fixture(scope="session")
def audience(tiny_build: "Build", tiny_model: "RefinedRecommender") -> Audience:
    """Prepare its users with the stored lists, cut to ten."""
    run = tiny_build.evaluation
    return Audience.of(tiny_model, run.read_table("recommendations"), run.read_table("cases")).cut(10)
