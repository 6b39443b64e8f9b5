"""`Rule`: one business rule as people write it; `RuleSet`: several; `adjustments`: what they add to scores."""

import json
import math
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Self

import numpy as np
from pydantic import AwareDatetime, Field, model_validator

from guidedrec_core.conditions.condition import Condition
from guidedrec_core.conditions.members import items_of, numbers_of, users_of
from guidedrec_core.conditions.subjects import Subjects
from guidedrec_core.config import Config
from guidedrec_core.errors import ConfigError, InputError
from guidedrec_core.ranking.adjustments import NEVER, Adjustment, Adjustments, Kind
from guidedrec_core.recommenders.refined import RefinedRecommender

_STRONGEST = 1e6
_RESERVED = ("remainder", "bias", "other_patterns", "average")


class Rule(Config):
    """One rule.

    Scores are logits of a softmax over the catalogue, so that adding ``ln(strength)`` makes an item `strength` times
    as likely, next to any other item. That is the unit of `boost`, `bury` and `margin`.
    """

    name: str = Field(min_length=1, max_length=100)
    """What people call it; it is the name of its line in every explanation."""
    kind: Kind
    """`pin`: lifted to a place. `boost`, `bury`: counts as more or less likely. `out_of_stock`: never recommended.
    `margin`: the higher a number of the catalogue, the more likely."""
    items: str | Condition
    """Which items, as a condition or as text."""
    users: str | Condition | None = None
    """Which users; all by default."""
    strength: float | None = Field(None, gt=1, le=_STRONGEST)
    """How many times as likely an item counts (boost), or how many times less (bury); for margin, at one standard
    deviation above the mean of the items concerned. 2 by default."""
    place: int | None = Field(None, ge=1, le=100)
    """The place that a pin lifts to; 1 by default. An item that stands higher anyway stays there."""
    count: int | None = Field(None, ge=1, le=100)
    """How many of the items a pin lifts, the best ones of each user; 1 by default."""
    column: str | None = Field(None, min_length=1, max_length=500)
    """The column of the catalogue that holds the margin; `margin` by default."""
    author: str = Field("", max_length=200)
    """Who made the rule."""
    time: AwareDatetime | None = None
    """When."""
    on: bool = True
    """Whether it is applied."""
    note: str = Field("", max_length=2000)
    """Why."""

    @model_validator(mode="after")
    def _settings(self) -> Self:
        """Refuse settings of another kind of rule, and names that parts of every score have."""
        allowed = {"pin": {"place", "count"}, "boost": {"strength"}, "bury": {"strength"}, "out_of_stock": set[str]()}
        allowed["margin"] = {"strength", "column"}
        given = {name for name in ("strength", "place", "count", "column") if getattr(self, name) is not None}
        wrong = sorted(given - allowed[self.kind])
        if wrong:
            raise ValueError(f"a rule of kind {self.kind} has no {' and no '.join(wrong)}; leave it out")
        if self.name in _RESERVED or not self.name.strip().isprintable() or self.name != self.name.strip():
            raise ValueError(f"expected a name of printable characters that no part of a score has, got {self.name!r}")
        return self

    @property
    def logit(self) -> float:
        """What the rule adds to a score: above 0 for a boost, below 0 for bury."""
        return (-1 if self.kind == "bury" else 1) * math.log(2.0 if self.strength is None else self.strength)


class RuleSet(Config):
    """Several rules with different names, in the order in which they stand in their file."""

    version: Literal[1] = 1
    """Of the form."""
    rules: tuple[Rule, ...] = Field((), max_length=1000)
    """The rules."""

    @model_validator(mode="after")
    def _names(self) -> Self:
        """Refuse two rules of one name."""
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected rules with different names, got {', '.join(map(repr, twice))} more than once")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(rule.name for rule in self.rules)

    @property
    def on(self) -> tuple[Rule, ...]:
        """The rules that are switched on."""
        return tuple(rule for rule in self.rules if rule.on)

    def to_json(self) -> str:
        """Return one line of JSON, the same for equal rules."""
        return json.dumps(self.model_dump(mode="json", exclude_none=True), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        ConfigError
            It is no JSON, or these are no rules.

        Examples
        --------
        >>> rules = RuleSet(rules=(Rule(name="Tents", kind="boost", items="tents"),))
        >>> RuleSet.from_json(rules.to_json()) == rules
        True
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"expected rules as JSON, got text that is none: {text[:60]!r}") from error
        return cls.parse(values)

    def take(self, names: Iterable[str]) -> tuple[Rule, ...]:
        """Return some rules by name, in order.

        Raises
        ------
        InputError
            There is no rule of a name.
        """
        wanted = set(names)
        unknown = sorted(wanted - set(self.names))
        if unknown:
            raise InputError(f"there is no rule {unknown[0]!r}; there are {', '.join(map(repr, self.names)) or 'none'}")
        return tuple(rule for rule in self.rules if rule.name in wanted)

    def switched(self, name: str, on: bool, author: str, time: datetime) -> Self:
        """Return the same rules with one switched on or off, by whom and when.

        Raises
        ------
        InputError
            There is no such rule.
        ConfigError
            There is no author.
        """
        if not author.strip():
            raise ConfigError("expected the name of who switches the rule, got none")
        self.take([name])
        changed = {"on": on, "author": author.strip(), "time": time}
        rules = tuple(rule.model_copy(update=changed) if rule.name == name else rule for rule in self.rules)
        return self.model_copy(update={"rules": rules})


def adjustments(rules: Iterable[Rule], model: RefinedRecommender) -> Adjustments:
    """Return what rules add to the scores of a model.

    Parameters
    ----------
    rules : iterable of Rule
        Applied whether they are on or not; see `RuleSet.on`.
    model : RefinedRecommender
        Whose items and users their conditions speak of.

    Raises
    ------
    InputError
        A condition is not understood, names what the data set does not have, or no item fulfils it; the message says
        in which rule.
    """
    subjects = Subjects(model)
    return Adjustments(tuple(_adjustment(rule, subjects) for rule in rules))


def _adjustment(rule: Rule, subjects: Subjects) -> Adjustment:
    """Return what one rule adds."""
    try:
        items = items_of(rule.items, subjects)
        users = None if rule.users is None else users_of(rule.users, subjects)
        if not items.any():
            raise InputError("no item fulfils its condition; change the condition, or leave the rule out")
        amounts = np.where(items, _amounts(rule, subjects, items), 0.0)
    except InputError as error:
        raise InputError(f"rule {rule.name!r}: {error}") from error
    return Adjustment(rule.name, rule.kind, items, amounts, users, rule.place or 1, rule.count or 1)


def _amounts(rule: Rule, subjects: Subjects, items: np.ndarray) -> np.ndarray:
    """Return what a rule adds to each item it concerns, ``[n_items]``."""
    if rule.kind == "pin":
        return np.zeros(len(items))
    if rule.kind == "out_of_stock":
        return np.full(len(items), NEVER)
    if rule.kind != "margin":
        return np.full(len(items), rule.logit)
    margins = numbers_of(rule.column or "margin", subjects)
    known = items & ~np.isnan(margins)
    if not known.any():
        raise InputError("none of its items has a margin; change the condition or the column")
    mean, spread = margins[known].mean(), margins[known].std()
    return np.where(known, rule.logit * (margins - mean) / (spread or 1.0), 0.0)
