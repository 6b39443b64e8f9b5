"""Words to steering: "darker, less romance" becomes pulls on attributes, always as a proposal to be looked at first.

The reader here knows no language model. It knows the schema's own texts, i.e. what attributes are called and what
their ends mean, and a few words that people compare with. What it does not find there it does not guess: it says so.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.errors import InputError
from guidedrec_core.explanation.steering.steer import MOST_PULL
from guidedrec_core.explanation.words import listing
from guidedrec_core.language import EMPTY, folded, stem, word_set, words_of

LONGEST_WISH = 400
"""Characters of a wish."""


@dataclass(frozen=True)
class Understood:
    """Some words of a wish, and what they ask for.

    Attributes
    ----------
    words : str
        As they were said, in lower case.
    attribute : str
        Name of the attribute.
    steps : float
        How far to pull it.
    """

    words: str
    attribute: str
    steps: float


@dataclass(frozen=True)
class Proposal:
    """What a wish seems to ask for; to be shown before it is applied.

    Attributes
    ----------
    understood : tuple of Understood
        In the order of the wish.
    not_understood : tuple of str
        Words that nothing was made of, or that contradict each other.
    """

    understood: tuple[Understood, ...]
    not_understood: tuple[str, ...]

    @property
    def pulls(self) -> dict[str, float]:
        """Attribute name to steps; what is said twice counts once, as strongly as it was said."""
        pulls: dict[str, float] = {}
        for one in self.understood:
            pulls[one.attribute] = max(pulls.get(one.attribute, 0.0), one.steps, key=abs)
        return pulls


def read_wish(text: str, schema: AttributeSchema) -> Proposal:
    """Read a wish by the schema's texts.

    One step is asked for by naming an attribute, an end of it, or a comparative ("darker"); "much" doubles it, "a bit"
    halves it, "less" turns it round, and "no" or "without" pulls two steps away. A turn holds up to the next comma or
    "but", and over "and" and "or" as long as no other comes.

    Parameters
    ----------
    text : str
        English, at most 400 characters.
    schema : AttributeSchema
        What can be pulled.

    Raises
    ------
    InputError
        The text is too long.

    Examples
    --------
    >>> schema = AttributeSchema.parse({"attributes": [{"name": "darkness", "low": "gentle", "high": "grim"}]})
    >>> read_wish("much darker, with zebras", schema).pulls, read_wish("gentler", schema).pulls
    ({'darkness': 2.0}, {'darkness': -1.0})
    """
    if len(text) > LONGEST_WISH:
        raise InputError(f"expected at most {LONGEST_WISH} characters, got {len(text)}; say it in fewer words")
    reader = _Reader(_Meanings.of(schema))
    for clause in _CLAUSES.split(folded(text)):
        reader.read(words_of(clause))
    return _settled(reader.understood, reader.unknown)


def _settled(understood: list[Understood], unknown: list[str]) -> Proposal:
    """Take out what contradicts itself: nobody knows which of both was meant."""
    signs: dict[str, set[bool]] = {}
    for one in understood:
        signs.setdefault(one.attribute, set()).add(one.steps > 0)
    kept = tuple(one for one in understood if len(signs[one.attribute]) == 1)
    torn = [one.words for one in understood if len(signs[one.attribute]) > 1]
    return Proposal(kept, tuple(dict.fromkeys([*torn, *unknown])))


_CLAUSES = re.compile(r"[,;.:!?\n()/&+\"]+|\bbut\b|\byet\b|\bthough\b")
_JOINS = word_set("and or nor")
_MORE = word_set("more higher increase increased raise stronger extra bigger greater plenty")
_LESS = word_set("too less lower fewer reduce reduced decrease weaker smaller minus instead than")
_NONE = word_set(
    "no not without never none nothing nobody avoid avoids hate hates dislike dislikes drop skip remove zero non dont "
    "doesnt isnt arent wont cannot cant"
)
_MUCH = word_set("much far lot lots way very really extremely strongly significantly")
_SOFT = word_set("bit slightly somewhat touch tad mildly")
_TURNS = _MORE | _LESS | _NONE | _MUCH | _SOFT | {"little", "hardly"}
_SO = word_set("so too that as very much really overly")
_PEOPLE = word_set("i we they you he she who user users customer customers shopper shoppers")


Meaning = tuple[str, int]
"""An attribute's name, and which end: 1 high, -1 low."""


