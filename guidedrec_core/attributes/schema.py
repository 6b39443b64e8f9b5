"""Attribute schema: the named properties items are scored on, with the meaning of both ends."""

import hashlib
import json
from pathlib import Path

from pydantic import Field, field_validator

from guidedrec_core.columns import ITEM, USER
from guidedrec_core.config import Config
from guidedrec_core.errors import ConfigError, UnknownIdError


class Scale(Config):
    """Range of raw scores."""

    min: float = 0
    """Raw score of the low end."""
    max: float = 10
    """Raw score of the high end."""

    def model_post_init(self, _: object) -> None:
        """Check the order of the ends."""
        if not self.min < self.max:
            raise ConfigError(f"an attribute scale needs min < max, got {self.min:g} and {self.max:g}")


class Attribute(Config):
    """One named property."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60)
    """Column name in score tables."""
    low: str = Field(min_length=1)
    """What the lowest score means."""
    high: str = Field(min_length=1)
    """What the highest score means."""
    definition: str = ""
    """What is judged, when the two ends do not say it all."""

    @property
    def label(self) -> str:
        """The name as people read it, e.g. ``"Story complexity"``."""
        return self.name.replace("_", " ").capitalize()


class AttributeSchema(Config):
    """The ordered attributes of one domain."""

    attributes: tuple[Attribute, ...] = Field(min_length=1, max_length=64)
    """In column order."""
    domain: str = ""
    """What kind of items is scored, e.g. ``"movies"``."""
    scale: Scale = Scale()
    """Range of raw scores."""

    @field_validator("attributes")
    @classmethod
    def _unique(cls, attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
        names = [a.name for a in attributes]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"attribute names must be unique, got twice: {', '.join(twice)}")
        ids = sorted({USER, ITEM} & set(names))
        if ids:
            raise ValueError(f"{' and '.join(ids)} is the name of a column of ids; call the attribute something else")
        return attributes

    def __len__(self) -> int:
        return len(self.attributes)

    @property
    def names(self) -> tuple[str, ...]:
        """Attribute names in column order."""
        return tuple(a.name for a in self.attributes)

    def index(self, name: str) -> int:
        """Return an attribute's column.

        Raises
        ------
        UnknownIdError
            No attribute has this name.
        """
        if name not in self.names:
            raise UnknownIdError(f"unknown attribute {name!r}; this schema has {', '.join(self.names)}")
        return self.names.index(name)

    def hash(self) -> str:
        """Return 12 hex digits naming the content."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @classmethod
    def read(cls, path: Path) -> "AttributeSchema":
        """Read a JSON file.

        Raises
        ------
        ConfigError
            The file is missing, not JSON, or not a schema.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError as error:
            raise ConfigError(f"expected an attribute schema at {path}, there is no such file") from error
        except (OSError, ValueError) as error:
            raise ConfigError(f"expected an attribute schema in JSON at {path}, cannot read it: {error}") from error
        if not isinstance(content, dict):
            raise ConfigError(f"expected a JSON object with 'attributes' in {path}, got a {type(content).__name__}")
        return cls.parse(content)
