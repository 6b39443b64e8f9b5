"""Conditions read from text as people type it, with errors that say what is not understood and what is near.

Grammar: ``any := all ("or" all)*``, ``all := one (("and" | "but") one)*``, ``one := "not" one | "(" any ")" | phrase``.
Phrases on items: ``jackets``, ``category: jackets, vests``, ``price 100..200``, ``price over 100``, ``warmth 7..10``,
``high warmth``, ``title: hoody``, ``item TVB-007``, ``at most 10 purchases``. Phrases on users: ``bought PHRASE``,
``never bought PHRASE``, ``mostly bought PHRASE``, ``bought at least 3 PHRASE``, ``seeks warmth``, ``avoids style``,
``at least 10 purchases``, ``last purchase in 2024-06``, ``last purchase within 90 days``, ``usual price 100..200``,
``lost by refinement``, ``shown PHRASE``, ``segment 2``, ``segment: saved name``, ``user S0001``. What holds "and" or a
comma stands in quotes.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any, Literal

from guidedrec_core import columns as c
from guidedrec_core.conditions.condition import (
    DEEPEST,
    LONGEST_TEXT,
    MOST_PARTS,
    About,
    AllOf,
    AnyOf,
    Condition,
    Had,
    ItemEnd,
    ItemIds,
    ItemInteractions,
    ItemNumber,
    ItemScore,
    ItemTitle,
    ItemValue,
    LastTime,
    Not,
    Outcome,
    Past,
    Refined,
    Segment,
    Shown,
    Taste,
    UserIds,
    Usual,
)
from guidedrec_core.conditions.terms import Terms, is_simple, plain
from guidedrec_core.data.verbs import VERBS
from guidedrec_core.errors import ConfigError, InputError

CONNECTIVES = ("and", "but", "or", "not")
OUTCOME_WORDS: dict[str, Outcome] = {
    "lost by refinement": "lost",
    "found by refinement": "found",
    "found by both": "both",
    "found by neither": "neither",
}
"""What refinement did to a user's held-out item, as it is written."""

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_LOW = {"over": True, "above": True, "more than": True, ">": True, "at least": False, ">=": False, "from": False}
_HIGH = {
    **dict.fromkeys(("under", "below", "less than", "fewer than", "<"), True),
    **dict.fromkeys(("at most", "<=", "up to"), False),
}
_SIGN = "|".join(sorted(map(re.escape, (*_LOW, *_HIGH, "exactly", "=")), key=len, reverse=True))
_RANGE = rf"(?P<first>{_NUMBER})\s*(?:\.\.|to|–|—|-)\s*(?P<last>{_NUMBER})"
_SIZE = rf"(?:{_RANGE}|(?P<sign>{_SIGN})\s*(?P<end>{_NUMBER})|(?P<only>{_NUMBER}))"
_BETWEEN = re.compile(rf"\bbetween\s+({_NUMBER})\s+and\s+({_NUMBER})", re.IGNORECASE)
_DATE = r"\d{4}(?:-\d{1,2}(?:-\d{1,2})?)?"
_TOKEN = re.compile(r'"(?P<quoted>(?:[^"]|"")*)"|(?P<mark>[(),])|(?P<word>[^\s"(),]+)')
_MOSTLY = 0.5


@dataclass(frozen=True)
class _Token:
    kind: Literal["quoted", "mark", "word"]
    text: str

    def means(self, *words: str) -> bool:
        return self.kind != "quoted" and self.text.casefold() in words


def read_condition(text: str, about: About, terms: Terms) -> Condition:
    """Read a condition.

    Parameters
    ----------
    text : str
        As people type it.
    about : {"items", "users"}
        What it shall be about.
    terms : Terms
        The words of the data set.

    Raises
    ------
    InputError
        A phrase is not understood; the message names it, what is near, and examples.
    """
    if len(text) > LONGEST_TEXT:
        raise InputError(f"expected a condition of at most {LONGEST_TEXT:,} characters, got {len(text):,}; shorten it")
    if not text.strip():
        raise InputError(f"expected a condition, got nothing; try {_examples(about, terms)}")
    if not _TOKEN.sub("", text).strip() == "":
        raise InputError(f"expected a closing quotation mark in {_shown(text)}; add it")
    return _Reader(_tokens(text, terms), terms).whole(about)


