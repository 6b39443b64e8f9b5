"""Markdown tables and the numbers in them."""

from collections.abc import Iterable, Sequence
from typing import Any

MINUS = "\N{MINUS SIGN}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1) -> str:
    """Write a Markdown table.

    Parameters
    ----------
    head : sequence of str
        Names of the columns.
    rows : iterable of sequence
        As many cells each.
    left : int
        Leading columns that are text; the others hold numbers and align to the right.

    Raises
    ------
    ValueError
        A row with too many or too few cells.

    Examples
    --------
    >>> print(table(["model", "MRR"], [["base", "0.108"]]))
    | model | MRR |
    | :-- | --: |
    | base | 0.108 |
    """
    lines = [head, [":--" if column < left else "--:" for column in range(len(head))], *rows]
    for row in lines:
        if len(row) != len(head):
            raise ValueError(f"expected {len(head)} cells as in {list(head)}, got {list(row)}")
    return "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in lines)


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with a fixed count of decimals; a dash where there is none.

    Examples
    --------
    >>> number(0.10814), number(-0.02, 2), number(2600.2, 0), number(None)
    ('0.108', '−0.02', '2,600', '–')
    """
    if value is None:
        return "\N{EN DASH}"
    return f"{value:,.{digits}f}".replace("-", MINUS)


def percent(share: float) -> str:
    """Write a relative change in whole percent; a smaller change keeps a decimal, so that its sign can be seen.

    Examples
    --------
    >>> percent(0.126), percent(-0.291), percent(0.002), percent(0.0)
    ('+13 %', '−29 %', '+0.2 %', '0 %')
    """
    return f"{_whole(share, sign=True)} %"


def gain(value: float, low: float, high: float) -> str:
    """Write a relative gain with its interval in percent.

    Examples
    --------
    >>> gain(0.1278, 0.098, 0.159), gain(0.02, -0.002, 0.04)
    ('+13 % [10, 16]', '+2 % [−0.2, 4]')
    """
    return f"{percent(value)} [{_whole(low)}, {_whole(high)}]"


def interval(value: float, low: float, high: float, digits: int = 2) -> str:
    """Write a value with its interval.

    Examples
    --------
    >>> interval(3.2352, 3.069, 3.4058)
    '3.24 [3.07, 3.41]'
    """
    return f"{number(value, digits)} [{number(low, digits)}, {number(high, digits)}]"


def _whole(share: float, sign: bool = False) -> str:
    """Write a share in percent without the sign for percent."""
    hundredths = 100 * share
    plus = "+" if sign and hundredths > 0 else ""
    digits = 0 if abs(hundredths) >= 0.95 or hundredths == 0 else 1
    return f"{plus}{hundredths:.{digits}f}".replace("-", MINUS)


def by(rows: Iterable[dict[str, Any]], **wanted: object) -> dict[str, Any]:
    """Return the one row that has the wanted values.

    Raises
    ------
    LookupError
        None has, or several have.

    Examples
    --------
    >>> by([{"model": "base", "MRR": 0.1}, {"model": "refined", "MRR": 0.2}], model="refined")["MRR"]
    0.2
    """
    found = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    if len(found) != 1:
        raise LookupError(f"expected one row with {wanted}, found {len(found)}")
    return found[0]
