"""`Draft`: attributes while people edit them, complete or not, and what is still wrong with them in plain words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from guidedrec_core.attributes.schema import LONGEST_DOMAIN, LONGEST_TEXT, Attribute, AttributeSchema, Scale
from guidedrec_core.columns import ITEM, USER
from guidedrec_core.errors import ConfigError

_MOST = 64
_LONGEST_NAME = 60
_LEVEL = re.compile(r"\s*(-?\d+(?:[.,]\d+)?)\s*[:=]\s*(\S.*?)\s*")
_NOTHING = str.maketrans("", "", "'’")


@dataclass(frozen=True)
class DraftAttribute:
    """One attribute as it is typed.

    Attributes
    ----------
    label : str
        Its name as people read it.
    low, high, definition : str
        As in `Attribute`.
    levels : str
        One level per line, e.g. ``"5: a fleece"``.
    name : str
        The name it was stored under, kept as long as the label says the same; empty for a new one.
    """

    label: str = ""
    low: str = ""
    high: str = ""
    definition: str = ""
    levels: str = ""
    name: str = ""

    @classmethod
    def of(cls, attribute: Attribute) -> "DraftAttribute":
        """Make a draft of a finished attribute."""
        levels = "\n".join(f"{value}: {text}" for value, text in attribute.levels.items())
        return cls(attribute.label, attribute.low, attribute.high, attribute.definition, levels, attribute.name)

    @property
    def column(self) -> str:
        """Name of the attribute's column in score tables: the label in ASCII letters, digits and underscores."""
        label = " ".join(self.label.split())
        if self.name and Attribute(name=self.name, low="-", high="-").label == label:
            return self.name
        ascii_ = unicodedata.normalize("NFKD", label.translate(_NOTHING)).encode("ascii", "ignore").decode()
        return re.sub(r"[^A-Za-z0-9]+", "_", ascii_).strip("_").lower()

    def problems(self, scale: Scale) -> list[str]:
        """Say what is wrong with it, in phrases that follow its name."""
        wrong_name = self._wrong_name()
        return ([wrong_name] if wrong_name else []) + self._problems_of_texts(scale)

    def _problems_of_texts(self, scale: Scale) -> list[str]:
        """Say what is wrong with all but the name."""
        found = []
        for end, text in ((scale.min, self.low), (scale.max, self.high)):
            if not text.strip():
                found.append(f"does not say what {end:g} means")
        longest = max(map(len, (self.low, self.high, self.definition)))
        if longest > LONGEST_TEXT:
            found.append(f"has a text of {longest:,} characters; the maximum is {LONGEST_TEXT:,}")
        levels, wrong = self.parsed_levels()
        if wrong:
            found.append(f"has a level that cannot be read: “{wrong[0]}”; write a number, a colon and its meaning")
        outside = [key for key in levels if not scale.min <= float(key) <= scale.max]
        if outside:
            found.append(f"has a level at {outside[0]}, outside the scale from {scale.min:g} to {scale.max:g}")
        return found

    def _wrong_name(self) -> str:
        """Say what is wrong with its name; empty where nothing is."""
        if not self.label.strip():
            return "has no name"
        if not self.column or not self.column[0].isalpha():
            return "needs a name that begins with a letter a to z"
        if len(self.column) > _LONGEST_NAME:
            return f"has a name of {len(self.column)} letters; the maximum is {_LONGEST_NAME}"
        if self.column in (USER, ITEM):
            return "has the name of an ID column; choose another name"
        return ""

    def parsed_levels(self) -> tuple[dict[str, str], list[str]]:
        """Return the levels, and the lines that are not a level or repeat one."""
        levels: dict[str, str] = {}
        wrong = []
        for line in filter(str.strip, self.levels.splitlines()):
            match = _LEVEL.fullmatch(line)
            key = f"{float(match[1].replace(',', '.')):g}" if match else ""
            if match is None or key in levels:
                wrong.append(line.strip())
            else:
                levels[key] = match[2]
        return levels, wrong