def _tokens(text: str, terms: Terms) -> list[_Token]:
    """Cut text into words, quoted texts, brackets and commas; values that hold "and" become quoted."""
    quoted = [match.span() for match in _TOKEN.finditer(text) if match["quoted"] is not None]
    for pattern in terms.with_connectives:
        for match in reversed(list(pattern.finditer(text))):
            if not any(start <= match.start() < end for start, end in quoted):
                text = f'{text[: match.start()]}"{match[0]}"{text[match.end() :]}'
        quoted = [match.span() for match in _TOKEN.finditer(text) if match["quoted"] is not None]
    text = _BETWEEN.sub(r"\1..\2", text)
    tokens = []
    for match in _TOKEN.finditer(text):
        kind: Any = match.lastgroup
        tokens.append(_Token(kind, match[kind].replace('""', '"') if kind == "quoted" else match[kind]))
    return tokens


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[_Token], terms: Terms) -> None:
        self.tokens, self.terms, self.place, self.depth, self.parts = tokens, terms, 0, 0, 0

    def whole(self, about: About) -> Condition:
        found = self.any_of(about)
        if self.place < len(self.tokens):
            raise InputError(
                f"expected “and” or “or” before {_shown(self.tokens[self.place].text)}; check the brackets"
            )
        return found

    def any_of(self, about: About) -> Condition:
        self.depth += 1
        if self.depth > DEEPEST:
            raise InputError(f"expected at most {DEEPEST} brackets inside each other; split the condition")
        found = self.joined(("or",), lambda: self.all_of(about), AnyOf)
        self.depth -= 1
        return found

    def all_of(self, about: About) -> Condition:
        return self.joined(("and", "but"), lambda: self.one(about), AllOf)

    def joined(
        self, words: tuple[str, ...], read: Callable[[], Condition], kind: type[AllOf] | type[AnyOf]
    ) -> Condition:
        found = [read()]
        while self.at(*words):
            self.place += 1
            found.append(read())
        flat = [inner for one in found for inner in (one.of if isinstance(one, kind) else (one,))]
        return found[0] if len(found) == 1 else kind(of=tuple(flat))

    def one(self, about: About) -> Condition:
        negative = False
        while self.at("not"):
            negative, self.place = not negative, self.place + 1
        found = self.bracket(about) if self.at("(") else self.phrase(about)
        return _negated(found) if negative else found

    def bracket(self, about: About) -> Condition:
        self.place += 1
        found = self.any_of(about)
        if not self.at(")"):
            raise InputError("expected a closing bracket “)”; add it")
        self.place += 1
        return found

    def phrase(self, about: About) -> Condition:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise InputError(f"expected at most {MOST_PARTS} parts; split the condition")
        tokens = []
        while self.place < len(self.tokens) and not self.at("(", ")", *CONNECTIVES):
            tokens.append(self.tokens[self.place])
            self.place += 1
        if not tokens:
            got = f"“{self.tokens[self.place].text}”" if self.place < len(self.tokens) else "the end"
            raise InputError(f"expected a condition before {got}; try {_examples(about, self.terms)}")
        try:
            if about == "items":
                return _item_phrase(tokens, self.terms)
            return self.user_phrase(tokens)
        except ConfigError as error:
            said = str(error).partition("Value error, ")[2].rpartition(" (got ")[0]
            raise InputError(f"{_shown(_text(tokens))}: {said or error}") from error

    def user_phrase(self, tokens: list[_Token]) -> Condition:
        lead = _lead(tokens, self.terms)
        if lead is None:
            if self.at("("):
                raise InputError(f"expected “and” or “or” between {_shown(_text(tokens))} and the bracket; add one")
            return _user_phrase(tokens, self.terms)
        if self.at("("):
            if lead.rest:
                raise InputError(
                    f"expected a bracket right after “{lead.words}”, got {_shown(_text(lead.rest))} before it"
                )
            items = self.bracket("items")
            rest = []
            while self.place < len(self.tokens) and not self.at("(", ")", *CONNECTIVES):
                rest.append(self.tokens[self.place])
                self.place += 1
            return lead.applied(items, rest)
        rest, model = _by_model(lead.rest) if lead.kind == "shown" else (lead.rest, [])
        if not rest:
            raise InputError(f"expected items after “{lead.words}”, e.g. “{lead.words} {_example_value(self.terms)}”")
        return lead.applied(_item_phrase(rest, self.terms), model)

    def at(self, *words: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place].means(*words)


