"""The address of a language model server, and its key, which is never shown."""

import os
from urllib.parse import urlsplit

from guidedrec_core.errors import ConfigError

KEY_VARIABLE = "OPENAI_API_KEY"
"""Environment variable that holds the key."""

URL_VARIABLE = "OPENAI_BASE_URL"
"""Environment variable that holds the address, when none is given."""

OPENAI_URL = "https://api.openai.com/v1"

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def meant_url(base_url: str | None) -> str:
    """Return the address, unchecked: the given one, else the environment's, else OpenAI's."""
    return (base_url or os.environ.get(URL_VARIABLE) or OPENAI_URL).rstrip("/")


def has_key() -> bool:
    """Return whether there is a key."""
    return bool(_key())


def find_url(base_url: str | None) -> str:
    """Return the address: the given one, else the environment's, else OpenAI's.

    Raises
    ------
    ConfigError
        It is not an http(s) address, or contains a password, which would show in messages; or the server is OpenAI's
        and there is no key.
    """
    url = meant_url(base_url)
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    else:
        if parts.username or parts.password or parts.query:
            raise ConfigError(f"expected a base URL without user, password and query; put the key into {KEY_VARIABLE}")
    if not valid:
        raise ConfigError(f"expected a base URL such as http://localhost:8000/v1, got {url!r}")
    find_key(url)
    return url


def check_visitors_url(base_url: str | None) -> None:
    """Check an address that a visitor typed into the app: the operator's key must not be sent to any server.

    Raises
    ------
    ConfigError
        As in `find_url`; or there is a key, and the address is neither the one that it belongs to nor on this machine.
    """
    url, own = find_url(base_url), meant_url(None)
    if _key() and url != own and urlsplit(url).hostname not in _THIS_MACHINE:
        raise ConfigError(
            f"expected {own}, for which the key in {KEY_VARIABLE} is meant, or a server on this machine; got {url}. "
            f"To use that server, start the app with {URL_VARIABLE} set to it, or without the key"
        )


def find_key(base_url: str) -> str:
    """Return the key; a private server may need none.

    Raises
    ------
    ConfigError
        The server is OpenAI's and there is no key.
    """
    key = _key()
    if not key and base_url == OPENAI_URL:
        raise ConfigError(
            f"expected a key for {OPENAI_URL} in the environment variable {KEY_VARIABLE}; "
            "set it, or name another server with --base-url"
        )
    return key or "none"


def without_key(text: str) -> str:
    """Remove the key from a text; some servers repeat it."""
    key = _key()
    return text.replace(key, "***") if key else text


def _key() -> str:
    return os.environ.get(KEY_VARIABLE, "").strip()
