"""Checks measure what they say, with and without a reference, and their outcome is valid JUnit XML."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from guidedrec_core.attributes.scores import AlignedScores
from guidedrec_core.checks.check import AGAINST, KINDS, Check, CheckSet, read_checks
from guidedrec_core.checks.measures import Measurable, measure
from guidedrec_core.checks.outcome import Outcome, junit_xml, run_checks
from guidedrec_core.conditions.members import users_of
from guidedrec_core.conditions.subjects import Subjects
from guidedrec_core.errors import InputError
from guidedrec_core.evaluation.beyond import coverage
from guidedrec_core.ranking.adjustments import Adjustment, Adjustments
from guidedrec_core.ranking.ranks import ndcg_at, target_ranks
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

K = 5


@pytest.fixture(scope="session")
def system(tiny_build: Build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


def check(kind: Any, **settings: Any) -> Check:
    return Check(name=kind, kind=kind, **{"k": K, "at_least": 0.0, **settings})


def lists_of(system: RefinedRecommender) -> np.ndarray:
    table = system.recommend(k=K)
    return system.data.dataset.items.indexes(table["item_id"]).reshape(60, K)


def boosted(system: RefinedRecommender, items: list[int], amount: float) -> RefinedRecommender:
    mask = np.isin(np.arange(40), items)
    return system.with_rules(Adjustments((Adjustment("push", "boost", mask, mask * amount),)))


def with_scores(system: RefinedRecommender, values: np.ndarray) -> RefinedRecommender:
    items = replace(system.scores.items, values=values.astype(np.float32))
    return replace(system, scores=AlignedScores(**{**vars(system.scores), "items": items}))


def test_values_without_a_reference_are_those_of_the_lists(system: RefinedRecommender) -> None:
    run, lists = Measurable(system), lists_of(system)
    category = system.data.dataset.catalogue.frame["category"].to_numpy()
    share = measure(check("share", items="category: tents"), run)
    assert share.value == pytest.approx((category[lists] == "tents").mean())
    who = [user for user in range(60) if "tents" in category[system.data.shown_history(user)]]
    past = system.verb.past
    some = measure(check("share", items="category: tents", users=f"{past} category: tents"), run)
    assert some.value == pytest.approx((category[lists[who]] == "tents").mean())
    phrases = measure(check("share", items="tents or socks", users=f"mostly {past} tents or seeks warmth"), run)
    chosen = users_of(f"mostly {past} tents or seeks warmth", Subjects(system))
    assert phrases.value == pytest.approx(np.isin(category[lists[chosen]], ["tents", "socks"]).mean())
    assert measure(check("coverage"), run).value == coverage(lists, 40)
    top = measure(check("top_item"), run)
    assert top.value == np.bincount(lists.ravel()).max() / 60
    assert measure(check("repeats"), run).value == 0
    ranks = target_ranks(system.refined, system.data.sequences, system.data.test_cases)
    assert measure(check("ndcg"), run).value == pytest.approx(ndcg_at(ranks, K).mean())
    assert measure(check("missing_scores"), run).value == pytest.approx(1 / 40)


def test_a_run_agrees_with_itself(system: RefinedRecommender) -> None:
    run = Measurable(system)
    own = {kind: measure(check(kind), run, run).value for kind in AGAINST}
    assert own == pytest.approx({**dict.fromkeys(AGAINST, 1.0), "moves": 0.0, "exposure_shift": 0.0}, abs=1e-12)


def test_values_against_a_reference_see_what_changed(system: RefinedRecommender) -> None:
    before = Measurable(system)
    spiked = Measurable(boosted(system, [4], 50))
    assert measure(check("top_item"), spiked).value > 0.5
    now, then = lists_of(spiked.model), lists_of(system)
    overlap = np.mean([len(set(a) & set(b)) / K for a, b in zip(now, then, strict=True)])
    assert measure(check("overlap"), spiked, before).value == pytest.approx(overlap)
    pushed = np.array([4 not in system.data.shown_history(user) for user in range(60)])
    steps = np.where(
        then == 4, np.argmax(then == 4, axis=1)[:, None], (pushed[:, None] & (np.cumsum(then == 4, axis=1) == 0))
    )
    assert measure(check("moves"), spiked, before).value == pytest.approx(steps.mean())
    assert measure(check("exposure_shift"), spiked, before).value > 0.05
    counts = system.data.item_interactions
    assert measure(check("popularity"), spiked, before).value == pytest.approx(counts[now].mean() / counts[then].mean())
    swapped = with_scores(system, system.scores.items.values[:, [1, 0, 2]])
    assert measure(check("scores_agree"), Measurable(swapped), before).value < 0.5
    assert measure(check("scores_agree"), before, before).value == pytest.approx(1)
    frame = system.data.dataset.catalogue.frame.copy()
    frame.loc[[3, 5], "category"] = "boats"
    dataset = replace(system.data.dataset, catalogue=replace(system.data.dataset.catalogue, frame=frame))
    moved = replace(system, data=replace(system.data, dataset=dataset))
    assert measure(check("values_agree"), Measurable(moved), before).value == pytest.approx(38 / 40)
    shorter = system.showing("train")
    assert measure(check("histories_agree"), before, Measurable(shorter)).value == 1
    assert measure(check("histories_agree"), Measurable(shorter), before).value == 0


def test_every_kind_is_measured() -> None:
    from guidedrec_core.checks import measures

    assert {*measures._ALONE, *measures._COMPARED} == {*KINDS}
    assert {*measures._COMPARED} == {*AGAINST}


def test_outcomes_pass_fail_or_are_skipped(system: RefinedRecommender) -> None:
    checks = CheckSet(
        checks=(
            check("coverage", at_least=0.01),
            Check(name="too <much> \x07", kind="coverage", at_least=1.5, note="see\x00 here"),
            check("overlap", at_least=0.5),
        )
    )
    alone = run_checks(checks, system)
    assert [one.status for one in alone] == ["passed", "failed", "skipped"]
    assert [one.status for one in run_checks(checks, system, system)] == ["passed", "failed", "passed"]
    root = ElementTree.fromstring(junit_xml(alone, "tiny \x02 & co").encode())
    assert root.tag == "testsuites"
    suite = root[0]
    for element in (root, suite):
        assert {k: element.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
            "tests": "3",
            "failures": "1",
            "errors": "0",
            "skipped": "1",
        }
    cases = suite.findall("testcase")
    assert [len(case) for case in cases] == [0, 1, 1]
    assert cases[1].get("name") == "too <much> �"
    assert cases[1][0].tag == "failure"
    assert "expected at least 1.5" in (cases[1][0].get("message") or "")
    assert cases[2][0].tag == "skipped"


@pytest.mark.parametrize("value", [np.nan, 0.6])
def test_a_value_that_is_none_never_passes(value: float) -> None:
    assert not Check(name="a", kind="coverage", at_most=0.5).passes(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('version = 1\n[[checks]]\nname = "a"\nkind = "coverage"', "at_least or at_most"),
        ('version = 1\n[[checks]]\nname = "a"\nkind = "share"\nat_most = 0', "needs items"),
        ('version = 1\n[[checks]]\nname = "a"\nkind = "coverage"\nat_most = 1\nusers = "x"', "has no users"),
        ('version = 1\n[[checks]]\nname = "a"\nkind = "coverage"\nat_least = 1\nat_most = 0', "nothing could pass"),
        ("version = 1", "checks"),
    ],
)
def test_a_bad_file_gets_one_clear_error(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_checks(path)


def test_default_checks_are_read() -> None:
    checks = read_checks().checks
    assert {one.kind for one in checks} >= {"repeats", "coverage", "ndcg_kept", "overlap", "scores_agree"}
    outcome = Outcome(checks[0], "passed", 0.0, "", 0.1)
    assert outcome.sentence == "repeats 0, expected at most 0"
