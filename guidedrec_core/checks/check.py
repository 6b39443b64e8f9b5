"""`Check`: one named pass or fail rule as people write it; `CheckSet`: several, kept in a TOML file."""

from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from guidedrec_core.conditions.condition import Condition
from guidedrec_core.config import Config
from guidedrec_core.rules.storage import read_document

Kind = Literal[
    "share",
    "coverage",
    "top_item",
    "repeats",
    "ndcg",
    "missing_scores",
    "ndcg_kept",
    "overlap",
    "moves",
    "popularity",
    "exposure_shift",
    "scores_agree",
    "weights_kept",
    "values_agree",
    "histories_agree",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
AGAINST: tuple[Kind, ...] = KINDS[KINDS.index("ndcg_kept") :]
"""Kinds that compare a run with another one, the reference."""
_SHARES: tuple[Kind, ...] = (
    "share", "coverage", "top_item", "repeats", "missing_scores", "overlap", "exposure_shift", "values_agree",
    "histories_agree",
)  # fmt: skip
_WITH_ITEMS: tuple[Kind, ...] = ("share",)
_WITH_USERS: tuple[Kind, ...] = ("share", "overlap", "moves")
_WITH_COLUMN: tuple[Kind, ...] = ("values_agree", "exposure_shift")


class Check(Config):
    """One check: a measure of all lists, or of those of some users, and how large or small it may be."""

    name: str = Field(min_length=1, max_length=200)
    """What people call it."""
    kind: Kind
    """What is measured; see `guidedrec_core.checks.measures`."""
    k: int = Field(10, ge=1, le=100)
    """Length of the lists."""
    items: str | Condition | None = None
    """Which items; only for `share`."""
    users: str | Condition | None = None
    """Whose lists; only for `share`, `overlap` and `moves`, all by default."""
    column: str | None = Field(None, min_length=1, max_length=500)
    """Column of the catalogue, `category` by default; only for `values_agree` and `exposure_shift`."""
    at_least: float | None = None
    """Smallest value that passes."""
    at_most: float | None = None
    """Largest value that passes."""
    note: str = Field("", max_length=2000)
    """Why it matters."""

    @model_validator(mode="after")
    def _settings(self) -> Self:
        """Refuse a check that nothing can fail, and settings of another kind."""
        if self.at_least is None and self.at_most is None:
            raise ValueError("expected at_least or at_most, got neither")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} is more than at_most {self.at_most:g}; nothing could pass")
        if self.kind == "share" and self.items is None:
            raise ValueError("a check of kind share needs items")
        for field, kinds in (("items", _WITH_ITEMS), ("users", _WITH_USERS), ("column", _WITH_COLUMN)):
            if getattr(self, field) is not None and self.kind not in kinds:
                raise ValueError(f"a check of kind {self.kind} has no {field}; leave it out")
        return self

    def passes(self, value: float) -> bool:
        """Tell whether a value is within the bounds; one that is no number never is."""
        low = self.at_least is None or value >= self.at_least
        return low and (self.at_most is None or value <= self.at_most) and value == value

    @property
    def bounds(self) -> str:
        """The bounds in words.

        Examples
        --------
        >>> Check(name="Variety", kind="coverage", at_least=0.4).bounds
        'at least 0.4'
        """
        ends = (("at least", self.at_least), ("at most", self.at_most))
        return " and ".join(f"{words} {end:g}" for words, end in ends if end is not None)

    def words(self, value: float) -> str:
        """Write a value of this check: in percent where it is a share of something.

        Examples
        --------
        >>> Check(name="Variety", kind="coverage", at_least=0.4).words(0.771)
        '77.1 %'
        >>> Check(name="As before", kind="moves", at_most=3).words(1.25)
        '1.25'
        """
        return f"{100 * value:.3g} %" if self.kind in _SHARES else f"{value:.3g}"

    @property
    def bounds_in_words(self) -> str:
        """The bounds for people: shares in percent."""
        ends = (("at least", self.at_least), ("at most", self.at_most))
        return ", ".join(f"{words} {self.words(end)}" for words, end in ends if end is not None)


class CheckSet(Config):
    """Several checks with different names."""

    version: Literal[1] = 1
    """Of the form."""
    checks: tuple[Check, ...] = Field(min_length=1, max_length=1000)
    """The checks."""

    @model_validator(mode="after")
    def _names(self) -> Self:
        """Refuse two checks of one name."""
        names = [check.name for check in self.checks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected checks with different names, got {', '.join(map(repr, twice))} more than once")
        return self


DEFAULT = Path(__file__).parent / "default.toml"
"""Checks that make sense for any data set; thresholds are explained in the file."""


def read_checks(path: Path | None = None) -> CheckSet:
    """Read checks from a TOML or JSON file; the default ones without a path.

    Raises
    ------
    InputError
        There is no such file, it cannot be read, or what it holds are no checks.
    """
    return CheckSet.parse(read_document(DEFAULT if path is None else path, "checks"))
