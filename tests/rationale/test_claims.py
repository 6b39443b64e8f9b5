"""Claims: each sentence is true of its case, whatever the case; known cases read as they should."""

from dataclasses import replace

import pytest
import rationale_cases
from hypothesis import given, settings
from rationale_cases import CASE
from rationale_reading import fault, same_title, sentences_of

from guidedrec_core.data.verbs import WATCHED
from guidedrec_core.rationale.choice import claims_of
from guidedrec_core.rationale.claims import READERS, Reader, quoted
from guidedrec_core.rationale.facts import Facts


def said(name: str, reader: Reader, facts: Facts = CASE) -> str:
    return {claim.id: claim for claim in claims_of(facts)}[name].sentence(reader)


@pytest.mark.parametrize(
    ("name", "merchandiser", "stakeholder", "analyst"),
    [
        (
            "attribute:warmth",
            "Warmth counts in its favour (+0.42), above average both in this customer's history and in this item.",
            "Warmth counts in its favour, above average both in this customer's history and in this item.",
            "Warmth contributes +0.42: own taste +0.30, other tastes +0.05, everyone +0.02, purchase patterns +0.05; "
            "item 9.0/10, history 7.2/10, catalogue mean 4.1/10.",
        ),
        (
            "attribute:style_focus",
            "Style focus counts most against it (-0.20), above average in this customer's history but below average in "
            "this item.",
            "Style focus counts most against it, above average in this customer's history but below average in this "
            "item.",
            "Style focus contributes -0.20, the largest part against it: own taste -0.15, other tastes -0.10, everyone "
            "+0.00, purchase patterns +0.05; item 2.0/10, history 6.0/10, catalogue mean 5.0/10.",
        ),
        (
            "remainder",
            "Other purchase patterns count most in its favour (+0.90).",
            "Other purchase patterns count most in its favour.",
            "The part without a name (other purchase patterns) contributes +0.90, the largest part in its "
            "favour, against an average item.",
        ),
        (
            "fact:category",
            "Category “bottles” counts in its favour (+0.35).",
            "Category “bottles” counts in its favour.",
            "The fact Category “bottles” contributes +0.35, against an average item.",
        ),
        (
            "fact:price",
            "Price counts against it (-0.05).",
            "Price counts against it.",
            "The fact Price contributes -0.05, against an average item.",
        ),
        (
            "popularity",
            "General popularity counts against it (-0.12).",
            "General popularity counts against it.",
            "Popularity contributes -0.12, against an average item.",
        ),
        (
            "past:1",
            "Of this customer's last 2 purchases, “Ironpass Vacuum Flask” counts most in this item's favour; without "
            "it, the score would be 0.15 lower.",
            "Of this customer's last 2 purchases, “Ironpass Vacuum Flask” counts most in this item's favour.",
            "Past item 1 of 2, newest first, “Ironpass Vacuum Flask”, is worth +0.15: the score with it less the score "
            "without it.",
        ),
        (
            "shared:1",
            "“Ironpass Vacuum Flask” and this item are both above average on warmth.",
            "“Ironpass Vacuum Flask” and this item are both above average on warmth.",
            "“Ironpass Vacuum Flask” (7.0/10) and this item (9.0/10) are both above the catalogue mean of warmth "
            "(4.1/10).",
        ),
        (
            "rank",
            "The refined model ranks “Larch Down Parka” 1st, the base model 31st.",
            "With attributes, “Larch Down Parka” moves up from 31st to 1st place.",
            "“Larch Down Parka” has rank 31 in the base model, 1 in the refined one: 30 places up.",
        ),
        (
            "removal",
            "Without “Ironpass Vacuum Flask” and “Trail Mule Boots” in the history, it would drop to 14th, out of "
            "the top 10.",
            "Without “Ironpass Vacuum Flask” and “Trail Mule Boots” in the history, it would leave the top 10.",
            "Without “Ironpass Vacuum Flask” and “Trail Mule Boots” in the history, it would have rank 14 instead "
            "of 1; no smaller set takes it out of the top 10.",
        ),
    ],
)
def test_each_claim_reads_well_for_each_reader(name: str, merchandiser: str, stakeholder: str, analyst: str) -> None:
    assert [said(name, reader) for reader in READERS] == [merchandiser, stakeholder, analyst]


