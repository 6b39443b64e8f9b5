"""What a reply to a request for scores is worth: scores, reasons for those that are missing, and what it took."""

from dataclasses import dataclass
from typing import Protocol

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.scoring.answers import Answered
from guidedrec_core.scoring.parsing import Parsed, parse_reply
from guidedrec_core.scoring.prices import Price, estimate_tokens

_LONGEST_REASON = 200


class Sent(Protocol):
    """A request as far as its reply has to be read; the fields are those of `requests.ScoreRequest`."""

    @property
    def schema(self) -> AttributeSchema:
        """Return the attributes asked for."""
        ...

    @property
    def texts(self) -> tuple[str, ...]:
        """Return hashes of the listings, in the order of their numbers."""
        ...

    @property
    def prompt_estimate(self) -> int:
        """Return the tokens of the prompt."""
        ...

    @property
    def completion_estimate(self) -> int:
        """Return the tokens of the answer."""
        ...


@dataclass(frozen=True)
class Reading:
    """What was read from a reply.

    Attributes
    ----------
    answered : Answered
        The reply itself.
    scores : dict of str to tuple of float
        Hash of a listing to its scores, in the order of the attributes.
    faults : dict of str to str
        Hash of a listing without scores to the reason.
    cut_off : bool
        The answer did not fit into its room.
    """

    answered: Answered
    scores: dict[str, tuple[float, ...]]
    faults: dict[str, str]
    cut_off: bool


def read(sent: Sent, reply: ChatReply, price: Price | None, seconds: float | None) -> Reading:
    """Read a reply.

    Parameters
    ----------
    sent : Sent
        What was asked.
    reply : ChatReply
        What came; tokens are estimated where the server does not count them.
    price : Price or None
        Of this reply.
    seconds : float or None
        From sending to the answer; None for an answer that came with others.
    """
    prompt = reply.prompt_tokens or sent.prompt_estimate
    completion = reply.completion_tokens or estimate_tokens(reply.text or "")
    parsed = _parse(sent, reply)
    answered = Answered(
        texts=sent.texts,
        text=reply.text,
        refusal=reply.refusal,
        finish_reason=reply.finish_reason,
        request_id=reply.request_id,
        prompt_tokens=prompt,
        completion_tokens=completion,
        prompt_estimate=sent.prompt_estimate,
        completion_estimate=sent.completion_estimate,
        cost=price.cost(prompt, completion) if price else None,
        seconds=seconds,
    )
    return Reading(
        answered=answered,
        scores={sent.texts[number - 1]: values for number, values in parsed.scores.items()},
        faults={sent.texts[number - 1]: reason for number, reason in parsed.faults.items()},
        cut_off=reply.finish_reason == "length",
    )


def _parse(sent: Sent, reply: ChatReply) -> Parsed:
    """Read the scores out of an answer, or say why there are none."""
    numbers = range(1, len(sent.texts) + 1)
    if reply.refusal or reply.finish_reason == "content_filter":
        words = " ".join((reply.refusal or "the answer was filtered").split())
        return Parsed({}, dict.fromkeys(numbers, f"refused: {words[:_LONGEST_REASON]}"))
    parsed = parse_reply(reply.text, len(sent.texts), sent.schema)
    if reply.finish_reason == "length":
        return Parsed(parsed.scores, dict.fromkeys(parsed.faults, "the answer was cut off"))
    return parsed
