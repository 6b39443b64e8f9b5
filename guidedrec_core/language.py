"""English texts: words cut to their stems, so that "darker", "dark" and "darkness" are one; shares in percent."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[a-z0-9]+")
_SHORTEST = 3
_PERCENT = re.compile(r"(?<=\d) %")


def word_set(words: str) -> frozenset[str]:
    """Return the words of a line."""
    return frozenset(words.split())


EMPTY = word_set("""
a an the this that these those some any all every one ones of for to in on at by from with about into it its is are be
was were been being am do does did have has had i we me us my our you your he she they them his her their who
user users customer customers shopper shoppers viewer please want wants wanted would could should can will may need
needs like likes liked prefer prefers show give make made get let go put bring add something anything thing things
stuff item items film films movie movies product products list lists recommendation recommendations recommend kind
sort type just also only even still now then there here when while as so than too very really well rather quite
focus feel feeling feels driven level fits fit bought whole wholly almost near main point much many most keep
look looks looking through throughout own im id ive ill youd theyd
""")
"""Words that tell nothing of an attribute, neither in what people say nor in a schema's texts."""

_SUFFIXES = sorted(
    word_set(
        "iness ability ibility ness ity iest ier est er ing ed edly fully ful ly ious ous antic ance ence ant ent able "
        "ible ional ion ive al ish less th ies y ue ie s e"
    ),
    key=lambda suffix: (-len(suffix), suffix),
)


def percent(share: float, digits: int | None = 0, sign: bool = False) -> str:
    """Write a share in percent, as every share on screen is written: a number, a space, the sign.

    Parameters
    ----------
    share : float
        1 is 100 %; NaN is "unknown".
    digits : int or None
        Decimals; None takes none from 10 % on, and as many as tell a smaller share from its neighbours and from 0.
    sign : bool
        Write a plus, too. What is shown as zero has no sign.

    Examples
    --------
    >>> percent(0.524), percent(-0.001), percent(-0.0001, 1), percent(0.19, sign=True)
    ('52 %', '0 %', '0.0 %', '+19 %')
    >>> percent(0.524, None), percent(0.0123, None), percent(0.0001, None), percent(float("nan"))
    ('52 %', '1.2 %', '0.01 %', 'unknown')
    """
    if share != share:
        return "unknown"
    size = abs(share)
    if digits is None:
        digits = 0 if size == 0 or size >= 0.0995 else 1 if size >= 0.001 else 2
    number = 100 * share
    return f"{_signless(f'{number:+.{digits}f}' if sign else f'{number:.{digits}f}')} %"


def signed(value: float, digits: int = 3) -> str:
    """Write a difference with its sign; what is shown as zero has none.

    Examples
    --------
    >>> signed(0.0123), signed(-0.0001), signed(-4.2, 0)
    ('+0.012', '0.000', '-4')
    """
    return _signless(f"{value:+,.{digits}f}")


def _signless(number: str) -> str:
    """Take the sign off what is shown as zero."""
    return number if number.strip("+-0.,") else number.lstrip("+-")


def unbroken(text: str) -> str:
    r"""Return a text in which a line cannot end between a number and its percent sign.

    Examples
    --------
    >>> unbroken("from 4.0 % to 5 %") == "from 4.0\u00a0% to 5\u00a0%"
    True
    """
    return _PERCENT.sub("\u00a0%", text)


def folded(text: str) -> str:
    """Return a text in lower case, without accents and apostrophes.

    Examples
    --------
    >>> folded("Don’t: É")
    'dont: e'
    """
    apart = unicodedata.normalize("NFKD", text.casefold().replace("'", "").replace("’", ""))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded, in order."""
    return _WORD.findall(folded(text))


def _without_suffix(word: str) -> str:
    """Cut off the longest suffix that leaves enough of a word; the word itself where none does."""
    cut = (word[: -len(suffix)] for suffix in _SUFFIXES if word.endswith(suffix))
    return next((each for each in cut if len(each) >= _SHORTEST), word)


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Cut the endings off a folded word.

    Examples
    --------
    >>> [stem(word) for word in ("darker", "darkness", "funnier", "romantic", "romance", "humour")]
    ['dark', 'dark', 'fun', 'rom', 'rom', 'humor']
    """
    if len(word) > 5 and word.endswith("our"):
        word = word[:-3] + "or"
    while (shorter := _without_suffix(word)) != word:
        word = shorter
    double = len(word) > _SHORTEST and word[-1] == word[-2] and word[-1] not in "aeioul"
    return word[:-1] if double else word
