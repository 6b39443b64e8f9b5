"""The price of tokens, and an estimate of how many a text has."""

from dataclasses import dataclass

PRICES_READ = "2026-11-20"
"""Day on which the list prices below were read; `ScoringConfig.price` replaces those that have changed since."""

# OpenAI's list prices in USD per million tokens, input and output, for prompts below 272,000 tokens.
_PRICES = {
    "gpt-4.1": (2.0, 8.0),
    "gpt-4.1-mini": (0.4, 1.6),
    "gpt-4.1-nano": (0.1, 0.4),
    "gpt-4o": (2.5, 10.0),
    "gpt-4o-mini": (0.15, 0.6),
    "gpt-5": (1.25, 10.0),
    "gpt-5-mini": (0.25, 2.0),
    "gpt-5-nano": (0.05, 0.4),
    "gpt-5.1": (1.25, 10.0),
    "gpt-5.2": (1.75, 14.0),
    "gpt-5.4": (2.5, 15.0),
    "gpt-5.4-mini": (0.75, 4.5),
    "gpt-5.4-nano": (0.2, 1.25),
    "gpt-5.5": (5.0, 30.0),
    "gpt-5.6-luna": (0.2, 1.2),
    "gpt-5.6-sol": (4.0, 20.0),
    "gpt-5.6-terra": (2.0, 12.0),
    "gpt-6-astra": (10.0, 50.0),
    "gpt-6-luna": (0.1, 0.5),
    "gpt-6-sol": (2.0, 10.0),
    "gpt-6.1-sol": (2.0, 10.0),
    "gpt-6.1-terra": (1.0, 5.0),
    "o3": (2.0, 8.0),
    "o4-mini": (1.1, 4.4),
}
BATCH_SHARE = 0.5
"""Price of an answer through the Batch API, relative to an immediate one; OpenAI's discount, read on the same day."""

_DATE_DIGITS = (4, 2, 2)  # a dated model: gpt-4o-mini-2024-07-18
_MESSAGE_TOKENS = 4
_BYTES_A_TOKEN = 3.5


@dataclass(frozen=True)
class Price:
    """USD per million tokens.

    Attributes
    ----------
    prompt, completion : float
        Price of input and of output.
    """

    prompt: float
    completion: float

    def cost(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Return USD.

        Examples
        --------
        >>> Price(0.5, 2.0).cost(1_000_000, 500_000)
        1.5
        """
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6

    def reduced(self, share: float) -> "Price":
        """Return a share of this price.

        Examples
        --------
        >>> Price(0.5, 2.0).reduced(0.5)
        Price(prompt=0.25, completion=1.0)
        """
        return Price(self.prompt * share, self.completion * share)


def find_price(model: str, given: tuple[float, float] | None = None) -> Price | None:
    """Return a model's price: the one given, else OpenAI's list price, None for a model that is not in the list.

    Parameters
    ----------
    model : str
        The server's name of it; a date at the end and a provider in front (``openai/...``) are ignored.
    given : tuple of (float, float), optional
        USD per million tokens, input and output.

    Examples
    --------
    >>> find_price("openai/gpt-4o-mini-2024-07-18")
    Price(prompt=0.15, completion=0.6)
    >>> find_price("llama3.1:8b") is None
    True
    """
    if given is None:
        name = model.removeprefix("openai/")
        parts = name.split("-")
        if tuple(len(part) if part.isdigit() else 0 for part in parts[-3:]) == _DATE_DIGITS:
            name = "-".join(parts[:-3])
        given = _PRICES.get(name)
    return Price(*given) if given is not None else None


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text from its length in UTF-8.

    English prose has some 4.5 bytes per token, lists of short facts, numbers and JSON 2.5 to 3.5, and other scripts 2
    to 5; after some replies the cache knows the error for a model.

    Examples
    --------
    >>> estimate_tokens("title: Two-person tent")
    7
    """
    return round(len(text.encode()) / _BYTES_A_TOKEN + 0.5)


def estimate_prompt(messages: list[dict[str, str]]) -> int:
    """Estimate the tokens of a prompt."""
    return sum(estimate_tokens(message["content"]) + _MESSAGE_TOKENS for message in messages)


def usd(cost: float) -> str:
    """Write a sum of money.

    Examples
    --------
    >>> usd(12.345), usd(0.0123)
    ('12.35 USD', '0.0123 USD')
    """
    return f"{cost:.2f} USD" if cost >= 1 else f"{cost:.4f} USD"


def failed_words(attempts: int, cost: float | None) -> str:
    """Say how many attempts failed and at what they are booked; empty when none did.

    Parameters
    ----------
    attempts : int
        Requests that brought no answer.
    cost : float or None
        USD that they may have cost; None when that is not known.

    Examples
    --------
    >>> failed_words(0, 0.0), failed_words(1, 0.0)
    ('', '1 failed attempt at no cost')
    >>> failed_words(3, 0.5), failed_words(3, None)
    ('3 failed attempts booked at 0.5000 USD', '3 failed attempts at a cost not known')
    """
    if not attempts:
        return ""
    booked = "at a cost not known" if cost is None else f"booked at {usd(cost)}" if cost else "at no cost"
    return f"{attempts:,} failed attempt{'s' if attempts > 1 else ''} {booked}"
