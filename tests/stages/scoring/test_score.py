"""Stage scores from a language model, through the real SDK and a loopback server."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from chat_server import KEY, Answer, ChatServer, Request, chat_server, failing, said, score_of, scorer, scores, texts_in
from numpy.testing import assert_array_equal
from obedient_model import obedient
from poisoned_listings import POISONS, PRODUCTS

from guidedrec_core import stages
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.config import ScoringConfig, SplitConfig
from guidedrec_core.data.bundled import ScoreFiles
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import ConfigError, InputError, JobCancelledError, ServiceError
from guidedrec_core.llm.sanitize import clean
from guidedrec_core.progress import Progress
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.scoring.score import score_task, score_with_llm, scoring_plan

__all__ = ["chat_server"]

Score = Callable[..., Run]


@pytest.fixture
def files(tmp_path: Path) -> tiny.TinyFiles:
    return tiny.write_shop(tmp_path)


@pytest.fixture
def store(own_home: Path, files: tiny.TinyFiles) -> RunStore:
    """A store of its own with the tiny data set."""
    store = RunStore(own_home)
    stages.store_dataset(store, import_dataset("csv", files.interactions, "tiny", items_path=files.catalogue))
    return store


@pytest.fixture
def data(store: RunStore) -> Run:
    return stages.find_data(store, "tiny")


@pytest.fixture
def schema(files: tiny.TinyFiles) -> AttributeSchema:
    return AttributeSchema.read(files.scores.attributes)


@pytest.fixture
def config(chat_server: ChatServer) -> ScoringConfig:
    chat_server.model = scorer
    return ScoringConfig(model="m", base_url=chat_server.url, items_per_request=8, concurrency=3, price=(1.0, 2.0))


@pytest.fixture
def score(store: RunStore, data: Run, schema: AttributeSchema) -> Score:
    def run(config: ScoringConfig, **more: Any) -> Run:
        return score_with_llm(store, data, schema, config, **more)

    return run


def text(row: dict[str, Any]) -> str:
    """What the model reads of an item of the tiny shop."""
    names = ("title", "category", "price", "description")
    return "\n".join(f"{name}: {row[name]}" for name in names)


def test_items_are_scored_stored_and_used_by_the_next_refinement(
    config: ScoringConfig, score: Score, store: RunStore, data: Run, chat_server: ChatServer, schema: AttributeSchema
) -> None:
    events: list[Progress] = []
    run = score(config, listener=events.append)
    catalogue = load_dataset(data).catalogue.frame
    values = load_scores(run).values
    for place, row in list(enumerate(catalogue.to_dict("records")))[1:]:  # the first title needs cleaning
        assert values[place].tolist() == [score_of(text(row), name) for name in schema.names]
    assert not np.isnan(values).any()
    facts = run.read_json("scoring")
    assert (facts["model"], facts["stopped"], facts["requests"]) == ("m", "", len(chat_server.asked))
    assert facts["requests"] == 5
    assert facts["cost"] == pytest.approx((facts["prompt_tokens"] + 2 * facts["completion_tokens"]) / 1e6)
    assert run.config["scoring"]["server"] == "127.0.0.1"
    assert {k: run.summary[k] for k in ("items", "scored", "missing", "failed", "requests", "model")} == {
        "items": 40,
        "scored": 40,
        "missing": 0,
        "failed": 0,
        "requests": 5,
        "model": "m",
    }
    assert run.summary["tokens"] == facts["prompt_tokens"] + facts["completion_tokens"]
    assert run.read_table("faults").empty
    assert run.read_json("notices") == []
    assert events[-1].stage == "scores"
    assert stages.find_scores(store, data).id == run.id
    base = stages.train_base(store, data, tiny.CONFIG)
    assert stages.refine(store, base, run, tiny.CONFIG).inputs["scores"] == run.id


def test_nothing_is_asked_twice_and_an_equal_run_is_found(
    config: ScoringConfig, score: Score, store: RunStore, chat_server: ChatServer
) -> None:
    first = score(config)
    asked = len(chat_server.asked)
    assert score(config.model_copy(update={"concurrency": 1, "budget": 3.0})).id == first.id
    other = score(config.model_copy(update={"model": "n"}))
    again = score(config)
    assert len(chat_server.asked) == 2 * asked
    assert again.id not in (first.id, other.id), "the next refinement starts from the newest"
    assert again.config == first.config
    assert len(store.list("scores")) == 3


def test_a_plan_counts_what_is_kept_and_sends_nothing(
    config: ScoringConfig, score: Score, store: RunStore, data: Run, schema: AttributeSchema, chat_server: ChatServer
) -> None:
    plan = scoring_plan(store, data, schema, config)
    assert (plan.listings, plan.cached, plan.asked, plan.requests, len(chat_server.asked)) == (40, 0, 40, 5, 0)
    assert plan.cost is not None
    assert plan.cost > 0
    paid = score(config).summary["cost"]
    assert paid == pytest.approx(plan.cost, rel=0.5)
    after = scoring_plan(store, data, schema, config)
    assert (after.cached, after.asked, after.requests, after.cost) == (40, 0, 0, 0.0)
    assert scoring_plan(store, data, schema, config, "user").listings == 60


def test_what_fails_stays_missing_and_is_listed_with_the_reason(
    config: ScoringConfig, score: Score, store: RunStore, data: Run, chat_server: ChatServer
) -> None:
    def refuses_one(request: Request) -> Answer:
        found = texts_in(request)
        kept = scores(request)
        kept["items"] = [row for row in kept["items"] if "Thing number 7\n" not in found[row["number"] - 1]]
        return Answer(said(json.dumps(kept)))

    chat_server.model = refuses_one
    run = score(config.model_copy(update={"attempts": 2}))
    faults = run.read_table("faults").to_dict("records")
    assert faults == [{"kind": "item", "id": "item-07", "reason": "not in the answer"}]
    place = load_dataset(data).items.index("item-07")
    missing = np.isnan(load_scores(run).values)
    assert missing[place].all()
    assert missing.sum() == 3
    assert (run.summary["failed"], run.summary["scored"], run.summary["missing"]) == (1, 39, 3)
    assert [n["code"] for n in run.read_json("notices")] == ["failed_items", "unscored_items"]
    base = stages.train_base(store, data, tiny.CONFIG)
    masked = stages.refine(store, base, run, tiny.CONFIG).read_arrays("guided")["missing"]
    assert masked[place].all()
    assert masked.sum() == 3
    chat_server.model = scorer
    mended = score(config)
    assert mended.summary["failed"] == 0
    assert mended.read_json("scoring")["this_run"]["requests"] == 1
    assert mended.summary["requests"] == run.summary["requests"] + 1


def test_items_without_a_text_are_left_out_and_counted(
    config: ScoringConfig, score: Score, schema: AttributeSchema, tmp_path: Path, store: RunStore
) -> None:
    catalogue = pd.read_csv(tmp_path / "catalogue.csv").drop(columns=["description"])
    catalogue.loc[3, ["title", "category"]] = None
    catalogue.to_csv(tmp_path / "catalogue.csv", index=False)
    bare = import_dataset("csv", tmp_path / "interactions.csv", "bare", items_path=tmp_path / "catalogue.csv")
    run = score_with_llm(
        store, stages.store_dataset(store, bare), schema, config.model_copy(update={"columns": ("title",)})
    )
    counts = {"items": 40, "scored": 39, "missing": 3, "failed": 0}
    assert {name: run.summary[name] for name in counts} == counts
    unscored = np.flatnonzero(np.isnan(load_scores(run).values).all(axis=1))
    assert bare.items.ids[unscored].tolist() == ["item-03"]
    assert [n["code"] for n in run.read_json("notices")] == ["items_without_text", "unscored_items"]


def test_several_passes_give_the_median_and_the_disagreement(
    config: ScoringConfig, score: Score, chat_server: ChatServer
) -> None:
    def drifting(request: Request) -> Answer:
        n = len(chat_server.asked)
        return Answer(said(json.dumps(scores(request, lambda text, name: float(n > 5) + float(n > 10)))))

    chat_server.model = drifting
    run = score(config.model_copy(update={"passes": 3, "concurrency": 1}))
    assert (load_scores(run).values == 1).all()
    assert run.read_array("item_passes").tolist() == [[[float(pass_)] * 3] * 40 for pass_ in range(3)]
    assert (run.read_array("item_disagreement") == 1).all()
    positions = run.read_array("item_positions")
    assert positions.shape == (3, 40)
    assert (np.unique(positions) == np.arange(1, 9)).all()


def test_the_budget_stops_and_the_rest_is_asked_with_a_larger_one(
    config: ScoringConfig, score: Score, store: RunStore, data: Run, schema: AttributeSchema, chat_server: ChatServer
) -> None:
    whole = scoring_plan(store, data, schema, config).cost or 0.0
    tight = config.model_copy(update={"budget": whole * 0.8, "concurrency": 1})
    with pytest.raises(InputError, match=r"of 40 items; what is answered is kept.* larger budget"):
        score(tight)
    assert store.list("scores") == []
    run = score(tight.model_copy(update={"budget": 1e-9}), keep_partial=True)
    assert 0 < run.summary["scored"] < 40
    assert (run.summary["stopped"], run.summary["failed"]) == ("budget", 0)
    assert run.summary["cost"] <= whole * 0.8
    left = 40 - run.summary["scored"]
    assert {n["code"]: n["count"] for n in run.read_json("notices")} == {
        "items_beyond_budget": left,
        "unscored_items": left,
    }
    done = score(config)
    assert (done.summary["scored"], done.summary["stopped"]) == (40, "")
    seen = [each for request in chat_server.asked for each in texts_in(request)]
    assert len(seen) == len(set(seen)) == 40, "nothing is paid for twice"


def test_scorings_at_once_pay_for_nothing_twice(
    config: ScoringConfig, score: Score, store: RunStore, chat_server: ChatServer
) -> None:
    with ThreadPoolExecutor() as threads:
        runs = [each.result() for each in [threads.submit(score, config) for _ in range(2)]]
    assert [run.summary["scored"] for run in runs] == [40, 40]
    seen = [each for request in chat_server.asked for each in texts_in(request)]
    assert len(seen) == len(set(seen)) == 40


def test_a_budget_for_nothing_stores_nothing(config: ScoringConfig, score: Score, store: RunStore) -> None:
    with pytest.raises(InputError, match="0 of 40 items"):
        score(config.model_copy(update={"budget": 1e-9}), keep_partial=True)
    assert store.list("scores") == []


def test_a_budget_is_for_items_and_users_together(
    config: ScoringConfig, score: Score, store: RunStore, data: Run, schema: AttributeSchema
) -> None:
    whole = scoring_plan(store, data, schema, config).cost or 0.0
    run = score(config.model_copy(update={"budget": 2 * whole, "concurrency": 1}), users=True, keep_partial=True)
    assert run.summary["cost"] <= 2 * whole
    assert run.summary["scored"] == 40
    assert run.summary["stopped"] == "budget"
    assert 0 <= run.summary["users_scored"] < 60


def test_a_budget_holds_for_failed_attempts_of_items_and_users_together(
    config: ScoringConfig, score: Score, store: RunStore, data: Run, schema: AttributeSchema, chat_server: ChatServer
) -> None:
    whole = scoring_plan(store, data, schema, config).cost or 0.0
    # Half of what is booked is booked for the items, so that the users get what is left, and not all of it.
    chat_server.model = lambda request: failing(500) if len(chat_server.asked) % 2 else scorer(request)
    run = score(config.model_copy(update={"budget": 4 * whole, "concurrency": 1}), users=True, keep_partial=True)
    summary = run.summary
    assert (summary["scored"], summary["stopped"]) == (40, "budget")
    assert summary["failed_attempts"] == len(chat_server.asked) - summary["requests"] > 5
    assert 0 < summary["failed_cost"] <= 4 * whole - summary["cost"]
    assert run.read_json("scoring")["this_run"]["failed_attempts"] == summary["failed_attempts"]


def test_users_are_scored_by_the_training_part_and_used_with_the_same_split_only(
    config: ScoringConfig, score: Score, store: RunStore, data: Run, chat_server: ChatServer
) -> None:
    temporal = SplitConfig(kind="temporal", valid_fraction=0.2)
    run = score(config, users=True, split=temporal)
    prepared = SplitDataset.of(load_dataset(data), temporal).showing("train")
    titles = [clean(title) for title in prepared.dataset.catalogue.frame["title"]]
    histories = [prepared.shown_history(user) for user in range(60)]
    expected = {"\n".join(titles[item] for item in history) for history in histories if len(history)}
    shown = {each for request in chat_server.asked for each in texts_in(request)}
    assert {each for each in shown if not each.startswith("title: ")} == expected, "the training part and no more"
    assert run.config["user_scores"]["split"]["kind"] == "temporal"
    assert run.summary["users_scored"] == int((prepared.split.n_train > 0).sum())
    build = tiny.CONFIG.model_copy(update={"split": temporal})
    refined = stages.refine(store, stages.train_base(store, data, build), run, build)
    assert "user_scores" in refined.read_arrays("frozen")
    for split in (SplitConfig(), temporal.model_copy(update={"valid_fraction": 0.1})):
        build = tiny.CONFIG.model_copy(update={"split": split})
        refined = stages.refine(store, stages.train_base(store, data, build), run, build)
        assert "user_scores" not in refined.read_arrays("frozen")
        assert "judged from temporal training histories" in refined.read_json("notices")[0]["message"]


def test_cancelling_stores_nothing_and_going_on_asks_only_for_the_rest(
    config: ScoringConfig, score: Score, store: RunStore, chat_server: ChatServer
) -> None:
    def stop(event: Progress) -> None:
        if event.step >= 16:
            raise JobCancelledError("stop")

    one_by_one = config.model_copy(update={"concurrency": 1})
    with pytest.raises(JobCancelledError):
        score(one_by_one, listener=stop)
    assert store.list("scores") == []
    before = len(chat_server.asked)
    assert 2 <= before < 5
    assert score(one_by_one).summary["scored"] == 40
    assert len(chat_server.asked) == 5


def test_a_job_scores_what_its_arguments_say(
    config: ScoringConfig, store: RunStore, data: Run, schema: AttributeSchema
) -> None:
    arguments = {
        "dataset": "tiny",
        "schema": schema.model_dump(mode="json"),
        "scoring": config.model_dump(mode="json"),
        "users": True,
    }
    run = store.open(score_task(json.loads(json.dumps(arguments)), store.home, lambda event: None), "scores")
    assert run.summary["users_scored"] == 60
    assert run.config["user_scores"]["split"] == SplitConfig().model_dump(mode="json")


def test_a_model_that_answers_nothing_usable_is_an_error(
    config: ScoringConfig, score: Score, store: RunStore, chat_server: ChatServer
) -> None:
    chat_server.model = lambda request: Answer(said("I would rather not."))
    with pytest.raises(ServiceError, match=r"none of its answers about 40 items could be used \(the first: no JSON"):
        score(config)
    assert store.list("scores") == []


def test_a_refused_key_is_told_without_it(config: ScoringConfig, score: Score, chat_server: ChatServer) -> None:
    chat_server.model = lambda request: failing(401, f"Incorrect API key provided: {KEY}.")
    with pytest.raises(ConfigError, match="refused the key") as caught:
        score(config)
    assert KEY not in str(caught.value)


def test_the_key_is_in_no_file(config: ScoringConfig, score: Score, store: RunStore, chat_server: ChatServer) -> None:
    score(config)
    assert chat_server.headers[0]["authorization"] == f"Bearer {KEY}"
    for path in store.home.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path


def test_scores_set_by_hand_survive_scoring_anew(
    config: ScoringConfig, score: Score, store: RunStore, data: Run, files: tiny.TinyFiles
) -> None:
    stages.score_attributes(store, data, ScoreFiles(files.scores.attributes, files.scores.item_scores, None))
    stages.override_score(store, data, "item-05", "warmth", 9.5, "Ann", "it is a parka")
    run = score(config)
    laid = stages.find_scores(store, data)
    place = load_dataset(data).items.index("item-05")
    assert load_scores(laid).values[place, 0] == 9.5
    assert laid.inputs["scores"] == run.id
    assert_array_equal(load_scores(laid).values[:place], load_scores(run).values[:place])


def test_no_listing_that_gives_orders_moves_a_score(
    config: ScoringConfig, store: RunStore, tmp_path: Path, chat_server: ChatServer
) -> None:
    """Fifty poisoned listings among clean ones, whole requests of them, and a model that obeys strangers."""
    ends = {"warmth": ("breezy mesh", "thick down"), "elegance": ("plain, cheap", "elegant silk, shimmers")}
    attributes = [{"name": name, "low": low, "high": high} for name, (low, high) in ends.items()]
    schema = AttributeSchema.parse({"domain": "clothing", "attributes": attributes})
    columns = ("title", "category", "description")
    clean = [dict(zip(columns, product, strict=True)) for product in PRODUCTS]
    rows = [*clean, *(poison.applied(clean[n % 5]) for n, poison in enumerate(POISONS))]
    catalogue = pd.DataFrame(rows)
    catalogue.insert(0, "item_id", [f"item-{n:02d}" for n in range(len(rows))])
    catalogue.to_parquet(tmp_path / "poisoned.parquet")
    times = [86_400 * (20_000 + n) for n in range(len(rows))]
    bought = [(f"user-{user}", *each) for user in range(3) for each in zip(catalogue["item_id"], times, strict=True)]
    days = pd.DataFrame(bought, columns=["user_id", "item_id", "datetime"])
    days.to_csv(tmp_path / "bought.csv", index=False)
    dataset = import_dataset("csv", tmp_path / "bought.csv", "poisoned", items_path=tmp_path / "poisoned.parquet")
    data = stages.store_dataset(store, dataset)
    model = obedient(schema)
    chat_server.model = lambda request: Answer(said(model(request["messages"])))
    run = score_with_llm(store, data, schema, config)
    values = dict(zip(dataset.items.ids, load_scores(run).values.tolist(), strict=True))
    assert len({tuple(values[f"item-{n:02d}"]) for n in range(5)}) > 2, "clean listings differ"
    for n, poison in enumerate(POISONS):
        assert values[f"item-{5 + n:02d}"] == values[f"item-{n % 5:02d}"], poison.name
    assert run.summary["failed"] == 0
