"""Records of the reply cache: the question that is its key, a reply as it is stored, and what is read back."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.scoring.prices import failed_words, usd

Reuse = Literal["schema", "attribute"]


@dataclass(frozen=True)
class Question:
    """The question about a listing: answers to the same question are interchangeable.

    Attributes
    ----------
    kind : str
        ``item`` or ``user``.
    model : str
        The server's name of the model.
    prompt_version : int
        Version of the words around the attributes.
    schema_hash : str
        Hash of all attributes requested together.
    attribute_hashes : tuple of str
        Hash of each attribute, in the schema's order.
    """

    kind: str
    model: str
    prompt_version: int
    schema_hash: str
    attribute_hashes: tuple[str, ...]

    @classmethod
    def of(cls, kind: str, model: str, prompt_version: int, schema: AttributeSchema) -> "Question":
        """Return the question that requests the scores of a schema."""
        hashes = tuple(schema.attribute_hash(name) for name in schema.names)
        return cls(kind, model, prompt_version, schema.hash(), hashes)


@dataclass(frozen=True)
class Answered:
    """One reply and what it cost.

    Attributes
    ----------
    texts : tuple of str
        Hashes of the listings, in the order of the request.
    text, refusal, finish_reason, request_id
        As in `guidedrec_core.llm.protocol.ChatReply`.
    prompt_tokens, completion_tokens : int
        As billed.
    prompt_estimate, completion_estimate : int
        As estimated before the request.
    cost : float or None
        USD; None when the price is not known.
    seconds : float or None
        From sending to the answer; None for an answer by batch.
    """

    texts: tuple[str, ...]
    text: str | None
    refusal: str | None
    finish_reason: str
    request_id: str
    prompt_tokens: int
    completion_tokens: int
    prompt_estimate: int
    completion_estimate: int
    cost: float | None
    seconds: float | None


@dataclass(frozen=True)
class Kept:
    """Scores from earlier answers.

    Attributes
    ----------
    values : ndarray
        float32 ``[passes, n, n_attributes]``; NaN = not stored.
    positions : ndarray
        float32 ``[passes, n]``: place of each listing in its request, from 1; NaN = no scores.
    """

    values: npt.NDArray[np.float32]
    positions: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Paid:
    """What replies have cost so far.

    Attributes
    ----------
    requests, prompt_tokens, completion_tokens : int
        Replies and their tokens.
    cost : float or None
        USD of replies; None when the price of some is not known.
    failed_attempts : int
        Attempts that brought no reply.
    failed_cost : float or None
        USD at which they are booked; None when that of some is not known.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    failed_attempts: int = 0
    failed_cost: float | None = 0.0

    def words(self) -> str:
        """Return it in a few words.

        Examples
        --------
        >>> Paid(3, 1000, 200, 0.25).words()
        '1,200 tokens, 0.2500 USD'
        >>> Paid(3, 1000, 200, None, failed_attempts=1).words()
        '1,200 tokens, 1 failed attempt at no cost'
        """
        parts = [f"{self.prompt_tokens + self.completion_tokens:,} tokens"]
        if self.cost is not None:
            parts.append(usd(self.cost))
        if self.failed_attempts:
            parts.append(failed_words(self.failed_attempts, self.failed_cost))
        return ", ".join(parts)


@dataclass(frozen=True)
class Experience:
    """How a model has answered recently.

    Attributes
    ----------
    prompt_ratio, completion_ratio : float
        Tokens counted by the server, relative to the estimates.
    seconds : float or None
        Mean time of a request; None when all were answered by batch.
    """

    prompt_ratio: float
    completion_ratio: float
    seconds: float | None
