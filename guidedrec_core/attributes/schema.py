"""Attribute schema: the named properties that items are scored on, with the meaning of both ends."""

import hashlib
import json
import math
import os
import re
import secrets
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from guidedrec_core.columns import ITEM, USER
from guidedrec_core.config import Config
from guidedrec_core.errors import ConfigError, UnknownIdError
from guidedrec_core.files import read_bounded

LONGEST_TEXT, LONGEST_DOMAIN = 2000, 300
"""Characters of a text about an attribute, and of the kind of items: they enter every prompt."""

_MOST_LEVELS = 100
# A file with 64 attributes of a page each is smaller. The time a TOML parser needs for a dotted key grows with the
# square of its parts: 11 s for 20,000 of them, in 40 kB.
_MOST_BYTES, _MOST_PARTS = 1_000_000, 16
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+"""
# Keys occur at the start of a line, and after a bracket or a comma.
_DOTTED = re.compile(rf"(?:^|[\[{{,])[ \t]*+{_PART}(?:\.[ \t]*+{_PART}){{{_MOST_PARTS}}}", re.MULTILINE)


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
    low: str = Field(min_length=1, max_length=LONGEST_TEXT)
    """What the lowest score means."""
    high: str = Field(min_length=1, max_length=LONGEST_TEXT)
    """What the highest score means."""
    definition: str = Field("", max_length=LONGEST_TEXT)
    """What is judged, where the two ends do not say everything."""
    # Left out of stored schemas where there are none, so that these keep the hash they had before there were levels.
    levels: dict[str, str] = Field(default={}, max_length=_MOST_LEVELS, exclude_if=lambda levels: not levels)
    """What single scores mean, e.g. ``{"5": "a fleece"}``; the keys are numbers on the scale, in rising order."""

    @field_validator("levels")
    @classmethod
    def _in_order(cls, levels: dict[str, str]) -> dict[str, str]:
        """Sort the levels and write their numbers in one way, so that equal levels have one hash."""
        try:
            numbers = {key: float(key) for key in levels}
        except ValueError as error:
            raise ValueError(f"levels are named by numbers on the scale, got {', '.join(map(repr, levels))}") from error
        if len(set(numbers.values())) < len(numbers) or not all(map(math.isfinite, numbers.values())):
            raise ValueError(f"levels are different numbers, got {', '.join(levels)}")
        if not all(text.strip() for text in levels.values()):
            raise ValueError("a level needs a text; leave out those without")
        if (longest := max(map(len, levels.values()), default=0)) > LONGEST_TEXT:
            raise ValueError(f"the text of a level has at most {LONGEST_TEXT:,} characters, got {longest:,}")
        order = sorted(levels, key=numbers.__getitem__)
        return {repr(numbers[key] + 0.0).removesuffix(".0"): levels[key] for key in order}  # "-0" is "0"

    @property
    def label(self) -> str:
        """The name as people read it, e.g. ``"Story complexity"``."""
        return self.name.replace("_", " ").capitalize()


class AttributeSchema(Config):
    """The ordered attributes of one domain."""

    attributes: tuple[Attribute, ...] = Field(min_length=1, max_length=64)
    """In column order."""
    domain: str = Field("", max_length=LONGEST_DOMAIN)
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

    @model_validator(mode="after")
    def _levels_on_the_scale(self) -> "AttributeSchema":
        for attribute in self.attributes:
            outside = [key for key in attribute.levels if not self.scale.min <= float(key) <= self.scale.max]
            if outside:
                raise ValueError(
                    f"levels lie on the scale, {self.scale.min:g} to {self.scale.max:g}; "
                    f"{attribute.name} has {', '.join(outside)}"
                )
        return self

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
        return _digest(self.model_dump(mode="json"))

    def attribute_hash(self, name: str) -> str:
        """Return 12 hex digits naming one attribute and the scale: what a score of it means.

        Raises
        ------
        UnknownIdError
            No attribute has this name.
        """
        attribute = self.attributes[self.index(name)]
        return _digest({"attribute": attribute.model_dump(mode="json"), "scale": self.scale.model_dump(mode="json")})

    @classmethod
    def read(cls, path: Path | str) -> "AttributeSchema":
        """Read a TOML file (``.toml``) or a JSON file (any other name).

        Raises
        ------
        ConfigError
            The file is missing, too large, not TOML or JSON, or not a schema.
        """
        path = Path(path)
        language = "TOML" if _is_toml(path) else "JSON"
        try:
            text = _read_text(path)
            content = tomllib.loads(text) if _is_toml(path) else json.loads(text)
        except FileNotFoundError as error:
            raise ConfigError(f"expected an attribute schema at {path}, there is no such file") from error
        except (OSError, ValueError, RecursionError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise ConfigError(
                f"expected an attribute schema in {language} at {path}, cannot read it: {reason}"
            ) from error
        if not isinstance(content, dict):
            raise ConfigError(f"expected a JSON object with 'attributes' in {path}, got a {type(content).__name__}")
        return cls.parse(content)

    def write(self, path: Path | str) -> None:
        """Write a TOML file (``.toml``) or a JSON file (any other name), which replaces one that is there.

        Raises
        ------
        ConfigError
            The file cannot be written.
        """
        path = Path(path)
        content = self.model_dump(mode="json")
        text = _toml(content) if _is_toml(path) else json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            try:
                temporary.write_bytes(text.encode("utf-8"))
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise ConfigError(f"expected a place for the attribute schema, cannot write {path} ({reason})") from error


def _digest(content: dict[str, Any]) -> str:
    """Return 12 hex digits naming plain data."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read_text(path: Path) -> str:
    """Return the text of a schema's file, with the line ends that TOML requires.

    Raises
    ------
    OSError
        There is none, or it is larger than a schema can be.
    ValueError
        It is nested deeper than a schema can be, or no UTF-8.
    """
    text = read_bounded(path, _MOST_BYTES).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    if _is_toml(path) and _DOTTED.search(text):
        raise ValueError(f"a key has more than {_MOST_PARTS} parts between dots")
    return text


def _is_toml(path: Path) -> bool:
    return path.suffix.lower() == ".toml"


def _toml(content: dict[str, Any]) -> str:
    """Write a schema's plain data as TOML, one block per attribute, for editing by hand."""
    blocks = [_lines({key: value for key, value in content.items() if not isinstance(value, dict | list)})]
    blocks += [["[scale]", *_lines(content["scale"])]]
    for attribute in content["attributes"]:
        levels = attribute.pop("levels", {})
        blocks.append(["[[attributes]]", *_lines(attribute)])
        if levels:
            blocks.append(["[attributes.levels]", *_lines(levels)])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _lines(values: dict[str, Any]) -> list[str]:
    """Write keys with texts and numbers, which TOML writes like JSON except for one character."""
    keys = [key if key.isidentifier() or key.isdigit() else json.dumps(key) for key in values]
    texts = [json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") for value in values.values()]
    return [f"{key} = {text}" for key, text in zip(keys, texts, strict=True)]
