"""Calling a language model from the Case study: which server and model, whether there is a key, and the call."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from guidedrec_core.app import show
from guidedrec_core.app.attributes.scoring_words import key_sentence
from guidedrec_core.llm.address import check_visitors_url, has_key, meant_url

if TYPE_CHECKING:
    from guidedrec_core.llm.client import ChatClient

Answer = TypeVar("Answer")
_PATIENCE, _WAITING = 60.0, 10.0  # seconds for one answer and between two attempts, while the visitor waits


def choose_model(where: str) -> tuple[str, str | None]:
    """Show fields for server and model; both are kept for this session and shared by all sections.

    Parameters
    ----------
    where : str
        The section, for the keys of its widgets.

    Returns
    -------
    tuple of (str, str or None)
        The model, empty as long as there is none, and the address, None for the environment's.
    """
    left, right = show.pair()
    model = left.text_input("Model", key=f"{where}_model", persist_state="session", placeholder="gpt-4.1-mini")
    base_url = right.text_input(
        "Server",
        key=f"{where}_url",
        persist_state="session",
        placeholder=meant_url(None),
        help="Any OpenAI-compatible server, e.g. http://localhost:11434/v1 for Ollama",
    )
    meant = meant_url(base_url.strip())
    show.note(key_sentence(has_key(), urlsplit(meant).hostname or meant, recorded=False))
    return model.strip(), base_url.strip() or None


def ask(base_url: str | None, question: "Callable[[ChatClient], Awaitable[Answer]]") -> Answer:
    """Call a server once.

    Parameters
    ----------
    base_url : str or None
        As the visitor typed it.
    question : callable
        Makes the call with the client.

    Raises
    ------
    ConfigError
        The key must not go there or is refused, or the model or address is unknown.
    ServiceError
        No answer that can be used.
    """
    from guidedrec_core.llm.client import ChatClient
    from guidedrec_core.llm.retry import RetryPolicy

    check_visitors_url(base_url)

    async def answered() -> Answer:
        async with ChatClient(base_url, RetryPolicy(retries=1, patience=_WAITING), _PATIENCE) as client:
            return await question(client)

    return asyncio.run(answered())
