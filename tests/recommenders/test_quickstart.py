"""The library as a data scientist uses it: in memory, on DataFrames, without a run store."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import tiny

import guidedrec_core as gr
from guidedrec_core import stages
from guidedrec_core.config import SplitConfig
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import ConfigError, DataError, InputError, NotFittedError, NotFoundError, UnknownIdError
from guidedrec_core.recommenders.reading import load_base, open_refined
from guidedrec_core.runs.datasets import load_split_dataset
from guidedrec_core.runs.library import find_entry
from guidedrec_core.runs.store import RunStore

SMALL: dict[str, Any] = {"max_epochs": 3, "warmup_steps": 4, "batch_size": 16, "threads": 1}
ENCODER: dict[str, Any] = {"width": 16, "heads": 2, "feedforward": 16, "max_length": 10}


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("frames")
    files = tiny.write_shop(folder)
    return {
        "interactions": pd.read_csv(files.interactions),
        "items": pd.read_csv(files.catalogue),
        "scores": pd.read_csv(folder / "scores.csv"),
        "attributes": gr.Attributes.read(str(files.scores.attributes)),
        "files": files,
    }


@pytest.fixture(scope="module")
def data(frames: dict[str, Any]) -> gr.SplitDataset:
    return gr.Dataset.from_frames(frames["interactions"], frames["items"], name="tiny").split("leave-one-out")


@pytest.fixture(scope="module")
def scores(frames: dict[str, Any]) -> gr.Scores:
    return gr.Scores.from_frame(frames["scores"], frames["attributes"])


@pytest.fixture(scope="module")
def base(data: gr.SplitDataset) -> gr.SASRec:
    return gr.SASRec(**ENCODER, **SMALL).fit(data)


@pytest.fixture(scope="module")
def model(data: gr.SplitDataset, base: gr.SASRec, scores: gr.Scores) -> gr.RefinedRecommender:
    return gr.Refiner(mode="additive").fit(data, base, scores)


def test_the_package_root_offers_all_it_promises() -> None:
    assert all(getattr(gr, name) is not None for name in gr.__all__)
    assert set(gr.__all__) <= set(dir(gr))
    with pytest.raises(AttributeError, match="no attribute 'SASREC'"):
        _ = gr.SASREC


def test_what_is_fitted_in_memory_is_what_the_stages_build(
    model: gr.RefinedRecommender, frames: dict[str, Any], tiny_build: stages.Build
) -> None:
    """Frames through the library and files through the stages: the same weights, scores and lists."""
    stored = open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)
    assert model.training == stored.training
    users = np.arange(60)
    histories = [model.data.shown_history(user) for user in range(60)]
    np.testing.assert_array_equal(model.base.scores(users, histories), stored.base.scores(users, histories))
    np.testing.assert_array_equal(model.refined.scores(users, histories), stored.refined.scores(users, histories))
    pd.testing.assert_frame_equal(model.recommend(k=5), stored.recommend(k=5))
    assert model.summary == dict(tiny_build.refined.summary)


def test_lists_scores_and_explanations_agree(model: gr.RefinedRecommender) -> None:
    lists = model.recommend(users=["user-03", tiny.UNICODE_USER], k=4)
    assert list(lists.columns) == ["user_id", "item_id", "score", "rank", "model"]
    assert lists["rank"].tolist() == [1, 2, 3, 4] * 2
    assert set(lists["model"]) == {"refined"}
    pairs = list(zip(lists["user_id"], lists["item_id"], strict=True))
    np.testing.assert_allclose(model.score(pairs)["score"], lists["score"], rtol=1e-6)
    for (user, item), rank in zip(pairs, lists["rank"], strict=True):
        why = model.explain(user, item)
        assert list(why.ledger.columns) == ["part", "kind", "value"]
        assert set(why.ledger["kind"]) == {"attribute", "fact", "popularity", "unnamed"}
        assert why.ledger["value"].sum() == pytest.approx(why.score, abs=1e-9)
        assert why.score == pytest.approx(model.score([(user, item)])["score"].iloc[0], abs=1e-5)
        assert why.rank == rank
    assert model.explain("user-03").item_id == lists["item_id"].iloc[0]
    assert isinstance(why.plot(), go.Figure)


def test_lists_know_the_whole_history_unless_less_is_wanted(model: gr.RefinedRecommender) -> None:
    data = model.data
    latest = data.dataset.items.id(int(data.sequences.history(data.dataset.users.index("user-03"))[-1]))
    everything = {shown: model.recommend(users=["user-03"], k=40, shown=shown) for shown in ("full", "train+valid")}
    assert latest not in set(everything["full"]["item_id"])
    assert latest in set(everything["train+valid"]["item_id"])
    pd.testing.assert_frame_equal(model.recommend(users=["user-03"], k=40), everything["full"])
    with pytest.raises(ConfigError, match=r"train, train\+valid, full, got 'all'"):
        model.recommend(users=["user-03"], shown="all")  # type: ignore[arg-type]


def test_somebody_unknown_gets_what_a_user_with_that_history_gets(model: gr.RefinedRecommender) -> None:
    """No LLM user scores here, so a model knows a user by the history alone."""
    data = model.data
    history = data.dataset.items.ids[data.sequences.history(data.dataset.users.index("user-05"))].tolist()
    unknown, known = model.recommend(history=history, k=6), model.recommend(users=["user-05"], k=6)
    assert set(unknown["user_id"]) == {""}
    assert unknown["item_id"].tolist() == known["item_id"].tolist()
    np.testing.assert_allclose(unknown["score"], known["score"], rtol=1e-5)
    item = known["item_id"].iloc[2]
    assert model.explain(history=history, item=item).rank == 3
    assert model.explain(history=history, item=item).score == pytest.approx(model.explain("user-05", item).score)
    assert len(model.recommend(history=[], k=3)) == 3


def test_every_recommender_has_one_interface(
    data: gr.SplitDataset, base: gr.SASRec, model: gr.RefinedRecommender, frames: dict[str, Any]
) -> None:
    vectors = pd.DataFrame(base.scorer.item_embedding()).assign(item_id=data.dataset.items.ids)
    made: list[gr.Recommender] = [
        gr.Popularity().fit(data),
        gr.ItemKNN(neighbours=20, decay=0.8).fit(data),
        gr.EASE(penalty=30.0).fit(data),
        gr.External(vectors, decay=0.7).fit(data),
        gr.GRU4Rec(**ENCODER, **{**SMALL, "max_epochs": 1}).fit(data),
        gr.BERT4Rec(**ENCODER, **{**SMALL, "max_epochs": 1}).fit(data),
        base,
        model,
    ]
    for one in made:
        lists = one.recommend(users=["user-01"], k=3)
        assert lists["rank"].tolist() == [1, 2, 3]
        assert lists["score"].is_monotonic_decreasing
        pairs = [("user-01", item) for item in lists["item_id"]]
        np.testing.assert_allclose(one.score(pairs)["score"], lists["score"], rtol=1e-6)
        assert len(one.recommend(history=["item-03"], k=3)) == 3
    table = gr.evaluate({f"model {n}": one for n, one in enumerate(made)}, data, bootstrap_samples=100)
    assert table["model"].nunique() == len(made)
    assert (table["ci_low"] <= table["value"]).all()
    assert (table["value"] <= table["ci_high"]).all()


def test_evaluation_is_that_of_the_stage_with_its_controls(
    data: gr.SplitDataset, base: gr.SASRec, model: gr.RefinedRecommender, tiny_build: stages.Build
) -> None:
    table = gr.evaluate(
        {"base": base, "refined": model}, data, controls=("placebo", "second_training"), cutoffs=(10, 20)
    )
    stored = tiny_build.evaluation.read_table("metrics").set_index(["model", "metric"])["value"]
    for row in table.itertuples():
        assert row.value == pytest.approx(stored[row.model, row.metric], rel=1e-9)
    assert table["model"].unique().tolist() == ["base", "refined", "placebo", "second_training"]
    gains = table[table["metric"] == "MRR"].set_index("model")
    assert np.isnan(gains.loc["base", "gain"])
    expected = gains.loc["refined", "value"] / gains.loc["base", "value"] - 1
    assert gains.loc["refined", "gain"] == pytest.approx(expected)
    with pytest.raises(InputError, match="expected controls out of placebo, second_training"):
        gr.evaluate({"refined": model}, data, controls=("shuffled",))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="of a refined recommender, got none"):
        gr.evaluate({"base": base}, data, controls=("placebo",))
    with pytest.raises(InputError, match="got 'best'"):
        gr.evaluate({"base": base}, data, against="best")


def test_a_saved_recommender_opens_as_it_was_and_is_listed(model: gr.RefinedRecommender, tmp_path: Path) -> None:
    home = tmp_path / "runs"
    run_id = model.save(home / "mine")
    again = gr.open(home / "mine")
    assert again.run_id == run_id
    assert gr.open(home / run_id).run_id == run_id
    pd.testing.assert_frame_equal(again.recommend(k=3), model.recommend(k=3))
    pd.testing.assert_frame_equal(again.explain("user-03").ledger, model.explain("user-03").ledger)
    entry = find_entry(RunStore(home), "mine")
    assert (entry.run.id, entry.base_kind) == (run_id, "sasrec")
    assert model.save(home / "mine") == again.save(home / "mine") == run_id  # nothing is stored twice
    assert len(RunStore(home).list()) == 4
    with pytest.raises(DataError, match="expected a data set name"):
        model.save(home / "My Shop")
    with pytest.raises(NotFoundError, match="no data set named 'yours'"):
        gr.open(home / "yours")


@pytest.mark.parametrize("mode", ["head", "literal"])
def test_other_modes_and_external_bases_are_saved_and_opened(
    mode: str, data: gr.SplitDataset, base: gr.SASRec, scores: gr.Scores, tmp_path: Path
) -> None:
    vectors = pd.DataFrame(base.scorer.item_embedding()).assign(item_id=data.dataset.items.ids)
    external = gr.External(vectors, encoder=base.encoder, training=base.training).fit(data)
    made = gr.Refiner(mode=mode, neighbours="on").fit(data, external, scores)
    made.save(tmp_path / "runs" / "mine")
    again = gr.open(tmp_path / "runs" / "mine")
    pd.testing.assert_frame_equal(again.recommend(k=3), made.recommend(k=3))
    assert made.save(tmp_path / "runs" / "mine") == again.run_id
    with pytest.raises(ConfigError, match="expected the sources of the vectors"):
        again.base_recommender.fit(data)


def test_an_opened_base_can_be_refined_again(
    tiny_build: stages.Build, scores: gr.Scores, model: gr.RefinedRecommender
) -> None:
    store = RunStore(tiny_build.data.path.parents[1])
    split = load_split_dataset(store, tiny_build.base)
    again = gr.Refiner(mode="additive").fit(split, load_base(tiny_build.base, split), scores)
    pd.testing.assert_frame_equal(again.recommend(k=3), model.recommend(k=3))


def test_scores_of_users_are_used_where_histories_end_alike(
    data: gr.SplitDataset, base: gr.SASRec, frames: dict[str, Any], model: gr.RefinedRecommender
) -> None:
    rng = np.random.default_rng(0)
    users = pd.DataFrame(rng.integers(0, 11, (60, 3)), columns=list(tiny.ATTRIBUTES)).assign(
        user_id=data.dataset.users.ids
    )
    with_users = gr.Scores.from_frame(frames["scores"], frames["attributes"], users)
    made = gr.Refiner(mode="additive").fit(data, base, with_users)
    assert not made.notices
    assert not made.recommend(k=5).equals(model.recommend(k=5))
    other = gr.Scores.from_frame(frames["scores"], frames["attributes"], users, user_split="temporal")
    left_out = gr.Refiner(mode="additive").fit(data, base, other)
    assert [notice.code for notice in left_out.notices] == ["user_scores_not_used"]
    pd.testing.assert_frame_equal(left_out.recommend(k=5), model.recommend(k=5))


def test_wrong_use_gets_one_clear_error(
    data: gr.SplitDataset, base: gr.SASRec, scores: gr.Scores, model: gr.RefinedRecommender, frames: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match="SASRec has no setting 'widht'; did you mean width"):
        gr.SASRec(widht=32)
    with pytest.raises(ConfigError, match="GRU4Rec is an architecture of its own"):
        gr.GRU4Rec(kind="sasrec")
    with pytest.raises(ConfigError, match="width"):
        gr.SASRec(width=-1)
    with pytest.raises(ConfigError, match="Refiner has no setting 'made'"):
        gr.Refiner(made="head")
    with pytest.raises(ConfigError, match="ItemKNN has no setting 'k'"):
        gr.ItemKNN(k=3)
    with pytest.raises(NotFittedError, match="SASRec is not fitted yet"):
        gr.SASRec().recommend()
    with pytest.raises(NotFittedError, match="Popularity is not fitted yet"):
        gr.Popularity().score([("a", "b")])
    with pytest.raises(NotFittedError, match="SASRec is not fitted yet"):
        gr.Refiner().fit(data, gr.SASRec(), scores)
    with pytest.raises(ConfigError, match=r"a base recommender with vectors .* got Popularity"):
        gr.Refiner().fit(data, gr.Popularity().fit(data), scores)  # type: ignore[arg-type]
    later = data.dataset.split("temporal")
    with pytest.raises(DataError, match="expected the data that base was fitted on"):
        gr.Refiner().fit(later, base, scores)
    with pytest.raises(DataError, match="expected the data that base was fitted on"):
        gr.evaluate({"base": base}, later)
    with pytest.raises(ConfigError, match="needs a temporal split"):
        gr.Popularity(half_life=1.0).fit(data)
    with pytest.raises(UnknownIdError, match="unknown user id: 'nobody'"):
        model.recommend(users=["nobody"])
    with pytest.raises(ConfigError, match="expected a list of ids as users"):
        model.recommend(users="user-03")
    with pytest.raises(UnknownIdError, match="unknown item id: 'nothing'"):
        model.recommend(history=["nothing"])
    with pytest.raises(InputError, match="users or a history, got both"):
        model.recommend(users=["user-03"], history=["item-01"])
    with pytest.raises(InputError, match="at least 1, got 0"):
        model.recommend(k=0)
    with pytest.raises(InputError, match="a user or a history"):
        model.explain()
    with pytest.raises(DataError, match="missing: datetime"):
        gr.Dataset.from_frames(frames["interactions"].drop(columns="datetime"))
    with pytest.raises(DataError, match="expected the column item_id in the table of items"):
        gr.Dataset.from_frames(frames["interactions"], pd.DataFrame({"title": ["a"]}))
    with pytest.raises(ConfigError, match="kind"):
        gr.Dataset.from_frames(frames["interactions"]).split("random")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="expected settings out of kind, valid_fraction"):
        gr.Dataset.from_frames(frames["interactions"]).split("temporal", valid=0.2)
    with pytest.raises(DataError, match="missing: warmth"):
        gr.Scores.from_frame(frames["scores"].drop(columns="warmth"), frames["attributes"])
    strangers = gr.Scores.from_frame(
        frames["scores"].assign(item_id=lambda t: "other " + t["item_id"]), scores.attributes
    )
    with pytest.raises(DataError, match="no id matches"):
        gr.Refiner(mode="head").fit(data, base, strangers)


def test_frames_and_files_make_the_same_data_set(frames: dict[str, Any], data: gr.SplitDataset) -> None:
    files = frames["files"]
    read = import_dataset("csv", files.interactions, "tiny", items_path=files.catalogue)
    pd.testing.assert_frame_equal(read.interactions.frame, data.dataset.interactions.frame)
    pd.testing.assert_frame_equal(read.catalogue.frame, data.dataset.catalogue.frame)
    whole = read.split(SplitConfig(kind="temporal"))
    assert whole.is_temporal
    assert json.dumps(data.dataset.describe())