@dataclass(frozen=True)
class _Lead:
    """The beginning of a phrase on users that goes on with items: "never bought", "shown"."""

    kind: Literal["had", "shown"]
    words: str
    rest: list[_Token]
    negative: bool = False
    least: int = 1
    most: int | None = None
    share: float = 0.0

    def applied(self, items: Condition, after: list[_Token]) -> Condition:
        if self.kind == "shown":
            _, model = _by_model(after)
            if len(model) != len(after):
                raise InputError(f"expected “by the base model” after the bracket, got {_shown(_text(after))}")
            found: Condition = Shown(items=items, model="base" if model else "refined")
        else:
            if after:
                raise InputError(f"expected “and” or “or” before {_shown(_text(after))}; add one")
            parts: list[Condition] = []
            if self.least > 0:
                parts.append(Had(items=items, least=self.least, share=self.share))
            if self.most is not None:
                parts.append(Not(of=Had(items=items, least=self.most + 1)))
            found = parts[0] if len(parts) == 1 else AllOf(of=tuple(parts))
        return _negated(found) if self.negative else found


def _negated(condition: Condition) -> Condition:
    return condition.of if isinstance(condition, Not) else Not(of=condition)


def past_words(terms: Terms) -> tuple[str, ...]:
    """Return the verbs in the past that are understood, those of the data set first."""
    return tuple(dict.fromkeys((terms.verb.past, terms.verb.participle, "bought", "had", *VERBS)))


def _lead(tokens: list[_Token], terms: Terms) -> _Lead | None:
    """Read the beginning of a phrase that goes on with items; None where it is none."""
    words = [token.text.casefold() if token.kind == "word" else "" for token in tokens]
    place, negative, share = 0, False, 0.0
    while place < len(words) and words[place] in ("never", "mostly", "mainly", "has", "have"):
        negative = negative or words[place] == "never"
        share = _MOSTLY if words[place] in ("mostly", "mainly") else share
        place += 1
    for verb in past_words(terms):
        parts = verb.split()
        if words[place : place + len(parts)] == parts:
            size, place = _size_of(words[place + len(parts) :]), place + len(parts)
            said = " ".join(words[:place])
            if size is None:
                return _Lead("had", said, tokens[place:], negative, share=share)
            used, least, most = size
            return _Lead("had", said, tokens[place + used :], negative, least, most, share)
    if words[place : place + 1] == ["shown"] and not share:
        return _Lead("shown", "shown", tokens[place + 1 :], negative)
    return None


def _size_of(words: list[str]) -> tuple[int, int, int | None] | None:
    """Read "at least 3" at the beginning of words: how many words it takes, the least and the most."""
    for used in (3, 2, 1):
        text = " ".join(words[:used])
        found = re.fullmatch(rf"{_SIZE}", text) if len(words) > used or used == 1 else None
        if found is not None and "." not in text.replace("..", ""):
            ends = _ends(found)
            low = 0 if ends["low"] is None else int(ends["low"]) + ends["above"]
            high = None if ends["high"] is None else int(ends["high"]) - ends["below"]
            if found["only"]:  # "bought 3 jackets" means three or more
                high = None
            if low < 0 or (high is not None and high < low):
                raise InputError(f"expected a number from 0 after the verb, got “{text}”")
            if low == 0 and high is None:
                raise InputError(f"expected a number from 1, got “{text}”; leave it out, or write “never”")
            return used, low, high
    return None


