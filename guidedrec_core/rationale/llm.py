"""A language model chooses which claims a rationale makes, in what order and for which reader; it writes nothing.

It reads the claims as the templates render them, without titles, and answers with ids. Of its answer only ids of this
case's claims are used; none of its own words can reach the screen.
"""

from collections.abc import Sequence
from typing import Any

from guidedrec_core.llm.chat import Chat
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.llm.reply_json import json_values
from guidedrec_core.rationale.choice import Rationale, claims_of, default_rationale
from guidedrec_core.rationale.claims import DEFAULT_READER, READERS, Claim, Reader
from guidedrec_core.rationale.facts import Facts

MOST_CLAIMS = 8
"""Claims that are used of one answer."""

_FEWEST_CLAIMS = 3
_ATTEMPTS = 2
_MAX_TOKENS = 1500
# Models that think before they answer need tokens for it; after an answer that was cut off there is more room.
_MORE_ROOM = 4

_READER_WORDS: dict[Reader, str] = {
    "merchandiser": "decides on the assortment; wants the reasons and how much each of them counts",
    "stakeholder": "does not know recommenders; wants few reasons, in words without numbers",
    "analyst": "checks the model; wants all numbers, what speaks against the item, and both ranks",
}

_SYSTEM = """\
You choose what is said about why a recommender ranks one item where it does for one user. The statements below were \
computed and are all true, each with its id. A program puts those that you choose into words; you write none.

Choose {fewest} to {most} statements and put them in order, the most telling first. Choose so that the whole is fair: \
leave out neither the largest part nor what counts clearly against the item.

{reader}

Statements:
{claims}

Answer with JSON alone, with ids as they stand above:
{{"reader": "...", "claims": ["...", ...]}}"""

_USER = "Choose the statements."


class _UnusableError(Exception):
    """Why an answer cannot be used, in our words."""


async def choose_claims(client: Chat, model: str, facts: Facts, reader: Reader | None = None) -> Rationale:
    """Let a language model choose the claims of a rationale.

    The model gets the claims with their numbers; no title, which is untrusted, and no id of user or item.

    Parameters
    ----------
    client : Chat
        The server.
    model : str
        The server's name of the model.
    facts : Facts
        The case.
    reader : str, optional
        The reader of the text; the model chooses if this is None.

    Returns
    -------
    Rationale
        The model's choice, with notices of parts of its answer that were not used. After two unusable answers, the
        default choice, with a notice.

    Raises
    ------
    ConfigError
        The key is refused, or the model or address unknown.
    ServiceError
        The server gives no answer.
    """
    offered = claims_of(facts)
    messages, max_tokens, problem = prompt(facts, reader), _MAX_TOKENS, ""
    for _ in range(_ATTEMPTS):
        reply = await client.complete(messages, model, _reply_format(offered, reader), max_tokens)
        try:
            return read_choice(reply, offered, reader)
        except _UnusableError as error:
            problem = str(error)
        if reply.finish_reason == "length":
            max_tokens *= _MORE_ROOM
    notice = f"{model} gave no choice that can be used in {_ATTEMPTS} answers ({problem}); this is the default choice."
    default = default_rationale(facts, reader or DEFAULT_READER)
    return Rationale(default.claims, default.reader, notices=(notice,))


def prompt(facts: Facts, reader: Reader | None = None) -> list[dict[str, str]]:
    """Return the messages that request a choice; they contain no title."""
    claims = claims_of(facts.without_titles())
    if reader is None:
        lines = "\n".join(f"- {name}: {_READER_WORDS[name]}" for name in READERS)
        whom = f"Choose the reader, too, whom these statements serve best:\n{lines}"
    else:
        whom = f"The reader is the {reader}, who {_READER_WORDS[reader]}."
    listed = "\n".join(f"- {claim.id}: {claim.sentence('analyst')}" for claim in claims)
    system = _SYSTEM.format(fewest=_FEWEST_CLAIMS, most=MOST_CLAIMS, reader=whom, claims=listed)
    return [{"role": "system", "content": system}, {"role": "user", "content": _USER}]


def read_choice(reply: ChatReply, offered: Sequence[Claim], reader: Reader | None = None) -> Rationale:
    """Read an answer: ids of claims that were offered, each once, and a reader.

    Anything else in the answer is ignored, and a notice says how much. Notices repeat nothing of the answer.

    Parameters
    ----------
    reply : ChatReply
        The answer; any text.
    offered : sequence of Claim
        The claims of the case.
    reader : str, optional
        The reader, if the model may not choose.

    Raises
    ------
    _UnusableError
        No choice, choices that contradict one another, or none of its ids was offered.
    """
    answer = _one_answer(reply)
    named = answer["claims"]
    if not isinstance(named, list):
        raise _UnusableError("its claims are no list")
    by_id = {claim.id: claim for claim in offered}
    known = [by_id[each] for each in named if isinstance(each, str) and each in by_id]
    once = list(dict.fromkeys(known))
    if not once:
        raise _UnusableError("it names no statement of this case")
    whom, wrong_reader = _reader(answer.get("reader"), reader)
    late = f"after the first {MOST_CLAIMS}"
    dropped = (
        (len(named) - len(known), "unknown statement", "unknown statements"),
        (len(known) - len(once), "repeated statement", "repeated statements"),
        (len(once) - MOST_CLAIMS, f"statement {late}", f"statements {late}"),
        (len(answer.keys() - {"reader", "claims"}), "extra field", "extra fields"),
    )
    notices = [f"Ignored: {count:,} {one if count == 1 else many}." for count, one, many in dropped if count > 0]
    return Rationale(tuple(once[:MOST_CLAIMS]), whom, by_model=True, notices=(*notices, *wrong_reader))


def _one_answer(reply: ChatReply) -> dict[str, Any]:
    """Return the one JSON object with claims in an answer; the same one twice is one."""
    if not (reply.text or "").strip():
        raise _UnusableError("it declined" if reply.refusal else "the answer is empty")
    found = [value for value in json_values(reply.text or "") if isinstance(value, dict) and "claims" in value]
    if not found:
        raise _UnusableError("the answer is cut off" if reply.finish_reason == "length" else "it holds no choice")
    if len({_key(value) for value in found}) > 1:
        raise _UnusableError("it holds choices that contradict one another")
    return found[0]


def _key(answer: dict[str, Any]) -> tuple[Any, ...]:
    """Return what two equal choices have in common: the reader and the ids in order."""
    named = answer["claims"] if isinstance(answer["claims"], list) else [None]
    return tuple(each if isinstance(each, str) else None for each in (answer.get("reader"), *named))


def _reader(named: Any, wanted: Reader | None) -> tuple[Reader, tuple[str, ...]]:
    """Return the reader, and a notice where the answer names another one or none that exists."""
    if wanted is not None:
        other = named is not None and named != wanted
        return wanted, ("Ignored: another reader than the requested one.",) if other else ()
    for reader in READERS:
        if named == reader:
            return reader, ()
    return DEFAULT_READER, (f"No reader was chosen; this is for the {DEFAULT_READER}.",)


def _reply_format(offered: Sequence[Claim], reader: Reader | None) -> dict[str, Any]:
    """Return the ``response_format`` of a choice, with what all servers accept: only ids and readers fit it."""
    parts = {
        "reader": {"type": "string", "enum": [reader] if reader else list(READERS)},
        "claims": {"type": "array", "items": {"type": "string", "enum": [claim.id for claim in offered]}},
    }
    answer = {"type": "object", "properties": parts, "required": list(parts), "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "choice_of_claims", "strict": True, "schema": answer}}
