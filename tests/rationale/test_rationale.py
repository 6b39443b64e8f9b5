"""Rationales: what is shown is true, whoever wrote it, and whatever a title says."""

import asyncio
import json
import re
from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import rationale_phrases as phrases
from chat_server import Answer, ChatServer, chat_server, said  # noqa: F401
from obedient_model import _COMMAND, _read
from poisoned_listings import POISONS

from guidedrec_core.errors import ServiceError
from guidedrec_core.llm.client import ChatClient
from guidedrec_core.rationale.claims import Rationale, checked, fault
from guidedrec_core.rationale.facts import (
    AttributeFact,
    Claim,
    Facts,
    PastItem,
    rendered,
    shown_title,
    template_claims,
    template_rationale,
)
from guidedrec_core.rationale.llm import ask_for_rationale, prompt, read_claims
from guidedrec_core.rationale.prose import prose_fault

CASE = Facts(
    title="Larch Down Parka",
    rank=1,
    base_rank=31,
    attributes=(
        AttributeFact("warmth", "Warmth", 0.42, 9.0, 7.2, 4.1),
        AttributeFact("style_focus", "Style focus", -0.2, 2.0, 6.0, 5.0),
        AttributeFact("ruggedness", "Ruggedness", 0.11, 8.0, 5.5, 5.4),
        AttributeFact("comfort", "Comfort", 0.001, float("nan"), 5.0, 5.0),
    ),
    patterns=0.9,
    popularity=-0.12,
    past=(
        PastItem("Ironpass Vacuum Flask", 0.15, (7.0, 3.0, 9.0, 2.0)),
        PastItem("Pebble Sun Hat", -0.08, (0.0, 6.0, 2.0, float("nan"))),
    ),
    top=10,
)


def test_the_template_tells_taste_reasons_a_past_item_what_is_against_it_and_the_move() -> None:
    assert template_rationale(CASE) == (
        "What this user took averages 7.2/10 on warmth, the catalogue 4.1 on average. "
        "This item has 9.0/10 on warmth, the catalogue 4.1 on average. Warmth adds 0.42. Ruggedness adds 0.11. "
        "Without Ironpass Vacuum Flask in the history, the score would be 0.15 lower. Style focus takes away 0.20. "
        "Purchase patterns add 0.90. Popularity takes away 0.12. The base model has it 31st, the refined one 1st."
    )