def _ends(found: re.Match[str]) -> dict[str, Any]:
    """Return a range's ends as the fields of a condition."""
    if found["first"]:
        return {"low": float(found["first"]), "high": float(found["last"]), "above": False, "below": False}
    if found["sign"] in _LOW:
        return {"low": float(found["end"]), "high": None, "above": _LOW[found["sign"]], "below": False}
    if found["sign"] in _HIGH:
        return {"low": None, "high": float(found["end"]), "above": False, "below": _HIGH[found["sign"]]}
    number = float(found["end"] or found["only"])
    return {"low": number, "high": number, "above": False, "below": False}


def _by_model(tokens: list[_Token]) -> tuple[list[_Token], list[_Token]]:
    """Cut "by the base model" off the end."""
    for words in (("by", "the", "base", "model"), ("by", "base")):
        if [token.text.casefold() for token in tokens[-len(words) :]] == list(words):
            return tokens[: -len(words)], tokens[-len(words) :]
    return tokens, []


def _split(tokens: list[_Token]) -> list[str]:
    """Return the texts between commas, without quotation marks."""
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token.means(","):
            parts.append([])
        else:
            parts[-1].append(token.text)
    return [" ".join(part) for part in parts if part]


def _text(tokens: list[_Token]) -> str:
    """Return tokens as one text, as they were typed."""
    return re.sub(r"\s+,", ",", " ".join(f'"{t.text}"' if t.kind == "quoted" else t.text for t in tokens))


def _item_phrase(tokens: list[_Token], terms: Terms) -> Condition:
    """Read a phrase on items."""
    text = _text(tokens)
    first = tokens[0].text.casefold() if tokens[0].kind == "word" else ""
    if first in ("item", "items", "item:", "items:") and len(tokens) > 1:
        return ItemIds(ids=tuple(_known_ids(_split(tokens[1:]), terms, "items")))
    named = _named_column(tokens)
    if named is not None:
        name, rest = named
        if plain(name) == "title":
            return ItemTitle(words=" ".join(_split(rest)))
        found = _column_values(name, _split(rest), terms)
        if found is not None:
            return found
    if all(token.kind == "quoted" for token in tokens) and len(tokens) == 1 and not terms.value(tokens[0].text):
        return ItemTitle(words=tokens[0].text)
    sized = _sized(plain(text.replace("$", "").replace("€", "").replace("£", "")), terms)
    if sized is not None:
        return sized
    end = re.fullmatch(r"(high|low)(?: on| in)? (.+)", plain(text))
    if end is not None and (attribute := terms.attribute(end[2])) is not None:
        return ItemEnd(attribute=attribute, end="high" if end[1] == "high" else "low")
    return _bare(tokens, text, terms)


def _named_column(tokens: list[_Token]) -> tuple[str, list[_Token]] | None:
    """Cut "category:" off the beginning; the colon may stand alone, and "is" in its place."""
    for place, token in enumerate(tokens):
        if token.kind == "quoted" or token.means(","):
            return None
        before = [one.text for one in tokens[:place]]
        if token.text.endswith(":") and len(tokens) > place + 1:
            return " ".join([*before, token.text[:-1]]), tokens[place + 1 :]
        if ":" in token.text.strip(":"):
            name, _, value = token.text.partition(":")
            return " ".join([*before, name]), [_Token("word", value), *tokens[place + 1 :]]
        if token.means("is") and before and len(tokens) > place + 1:
            return " ".join(before), tokens[place + 1 :]
    return None


