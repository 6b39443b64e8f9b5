"""A case with business rules: each is a line of its own, all sums stay exact, and lists say where rules act."""

from dataclasses import replace

import pytest

from guidedrec_core.cases.against import build_against
from guidedrec_core.cases.case import build_case
from guidedrec_core.cases.changes import build_why_not
from guidedrec_core.cases.key import CaseKey
from guidedrec_core.ranking.adjustments import NEVER
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.rules.rule import Rule, RuleSet, adjustments
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

RULES = RuleSet(
    rules=(
        Rule(name="Tents", kind="boost", items="tents", strength=4, users="seeks warmth"),
        Rule(name="Socks", kind="bury", items="socks", strength=3),
        Rule(name="Dear", kind="margin", items="price over 0", column="price", strength=1.5),
        Rule(name="Seven", kind="pin", items="item item-07", place=2),
        Rule(name="Sold", kind="out_of_stock", items="item item-03"),
    )
)
EXACT = 1e-6


@pytest.fixture(scope="module")
def system(tiny_build: Build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


@pytest.fixture(scope="module")
def ruled(system: RefinedRecommender) -> RefinedRecommender:
    return system.with_rules(adjustments(RULES.rules, system))


@pytest.mark.parametrize("user", ["user-03", "user-11", "user-24"])
def test_every_rule_is_a_line_and_all_sums_are_exact(
    user: str, system: RefinedRecommender, ruled: RefinedRecommender
) -> None:
    acting = set()
    listed = build_case(ruled, user, k=40).refined
    for item, score, names in listed[["item_id", "score", "rules"]].itertuples(index=False, name=None):
        why, plain = ruled.explain(user, item), system.explain(user, item)
        assert why.lines["contribution"].sum() == pytest.approx(why.score, abs=EXACT)
        assert why.score == pytest.approx(score, abs=1e-5)  # lists are sorted by single precision
        rules = why.lines[why.lines["kind"] == "rule"]
        assert why.score - plain.score == pytest.approx(rules["contribution"].sum(), abs=EXACT)
        assert set(rules["name"]) == set(filter(None, names.split(", ")))
        acting |= set(rules["name"])
        assert why.average == pytest.approx(plain.average, abs=EXACT)
    assert {"Socks", "Dear"} <= acting
    assert "item-07" not in listed["item_id"].tolist()[2:]  # pinned, or in the history


def test_comparisons_name_rules_and_sum_exactly(system: RefinedRecommender, ruled: RefinedRecommender) -> None:
    user = "user-04"
    first, last = build_case(ruled, user).refined["item_id"].iloc[[0, -1]]
    against = build_against(ruled, user, first, last)
    assert against is not None
    assert against.parts["value"].sum() == pytest.approx(against.difference, abs=EXACT)
    scores = [ruled.explain(user, item).score for item in (first, last)]
    assert against.difference == pytest.approx(scores[0] - scores[1], abs=EXACT)
    assert {"Rule “Seven”", "Rule “Dear”"} <= set(against.parts["label"])
    kept_out = build_why_not(ruled, user, "item-03")
    assert kept_out.parts["value"].sum() == pytest.approx(kept_out.margin, abs=EXACT)
    assert kept_out.parts["label"].iloc[0] == "Rule “Sold”"


def test_what_a_rule_excludes_has_a_score_without_it(system: RefinedRecommender, ruled: RefinedRecommender) -> None:
    gone = ruled.explain("user-04", "item-03")
    assert gone.excluded_by == "Sold"
    without = gone.without_exclusion()
    assert without.excluded_by == ""
    assert without.score == pytest.approx(gone.score - NEVER, abs=EXACT)
    assert without.lines["contribution"].sum() == pytest.approx(without.score, abs=EXACT)
    assert ruled.explain("user-04", "item-07").excluded_by == ""


def test_a_case_keeps_its_rules_in_its_key(system: RefinedRecommender, ruled: RefinedRecommender) -> None:
    assert "rules" not in build_case(system, "user-03").refined
    case = replace(build_case(ruled, "user-03"), rules=RULES.to_json())
    assert case.selected is not None
    key = CaseKey(system.run_id, "user-03", case.selected.item_id, case.shown, RULES.to_json())
    assert case.key == key
    assert key.about("item-05").rules == key.rules
    assert key.without_rules == CaseKey(system.run_id, "user-03", case.selected.item_id, case.shown)
    assert RuleSet.from_json(key.rules) == RULES
