"""The README names every command."""

from pathlib import Path

import click

import guidedrec_core
from guidedrec_core.cli.main import main

README = Path(guidedrec_core.__file__).parents[1] / "README.md"


def test_the_readme_names_every_command() -> None:
    text = README.read_text(encoding="utf-8")
    for command in main.commands.values():
        inner = command.commands.values() if isinstance(command, click.Group) else ()
        for name in [f"{command.name} {each.name}" for each in inner] or [str(command.name)]:
            assert f"guidedrec {name}" in text, name
