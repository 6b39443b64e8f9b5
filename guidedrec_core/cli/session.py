"""What all commands share: common options, the stores of runs and jobs, and notes on standard error."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.progress_line import ProgressLine

if TYPE_CHECKING:  # reading runs needs pandas, which `--help` must not wait for
    from datetime import datetime

    from guidedrec_core.jobs.store import JobStore
    from guidedrec_core.runs.store import RunStore


@dataclass
class Session:
    """The common options of one call of the program.

    Attributes
    ----------
    home : Path or None
        Where runs are; None is ``$GUIDEDREC_HOME``, else ``./runs``.
    quiet : bool
        No progress and no notes on standard error.
    debug : bool
        Show the traceback of an error.
    """

    home: Path | None = None
    quiet: bool = False
    debug: bool = False

    def store(self, reuse_since: "datetime | None" = None) -> "RunStore":
        """Return the store of runs; stages do not reuse those made before a moment, if one is given."""
        from guidedrec_core.runs.store import RunStore

        home = RunStore.default().home if self.home is None else self.home
        return RunStore(home, reuse_since)

    def jobs(self) -> "JobStore":
        """Return the store of jobs, in the same folder."""
        from guidedrec_core.jobs.store import JobStore

        return JobStore(self.store().home)

    @contextlib.contextmanager
    def progress(self) -> Iterator[ProgressLine]:
        """Show the progress of what happens inside."""
        line = ProgressLine(sys.stderr, self.quiet)
        try:
            yield line
        finally:
            line.close()

    def note(self, text: str) -> None:
        """Write a note to standard error, apart from the result."""
        if not self.quiet:
            click.echo(f"Note: {text}", err=True)

    def notices(self, notices: list[dict[str, Any]]) -> None:
        """Write the stored notices of a run as notes."""
        for notice in notices:
            self.note(notice["message"])


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Store a given value in the session; the option may be anywhere on the command line."""
    if value:
        setattr(ctx.ensure_object(Session), str(parameter.name), value)


def _everywhere() -> list[click.Parameter]:
    """Return the options that every command takes, before or after its name."""
    about: dict[str, Any] = {"expose_value": False, "callback": _remember}
    return [
        click.Option(
            ["--home"],
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder of all runs.  [default: $GUIDEDREC_HOME, else ./runs]",
            **about,
        ),
        click.Option(["--quiet", "-q"], is_flag=True, help="No progress and no notes on standard error.", **about),
        click.Option(["--debug"], is_flag=True, help="Show the traceback of an error.", **about),
    ]


class SettingOption(click.Option):
    """A placeholder of an option that is made from a configuration's field when its command is first used.

    Type, help and default of such an option come from the configuration, which needs pydantic; neither
    ``guidedrec --help`` nor the commands without such options wait for that.

    Parameters
    ----------
    declarations : sequence of str
        The option as it is written, and the name of the command's argument.
    make : callable
        Returns the option itself; called once.
    """

    def __init__(self, declarations: Sequence[str], make: Callable[[], click.Option]) -> None:
        super().__init__(declarations)
        self.make = make


class Command(click.Command):
    """A command that takes the common options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._params.extend(_everywhere())

    @property
    def params(self) -> list[click.Parameter]:
        """The parameters, with every `SettingOption` made."""
        self._params[:] = [each.make() if isinstance(each, SettingOption) else each for each in self._params]
        return self._params

    @params.setter
    def params(self, given: list[click.Parameter]) -> None:
        self._params = given


class Group(click.Group):
    """A group of such commands that takes the common options itself."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_everywhere())

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they were added, which follows the workflow."""
        return list(self.commands)


Group.group_class = Group


class DefaultGroup(Group):
    """A group with a default command: arguments that start with no command's name are for this one.

    Parameters
    ----------
    default : str
        Name of the command.
    """

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        # Options before any name that the group does not know are left for the default command.
        super().__init__(*args, context_settings={"ignore_unknown_options": True}, **kwargs)
        self.default = default

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command and its arguments."""
        return super().resolve_command(ctx, args if args[0] in self.commands else [self.default, *args])