@dataclass(frozen=True)
class _Meanings:
    """What stems, and pairs of them, mean in a schema."""

    said: dict[tuple[str, ...], Meaning]
    verbatim: frozenset[str]

    @classmethod
    def of(cls, schema: AttributeSchema) -> "_Meanings":
        """Read a schema: labels tell more than ends, ends and levels more than definitions."""
        middle = (schema.scale.min + schema.scale.max) / 2
        tiers: list[list[tuple[str, int, str]]] = [[], [], []]
        for one in schema.attributes:
            tiers[0].append((one.name, 1, one.label))
            tiers[1] += [(one.name, -1, one.low), (one.name, 1, one.high)]
            tiers[1] += [
                (one.name, 1 if float(at) > middle else -1, text)
                for at, text in one.levels.items()
                if float(at) != middle
            ]
            tiers[2].append((one.name, 1, one.definition))
        domain = frozenset(map(stem, words_of(schema.domain)))
        said: dict[tuple[str, ...], Meaning] = {}
        for tier in tiers:
            found: dict[tuple[str, ...], set[Meaning]] = {}
            for name, side, text in tier:
                for stems, turned in _phrases(text):
                    found.setdefault(stems, set()).add((name, -side if turned else side))
            for stems, meanings in found.items():
                if len(meanings) == 1 and stems not in said and not (len(stems) == 1 and stems[0] in domain):
                    said[stems] = next(iter(meanings))
                elif len(meanings) > 1 and stems not in said:
                    # Nothing is guessed where texts disagree, nor taken from a text that counts for less.
                    said[stems] = ("", 0)
        verbatim = frozenset(word for tier in tiers for _, _, text in tier for word in words_of(text))
        return cls({stems: meaning for stems, meaning in said.items() if meaning[0]}, verbatim)


