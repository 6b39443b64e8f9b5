"""What the page shows of a steering and of a rationale says what the model says."""

from typing import Any

import numpy as np
import pytest
from rationale_reading import fault, sentences_of

from guidedrec_core.cases.case import build_case
from guidedrec_core.cases.changes import build_changes
from guidedrec_core.cases.rationale import rationale_facts
from guidedrec_core.cases.steering import scores_after, steered_case
from guidedrec_core.explanation.steering.wish import read_wish
from guidedrec_core.explanation.words import listing
from guidedrec_core.rationale.choice import claims_of, default_rationale
from guidedrec_core.rationale.claims import READERS
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore

USER = "user-03"


@pytest.fixture(scope="module")
def system(tiny_build: Any) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


def test_the_lists_are_the_cases_when_nothing_is_steered(system: RefinedRecommender) -> None:
    plain = scores_after(system, USER)
    shown = steered_case(system, plain, plain, ())
    case = build_case(system, USER)
    assert shown.after["item_id"].tolist() == shown.before["item_id"].tolist() == case.refined["item_id"].tolist()
    assert set(shown.after["status"]) == {"same"}
    assert shown.sentence == "What if: the list stays the same."


def test_moves_of_both_lists_agree(system: RefinedRecommender) -> None:
    plain = scores_after(system, USER)
    edited = scores_after(system, USER, removed=tuple(plain.history[:1].tolist()), added=())
    shown = steered_case(system, plain, edited, (3.0, 0.0, -3.0), k=10)
    old = dict(zip(shown.before["item_id"], shown.before["rank"], strict=True))
    for _, row in shown.after.iterrows():
        if row["item_id"] in old:
            assert row["other_rank"] == old[row["item_id"]]
            assert row["move"] == row["other_rank"] - row["rank"]
        else:
            assert row["status"] == "new"
    gone = set(shown.before["item_id"]) - set(shown.after["item_id"])
    assert set(shown.before["item_id"][shown.before["status"] == "gone"]) == gone
    assert len(gone) == (shown.after["status"] == "new").sum() > 0
    assert shown.sentence.endswith(f" {len(gone)} of 10 items are new.")
    alone = steered_case(system, plain, plain, (3.0, 0.0, 0.0)).mix
    assert alone["after"][0] > alone["before"][0]


def test_a_list_can_be_made_cheaper_and_more_popular(system: RefinedRecommender) -> None:
    assert system.steerable.names == (*system.schema.names, "price", "season", "popularity")
    plain = scores_after(system, USER)
    price, counts = (fact.numbers for fact in system.facts.facts if fact.name in ("price", "popularity"))
    index = system.data.dataset.items.indexes
    none = (0.0,) * len(system.schema)
    cheaper = steered_case(system, plain, plain, (*none, -3.0, 0.0, 0.0))
    before, after = (price[index(table["item_id"])].mean() for table in (cheaper.before, cheaper.after))
    assert after < before
    assert cheaper.sentence.startswith(f"What if: price {before:,.4g} to {after:,.4g} on average; also ")
    popular = steered_case(system, plain, plain, (*none, 0.0, 0.0, 3.0))
    before, after = (counts[index(table["item_id"])].mean() for table in (popular.before, popular.after))
    assert after >= before
    proposal = read_wish("cheaper, more popular", system.steerable)
    assert proposal.pulls == {"price": -1.0, "popularity": 1.0}
    assert not proposal.not_understood


def test_a_rationales_facts_are_the_cases_and_its_sentences_are_true(system: RefinedRecommender) -> None:
    case = build_case(system, USER)
    facts = rationale_facts(system, case)
    assert case.selected is not None
    assert [one.contribution for one in facts.attributes] == case.selected.parts["contribution"].tolist()
    assert (facts.rank, facts.title, facts.top) == (1, case.selected.title, 10)
    assert [past.title for past in facts.past] == case.history["title"].tolist()[:10]
    lines = case.selected.lines
    others = lines[lines["kind"] == "fact"]["contribution"].sum() + case.selected.average
    total = sum(one.contribution for one in facts.attributes) + facts.remainder + facts.popularity + others
    assert total == pytest.approx(case.selected.score, abs=1e-5)
    user = system.data.dataset.users.index(USER)
    history = system.data.shown_history(user)
    item = system.data.dataset.items.index(case.selected.item_id)
    full, less = system.refined.scores(np.array([user, user]), [history, history[:-1]])[:, item].astype(float)
    assert facts.past[0].worth == pytest.approx(full - less, abs=1e-6)
    for reader in READERS:
        sentences = [claim.sentence(reader) for claim in claims_of(facts)]
        assert len(sentences) > 5
        assert [fault(sentence, facts) for sentence in sentences] == [""] * len(sentences)


def test_a_rationale_tells_the_change_of_the_history_that_the_page_shows(system: RefinedRecommender) -> None:
    case = build_case(system, USER)
    assert case.selected is not None
    changes = build_changes(system, USER, case.selected.item_id, k=2)
    assert changes.removal is not None
    row = changes.edits[changes.edits["kind"] == "history"].iloc[0]
    assert row["change"] == f"without {listing(list(changes.removal.titles))}"
    assert (changes.removal.rank, changes.removal.k) == (row["rank"], 2)
    facts = rationale_facts(system, case, changes.removal)
    rationale = default_rationale(facts)
    assert "removal" in [claim.id for claim in rationale.claims]
    assert [fault(sentence, facts) for sentence in sentences_of(rationale.text)] == [""] * len(rationale.claims)
