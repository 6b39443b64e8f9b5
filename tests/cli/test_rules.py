"""Business rules on the command line: applied to lists, explanations and exports, previewed, switched."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.rules.storage import read_rules, write_rules

FILE = """
version = 1
[[rules]]
name = "Tents"
kind = "boost"
items = "category: tents"
strength = 4
[[rules]]
name = "Seven on top"
kind = "pin"
items = {kind = "items", ids = ["item-07"]}
place = 2
[[rules]]
name = "Sold"
kind = "out_of_stock"
items = "item item-03, item-05"
[[rules]]
name = "Dear"
kind = "margin"
column = "price"
items = "price over 0"
on = false
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_program_applies_shows_and_switches_rules(
    call: Callable[..., Any],
    document: Callable[..., Any],
    refused: Callable[..., str],
    tiny_home: Path,
    file: Path,
    tmp_path: Path,
) -> None:
    listed = document("recommend", "tiny", "--user", "user-04", "--rules", file, "--k", "40")["items"]
    pinned = next(item for item in listed if item["item_id"] == "item-07")
    assert pinned["rank"] <= 2
    why = document("explain", "tiny", "--user", "user-04", "--item", "item-07", "--rules", file)
    assert why["score"] == pytest.approx(pinned["score"], abs=1e-5)
    assert why["rank"] == pinned["rank"]
    total = (
        why["bias"] + why["remainder"] + sum(part["contribution"] for part in (*why["contributions"], *why["rules"]))
    )
    assert total == pytest.approx(why["score"], abs=1e-6)
    assert sum(line["contribution"] for line in why["lines"]) == pytest.approx(why["score"], abs=1e-5)
    named = {line["name"]: line["contribution"] for line in why["lines"] if line["kind"] == "rule"}
    assert named == {r["rule"]: pytest.approx(r["contribution"], abs=1e-9) for r in why["rules"] if r["contribution"]}
    assert {r["rule"]: r["contribution"] for r in pinned["rules"]} == pytest.approx(named, abs=1e-6)
    assert "Rule “Seven on top”" in [part["label"] for part in why["below"]["parts"]]
    text = call("explain", "tiny", "--user", "user-04", "--item", "item-07", "--rules", file).stdout
    assert "Rule “Seven on top”" in text
    out = tmp_path / "lists.parquet"
    document("recommend", "tiny", "--all-users", "--rules", file, "--out", out)
    exported = pd.read_parquet(out)
    assert list(exported.columns) == ["user_id", "item_id", "score", "rank", "model", "rules"]
    assert exported["rules"].str.contains("Seven on top").any()
    ledgers = tmp_path / "ledgers.parquet"
    document("explain", "tiny", "--all", "--rules", file, "--out", ledgers)
    sums = pd.read_parquet(ledgers).groupby(["user_id", "item_id"], sort=False)["value"].sum()
    np.testing.assert_allclose(sums.to_numpy(), exported["score"].to_numpy(), atol=1e-5)
    found = document("rules", "preview", "tiny", "--rules", file)
    assert found["rules"][0]["rule"] == "Dear"
    assert set(found["ndcg"]) == {"before", "after", "difference"}
    assert "Lists change for" in call("rules", "preview", found["run_id"], "--rules", file).stdout
    stored = tmp_path / "rules.json"
    write_rules(stored, read_rules(file))
    call("rules", "on", "Dear", "--rules", stored, "--who", "Ben")
    assert json.loads(stored.read_text())["rules"][3]["author"] == "Ben"
    assert "Dear" in call("rules", "list", "--rules", stored).stdout
    assert document("rules", "list", "--rules", stored)["rules"][3]["on"]
    call("rules", "off", "Dear", "--rules", stored, "--who", "Ben")
    assert "goes with the refined model" in refused(
        "recommend", "tiny", "--user", "user-04", "--model", "base", "--rules", file
    )
    assert "there is none at" in refused("rules", "preview", "tiny", "--rules", tmp_path / "no.toml")


