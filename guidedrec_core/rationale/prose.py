"""Reading the sentence of a claim: does it say what the claim's evidence holds, and nothing beside it?

A sentence passes when every title, attribute and number in it belongs to the claim's evidence, every number stands
beside what it is of, its direction is the true one, and it names neither first places nor causes that its evidence does
not hold. What cannot be told counts as a fault: our own words are shown then. This reads plain English by word lists;
it is a filter in front of a true template, not an understanding of texts.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from guidedrec_core.language import EMPTY, folded, stem, words_of
from guidedrec_core.rationale.facts import AttributeFact, Claim, Facts, shown_title
from guidedrec_core.rationale.numbers import ORDINALS, SCALE, nearest, numbers_in, same
from guidedrec_core.rationale.phrases import (
    ABOVE,
    AGAINST,
    ALONE,
    BELOW,
    CAUSES,
    DENIALS,
    DOWN,
    FIRST,
    FOR,
    LARGER,
    LAST,
    OUTSIDE,
    PATTERN_WORDS,
    POPULAR_WORDS,
    SECOND,
    SMALLER,
    UP,
    WITHOUT,
)

_LONGEST = 240
_ITEM, _PAST = "itemtitle", "pasttitle"  # stand for titles once these are checked
_MARKUP = re.compile(r"[<>\[\]{}|*_`#\\@^~]|https?:|www\.|\.(?:com|org|net)\b", re.IGNORECASE)
_NEXT_SENTENCE = re.compile(r"(?<!\bvs)[.!?]\s+\S")
_CATALOGUE = re.compile(
    r"catalogue|catalog|(?<!on )\baverage\b(?!\s*\d)|typical|\bmean\b|assortment|usual|norm\b", re.IGNORECASE
)
_OWN = re.compile(
    rf"\b(?:this|it|item|user|shopper|history|scores?|has|gets|they|took|taken|past|own|{_ITEM})\b", re.IGNORECASE
)
_PAST_CUE = re.compile(rf"{_PAST}|\bpast\b|\bearlier\b|\bbefore\b", re.IGNORECASE)
_ITEM_CUE = re.compile(rf"{_ITEM}|\bthis\b|\bit\b|\brecommended\b", re.IGNORECASE)
_BASE = re.compile(
    r"\bbase\b|\bbefore\b|\boriginal\w*|\bwithout\b|\bwas\b|\bhad\b|\bplain\b|\bunrefined\b", re.IGNORECASE
)
_REFINED = re.compile(
    r"\brefined\b|\bnow\b|\bafter\b|\bhere\b|\bwith\b|\bstands\b|\bis\b|\bputs?\b|\brefinement\b", re.IGNORECASE
)


def prose_fault(claim: Claim, facts: Facts) -> str:
    """Return why a true claim's sentence is not shown; empty when it may be.

    Parameters
    ----------
    claim : Claim
        Its evidence and values are right; see `rationale_claims.fault`.
    facts : Facts
        The case.
    """
    if not claim.sentence.strip():
        return "it has no sentence"
    if len(claim.sentence) > _LONGEST:
        return f"its sentence is longer than {_LONGEST} characters"
    return _Sentence(claim, facts).fault()


class _Sentence:
    """One sentence beside its claim."""

    def __init__(self, claim: Claim, facts: Facts) -> None:
        self.claim, self.facts = claim, facts
        found = [facts.find(evidence) for evidence in claim.evidence]
        self.places = [each[1] for each in found if each is not None]
        self.past = [place for kind, place in (each for each in found if each is not None) if kind == "history"]
        self.text = self._without_titles(" ".join(claim.sentence.strip().split()))
        self.words = words_of(self.text)

    @property
    def _attribute(self) -> AttributeFact:
        """The attribute that a claim about scores is of."""
        return self.facts.attributes[self.places[-1]]

    def fault(self) -> str:
        """Return the first fault."""
        names = (self._form, self._titles, self._names, self._attributes, self._outside)
        checks = (*names, self._numbers, self._direction, self._first_places, self._causes)
        return next((wrong for check in checks if (wrong := check())), "")

    def _without_titles(self, sentence: str) -> str:
        """Put signs for the titles that may be named, the longest first."""
        allowed = [(self.facts.title, _ITEM), *((self.facts.past[place].title, _PAST) for place in self.past)]
        forms = [(form, sign) for title, sign in allowed for form in {" ".join(title.split()), shown_title(title)}]
        for form, sign in sorted(forms, key=lambda pair: -len(pair[0])):
            if form:
                sentence = re.sub(
                    rf"[\"“”'‘’]?(?<!\w){re.escape(form)}(?!\w)[\"“”'’]?", sign, sentence, flags=re.IGNORECASE
                )
        return sentence

    def _form(self) -> str:
        if _MARKUP.search(self.text):
            return "its sentence holds signs or addresses that do not belong there"
        return "it is more than one sentence" if _NEXT_SENTENCE.search(self.text) else ""

    def _titles(self) -> str:
        text = folded(self.text)
        for title in (self.facts.title, *(past.title for past in self.facts.past)):
            name = folded(shown_title(title))
            if len(name) > 3 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
                return "it names a title that its evidence does not hold"
        if self.past and _PAST not in self.text:
            return "it does not name the past item"
        return ""

    def _names(self) -> str:
        """Refuse names that are neither titles nor attributes."""
        labels = {word for name, _ in self.facts.contributions for word in words_of(name)}
        for word in re.findall(r"(?<![\w'’])[A-Z][\w'’]*", self.text):
            at_start = self.text.lstrip("\"“'‘").startswith(word)
            if not at_start and folded(word) not in labels | {"i", "base", "refined", "without", "this", "it", "the"}:
                return f"it names something that its evidence does not hold ({word[:40]})"
        return ""

    def _mentions(self) -> set[int]:
        """Return the contributions that the sentence speaks of, by place."""
        stems = {stem(word) for word in self.words if word not in EMPTY}
        found = {place for place, own in enumerate(_own_stems(self.facts)) if own & stems}
        n = len(self.facts.attributes)
        if set(self.words) & PATTERN_WORDS:
            found.add(n)
        if set(self.words) & POPULAR_WORDS and not any("popular" in one.name for one in self.facts.attributes):
            found.add(n + 1)
        return found

    def _attributes(self) -> str:
        own: set[int] = set()
        if self.claim.type in ("taste", "item_score", "contribution", "order"):
            own = {self.places[0]}
        elif self.claim.type == "compare":
            own = set(self.places)
        elif self.claim.type == "shared":
            own = {self.places[1]}
        named = self._mentions()
        if self.claim.type in ("taste", "history"):
            named -= {len(self.facts.attributes)}  # "past purchases" are the history
        names = [name for name, _ in self.facts.contributions]
        if strange := named - own:
            return f"it speaks of {names[min(strange)]}, which its evidence does not hold"
        if missing := own - named:
            return f"it does not name {names[min(missing)]}"
        return ""

    def _outside(self) -> str:
        labels = {word for name, _ in self.facts.contributions for word in words_of(name)}
        if strange := set(self.words) & (OUTSIDE - labels):
            return f"it speaks of what no evidence holds ({min(strange)})"
        return ""

    def _numbers(self) -> str:
        """Check that each number is one of the evidence's, and stands beside what it is of."""
        text = self.text
        if self.claim.type in ("taste", "item_score", "shared"):
            for scale in SCALE.finditer(text):
                top = 10.0 if scale["top"].lower() == "ten" else float(scale["top"])
                if top != self.facts.top:
                    return f"the scale ends at {self.facts.top:g}, not {top:g}"
            text = SCALE.sub("", text)
        said = list(numbers_in(text))
        wrong = [
            f"it says {number:g}, which its evidence does not hold there"
            for number, decimals, sign, at in said
            if not any(same(number, decimals, sign, each) for each in self._allowed(text, at))
        ]
        two = self.claim.type in ("shared", "compare") and len(said) == 2
        if two and all(same(*one[:3], each) for one, each in zip(said, self._both(text), strict=True)):
            return ""  # "A and B are both low, with 2 and 0."
        return wrong[0] if wrong else ""

    def _both(self, text: str) -> list[float]:
        """Return the two numbers of a claim about two things, in the order in which these are named."""
        if self.claim.type == "compare":
            values = [self.facts.contributions[place][1] for place in self.places]
            first, then = self._mentioned()
            return values if first < then else values[::-1]
        values = [self.facts.past[self.places[0]].scores[self.places[1]], self._attribute.item_score]
        return values if nearest(text, 0, (_PAST_CUE, _ITEM_CUE)) == 0 else values[::-1]

    def _allowed(self, text: str, at: int) -> Iterable[float]:
        """Yield the numbers that may stand at a place."""
        claim, facts = self.claim, self.facts
        if claim.type in ("contribution", "order", "compare"):
            values = [facts.contributions[place][1] for place in self.places]
            if claim.type == "compare":
                values = [values[self._nearest_attribute(text, at)]]
            yield from values
            if claim.type == "order" and claim.value is not None:
                yield claim.value
        elif claim.type == "history":
            yield facts.past[self.places[0]].worth
        elif claim.type == "rank":
            yield from self._ranks(text, at)
        else:
            one = self._attribute
            if nearest(text, at, (_CATALOGUE, _OWN), weak=True) == 0:
                yield one.catalogue_score
            elif claim.type == "taste":
                yield one.user_score
            elif claim.type == "item_score":
                yield one.item_score
            else:
                past = facts.past[self.places[0]].scores[self.places[1]]
                yield past if nearest(text, at, (_PAST_CUE, _ITEM_CUE)) == 0 else one.item_score

    def _nearest_attribute(self, text: str, at: int) -> int:
        """Return which of two contributions a number stands beside: the last one named before it, else the first."""
        own = _own_stems(self.facts)
        before = [
            which
            for match in re.finditer(r"[\w'’]+", text[:at])
            for which, place in enumerate(self.places)
            if stem(folded(match[0])) in own[place] | _beside(self.facts, place)
        ]
        return before[-1] if before else 0

    def _ranks(self, text: str, at: int) -> Iterable[float]:
        """Yield the ranks a number may be: by "from" and "to", else by the nearest of "base" and "refined"."""
        rank, base = float(self.facts.rank), float(self.facts.base_rank)
        before, after = text[:at].lower(), text[at:].lower()
        if re.match(r"\d+\s+(?:place|rank|position|spot|step)s?\b", after):
            yield abs(base - rank)
        elif re.search(r"\bfrom\s+(?:the\s+|place\s+|rank\s+|number\s+|no\.?\s+|position\s+|#)*$", before):
            yield base
        elif re.search(r"\bto\s+(?:the\s+|place\s+|rank\s+|number\s+|no\.?\s+|position\s+|#)*$", before):
            yield rank
        else:
            yield base if nearest(text, at, (_BASE, _REFINED)) == 0 else rank

    def _direction(self) -> str:
        """Check which way the sentence points."""
        claim, facts = self.claim, self.facts
        if claim.type in ("contribution", "order"):
            value = facts.contributions[self.places[0]][1]
            return self._points(value, FOR, AGAINST, value > 0 or self._signed())
        if claim.type == "history":
            worth = facts.past[self.places[0]].worth
            turned = bool(WITHOUT.search(folded(self.text)))
            return self._points(-worth if turned else worth, FOR, AGAINST, not turned and worth > 0, turned)
        if claim.type in ("taste", "item_score", "shared"):
            one = self._attribute
            value = one.user_score if claim.type == "taste" else one.item_score
            return self._points(value - one.catalogue_score, ABOVE, BELOW, claim.type != "shared", near=0.05)
        if claim.type == "rank":
            move = facts.base_rank - facts.rank
            if move == 0:
                moved = self._signs(UP, DOWN, False) or self._compared()
                return "it speaks of a move, and there is none" if moved else ""
            if self._compared() - {1 if move > 0 else -1}:
                return "it has the wrong model ahead"
            return self._points(move, UP, DOWN, True)
        return self._comparison()

    def _points(
        self,
        value: float,
        up: frozenset[str],
        down: frozenset[str],
        silent: bool,
        turned: bool = False,
        near: float = 0.0,
    ) -> str:
        """Compare the words' direction with the true one; `silent`: words without one will do."""
        signs = self._signs(up, down, turned)
        if not signs:
            return "" if silent else "it does not say which way"
        if len(signs) > 1:
            return "it points both ways"
        holds = value > -near if 1 in signs else value < near
        return "" if holds else "its words point the other way"

    def _signs(self, up: frozenset[str], down: frozenset[str], turned: bool) -> set[int]:
        """Return which ways the words point, 1 and -1; a denial turns what follows within four words."""
        signs, denied = set(), 0
        for at, word in enumerate(self.words):
            denied = max(denied - 1, 0)
            following = self.words[at + 1] if at + 1 < len(self.words) else ""
            if (
                word in DENIALS
                and following not in ("only", "just", "merely")
                and not (turned and word in ("without", "not"))
            ):
                if word in down:
                    signs.add(-1)
                denied = 5
                continue
            if word == "up" and following == "to" and self.claim.type != "rank":
                continue
            way = 1 if word in up else -1 if word in down else 0
            if way:
                signs.add(-way if denied else way)
        return signs

    def _compared(self) -> set[int]:
        """Return which ways "better" and "worse" point: of the model named just before, else of the refined one."""
        ways = set()
        for at, word in enumerate(self.words):
            way = 1 if word in ("better", "higher", "ahead", "above") else -1
            if way > 0 or word in ("worse", "lower", "behind", "below"):
                models = [each for each in self.words[:at] if each in ("base", "refined", "refinement")]
                ways.add(-way if models and models[-1] == "base" else way)
        return ways

    def _signed(self) -> bool:
        """Tell whether the sentence gives its number with a sign."""
        return any(sign for _, _, sign, _ in numbers_in(self.text))

    def _comparison(self) -> str:
        """Check that what is named as larger is the first of the evidence."""
        first, then = self._mentioned()
        larger, smaller = (bool(set(self.words) & words) for words in (LARGER, SMALLER))
        if larger == smaller or set(self.words) & DENIALS:
            return "it does not say which is larger"
        return "" if larger == (first < then) else "it names the wrong one as larger"

    def _mentioned(self) -> list[int]:
        """Return where in the sentence each contribution of a comparison is named first; -1 where it is not."""
        own = _own_stems(self.facts)
        return [
            min(
                (at for at, word in enumerate(self.words) if stem(word) in own[place] | _beside(self.facts, place)),
                default=-1,
            )
            for place in self.places
        ]

    def _first_places(self) -> str:
        """Check words of rank among reasons."""
        said = set(self.words)
        if said & (LAST | ALONE) or re.search(r"\b(?:the|its) only\b", folded(self.text)):
            return "it says more than its evidence holds"
        place = self._said_place()
        if self.claim.type == "order":
            if place is None:
                return "it does not say which place"
            if "attribute" in self.words or "attributes" in self.words or self.claim.among == "all":
                return "" if place == self.claim.value else f"it says place {place}, not {self.claim.value:g}"
            return "it does not say that this is among the attributes"
        if self.claim.type == "rank":
            return "" if place is None or self.facts.rank == 1 or not said & FIRST else "it says first, and is not"
        if place is not None and not (self.claim.type == "compare" and not said & FIRST):
            return "it says what comes first, which its evidence does not hold"
        return ""

    def _said_place(self) -> int | None:
        """Return the place that the words give, from 1; None where they give none."""
        for at, word in enumerate(self.words):
            if word in FIRST:
                before = self.words[max(at - 2, 0) : at]
                numbers = [SECOND[each] for each in before if each in SECOND]
                digits = [int(m[1]) for each in before if (m := re.fullmatch(r"(\d+)(?:st|nd|rd|th)", each))]
                return (numbers + digits or [1])[0]
        for word in self.words:
            if word in ORDINALS and self.claim.type != "rank":
                return ORDINALS[word]
            if self.claim.type == "order" and (match := re.fullmatch(r"(\d+)(?:st|nd|rd|th)", word)):
                return int(match[1])
        return None

    def _causes(self) -> str:
        """Refuse causes in claims whose evidence holds none: a score or a rank is no reason by itself."""
        if self.claim.type in ("contribution", "order", "compare", "history"):
            return ""
        said = set(self.words) & CAUSES
        return f"it names a cause ({min(said)}), which its evidence does not hold" if said else ""


def _own_stems(facts: Facts) -> list[set[str]]:
    """Return, for each attribute, the stems that stand in no other one's label."""
    return _stems_of(tuple(one.label for one in facts.attributes))


@lru_cache(maxsize=64)
def _stems_of(labels: tuple[str, ...]) -> list[set[str]]:
    stems = [{stem(word) for word in words_of(label) if word not in EMPTY} for label in labels]
    alone = [own - set().union(*stems[:place], *stems[place + 1 :]) for place, own in enumerate(stems)]
    return [*alone, set(), set()]


def _beside(facts: Facts, place: int) -> set[str]:
    """Return the stems by which purchase patterns and popularity are named."""
    n = len(facts.attributes)
    words = PATTERN_WORDS if place == n else POPULAR_WORDS if place == n + 1 else frozenset[str]()
    return {stem(word) for word in words}
