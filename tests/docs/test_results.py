"""Tables of results come from the stored files: they say what these say, and a missing file stops the build."""

import json
from pathlib import Path
from typing import Any

import pytest
from sitegen.measured import explanations, gain, leaderboard, peers, people, speed
from sitegen.render import fill_in
from sitegen.results import FOLDER, Results

from guidedrec_core.errors import InputError, NotFoundError

SMALL = {
    "data": "tiny",
    "seeds": [0, 1],
    "bases": {
        "sasrec": {
            "cases": 1200,
            "metrics": {
                "base": {m: {"value": 0.1} for m in gain.METRICS},
                "refined": {m: {"value": 0.125} for m in gain.METRICS},
            },
            "refined_over": {"base": {m: {"gain": 0.25, "ci": [-0.004, 0.5]} for m in gain.METRICS}},
        }
    },
}


def stored(folder: Path, **files: dict[str, Any]) -> Results:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return Results(folder)


def test_a_gain_table_shows_each_model_and_the_gain_over_it(tmp_path: Path) -> None:
    table = gain.gain_table(stored(tmp_path, small=SMALL), "small")
    assert table.splitlines()[2:] == [
        "| Base model | 0.100 | 0.100 | 0.100 | +25 % [−0.4, 50] |",
        "| **Refined model** | **0.125** | **0.125** | **0.125** |  |",
    ]
    assert gain.facts_of(stored(tmp_path), "small") == "1,200 test cases, 2 seeds"
    assert gain.mean_gain(stored(tmp_path), "small") == "+25 %"


def test_a_changed_result_changes_the_table(tmp_path: Path) -> None:
    before = gain.gain_table(stored(tmp_path, before=SMALL), "before")
    other = json.loads(json.dumps(SMALL).replace("0.125", "0.222"))
    assert before != gain.gain_table(stored(tmp_path, after=other), "after")
    assert "0.222" in gain.gain_table(Results(tmp_path), "after")


def test_a_result_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"expected the measured result gone\.json"):
        gain.gain_table(Results(tmp_path), "gone")
    with pytest.raises(InputError, match=r"docs/results\.md: expected the measured result gone\.json"):
        fill_in("results.md", '{{ gain_table("gone") }}', Results(tmp_path))


def test_a_misspelt_table_stops_the_build_and_names_the_page() -> None:
    with pytest.raises(InputError, match=r"docs/page\.md: 'gian_table' is undefined"):
        fill_in("page.md", '{{ gian_table("x") }}', Results())


def test_the_shop_is_read_from_its_build() -> None:
    build = json.loads((FOLDER / "build_fernway.json").read_text())
    refined = next(r for r in build["metrics"] if (r["model"], r["metric"]) == ("refined", "MRR"))
    assert gain.value_of(Results(), gain.SHOP, "sasrec", "refined", "MRR", 4) == f"{refined['value']:.4f}"
    over = next(
        r for r in build["differences"] if (r["model"], r["against"], r["metric"]) == ("refined", "placebo", "MRR")
    )
    assert gain.gain_over(Results(), gain.SHOP, "sasrec", "placebo").startswith(f"+{over['relative']:.0%}"[:-1])


def test_a_training_that_was_cut_short_has_a_star() -> None:
    found = Results().read("peers_movielens-small")["summary"]["means"]
    table = peers.peer_table(Results(), "peers_movielens-small")
    assert len(table.splitlines()) == 2 + len(found)
    assert table.count("*") == sum(bool(row["note"]) for row in found) > 0


def test_every_kind_of_exam_of_explanations_has_its_row() -> None:
    audit = Results().read("audit_fernway")
    assert len(explanations.planted_table(Results(), "audit_fernway").splitlines()) == 2 + 4
    assert len(explanations.fidelity_table(Results(), "audit_fernway").splitlines()) == 2 + 4
    changes = {row["change"] for row in audit["stability"]}
    assert len(explanations.stability_table(Results(), "audit_fernway").splitlines()) == 2 + len(changes)


def test_what_people_say_is_shown_as_it_was_measured() -> None:
    found = Results().read("human")
    shown = people.people_summary(Results(), "human").splitlines()[2:]
    keys = ("summary_named", "summary_named_untagged", "summary")
    for line, key in zip(shown, keys, strict=True):
        assert f"| {found[key]['mean_spearman']:.2f} [" in line
        assert f"] of {found[key]['attributes']} |" in line
    rows = people.people_table(Results(), "human").splitlines()[2:]
    best = max(found["attributes"], key=lambda row: row["spearman"])
    assert len(rows) == len(found["attributes"])
    assert rows[0].startswith(f"| {best['attribute']} | {best['n_items']} | {best['spearman']:.2f} [")
    assert any(" \N{EN DASH} " in row for row in rows)  # too few pairs of people


