"""Text that others wrote, made fit for a language model to read.

Listings come from strangers and are cleaned and fenced. A clean text holds nothing that steers a model's chat template
or hides from people, and no answer in JSON that a talkative model repeats. In the fence, each of its lines is marked,
as in "spotlighting" (arXiv 2403.14720), and the lines around it carry a code that it cannot hold.

Definitions of attributes come from the people who edit them and are part of the instructions, where nothing can fence
them: `clean_line` takes out what is a trick, and leaves ordinary texts as they are.
"""

import hashlib
import re
from collections.abc import Sequence

# Chat templates mark roles by words in angle brackets, and servers obey such words wherever they stand; answers are
# JSON in curly brackets. After each of them stand the spellings that tokenizers turn into it.
_SIGNS = str.maketrans("<＜﹤>＞﹥{｛﹛︷}｝﹜︸［﹇］﹈＝﹦⩵⩶", "‹‹‹›››(((())))[[]]====")
# The same in square brackets, e.g. [INST].
_WORD_IN_SIGNS = re.compile(r"\[(/?\w+)\]")
# Printable by their category, yet nothing is seen of them: text can hide in them.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Lines and fences drawn from punctuation.
_RULE = re.compile(r"([=#`~*_-])\1{2,}")

# What only a trick needs, in a text that stands among instructions: fences, tags and roles of chat templates, JSON.
_DOUBLE = str.maketrans("⩵⩶", "==")  # two and three signs in one
_FENCE = re.compile("[=＝﹦]{3,}|`{3,}|~{3,}|#{3,}")
_TAG = re.compile(r"[<＜﹤][|｜/]*\w[^\s<>＜＞﹤﹥‹›]{0,60}[>＞﹥]")
_ROLE = re.compile(
    r"[\[［﹇](/?(?:INST|SYS\w*|\w+_(?:PROMPT|CALLS|TOOLS|RESULTS)|[gs]?MASK|BOS|EOS)|/\w+)[\]］﹈]", re.IGNORECASE
)
_JSON = re.compile("[{｛﹛︷]\\s*[\"'“‘]")


def clean(text: str) -> str:
    r"""Return a text as a language model may read it; cleaning it again changes nothing.

    Line breaks stay, blank lines go. Angle and curly brackets become others, control characters blanks; characters that
    cannot be seen go, and of a row of three or more ``=#`~*_-`` two stay.

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
    """Return a character that can be seen; blanks and ASCII control characters become blanks, all others go."""
    if character.isprintable():
        return character
    return " " if character.isspace() or character < " " else ""


def clean_line(text: str) -> str:
    r"""Return a text as it may stand among instructions, on one line; cleaning it again changes nothing.

    Control characters and line breaks become blanks; characters that cannot be seen go. Fences get two signs of their
    row, tags and roles of chat templates other brackets, and so does JSON. A sign by itself stays.

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
    """Number texts and put them into a fence that none of them can open or close; their lines begin with ``|``.

    Parameters
    ----------
    texts : sequence of str
        Clean ones.
    label : str
        What one text is, e.g. ``"item"``.

    Returns
    -------
    tuple of (str, str)
        The code that stands in every line of the fence, the same for the same texts, and the fence with the texts.
    """
    content = "\n".join(texts)
    code = hashlib.sha256(content.encode()).hexdigest()[:12]
    while code in content:
        code = hashlib.sha256(code.encode()).hexdigest()[:12]
    lines = []
    for number, text in enumerate(texts, start=1):
        lines += [f"=== {code} {label} {number} ===", *(f"| {line}" for line in text.split("\n"))]
    return code, "\n".join([*lines, f"=== {code} end ==="])
