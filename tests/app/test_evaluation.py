"""The Evaluation page: a verdict in words first, then every model with intervals, slices, training and facts."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tiny

from guidedrec_core import stages
from guidedrec_core.audience.saved import SegmentStore
from guidedrec_core.conditions.condition import Definition, Past, UserIds
from guidedrec_core.config import BuildConfig
from guidedrec_core.data.verbs import CHOSE
from guidedrec_core.evaluation.gain_parts import CONTROL_WORDS, gain_parts, gain_sentence, strict_control
from guidedrec_core.evaluation.verdict import verdict
from guidedrec_core.runs.store import RunStore

PAGE = "pages/4_Evaluation.py"


def words(app) -> str:
    """Return all text of the page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error, *app.text]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


def test_the_verdict_comes_first_and_the_facts_last(tiny_home, tiny_build, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    said = words(app)
    found = verdict(tiny_build.evaluation.read_table("differences"), "NDCG@10")
    assert f"#### {found.lead}" in said
    assert found.more in said
    cases = tiny_build.evaluation.summary["n_cases"]
    assert f"{cases} test cases. Not counted: " in said
    tooltips = [each.help.replace("\\", "") for each in app.caption]
    assert "Split leave-one-out. Intervals: 100 bootstrap samples of users." in tooltips
    assert len(app.get("plotly_chart")) == 10
    assert "Ranked by reasons with a name alone, lists " in said
    assert "As many columns of random numbers would name" in said


def test_it_says_what_the_lists_are_like_and_what_refinement_changed(tiny_home, tiny_build, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    said = words(app)
    assert "Accuracy isn't everything. This is what the top 10 lists look like for 60 users." in said
    table = tiny_build.evaluation.read_table("lists").set_index(["model", "metric"])
    change = table.loc[("refined", "ARP@10"), "change"]
    assert f"in the training data. Refined minus base: {change:+.1f} (95 % interval" in said
    covered = app.dataframe[-1].value.set_index("model").loc["refined", "Coverage@10"]
    assert covered == f"{100 * table.loc[('refined', 'Coverage@10'), 'value']:.0f} %"


def test_the_gain_is_split_and_held_against_the_strict_control(tiny_home, tiny_build, open_app) -> None:
    metrics, differences = (tiny_build.evaluation.read_table(name) for name in ("metrics", "differences"))
    app = open_app(PAGE, dataset="tiny", measure="Recall@20")
    assert gain_sentence(gain_parts(metrics, differences, "Recall@20"), "leave-one-out", CHOSE) in words(app)
    control = strict_control(differences, "Recall@20")
    assert f"Judged against {CONTROL_WORDS[control]}, the strict control" in words(app)


def test_saved_segments_stand_among_the_groups(tiny_home, tiny_build, open_app) -> None:
    assert "Save a group of users on the page Audience" in words(open_app(PAGE, dataset="tiny"))
    store = SegmentStore(tiny_home)
    store.save("tiny", "Loyal <b>", Definition.of(Past(low=2)), "Ann")
    gone = store.save("tiny", "gone", Definition.of(UserIds(ids=("nobody",))), "Ann")
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    said = words(app)
    assert "Segment “gone” is left out" in said
    table = next(each.value for each in app.dataframe if "Loyal <b>" in each.value.get("slice", pd.Series()).tolist())
    assert table["n_cases"].tolist() == [tiny_build.evaluation.summary["n_cases"]]
    assert not any("<b>" in str(each.value) for each in app.markdown)
    store.change(gone, "Bob", definition=Definition.of(Past(low=2)))  # seen at once, by its new version
    assert "is left out" not in words(open_app(PAGE, dataset="tiny"))


def test_another_measure_changes_the_verdict(tiny_home, tiny_build, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    app.button_group(key="metric").set_value("MRR").run()
    assert not app.exception
    assert verdict(tiny_build.evaluation.read_table("differences"), "MRR").lead in words(app)


def test_every_chart_has_its_numbers_as_a_table(tiny_home, tiny_build, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    gain, named, metrics, differences, popularity, history, lists = (table.value for table in app.dataframe)
    assert len(named) == len(tiny_build.evaluation.read_table("named_shares"))
    assert metrics["model"].tolist()[0] == "popularity"
    assert metrics["model"].tolist()[-1] == "refined"
    assert len(differences) == len(tiny_build.evaluation.read_table("differences"))
    assert lists["model"].tolist() == metrics["model"].tolist()
    assert {"n_cases", "gain", "over_control", "over_control_low"} <= {*popularity.columns} & {*history.columns}
    assert gain["part"].tolist()[::3] == ["Base model", "Refined model"]
    assert gain["per_1000"].iloc[:3].sum() == pytest.approx(gain["per_1000"].iloc[3])


def test_without_an_evaluation_it_offers_one(tiny_home, tiny_build, started, open_app) -> None:
    RunStore(tiny_home).delete(tiny_build.evaluation.id)
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    app.button(key="make_evaluation").click().run()
    assert started[-1] == ("evaluate", {"dataset": "tiny", "run": tiny_build.refined.id})


def test_every_gain_stands_beside_its_controls(tiny_home, tiny_build, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    asked = app.table[0].value
    assert asked["Compared with"].tolist() == ["retrained without attributes", "shuffled scores"]
    assert asked["Question"].str.contains("would gain as much").all()


def test_the_other_controls_can_be_run_and_are_then_shown(tiny_home, tiny_build, started, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    assert "about three times as long as refining." in words(app)
    app.button(key="start_evaluate").click().run()
    evaluation = {**tiny_build.evaluation.config, "controls": "all"}
    assert started[-1] == ("evaluate", {"dataset": "tiny", "run": tiny_build.refined.id, "evaluation": evaluation})
    stages.evaluate_task({"run": tiny_build.refined.id, "evaluation": evaluation}, tiny_home, lambda _: None)
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    assert "start_evaluate" not in [button.key for button in app.button]
    more = ["random numbers", "categories instead of scores", "scores only"]
    assert app.table[0].value["Compared with"].tolist()[2:] == more
    assert set(more) <= set(app.dataframe[2].value["model"])


def test_attributes_can_be_left_out_one_at_a_time(tiny_home, tiny_build, started, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    assert "Which attributes matter to the model?" in words(app)
    before = len(app.get("plotly_chart"))
    app.button(key="start_ablate").click().run()
    assert started[-1] == ("ablate", {"dataset": "tiny", "run": tiny_build.refined.id})
    stages.ablate_task({"run": tiny_build.refined.id}, tiny_home, lambda _: None)
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    assert len(app.get("plotly_chart")) == before + 3
    assert "All attributes together move ranking quality in the top 10 from" in words(app)


def test_a_head_over_vectors_has_no_training_to_show(tiny_home, tiny_build, tmp_path, open_app) -> None:
    ids = tiny_build.data.read_table("catalogue")["item_id"].tolist()
    np.savez(tmp_path / "v.npz", vectors=np.random.default_rng(0).normal(size=(40, 6)), ids=np.array(ids))
    settings = {"external": {"item_vectors": [str(tmp_path / "v.npz")]}, "refinement": {"mode": "head"}}
    config = BuildConfig.parse({**tiny.CONFIG.model_dump(), **settings})
    store = RunStore(tiny_home)
    base = stages.train_base(store, tiny_build.data, config)
    stages.evaluate(store, stages.refine(store, base, tiny_build.scores, config), config)
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    said = words(app)
    assert "external, width 16, head refinement" in said
    assert "Nothing was trained" in said
    assert "Each takes between seconds and a minute." in said


def test_what_it_shows_needs_no_model() -> None:
    modules = ("figures.evaluation", "evaluation.slice_words", "app.evaluation.tables", "app.page")
    code = f"import sys, {', '.join(f'guidedrec_core.{m}' for m in modules)}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_lists_are_checked_on_request(tiny_home, tiny_build, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    assert "Do the lists pass their checks?" in words(app)
    before = len(app.dataframe)
    app.button(key="run_checks").click().run()
    assert not app.exception
    assert len(app.dataframe) == before + 1
    [table] = [each.value for each in app.dataframe if "Check" in each.value]
    counts = table["Outcome"].value_counts()
    said = words(app)
    assert f"{counts.get('✓ passed', 0)} passed, {counts.get('✗ failed', 0)} failed" in said
    assert counts["– not compared"] == 8
    assert len(table) == 12
