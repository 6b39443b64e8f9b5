"""``guidedrec backup`` and ``guidedrec restore``: all of a home in one file, and back."""

from dataclasses import asdict
from pathlib import Path

import click

from guidedrec_core.cli.output import json_option, write_facts, write_json
from guidedrec_core.cli.session import Command, Session


@click.command(cls=Command)
@click.option(
    "--out", required=True, metavar="FILE", type=click.Path(path_type=Path), help="New ZIP file, outside the home."
)
@json_option
@click.pass_context
def backup(ctx: click.Context, out: Path, as_json: bool) -> None:
    """Write all of --home into one file, while the app and jobs go on.

    That is every run, the SQLite databases as of one moment, jobs, uploads, pictures and attributes; not unfinished
    trainings and downloads, and not a PostgreSQL database, for which there is pg_dump. Exits with 1 when a run is
    damaged and therefore missing in the file, which is written all the same.
    """
    from guidedrec_core.backup.backup import back_up

    session: Session = ctx.obj
    with session.progress() as listener:
        report = back_up(session.store().home, out, listener)
    for sentence in (*report.damaged, *report.notes):
        session.note(sentence)
    if as_json:
        write_json(asdict(report))
    else:
        write_facts(
            [
                ("backup", str(report.path)),
                ("runs", f"{report.runs:,}"),
                ("files", f"{report.files:,}, {report.bytes / 1e6:,.1f} MB"),
                ("damaged runs left out", f"{len(report.damaged):,}"),
            ]
        )
    ctx.exit(1 if report.damaged else 0)


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def restore(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Restore a backup into --home, which must be new or empty.

    Every file is compared with its checksum first; one that differs ends it, and nothing is left. Exits with 1 when
    this version cannot open some of the restored runs.
    """
    from guidedrec_core.backup.restore import restore as restore_file

    session: Session = ctx.obj
    with session.progress() as listener:
        report = restore_file(file, session.store().home, listener)
    for sentence in (*report.unreadable, *report.notes):
        session.note(sentence)
    if as_json:
        write_json(asdict(report))
    else:
        write_facts(
            [
                ("restored to", str(report.home)),
                ("made (UTC)", f"{report.created:%Y-%m-%d %H:%M} by guidedrec {report.package_version}"),
                ("runs", f"{report.runs:,}, {len(report.unreadable):,} of them unreadable for this version"),
                ("files", f"{report.files:,}, {report.bytes / 1e6:,.1f} MB"),
            ]
        )
    ctx.exit(1 if report.unreadable else 0)
