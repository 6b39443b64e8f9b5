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

    One step is requested by naming an attribute, an end of it, or a comparative ("darker"); "much" doubles it, "a bit"
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
    meanings = _Meanings.of(schema)
    understood: list[Understood] = []
    unknown: list[str] = []
    for clause in _CLAUSES.split(folded(text)):
        reader = _ClauseReader(words_of(clause), meanings)
        reader.read()
        understood += reader.understood
        unknown += reader.unknown
    return _settled(understood, unknown)


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
Stems = tuple[str, ...]
"""The stem of a word, or of two that follow each other."""
Tier = list[tuple[str, int, str]]
"""Texts that count alike: an attribute's name, the end that a text speaks of, and the text."""


@dataclass(frozen=True)
class _Meanings:
    """What stems, and pairs of them, mean in a schema."""

    said: dict[Stems, Meaning]
    verbatim: frozenset[str]

    @classmethod
    def of(cls, schema: AttributeSchema) -> "_Meanings":
        """Read a schema: labels tell more than ends, ends and levels more than definitions."""
        tiers = _tiers(schema)
        # What every item is ("film") tells no attribute from another.
        domain = {(stem(word),) for word in words_of(schema.domain)}
        said: dict[Stems, Meaning | None] = {}
        for tier in tiers:
            for stems, meanings in _meanings(tier).items():
                if len(meanings) > 1:
                    # Nothing is guessed where texts disagree, nor read from a text that counts for less.
                    said.setdefault(stems, None)
                elif stems not in domain:
                    said.setdefault(stems, next(iter(meanings)))
        verbatim = frozenset(word for tier in tiers for _, _, text in tier for word in words_of(text))
        return cls({stems: meaning for stems, meaning in said.items() if meaning is not None}, verbatim)


def _tiers(schema: AttributeSchema) -> tuple[Tier, Tier, Tier]:
    """Return a schema's texts, those that count most first: labels; ends and levels; definitions."""
    middle = (schema.scale.min + schema.scale.max) / 2
    labels: Tier = [(one.name, 1, one.label) for one in schema.attributes]
    definitions: Tier = [(one.name, 1, one.definition) for one in schema.attributes]
    ends: Tier = []
    for one in schema.attributes:
        ends += [(one.name, -1, one.low), (one.name, 1, one.high)]
        levels = [(float(at), text) for at, text in one.levels.items()]
        ends += [(one.name, 1 if at > middle else -1, text) for at, text in levels if at != middle]
    return labels, ends, definitions


def _meanings(tier: Tier) -> dict[Stems, set[Meaning]]:
    """Return all that each phrase of some texts means there."""
    found: dict[Stems, set[Meaning]] = {}
    for name, side, text in tier:
        for stems, turned in _phrases(text):
            found.setdefault(stems, set()).add((name, -side if turned else side))
    return found


def _phrases(text: str) -> Iterator[tuple[Stems, bool]]:
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


class _ClauseReader:
    """Reads one clause, word by word.

    Attributes
    ----------
    understood : list of Understood
        What was found, in order.
    unknown : list of str
        What nothing was made of, in order.
    """

    def __init__(self, words: list[str], meanings: _Meanings) -> None:
        self.words, self.meanings = words, meanings
        self.understood: list[Understood] = []
        self.unknown: list[str] = []
        self._turn = _Turn()
        self._turn_start = 0  # where the words of the turn begin
        self._used = False  # the turn has turned something
        self._joined = False  # an "and" or "or" came after it
        self._strange: list[str] = []

    def read(self) -> None:
        """Read the clause."""
        place = 0
        while place < len(self.words):
            word = self.words[place]
            meaning, length = self._meaning(place)
            if word in _JOINS:
                self._join()
            elif word in _TURNS or (self._turn.none and word in _SO):
                self._take_turn(place)
            elif meaning is not None and not self._tells_a_liking(place):
                self._understand(place, length, meaning)
            elif meaning is None and word not in EMPTY:
                self._strange.append(word)
            place += length
        self._note_unknown()

    def _meaning(self, place: int) -> tuple[Meaning | None, int]:
        """Look up two words, else one; return the meaning and the number of words used."""
        if self.words[place] in EMPTY | _JOINS | _TURNS:
            return None, 1
        stems = tuple(map(stem, self.words[place : place + 2]))
        if len(stems) == 2 and stems in self.meanings.said:
            return self.meanings.said[stems], 2
        return self.meanings.said.get(stems[:1]), 1

    def _tells_a_liking(self, place: int) -> bool:
        """Tell whether a word is the verb of "I love ...", and not the love of "love story"."""
        return self.words[place] in ("love", "loves") and self._before(place) in _PEOPLE

    def _before(self, place: int) -> str:
        """Return the word before a place; empty for the first."""
        return self.words[place - 1] if place else ""

    def _join(self) -> None:
        """Go on after "and" or "or": the turn so far may hold for what comes, too."""
        self._note_unknown()
        self._joined, self._strange = True, []

    def _take_turn(self, place: int) -> None:
        """Take a word that says which way; after something was found, it begins another turn."""
        if self._used or self._joined:
            self._note_unknown()
            self._turn, self._joined, self._used, self._strange = _Turn(), False, False, []
        if not self._turn.words:
            self._turn_start = place
        self._turn.take(self.words[place], self._before(place))

    def _understand(self, place: int, length: int, meaning: Meaning) -> None:
        """Take words that mean an attribute, turned as the turn has it."""
        word = self.words[place]
        # "less romance and darker": a comparative of its own is not turned by what came before.
        if self._joined and length == 1 and word.endswith("er") and word not in self.meanings.verbatim:
            self._turn, self._used = _Turn(), False
        start = place if self._used or not self._turn.words else self._turn_start
        again = self._turn.words if self._used and self._joined else []
        self._add(" ".join(again), " ".join(self.words[start : place + length]), meaning)
        self._used = True

    def _add(self, again: str, said: str, meaning: Meaning) -> None:
        """Note what some words ask for; `again` turns them, and was said before."""
        steps = self._turn.steps
        if steps is None:
            self.unknown.append(f"{again} {said}".strip())
            return
        pull = min(max(steps * meaning[1], -MOST_PULL), MOST_PULL)
        one = Understood(f"{again} {said}".strip(), meaning[0], pull)
        last = self.understood[-1] if self.understood else None
        if last is not None and (last.attribute, last.steps) == (one.attribute, one.steps):
            self.understood[-1] = Understood(f"{last.words} {said}", one.attribute, one.steps)
        else:
            self.understood.append(one)

    def _note_unknown(self) -> None:
        """Note what nothing was made of: strange words, or a turn that turned nothing."""
        if self._strange:
            self.unknown.append(" ".join([*([] if self._used else self._turn.words), *self._strange]))
        elif self._turn.words and not self._used:
            self.unknown.append(" ".join(self._turn.words))


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
