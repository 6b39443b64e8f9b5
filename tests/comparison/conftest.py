"""Two refined runs of the tiny shop that differ in one corrected score, once for all tests of this folder."""

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import RunStore

if TYPE_CHECKING:
    from guidedrec_core.recommenders.refined import RefinedRecommender
    from guidedrec_core.stages import Build


@dataclass(frozen=True)
class Pair:
    """A home with two refined runs: the tiny build's, and one with a corrected score."""

    store: RunStore
    before: "RefinedRecommender"
    after: "RefinedRecommender"


@pytest.fixture(scope="session")
def corrected(tiny_build: "Build", tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Correct the warmth of an item by hand and refine again, without an evaluation of the new run."""
    from corrected import corrected_run

    home = tmp_path_factory.mktemp("corrected") / "home"
    shutil.copytree(tiny_build.data.path.parents[1], home)
    store = RunStore(home)
    refined = corrected_run(store, tiny_build)
    return Pair(store, open_refined(store, tiny_build.refined.id), open_refined(store, refined.id))