def test_claims_use_the_words_of_the_data_set() -> None:
    films = replace(CASE, verb=WATCHED)
    assert said("remainder", "stakeholder", films).startswith("Other viewing patterns count most")
    assert "The part without a name (other viewing patterns)" in said("remainder", "analyst", films)
    assert said("past:1", "stakeholder", films).startswith("Of this viewer's last 2 viewings, ")
    assert "in this viewer's history" in said("attribute:warmth", "merchandiser", films)


def test_a_contribution_against_the_match_is_said_with_although() -> None:
    turned = with_warmth(contribution=-0.42, own_taste=-0.3, other_tastes=-0.05, everyone=-0.02, interactions=-0.05)
    assert said("attribute:warmth", "stakeholder", turned) == (
        "Warmth counts most against it, although it is above average both in this customer's history and in this item."
    )


def with_warmth(**changes: float) -> Facts:
    return replace(CASE, attributes=(replace(CASE.attributes[0], **changes), *CASE.attributes[1:]))


def test_the_source_that_leads_is_the_reason() -> None:
    """A match in this attribute is no reason where the contribution comes from something else."""
    others = with_warmth(own_taste=0.1, other_tastes=0.4, everyone=-0.1, interactions=0.02)
    assert said("attribute:warmth", "merchandiser", others) == (
        "Warmth counts in its favour (+0.42), as its warmth goes with this customer's other tastes."
    )
    everyone = with_warmth(contribution=-0.2, own_taste=0.1, other_tastes=-0.1, everyone=-0.3, interactions=0.1)
    assert said("attribute:warmth", "stakeholder", everyone) == (
        "Warmth counts against it, as its warmth is unpopular with customers in general."
    )
    learned = with_warmth(own_taste=0.1, other_tastes=0.02, everyone=0.0, interactions=0.3)
    assert said("attribute:warmth", "stakeholder", learned) == (
        "Warmth counts in its favour, as its warmth fits this customer's purchase patterns."
    )


def test_what_is_shared_must_help_by_the_users_own_taste() -> None:
    assert "shared:1" in {claim.id for claim in claims_of(CASE)}
    others = with_warmth(own_taste=-0.1, other_tastes=0.52)
    ruggedness = next(claim for claim in claims_of(others) if claim.id == "shared:1")
    assert ruggedness.evidence == ("past:1", "attribute:ruggedness")


def test_what_is_not_known_or_too_close_to_tell_is_not_said() -> None:
    """8.0 against 5.4 and 5.4: the history's side shows no difference in one decimal, so no match is claimed."""
    close = replace(CASE.attributes[2], user_score=5.41)
    unknown = replace(CASE.attributes[0], item_score=float("nan"))
    facts = replace(CASE, attributes=(unknown, CASE.attributes[1], close))
    facts = replace(facts, past=tuple(replace(past, scores=past.scores[:3]) for past in CASE.past))
    assert said("attribute:ruggedness", "stakeholder", facts) == "Ruggedness counts in its favour."
    assert said("attribute:warmth", "stakeholder", facts) == "Warmth counts in its favour."
    assert "item not scored" in said("attribute:warmth", "analyst", facts)


def test_nothing_leads_where_two_parts_are_shown_alike() -> None:
    alike = replace(CASE, remainder=0.423)
    for name in ("remainder", "attribute:warmth"):
        assert "most" not in said(name, "merchandiser", alike)
        assert "largest" not in said(name, "analyst", alike)


def test_what_rounds_to_nothing_is_no_claim() -> None:
    names = {claim.id for claim in claims_of(replace(CASE, popularity=-0.0049))}
    assert "attribute:comfort" not in names
    assert "popularity" not in names


def test_the_smallest_moves_are_told_right() -> None:
    assert said("rank", "analyst", replace(CASE, rank=2, base_rank=1)).endswith("1 place down.")
    assert said("rank", "merchandiser", replace(CASE, base_rank=1)) == "Both models rank “Larch Down Parka” 1st."
    assert said("rank", "stakeholder", replace(CASE, rank=1031, base_rank=1001)) == (
        "With attributes, “Larch Down Parka” moves down from 1,001st to 1,031st place."
    )


@settings(deadline=None)
@given(rationale_cases.facts())
def test_every_sentence_is_true_of_its_case(facts: Facts) -> None:
    """Whatever can be chosen is true for every reader, so no choice can say anything false."""
    claims = claims_of(facts)
    for reader in READERS:
        for claim in claims:
            sentence = claim.sentence(reader)
            assert sentences_of(sentence) == [sentence]
            assert fault(sentence, facts) == "", sentence


