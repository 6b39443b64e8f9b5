"""The command line ``guidedrec``: results on standard output, progress and notes on standard error.

Exit codes: 0 done, 2 invalid usage or bad input, 1 failure, 130 interrupted.
"""

import os
import sys
import traceback
from typing import Any, NoReturn

import click

from guidedrec_core import __version__
from guidedrec_core.cli.ablate import ablate
from guidedrec_core.cli.app import app
from guidedrec_core.cli.audience import audience
from guidedrec_core.cli.audit import audit
from guidedrec_core.cli.backup import backup, restore
from guidedrec_core.cli.check import check
from guidedrec_core.cli.data import data
from guidedrec_core.cli.discover import discover
from guidedrec_core.cli.doctor import doctor
from guidedrec_core.cli.evaluate import evaluate
from guidedrec_core.cli.explain import explain
from guidedrec_core.cli.export import export
from guidedrec_core.cli.jobs import jobs
from guidedrec_core.cli.moves import moves
from guidedrec_core.cli.override import override, overrides
from guidedrec_core.cli.preview import preview
from guidedrec_core.cli.recommend import recommend
from guidedrec_core.cli.report import report
from guidedrec_core.cli.rules import rules
from guidedrec_core.cli.runs import runs
from guidedrec_core.cli.sandbox import sandbox
from guidedrec_core.cli.score import score
from guidedrec_core.cli.score_reliability import reliability
from guidedrec_core.cli.score_schema import suggest, template
from guidedrec_core.cli.segments import segments
from guidedrec_core.cli.session import Group, Session
from guidedrec_core.cli.stages import build, project, refine, train
from guidedrec_core.cli.studies import studies
from guidedrec_core.cli.vectors import vectors
from guidedrec_core.errors import GuidedrecError, TrainingError
from guidedrec_core.training.threads import wait_passively

_FAILED, _WRONG_USE, _INTERRUPTED = 1, 2, 130
_RESUME = "Interrupted. Run the same command again to resume: what is finished is kept."


class _InterruptedError(Exception):
    """Ctrl-C, hidden from click, which would print its own line."""


class Program(Group):
    """The root command, which turns every error into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise _InterruptedError from error

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program and leave with its exit code."""
        wait_passively()
        session = Session()
        # Set by torchrun, which starts several processes with the same command.
        together = "TORCHELASTIC_RUN_ID" in os.environ
        if together and not _lead():
            sys.exit(_follow())
        try:
            code = super().main(*args, **{"obj": session, **kwargs, "standalone_mode": False})
            if together and not code:
                _dismiss()
        except Exception as error:
            if session.debug:
                traceback.print_exc()
            code = _report(error)
        sys.exit(code if isinstance(code, int) else 0)


def _lead() -> bool:
    """Join the process group; return whether this process leads it."""
    from guidedrec_core.training import parallel

    parallel.join()
    return parallel.rank() == 0


def _dismiss() -> NoReturn:
    """Release the followers, and exit with them. After a failure torchrun ends them."""
    from guidedrec_core.training import parallel

    parallel.broadcast(None)
    parallel.leave()


def _follow() -> int:
    """Take part in the leader's trainings and exit with the others; return the exit code after a failure."""
    from guidedrec_core.training import parallel
    from guidedrec_core.training.loop import follow

    try:
        follow()
        parallel.leave()
    except TrainingError:
        return _FAILED  # the leader has the same error and reports it
    except Exception as error:
        click.echo(f"Error in process {parallel.rank()}: {type(error).__name__}: {error}", err=True)
        return _FAILED


def _report(error: Exception) -> int:
    """Report an error in one line; return the exit code."""
    if isinstance(error, _InterruptedError | click.Abort):
        click.echo(_RESUME, err=True)
        return _INTERRUPTED
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return _WRONG_USE
    if isinstance(error, GuidedrecError):
        message, code = str(error), error.exit_code
    elif isinstance(error, click.ClickException):
        message, code = error.format_message(), _WRONG_USE
        if isinstance(error, click.UsageError) and error.ctx is not None:
            message = f"{message.rstrip('.')}; `{error.ctx.command_path} --help` shows the use"
    elif isinstance(error, OSError) and error.filename and error.strerror:
        message = f"{error.filename}: {error.strerror}; check the path, its rights and the space left"
        code = _FAILED
    else:
        message = f"unexpected {type(error).__name__}: {error} (the same command with --debug shows where)"
        code = _FAILED
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    return code


@click.group(cls=Program, name="guidedrec", context_settings={"help_option_names": ["--help", "-h"]})
@click.version_option(__version__, prog_name="guidedrec")
def main() -> None:
    """Audit why a recommender recommends.

    Start with `guidedrec app`, which shows a bundled shop, or with your own data: `guidedrec data import`.

    Results go to standard output, progress and notes to standard error. Exit codes: 0 done, 2 invalid usage or bad
    input, 1 failure, 130 interrupted.
    """


_COMMANDS = (
    *(app, data, vectors, build, train, score, refine, evaluate, ablate, audit, project),
    *(recommend, explain, moves, audience, rules, check, sandbox, discover, preview, report, export, studies, segments),
    *(runs, jobs, backup, restore, doctor),
)
for _command in _COMMANDS:
    main.add_command(_command)
for _command in (template, suggest, reliability, override, overrides):
    score.add_command(_command)


if __name__ == "__main__":
    main(prog_name="guidedrec")