@dataclass(frozen=True)
class Draft:
    """Attributes while they are edited; every change returns a new draft.

    Attributes
    ----------
    attributes : tuple of DraftAttribute
        In order.
    domain : str
        What kind of items is scored.
    scale : Scale
        Range of the scores.
    """

    attributes: tuple[DraftAttribute, ...]
    domain: str
    scale: Scale

    @classmethod
    def of(cls, schema: AttributeSchema) -> "Draft":
        """Start from a finished schema."""
        return cls(tuple(DraftAttribute.of(one) for one in schema.attributes), schema.domain, schema.scale)

    def add(self) -> "Draft":
        """Add an empty attribute at the end."""
        return replace(self, attributes=(*self.attributes, DraftAttribute()))

    def remove(self, place: int) -> "Draft":
        """Remove an attribute."""
        return replace(self, attributes=self.attributes[:place] + self.attributes[place + 1 :])

    def change(self, place: int, **texts: str) -> "Draft":
        """Change texts of an attribute; see `DraftAttribute`."""
        changed = replace(self.attributes[place], **texts)
        return replace(self, attributes=(*self.attributes[:place], changed, *self.attributes[place + 1 :]))

    def move(self, place: int, by: int) -> "Draft":
        """Move an attribute up (negative) or down, as far as there is room."""
        rest = list(self.attributes)
        moved = rest.pop(place)
        rest.insert(min(max(place + by, 0), len(rest)), moved)
        return replace(self, attributes=tuple(rest))

    def problems(self) -> tuple[str, ...]:
        """Say in whole sentences what keeps it from being a schema; empty when nothing does."""
        if not self.attributes:
            return ("There are no attributes; add one, or start from a template.",)
        found = [
            f"{one.label.strip() or f'Attribute {number}'} {problem}."
            for number, one in enumerate(self.attributes, start=1)
            for problem in one.problems(self.scale)
        ]
        counts = Counter(one.column for one in self.attributes if one.column)
        found += [
            f"{count} attributes are called {column.replace('_', ' ').capitalize()}; give them different names."
            for column, count in counts.items()
            if count > 1
        ]
        if len(self.domain) > LONGEST_DOMAIN:
            found.append(f"The domain has {len(self.domain):,} characters; the maximum is {LONGEST_DOMAIN}.")
        if len(self.attributes) > _MOST:
            found.append(f"There are {len(self.attributes)} attributes; the maximum is {_MOST}.")
        return tuple(found)

    def schema(self) -> AttributeSchema:
        """Return the finished schema.

        Raises
        ------
        ConfigError
            There are problems; see `problems`.
        """
        problems = self.problems()
        if problems:
            raise ConfigError(" ".join(problems))
        attributes = [
            {
                "name": one.column,
                "low": one.low.strip(),
                "high": one.high.strip(),
                "definition": one.definition.strip(),
                "levels": one.parsed_levels()[0],
            }
            for one in self.attributes
        ]
        return AttributeSchema.parse(
            {"attributes": attributes, "domain": self.domain.strip(), "scale": self.scale.model_dump()}
        )


def changes(before: AttributeSchema, after: AttributeSchema) -> tuple[str, ...]:
    """Say in words how two schemas differ; empty when they do not.

    Parameters
    ----------
    before, after : AttributeSchema
        Compared by the names of attributes: another name is another attribute.
    """
    labels = {one.name: one.label for one in (*before.attributes, *after.attributes)}
    new, removed = _without(after.names, before.names), _without(before.names, after.names)
    kept = _without(after.names, new)
    reworded = [name for name in kept if _differs(before, after, name)]
    said = [
        f"{verb}: {', '.join(map(labels.__getitem__, names))}"
        for verb, names in (("new", new), ("removed", removed), ("reworded", reworded))
        if names
    ]
    if kept != _without(before.names, removed):
        said.append("in another order")
    if before.scale != after.scale:
        said.append(f"scored from {after.scale.min:g} to {after.scale.max:g}")
    if before.domain != after.domain:
        said.append(f"of {after.domain}" if after.domain else "without a domain")
    return tuple(said)


def _without(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return the names that are not among others, in order."""
    return [name for name in names if name not in others]


def _differs(before: AttributeSchema, after: AttributeSchema, name: str) -> bool:
    return before.attributes[before.index(name)] != after.attributes[after.index(name)]
