"""Conditions on items and on users: a small grammar of plain data, and the definition that is stored.

A condition says what it is about (items or users); conditions about the same are joined by *all*, *any* and *not*.
They hold names and ids as people know them, never indexes, so that a stored one can be applied to other runs.
`guidedrec_core.conditions.reading` reads them from typed text, `guidedrec_core.conditions.phrases` writes them as such.
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from guidedrec_core.config import Config
from guidedrec_core.errors import ConfigError

About = Literal["items", "users"]
End = Literal["high", "low"]
Outcome = Literal["lost", "found", "both", "neither"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

VERSION: Literal[1] = 1
"""Of the stored form."""
DEEPEST, MOST_PARTS, LONGEST_TEXT = 20, 200, 4000
"""Limits of a condition: levels and parts, and characters of its text."""

Name = Annotated[str, Field(min_length=1, max_length=500)]


class _Range(Config):
    """Numbers from `low` to `high`; an end that is None is open."""

    low: float | None = None
    """Smallest value."""
    high: float | None = None
    """Largest value."""
    above: bool = False
    """Leave `low` itself out."""
    below: bool = False
    """Leave `high` itself out."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        """Refuse a range without ends, and one that ends before it begins."""
        if self.low is None and self.high is None:
            raise ValueError("expected a smallest or a largest value, got neither")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"expected a range from a smaller to a larger value, got {self.low:g} to {self.high:g}")
        return self


class ItemIds(Config):
    """Items by id."""

    kind: Literal["items"] = "items"
    ids: tuple[Name, ...] = Field(min_length=1, max_length=10_000)
    """Item ids."""


class ItemValue(Config):
    """Items with one of some values in a column of the catalogue; several values of a cell are joined by ``|``."""

    kind: Literal["value"] = "value"
    column: Name
    """Column of the catalogue."""
    values: tuple[Name, ...] = Field(min_length=1, max_length=1000)
    """Values as they stand in the catalogue."""


class ItemNumber(_Range):
    """Items whose number in a column of the catalogue lies in a range; those without a number do not."""

    kind: Literal["number"] = "number"
    column: Name
    """Column of the catalogue."""


class ItemScore(_Range):
    """Items whose score on an attribute, as it was given, lies in a range; those without a score do not."""

    kind: Literal["score"] = "score"
    attribute: Name
    """Name of an attribute."""


class ItemEnd(Config):
    """The quarter of the items with the highest or the lowest scores on an attribute."""

    kind: Literal["end"] = "end"
    attribute: Name
    """Name of an attribute."""
    end: End
    """Which quarter."""


class ItemTitle(Config):
    """Items whose title holds all of some words, or beginnings of words."""

    kind: Literal["title"] = "title"
    words: Name
    """The words, in any case."""


class ItemInteractions(_Range):
    """Items with so many interactions in the training data."""

    kind: Literal["interactions"] = "interactions"


class UserIds(Config):
    """Users by id."""

    kind: Literal["users"] = "users"
    ids: tuple[Name, ...] = Field(min_length=1, max_length=100_000)
    """User ids."""


class Had(Config):
    """Users whose past holds some of a set of items.

    The past is the part of the history that the models were shown.
    """

    kind: Literal["had"] = "had"
    items: "Condition"
    """Which items; a condition about items."""
    least: int = Field(1, ge=1)
    """Interactions with them at least."""
    share: float = Field(0.0, ge=0, le=1)
    """Share of all past interactions at least."""

    @model_validator(mode="after")
    def _about(self) -> Self:
        """Refuse a condition on users inside."""
        _expect(self.items, "items")
        return self


class Past(_Range):
    """Users with so many past interactions."""

    kind: Literal["past"] = "past"


class LastTime(Config):
    """Users whose last past interaction was in a period; a period without a beginning or end is open there."""

    kind: Literal["last"] = "last"
    first: date | None = None
    """First day of the period (UTC)."""
    until: date | None = None
    """Last day of the period (UTC)."""
    days: int | None = Field(None, ge=1)
    """Instead of a period: within so many days before the newest interaction of the data."""

    @model_validator(mode="after")
    def _period(self) -> Self:
        """Refuse a period without ends, or one given twice."""
        dated = self.first is not None or self.until is not None
        if dated == (self.days is not None):
            raise ValueError("expected the first or last day of a period, or a number of days; give one of both")
        if self.first is not None and self.until is not None and self.first > self.until:
            raise ValueError(f"expected a period from an earlier to a later day, got {self.first} to {self.until}")
        return self


class Usual(_Range):
    """Users whose past items have such a number in a column of the catalogue on average."""

    kind: Literal["usual"] = "usual"
    column: Name
    """Column of the catalogue."""


class Taste(Config):
    """The quarter of the users whose past items score highest, or lowest, on an attribute.

    Measured by the guided profile: the decayed mean of past items' scores that the refined model itself uses.
    """

    kind: Literal["taste"] = "taste"
    attribute: Name
    """Name of an attribute."""
    end: End
    """Which quarter."""


class Refined(Config):
    """Users by what refinement did to their held-out items, in the ten best of either model.

    ``lost``: in the base model's list and not in the refined one's; ``found``: the other way round; ``both`` and
    ``neither``. With several held-out items one of them is enough.
    """

    kind: Literal["refined"] = "refined"
    outcome: Outcome
    """What happened."""


class Shown(Config):
    """Users whose list holds one of a set of items."""

    kind: Literal["shown"] = "shown"
    items: "Condition"
    """Which items; a condition about items."""
    model: Literal["base", "refined"] = "refined"
    """Whose list."""

    @model_validator(mode="after")
    def _about(self) -> Self:
        """Refuse a condition on users inside."""
        _expect(self.items, "items")
        return self


class Segment(Config):
    """Users of a segment that was found; see `guidedrec_core.audience.segments`."""

    kind: Literal["segment"] = "segment"
    number: int = Field(ge=1)
    """Number of the segment, from 1."""
    name: str = ""
    """Its name, which must still be the same; "" for any."""


class _Joined(Config):
    of: tuple["Condition", ...] = Field(min_length=1, max_length=MOST_PARTS)
    """The conditions joined, all about the same."""

    @model_validator(mode="after")
    def _alike(self) -> Self:
        """Refuse to join conditions on items and on users."""
        for one in self.of:
            _expect(one, about(self.of[0]))
        return self


class AllOf(_Joined):
    """What fulfils all of some conditions."""

    kind: Literal["all"] = "all"


class AnyOf(_Joined):
    """What fulfils any of some conditions."""

    kind: Literal["any"] = "any"


class Not(Config):
    """What does not fulfil a condition."""

    kind: Literal["not"] = "not"
    of: "Condition"
    """The condition."""


Condition = Annotated[
    ItemIds
    | ItemValue
    | ItemNumber
    | ItemScore
    | ItemEnd
    | ItemTitle
    | ItemInteractions
    | UserIds
    | Had
    | Past
    | LastTime
    | Usual
    | Taste
    | Refined
    | Shown
    | Segment
    | AllOf
    | AnyOf
    | Not,
    Field(discriminator="kind"),
]
"""Any condition."""

_ON_ITEMS = (ItemIds, ItemValue, ItemNumber, ItemScore, ItemEnd, ItemTitle, ItemInteractions)

for _model in (Had, Shown, _Joined, AllOf, AnyOf, Not):
    _model.model_rebuild()


def about(condition: Condition) -> About:
    """Return what a condition is about.

    Examples
    --------
    >>> about(Not(of=ItemIds(ids=("a",)))), about(Taste(attribute="warmth", end="high"))
    ('items', 'users')
    """
    while isinstance(condition, AllOf | AnyOf | Not):
        condition = condition.of if isinstance(condition, Not) else condition.of[0]
    return "items" if isinstance(condition, _ON_ITEMS) else "users"


class Definition(Config):
    """A condition as it is stored: with the version of the grammar, what it is about, and the text it was typed as."""

    version: Literal[1] = VERSION
    """Of the grammar."""
    about: About
    """What the condition is about."""
    condition: Condition
    """The condition itself, which counts; the text is for reading."""
    text: str = Field("", max_length=LONGEST_TEXT)
    """The same as text."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """Refuse a condition about something else."""
        _expect(self.condition, self.about)
        return self

    @classmethod
    def of(cls, condition: Condition, text: str = "") -> Self:
        """Wrap a condition."""
        return cls(about=about(condition), condition=condition, text=text)

    def to_json(self) -> str:
        """Return one line of JSON, the same for equal definitions."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        ConfigError
            It is no JSON, of another version, or no condition of this grammar.

        Examples
        --------
        >>> stored = Definition.of(Past(low=5), "at least 5 purchases").to_json()
        >>> Definition.from_json(stored).condition.low
        5.0
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"expected a condition as JSON, got text that is none: {text[:60]!r}") from error
        if not isinstance(values, dict):
            raise ConfigError(f"expected a condition as a JSON object, got {type(values).__name__}")
        if values.get("version") != VERSION:
            raise ConfigError(
                f"expected a condition of version {VERSION}, got {values.get('version')!r}; "
                "it was stored by another version of guidedrec"
            )
        check_size(values)
        return cls.parse(values)


def check_size(values: Any) -> None:
    """Refuse plain data that is too deep or has too many parts for a condition.

    Raises
    ------
    ConfigError
        It has more than `DEEPEST` levels of conditions or `MOST_PARTS` of them.
    """
    level, parts = [values], 0
    for _ in range(2 * DEEPEST):  # conditions alternate with the lists that hold them
        level = [inner for one in level for inner in _inner(one)]
        parts += sum(isinstance(one, dict) for one in level)
        if not level:
            break
    if level or parts > MOST_PARTS:
        raise ConfigError(f"expected a condition of at most {MOST_PARTS} parts on {DEEPEST} levels; split it")


def _inner(value: Any) -> Iterator[Any]:
    """Yield what plain data holds, as far as it can hold conditions."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    yield from (one for one in inside if isinstance(one, dict | list))


def _expect(condition: Condition, wanted: About) -> None:
    """Refuse a condition about something else."""
    if about(condition) != wanted:
        raise ValueError(f"expected a condition on {wanted}, got one on {about(condition)}")
