"""Claims: typed statements about a case, each with the ids of its evidence, rendered for one of three readers.

`choice.claims_of` makes only claims that the facts support, and a template renders a claim's sentence from its fields;
so no choice and no order of claims says anything false. Every sentence is complete on its own, in any order.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.words import listing, lower_first, ordinal, source_label, source_words
from guidedrec_core.rationale.facts import REMAINDER
from guidedrec_core.refinement.sources import Source, leading_source

Reader = Literal["merchandiser", "stakeholder", "analyst"]
"""The reader: gets reasons with their size, reasons without numbers, or all numbers in technical terms."""
READERS: tuple[Reader, ...] = get_args(Reader)
DEFAULT_READER: Reader = "merchandiser"

Match = Literal["both_high", "both_low", "seeks_but_little", "rarely_but_much", ""]
"""On which side of the catalogue's mean score the user's past items and the item are; empty where that is unclear."""

_LONGEST_TITLE = 120


@dataclass(frozen=True)
class AttributeClaim:
    """What an attribute contributes, and why: whether the item matches the user's taste in it, or another source.

    Attributes
    ----------
    label : str
        The attribute.
    contribution : float
        Its part of the score, against an average item.
    leads : bool
        It is the largest part of its sign.
    match : str
        How the item goes with the history; see `Match`.
    item_score, user_score, catalogue_score, top : float
        Raw scores of the item, of the history and of the catalogue on average (NaN where unknown), and their maximum.
    sources : tuple of (Source, float)
        What the contribution comes from.
    verb : InteractionVerb
        The words for the data set's interactions.
    """

    kind: ClassVar[str] = "attribute"
    id: str
    evidence: tuple[str, ...]
    label: str
    contribution: float
    leads: bool
    match: Match
    item_score: float
    user_score: float
    catalogue_score: float
    top: float
    sources: tuple[tuple[Source, float], ...]
    verb: InteractionVerb

    def sentence(self, reader: Reader) -> str:
        """Say it."""
        if reader == "analyst":
            sources = ", ".join(
                f"{lower_first(source_label(name, self.verb))} {value:+.2f}" for name, value in self.sources
            )
            scores = ", ".join(
                f"{who} {_score(score, self.top)}"
                for who, score in (
                    ("item", self.item_score),
                    ("history", self.user_score),
                    ("catalogue mean", self.catalogue_score),
                )
            )
            size = f"{self.contribution:+.2f}{_largest(self.contribution, self.leads)}"
            return f"{self.label} contributes {size}: {sources}; {scores}."
        size = f" ({self.contribution:+.2f})" if reader == "merchandiser" else ""
        return f"{self.label} {_effect(self.contribution, self.leads)}{size}{self._why()}."

    def _why(self) -> str:
        """Return the source that gives the contribution its sign, in words.

        A match can disagree with the user's own taste, because a weight can be negative.
        """
        source = leading_source(dict(self.sources))
        if source != "own_taste":
            is_ = "is " if source == "everyone" else ""
            words = source_words(source, self.contribution > 0, self.verb)
            return f", as its {lower_first(self.label)} {is_}{words}"
        if not self.match:
            return ""
        agrees = (self.match in ("both_high", "both_low")) == (self.contribution > 0)
        return f"{', ' if agrees else ', although it is '}{_MATCH_WORDS[self.match].format(user=self.verb.user)}"


@dataclass(frozen=True)
class FactClaim:
    """What a fact about the item contributes.

    Attributes
    ----------
    label : str
        The fact.
    text : str
        The item's value in quotation marks, or empty; see `quoted`.
    contribution : float
        Its part of the score, against an average item.
    leads : bool
        It is the largest part of its sign.
    """

    kind: ClassVar[str] = "fact"
    id: str
    evidence: tuple[str, ...]
    label: str
    text: str
    contribution: float
    leads: bool

    def sentence(self, reader: Reader) -> str:
        """Say it."""
        name = f"{self.label} {self.text}" if self.text else self.label
        if reader == "analyst":
            size = f"{self.contribution:+.2f}{_largest(self.contribution, self.leads)}"
            return f"The fact {name} contributes {size}, against an average item."
        size = f" ({self.contribution:+.2f})" if reader == "merchandiser" else ""
        return f"{name} {_effect(self.contribution, self.leads)}{size}."


@dataclass(frozen=True)
class OtherPartClaim:
    """What popularity contributes, or what no name covers.

    Attributes
    ----------
    contribution : float
        Its part of the score, against an average item.
    leads : bool
        It is the largest part of its sign.
    verb : InteractionVerb
        The words for the data set's interactions.
    """

    kind: ClassVar[str] = "other_part"
    id: str
    evidence: tuple[str, ...]
    contribution: float
    leads: bool
    verb: InteractionVerb

    def sentence(self, reader: Reader) -> str:
        """Say it."""
        remainder, beyond = self.id == REMAINDER, f"other {self.verb.patterns}"
        if reader == "analyst":
            name = f"The part without a name ({beyond})" if remainder else "Popularity"
            size = f"{self.contribution:+.2f}{_largest(self.contribution, self.leads)}"
            return f"{name} contributes {size}, against an average item."
        name = beyond.capitalize() if remainder else "General popularity"
        size = f" ({self.contribution:+.2f})" if reader == "merchandiser" else ""
        return f"{name} {_effect(self.contribution, self.leads, plural=remainder)}{size}."


@dataclass(frozen=True)
class PastItemClaim:
    """What a past item is worth to the score.

    Attributes
    ----------
    number, of : int
        Its number, 1 for the newest, and how many were examined.
    title : str
        In quotation marks; see `quoted`.
    worth : float
        The score less the score without it.
    leads : bool
        Its worth is the largest of its sign.
    verb : InteractionVerb
        The words for the data set's interactions.
    """

    kind: ClassVar[str] = "past_item"
    id: str
    evidence: tuple[str, ...]
    number: int
    of: int
    title: str
    worth: float
    leads: bool
    verb: InteractionVerb

    def sentence(self, reader: Reader) -> str:
        """Say it."""
        if reader == "analyst":
            place = f"Past item {self.number} of {self.of}, newest first, {self.title}"
            return f"{place}, is worth {self.worth:+.2f}: the score with it less the score without it."
        change = f"the score would be {abs(self.worth):.2f} {'lower' if self.worth > 0 else 'higher'}"
        side = "in this item's favour" if self.worth > 0 else "against this item"
        if self.leads and self.of > 1:
            said = f"Of this {self.verb.user}'s last {self.of} {self.verb.nouns}, {self.title} counts most {side}"
            return f"{said}; without it, {change}." if reader == "merchandiser" else f"{said}."
        if reader == "merchandiser":
            return f"Without {self.title} in the history, {change}."
        return f"Having {self.title} in the history counts {side}."


@dataclass(frozen=True)
class SharedAttributeClaim:
    """A past item and this one are on the same side of the catalogue's mean score of an attribute that counts for it.

    Attributes
    ----------
    title : str
        The past item's, in quotation marks.
    label : str
        The attribute.
    above : bool
        Both are above the mean, not below.
    past_score, item_score, catalogue_score, top : float
        Raw scores and their maximum.
    """

    kind: ClassVar[str] = "shared_attribute"
    id: str
    evidence: tuple[str, ...]
    title: str
    label: str
    above: bool
    past_score: float
    item_score: float
    catalogue_score: float
    top: float

    def sentence(self, reader: Reader) -> str:
        """Say it."""
        name, side = lower_first(self.label), "above" if self.above else "below"
        if reader == "analyst":
            past, item, mean = (
                _score(each, self.top) for each in (self.past_score, self.item_score, self.catalogue_score)
            )
            return (
                f"{self.title} ({past}) and this item ({item}) are both {side} the catalogue mean of {name} ({mean})."
            )
        return f"{self.title} and this item are both {side} average on {name}."


@dataclass(frozen=True)
class RankClaim:
    """Where both models rank the item.

    Attributes
    ----------
    title : str
        The item's, in quotation marks.
    rank, base_rank : int
        In the refined and in the base ranking.
    """

    kind: ClassVar[str] = "rank"
    id: str
    evidence: tuple[str, ...]
    title: str
    rank: int
    base_rank: int

    def sentence(self, reader: Reader) -> str:
        """Say it."""
        move = self.base_rank - self.rank
        way = "up" if move > 0 else "down"
        new, old = ordinal(self.rank), ordinal(self.base_rank)
        if reader == "analyst":
            if not move:
                return f"{self.title} has rank {self.rank:,} in both models."
            places = f"{abs(move):,} {'place' if abs(move) == 1 else 'places'} {way}"
            ranks = f"rank {self.base_rank:,} in the base model, {self.rank:,} in the refined one"
            return f"{self.title} has {ranks}: {places}."
        if reader == "stakeholder":
            if not move:
                return f"{self.title} is in {new} place, with and without attributes."
            return f"With attributes, {self.title} moves {way} from {old} to {new} place."
        if not move:
            return f"Both models rank {self.title} {new}."
        return f"The refined model ranks {self.title} {new}, the base model {old}."


@dataclass(frozen=True)
class RemovalClaim:
    """Without which past items the item would leave the list, or enter it.

    Attributes
    ----------
    titles : tuple of str
        The past items', in quotation marks.
    old_rank, rank : int
        The item's rank with them and without them.
    k : int
        Length of the list.
    exact : bool
        No smaller set does it.
    """

    kind: ClassVar[str] = "removal"
    id: str
    evidence: tuple[str, ...]
    titles: tuple[str, ...]
    old_rank: int
    rank: int
    k: int
    exact: bool

    def sentence(self, reader: Reader) -> str:
        """Say it."""
        leaves = self.old_rank <= self.k
        without = f"Without {listing(list(self.titles))} in the history, it would"
        if reader == "stakeholder":
            return f"{without} {'leave' if leaves else 'enter'} the top {self.k:,}."
        if reader == "merchandiser":
            where = f"{'drop' if leaves else 'rise'} to {ordinal(self.rank)}, {'out of' if leaves else 'into'}"
            return f"{without} {where} the top {self.k:,}."
        tried = "no smaller set" if self.exact else "not all smaller sets were tried, but this one"
        does = f"{tried} {'takes it out of' if leaves else 'brings it into'} the top {self.k:,}"
        return f"{without} have rank {self.rank:,} instead of {self.old_rank:,}; {does}."


Claim = AttributeClaim | FactClaim | OtherPartClaim | PastItemClaim | SharedAttributeClaim | RankClaim | RemovalClaim
"""One statement about a case."""


def quoted(title: str) -> str:
    """Return a title in quotation marks that it cannot close: one line of at most 120 visible characters.

    Titles are untrusted. Inside quotation marks, their words cannot be mistaken for ours.

    Examples
    --------
    >>> print(quoted('12" Pan”. Warmth counts most'))
    “12' Pan'. Warmth counts most”
    """
    line = " ".join("".join(each if each.isprintable() else " " for each in title).split())
    line = line.translate(_QUOTES)
    return f"“{line if len(line) <= _LONGEST_TITLE else f'{line[: _LONGEST_TITLE - 1].rstrip()}…'}”"


_QUOTES = str.maketrans(dict.fromkeys('"“”„‟«»‹›＂〝〞〟❝❞″‶ʺ˝ˮ״', "'"))

_MATCH_WORDS: dict[Match, str] = {
    "both_high": "above average both in this {user}'s history and in this item",
    "both_low": "below average both in this {user}'s history and in this item",
    "seeks_but_little": "above average in this {user}'s history but below average in this item",
    "rarely_but_much": "below average in this {user}'s history but above average in this item",
}


def _score(score: float, top: float) -> str:
    return "not scored" if score != score else f"{score:.1f}/{top:g}"  # NaN differs from itself


def _effect(value: float, leads: bool, plural: bool = False) -> str:
    verb = "count" if plural else "counts"
    return f"{verb} {'most ' if leads else ''}{_favour(value)}"


def _largest(value: float, leads: bool) -> str:
    return f", the largest part {_favour(value)}" if leads else ""


def _favour(value: float) -> str:
    return "in its favour" if value > 0 else "against it"
