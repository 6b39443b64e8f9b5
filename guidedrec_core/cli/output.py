"""Results on standard output: JSON for programs, aligned text for people."""

import json
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Write the result as one JSON document."
)


def write_json(value: Any) -> None:
    """Write one JSON document; what is not a number becomes null."""
    click.echo(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=2))


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table with aligned columns; those that hold only numbers are aligned to the right.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : sequence of sequences of str
        Cells, ready to read.
    """
    lines = [[one_line(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numeric = [bool(rows) and all(_is_number(row[i]) for row in lines[1:]) for i in range(len(header))]
    for line in lines:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def write_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Write names and values, one pair per line."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        click.echo(f"{name.ljust(width)}  {one_line(value)}")


def one_line(text: str) -> str:
    r"""Return text that is safe in one line of a terminal: no control characters, which titles may contain.

    Examples
    --------
    >>> one_line("a\x1b[31m\nb")
    'a [31m b'
    """
    return "".join(character if character.isprintable() else " " for character in text)


def compact(values: dict[str, Any]) -> str:
    """Write small facts of a run in one line.

    Examples
    --------
    >>> compact({"items": 3650, "validation_ndcg": 0.13209, "stopped_early": True})
    'items 3,650, validation_ndcg 0.1321, stopped_early yes'
    >>> compact({"head": {"base": 0.340128, "popularity": [0.039588]}, "mode": "additive"})
    'head (base 0.3401, popularity 0.03959), mode additive'
    """
    return ", ".join(f"{name} {_readable(value)}" for name, value in values.items())


def _readable(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return f"({compact(value)})"
    if isinstance(value, list | tuple):
        return " and ".join(map(_readable, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _is_number(text: str) -> bool:
    return text == "" or text.removesuffix(" %").lstrip("+-").replace(",", "").replace(".", "").isdecimal()


def _plain(value: Any) -> Any:
    """Convert a value to JSON types."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
