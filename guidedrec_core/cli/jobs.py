"""``guidedrec jobs``: list, show and cancel the long tasks that the app has started."""

import dataclasses
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.output import compact, json_option, write_facts, write_json, write_table
from guidedrec_core.cli.session import Group, Session

if TYPE_CHECKING:
    from guidedrec_core.jobs.record import Job

_LOG_LINES = 20


@click.group(cls=Group)
def jobs() -> None:
    """List, show and cancel the app's long tasks."""


@jobs.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List jobs, newest first."""
    found = session.jobs().list()
    if as_json:
        write_json({"jobs": [_document(job) for job in found]})
        return
    if not found:
        click.echo(f"No jobs in {session.store().home} yet; the app starts them")
        return
    rows = [[job.id, job.status, job.task, compact(job.arguments), _state(job)] for job in found]
    write_table(("job", "status", "task", "arguments", "state"), rows)


@jobs.command()
@click.argument("job_id", metavar="ID")
@json_option
@click.pass_obj
def show(session: Session, job_id: str, as_json: bool) -> None:
    """Show a job's state and the end of its log."""
    store = session.jobs()
    job = store.get(job_id)
    log = store.log_tail(job_id, _LOG_LINES)
    if as_json:
        write_json({**_document(job), "log": log})
        return
    write_facts(
        [
            ("job", job.id),
            ("status", job.status),
            ("task", f"{job.task} {compact(job.arguments)}"),
            ("made (UTC)", f"{job.created:%Y-%m-%d %H:%M:%S}"),
            ("state", _state(job)),
        ]
    )
    if log:
        click.echo()
        click.echo(log)


@jobs.command()
@click.argument("job_id", metavar="ID")
@json_option
@click.pass_obj
def cancel(session: Session, job_id: str, as_json: bool) -> None:
    """Stop a job; what its stages have finished is kept."""
    job = session.jobs().cancel(job_id)
    if as_json:
        write_json(_document(job))
    else:
        click.echo(f"Job {job.id} is {job.status}")


def _document(job: "Job") -> dict[str, object]:
    """Return a job for JSON, with its id under the name that other commands use."""
    facts = dataclasses.asdict(job)
    return {"job_id": facts.pop("id"), **facts}


def _state(job: "Job") -> str:
    """Describe the progress of a job, or how it ended."""
    if job.error:
        return job.error
    if job.run_id:
        return f"run {job.run_id}"
    from guidedrec_core.jobs.heartbeat import silence_sentence

    doing = f"{job.stage}: {job.message}" if job.stage else ""
    return ". ".join(part for part in (doing, silence_sentence(job)) if part)
