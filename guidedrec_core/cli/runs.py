"""``guidedrec runs``: list, show, compare and delete stored runs."""

import sys
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.output import compact, json_option, write_facts, write_json, write_table
from guidedrec_core.cli.runs_compare import compare
from guidedrec_core.cli.session import Group, Session

if TYPE_CHECKING:
    from guidedrec_core.runs.store import RunInfo

_STAGES = ("data", "base", "scores", "refined", "evaluation", "projection", "ablation", "sparsity", "discovery")


@click.group(cls=Group)
def runs() -> None:
    """List, show, compare and delete stored runs."""


@runs.command("list")
@click.option("--stage", type=click.Choice(_STAGES), help="Only runs of this stage.")
@json_option
@click.pass_obj
def list_(session: Session, stage: str | None, as_json: bool) -> None:
    """List runs, newest first."""
    store = session.store()
    every = {info.id: info for info in store.list()}
    shown = [info for info in every.values() if stage in (None, info.stage)]
    if as_json:
        write_json({"runs": [{**_facts(info), "dataset": _dataset(info, every)} for info in shown]})
        return
    if not shown:
        click.echo(f"No runs in {store.home} yet; `guidedrec build fernway` makes the first")
        return
    write_table(
        ("run", "stage", "data set", "made (UTC)", "seed", "facts"),
        [
            [
                info.id,
                info.stage,
                _dataset(info, every) or "",
                f"{info.created:%Y-%m-%d %H:%M}",
                "" if info.seed is None else str(info.seed),
                f"DAMAGED: {info.problem}" if info.problem else compact(info.summary),
            ]
            for info in shown
        ],
    )


@runs.command()
@click.argument("run_id", metavar="ID")
@json_option
@click.pass_obj
def show(session: Session, run_id: str, as_json: bool) -> None:
    """Show what a run is, what it was made from and what it holds, after checking its files."""
    run = session.store().open(run_id)
    manifest = run.manifest.model_dump(mode="json")
    if as_json:
        write_json({**manifest, "path": run.path})
        return
    write_facts(
        [
            ("run", run.id),
            ("stage", run.stage),
            ("made (UTC)", f"{run.created:%Y-%m-%d %H:%M:%S} by guidedrec {manifest['package_version']}"),
            ("seed", "none" if run.seed is None else str(run.seed)),
            *((f"made from {role}", of) for role, of in run.inputs.items()),
            ("facts", compact(run.summary)),
            ("settings", ", ".join(_leaves(run.config))),
            *((f"file {name}", f"{record['bytes']:,} bytes") for name, record in manifest["files"].items()),
            ("folder", str(run.path)),
        ]
    )


runs.add_command(compare)


@runs.command()
@click.argument("run_id", metavar="ID")
@click.option("--cascade", is_flag=True, help="Delete the runs made from it, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def delete(session: Session, run_id: str, cascade: bool, yes: bool, as_json: bool) -> None:
    """Delete a run for good."""
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is no terminal to confirm on; add --yes to delete without confirmation")
        also = " and all runs made from it" if cascade else ""
        if not click.confirm(f"Delete run {run_id}{also}?", err=True):
            click.echo("Nothing was deleted.", err=True)
            return
    deleted = session.store().delete(run_id, cascade)
    if as_json:
        write_json({"deleted": deleted})
    else:
        click.echo(f"Deleted {', '.join(deleted)}")


def _facts(info: "RunInfo") -> dict[str, Any]:
    """Return what a listing says of a run."""
    return {
        "run_id": info.id,
        "stage": info.stage,
        "created": info.created,
        "seed": info.seed,
        "inputs": info.inputs,
        "config": info.config,
        "summary": info.summary,
        "problem": info.problem,
    }


def _dataset(info: "RunInfo", every: dict[str, "RunInfo"], most_steps: int = len(_STAGES)) -> str | None:
    """Return the name of the data set that a run goes back to, when its inputs are still there."""
    if not most_steps:  # manifests that name each other
        return None
    if info.stage == "data":
        return str(info.config["name"]) if "name" in info.config else None
    for role in ("data", "base", "refined"):
        source = every.get(info.inputs.get(role, ""))
        if source is not None:
            return _dataset(source, every, most_steps - 1)
    return None


def _leaves(config: dict[str, Any], prefix: str = "") -> list[str]:
    """Write nested settings flat; long lists by their length."""
    parts = []
    for name, value in config.items():
        if isinstance(value, dict):
            parts += _leaves(value, f"{prefix}{name}.")
        else:
            parts.append(f"{prefix}{name} {f'({len(value)})' if isinstance(value, list) else value}")
    return parts
