"""The default choice of claims, and what a rationale is without a language model."""

from dataclasses import replace

import rationale_cases
from hypothesis import given, settings
from rationale_cases import CASE
from rationale_reading import fault, sentences_of

from guidedrec_core.rationale.choice import Rationale, claims_of, default_rationale
from guidedrec_core.rationale.claims import READERS, AttributeClaim, FactClaim, OtherPartClaim
from guidedrec_core.rationale.facts import Facts


def test_the_default_tells_the_largest_parts_a_past_item_a_change_and_the_ranks() -> None:
    assert default_rationale(CASE).text == (
        "Other purchase patterns count most in its favour (+0.90). "
        "Warmth counts in its favour (+0.42), above average both in this customer's history and in this item. "
        "Category “bottles” counts in its favour (+0.35). "
        "Style focus counts most against it (-0.20), above average in this customer's history but below average in "
        "this item. "
        "Of this customer's last 2 purchases, “Ironpass Vacuum Flask” counts most in this item's favour; without it, "
        "the score would be 0.15 lower. "
        "Without “Ironpass Vacuum Flask” and “Trail Mule Boots” in the history, it would drop to 14th, out of the "
        "top 10. "
        "The refined model ranks “Larch Down Parka” 1st, the base model 31st."
    )


def test_what_counts_most_against_an_item_is_told_even_if_it_is_small() -> None:
    strong = tuple(
        replace(one, name=f"{one.name}_{n}", label=f"{one.label} {n}", contribution=0.5 + n)
        for n, one in enumerate(CASE.attributes)
    )
    past = tuple(replace(one, scores=(*one.scores, *one.scores)) for one in CASE.past)
    facts = replace(CASE, attributes=(*strong, *CASE.attributes), past=past)
    assert "Style focus counts most against it (-0.20)" in default_rationale(facts).text


def test_a_case_without_history_or_attributes_that_count_still_has_a_rationale() -> None:
    none = tuple(replace(one, contribution=0.0) for one in CASE.attributes)
    bare = replace(CASE, attributes=none, past=(), base_rank=1, removal=None, known=())
    assert default_rationale(bare).text == (
        "Other purchase patterns count most in its favour (+0.90). "
        "General popularity counts most against it (-0.12). Both models rank “Larch Down Parka” 1st."
    )


@settings(deadline=None)
@given(rationale_cases.facts())
def test_the_default_is_true_and_begins_with_the_largest_part(facts: Facts) -> None:
    for reader in READERS:
        rationale = default_rationale(facts, reader)
        assert [fault(sentence, facts) for sentence in sentences_of(rationale.text)] == [""] * len(rationale.claims)
    parts = [claim for claim in claims_of(facts) if isinstance(claim, AttributeClaim | FactClaim | OtherPartClaim)]
    if parts:
        first = rationale.claims[0]
        assert isinstance(first, AttributeClaim | FactClaim | OtherPartClaim)
        assert abs(first.contribution) == max(abs(part.contribution) for part in parts)
        against = [part for part in parts if part.contribution <= -0.05]
        assert not against or any(part in rationale.claims for part in against)


def test_another_reader_hears_the_same_claims() -> None:
    rationale = Rationale(claims_of(CASE)[:3], "merchandiser", by_model=True, notices=("x",))
    other = rationale.to("analyst")
    assert (other.claims, other.by_model, other.notices) == (rationale.claims, True, ("x",))
    assert other.text != rationale.text
