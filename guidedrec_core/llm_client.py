"""The way to language model servers that speak OpenAI's protocol; the only module that knows the `openai` package."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import ConfigError, ServiceError

if TYPE_CHECKING:
    import openai

KEY_VARIABLE = "OPENAI_API_KEY"
"""Environment variable that holds the key."""

OPENAI_URL = "https://api.openai.com/v1"

_URL_VARIABLE = "OPENAI_BASE_URL"
_LONGEST_REASON = 300


class LlmClient:
    """A connection to one server; nothing is sent until something is asked for.

    The key comes from the environment variable ``OPENAI_API_KEY`` and is neither stored nor shown.

    Parameters
    ----------
    base_url : str, optional
        E.g. ``http://localhost:8000/v1``; else ``$OPENAI_BASE_URL``, else OpenAI's.
    retries : int
        How often a request is sent again after a connection error, a timeout, status 408, 409, 429 or 5xx; the pauses
        grow.
    timeout_seconds : float
        Patience with one answer.

    Raises
    ------
    ConfigError
        The URL is no http(s) address, or holds a password; or OpenAI's server is meant and there is no key.
    """

    def __init__(self, base_url: str | None = None, retries: int = 5, timeout_seconds: float = 120.0) -> None:
        self.base_url = (base_url or os.environ.get(_URL_VARIABLE) or OPENAI_URL).rstrip("/")
        _check_url(self.base_url)
        self.retries = retries
        self.timeout_seconds = timeout_seconds
        self._client: openai.OpenAI | None = None
        if self.base_url == OPENAI_URL:
            _key(self.base_url)

    def embed(self, texts: list[str], model: str) -> npt.NDArray[np.float32]:
        """Ask for one vector a text, in one request.

        Parameters
        ----------
        texts : list of str
            At least one, none blank; how many a request may hold depends on the server.
        model : str
            The server's name of the model.

        Returns
        -------
        ndarray
            float32 ``[len(texts), d]``, in the order of the texts.

        Raises
        ------
        ConfigError
            The key is refused, or the model or address unknown.
        ServiceError
            No answer, an error the server reports, or vectors that cannot be used.
        """
        with self._explained(model):
            # Plain numbers, because not every server knows OpenAI's default, base64.
            reply = self._connected().embeddings.create(input=texts, model=model, encoding_format="float")
        return self._vectors(getattr(reply, "data", None), len(texts))

    def _connected(self) -> "openai.OpenAI":
        """Return the SDK's client."""
        if self._client is None:
            import openai

            self._client = openai.OpenAI(
                api_key=_key(self.base_url),
                base_url=self.base_url,
                max_retries=self.retries,
                timeout=self.timeout_seconds,
            )
        return self._client

    @contextmanager
    def _explained(self, model: str) -> Iterator[None]:
        """Turn the SDK's errors into ours, with what to do and without the key, which theirs may repeat."""
        import openai

        try:
            yield
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise ConfigError(
                f"{self.base_url} refused the key ({self._reason(error)}); "
                f"set {KEY_VARIABLE} to one that may use {model}"
            ) from None
        except openai.NotFoundError as error:
            raise ConfigError(
                f"{self.base_url} knows no model {model!r}, or no such request ({self._reason(error)}); "
                "check --model, and that --base-url ends as the server wants it, usually in /v1"
            ) from None
        except openai.APITimeoutError:
            raise ServiceError(
                f"{self.base_url} gave no answer within {self.timeout_seconds:g} s, {self.retries + 1} times; "
                "try again later, or ask for less at once"
            ) from None
        except openai.APIConnectionError as error:
            reason = str(error.__cause__ or error) or "no connection"
            raise ServiceError(
                f"{self.base_url} cannot be reached ({self._clean(reason)}); is the server running, and the URL right?"
            ) from None
        except openai.RateLimitError as error:
            raise ServiceError(
                f"{self.base_url} allows no more requests at present, after {self.retries} retries "
                f"({self._reason(error)}); wait, or raise the limit, then run the same command again"
            ) from None
        except openai.OpenAIError as error:
            raise ServiceError(f"{self.base_url} answered with an error ({self._reason(error)})") from None
        except ValueError as error:  # an answer that says it is JSON and is not
            raise ServiceError(
                f"{self.base_url} gave an answer that cannot be read ({self._clean(str(error))}); "
                "does --base-url end as the server wants it, usually in /v1?"
            ) from None

    def _vectors(self, data: Any, count: int) -> npt.NDArray[np.float32]:
        """Check an answer's vectors and put them in order."""
        if not isinstance(data, list):
            raise ServiceError(
                f"expected vectors from {self.base_url}, got something else; is it a server of embeddings, and does "
                "--base-url end as it wants it, usually in /v1?"
            )
        if len(data) != count:
            raise ServiceError(
                f"expected {count} vectors for {count} texts from {self.base_url}, got {len(data)}; "
                "does the server limit how many texts a request may hold? Try a smaller --batch-size"
            )
        # Some servers leave the place out.
        places = [row if getattr(one, "index", None) is None else one.index for row, one in enumerate(data)]
        if sorted(places) != list(range(count)):
            raise ServiceError(f"expected vectors numbered 0 to {count - 1} from {self.base_url}, got {places[:5]}...")
        try:
            vectors = np.array([data[row].embedding for row in np.argsort(places)], dtype=np.float32)
        except (ValueError, TypeError, AttributeError):
            vectors = np.empty(0, dtype=np.float32)
        if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
            raise ServiceError(
                f"expected vectors of one length with finite numbers from {self.base_url}, got others; "
                "is the model one for embeddings?"
            )
        return vectors

    def _reason(self, error: Any) -> str:
        """Return what the server said, with the status, in one short line."""
        status = getattr(error, "status_code", None)
        body = getattr(error, "body", None)
        said = body.get("message") if isinstance(body, dict) else None
        return self._clean(": ".join(str(part) for part in (status, said or error) if part))

    def _clean(self, text: str) -> str:
        """Shorten a text, and take the key out, which some servers repeat."""
        key = os.environ.get(KEY_VARIABLE, "").strip()
        text = " ".join((text.replace(key, "***") if key else text).split())
        return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."


def _key(base_url: str) -> str:
    """Return the key; a server of one's own may need none."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key and base_url == OPENAI_URL:
        raise ConfigError(
            f"expected a key for {OPENAI_URL} in the environment variable {KEY_VARIABLE}; "
            "set it, or name another server with --base-url"
        )
    return key or "none"


def _check_url(url: str) -> None:
    """Refuse what is no address, and passwords in it, which would show in messages."""
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
