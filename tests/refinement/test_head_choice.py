"""The form of a head: kept where it generalises, the base model where it does not, and popularity taken back."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from guidedrec_core.config import RefinementConfig
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.refinement import head_choice as module
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_choice import (
    REDUCTIONS,
    WIDER_REDUCTIONS,
    HeadCases,
    HeadChoice,
    chosen_reduction,
    fit_chosen,
    quarters_below,
)
from guidedrec_core.refinement.head_fit import Form

V, N, A = 500, 60, 2
RNG = np.random.default_rng(4)
ITEMS, USERS = RNG.normal(size=(N, 6)).astype(np.float32), RNG.normal(size=(V, 6)).astype(np.float32)
BASE = ExternalModel(ITEMS, "dot", 1.0, USERS)
GUIDED = GuidedEmbedding.of(RNG.normal(size=(N, A)).astype(np.float32))
HISTORIES = [RNG.choice(N, 3, replace=False) for _ in range(V)]
COUNTS = np.exp(RNG.normal(size=N) + 3).round()
POPULARITY = (np.log1p(COUNTS) - np.log1p(COUNTS).mean()) / np.log1p(COUNTS).std()


class Known:
    """Item-kNN with a known table of scores."""

    def __init__(self, table: np.ndarray) -> None:
        self.table = table.astype(np.float32)

    def scores(self, users: np.ndarray, histories: list[np.ndarray], items: np.ndarray | None = None) -> np.ndarray:
        return self.table[users] if items is None else self.table[users][:, items]


NOISE = Known(np.random.default_rng(8).normal(size=(V, N)))


def head(neighbours: Any = None, guided: GuidedEmbedding = GUIDED, base: Any = BASE) -> HeadModel:
    config = RefinementConfig(mode="head")
    return HeadModel(base, None, ITEMS, guided, COUNTS[:, None], config, ranks_cold=False, neighbours=neighbours)


def cases(logits: np.ndarray, noise: float = 1.0) -> HeadCases:
    """Draw the targets of unseen items from logits; without noise they are the best ones."""
    wanted = logits + noise * np.random.default_rng(6).gumbel(size=logits.shape)
    for row, history in enumerate(HISTORIES):
        wanted[row, history] = -np.inf
    return HeadCases(np.arange(V), HISTORIES, wanted.argmax(axis=1))


def base_scores() -> np.ndarray:
    return BASE.scores(np.arange(V), HISTORIES).astype(np.float64)


def attributes() -> np.ndarray:
    profiles = head().parts(np.arange(V), HISTORIES).profile
    return 4.0 * profiles @ GUIDED.values.T


def test_attributes_that_tell_something_are_kept_and_help() -> None:
    model = head(NOISE)
    choice = fit_chosen(model, cases(base_scores() + attributes()), 0, "auto")
    assert choice.form is not None
    assert choice.form.attributes
    assert choice.ndcg is not None
    assert choice.base_ndcg is not None
    assert choice.ndcg > 1.1 * choice.base_ndcg
    assert np.abs(model.learned.profile).max() > 1
    assert choice.notices == ()
    # Item-kNN that knows nothing is left out, so that nobody has to explain it.
    assert not choice.form.neighbours
    assert (model.neighbours, model.models) == (None, ["base"])


@pytest.mark.parametrize("neighbours", [None, NOISE])
def test_where_nothing_helps_the_base_model_is_left_as_it_is_and_that_is_said(neighbours: Any) -> None:
    model = head(neighbours)
    choice = fit_chosen(model, cases(base_scores(), noise=0.0), 0, "auto")
    assert choice.form is None
    np.testing.assert_array_equal(model.scores(np.arange(V), HISTORIES), base_scores().astype(np.float32))
    (notice,) = choice.notices
    assert (notice.code, notice.count) == ("head_fell_back", V)
    assert "of the base model 1.0000, of the best head" in notice.message
    assert choice.summary() == {
        **{"base_alone": True, "neighbours": False, "popularity": False, "attributes": False},
        **{"popularity_taken_back": 0.0, "validation_ndcg": 1.0, "base_validation_ndcg": 1.0},
    }


def test_item_knn_that_tells_something_is_kept() -> None:
    knowing = Known(np.random.default_rng(9).normal(size=(V, N)))
    model = head(knowing)
    choice = fit_chosen(model, cases(base_scores() + 2 * knowing.table), 0, "auto")
    assert choice.form is not None
    assert choice.form.neighbours
    assert model.learned.models[1] / model.learned.models[0] == pytest.approx(2, rel=0.2)


def test_item_knn_that_is_asked_for_stays() -> None:
    model = head(NOISE)
    assert fit_chosen(model, cases(base_scores() + attributes()), 0, "on").form in (Form(), Form(popularity=False))
    assert model.models == ["base", "item_knn"]


def test_popularity_gets_a_weight_where_the_base_model_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known = cases(0.5 * base_scores() + 1.5 * POPULARITY)
    monkeypatch.setattr(module, "_KEPT_GAIN", 1.0)
    model = head()
    choice = fit_chosen(model, known, 0, "auto")
    assert choice.form is not None
    assert choice.form.popularity
    assert choice.reduction in REDUCTIONS
    assert model.learned.popularity[0] == pytest.approx(1.5 - choice.reduction, abs=0.25)
    # What this costs rare items is told.
    notice = choice.notices[0]
    assert notice.code == "head_costs_quarter"
    assert notice.message.startswith(
        "items of the rarest quarter by popularity are ranked lower than by the base model"
    )


def test_no_quarter_falls_below_the_base_model_where_half_the_gain_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    known = cases(0.5 * base_scores() + 0.5 * attributes() + 1.5 * POPULARITY)
    choice = fit_chosen(head(), known, 0, "auto")
    monkeypatch.setattr(module, "_KEPT_GAIN", 1.0)
    other = fit_chosen(head(), known, 0, "auto")
    assert choice.notices == ()
    assert other.notices
    assert choice.reduction in WIDER_REDUCTIONS
    assert other.reduction in REDUCTIONS
    assert None not in (choice.ndcg, choice.base_ndcg, other.ndcg)
    assert choice.ndcg - choice.base_ndcg >= 0.5 * (other.ndcg - choice.base_ndcg) > 0  # type: ignore[operator]


def test_a_quarter_is_below_the_base_model_if_that_is_sure() -> None:
    quarters = np.repeat([-1, 0, 1, 2, 3], 20)
    base = module._Quality(np.zeros(100), np.full(100, 0.5))
    now = base.reciprocal.copy()
    now[quarters <= 0] -= 0.1
    now[quarters == 1] += 0.2
    now[quarters == 3] -= np.tile([0.3, -0.25], 10)  # lower, but not for sure
    assert quarters_below(module._Quality(base.ndcg, now), base, quarters) == [0]
    assert quarters_below(base, base, quarters) == []


def test_attributes_that_hurt_are_left_out_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    known = cases(base_scores() + 2 * NOISE.table)
    monkeypatch.setattr(module, "_CLEARLY", -1e9)  # any difference is clear enough
    model = head(NOISE)
    choice = fit_chosen(model, known, 0, "auto")
    assert choice.form == Form(popularity=False, attributes=False)
    assert not model.learned.profile.any()
    (notice,) = [notice for notice in choice.notices if notice.code == "head_without_attributes"]
    assert notice.count == A


def test_a_control_without_attributes_or_base_model_chooses_as_well() -> None:
    known = cases(base_scores() + attributes())
    bare = fit_chosen(head(NOISE, GUIDED.take([])), known, 0, "auto")
    assert bare.form is None or not bare.form.neighbours
    alone = fit_chosen(head(None, base=None), known, 0, "auto")
    assert alone.form is not None
    assert alone.base_ndcg is None


def test_a_seed_gives_the_same_head_and_few_users_get_the_whole_one() -> None:
    known = cases(base_scores() + attributes())
    found = []
    for _ in range(2):
        model = head(NOISE)
        choice = fit_chosen(model, known, 3, "auto")
        found.append((choice, model.scores(np.arange(V), HISTORIES)))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])
    few = known.take(np.arange(2))
    assert fit_chosen(head(NOISE), few, 0, "auto") == HeadChoice(Form())


def test_a_sample_of_cases_decides_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    blocks_of = module.blocks_of
    monkeypatch.setattr(module, "blocks_of", lambda *args: (looked_at.append(len(args[1])), blocks_of(*args))[1])
    monkeypatch.setattr(module, "_MOST_CASES", 120)
    fit_chosen(head(), cases(base_scores() + attributes()), 0, "auto")
    assert sum(looked_at[:3]) == 120
    assert looked_at[3:] == [V]  # the chosen form is fitted on all


def qualities(losses: list[float], spread: float = 0.0) -> list[Any]:
    """Make qualities that lose a share each, by cases."""
    wobble = spread * np.where(np.arange(100) % 2, 1.0, -1.0)
    ndcg = [np.full(100, 0.2) * (1 - loss) + wobble * (place > 0) for place, loss in enumerate(losses)]
    return [module._Quality(each, each) for each in ndcg]


def test_the_largest_lambda_that_costs_little_is_taken() -> None:
    popular, base = np.arange(100) < 50, module._Quality(np.full(100, 0.1), np.full(100, 0.1))
    losses = [0.0, 0.002, 0.009, 0.011, 0.02, 0.1, 0.2]
    assert len(losses) == len(REDUCTIONS)
    assert chosen_reduction(qualities(losses), base, popular) == 2
    assert chosen_reduction(qualities(losses), None, popular) == 2
    # A loss that is not sure to be small is not risked.
    assert chosen_reduction(qualities(losses, spread=0.05), base, popular) == 0
    # The most popular quarter must not fall below the base model.
    level = module._Quality(base.ndcg, np.where(popular, 0.2 * (1 - 0.005), 0.1))
    assert chosen_reduction(qualities(losses), level, popular) == 1
    assert chosen_reduction(qualities(losses), replace(level, reciprocal=np.where(popular, 0.21, 0.1)), popular) == 0
    assert chosen_reduction(qualities(losses), level, np.zeros(100, dtype=bool)) == 2
    # Nor must all items together, in either measure.
    for ahead in (replace(base, ndcg=np.full(100, 0.199)), replace(base, reciprocal=np.full(100, 0.199))):
        assert chosen_reduction(qualities(losses), ahead, np.zeros(100, dtype=bool)) == 1
