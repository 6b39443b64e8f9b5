"""Conditions on items and on users, as plain data or as text, and which items and users fulfil them.

Everything that rules, checks and the sandbox need of conditions goes through `parsed`, `items_of` and `users_of`.

As text, joined by "and": ``category: jackets, vests`` (any column of names), ``price 100..200``, ``price over 100``,
``price under 50``, ``warmth 7..10`` (a raw score), ``item TVB-007, KNI-020``, each with "not" before it; of users,
``bought PHRASE`` with the data set's own verb, ``never bought PHRASE``, ``user S0001, S0002``.
"""

import re
from typing import Annotated, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, ValidationError, model_validator

from guidedrec_core import columns as c
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.config import Config
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import InputError, UnknownIdError

Mask = npt.NDArray[np.bool_]
About = Literal["items", "users"]
Name = Annotated[str, Field(min_length=1, max_length=500)]
DEEPEST = 20
"""Levels of a condition at most."""


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

    def holds(self, values: npt.NDArray[np.floating]) -> Mask:
        """Return where values lie in the range; unknown ones (NaN) do not."""
        inside: Mask = ~np.isnan(values)
        if self.low is not None:
            inside &= (values > self.low) if self.above else (values >= self.low)
        if self.high is not None:
            inside &= (values < self.high) if self.below else (values <= self.high)
        return inside


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


class UserIds(Config):
    """Users by id."""

    kind: Literal["users"] = "users"
    ids: tuple[Name, ...] = Field(min_length=1, max_length=100_000)
    """User ids."""


class Had(Config):
    """Users whose past, as far as the models are shown it, holds some of a set of items."""

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


class _Joined(Config):
    of: tuple["Condition", ...] = Field(min_length=1, max_length=200)
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
    ItemIds | ItemValue | ItemNumber | ItemScore | UserIds | Had | AllOf | AnyOf | Not, Field(discriminator="kind")
]
"""Any condition, in the JSON form ``{"kind": "value", "column": "category", "values": ["jackets"]}``."""

for _model in (Had, _Joined, AllOf, AnyOf, Not):
    _model.model_rebuild()


class Described(Protocol):
    """What conditions need of a refined recommender; see `RefinedRecommender`."""

    @property
    def data(self) -> SplitDataset:
        """Histories and catalogue."""

    @property
    def item_scores(self) -> GuidedScores:
        """Raw scores of all items."""

    @property
    def verb(self) -> InteractionVerb:
        """How to speak of the data set's interactions."""


def about(condition: Condition) -> About:
    """Return what a condition is about.

    Examples
    --------
    >>> about(Not(of=ItemIds(ids=("a",)))), about(UserIds(ids=("u",)))
    ('items', 'users')
    """
    while isinstance(condition, AllOf | AnyOf | Not):
        condition = condition.of if isinstance(condition, Not) else condition.of[0]
    return "users" if isinstance(condition, UserIds | Had) else "items"


def parsed(given: Condition | str, wanted: About, model: Described) -> Condition:
    """Return a condition given as such or as text.

    Raises
    ------
    InputError
        The text is not understood, or the condition is about something else.
    """
    condition = _read(given, wanted, model) if isinstance(given, str) else given
    if about(condition) != wanted:
        raise InputError(f"expected a condition on {wanted}, got one on {about(condition)}")
    return condition


def items_of(given: Condition | str, model: Described) -> Mask:
    """Return the items that fulfil a condition, ``[n_items]``.

    Raises
    ------
    InputError
        The condition is not understood, or is one on users.
    UnknownIdError
        It names a column, attribute or id that the data set does not have.
    """
    return _members(parsed(given, "items", model), model)


def users_of(given: Condition | str, model: Described) -> Mask:
    """Return the users that fulfil a condition, ``[n_users]``; errors as in `items_of`."""
    return _members(parsed(given, "users", model), model)


def _members(condition: Condition, model: Described, depth: int = 0) -> Mask:
    """Return what fulfils a condition."""
    if depth > DEEPEST:
        raise InputError(f"expected a condition of at most {DEEPEST} levels; split it")
    dataset = model.data.dataset
    match condition:
        case AllOf() | AnyOf():
            parts = [_members(one, model, depth + 1) for one in condition.of]
            joined: Mask = (np.logical_and if isinstance(condition, AllOf) else np.logical_or).reduce(parts)
            return joined
        case Not():
            return ~_members(condition.of, model, depth + 1)
        case ItemIds():
            return _of_ids(condition.ids, dataset.items)
        case UserIds():
            return _of_ids(condition.ids, dataset.users)
        case ItemValue():
            cells = _column(condition.column, model).fillna("").astype(str)
            codes, different = cells.factorize()
            wanted = {plain(value) for value in condition.values}
            holds = np.array([not wanted.isdisjoint(map(plain, cell.split("|"))) for cell in different], dtype=bool)
            found: Mask = holds[codes]
            return found
        case ItemNumber():
            return condition.holds(numbers_of(condition.column, model))
        case ItemScore():
            return condition.holds(model.item_scores.values[:, attribute_of(condition.attribute, model)])
        case Had():
            return _had(condition, model, depth)
    raise AssertionError(condition)