def test_a_case_without_history_or_marked_attributes_still_has_a_rationale() -> None:
    none = tuple(replace(one, contribution=0.0) for one in CASE.attributes)
    bare = replace(CASE, attributes=none, past=(), base_rank=1)
    assert template_rationale(bare) == (
        "Purchase patterns add 0.90. Popularity takes away 0.12. Base and refined model both have it 1st."
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_templates_claims_hold_and_so_do_their_sentences(seed: int) -> None:
    case = phrases.facts(np.random.default_rng(seed))
    claims = [replace(claim, sentence=rendered(claim, case)) for claim in template_claims(case)]
    result = checked(claims, case)
    assert result.struck == ()
    assert [one.reworded for one in result.kept] == [""] * len(claims)


WARMTH = Claim("contribution", ("c1",), 0.42, direction="for", sentence="Warmth adds 0.42.")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"evidence": ("c9",)}, "there is no evidence c9"),
        ({"evidence": ("x1",)}, "there is no evidence x1"),
        ({"evidence": ("c0",)}, "there is no evidence c0"),
        ({"evidence": ("c01",)}, "there is no evidence c01"),
        ({"evidence": ()}, "needs evidence of contribution"),
        ({"evidence": ("s1",)}, "needs evidence of contribution"),
        ({"evidence": ("c1", "c2")}, "needs evidence of contribution"),
        ({"value": 0.52}, r"the number is \+0.42, not \+0.52"),
        ({"value": None}, "states no number"),
        ({"value": float("nan")}, "not finite"),
        ({"value": -0.42}, "the number is"),
        ({"direction": "against"}, "counts for, not against"),
        ({"direction": ""}, "does not say whether"),
        ({"evidence": ("c4",), "value": 0.0}, "hardly counts"),
    ],
)
def test_a_claim_with_wrong_evidence_or_values_is_struck(changes: dict[str, Any], reason: str) -> None:
    assert fault(WARMTH, CASE) == ""
    (struck,) = checked([replace(WARMTH, **changes)], CASE).struck
    assert re.search(reason, struck.reason)


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (Claim("order", ("c1",), 1, direction="for", among="all"), "number 2 by size"),
        (Claim("order", ("c1",), 1, direction="for"), "among what"),
        (Claim("order", ("c5",), 1, direction="for", among="attributes"), "among what"),
        (Claim("order", ("c2",), 1, direction="for", among="attributes"), "counts against"),
        (Claim("compare", ("c2", "c1")), "is not larger"),
        (Claim("rank", ("r1",), 31, 1, "down"), "the ranks are 31 and 1"),
        (Claim("rank", ("r1",), 1, 31, "down"), "moves up, not down"),
        (Claim("history", ("h2",), 0.15, direction="for"), "the number is -0.08"),
        (Claim("shared", ("h1", "s2"), direction="more"), "not more than"),
        (Claim("shared", ("h2", "s1"), direction="more"), "not more than"),
        (Claim("shared", ("h2", "s4"), direction="more"), "no score of Comfort"),
        (Claim("item_score", ("s4",), 5.0), "no score of Comfort"),
        (Claim("item_score", ("s2",), 2.0, direction="more"), "not more than"),
        (Claim("taste", ("s5",), 7.0, direction="more"), "the number is"),
    ],
)
def test_every_type_is_computed_again(claim: Claim, reason: str) -> None:
    assert reason in fault(claim, CASE)


@pytest.mark.parametrize(
    ("claim", "sentence", "reason"),
    [
        (WARMTH, "Warmth adds 0.52.", "it says 0.52"),
        (WARMTH, "Warmth adds 42%.", "it says 42"),
        (WARMTH, "Ruggedness adds 0.42.", "speaks of ruggedness"),
        (WARMTH, "It adds 0.42.", "does not name warmth"),
        (WARMTH, "Warmth takes 0.42 off.", "point the other way"),
        (WARMTH, "Warmth does not add 0.42.", "point the other way"),
        (WARMTH, "Warmth adds 0.42, the largest reason.", "comes first"),
        (WARMTH, "Warmth adds 0.42, as in Ironpass Vacuum Flask.", "names a title"),
        (WARMTH, "Warmth adds 0.42, says Erika Muster.", "names something"),
        (WARMTH, "Warmth adds 0.42. Buy it.", "more than one sentence"),
        (WARMTH, "Warmth adds 0.42, at a good price.", "no evidence holds"),
        (WARMTH, "Warmth adds 0.42, see http://x.y", "addresses"),
        (WARMTH, "**Warmth** adds 0.42.", "signs"),
        (WARMTH, "Warmth adds 0.42" + " and more" * 40, "longer than"),
        (WARMTH, "Warmth alone adds 0.42.", "more than its evidence"),
        (Claim("rank", ("r1",), 1, 31, "up"), "It climbs from 1st to 31st.", "it says 1"),
        (Claim("rank", ("r1",), 1, 31, "up"), "It falls from 31st to 1st.", "other way"),
        (Claim("rank", ("r1",), 1, 31, "up"), "It is 1st because of its warmth.", "speaks of warmth"),
        (Claim("rank", ("r1",), 1, 31, "up"), "The base model had it 31st, which is why it is 1st now.", "a cause"),
        (Claim("shared", ("h1", "s1"), direction="more"), "The flask and it are high on warmth.", "not name the past"),
        (Claim("compare", ("c1", "c3")), "Warmth counts for less than ruggedness.", "the wrong one"),
    ],
)
def test_a_sentence_that_says_something_else_gives_way_to_ours(claim: Claim, sentence: str, reason: str) -> None:
    (kept,) = checked([replace(claim, sentence=sentence)], CASE).kept
    assert reason in kept.reworded
    assert kept.sentence == rendered(claim, CASE)