def _phrases(text: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the stems of a text, alone and in pairs, and whether the text denies them ("no love story")."""
    for clause in _CLAUSES.split(folded(text)):
        denied, before = False, ""
        for word in words_of(clause):
            if word in _NONE or word in ("little", "hardly"):
                denied = True
            elif word not in EMPTY | _JOINS | _TURNS:
                root = stem(word)
                yield (root,), denied
                if before:
                    yield (before, root), denied
                before = root
            else:
                before = ""


@dataclass
class _Turn:
    """Which way the words so far point, and how strongly."""

    words: list[str] = field(default_factory=list)
    less: bool = False
    none: bool = False
    soft_none: bool = False
    size: float = 1.0

    def take(self, word: str, before: str) -> None:
        """Take a word that says which way."""
        if word in _NONE:
            self.none = True
        elif self.none and word in _SO:
            self.soft_none = True  # "not too dark" asks for less than "not dark"
        elif word in _LESS:
            self.less = True
        elif word in ("little", "hardly"):
            if word == "little" and before == "a":
                self.size = 0.5
            else:
                self.less = True
        elif word in _MUCH:
            self.size = 2.0
        elif word in _SOFT:
            self.size = 0.5
        self.words.append(word)

    @property
    def steps(self) -> float | None:
        """How far; None where nobody can tell ("no less")."""
        if self.none:
            return None if self.less else (-1.0 if self.soft_none else -2.0)
        return -self.size if self.less else self.size


class _Reader:
    """Reads clause after clause."""

    def __init__(self, meanings: _Meanings) -> None:
        self.meanings = meanings
        self.understood: list[Understood] = []
        self.unknown: list[str] = []

    def read(self, words: list[str]) -> None:
        """Read one clause."""
        turn, joined, used, first = _Turn(), False, False, 0
        strange: list[str] = []
        here: list[Understood] = []
        place = 0
        while place < len(words):
            word, before = words[place], words[place - 1] if place else ""
            meaning, length = self._meaning(words, place)
            if word in _JOINS:
                self._note(turn, used, strange)
                joined, strange = True, []
            elif word in _TURNS or (turn.none and word in _SO):
                if used or joined:
                    self._note(turn, used, strange)
                    turn, joined, used, strange = _Turn(), False, False, []
                if not turn.words:
                    first = place
                turn.take(word, before)
            elif meaning is not None and not (word in ("love", "loves") and before in _PEOPLE):
                if joined and length == 1 and word.endswith("er") and word not in self.meanings.verbatim:
                    turn, used = _Turn(), False  # "less romance and darker"
                start = place if used or not turn.words else first
                end = place + length
                again = turn.words if used and joined else []
                self._add(here, turn, " ".join(again), " ".join(words[start:end]), meaning)
                used = True
            elif meaning is None and word not in EMPTY:
                strange.append(word)
            place += length
        self._note(turn, used, strange)
        self.understood += here

    def _meaning(self, words: list[str], place: int) -> tuple[Meaning | None, int]:
        """Look up two words, else one; return the meaning and how many words it took."""
        if words[place] in EMPTY | _JOINS | _TURNS:
            return None, 1
        stems = tuple(map(stem, words[place : place + 2]))
        if len(stems) == 2 and stems in self.meanings.said:
            return self.meanings.said[stems], 2
        return self.meanings.said.get(stems[:1]), 1

    def _add(self, here: list[Understood], turn: _Turn, again: str, said: str, meaning: Meaning) -> None:
        """Note what some words of a clause ask for; `again` turns them, and was said before."""
        steps = turn.steps
        if steps is None:
            self.unknown.append(f"{again} {said}".strip())
            return
        pull = min(max(steps * meaning[1], -MOST_PULL), MOST_PULL)
        one = Understood(f"{again} {said}".strip(), meaning[0], pull)
        if here and (here[-1].attribute, here[-1].steps) == (one.attribute, one.steps):
            here[-1] = Understood(f"{here[-1].words} {said}", one.attribute, one.steps)
        else:
            here.append(one)

    def _note(self, turn: _Turn, used: bool, strange: list[str]) -> None:
        """Note what nothing was made of: strange words, or a turn that turned nothing."""
        if strange:
            self.unknown.append(" ".join([*([] if used else turn.words), *strange]))
        elif turn.words and not used:
            self.unknown.append(" ".join(turn.words))


def uncovered(text: str, understood: Iterable[str]) -> tuple[str, ...]:
    """Return the words of a wish that stand in none of some quotations and carry a wish of their own.

    Examples
    --------
    >>> uncovered("Please make it darker, with zebras", ["darker"])
    ('zebras',)
    """
    quoted = {word for words in understood for word in words_of(words)}
    said = [word for word in words_of(text) if word not in EMPTY | _JOINS]
    return tuple(dict.fromkeys(word for word in said if word not in quoted))


def proposal_sentence(proposal: Proposal, schema: AttributeSchema) -> str:
    """Say what a proposal would do, and what was not understood."""
    because: dict[str, list[str]] = {}
    for one in proposal.understood:
        because.setdefault(one.attribute, []).append(f'"{one.words}"')
    parts = [
        f"{schema.attributes[schema.index(name)].label} {_how_far(pull)} ({listing(because[name])})"
        for name, pull in proposal.pulls.items()
    ]
    said = f"{listing(parts)}." if parts else "Nothing to change."
    strange = listing([f'"{words}"' for words in proposal.not_understood])
    return f"{said} Not understood: {strange}." if strange else said


def _how_far(pull: float) -> str:
    return f"{'up' if pull > 0 else 'down'} by {abs(pull):g}"