@settings(deadline=None)
@given(rationale_cases.facts())
def test_every_claim_points_at_evidence_that_exists(facts: Facts) -> None:
    claims, evidence = claims_of(facts), facts.evidence()
    assert len({claim.id for claim in claims}) == len(claims)
    for claim in claims:
        assert claim.evidence
        assert set(claim.evidence) <= evidence.keys()
    assert {name for claim in claims for name in claim.evidence} >= {"rank"}


@settings(deadline=None)
@given(rationale_cases.TITLES)
def test_a_title_stays_within_its_quotation_marks(title: str) -> None:
    shown = quoted(title)
    assert (shown[0], shown[-1]) == ("“", "”")
    assert not set(shown[1:-1]) & set('"“”„«»')
    assert shown.isprintable()
    assert len(shown) <= 122
    assert same_title(shown[1:-1], title) or not title.isprintable()


SOURCES_OF_WARMTH = "own taste +0.30, other tastes +0.05, everyone +0.02, purchase patterns +0.05"
FALSE = [
    "Warmth counts in its favour, although it is above average both in this customer's history and in this item.",
    "Warmth counts in its favour (+0.52).",
    "Warmth counts against it (-0.42).",
    "Warmth counts most in its favour (+0.42).",
    "Warmth counts in its favour, below average both in this customer's history and in this item.",
    "Warmth counts in its favour, above average in this customer's history but below average in this item.",
    "Warmth counts in its favour, above average both in this viewer's history and in this item.",
    "Other viewing patterns count most in its favour.",
    "Of this viewer's last 2 viewings, “Ironpass Vacuum Flask” counts most in this item's favour.",
    "Ruggedness counts in its favour (+0.42).",
    "Price counts in its favour.",
    "General popularity counts most against it.",
    f"Warmth contributes +0.42: {SOURCES_OF_WARMTH}; item 8.0/10, history 7.2/10, catalogue mean 4.1/10.",
    f"Warmth contributes +0.42, the largest part in its favour: {SOURCES_OF_WARMTH}; item 9.0/10, history 7.2/10, "
    "catalogue mean 4.1/10.",
    f"Warmth contributes +0.42: {SOURCES_OF_WARMTH.replace('0.30', '0.31')}; item 9.0/10, history 7.2/10, "
    "catalogue mean 4.1/10.",
    "Warmth counts in its favour (+0.42), as its warmth goes with this customer's other tastes.",
    "Warmth counts in its favour (+0.42), as its warmth goes against this customer's other tastes.",
    "Popularity contributes +0.12, against an average item.",
    "Of this customer's last 2 purchases, “Pebble Sun Hat” counts most in this item's favour.",
    "Of this customer's last 3 purchases, “Ironpass Vacuum Flask” counts most in this item's favour.",
    "Without “Ironpass Vacuum Flask” in the history, the score would be 0.15 higher.",
    "Without “Pebble Sun Hat” in the history, the score would be 0.15 lower.",
    "Having “Nordwind Summit Parka” in the history counts in this item's favour.",
    "Past item 2 of 2, newest first, “Ironpass Vacuum Flask”, is worth +0.15: the score with it less the score without "
    "it.",
    "“Pebble Sun Hat” and this item are both above average on warmth.",
    "The refined model ranks “Larch Down Parka” 31st, the base model 1st.",
    "With attributes, “Larch Down Parka” moves down from 31st to 1st place.",
    "“Larch Down Parka” has rank 31 in the base model, 1 in the refined one: 29 places up.",
    "Both models rank “Larch Down Parka” 1st.",
    "Without “Ironpass Vacuum Flask” in the history, it would leave the top 10.",
    "Without “Ironpass Vacuum Flask” and “Trail Mule Boots” in the history, it would enter the top 10.",
    "Without “Ironpass Vacuum Flask” and “Trail Mule Boots” in the history, it would drop to 15th, out of the top 10.",
    "Warmth counts in its favour (+0.42), and it is on sale.",
    "Buy it.",
]


@pytest.mark.parametrize("sentence", FALSE)
def test_the_reading_of_these_tests_finds_false_sentences(sentence: str) -> None:
    assert fault(sentence, CASE) != ""
