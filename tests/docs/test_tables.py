"""Markdown tables: what cannot be a table is refused."""

import doctest

import pytest
from sitegen import command_line, mathml, notebook, readme, tables


@pytest.mark.parametrize("module", [tables, command_line, mathml, notebook, readme])
def test_the_examples_in_docstrings_hold(module: object) -> None:
    outcome = doctest.testmod(module)
    assert outcome.attempted
    assert not outcome.failed


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected 2 cells as in \['a', 'b'\], got \['1'\]"):
        tables.table(["a", "b"], [["1"]])


def test_small_changes_keep_their_sign_and_a_minus_is_a_minus() -> None:
    assert tables.gain(0.004, -0.012, 0.02) == "+0.4 % [−1, 2]"
    assert tables.percent(-0.0004) == "−0.0 %"


def test_one_row_is_found_and_two_are_refused() -> None:
    rows = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    assert tables.by(rows, a=1, b=2) is rows[1]
    with pytest.raises(LookupError, match="found 2"):
        tables.by(rows, a=1)
    with pytest.raises(LookupError, match="found 0"):
        tables.by(rows, a=3)
