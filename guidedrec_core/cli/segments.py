"""``guidedrec segments``: list, show and delete saved segments of users."""

from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.output import json_option, write_facts, write_json, write_table
from guidedrec_core.cli.override import login_name
from guidedrec_core.cli.session import Group, Session

if TYPE_CHECKING:  # the database's libraries take a moment to load
    from guidedrec_core.audience.saved import SegmentStore

_dataset_option = click.option("--dataset", metavar="NAME", help="Look only there.  [default: in all data sets]")


@click.group(cls=Group)
def segments() -> None:
    """List, show and delete saved segments of users.

    `guidedrec audience --users CONDITION --save NAME` saves one, as the Audience page does.
    """


@segments.command("list")
@click.argument("dataset", required=False)
@json_option
@click.pass_obj
def list_(session: Session, dataset: str | None, as_json: bool) -> None:
    """List the saved segments of a data set, or of all."""
    from guidedrec_core.audience.saved import segment_facts

    found = _store(session).list(dataset)
    if as_json:
        write_json({"segments": [segment_facts(one) for one in found]})
        return
    if not found:
        click.echo("No segments yet; `guidedrec audience --users CONDITION --save NAME` saves one")
        return
    write_table(
        ("segment", "data set", "users who", "changed by", "when (UTC)", "note"),
        [
            [
                *(one.name, one.dataset, _short(one.text), one.written.changed_by),
                *(f"{one.written.changed_at:%Y-%m-%d %H:%M}", _short(one.note)),
            ]
            for one in found
        ],
    )


@segments.command()
@click.argument("segment", metavar="NAME")
@_dataset_option
@click.option("--history", is_flag=True, help="Show every change.")
@json_option
@click.pass_obj
def show(session: Session, segment: str, dataset: str | None, history: bool, as_json: bool) -> None:
    """Show a saved segment; NAME is its name or its id.

    What its users seek, are shown and gain: `guidedrec audience --segment NAME`.
    """
    from guidedrec_core.audience.saved import segment_facts
    from guidedrec_core.studies.exchange import change_facts

    store = _store(session)
    found = store.find(segment, dataset)
    changes = store.history(found) if history else ()
    if as_json:
        more = {"history": [change_facts(change) for change in changes]} if history else {}
        write_json({**segment_facts(found), **more})
        return
    by = found.written
    write_facts(
        [
            ("segment", found.name),
            ("id", found.id),
            ("data set", found.dataset),
            ("users who", found.text or found.definition.to_json()),
            ("note", found.note or "none"),
            ("made (UTC)", f"{by.created_at:%Y-%m-%d %H:%M} by {by.created_by}"),
            ("changed (UTC)", f"{by.changed_at:%Y-%m-%d %H:%M} by {by.changed_by}"),
        ]
    )
    if changes:
        click.echo()
        write_table(
            ("when (UTC)", "who", "did", "why"),
            [[f"{one.at:%Y-%m-%d %H:%M:%S}", one.who, one.action, one.why] for one in changes],
        )


@segments.command()
@click.argument("segment", metavar="NAME")
@_dataset_option
@click.option("--who", metavar="NAME", help="Your name.  [default: the login name]")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the history.")
@json_option
@click.pass_obj
def delete(session: Session, segment: str, dataset: str | None, who: str | None, why: str, as_json: bool) -> None:
    """Delete a saved segment; its history stays. NAME is its name or its id."""
    store = _store(session)
    found = store.find(segment, dataset)
    store.delete(found, who or login_name(), why)
    if as_json:
        write_json({"deleted": found.id, "name": found.name, "dataset": found.dataset})
    else:
        click.echo(f"Deleted segment {found.name} of data set {found.dataset}")


def _store(session: Session) -> "SegmentStore":
    from guidedrec_core.audience.saved import SegmentStore

    return SegmentStore(session.store().home)


def _short(text: str, most: int = 60) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