def test_a_new_user_gets_rules_without_conditions_on_users(
    document: Callable[..., Any], tiny_home: Path, file: Path
) -> None:
    listed = document("recommend", "tiny", "--basket", "item-01,item-02", "--rules", file)["items"]
    pinned = next(item for item in listed if item["item_id"] == "item-07")
    assert pinned["rank"] <= 2


def test_the_rules_of_a_data_set_are_kept_applied_and_left_out(
    call: Callable[..., Any],
    document: Callable[..., Any],
    refused: Callable[..., str],
    tiny_home: Path,
    file: Path,
    tmp_path: Path,
) -> None:
    user = ("recommend", "tiny", "--user", "user-04", "--k", "40")
    plain = document(*user)
    assert "rules" not in plain["items"][0]
    said = refused("rules", "add", "Boats", "--dataset", "tiny", "--kind", "boost", "--items", "boats", "--who", "Ana")
    assert "rule 'Boats'" in said
    assert "greater than 1" in refused(
        "rules", "add", "A", "--dataset", "tiny", "--kind", "boost", "--items", "tents", "--strength", "0"
    )
    added = document(
        "rules", "add", "Seven", "--dataset", "tiny", "--kind", "pin", "--items", "item item-07", "--place", "2",
        "--who", "Ana",
    )  # fmt: skip
    assert (added["author"], added["on"], added["place"]) == ("Ana", False, 2)
    assert document(*user) == plain  # it is off
    assert document("rules", "preview", "tiny")["rules"][0]["rule"] == "Seven"
    call("rules", "on", "Seven", "--who", "Ben", "--why", "for the fair")
    applied = call(*user, "--json")
    assert "1 rule is on: “Seven”. --no-rules leaves them out" in applied.stderr
    listed = json.loads(applied.stdout)["items"]
    seven = next(item for item in listed if item["item_id"] == "item-07")
    assert seven["rank"] <= 2
    assert [rule["rule"] for rule in seven["rules"]] == ["Seven"]
    assert document(*user, "--no-rules") == plain
    why = document("explain", "tiny", "--user", "user-04", "--item", "item-07", "--brief")
    lines = {line["name"]: line["contribution"] for line in why["lines"]}
    assert lines["Seven"] == pytest.approx(seven["rules"][0]["contribution"], abs=1e-6)
    assert sum(lines.values()) == pytest.approx(why["score"], abs=1e-6)
    without = document("explain", "tiny", "--user", "user-04", "--item", "item-07", "--brief", "--no-rules")
    assert why["score"] - without["score"] == pytest.approx(lines["Seven"], abs=1e-6)
    assert "left out with --model base" in call(*user, "--model", "base").stderr
    assert "got both" in refused(*user, "--rules", file, "--no-rules")

    assert document("rules", "import", file, "--dataset", "tiny", "--who", "Cid")["rules"][0] == "Tents"
    assert "already exists" in refused("rules", "import", file, "--dataset", "tiny", "--who", "Cid")
    out = tmp_path / "all.json"
    call("rules", "export", "tiny", "--out", out)
    exported = read_rules(out)
    assert exported.names == ("Seven", *read_rules(file).names)
    assert [rule.author for rule in exported.rules] == ["Ben", "Cid", "Cid", "Cid", "Cid"]
    assert "Seven" in call("rules", "list").stdout
    assert "is deleted" in call("rules", "remove", "Seven", "--who", "Ana").stdout
    assert "no rule 'Seven'" in refused("rules", "off", "Seven")
    did = [(one["who"], one["rule"], one["text"]) for one in document("rules", "history", "tiny")["changes"]]
    assert did[:2] == [("Ana", "Seven", "added"), ("Ben", "Seven", "switched on: for the fair")]
    assert did[-1] == ("Ana", "Seven", "deleted")
    assert "switched on: for the fair" in call("rules", "history").stdout
