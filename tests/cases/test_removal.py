"""Past items taken away one after another, from a stored run."""

import numpy as np
import pytest

from guidedrec_core import columns as c
from guidedrec_core.cases.removal import build_removal, strongest_item
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.ranking.ranks import mask_seen, ranks_of
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore


@pytest.fixture(scope="module")
def system(tiny_build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


def unseen(system: RefinedRecommender, user: int) -> int:
    history = system.data.shown_history(user)
    return next(item for item in range(len(system.data.dataset.items)) if item not in history)


@pytest.mark.parametrize("model", ["refined", "base"])
def test_every_rank_is_what_the_model_gives(system: RefinedRecommender, model: str) -> None:
    user, item = 3, unseen(system, 3)
    history, items = system.data.shown_history(user), system.data.dataset.items
    shown = build_removal(system, system.data.dataset.users.id(user), items.id(item), model)
    assert shown is not None

    def rank(kept: np.ndarray) -> int:
        scores = system.model(model).scores(np.array([user]), [kept])
        return int(ranks_of(mask_seen(scores, [history]), np.array([item]))[0])

    assert (shown.rank, shown.alone_from) == (rank(history), rank(history[:0]))
    assert len(shown.steps) == len(history)
    gone: set[int] = set()
    for step in shown.steps.to_dict("records"):
        gone.add(step["number"] - 1)
        assert items.id(int(history[step["number"] - 1])) == step[c.ITEM]
        away = np.isin(np.arange(len(history)), list(gone))
        assert (step["without"], step["alone"]) == (rank(history[~away]), rank(history[away]))


def test_an_item_of_the_history_has_no_place_to_lose(system: RefinedRecommender) -> None:
    seen = system.data.dataset.items.id(int(system.data.shown_history(3)[0]))
    assert build_removal(system, system.data.dataset.users.id(3), seen) is None


@pytest.mark.parametrize("wrong", [{"user_id": "nobody"}, {"item_id": "nothing"}, {"model": "other"}])
def test_unknown_names_are_told(system: RefinedRecommender, wrong: dict[str, str]) -> None:
    item = system.data.dataset.items.id(unseen(system, 3))
    with pytest.raises(UnknownIdError):
        build_removal(system, **{"user_id": system.data.dataset.users.id(3), "item_id": item, **wrong})


def test_the_strongest_item_costs_most_places(system: RefinedRecommender) -> None:
    users, items = system.data.dataset.users, system.data.dataset.items
    titles = system.data.dataset.catalogue.frame[c.TITLE].tolist()
    told = 0
    for user in range(6):
        item, history = unseen(system, user), system.data.shown_history(user)
        kept = [np.delete(history, place) for place in range(len(history))]
        scores = system.refined.scores(np.full(len(kept) + 1, user), [history, *kept])
        whole, *without = ranks_of(mask_seen(scores, [history] * len(scores)), np.full(len(scores), item)).tolist()
        said = strongest_item(system, users.id(user), items.id(item))
        if max(without) <= whole:
            assert said is None
            continue
        told += 1
        named = [titles[past] for past, rank in zip(history, without, strict=True) if rank == max(without)]
        assert said is not None
        assert any(f"It needs {title} most: without" in said for title in named)
        assert f"would be {max(without)}" in said
    assert told
    assert strongest_item(system, users.id(3), items.id(int(system.data.shown_history(3)[0]))) is None
