"""``guidedrec check``: named pass or fail rules over a run's lists, for people and for continuous integration."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.models import history_option, opened, rules_option, with_rules
from guidedrec_core.cli.output import json_option, one_line, write_json, write_table
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.errors import InputError

if TYPE_CHECKING:
    from guidedrec_core.data.dataset import Shown

_FAILED = 1


@click.command(cls=Command)
@click.argument("run", required=False)
@click.option(
    "--checks",
    "checks_file",
    type=click.Path(path_type=Path),
    help="File of checks (.toml or .json).  [default: checks that come with guidedrec]",
)
@click.option("--against", metavar="RUN", help="A refined run, or data set, that checks compare with.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write the outcome as JUnit XML, too.")
@rules_option
@history_option
@json_option
@click.pass_context
def check(
    context: click.Context,
    run: str | None,
    checks_file: Path | None,
    against: str | None,
    junit: Path | None,
    rules_file: Path | None,
    history: "Shown",
    as_json: bool,
) -> None:
    """Check the lists of a refined run.

    Each check measures all lists and says whether the value is within bounds. The exit code is 1 if any fails. RUN is a
    data set, whose newest refined run is used, or the id of a refined run; without it, the newest of all is used.
    Checks that compare with another run are skipped without --against.
    """
    from guidedrec_core.checks.check import read_checks
    from guidedrec_core.checks.outcome import junit_xml, run_checks

    session: Session = context.obj
    checks = read_checks(checks_file)
    if junit is not None and not junit.absolute().parent.is_dir():
        raise InputError(f"expected an existing folder for {junit}; make {junit.absolute().parent} first")
    with opened(session, run, None, history) as system:
        reference = None
        if against is not None:
            with opened(session, against, None, history) as other:
                reference = other
        outcomes = run_checks(checks, with_rules(system, rules_file), reference)
        name = f"{system.data.dataset.name}, run {system.run_id}"
    if junit is not None:
        junit.write_text(junit_xml(outcomes, name), encoding="utf-8")
    failed = sum(one.status == "failed" for one in outcomes)
    if as_json:
        records = [
            {
                "name": one.check.name,
                "kind": one.check.kind,
                "status": one.status,
                "value": one.value,
                "at_least": one.check.at_least,
                "at_most": one.check.at_most,
                "about": one.about,
            }
            for one in outcomes
        ]
        compared = None if reference is None else reference.run_id
        write_json({"run_id": system.run_id, "against": compared, "failed": failed, "checks": records})
    else:
        rows = [[one.status, one_line(one.check.name), one_line(one.sentence)] for one in outcomes]
        write_table(("outcome", "check", "measured"), rows)
        skipped = sum(one.status == "skipped" for one in outcomes)
        click.echo()
        click.echo(f"{len(outcomes) - failed - skipped} passed, {failed} failed, {skipped} skipped: {name}")
    if failed:
        context.exit(_FAILED)
