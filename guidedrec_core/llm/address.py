"""Where a language model server is, and the key for it, which shows nowhere."""

import os
from urllib.parse import urlsplit

from guidedrec_core.errors import ConfigError

KEY_VARIABLE = "OPENAI_API_KEY"
"""Environment variable that holds the key."""

URL_VARIABLE = "OPENAI_BASE_URL"
"""Environment variable that holds the address, when none is named."""

OPENAI_URL = "https://api.openai.com/v1"

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def meant_url(base_url: str | None) -> str:
    """Return the address meant, unchecked: the one named, else the environment's, else OpenAI's."""
    return (base_url or os.environ.get(URL_VARIABLE) or OPENAI_URL).rstrip("/")


def has_key() -> bool:
    """Tell whether there is a key."""
    return bool(_key())


def find_url(base_url: str | None) -> str:
    """Return the address meant: the one named, else the environment's, else OpenAI's.

    Raises
    ------
    ConfigError
        It is no http(s) address, or holds a password, which would show in messages; or OpenAI's server is meant and
        there is no key.
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
    """Check an address that somebody typed into the app: the operator's key must not go wherever a visitor says.

    Raises
    ------
    ConfigError
        As in `find_url`; or there is a key, and the address is neither the one it is meant for nor on this machine.
    """
    url, own = find_url(base_url), meant_url(None)
    if _key() and url != own and urlsplit(url).hostname not in _THIS_MACHINE:
        raise ConfigError(
            f"expected {own}, for which the key in {KEY_VARIABLE} is meant, or a server on this machine; got {url}. "
            f"To use that server, start the app with {URL_VARIABLE} set to it, or without the key"
        )


def find_key(base_url: str) -> str:
    """Return the key; a server of one's own may need none.

    Raises
    ------
    ConfigError
        OpenAI's server is meant and there is no key.
    """
    key = _key()
    if not key and base_url == OPENAI_URL:
        raise ConfigError(
            f"expected a key for {OPENAI_URL} in the environment variable {KEY_VARIABLE}; "
            "set it, or name another server with --base-url"
        )
    return key or "none"


def without_key(text: str) -> str:
    """Take the key out of a text; some servers repeat it."""
    key = _key()
    return text.replace(key, "***") if key else text


def _key() -> str:
    return os.environ.get(KEY_VARIABLE, "").strip()
