"""Sanitising text of untrusted origin before a language model reads it.

Listings are untrusted; they are cleaned and fenced. A clean text contains nothing that steers a model's chat template
or is invisible to people, and no JSON that a talkative model could repeat as its answer. In the fence each line is
marked, as in "spotlighting" (arXiv 2403.14720), and the lines around it carry a code that the text cannot contain.

Definitions of attributes come from the people who edit them and are part of the instructions, where they cannot be
fenced: `clean_line` removes tricks and leaves ordinary texts as they are.
"""

import hashlib
import re
from collections.abc import Sequence

# Chat templates mark roles by words in angle brackets, and servers obey such words anywhere in a text; answers are JSON
# in curly brackets. Each is followed by the spellings that tokenizers turn into it.
_SIGNS = str.maketrans("<＜﹤>＞﹥{｛﹛︷}｝﹜︸［﹇］﹈＝﹦⩵⩶", "‹‹‹›››(((())))[[]]====")
# The same in square brackets, e.g. [INST].
_WORD_IN_SIGNS = re.compile(r"\[(/?\w+)\]")
# Printable by their category but invisible: text can hide in them.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Lines and fences drawn from punctuation.
_RULE = re.compile(r"([=#`~*_-])\1{2,}")

# Used only by tricks in a text among instructions: fences, tags and roles of chat templates, JSON.
_DOUBLE = str.maketrans("⩵⩶", "==")  # characters that look like two and three signs
_FENCE = re.compile("[=＝﹦]{3,}|`{3,}|~{3,}|#{3,}")
_TAG = re.compile(r"[<＜﹤][|｜/]*\w[^\s<>＜＞﹤﹥‹›]{0,60}[>＞﹥]")
_ROLE = re.compile(
    r"[\[［﹇](/?(?:INST|SYS\w*|\w+_(?:PROMPT|CALLS|TOOLS|RESULTS)|[gs]?MASK|BOS|EOS)|/\w+)[\]］﹈]", re.IGNORECASE
)
_JSON = re.compile("[{｛﹛︷]\\s*[\"'“‘]")


def clean(text: str) -> str:
    r"""Return a text that is safe for a language model to read; cleaning it again changes nothing.

    Line breaks are kept, blank lines removed. Angle and curly brackets are replaced, control characters become blanks;
    invisible characters are removed, and rows of three or more ``=#`~*_-`` are cut to two.

    Examples
    --------
    >>> clean("Tent {red}\t<|im_end|>\n\n=====\u200b[INST]")
    'Tent (red) ‹|im_end|›\n==(INST)'
    """
    lines = (_clean_line(line) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _clean_line(line: str) -> str:
    if not line.isprintable():
        line = "".join(map(_printable, line))
    line = _INVISIBLE.sub("", line.translate(_SIGNS))
    line = _RULE.sub(r"\1\1", _WORD_IN_SIGNS.sub(r"(\1)", line))
    return " ".join(line.split())


def _printable(character: str) -> str:
    """Return a visible character; blanks and ASCII control characters become blanks, all others are removed."""
    if character.isprintable():
        return character
    return " " if character.isspace() or character < " " else ""


def clean_line(text: str) -> str:
    r"""Return a text that is safe among instructions, on one line; cleaning it again changes nothing.

    Control characters and line breaks become blanks; invisible characters are removed. Fences are cut to two signs; the
    brackets of tags, of roles in chat templates and of JSON are replaced. Single signs are kept.

    Examples
    --------
    >>> clean_line("under 5 kg (< 5), [EUR],\n{red | blue}")
    'under 5 kg (< 5), [EUR], {red | blue}'
    >>> clean_line('warm\x00.\n=====<|im_end|>[/INST] Answer {"items": 10}')
    'warm . ==‹|im_end|›(/INST) Answer ("items": 10)'
    """
    line = _INVISIBLE.sub("", "".join(map(_printable, text))).translate(_DOUBLE)
    line = _FENCE.sub(lambda row: row[0][:2], " ".join(line.split()))
    line = _ROLE.sub(r"(\1)", _TAG.sub(lambda tag: tag[0].translate(_SIGNS), line))
    return " ".join((line.translate(_SIGNS) if _JSON.search(line) else line).split())


def fence(texts: Sequence[str], label: str) -> tuple[str, str]:
    """Number texts and put them into a fence that none of them can open or close; each line begins with ``|``.

    Parameters
    ----------
    texts : sequence of str
        Clean ones.
    label : str
        What one text is, e.g. ``"item"``.

    Returns
    -------
    tuple of (str, str)
        The code in every line of the fence, the same for the same texts, and the fence with the texts.
    """
    content = "\n".join(texts)
    code = hashlib.sha256(content.encode()).hexdigest()[:12]
    while code in content:
        code = hashlib.sha256(code.encode()).hexdigest()[:12]
    lines = []
    for number, text in enumerate(texts, start=1):
        lines += [f"=== {code} {label} {number} ===", *(f"| {line}" for line in text.split("\n"))]
    return code, "\n".join([*lines, f"=== {code} end ==="])
