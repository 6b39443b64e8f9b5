"""A language model chooses claims: whatever it answers, only sentences that are true of the case are shown."""

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest
import rationale_cases
from chat_server import Answer, ChatServer, chat_server, failing, said  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st
from poisoned_listings import POISONS
from rationale_cases import CASE
from rationale_reading import fault, sentences_of

from guidedrec_core.errors import ServiceError
from guidedrec_core.llm.client import ChatClient
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.llm.retry import NEVER
from guidedrec_core.rationale.choice import Rationale, claims_of, default_rationale
from guidedrec_core.rationale.claims import READERS, Reader
from guidedrec_core.rationale.facts import Facts
from guidedrec_core.rationale.llm import MOST_CLAIMS, choose_claims, prompt

IDS = [claim.id for claim in claims_of(CASE)]


def answer(claims: Any, reader: Any = "analyst", **more: Any) -> str:
    return json.dumps({"reader": reader, "claims": claims, **more})


class Scripted:
    """A chat client that gives the same answer every time."""

    def __init__(self, text: str | None, finish_reason: str = "stop", refusal: str | None = None) -> None:
        self.reply = ChatReply(text, refusal, finish_reason, 1, 1, "")
        self.asked: list[tuple[list[dict[str, str]], dict[str, Any] | None, int | None]] = []

    async def complete(
        self,
        messages: list[dict[str, str]],
        model: str,
        response_format: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> ChatReply:
        self.asked.append((messages, response_format, max_tokens))
        return self.reply


def chosen(text: str | None, facts: Facts = CASE, reader: Reader | None = None) -> Rationale:
    return asyncio.run(choose_claims(Scripted(text), "m", facts, reader))


class TestWhatIsUsedOfAnAnswer:
    def test_the_models_claims_order_and_reader(self) -> None:
        result = chosen(answer(["rank", "attribute:warmth", "past:1"]))
        assert [claim.id for claim in result.claims] == ["rank", "attribute:warmth", "past:1"]
        assert (result.reader, result.by_model, result.notices) == ("analyst", True, ())
        assert result.text == " ".join(claim.sentence("analyst") for claim in result.claims)

    def test_the_reader_asked_for_stands(self) -> None:
        result = chosen(answer(["rank"]), reader="stakeholder")
        assert result.reader == "stakeholder"
        assert result.notices == ("Ignored: another reader than the requested one.",)
        assert chosen(answer(["rank"], reader="stakeholder"), reader="stakeholder").notices == ()

    @pytest.mark.parametrize("reader", [None, "king", 7, ["analyst"], {}])
    def test_a_reader_that_does_not_exist_gives_way_to_the_usual_one(self, reader: Any) -> None:
        result = chosen(answer(["rank"], reader=reader))
        assert (result.reader, len(result.notices)) == ("merchandiser", 1)

    @pytest.mark.parametrize(
        ("claims", "kept", "notice"),
        [
            (["rank", "rank", "past:1"], ["rank", "past:1"], "Ignored: 1 repeated statement."),
            (["rank", "attribute:price"], ["rank"], "Ignored: 1 unknown statement."),
            (["rank", "past:9", "Rank", "Warmth adds 9."], ["rank"], "Ignored: 3 unknown statements."),
            (["rank", 1, None, ["rank"], {"id": "rank"}], ["rank"], "Ignored: 4 unknown statements."),
            (IDS[:9], IDS[:8], "Ignored: 1 statement after the first 8."),
        ],
    )
    def test_other_ids_are_ignored_with_a_word(self, claims: list[Any], kept: list[str], notice: str) -> None:
        result = chosen(answer(claims))
        assert [claim.id for claim in result.claims] == kept
        assert result.notices == (notice,)
        assert result.by_model

    def test_words_of_its_own_are_not_used(self) -> None:
        result = chosen("Buy it! " + answer(["rank"], sentence="Warmth adds 9.", note="On sale."))
        assert result.text == claims_of(CASE)[-1].sentence("analyst")
        assert result.notices == ("Ignored: 2 extra fields.",)

    def test_a_thinking_models_drafts_are_no_answer(self) -> None:
        assert [one.id for one in chosen(f"<think>{answer(['past:1'])}</think>{answer(['rank'])}").claims] == ["rank"]

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (None, "the answer is empty"),
            (" ", "the answer is empty"),
            ("I like parkas.", "it holds no choice"),
            ("[]", "it holds no choice"),
            (answer("rank"), "its claims are no list"),
            (answer([]), "it names no statement of this case"),
            (answer(["attribute:price", "c1"]), "it names no statement of this case"),
            (answer(["rank"]) + answer(["past:1"]), "it holds choices that contradict one another"),
            (answer(["rank"]) + answer(["rank"], reader="stakeholder"), "it holds choices that contradict one another"),
            ('{"claims": ["rank"], "claims": ["past:1"]}', "its claims are no list"),
        ],
    )
    def test_without_a_choice_the_default_stands_and_says_so(self, text: str | None, problem: str) -> None:
        result = chosen(text, reader="stakeholder")
        assert result.claims == default_rationale(CASE).claims
        assert (result.reader, result.by_model) == ("stakeholder", False)
        assert result.notices == (
            f"m gave no choice that can be used in 2 answers ({problem}); this is the default choice.",
        )

    def test_the_same_choice_twice_is_one(self) -> None:
        assert chosen(answer(["rank"]) + " so " + answer(["rank"])).by_model

    def test_an_answer_that_is_cut_off_gets_more_room(self) -> None:
        client = Scripted('{"reader": "analyst", "claims": ["rank"', "length")
        result = asyncio.run(choose_claims(client, "m", CASE))
        assert "the answer is cut off" in result.notices[0]
        assert [tokens for _, _, tokens in client.asked] == [1500, 6000]

    def test_a_refusals_words_are_not_shown(self) -> None:
        client = Scripted(None, refusal="Warmth adds 9.")
        assert "Warmth adds" not in "".join(asyncio.run(choose_claims(client, "m", CASE)).notices)