def _column_values(name: str, values: list[str], terms: Terms) -> Condition | None:
    """Return the items with some values in a column; None where nothing is called so."""
    column = terms.column(name)
    if column in terms.crowded and values:
        return ItemValue(column=str(column), values=tuple(dict.fromkeys(values)))
    if column is None or column not in terms.values:
        if terms.attribute(name) is not None or column is not None:
            return _sized(plain(f"{name} {' '.join(values)}"), terms)
        raise InputError(
            f"expected a column of the catalogue before the colon, got {_shown(name)}; "
            f"there are {', '.join([*terms.columns, 'title'])}"
        )
    return ItemValue(column=column, values=tuple(dict.fromkeys(_value(one, column, terms) for one in values)))


def _value(name: str, column: str, terms: Terms) -> str:
    """Return a column's value that people call so."""
    found = terms.value(name, column)
    if not found:
        near = get_close_matches(plain(name), [plain(one) for one in terms.values[column]], 3, 0.6)
        hint = f"did you mean {_quoted(near)}?" if near else f"there are e.g. {_quoted(terms.values[column][:5])}"
        raise InputError(f"no item has {_shown(name)} as {column}; {hint}")
    return found[0][1]


def _sized(text: str, terms: Terms) -> Condition | None:
    """Read a number with its name: "price over 100", "warmth 7..10", "at most 10 purchases"."""
    nouns = "|".join(map(re.escape, _nouns(terms)))
    counted = re.fullmatch(rf"{_SIZE} (?:{nouns})|no (?:{nouns})|(?:{nouns}) {_SIZE.replace('?P<', '?P<x')}", text)
    if counted is not None:
        return ItemInteractions(**_counts(counted))
    found = re.fullmatch(rf"(?P<name>.+?)(?: is)? {_SIZE}", text)
    if found is None:
        return None
    name = found["name"].strip()
    forced = name.startswith("attribute ")
    column, attribute = terms.column(name), terms.attribute(name.removeprefix("attribute "))
    if column in terms.numbers and not forced:
        return ItemNumber(column=str(column), **_ends(found))
    if attribute is not None:
        return ItemScore(attribute=attribute, **_ends(found))
    return None


def _counts(found: re.Match[str]) -> dict[str, Any]:
    """Return the ends of "at most 10 purchases", "purchases 5..10" or "no purchases"."""
    groups = found.groupdict()
    if not any(groups.values()):
        return {"low": 0.0, "high": 0.0}
    second = any(groups[name] for name in groups if name.startswith("x"))
    prefix = "x" if second else ""
    own = {name: groups[f"{prefix}{name}"] for name in ("first", "last", "sign", "end", "only")}
    return _ends(own)  # type: ignore[arg-type]  # a mapping of the same names


def _nouns(terms: Terms) -> tuple[str, ...]:
    """Return the words for interactions that are understood."""
    verb = terms.verb
    return tuple(
        dict.fromkeys(
            f"{past}{noun}"
            for noun in (verb.nouns, verb.noun, "purchases", "purchase", "interactions", "interaction")
            for past in ("", "past ")
        )
    )


def _bare(tokens: list[_Token], text: str, terms: Terms) -> Condition:
    """Read values or ids without a name before them."""
    names = _split(tokens)
    ids = [name for name in names if name in terms.items]
    if len(ids) == len(names) and ids:
        return ItemIds(ids=tuple(ids))
    found: dict[str, list[str]] = {}
    for name in names:
        pairs = terms.value(name)
        columns = list(dict.fromkeys(column for column, _ in pairs))
        if not pairs:
            raise InputError(_unknown(name if len(names) > 1 else text, "items", terms))
        if len(columns) > 1 and c.CATEGORY not in columns:
            ways = _quoted([f"{column}: {name}" for column in columns[:3]])
            raise InputError(f"{_shown(name)} stands in several columns; write {ways.replace(', ', ' or ')}")
        column = c.CATEGORY if c.CATEGORY in columns else columns[0]
        found.setdefault(column, []).extend(value for own, value in pairs if own == column)
    parts = tuple(ItemValue(column=column, values=tuple(dict.fromkeys(values))) for column, values in found.items())
    return parts[0] if len(parts) == 1 else AnyOf(of=parts)


