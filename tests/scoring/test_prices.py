"""What tokens cost."""

import pytest

from guidedrec_core.scoring.prices import Price, estimate_prompt, estimate_tokens, find_price


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o-mini", Price(0.15, 0.6)),
        ("gpt-4o-mini-2024-07-18", Price(0.15, 0.6)),
        ("openai/gpt-4.1-nano", Price(0.1, 0.4)),
        ("gpt-4o-2024", None),
        ("gpt-4o-minimal", None),
        ("qwen2.5:7b", None),
        ("", None),
    ],
)
def test_a_price_is_known_or_it_is_not(model: str, expected: Price | None) -> None:
    assert find_price(model) == expected


def test_a_price_given_is_the_price() -> None:
    assert find_price("gpt-4o-mini", (1.0, 2.0)) == Price(1.0, 2.0)
    assert find_price("local", (0.0, 0.0)) == Price(0.0, 0.0)
    assert Price(1.0, 2.0).cost(500_000, 250_000) == 1.0


def test_estimates_lie_where_tokenizers_do() -> None:
    # OpenAI's tokenizers make 10 tokens of this.
    assert 8 <= estimate_tokens("The quick brown fox jumps over the lazy dog.") <= 14
    assert estimate_tokens("") == 0
    assert estimate_prompt([{"role": "system", "content": "x" * 35}, {"role": "user", "content": "x" * 70}]) == 38
