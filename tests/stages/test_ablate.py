"""Ablation and sparsity on the tiny shop: the right models, found again, and out of the way of what is studied."""

from pathlib import Path

import numpy as np
import pytest
import tiny

from guidedrec_core import stages
from guidedrec_core.config import AblationConfig, RefinementConfig, SparsityConfig, SplitConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.evaluation.metrics import case_metrics
from guidedrec_core.progress import Progress
from guidedrec_core.ranking.ranks import target_ranks
from guidedrec_core.recommenders.heads import head_cases, head_over
from guidedrec_core.recommenders.reading import load_base, load_refined
from guidedrec_core.runs import library
from guidedrec_core.runs.datasets import load_dataset, load_split_dataset
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

HEAD = AblationConfig(bootstrap_samples=100)


def test_a_head_ablation_holds_what_heads_over_the_same_base_reach(tiny_home: Path, tiny_build: Build) -> None:
    store = RunStore(tiny_home)
    run = stages.ablate(store, tiny_build.refined, HEAD)
    table = run.read_table("ablation")
    assert table.groupby("metric")["kind"].value_counts()["MRR"].to_dict() == {
        **{"drop": 3, "keep": 3},
        **{"first": 2, "all": 1, "none": 1},
    }
    prepared = load_split_dataset(store, tiny_build.base)
    for kind, attribute, settings in (
        ("all", "", {}),
        ("none", "", {"control": "second_training"}),
        ("drop", tiny.ATTRIBUTES[0], {"attributes": (1, 2)}),
    ):
        refinement = RefinementConfig.parse({"mode": "head", **settings})
        config = tiny.CONFIG.model_copy(update={"refinement": refinement})
        run = stages.refine(store, tiny_build.base, tiny_build.scores, config)
        chosen = load_refined(run, load_base(tiny_build.base, prepared), tiny_build.scores)
        # A refined model may leave out terms by choice; an ablation keeps them.
        model = head_over(chosen.base, None, chosen.guided, refinement, prepared)
        model.fit(*head_cases(prepared, config.seed))
        ranks = target_ranks(model, prepared.sequences, prepared.test_cases)
        row = table[(table["kind"] == kind) & (table["attribute"] == attribute) & (table["metric"] == "MRR")]
        assert row["value"].iloc[0] == pytest.approx(case_metrics(ranks, (10,))[:, 0].mean(), rel=1e-5)


def test_an_ablation_is_found_again_and_belongs_to_its_run(tiny_home: Path, tiny_build: Build) -> None:
    store, events = RunStore(tiny_home), list[Progress]()
    run = stages.ablate(store, tiny_build.refined, HEAD, events.append)
    assert {event.stage for event in events} == {"ablation"}
    assert (
        events[-1].step == events[-1].total == 8
    )  # all, none, three dropped, three kept; the first few are among them
    assert stages.ablate(store, tiny_build.refined, HEAD).id == run.id
    entry = library.find_entry(store, "tiny")
    assert entry.ablation is not None
    assert (entry.run.id, entry.ablation.id) == (tiny_build.refined.id, run.id)


def test_histories_are_cut_to_their_latest_part_and_nothing_else_changes(tiny_build: Build) -> None:
    whole = SplitDataset.of(load_dataset(tiny_build.data), SplitConfig())
    half = SplitDataset.of(load_dataset(tiny_build.data), SplitConfig(history_share=0.5))
    for user in range(whole.sequences.n_users):
        kept = -(-int(whole.split.n_train[user]) // 2)
        assert half.split.n_train[user] == kept
        expected = whole.sequences.history(user)[whole.split.n_train[user] - kept :]
        np.testing.assert_array_equal(half.sequences.history(user), expected)
    np.testing.assert_array_equal(half.test_cases.targets, whole.test_cases.targets)
    assert half.item_interactions.sum() == half.split.n_train.sum()


def test_sparsity_repeats_the_comparison_on_shorter_histories(tiny_home: Path, tiny_build: Build) -> None:
    store = RunStore(tiny_home)
    run = stages.measure_sparsity(store, tiny_build.refined, SparsityConfig(shares=(1.0, 0.5)))
    metrics = run.read_table("metrics")
    interactions = metrics.drop_duplicates("share").set_index("share")["interactions"]
    assert interactions[0.5] < interactions[1.0]
    own = tiny_build.evaluation.read_table("metrics").set_index(["model", "metric"])["value"]
    full = metrics[metrics["share"] == 1].set_index(["model", "metric"])["value"]
    assert full["base", "MRR"] == own["base", "MRR"]
    assert {"second_training", "placebo"} <= set(run.read_table("differences")["against"])
    assert [entry.run.id for entry in library.refined_entries(store, "tiny")] == [tiny_build.refined.id]
