"""`Terms`: the words that conditions on one data set are made of: its columns, their values, attributes and ids."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.conditions.condition import Condition
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.facts.catalogue import NOT_FACTS, label_of
from guidedrec_core.items.search import fold

_NUMERIC_SHARE = 0.95  # of the filled cells that must be numbers for a column to be one of numbers
_SPACE = r"[\s_]+"
_SIMPLE = re.compile(r"[\w.+&/'’-]+(?: [\w.+&/'’-]+)*")
_MOST_VALUES = 5000
"""Different values of a column that are known by themselves; those of a column of more are written after its name."""


def plain(text: str) -> str:
    """Return a text as words are compared: without case, accents, underscores and repeated spaces.

    Examples
    --------
    >>> plain("Base_Layers "), plain("CAFÉ  noir")
    ('base layers', 'cafe noir')
    """
    return " ".join(fold(text).replace("_", " ").split())


@dataclass(frozen=True, eq=False)
class Terms:
    """The words of one data set.

    Attributes
    ----------
    verb : InteractionVerb
        How to speak of its interactions.
    schema : AttributeSchema
        The attributes that can be named.
    items, users : Vocabulary
        Ids.
    values : mapping of str to tuple of str
        Each column of the catalogue with names for values, and its different values.
    numbers : mapping of str to ndarray
        Each column of numbers, float64 ``[n_items]``, NaN where unknown.
    crowded : tuple of str
        Columns of too many different values to know them, such as shops or sentences.
    saved : mapping of str to Condition
        Saved segments by name: conditions on users, which text can use as ``segment: NAME``.
    """

    verb: InteractionVerb
    schema: AttributeSchema
    items: Vocabulary
    users: Vocabulary
    values: Mapping[str, tuple[str, ...]] = field(repr=False)
    numbers: Mapping[str, npt.NDArray[np.float64]] = field(repr=False)
    crowded: tuple[str, ...] = ()
    saved: Mapping[str, Condition] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, dataset: Dataset, schema: AttributeSchema, verb: InteractionVerb) -> "Terms":
        """Read the words off a data set's catalogue."""
        frame = dataset.catalogue.frame
        values: dict[str, tuple[str, ...]] = {}
        numbers: dict[str, npt.NDArray[np.float64]] = {}
        crowded: list[str] = []
        for column in map(str, frame.columns):
            if column in NOT_FACTS:
                continue
            found = None if column == c.CATEGORY else _numbers(frame[column])
            if found is not None:
                numbers[column] = found
                continue
            different = sorted({value for cell in frame[column].dropna().unique() for value in cell_values(str(cell))})
            if len(different) > _MOST_VALUES:
                crowded.append(column)
            elif different:
                values[column] = tuple(different)
        return cls(verb, schema, dataset.items, dataset.users, values, numbers, tuple(crowded))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that can be named, those of values first."""
        return (*self.values, *self.crowded, *self.numbers)

    @cached_property
    def _columns(self) -> dict[str, str]:
        """Column by its plain name and its plain label; a name wins over a label."""
        columns = self.columns
        return {**{plain(label_of(one)): one for one in columns}, **{plain(one): one for one in columns}}

    @cached_property
    def _attributes(self) -> dict[str, str]:
        """Attribute by its plain name and its plain label."""
        each = self.schema.attributes
        return {**{plain(one.name): one.name for one in each}, **{plain(one.label): one.name for one in each}}

    @cached_property
    def _of_value(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Columns and values by the plain value."""
        found: dict[str, list[tuple[str, str]]] = {}
        for column, values in self.values.items():
            for value in values:
                found.setdefault(plain(value), []).append((column, value))
        return {name: tuple(pairs) for name, pairs in found.items()}

    @cached_property
    def with_connectives(self) -> tuple[re.Pattern[str], ...]:
        """Patterns of the values that hold words such as "and", which must not be taken apart; longest first."""
        # A value that is nothing but such a word has to be typed in quotation marks.
        names = [name for name in self._of_value if " " in name and re.search(r"\b(and|or|not|but)\b", name)]
        return tuple(
            re.compile(rf"(?<!\w){_SPACE.join(map(re.escape, name.split()))}(?!\w)", re.IGNORECASE)
            for name in sorted(names, key=len, reverse=True)
        )

    def column(self, name: str) -> str | None:
        """Return the column of a name as people write it; None where there is none."""
        return self._columns.get(plain(name))

    def attribute(self, name: str) -> str | None:
        """Return the name of the attribute that people call so; None where there is none."""
        return self._attributes.get(plain(name))

    def label(self, attribute: str) -> str:
        """Return an attribute's label for use inside a sentence; its name where it is not of this data set."""
        found = next((one.label for one in self.schema.attributes if one.name == attribute), attribute)
        return found[:1].lower() + found[1:]

    def value(self, name: str, column: str | None = None) -> tuple[tuple[str, str], ...]:
        """Return the columns and values that people call so; one in singular finds one in plural, and the other way.

        Parameters
        ----------
        name : str
            As people write it.
        column : str, optional
            Look only there.
        """
        wanted = plain(name)
        for form in (wanted, f"{wanted}s", wanted.removesuffix("s"), f"{wanted}es", wanted.removesuffix("es")):
            found = tuple(pair for pair in self._of_value.get(form, ()) if column in (None, pair[0]))
            if found:
                return found
        return ()


def is_simple(text: str) -> bool:
    """Return whether a text has no characters that mean something in a condition.

    Examples
    --------
    >>> is_simple("t-shirts"), is_simple("odd, (one)")
    (True, False)
    """
    return bool(_SIMPLE.fullmatch(text))


def cell_values(cell: str) -> list[str]:
    """Return the values of one cell.

    Examples
    --------
    >>> cell_values("Drama| War|")
    ['Drama', 'War']
    """
    return [value for part in cell.split("|") if (value := part.strip())]


def _numbers(column: pd.Series) -> npt.NDArray[np.float64] | None:
    """Return a column as numbers, NaN where unknown; None where it holds other things."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return None
    filled = column.notna() & (column.astype(str).str.strip() != "")
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(numbers)
    if not known.any() or known.sum() < _NUMERIC_SHARE * filled.sum():
        return None
    return np.where(known, numbers, np.nan)
