"""A language model server as all clients see it: its address, the limits of an answer, and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from guidedrec_core.errors import ConfigError, GuidedrecError, RequestRefusedError, ServiceError
from guidedrec_core.llm.address import KEY_VARIABLE, find_key, find_url, without_key
from guidedrec_core.llm.protocol import counted_tokens, may_be_billed
from guidedrec_core.llm.retry import DEFAULT_POLICY, Attempts, RetryPolicy, passes, read_retry_after
from guidedrec_core.randomness import generator

if TYPE_CHECKING:
    import openai

_LONGEST_REASON = 300
# HTTP statuses about the key, the address, the content of one request, and the rate.
_KEY_REFUSED, _NOT_FOUND, _REFUSED, _TOO_MANY = (401, 403), 404, (400, 413, 422), 429


class Server:
    """A connection to one server: its address, the limits of an answer, and what its errors mean.

    The key comes from the environment variable ``OPENAI_API_KEY`` and is neither stored nor shown. Subclasses set the
    limits that fit their answers.

    Parameters
    ----------
    base_url : str, optional
        E.g. ``http://localhost:8000/v1``; else ``$OPENAI_BASE_URL``, else OpenAI's.
    retry : RetryPolicy
        Which failed requests are sent again, how often, and after which pauses.
    timeout_seconds : float, optional
        How long to wait for one answer; by default 60 s for chat, 120 s for embeddings and 600 s for batches.

    Raises
    ------
    ConfigError
        The URL is not an http(s) address, or contains a password; or the server is OpenAI's and there is no key.
    """

    _timeout_seconds: ClassVar[float]
    """Default of `timeout_seconds`."""
    _most_bytes: ClassVar[int]
    """Largest body of one answer."""
    _most_seconds: ClassVar[float | None] = None
    """Longest time from the head of an answer to its end; by default `timeout_seconds`."""

    def __init__(
        self, base_url: str | None = None, retry: RetryPolicy = DEFAULT_POLICY, timeout_seconds: float | None = None
    ) -> None:
        self.base_url = find_url(base_url)
        self.retry = retry
        self.timeout_seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        self._randomly = generator(retry.seed, "retry")

    def _attempts(self, policy: RetryPolicy | None = None) -> Attempts:
        """Start counting the attempts at a request."""
        return Attempts(policy or self.retry, self._randomly)

    def _settings(self) -> dict[str, Any]:
        """Return the arguments of the SDK's clients; the SDK itself retries nothing, see `retry`."""
        return {
            "api_key": find_key(self.base_url),
            "base_url": self.base_url,
            "max_retries": 0,
            "timeout": self.timeout_seconds,
        }

    @contextmanager
    def _explained(self, model: str, unknown: str = "") -> Iterator[None]:
        """Translate the SDK's errors into ours, with advice and without the key, which the SDK's may repeat.

        `model` is what the key must give access to; `unknown` says what status 404 means, if not an unknown model.
        """
        import openai

        try:
            yield
        except openai.APIConnectionError as error:
            raise self._no_answer(error) from None
        except openai.APIStatusError as error:
            raise self._error_answer(error, model, unknown) from None
        except openai.OpenAIError as error:
            raise ServiceError(f"{self.base_url} answered with an error ({self._reason(error)})") from None
        except (
            ValueError,
            RecursionError,
            OverflowError,
        ) as error:  # no JSON, or too deep or large
            raise ServiceError(
                f"{self.base_url} gave an answer that cannot be read ({self._clean(str(error))}); "
                "does --base-url end as the server wants it, usually in /v1?"
            ) from None

    def _no_answer(self, error: "openai.APIConnectionError") -> ServiceError:
        """Return the error for a missing answer; only a request that was never sent is certain to cost nothing."""
        import httpx2
        import openai

        unsent = httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError
        sent = not isinstance(error.__cause__, unsent)
        if isinstance(error, openai.APITimeoutError):
            words = (
                f"{self.base_url} gave no answer within {self.timeout_seconds:g} s; try again later, or ask for less"
            )
            return ServiceError(f"{words} at once", transient=True, may_be_billed=sent)
        reason = str(error.__cause__ or error) or "no connection"
        return ServiceError(
            f"{self.base_url} cannot be reached ({self._clean(reason)}); is the server running, and the URL right?",
            transient=True,
            may_be_billed=sent,
        )

    def _error_answer(self, error: "openai.APIStatusError", model: str, unknown: str) -> GuidedrecError:
        """Return the error for an answer's status."""
        status, reason = error.status_code, self._reason(error)
        if status in _KEY_REFUSED:
            return ConfigError(
                f"{self.base_url} refused the key ({reason}); set {KEY_VARIABLE} to one that may use {model}"
            )
        if status == _NOT_FOUND:
            return ConfigError(
                f"{self.base_url} {unknown or f'knows no model {model!r}, or no such request'} ({reason}); "
                f"check {'' if unknown else '--model, and '}that --base-url ends as the server wants it, usually in /v1"
            )
        kind = RequestRefusedError if status in _REFUSED else ServiceError
        message = f"{self.base_url} answered with an error ({reason})"
        if status == _TOO_MANY:
            message = (
                f"{self.base_url} allows no more requests at present ({reason}); wait, or raise the limit, "
                "then run the same command again"
            )
        headers = error.response.headers
        return kind(
            message,
            transient=passes(status, headers, str(error.code or "")),
            retry_after=read_retry_after(headers),
            may_be_billed=may_be_billed(status),
            tokens=_tokens(error),
        )

    def _reason(self, error: Any) -> str:
        """Return the server's message, with the status, in one short line."""
        status = getattr(error, "status_code", None)
        body = getattr(error, "body", None)
        said = body.get("message") if isinstance(body, dict) else None
        return self._clean(": ".join(str(part) for part in (status, said or error) if part))

    def _clean(self, text: str) -> str:
        """Shorten a text, and remove the key, which some servers repeat."""
        text = " ".join(without_key(text).split())
        return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."


def _tokens(error: "openai.APIStatusError") -> tuple[int, int] | None:
    """Return the token counts in the body of an error."""
    try:
        return counted_tokens(error.response.json())
    except (ValueError, RecursionError):
        return None
