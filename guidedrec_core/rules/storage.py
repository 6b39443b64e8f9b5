"""Rules in a TOML or JSON file, which people write or hand over; `store` keeps those of a data set."""

import json
import secrets
import tomllib
from pathlib import Path
from typing import Any

from guidedrec_core.errors import InputError
from guidedrec_core.files import read_bounded, read_json
from guidedrec_core.rules.rule import RuleSet

_LARGEST = 8 * 1024 * 1024


def read_rules(path: Path) -> RuleSet:
    """Read rules from a file.

    Parameters
    ----------
    path : Path
        Ends in ``.toml``, with a table ``[[rules]]`` for each rule, or in ``.json``; both have ``version = 1``.

    Raises
    ------
    InputError
        There is no such file, it cannot be read, or what it holds are no rules.
    """
    return RuleSet.parse(read_document(path, "rules"))


def write_rules(path: Path, rules: RuleSet) -> None:
    """Write rules into a JSON file, which appears whole or not at all.

    Raises
    ------
    InputError
        The file's name does not end in ``.json``.
    """
    if path.suffix.lower() != ".json":
        raise InputError(f"expected a file that ends in .json to write rules to, got {path}")
    values = rules.model_dump(mode="json", exclude_none=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_document(path: Path, what: str) -> dict[str, Any]:
    """Read a TOML or JSON file that people wrote.

    Parameters
    ----------
    path : Path
        Of the file.
    what : str
        What it should hold, for messages.

    Raises
    ------
    InputError
        There is no such regular file of bounded size, or it cannot be read as what its name says.
    """
    if path.suffix.lower() not in (".toml", ".json"):
        raise InputError(f"expected a file of {what} that ends in .toml or .json, got {path}")
    try:
        if path.suffix.lower() == ".json":
            values = read_json(path, _LARGEST)
        else:
            values = tomllib.loads(read_bounded(path, _LARGEST).decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(f"expected a file of {what}, but there is none at {path}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as {path.suffix[1:].upper()}: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"expected {what} as a table with version = 1, got {type(values).__name__} in {path}")
    if values.get("version") != 1:
        raise InputError(f"expected {what} of version 1, got version {values.get('version')!r} in {path}")
    return values
