"""``guidedrec recommend`` and ``guidedrec explain``: lists, and the exact parts of their scores."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny

from guidedrec_core.cases.changes import build_changes, build_moved, build_why_not
from guidedrec_core.cases.history import build_history
from guidedrec_core.explanation.ledger import refined_ledger
from guidedrec_core.explanation.question import Question
from guidedrec_core.ranking.recommend import recommend
from guidedrec_core.rationale.claims import READERS
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

TOLERANCE = 1e-5


@pytest.fixture
def system(tiny_home: Path, tiny_build: Build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_home), tiny_build.refined.id)


@pytest.mark.parametrize("model", ["base", "refined"])
@pytest.mark.parametrize("history", ["train", "train+valid", "full"])
def test_a_users_list_is_the_models(
    model: str, history: Any, document: Callable[..., Any], system: RefinedRecommender
) -> None:
    user = tiny.UNICODE_USER
    found = document("recommend", "tiny", "--user", user, "--model", model, "--history", history, "--k", "5")
    assert {key: found[key] for key in ("user_id", "model", "run_id")} == {
        "user_id": user,
        "model": model,
        "run_id": system.run_id,
    }
    users = np.array([system.data.dataset.users.index(user)])
    wanted = recommend(system.model(model), model, system.data.showing(history), users, 5)
    titles = system.data.dataset.catalogue.frame.set_index("item_id")["title"]
    assert [set(item) for item in found["items"]] == [{"item_id", "title", "rank", "score"}] * 5
    assert [item["item_id"] for item in found["items"]] == wanted["item_id"].tolist()
    assert [item["rank"] for item in found["items"]] == [1, 2, 3, 4, 5]
    assert [item["title"] for item in found["items"]] == [titles[item["item_id"]] for item in found["items"]]
    assert [item["score"] for item in found["items"]] == pytest.approx(wanted["score"].tolist())


def test_people_get_a_table(call: Callable[..., Any], tiny_home: Path, tiny_build: Build) -> None:
    result = call("recommend", "--user", "user-01", "--k", "2")
    header, first, _ = result.stdout.splitlines()
    assert header.split() == ["rank", "score", "item", "title"]
    assert first.split()[0] == "1"
    assert result.stderr == f"Note: from the newest refined run, {tiny_build.refined.id} of data set tiny\n"


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_everybodys_lists_have_the_canonical_columns(
    suffix: str, document: Callable[..., Any], system: RefinedRecommender, tmp_path: Path
) -> None:
    out = tmp_path / f"lists.{suffix}"
    result = document("recommend", "--all-users", "--model", "base", "--k", "4", "--history", "train", "--out", out)
    assert result == {"model": "base", "run_id": system.run_id, "users": 60, "rows": 240, "path": str(out)}
    found = pd.read_parquet(out) if suffix == "parquet" else pd.read_csv(out)
    assert list(found.columns) == ["user_id", "item_id", "score", "rank", "model"]
    wanted = recommend(system.base, "base", system.data.showing("train"), np.arange(60), 4)
    assert found["item_id"].tolist() == wanted["item_id"].tolist()
    assert found["user_id"].tolist() == wanted["user_id"].tolist()
    np.testing.assert_allclose(found["score"], wanted["score"], rtol=1e-6)


def test_whole_histories_are_shown_unless_something_else_is_wanted(
    document: Callable[..., Any], system: RefinedRecommender
) -> None:
    user, data = system.data.dataset.users.id(0), system.data
    latest = data.dataset.items.id(int(data.sequences.history(0)[-1]))
    default = document("recommend", "--user", user, "--k", "40")
    assert default == document("recommend", "--user", user, "--k", "40", "--history", "full")
    assert latest not in {item["item_id"] for item in default["items"]}
    held_out = document("recommend", "--user", user, "--k", "40", "--history", "train+valid")
    assert latest in {item["item_id"] for item in held_out["items"]}


def test_somebody_unknown_gets_a_list_for_a_basket(
    document: Callable[..., Any], refused: Any, system: RefinedRecommender
) -> None:
    found = document("recommend", "--basket", "item-03, item-07", "--k", "4")
    assert found["user_id"] is None
    wanted = system.recommend(history=["item-03", "item-07"], k=4)
    assert [item["item_id"] for item in found["items"]] == wanted["item_id"].tolist()
    assert not {"item-03", "item-07"} & set(wanted["item_id"])
    assert "unknown item id: 'item-99'" in refused("recommend", "--basket", "item-03,item-99")
    wrong = refused("recommend", "--basket", "item-03", "--user", "user-01")
    assert "one of --user, --basket and --all-users" in wrong


def test_k_beyond_the_catalogue_gives_all_that_is_new(document: Callable[..., Any], system: RefinedRecommender) -> None:
    user = system.data.dataset.users.id(0)
    found = document("recommend", "--user", user, "--k", "1000")
    assert len(found["items"]) == 40 - len(set(system.data.shown_history(0).tolist()))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("recommend", "--user", "nobody"), "unknown user id: 'nobody'"),
        (("explain", "--user", "nobody", "--item", "item-01"), "unknown user id: 'nobody'"),
        (("explain", "--user", "user-01", "--item", "item-99"), "unknown item id: 'item-99'; did you mean item-39"),
    ],
)
def test_unknown_ids_are_named_with_where_they_were_looked_for(
    arguments: tuple[str, ...], said: str, refused: Callable[..., str], tiny_home: Path, tiny_build: Build
) -> None:
    message = refused(*arguments)
    assert said in message
    assert f"(in data set tiny, run {tiny_build.refined.id})" in message


def test_an_output_that_cannot_be_is_refused(refused: Callable[..., str], tiny_home: Path, tmp_path: Path) -> None:
    assert ".parquet or .csv" in refused("recommend", "--all-users", "--out", tmp_path / "lists.xlsx")
    assert "existing folder" in refused("explain", "--all", "--out", tmp_path / "no" / "ledgers.csv")


def test_an_unknown_run_or_data_set_is_refused(refused: Callable[..., str], tiny_home: Path) -> None:
    for command in (("recommend",), ("explain", "--item", "item-01")):
        assert "is not a refined run" in refused(*command, "--user", "user-01", "--run", "20260101-000000-abcdef")
        assert "no data set named 'nosuch'" in refused(*command, "nosuch", "--user", "user-01")


def test_the_parts_of_a_refined_score_sum_to_it(document: Callable[..., Any], system: RefinedRecommender) -> None:
    best = document("recommend", "--user", "user-03", "--k", "40")["items"]
    for place in (0, 7, len(best) - 1):
        item = best[place]
        why = document("explain", "tiny", "--user", "user-03", "--item", item["item_id"], "--brief")
        assert list(why) == [
            *("user_id", "item_id", "model", "run_id", "rank", "score", "bias", "remainder", "contributions", "lines")
        ]
        assert (why["user_id"], why["item_id"], why["model"]) == ("user-03", item["item_id"], "refined")
        assert why["run_id"] == system.run_id
        assert why["rank"] == item["rank"]
        parts = why["contributions"]
        assert [part["attribute"] for part in parts] == list(tiny.ATTRIBUTES)
        total = why["bias"] + why["remainder"] + sum(part["contribution"] for part in parts)
        assert total == pytest.approx(why["score"], abs=TOLERANCE)
        assert why["score"] == pytest.approx(item["score"], abs=TOLERANCE)
        user = system.data.dataset.users.index("user-03")
        slopes = system.refined.parts(np.array([user]), [system.data.shown_history(user)]).slopes[0]
        for part, slope in zip(parts, slopes.tolist(), strict=True):
            assert part["contribution"] == pytest.approx(slope * part["item_value"], abs=TOLERANCE)


def test_the_lines_of_a_score_sum_to_it_with_and_without_past_items(
    document: Callable[..., Any], system: RefinedRecommender
) -> None:
    item = document("recommend", "--user", "user-03")["items"][2]["item_id"]
    kinds = {"attribute", "fact", "popularity", "past_item", "unnamed"}
    left = {}
    for brief in (True, False):
        why = document("explain", "--user", "user-03", "--item", item, *(["--brief"] if brief else []))
        lines = why["lines"]
        for line in lines:
            own = ["sources"] if line["kind"] == "attribute" else []
            assert list(line) == ["kind", "name", "label", "text", "contribution", "ci_low", "ci_high", *own]
        for line in lines:
            if line["kind"] == "attribute":
                assert list(line["sources"]) == ["own_taste", "other_tastes", "everyone", "interactions"]
                assert sum(line["sources"].values()) == pytest.approx(line["contribution"], abs=TOLERANCE)
        assert sum(line["contribution"] for line in lines) == pytest.approx(why["score"], abs=TOLERANCE)
        assert {line["kind"] for line in lines} == kinds - ({"past_item"} if brief else set())
        named = [line for line in lines if line["kind"] in ("attribute", "fact", "popularity")]
        assert all(line["ci_low"] <= line["contribution"] + 0.2 and line["ci_low"] < line["ci_high"] for line in named)
        past = sum(line["contribution"] for line in lines if line["kind"] == "past_item")
        (own,) = (line["contribution"] for line in lines if line["name"] == "other_patterns")
        left[brief] = past + own
    assert left[True] == pytest.approx(left[False], abs=TOLERANCE)


def test_what_has_no_name_can_count_less(
    document: Callable[..., Any], call: Callable[..., Any], system: RefinedRecommender
) -> None:
    full = document("recommend", "--user", "user-03", "--k", "40")["items"]
    assert document("recommend", "--user", "user-03", "--k", "40", "--unnamed", "1")["items"] == full
    by_name = document("recommend", "--user", "user-03", "--k", "40", "--unnamed", "0")["items"]
    scores = {item["item_id"]: item["score"] for item in full}
    for item in by_name[:3]:
        why = document("explain", "--user", "user-03", "--item", item["item_id"], "--brief")
        (unnamed,) = (line["contribution"] for line in why["lines"] if line["name"] == "other_patterns")
        assert item["score"] == pytest.approx(scores[item["item_id"]] - unnamed, abs=TOLERANCE)
    assert "0<=x<=1" in call("recommend", "--user", "user-03", "--unnamed", "2", code=2).stderr
    wrong = call("recommend", "--user", "user-03", "--unnamed", "0", "--model", "base", code=2).stderr
    assert "the base model's scores have no names" in wrong
    assert system.recommend(users=["user-03"], k=40, unnamed=0)["item_id"].tolist() == [i["item_id"] for i in by_name]


def test_the_lines_of_a_base_score_sum_to_it(document: Callable[..., Any], system: RefinedRecommender) -> None:
    why = document("explain", "--user", "user-03", "--item", "item-05", "--model", "base", "--brief")
    assert [(line["kind"], line["name"]) for line in why["lines"]] == [("unnamed", "patterns"), ("popularity", "bias")]
    assert sum(line["contribution"] for line in why["lines"]) == pytest.approx(why["score"], abs=TOLERANCE)


def test_a_base_score_has_no_contributions(document: Callable[..., Any], tiny_home: Path) -> None:
    item = document("recommend", "--user", "user-03", "--model", "base")["items"][4]
    why = document("explain", "--user", "user-03", "--item", item["item_id"], "--model", "base")
    assert why["contributions"] == []
    assert why["rank"] == 5
    assert why["bias"] + why["remainder"] == pytest.approx(item["score"], abs=TOLERANCE)


def test_an_item_the_user_has_is_explained_but_not_ranked(
    document: Callable[..., Any], call: Callable[..., Any], system: RefinedRecommender
) -> None:
    user = system.data.dataset.users.id(0)
    item = system.data.dataset.items.id(int(system.data.shown_history(0)[0]))
    result = document("explain", "--user", user, "--item", item)
    assert result["rank"] is result["changes"] is result["moved"] is result["rationale"] is None
    assert result["claims"] is result["evidence"] is None
    assert result["why_not"]["against"] is None
    assert result["history"]["items"]
    assert result["history"]["removal"] is None
    shown = call("explain", "--user", user, "--item", item)
    assert "not ranked" in shown.stdout
    assert "What would change it" not in shown.stdout
    assert "is in the history of user" in shown.stderr


def test_one_score_is_told_as_the_case_study_tells_it(
    document: Callable[..., Any], call: Callable[..., Any], system: RefinedRecommender
) -> None:
    """Text and JSON hold the same facts, and those are the pages' own."""
    item = document("recommend", "--user", "user-03")["items"][2]["item_id"]
    result = document("explain", "--user", "user-03", "--item", item)
    history, changes = build_history(system, "user-03", item), build_changes(system, "user-03", item)
    moved, listed = build_moved(system, "user-03", item), build_why_not(system, "user-03", item)
    assert moved is not None
    assert result["rank"] == result["moved"]["rank"] == moved.rank == 3
    assert sum(part["gained"] for part in result["moved"]["parts"]) == pytest.approx(moved.base_rank - 3, abs=1e-6)
    values = [past["value"] for past in result["history"]["items"]]
    assert values == pytest.approx(history.items["value"].tolist())
    assert sum(values) + sum(result["history"]["alone"].values()) + result["history"]["bias"] == pytest.approx(
        result["score"], abs=TOLERANCE
    )
    assert [sum(past["parts"].values()) for past in result["history"]["items"]] == pytest.approx(values)
    assert [edit["rank"] for edit in result["changes"]["edits"]] == changes.edits["rank"].tolist()
    assert all(edit["rank"] > 10 for edit in result["changes"]["edits"])
    following = document("recommend", "--user", "user-03")["items"][3]
    assert result["below"]["item_id"] == following["item_id"]
    assert result["below"]["difference"] == pytest.approx(result["score"] - following["score"], abs=TOLERANCE)
    shown = call("explain", "--user", "user-03", "--item", item).stdout
    plain = " ".join(shown.split())
    sentences = [
        result["rationale"],
        result["below"]["sentence"],
        result["moved"]["sentence"],
        history.sentence,
        listed.sentence,
    ]
    for sentence in (*sentences, *result["changes"]["sentences"]):
        assert " ".join(sentence.split()) in plain
    base = document("explain", "--user", "user-03", "--item", item, "--model", "base")
    assert base["history"]["score"] == pytest.approx(base["score"], abs=TOLERANCE)
    assert "changes" not in base
    few = document("explain", "--user", "user-03", "--item", item, "--k", "2")
    assert few["changes"]["edits"] != result["changes"]["edits"]
    assert all(edit["rank"] <= 2 for edit in few["changes"]["edits"])


