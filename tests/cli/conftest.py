"""The program called in this process, with its two output streams apart."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
from click.testing import CliRunner, Result
from web import file_server  # noqa: F401

from guidedrec_core.cli.main import main


@pytest.fixture
def call() -> Callable[..., Result]:
    """Call the program and expect an exit code; nothing may ever look like a traceback."""

    def program(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="guidedrec")
        assert result.exit_code == code, f"{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.output
        return result

    return program


@pytest.fixture
def document(call: Callable[..., Result]) -> Callable[..., Any]:
    """Call the program with --json and return the one document on standard output."""

    def program(*arguments: object, code: int = 0) -> Any:
        return json.loads(call(*arguments, "--json", code=code).stdout)

    return program


@pytest.fixture
def refused(call: Callable[..., Result]) -> Callable[..., str]:
    """Call the program in a wrong way; expect one line on standard error alone, and return it."""

    def program(*arguments: object) -> str:
        result = call(*arguments, code=2)
        assert result.stdout == ""
        *before, said = result.stderr.splitlines(keepends=True)
        assert said.startswith("Error: ")
        # What takes longer than a second says where it is.
        assert all(re.match(r"(data|scores|train [a-z]+): ", line) for line in before)
        return said

    return program


@pytest.fixture
def tiny_files(tmp_path: Path) -> tiny.TinyFiles:
    """The tiny shop as a user would bring it."""
    return tiny.write_shop(tmp_path / "files")


@pytest.fixture
def small() -> tuple[str, ...]:
    """Options that make training a matter of a second."""
    sizes = {"width": 8, "max-length": 6, "max-epochs": 1, "threads": 1, "batch-size": 32, "bootstrap-samples": 100}
    return tuple(f"--{name}={value}" for name, value in sizes.items())
