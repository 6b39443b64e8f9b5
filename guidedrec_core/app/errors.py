"""Errors as the visitor sees them: a sentence and a way on."""

import contextlib
import re
from collections.abc import Iterator

import streamlit as st

from guidedrec_core.app import url
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.language import unbroken

_MARKUP = re.compile(r"([!#$&()*+.:<>@\[\\\]^_`{|}~-])")

# The browser changes plain text once more after the backslashes are gone: addresses become links, ":smile:" and
# ":material/home:" pictures, a lone "->" an arrow. An invisible character in these places keeps them as they are.
_WORD_JOINER = "\u2060"
_CHANGED_LATE = re.compile(
    r"(?=https?://|www\.)"  # a link only at the start of a word, so that what is copied from "http" on stays whole
    r"|(?<=@)(?=[-\w]+\.[-\w])"
    r"|(?<=:)(?=material/|[\w+-]+:)"
    r"|(?<=(?<!\S)[-<>~])(?=->(?!\S)|[->=](?!\S))",
    re.ASCII | re.IGNORECASE,
)
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
"""Characters that turn around how the text next to them is read."""


def escaped(text: str) -> str:
    r"""Return text from outside so that Markdown shows it as it is: no HTML, links, icons or formulas.

    A line never ends between a number and its percent sign.

    Examples
    --------
    >>> escaped("<b>$5</b> - all")
    '\\<b\\>\\$5\\</b\\> \\- all'
    >>> escaped("http://evil.example, :smile:")
    '\u2060http\\://evil\\.example, \\:\u2060smile\\:'
    """
    kept = _CHANGED_LATE.sub(_WORD_JOINER, _REORDERING.sub("", " ".join(text.split())))
    return unbroken(_MARKUP.sub(r"\\\1", kept))


def way_on(sentence: str, label: str, **changes: str | None) -> None:
    """Show a plain sentence with one button that changes the URL; then end the page.

    Parameters
    ----------
    sentence : str
        What is wrong; shown as it is.
    label : str
        The button; shown as it is.
    **changes : str or None
        What the button does; see `url.update`.
    """
    st.info(escaped(sentence), icon=":material/info:")
    st.button(escaped(label), on_click=url.update, kwargs=changes, type="primary", key="way_on")
    st.stop()


def complain(error: GuidedrecError) -> None:
    """Show an error's sentence, in the words of the page, and continue."""
    text = str(error).replace("--base-url", "the server's address").replace("--model", "the model's name")
    end = "" if text.endswith(("?", ".")) else "."
    st.error(escaped(f"{text[:1].upper()}{text[1:]}{end}"), icon=":material/error:")


@contextlib.contextmanager
def guard() -> Iterator[None]:
    """Turn an error raised on purpose into its sentence and a way on; other errors are bugs and are raised."""
    try:
        yield
    except GuidedrecError as error:
        st.error(escaped(f"{str(error)[:1].upper()}{str(error)[1:]}."), icon=":material/error:")
        st.button("Start over", on_click=url.update, kwargs={"run": None, "user": None, "item": None}, key="start_over")
        st.stop()