def test_a_rationale_comes_with_its_claims_and_their_evidence(
    document: Callable[..., Any], call: Callable[..., Any], tiny_home: Path
) -> None:
    asked = (
        "explain",
        "--user",
        "user-03",
        "--item",
        document("recommend", "--user", "user-03")["items"][2]["item_id"],
    )
    texts = set()
    for reader in READERS:
        result = document(*asked, "--reader", reader)
        shown = {claim["sentence"] for claim in result["claims"] if claim["shown"]}
        assert shown
        assert all(sentence in result["rationale"] for sentence in shown)
        assert all(set(claim["evidence"]) <= result["evidence"].keys() for claim in result["claims"])
        lines = {f"{line['kind']}:{line['name']}": line["contribution"] for line in result["lines"]}
        for name, value in lines.items():
            if not name.startswith("attribute:"):
                continue
            assert result["evidence"][name]["contribution"] == pytest.approx(value, abs=TOLERANCE)
        assert result["evidence"]["rank"]["rank"] == result["rank"]
        assert " ".join(result["rationale"].split()) in " ".join(call(*asked, "--reader", reader).stdout.split())
        texts.add(result["rationale"])
    assert len(texts) == len(READERS)
    wrong = call(*asked, "--reader", "king", code=2)
    assert "'king' is not one of 'merchandiser', 'stakeholder', 'analyst'" in wrong.stderr


