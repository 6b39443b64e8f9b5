r"""Formulas as MathML, which browsers draw themselves: no script, no font, no network.

A page writes them as LaTeX, ``\( ... \)`` in a line and ``\[ ... \]`` on lines of their own.
"""

import re

from latex2mathml.converter import convert

_CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"\\\((.+?)\\\)", re.DOTALL)
_BLOCK = re.compile(r"^\\\[(.+?)\\\]$", re.DOTALL | re.MULTILINE)


def with_mathml(markdown: str) -> str:
    r"""Replace the formulas of a page; code is left alone.

    Examples
    --------
    >>> with_mathml(r"a weight \(w\)").removesuffix("</math></span>")
    'a weight <span><math xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><mi>w</mi></mrow>'
    >>> with_mathml(r"`\(w\)`")
    '`\\(w\\)`'
    """
    parts = _CODE.split(markdown)
    parts[::2] = [_BLOCK.sub(_block, _INLINE.sub(_inline, text)) for text in parts[::2]]
    return "".join(parts)


def _inline(found: re.Match[str]) -> str:
    # In a span, because Markdown takes a line that begins with <math> as a block of its own.
    return f"<span>{convert(found[1].strip())}</span>"


def _block(found: re.Match[str]) -> str:
    return f'<div class="formula">{convert(found[1].strip(), display="block")}</div>'