def _user_phrase(tokens: list[_Token], terms: Terms) -> Condition:
    """Read a phrase on users that does not go on with items."""
    text = _text(tokens)
    said = plain(text)
    if said in OUTCOME_WORDS:
        return Refined(outcome=OUTCOME_WORDS[said])
    taste = re.fullmatch(r"(seeks|seek|likes|avoids|avoid|dislikes) (.+)", said)
    if taste is not None:
        attribute = terms.attribute(taste[2])
        if attribute is None:
            near = get_close_matches(taste[2], [plain(one.label) for one in terms.schema.attributes], 3, 0.5)
            hint = (
                f"did you mean {_quoted([f'{taste[1]} {one}' for one in near])}?"
                if near
                else "attributes are " + (", ".join(terms.label(one.name) for one in terms.schema.attributes[:8]))
            )
            raise InputError(f"no attribute is called {_shown(taste[2])}; {hint}")
        return Taste(attribute=attribute, end="low" if taste[1] in ("avoids", "avoid", "dislikes") else "high")
    saved = _saved(tokens, terms)
    if saved is not None:
        return saved
    for read in (_past, _last, _usual, _segment):
        found = read(said, terms)
        if found is not None:
            return found
    first = said.partition(" ")[0].rstrip(":")
    if first in ("user", "users", terms.verb.user, terms.verb.users) and len(tokens) > 1:
        return UserIds(ids=tuple(_known_ids(_split(tokens[1:]), terms, "users")))
    ids = _split(tokens)
    if ids and all(one in terms.users for one in ids):
        return UserIds(ids=tuple(ids))
    raise InputError(_unknown(text, "users", terms))


def _past(said: str, terms: Terms) -> Condition | None:
    """Read a number of past interactions."""
    nouns = "|".join(map(re.escape, _nouns(terms)))
    found = re.fullmatch(rf"{_SIZE} (?:{nouns})|no (?:{nouns})|(?:{nouns}) {_SIZE.replace('?P<', '?P<x')}", said)
    return None if found is None else Past(**_counts(found))


def _last(said: str, terms: Terms) -> Condition | None:
    """Read when the last interaction was."""
    nouns = "|".join(map(re.escape, _nouns(terms)))
    found = re.fullmatch(rf"last (?:{nouns}) (.+)", said)
    if found is None:
        return None
    when = found[1]
    days = re.fullmatch(r"(?:within|in the last|within the last) (\d{1,6}) days?", when)
    if days is not None:
        return LastTime(days=int(days[1]))
    span = re.fullmatch(rf"(?:from )?({_DATE})\s*(?:\.\.|to)\s*({_DATE})", when)
    if span is not None:
        return LastTime(first=_days(span[1])[0], until=_days(span[2])[1])
    one = re.fullmatch(rf"(in|on|after|since|before|until) ({_DATE})", when)
    if one is None:
        raise InputError(
            f"expected when the last {terms.verb.noun} was, got {_shown(when)}; try “in 2024-06”, "
            "“after 2024-06-30” or “within 90 days”"
        )
    first, until = _days(one[2])
    step = timedelta(days=1)
    return {
        "in": lambda: LastTime(first=first, until=until),
        "on": lambda: LastTime(first=first, until=until),
        "after": lambda: LastTime(first=until + step),
        "since": lambda: LastTime(first=first),
        "before": lambda: LastTime(until=first - step),
        "until": lambda: LastTime(until=until),
    }[one[1]]()


