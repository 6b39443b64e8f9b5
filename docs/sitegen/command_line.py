"""The reference of the command line, from the commands themselves: what `--help` prints, as Markdown."""

import html
from collections.abc import Iterator, Set

import click


def walk(command: click.Command, ctx: click.Context | None = None) -> Iterator[tuple[click.Command, click.Context]]:
    """Give a command and all below it, each with its context, in the order of `--help`."""
    name = command.name if ctx is None else f"{ctx.info_name} {command.name}"
    ctx = click.Context(command, info_name=name)
    yield command, ctx
    if isinstance(command, click.Group):
        for inner in command.list_commands(ctx):
            yield from walk(command.commands[inner], ctx)


def commands_table(root: click.Command) -> str:
    """List the commands that do something, with a line on each and a link to its part of the reference."""
    lines = ["| Command | What it does |", "| :-- | :-- |"]
    for command, ctx in walk(root):
        if not isinstance(command, click.Group):
            what = _text(command.get_short_help_str(limit=200)).replace("|", "\\|")
            lines.append(f"| [`{ctx.info_name}`](#{anchor(ctx)}) | {what} |")
    return "\n".join(lines)


def reference(root: click.Command) -> str:
    """Write every command with its use, its help and its options; what all commands share comes first."""
    shared = shared_options(root)
    lines = ["### Options of every command", "", *_options(next(walk(root)), only=shared), ""]
    for command, ctx in walk(root):
        if command is root:
            continue
        usage = " ".join([str(ctx.info_name), *command.collect_usage_pieces(ctx)])
        lines += [
            f"### `{ctx.info_name}` {{ #{anchor(ctx)} }}",
            "",
            "```text",
            usage,
            "```",
            "",
            help_text(command),
            "",
        ]
        lines += [*_options((command, ctx), without=shared), ""]
    return "\n".join(lines)


def anchor(ctx: click.Context) -> str:
    """Return the fragment that leads to a command.

    Examples
    --------
    >>> anchor(click.Context(click.Command("list"), info_name="guidedrec data list"))
    'guidedrec-data-list'
    """
    return str(ctx.info_name).replace(" ", "-")


def help_text(command: click.Command) -> str:
    """Return a command's help as paragraphs of Markdown."""
    paragraphs = (command.help or "").replace("\b\n", "").split("\n\n")
    return "\n\n".join(_text(" ".join(paragraph.split())) for paragraph in paragraphs)


def shared_options(root: click.Command) -> set[str]:
    """Return the first names of the options that every command takes."""
    each = [{option.opts[0] for option in _of(command, ctx)} for command, ctx in walk(root)]
    return set.intersection(*each)


def _of(command: click.Command, ctx: click.Context) -> list[click.Parameter]:
    """Return a command's options as `--help` lists them."""
    return [each for each in command.get_params(ctx) if each.get_help_record(ctx) is not None]


def _options(
    of: tuple[click.Command, click.Context], only: set[str] | None = None, without: Set[str] = frozenset()
) -> list[str]:
    """Write a table of options: names and values, and what they mean."""
    command, ctx = of
    rows = []
    for option in _of(command, ctx):
        if option.opts[0] in without or (only is not None and option.opts[0] not in only):
            continue
        names, meaning = option.get_help_record(ctx) or ("", "")
        # As an entity, because a bar would end the cell.
        names = html.escape(names, quote=False).replace("|", "&#124;")
        rows.append(f"| <code>{names}</code> | {_text(meaning).replace('|', '&#124;')} |")
    return ["| Option | Meaning |", "| :-- | :-- |", *rows] if rows else []


def _text(plain: str) -> str:
    """Escape what Markdown or HTML would take as markup; backticks stay, because help texts use them."""
    parts = plain.split("`")
    for n in range(0, len(parts), 2):
        for mark in "\\*_[]<>":
            parts[n] = parts[n].replace(mark, f"\\{mark}" if mark not in "<>" else html.escape(mark))
    return "`".join(parts)