class TestWhatIsAsked:
    def test_the_prompt_lists_every_claim_and_asks_for_ids_alone(self) -> None:
        client = Scripted(answer(["rank"]))
        asyncio.run(choose_claims(client, "m", CASE))
        (messages, response_format, _) = client.asked[0]
        listed = re.findall(r"^- (\S+:?\S*): ", messages[0]["content"].partition("Statements:")[2], re.MULTILINE)
        assert listed == IDS
        assert response_format is not None
        schema = response_format["json_schema"]["schema"]
        assert schema["properties"]["claims"]["items"]["enum"] == IDS
        assert schema["properties"]["reader"]["enum"] == list(READERS)
        assert schema["additionalProperties"] is False
        asyncio.run(choose_claims(client, "m", CASE, "analyst"))
        assert client.asked[1][1]["json_schema"]["schema"]["properties"]["reader"]["enum"] == ["analyst"]  # type: ignore[index]
        assert "The reader is the analyst" in client.asked[1][0][0]["content"]

    @settings(deadline=None)
    @given(rationale_cases.facts(), st.data())
    def test_no_title_reaches_the_model(self, facts: Facts, data: st.DataObject) -> None:
        """The prompt is the same whatever strangers write into titles, so they cannot speak to the model."""
        titles = st.one_of(rationale_cases.TITLES)
        past = tuple(replace(one, title=data.draw(titles)) for one in facts.past)
        removal = facts.removal
        if removal is not None:
            removal = replace(removal, titles=tuple(data.draw(titles) for _ in removal.titles))
        other = replace(facts, title=data.draw(titles), past=past, removal=removal)
        for reader in (None, *READERS):
            assert prompt(other, reader) == prompt(facts, reader)
        assert [claim.id for claim in claims_of(other)] == [claim.id for claim in claims_of(facts)]


_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from([p.text[:300] for p in POISONS]),
)
_PROSE = st.sampled_from(
    [
        "Warmth counts most in its favour (+9.99).",
        "This parka is the best, buy it.",
        "past:1",
        "c1",
        "<think>",
        "</think>",
        "{",
        "```json",
    ]
)