def _days(text: str) -> tuple[date, date]:
    """Return the first and last day of a year, month or day."""
    numbers = [int(part) for part in text.split("-")]
    try:
        if len(numbers) == 1:
            return date(numbers[0], 1, 1), date(numbers[0], 12, 31)
        if len(numbers) == 2:
            year, month = numbers
            return date(year, month, 1), date(year, month, monthrange(year, month)[1])
        return date(*numbers), date(*numbers)
    except ValueError as error:
        raise InputError(f"expected a day, month or year as 2024-06-30, 2024-06 or 2024, got {_shown(text)}") from error


def _usual(said: str, terms: Terms) -> Condition | None:
    """Read what past items are like on average."""
    found = re.fullmatch(rf"(?:usual|average) (?P<name>.+?) {_SIZE}", said)
    if found is None:
        return None
    column = terms.column(found["name"])
    if column not in terms.numbers:
        known = ", ".join(terms.numbers) or "none"
        raise InputError(f"expected a column of numbers after “usual”, got {_shown(found['name'])}; there are {known}")
    return Usual(column=str(column), **_ends(found))


def _segment(said: str, _: Terms) -> Condition | None:
    """Read the number of a segment."""
    found = re.fullmatch(r"segment (\d{1,3})", said)
    return None if found is None else Segment(number=int(found[1]))


def _saved(tokens: list[_Token], terms: Terms) -> Condition | None:
    """Read the name of a saved segment; its own condition stands for it."""
    named = _named_column(tokens)
    if named is None or plain(named[0]) not in ("segment", "saved segment"):
        return None
    wanted = plain(_text(named[1]).replace('"', " "))
    alike = [name for name in terms.saved if plain(name.replace('"', " ")) == wanted]
    exact = [name for name in alike if name == " ".join(_split(named[1]))]
    found = terms.saved[(exact or alike)[0]] if alike else None
    if found is not None:
        return found
    known = list(terms.saved)
    near = get_close_matches(wanted, [plain(name) for name in known], 3, 0.5)
    hint = f"did you mean {_quoted(near)}?" if near else f"there are {_quoted(known[:5])}" if known else "none is saved"
    raise InputError(f"no saved segment is called {_shown(wanted)}; {hint}")


def saved_phrase(name: str) -> str:
    """Return how a saved segment is written in a condition.

    Examples
    --------
    >>> saved_phrase("Loyal"), saved_phrase("warm and dry")
    ('segment: Loyal', 'segment: "warm and dry"')
    """
    return f"segment: {in_quotes(name)}"


def _known_ids(names: list[str], terms: Terms, about: About) -> list[str]:
    """Return ids, refused where unknown."""
    vocabulary = terms.items if about == "items" else terms.users
    vocabulary.indexes(names)
    return names


def suggestions(about: About, terms: Terms) -> Iterator[str]:
    """Yield conditions that make sense for a data set, the plainest first."""
    categories = [name for value in terms.values.get(c.CATEGORY, ()) if is_simple(name := plain(value))]
    if about == "items":
        yield from categories
        for attribute in terms.schema.attributes:
            yield f"high {terms.label(attribute.name)}"
            yield f"low {terms.label(attribute.name)}"
        return
    yield from map(saved_phrase, terms.saved)
    for attribute in terms.schema.attributes:
        yield f"seeks {terms.label(attribute.name)}"
        yield f"avoids {terms.label(attribute.name)}"
    yield from OUTCOME_WORDS
    yield f"at least 20 {terms.verb.nouns}"
    yield f"at most 5 {terms.verb.nouns}"
    yield f"last {terms.verb.noun} within 90 days"
    for name in categories:
        yield f"{terms.verb.past} {name}"
        yield f"never {terms.verb.past} {name}"


