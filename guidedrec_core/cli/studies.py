"""``guidedrec studies``: studies of saved cases, and tests put to people."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.output import json_option, write_facts, write_json, write_table
from guidedrec_core.cli.override import login_name
from guidedrec_core.cli.session import Group, Session
from guidedrec_core.cli.studies_people import COMMANDS

if TYPE_CHECKING:  # the database's libraries take a moment to load
    from guidedrec_core.studies.store import StudyStore


@click.group(cls=Group)
def studies() -> None:
    """Studies of saved cases, and tests that people answer."""


@studies.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List studies, the last changed first."""
    from guidedrec_core.studies.exchange import study_facts

    found = _store(session).list()
    if as_json:
        write_json({"studies": [study_facts(study) for study in found]})
        return
    if not found:
        click.echo("No studies yet; save a case in the app, or import one with `guidedrec studies import`")
        return
    write_table(
        ("study", "id", "cases", "changed by", "when (UTC)", "note"),
        [
            [
                *(study.name, study.id, str(study.n_cases), study.written.changed_by),
                *(f"{study.written.changed_at:%Y-%m-%d %H:%M}", _short(study.note)),
            ]
            for study in found
        ],
    )


@studies.command()
@click.argument("study", metavar="NAME")
@click.option("--history", is_flag=True, help="Show every change, also of what was deleted.")
@json_option
@click.pass_obj
def show(session: Session, study: str, history: bool, as_json: bool) -> None:
    """Show a study with its cases; NAME is its name or its id."""
    from guidedrec_core.studies.exchange import case_facts, change_facts, study_facts

    store = _store(session)
    found = store.find(study)
    cases = store.cases(found.id)
    changes = store.history(found.id) if history else ()
    if as_json:
        more = {"history": [change_facts(change) for change in changes]} if history else {}
        write_json({**study_facts(found), "cases": [case_facts(case) for case in cases], **more})
        return
    by = found.written
    write_facts(
        [
            ("study", found.name),
            ("note", found.note or "none"),
            ("made (UTC)", f"{by.created_at:%Y-%m-%d %H:%M} by {by.created_by}"),
            ("changed (UTC)", f"{by.changed_at:%Y-%m-%d %H:%M} by {by.changed_by}"),
        ]
    )
    if cases:
        click.echo()
        write_table(
            ("case", "data set", "user", "item", "verdict", "reason", "note", "by"),
            [
                [
                    *(case.id, case.content.dataset, case.content.user_id, case.content.item_id or ""),
                    *(case.content.verdict or "", _short(case.content.reason), _short(case.content.note)),
                    case.written.changed_by,
                ]
                for case in cases
            ],
        )
    if changes:
        click.echo()
        write_table(
            ("when (UTC)", "who", "did", "record", "why"),
            [[f"{c.at:%Y-%m-%d %H:%M:%S}", c.who, c.action, f"{c.record} {c.record_id}", c.why] for c in changes],
        )


@studies.command()
@click.argument("study", metavar="NAME")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write.  [default: print it]")
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@click.pass_obj
def export(session: Session, study: str, out: Path | None, force: bool) -> None:
    """Write a study with cases and history as JSON, which `guidedrec studies import` reads."""
    from guidedrec_core.errors import InputError
    from guidedrec_core.files import named_storage_errors
    from guidedrec_core.studies.exchange import export_study

    store = _store(session)
    document = export_study(store, store.find(study))
    if out is None:
        write_json(document)
        return
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    with named_storage_errors(out.parent):
        try:
            with out.open("w" if force else "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise InputError(f"{out} already exists; choose another name, or replace it with --force") from None
    session.note(f"{len(document['cases'])} cases in {out}")


@studies.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Another name for the study.  [default: the one in the file]")
@click.option("--who", metavar="NAME", help="Your name.  [default: the login name]")
@json_option
@click.pass_obj
def import_(session: Session, file: Path, name: str | None, who: str | None, as_json: bool) -> None:
    """Add a study from a file that `guidedrec studies export` wrote."""
    from guidedrec_core.studies.exchange import import_study, study_facts

    study = import_study(_store(session), file, who or login_name(), name)
    if as_json:
        write_json(study_facts(study))
    else:
        click.echo(f"Imported study {study.name} with {study.n_cases} cases")


for _command in COMMANDS:
    studies.add_command(_command)


def _store(session: Session) -> "StudyStore":
    from guidedrec_core.studies.store import StudyStore

    return StudyStore(session.store().home)


def _short(text: str, most: int = 60) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
