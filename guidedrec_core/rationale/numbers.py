"""The numbers of a sentence, and what each stands beside."""

import re
from collections.abc import Iterator

_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[+\-\u2212\u2013]?)(?P<digits>\d+(?:,\d{3})*(?:\.\d+)?)(?P<end>st\b|nd\b|rd\b|th\b|\s?%)?"
)
_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_CARDINALS = {word: at for at, word in enumerate(_WORDS, 1) if at > 1}  # "one" counts nothing, mostly
ORDINALS = {
    word: at
    for at, word in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"], 1
    )
}
"""Places in words."""
SCALE = re.compile(r"(?<=\d)(?:\s*/\s*|\s+(?:out )?of\s+)(?:the\s+)?(?P<top>\d+(?:\.\d+)?|ten)\b", re.IGNORECASE)
"""The end of a scale, as in "8/10"."""

_PARTS = re.compile(r"[,;:()]|\bwhile\b|\bwhereas\b|\bwhere\b|\bagainst\b|\bthan\b|\bversus\b|\bvs\b|\bcompared\b")
_BESIDE = re.compile(r"(?:\bagainst|\bvs\.?|\bversus|\bcompared (?:to|with))[^\d,;]{0,25}$", re.IGNORECASE)
_BEFORE_BESIDE = re.compile(r"^[\d.]+(?:st|nd|rd|th)?\s*(?:against|vs\b|versus|compared)", re.IGNORECASE)


def numbers_in(text: str) -> Iterator[tuple[float, int, str, int]]:
    """Yield each number of a text: value, decimals, ``"+"``, ``"-"``, ``"%"`` or nothing, and its place."""
    for match in _NUMBER.finditer(text):
        digits = match["digits"].replace(",", "")
        sign = "+" if match["sign"] == "+" else "-" if match["sign"] else ""
        if "%" in (match["end"] or ""):
            sign = "%"
        yield float(digits), len(digits.partition(".")[2]), sign, match.start("digits")
    for match in re.finditer(r"[a-z]+", text.lower()):
        word = match[0]
        if word in _CARDINALS or (word in ORDINALS and word not in ("first", "second")):
            yield float(_CARDINALS.get(word) or ORDINALS[word]), 0, "", match.start()


def same(number: float, decimals: int, sign: str, true: float) -> bool:
    """Tell whether a number as written is a true one, rounded; a sign is that of the true one."""
    if sign == "%" or (sign == "+" and true < 0) or (sign == "-" and true > 0):
        return False
    return abs(number - abs(true)) <= 0.5 * 10.0**-decimals + 0.0011


def nearest(text: str, at: int, cues: tuple[re.Pattern[str], re.Pattern[str]], weak: bool = False) -> int:
    """Return which of two a number stands beside: 0 or 1.

    Parameters
    ----------
    text : str
        The sentence.
    at : int
        Where the number begins.
    cues : tuple of re.Pattern
        Words for either.
    weak : bool
        Words of the second, such as "it has", count only where there are none of the first in the same part.
    """
    if weak and _BESIDE.search(text[:at]):
        return 0
    if weak and _BEFORE_BESIDE.match(text[at:]):
        return 1
    ends = [0, *(match.start() for match in _PARTS.finditer(text)), len(text)]
    start, end = max(place for place in ends if place <= at), min(place for place in ends if place > at)
    here = [[match.start() for match in cue.finditer(text) if start <= match.start() < end] for cue in cues]
    if weak and here[0]:
        return 0
    if any(here):
        far = 10 * len(text)
        # A word before a number tells more than one behind it.
        away = [
            min((at - place if place < at else 2 * (place - at) for place in places), default=far) for places in here
        ]
        return 0 if away[0] < away[1] else 1
    before = [max((match.start() for match in cue.finditer(text) if match.start() < at), default=-1) for cue in cues]
    if max(before) >= 0:
        return 0 if before[0] > before[1] else 1
    after = [min((match.start() for match in cue.finditer(text)), default=len(text)) for cue in cues]
    return 0 if after[0] < after[1] else 1