def test_seconds_of_a_build_add_up_in_its_table() -> None:
    build = Results().read("build_fernway")
    columns = [build["seconds_in_all"], build["next_to_busy_processes"]["seconds_in_all"]]
    last = speed.build_table(Results(), "build_fernway").splitlines()[-1]
    assert last == f"| all | {' | '.join(f'{seconds:,.1f}' for seconds in columns)} |"


def test_a_build_next_to_a_busy_process_has_a_column(tmp_path: Path) -> None:
    times = {"seconds": {"train base": 10.0, "refine": 5.5}, "seconds_in_all": 15.5}
    busy = {"processes": 1, "seconds": {"train base": 20.0, "refine": 6.0}, "seconds_in_all": 26.0}
    results = stored(tmp_path, both={**times, "next_to_busy_processes": busy})
    lines = speed.build_table(results, "both").splitlines()
    assert lines[0] == "| Step | seconds | next to a busy process |"
    assert lines[2:] == ["| train base | 10.0 | 20.0 |", "| refine | 5.5 | 6.0 |", "| all | 15.5 | 26.0 |"]


def test_scaling_names_the_model_of_each_row(tmp_path: Path) -> None:
    row = {"items": 1000, "interactions": 20000, "epoch_seconds": 1.25, "microseconds_a_target": 10, "peak_gib": 0.5}
    results = stored(tmp_path, two={"sizes": [{**row, "arm": "base"}, {**row, "arm": "refined"}]})
    lines = speed.scaling_table(results, "two").splitlines()[2:]
    assert [line.split(" | ")[0] for line in lines] == ["| base", "| refined"]
    assert "| 1,000 | 20,000 |" in lines[1]


def test_the_leaderboard_counts_verdicts_and_lists_what_is_better(tmp_path: Path) -> None:
    def metrics(value: float, verdicts: tuple[str, ...] = ()) -> dict[str, object]:
        names = ("DEL", "INS", "CNDCG", "POS@10", "NEG@10")
        own = {name: {"value": value, "ci": [value, value]} for name in names}
        for name, verdict in zip(names, verdicts, strict=False):
            own[name] |= {"ours": verdict, "ours_minus": {"value": 0.1, "ci": [0.05, 0.15]}}
        return own

    rows = [
        {"explainer": "removal order", "cpu_ms": 50.0, "metrics": metrics(0.5)},
        {"explainer": "SHAP, score", "cpu_ms": 30.0, "metrics": metrics(0.4, ("worse", *["level"] * 3, "better"))},
    ]
    facts = {"cpu": "fast", "cores": 2}
    model = {"data": "fernway", "cases": 20, "explainers": rows, "machine": facts, "lxr": {"training_cpu_seconds": 9.6}}
    better = {"DEL": "lower", "INS": "higher", "CNDCG": "lower", "POS@10": "lower", "NEG@10": "higher"}
    models = [{**model, "base": "sasrec"}, {**model, "base": "gru4rec", "explainers": rows[:1]}]
    results = stored(tmp_path, board={"seed": 3, "better": better, "models": models})
    assert leaderboard.leaderboard_facts(results, "board") == (
        "20 users of each of 2 models (the shop: SASRec, GRU4Rec), seed 3"
    )
    lines = leaderboard.leaderboard_table(results, "board").splitlines()
    assert lines[0].startswith("| Explanation | models | DEL ↓ | INS ↑ |")
    assert lines[2].startswith("| **removal order** | 2 | 0.5000 |")
    assert lines[3] == "| SHAP, score | 1 | 0.4000 | 0.400 | 0.400 | 0.400 | 0.400 | 30.0 | 1 | 3 | 1 |"
    (line,) = leaderboard.leaderboard_shortfalls(results, "board").splitlines()[4:]
    assert line == "| the shop, SASRec | SHAP, score | DEL | 0.5000 | 0.4000 | 0.1000 [0.0500, 0.1500] |"
    none = stored(tmp_path, none={"seed": 3, "better": better, "models": models[1:]})
    assert leaderboard.leaderboard_shortfalls(none, "none").startswith("On no model")
    assert leaderboard.leaderboard_training(results, "board") == "10 to 10"
    assert leaderboard.leaderboard_machine(results, "board") == "fast, 2 cores"
