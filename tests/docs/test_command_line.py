"""The command line is documented whole: every command and option has help, and stands in the reference."""

import re

import click
import pytest
from sitegen.command_line import anchor, commands_table, help_text, reference, shared_options, walk

from guidedrec_core.cli.main import main

COMMANDS = [(command, ctx) for command, ctx in walk(main) if command is not main]


@pytest.mark.parametrize(("command", "ctx"), COMMANDS, ids=[str(ctx.info_name) for _, ctx in COMMANDS])
def test_a_command_and_its_options_have_help(command: click.Command, ctx: click.Context) -> None:
    assert command.help, f"{ctx.info_name} has no help"
    for option in command.get_params(ctx):
        if isinstance(option, click.Option) and not option.hidden:
            assert option.help, f"{ctx.info_name} {option.opts[0]} has no help"


def test_the_reference_has_every_command_with_its_options() -> None:
    text, shared = reference(main), shared_options(main)
    parts = text.split("\n### ")
    assert shared == {"--home", "--quiet", "--debug", "--help"}
    for command, ctx in COMMANDS:
        part = next(p for p in parts if p.startswith(f"`{ctx.info_name}` "))
        assert f"{{ #{anchor(ctx)} }}" in part
        listed = set(re.findall(r"--[a-z-]+", " ".join(re.findall("<code>(.*?)</code>", part))))
        options = [o for o in command.get_params(ctx) if isinstance(o, click.Option) and not o.hidden]
        assert {o.opts[0] for o in options} - shared <= listed
        assert not listed & shared


def test_the_list_of_commands_links_to_the_reference() -> None:
    listed = commands_table(main)
    for command, ctx in COMMANDS:
        assert (f"[`{ctx.info_name}`](#{anchor(ctx)})" in listed) == (not isinstance(command, click.Group))


def test_markup_in_a_help_text_is_shown_as_it_is() -> None:
    command = click.Command("odd", help="Takes `a|b` and [x] <y> *z*.\n\nSecond\nline.")
    assert help_text(command) == "Takes `a|b` and \\[x\\] &lt;y&gt; \\*z\\*.\n\nSecond line."


def test_a_bar_in_an_option_does_not_end_its_cell() -> None:
    option = click.Option(["--mode"], type=click.Choice(["a", "b"]), help="Either a|b.")
    group = click.Group("tool", commands=[click.Command("run", params=[option], help="Run.")])
    assert "| <code>--mode [a&#124;b]</code> | Either a&#124;b. |" in reference(group)