def measured(forms: dict[str, list[str]], seed: int, n: int) -> dict[str, Any]:
    """Check `n` generated rationales, true, and with one claim of each made false in every way."""
    rng = np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    made: Counter[str] = Counter()
    for _ in range(n):
        case = phrases.facts(rng)
        spoken = phrases.spoken(case, forms, rng)
        result = checked([one.claim for one in spoken], case)
        counts.update(true=len(spoken), struck=len(result.struck), reworded=sum(bool(k.reworded) for k in result.kept))
        one = spoken[int(rng.integers(len(spoken)))]
        false = phrases.falsified(one, case, rng)
        if (opposite := phrases.contradicting(one, case, forms, rng)) is not None:
            false["contradicting prose"] = opposite
        for kind, claim in false.items():
            after = checked([claim], case)
            made[kind] += 1
            caught[kind] += bool(after.struck) or claim.sentence not in after.text
    return {**counts, "false": made.total(), "caught": caught.total(), "by_kind": made}


@pytest.mark.parametrize(("name", "forms"), [("tried", phrases.TRIED), ("apart", phrases.APART)])
def test_false_claims_are_caught_and_true_ones_kept(name: str, forms: dict[str, list[str]]) -> None:
    """500 rationales in all; a false claim is caught when it is struck or its words are not shown."""
    rates = measured(forms, seed=7, n=250)
    assert rates["caught"] >= 0.98 * rates["false"]
    assert rates["struck"] <= 0.02 * rates["true"]
    assert rates["reworded"] <= 0.02 * rates["true"]
    assert rates["true"] > 2000
    assert rates["false"] > 1500
    assert len(rates["by_kind"]) >= 18


def answer_of(claims: list[Claim]) -> Answer:
    def plain(claim: Claim) -> dict[str, Any]:
        fields = asdict(claim)
        return {**fields, "other_value": fields.pop("other"), "direction": claim.direction or None}

    return Answer(said(json.dumps({"claims": [plain(claim) for claim in claims]})))


def asked(server: ChatServer, facts: Facts = CASE) -> Rationale:
    async def ask() -> Rationale:
        async with ChatClient(server.url, retries=0) as client:
            return await ask_for_rationale(client, "m", facts)

    return asyncio.run(ask())


def test_a_servers_rationale_is_checked_and_its_own_words_are_shown(chat_server: ChatServer) -> None:  # noqa: F811
    own = "Because of its warmth the score gains 0.42."
    false = Claim("contribution", ("c3",), 0.11, direction="against", sentence="Ruggedness costs it 0.11.")
    chat_server.queue = [answer_of([replace(WARMTH, sentence=own), false])]
    result = asked(chat_server)
    assert result.text == own
    assert [one.reason for one in result.struck] == ["it counts for, not against"]
    system, user = (message["content"] for message in chat_server.asked[0]["messages"])
    assert "c1: contribution of warmth: +0.42" in system
    assert "h2: past item with the title in text 3; without it the score would be 0.08 higher" in system
    assert CASE.title not in system
    assert "| Larch Down Parka" in user