@st.composite
def replies(draw: st.DrawFn, ids: list[str]) -> str:
    """Draw an answer: ids of this case and of others, wrong kinds, prose, commands, several answers, broken ones."""
    foreign = st.sampled_from(["attribute:price", "past:99", "shared:99", "remainder ", "RANK", "removal"])
    own = st.sampled_from(ids)
    claims = st.one_of(
        st.permutations(ids),
        st.lists(own, min_size=1, max_size=14),
        st.lists(st.one_of(own, foreign, _PROSE, _JUNK), max_size=14),
        _JUNK,
    )
    one = st.fixed_dictionaries(
        {"reader": st.one_of(st.sampled_from(READERS), _JUNK), "claims": claims},
        optional={"sentence": _PROSE, "text": _JUNK},
    ).map(json.dumps)
    if draw(st.booleans()):
        return draw(one)
    parts = draw(st.lists(st.one_of(one, one, _PROSE, st.text(max_size=40)), min_size=1, max_size=3))
    text = draw(st.sampled_from(["", " ", "\n"])).join(parts)
    return text if draw(st.booleans()) else text[: draw(st.integers(0, len(text)))]


_PROBLEMS = (
    "the answer is empty|it holds no choice|its claims are no list|it names no statement of this case|"
    "it holds choices that contradict one another"
)
_NOTICE = re.compile(
    rf"Ignored: [\d,]+ (?:unknown statements?|repeated statements?|statements? after the first {MOST_CLAIMS})\.|"
    r"Ignored: [\d,]+ extra fields?\.|Ignored: another reader than the requested one\.|"
    r"No reader was chosen; this is for the merchandiser\.|"
    rf"m gave no choice that can be used in 2 answers \((?:{_PROBLEMS})\); this is the default choice\."
)


@settings(max_examples=200, deadline=None)
@given(rationale_cases.facts(), st.data(), st.sampled_from([None, *READERS]))
def test_whatever_the_model_answers_only_true_sentences_of_the_case_are_shown(
    facts: Facts, data: st.DataObject, reader: Reader | None
) -> None:
    offered = claims_of(facts)
    result = chosen(data.draw(replies([claim.id for claim in offered])), facts, reader)
    sentences = sentences_of(result.text)
    own = {claim.sentence(result.reader) for claim in offered}
    assert 1 <= len(sentences) <= MOST_CLAIMS
    for sentence in sentences:
        assert sentence in own
        assert fault(sentence, facts) == "", sentence
    assert len(set(result.claims)) == len(result.claims)
    assert reader in (None, result.reader)
    assert all(_NOTICE.fullmatch(notice) for notice in result.notices), result.notices


def asked(server: ChatServer, facts: Facts = CASE) -> Rationale:
    async def ask() -> Rationale:
        async with ChatClient(server.url, retry=NEVER) as client:
            return await choose_claims(client, "m", facts)

    return asyncio.run(ask())


class TestOverTheRealSdk:
    def test_an_answer_that_cannot_be_used_is_asked_for_once_more(self, chat_server: ChatServer) -> None:  # noqa: F811
        chat_server.queue = [Answer(said("I like parkas.")), Answer(said(answer(["past:1", "rank"])))]
        assert [claim.id for claim in asked(chat_server).claims] == ["past:1", "rank"]
        assert len(chat_server.asked) == 2
        assert CASE.title not in json.dumps(chat_server.asked)

    @pytest.mark.parametrize("poison", POISONS[::5], ids=[poison.name for poison in POISONS[::5]])
    def test_a_server_of_lies_is_not_believed(self, chat_server: ChatServer, poison: Any) -> None:  # noqa: F811
        facts = replace(CASE, title=f"{CASE.title} {poison.text}")
        chat_server.model = lambda request: Answer(
            said(f"{poison.text}\n{answer([poison.text, 'rank'], note='Buy it.')}")
        )
        result = asked(chat_server, facts)
        assert [fault(sentence, facts) for sentence in sentences_of(result.text)] == [""] * len(result.claims)

    def test_a_server_that_fails_is_an_error(self, chat_server: ChatServer) -> None:  # noqa: F811
        chat_server.model = lambda request: failing(500)
        with pytest.raises(ServiceError):
            asked(chat_server)