def test_people_get_the_parts_largest_first(call: Callable[..., Any], tiny_home: Path) -> None:
    text = call("explain", "--user", "user-03", "--item", "item-00", "--brief").stdout
    lines, sources = (part.splitlines() for part in text.split("\nWhat the attributes' contributions come from\n"))
    assert lines[0].startswith(f"{tiny.HOSTILE_TITLE} for user user-03: ")
    assert lines[2].split() == ["part", "contribution", "95", "%", "interval", "kind"]
    amounts = [abs(float(re.findall(r"[+-]\d+\.\d+", line)[0])) for line in lines[3:-3]]
    assert len(amounts) > len(tiny.ATTRIBUTES)
    assert amounts == sorted(amounts, reverse=True)
    assert [line.split()[0] for line in lines[-3:]] == ["Other", "Average", "Score"]
    assert " ".join(sources[0].split()) == "part contribution own taste other tastes everyone choice patterns"
    numbers = [[float(number) for number in re.findall(r"[+-]\d+\.\d+", line)] for line in sources[1:]]
    assert len(numbers) == len(tiny.ATTRIBUTES)
    for contribution, *parts in numbers:
        assert len(parts) == 4
        assert sum(parts) == pytest.approx(contribution, abs=0.0026)


def test_all_ledgers_sum_to_the_scores_and_equal_single_ones(
    document: Callable[..., Any], system: RefinedRecommender, tmp_path: Path
) -> None:
    out = tmp_path / "ledgers.parquet"
    result = document("explain", "--all", "--k", "3", "--out", out)
    rows = 60 * 3 * (len(tiny.ATTRIBUTES) + 2)
    assert result == {
        "model": "refined",
        "run_id": system.run_id,
        "users": 60,
        "rows": rows,
        "path": str(out),
    }
    table = pd.read_parquet(out)
    assert list(table.columns) == ["user_id", "item_id", "part", "value"]
    assert table["part"].tolist() == [*tiny.ATTRIBUTES, "remainder", "bias"] * 180
    sums = table.groupby(["user_id", "item_id"], sort=False)["value"].sum().reset_index()
    lists = recommend(system.refined, "refined", system.data, np.arange(60), 3)
    assert sums[["user_id", "item_id"]].to_numpy().tolist() == lists[["user_id", "item_id"]].to_numpy().tolist()
    np.testing.assert_allclose(sums["value"], lists["score"], atol=TOLERANCE)
    item = lists[lists["user_id"] == "user-03"]["item_id"].iloc[1]
    question = Question.of(system.data, "user-03", item)
    ledger = refined_ledger(system.refined, question, question.items)
    single = [*ledger.contributions[0], ledger.remainder[0], ledger.bias[0]]
    of_pair = table[(table["user_id"] == "user-03") & (table["item_id"] == item)]["value"]
    np.testing.assert_allclose(of_pair, single, atol=TOLERANCE)
