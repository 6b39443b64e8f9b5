"""Mode named: nothing per item, every part of every score with a name, and cold items ranked like others."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from refine_shop import CONFIG, Shop

from guidedrec_core import stages
from guidedrec_core.attributes.scores import Scores
from guidedrec_core.config import SplitConfig
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.errors import RunCorruptError
from guidedrec_core.evaluation.named import WEIGHTS, named_report
from guidedrec_core.recommenders import reading
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.recommenders.refiner import Refiner
from guidedrec_core.recommenders.sequence import SASRec
from guidedrec_core.refinement.named import NamedRefinedModel
from guidedrec_core.runs.scores import load_scores

TOLERANCE = 1e-5
BASE = {"width": 8, "heads": 2, "feedforward": 8, "max_length": 6, "max_epochs": 2, "warmup_steps": 4, "batch_size": 16}
SPLITS = {
    "leave-one-out": SplitConfig(),
    "temporal": SplitConfig(kind="temporal", valid_fraction=0.2, test_fraction=0.2),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("named"), late=True)


@pytest.fixture(scope="module", params=["leave-one-out", "temporal"])
def system(request: pytest.FixtureRequest, shop: Shop) -> RefinedRecommender:
    config = shop.config(mode="named", neighbours=True).model_copy(update={"split": SPLITS[request.param]})
    base = stages.train_base(shop.store, shop.data, config)
    return open_refined(shop.store, stages.refine(shop.store, base, shop.scores, config).id)


def everybody(system: RefinedRecommender) -> tuple[np.ndarray, list[np.ndarray]]:
    users = np.arange(len(system.data.dataset.users))
    return users, [system.data.shown_history(user) for user in users.tolist()]


def test_every_part_of_every_score_has_a_name(system: RefinedRecommender) -> None:
    users, histories = everybody(system)
    parts = system.named.parts(users, histories)
    assert_allclose(parts.unnamed, 0, atol=TOLERANCE)
    total = parts.slopes @ system.named.columns.values.T + parts.neighbours + parts.average[:, None]
    assert_allclose(total, system.refined.scores(users, histories), atol=TOLERANCE)
    for item_id in system.data.dataset.items.ids[:5]:
        why = system.explain("user-03", item_id)
        assert abs(why.lines.set_index("name").loc["other_patterns", "contribution"]) < TOLERANCE
        assert why.ledger["value"].sum() == pytest.approx(why.score, abs=1e-9)


def test_an_item_nobody_had_in_training_has_only_names_too(tmp_path: Path) -> None:
    """Where validation knows no such items, they are ranked by their columns, and move nothing else."""
    shop = Shop(tmp_path)
    table = shop.data.read_table("interactions")
    last = table.groupby("user_id").tail(1).index[:3]
    table.loc[last, "item_id"] = "item-new"
    items = shop.data.read_table("catalogue")
    new = items.iloc[[0]].assign(item_id="item-new", title="New tent")
    data = Dataset.from_frames(table, pd.concat([items, new])).split("leave-one-out")
    assert data.item_interactions[data.dataset.items.index("item-new")] == 0
    scores = load_scores(shop.scores)
    frame = pd.DataFrame(scores.values, columns=list(scores.schema.names)).assign(item_id=items["item_id"])
    frame = pd.concat([frame, frame.iloc[[3]].assign(item_id="item-new")])
    base = SASRec(**BASE).fit(data)
    model = Refiner(mode="named", max_epochs=2).fit(data, base, Scores.from_frame(frame, scores.schema))
    parts = model.named.parts(np.arange(5), [data.shown_history(user) for user in range(5)])
    assert_allclose(parts.unnamed, 0, atol=TOLERANCE)
    assert np.abs(parts.scores).max() < 100
    assert np.abs(parts.average).max() < 10


def test_no_weight_belongs_to_an_item(system: RefinedRecommender) -> None:
    inner = system.refined.refined
    assert isinstance(inner, NamedRefinedModel)
    assert system.refined.models == ["refined", "item_knn"]
    n_items = inner.n_items
    assert all(n_items not in parameter.shape for parameter in inner.parameters())


def test_items_with_the_same_columns_score_alike(system: RefinedRecommender) -> None:
    inner = system.refined.refined
    assert isinstance(inner, NamedRefinedModel)
    users, histories = everybody(system)
    facts = inner.facts.numpy().copy()
    facts[3] = facts[8]
    twins = inner.with_facts(facts).with_item_value(3, inner.item_values()[8])
    scores = twins.scores(users, [history[(history != 3) & (history != 8)] for history in histories])
    assert_allclose(scores[:, 3], scores[:, 8], atol=TOLERANCE)


def test_an_item_without_training_events_is_ranked_by_what_is_known(shop: Shop) -> None:
    config = shop.config(mode="named").model_copy(update={"split": SPLITS["temporal"]})
    base = stages.train_base(shop.store, shop.data, config)
    system = open_refined(shop.store, stages.refine(shop.store, base, shop.scores, config).id)
    cold = np.flatnonzero(system.data.item_interactions == 0)
    assert len(cold) >= 2
    users, histories = everybody(system)
    scores = system.refined.scores(users, histories)[:, cold]
    assert np.isfinite(scores).all()
    assert (scores.std(axis=1) > 1e-4).all()  # they are told apart
    assert np.ptp(scores[:, 0] - scores[:, 1]) > 1e-4  # and not alike for everybody


def test_counts_of_a_temporal_split_are_brought_up_to_date(shop: Shop) -> None:
    config = shop.config(mode="named").model_copy(update={"split": SPLITS["temporal"]})
    base = stages.train_base(shop.store, shop.data, config)
    system = open_refined(shop.store, stages.refine(shop.store, base, shop.scores, config).id)
    inner = system.refined.refined
    assert isinstance(inner, NamedRefinedModel)
    assert_array_equal(inner.facts.numpy(), system.facts.values)
    count = system.data.refreshed.item_interactions
    popularity = next(fact for fact in system.facts.facts if fact.kind == "popularity")
    assert popularity.numbers is not None
    assert_allclose(np.expm1(popularity.numbers), count)
    assert (count > system.data.item_interactions).any()


def test_facts_that_changed_since_training_are_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    run = shop.refine(mode="named")
    facts_of = reading.facts_of
    monkeypatch.setattr(
        reading, "facts_of", lambda data, config: facts_of(data, config.model_copy(update={"facts": ("popularity",)}))
    )
    with pytest.raises(RunCorruptError, match="columns of facts, but its data has"):
        open_refined(shop.store, run.id)


def test_names_of_a_named_model_cost_nothing(shop: Shop) -> None:
    config = shop.config(mode="named")
    base = stages.train_base(shop.store, shop.data, config)
    evaluation = stages.evaluate(shop.store, stages.refine(shop.store, base, shop.scores, config), config)
    shares = evaluation.read_table("named_shares").set_index("part")["share"]
    assert shares[["attribute", "fact", "popularity", "neighbours", "unnamed"]].sum() == pytest.approx(1, abs=1e-6)
    assert abs(shares["unnamed"]) < TOLERANCE
    frontier = evaluation.read_table("frontier")
    assert np.ptp(frontier["ndcg"]) < 1e-9
    assert abs(shares["unnamed_out_of_fold"]) < TOLERANCE
    assert {"second_training", "placebo"} < set(evaluation.inputs)


def test_the_report_of_a_refined_model_is_what_its_definition_says(shop: Shop, tmp_path: Path) -> None:
    system = open_refined(shop.store, shop.refine(mode="additive", neighbours=True).id)
    cases = system.data.test_cases
    report = named_report(system, cases, 100, 0)
    share = report.shares.set_index("part")["share"]
    assert share[["attribute", "fact", "popularity", "neighbours", "unnamed"]].sum() == pytest.approx(1, abs=1e-6)
    assert report.lines["share"].sum() == pytest.approx(share[["attribute", "fact", "popularity"]].sum(), abs=1e-6)
    assert report.frontier["unnamed_weight"].tolist() == list(WEIGHTS)
    assert (report.frontier["unnamed_spread"].diff().iloc[1:] > 0).all()
    assert len(report.ranks) == len(cases)
    # One user by hand: the share of popularity is a covariance over the 50 best, here all unseen items.
    user, length = int(cases.users[0]), int(cases.lengths[0])
    history = system.data.sequences.history(user, length)
    unseen = np.setdiff1d(np.arange(system.refined.n_items), history)
    parts = system.named.parts(np.array([user]), [history], unseen)
    lines = system.named.contributions(parts.slopes[0], unseen)
    popular = lines[:, [line.kind == "popularity" for line in system.named.columns.lines]].sum(axis=1)
    scores = parts.scores[0].astype(float)
    by_hand = np.cov(popular, scores)[0, 1] / np.var(scores, ddof=1)
    alone = named_report(system, cases.take(np.array([0])), 100, 0).shares.set_index("part")["share"]
    assert alone["popularity"] == pytest.approx(by_hand, abs=1e-6)
    assert CONFIG.evaluation.cutoffs[0] == 10