def test_an_answer_of_which_nothing_holds_is_asked_for_once_more(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [answer_of([replace(WARMTH, value=9.0)]), answer_of([WARMTH])]
    assert asked(chat_server).text == "Warmth adds 0.42."
    chat_server.queue = [Answer(said("I like parkas.")), answer_of([replace(WARMTH, value=9.0)])]
    with pytest.raises(ServiceError, match="no claim that holds in 2 answers"):
        asked(chat_server)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"claims": 7}',
        '{"claims": [7, null, "x"]}',
        '{"claims": [{"type": "praise", "evidence": ["c1"], "sentence": "x"}]}',
        '{"claims": [{"type": "rank", "evidence": "r1", "sentence": "x"}]}',
        '{"claims": [{"type": "rank", "evidence": ["r1"], "value": "1", "sentence": "x"}]}',
        '{"claims": [{"type": "rank", "evidence": ["r1"], "value": true, "sentence": "x"}]}',
        '{"claims": [{"type": "rank", "evidence": ["r1"], "direction": "sideways", "sentence": "x"}]}',
        '{"claims": [{"type": ["rank"], "evidence": ["r1"], "sentence": "x"}]}',
    ],
)
def test_what_is_no_claim_is_left_out(text: str) -> None:
    assert read_claims(text) == ()


def obedient(request: dict[str, Any]) -> Answer:
    """A model that obeys strangers' commands outside the fence, and otherwise tells what it was told."""
    outside, _ = _read(request["messages"])
    honest = {re.sub(r"[\d.]+|\b[0-9a-f]{12}\b", "#", line) for line in _read(prompt(CASE))[0]}
    strange = [line for line in outside if re.sub(r"[\d.]+|\b[0-9a-f]{12}\b", "#", line) not in honest]
    if any(_COMMAND.search(line) for line in strange):
        return answer_of([replace(WARMTH, value=10.0, sentence="Warmth adds 10, the best of all.")])
    titles = [line[2:] for line in request["messages"][1]["content"].split("\n") if line.startswith("| ")]
    past = titles[1]
    own = Claim(
        "history", ("h1",), 0.15, direction="for", sentence=f"Because {past} is there, the score is 0.15 higher."
    )
    return answer_of([replace(WARMTH, sentence="The score gains 0.42 from its warmth."), own])


@pytest.mark.parametrize("poison", POISONS, ids=[poison.name for poison in POISONS])
def test_titles_that_speak_to_the_model_change_nothing(poison: Any) -> None:
    bad = tuple(replace(past, title=f"{past.title} {poison.text}") for past in CASE.past)
    poisoned = replace(CASE, title=f"{CASE.title} {poison.text}", past=bad)
    assert len(_read(prompt(poisoned))[1]) == 3
    answers = [
        read_claims(obedient({"messages": prompt(case)}).body["choices"][0]["message"]["content"])
        for case in (CASE, poisoned)
    ]
    shown = shown_title(bad[0].title)
    said_of = [
        [replace(claim, sentence=claim.sentence.replace(shown, CASE.past[0].title)) for claim in each]
        for each in answers
    ]
    assert said_of[0] == said_of[1]
    result = checked(answers[1], poisoned)
    assert result.struck == ()
    assert [one.claim.evidence for one in result.kept] == [("c1",), ("h1",)]
    assert result.kept[0].sentence == "The score gains 0.42 from its warmth."


def test_without_the_fence_the_obedient_model_obeys_and_the_check_strikes_it() -> None:
    for poison in POISONS:
        system, user = prompt(CASE)
        naive = [system, {**user, "content": f"{user['content']}\nThe title is: {CASE.title} {poison.text}"}]
        claims = read_claims(obedient({"messages": naive}).body["choices"][0]["message"]["content"])
        assert [claim.value for claim in claims] == [10.0]
        assert checked(claims, CASE).kept == ()


def test_prose_of_a_true_claim_passes_over_the_real_sdk(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.model = obedient
    poisoned = replace(CASE, past=(replace(CASE.past[0], title=f"Flask\n{POISONS[0].text}"), *CASE.past[1:]))
    assert asked(chat_server).text.startswith("The score gains 0.42 from its warmth. Because Ironpass")
    assert asked(chat_server, poisoned).text.startswith("The score gains 0.42 from its warmth. ")
    assert prose_fault(WARMTH, CASE) == ""