def numbers_of(column: str, model: Described) -> npt.NDArray[np.float64]:
    """Return a column of the catalogue as numbers, ``[n_items]``, NaN where unknown.

    Raises
    ------
    UnknownIdError
        There is no such column, or it holds no numbers.
    """
    numbers = pd.to_numeric(_column(column, model), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(numbers).any():
        raise UnknownIdError(f"expected a column of numbers, got {column!r}, which holds none")
    return np.where(np.isfinite(numbers), numbers, np.nan)


def attribute_of(name: str, model: Described) -> int:
    """Return the position of an attribute given by name or label.

    Raises
    ------
    UnknownIdError
        There is none of this name.
    """
    for number, attribute in enumerate(model.item_scores.schema.attributes):
        if plain(name) in (plain(attribute.name), plain(attribute.label)):
            return number
    raise UnknownIdError(f"unknown attribute {name!r}; there are {', '.join(model.item_scores.schema.names)}")


def plain(text: str) -> str:
    """Return a text as names are compared: without case, underscores and repeated spaces.

    Examples
    --------
    >>> plain("Base_Layers ")
    'base layers'
    """
    return " ".join(text.casefold().replace("_", " ").split())


def _column(name: str, model: Described) -> pd.Series:
    """Return a column of the catalogue."""
    frame = model.data.dataset.catalogue.frame
    for column in map(str, frame.columns):
        if plain(column) == plain(name):
            return frame[column]
    raise UnknownIdError(f"the catalogue has no column {name!r}; it has {', '.join(map(str, frame.columns))}")


def _of_ids(ids: tuple[str, ...], vocabulary: Vocabulary) -> Mask:
    """Return where ids are, refused where unknown."""
    mask = np.zeros(len(vocabulary), dtype=bool)
    mask[vocabulary.indexes(list(ids))] = True
    return mask


def _had(condition: Had, model: Described, depth: int) -> Mask:
    """Return the users whose past holds some items."""
    items, data = _members(condition.items, model, depth + 1), model.data
    found = np.zeros(len(data.dataset.users), dtype=bool)
    for user in range(len(found)):
        history = data.shown_history(user)
        count = int(items[history].sum())
        found[user] = count >= max(condition.least, condition.share * len(history))
    return found


_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_RANGE = re.compile(
    rf"(?P<name>.+?)\s+(?:(?P<first>{_NUMBER})\s*\.\.\s*(?P<last>{_NUMBER})"
    rf"|(?P<sign>over|above|under|below|at least|at most)\s+(?P<end>{_NUMBER})|exactly\s+(?P<only>{_NUMBER}))"
)


def _read(text: str, wanted: About, model: Described) -> Condition:
    """Read a condition from text."""
    phrases = [phrase.strip() for phrase in re.split(r"\s+and\s+", text.strip())]
    if len(text) > 4000 or not all(phrases):
        raise _not_understood(text, wanted, model)
    read = [_phrase(phrase, wanted, model) for phrase in phrases]
    return read[0] if len(read) == 1 else AllOf(of=tuple(read))


def _phrase(text: str, wanted: About, model: Described) -> Condition:
    """Read one phrase."""
    if text.startswith("not "):
        return Not(of=_phrase(text[4:].strip(), wanted, model))
    try:
        found = _user_phrase(text, model) if wanted == "users" else _item_phrase(text, model)
    except ValidationError as error:
        raise InputError(f"expected a condition on {wanted}, got {text!r}: {error.errors()[0]['msg']}") from error
    if found is None:
        raise _not_understood(text, wanted, model)
    return found


def _item_phrase(text: str, model: Described) -> Condition | None:
    """Read one phrase on items; None where it is not understood."""
    if listed := re.fullmatch(r"items? (.+)", text):
        return ItemIds(ids=_listed(listed[1]))
    if ":" in text:
        column, _, values = text.partition(":")
        return ItemValue(column=str(_column(column.strip(), model).name), values=_listed(values))
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    ends = _ends(found)
    name = found["name"]
    names = {plain(one.name): one.name for one in model.item_scores.schema.attributes}
    names |= {plain(one.label): one.name for one in model.item_scores.schema.attributes}
    if plain(name) in names:
        return ItemScore(attribute=names[plain(name)], **ends)
    return ItemNumber(column=str(_column(name, model).name), **ends)


def _user_phrase(text: str, model: Described) -> Condition | None:
    """Read one phrase on users; None where it is not understood."""
    if listed := re.fullmatch(r"users? (.+)", text):
        return UserIds(ids=_listed(listed[1]))
    for start, negated in ((f"never {model.verb.past} ", True), (f"{model.verb.past} ", False)):
        if text.startswith(start):
            had = Had(items=_phrase(text[len(start) :].strip(), "items", model))
            return Not(of=had) if negated else had
    return None


def _listed(text: str) -> tuple[str, ...]:
    """Return what stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _ends(found: re.Match[str]) -> dict[str, float | bool]:
    """Return the ends of a range."""
    if found["first"] is not None:
        return {"low": float(found["first"]), "high": float(found["last"])}
    if found["only"] is not None:
        return {"low": float(found["only"]), "high": float(found["only"])}
    end, sign = float(found["end"]), found["sign"]
    if sign in ("over", "above", "at least"):
        return {"low": end, "above": sign != "at least"}
    return {"high": end, "below": sign != "at most"}


def _not_understood(text: str, wanted: About, model: Described) -> InputError:
    """Say what is not understood, and what could be said."""
    attribute = plain(model.item_scores.schema.attributes[0].name)
    examples = f"“{c.CATEGORY}: …”, “{attribute} 7..10” or “item …”"
    if wanted == "users":
        examples = f"“{model.verb.past} {c.CATEGORY}: …”, “never {model.verb.past} {attribute} 7..10” or “user …”"
    return InputError(f"expected a condition on {wanted}, got {text[:80]!r}; try {examples}")


def _expect(condition: Condition, wanted: About) -> None:
    """Refuse a condition about something else."""
    if about(condition) != wanted:
        raise ValueError(f"expected a condition on {wanted}, got one on {about(condition)}")