def grammar(terms: Terms) -> dict[About, tuple[str, ...]]:
    """Return one example of each kind of condition, in the words of a data set; all of them can be read.

    Parameters
    ----------
    terms : Terms
        The words of the data set.
    """
    verb, value, item = terms.verb, _example_value(terms), f"item {in_quotes(terms.items.id(0))}"
    attribute = terms.label(terms.schema.attributes[0].name)
    number = next((plain(name) for name in terms.numbers), None)
    sized = () if number is None else (f"{number} 100..200", f"{number} over 100")
    column = next((f"{name}: {in_quotes(values[0])}" for name, values in terms.values.items()), None)
    of_number = () if number is None else (f"usual {number} 100..200",)
    return {
        "items": (
            value,
            *(() if column is None else (column,)),
            *sized,
            f"high {attribute}",
            f"low {attribute}",
            f"{attribute} {terms.schema.scale.min:g}..{terms.schema.scale.max:g}",
            "title: word",
            item,
            f"at most 10 {verb.nouns}",
        ),
        "users": (
            *(f"{lead} {value}" for lead in (verb.past, f"never {verb.past}", f"mostly {verb.past}")),
            f"{verb.past} at least 3 {value}",
            f"{verb.past} ({value} and high {attribute})",
            f"seeks {attribute}",
            f"avoids {attribute}",
            *OUTCOME_WORDS,
            f"at least 10 {verb.nouns}",
            f"last {verb.noun} in 2024-06",
            f"last {verb.noun} within 90 days",
            *of_number,
            f"shown {value}",
            f"shown {value} by the base model",
            "segment 2",
            *map(saved_phrase, list(terms.saved)[:1]),
            f"user {in_quotes(terms.users.id(0))}",
        ),
    }


def in_quotes(text: str) -> str:
    """Return a name or id in quotation marks where it would be taken for something else without."""
    simple = is_simple(text) and not set(text.casefold().split()) & {*CONNECTIVES, "between", "is"}
    return text if simple else '"' + text.replace('"', '""') + '"'


def _unknown(text: str, about: About, terms: Terms) -> str:
    """Say what is not understood, what is near, and what could be said."""
    values = (plain(value) for column in terms.values.values() for value in column) if about == "items" else ()
    near = get_close_matches(plain(text), list(dict.fromkeys([*suggestions(about, terms), *values])), 3, 0.6)
    verb = terms.verb
    noun = "items" if about == "items" else verb.users
    start = f"expected a condition on {noun}, got {_shown(text)}"
    if about == "users" and (terms.value(text) or near == []) and _is_item_phrase(text, terms):
        said = f"{verb.past} {plain(text)}"
        return f"{start}; write “{said}”, or put several things in brackets: “{verb.past} (this or that)”"
    if near:
        return f"{start}; did you mean {_quoted(near).replace(', ', ' or ')}?"
    return f"{start}; try {_examples(about, terms)}"


def _is_item_phrase(text: str, terms: Terms) -> bool:
    """Tell whether a phrase would be understood of items."""
    try:
        _item_phrase([_Token("word", word) for word in text.split()], terms)
    except InputError:
        return False
    return True


def _examples(about: About, terms: Terms) -> str:
    """Name some conditions."""
    verb, value = terms.verb, _example_value(terms)
    attribute = terms.label(terms.schema.attributes[0].name)
    number = next(iter(terms.numbers), None)
    if about == "items":
        said = [value, f"high {attribute}", *([f"{plain(number)} 100..200"] if number else [])]
    else:
        said = [f"{verb.past} {value}", f"seeks {attribute}", f"at least 10 {verb.nouns}"]
    return _quoted(said).replace(", ", " or ")


def _example_value(terms: Terms) -> str:
    """Return a value of the catalogue, or an item's id."""
    values = terms.values.get(c.CATEGORY) or next(iter(terms.values.values()), ())
    return next((name for one in values if is_simple(name := plain(one))), None) or in_quotes(terms.items.id(0))


def _quoted(names: Any) -> str:
    return ", ".join(f"“{name}”" for name in names)


def _shown(text: str) -> str:
    return f"“{text if len(text) <= 80 else f'{text[:80]}…'}”"
