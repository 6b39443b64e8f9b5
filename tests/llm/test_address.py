"""Where the key may go."""

import pytest

from guidedrec_core.errors import ConfigError
from guidedrec_core.llm.address import OPENAI_URL, check_visitors_url

KEY = "sk-of-the-operator"


@pytest.mark.parametrize("url", [None, OPENAI_URL, "http://localhost:11434/v1", "http://127.0.0.1:8000/v1"])
def test_a_visitor_may_name_the_keys_own_server_and_this_machine(
    url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    check_visitors_url(url)


@pytest.mark.parametrize("url", ["https://elsewhere.example/v1", "http://localhost.elsewhere.example/v1", OPENAI_URL])
def test_the_operators_key_goes_nowhere_else(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://models.shop.example/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(
        ConfigError, match=r"models\.shop\.example/v1, for which the key .* start the app with"
    ) as raised:
        check_visitors_url(url)
    assert KEY not in str(raised.value)
    check_visitors_url("https://models.shop.example/v1/")


def test_without_a_key_any_server_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    check_visitors_url("https://elsewhere.example/v1")
