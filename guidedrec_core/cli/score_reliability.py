"""``guidedrec score reliability``: how far scores can be trusted."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.llm_options import LlmChoice, llm_options, read_schema, schema_option
from guidedrec_core.cli.output import json_option, write_json, write_table
from guidedrec_core.cli.score_llm import paid_for, write_plan
from guidedrec_core.cli.session import Command, Session

if TYPE_CHECKING:
    from guidedrec_core.attributes.schema import AttributeSchema
    from guidedrec_core.reliability.agreement import Comparison
    from guidedrec_core.reliability.repeated import RepeatedScores
    from guidedrec_core.reliability.report import AttributeReliability, Reliability

_PASSES = 5
_MOST = 10  # scores that passes disagree on, listed in the text


@click.command(cls=Command)
@click.argument("dataset")
@schema_option
@llm_options(leave_out=("passes", "history"))
@click.option(
    "--passes",
    type=click.IntRange(2, 20),
    help="Number of times the sample is scored, in a new order each.  [default: 5]",
)
@click.option(
    "--sample", type=click.IntRange(2), default=100, show_default=True, help="Items scored, from all categories."
)
@click.option("--dry-run", is_flag=True, help="Only estimate requests, tokens, cost and time.")
@click.option(
    "--table",
    type=click.Path(path_type=Path),
    help="Report on repeated scores that exist already (CSV or Parquet: item_id, pass_id, one column per attribute, "
    "and, where known, an item's position in its pass); no model is called.",
)
@click.option(
    "--human",
    type=click.Path(path_type=Path),
    help="Compare with scores by people (CSV or Parquet: item_id and one column per attribute).",
)
@json_option
@click.pass_obj
def reliability(
    session: Session,
    dataset: str,
    attributes: Path | None,
    llm: LlmChoice,
    passes: int | None,
    sample: int,
    dry_run: bool,
    table: Path | None,
    human: Path | None,
    as_json: bool,
) -> None:
    """Score a sample several times and report how far the scores can be trusted.

    For each attribute: would another pass give the same scores (ICC, with its 95 % interval), how far apart are passes,
    do scores bunch on one value, do they drift with the place in a request, do other attributes overlap with it, and do
    people agree. Answers are stored: scoring the whole catalogue later reuses those of the first pass.
    """
    if table is not None and (llm.wanted or llm.values or passes or dry_run):
        raise click.UsageError("--table is a report on scores that exist; leave out the options of a model")
    from guidedrec_core import stages
    from guidedrec_core.data.tables import read_table
    from guidedrec_core.reliability.report import reliability as report_on

    store = session.store()
    data = stages.find_data(store, dataset)
    schema = read_schema(store, data, attributes)
    by_people = None if human is None else read_table(human)
    more: dict[str, Any] = {}
    if table is not None:
        repeated = _read(session, table, schema)
    else:
        config = llm.config(passes=passes or _PASSES)
        if dry_run:
            plan = stages.repeated_plan(store, data, schema, config, sample)
            write_plan(dataset, config.model, {"items": plan}, as_json)
            return
        with llm.serving(data, schema, config) as served, session.progress() as listener:
            repeated, result = stages.score_repeatedly(store, data, schema, served, sample, listener)
        tokens = result.prompt_tokens + result.completion_tokens
        more = {"model": config.model, "failed": len(result.faults)}
        more |= {"requests": result.requests, "tokens": tokens, "cost": result.cost}
        more |= {"failed_attempts": result.failed_attempts, "failed_cost": result.failed_cost}
    report = report_on(repeated, by_people)
    if as_json:
        write_json({"dataset": dataset, **more, **_document(report, schema)})
        return
    session.notices([notice.as_dict() for notice in report.notices])
    _write(report, schema)
    if more:
        click.echo(f"\nThis call: {paid_for(more)}.")


def _read(session: Session, table: Path, schema: "AttributeSchema") -> "RepeatedScores":
    """Read a table of repeated scores."""
    from guidedrec_core.data.tables import read_table
    from guidedrec_core.reliability.repeated import read_repeated

    repeated, notices = read_repeated(read_table(table), schema)
    session.notices([notice.as_dict() for notice in notices])
    return repeated


def _document(report: "Reliability", schema: "AttributeSchema") -> dict[str, Any]:
    """Return the report in the stable form for other programs."""
    from guidedrec_core.reliability.words import verdict

    attributes = []
    for found in report.attributes:
        said = verdict(found, schema.scale)
        attributes.append({**asdict(found), "verdict": {"level": said.level, "sentence": said.sentence}})
    rows = report.most_disagreement(report.disagreement.size)
    return {
        "items": len(report.item_ids),
        "repeated": report.repeated,
        "passes": report.passes,
        "attributes": attributes,
        "correlations": report.correlations.tolist(),
        "disagreement": [{"item_id": item, "attribute": name, "spread": spread} for item, name, spread in rows],
        "notices": [notice.as_dict() for notice in report.notices],
    }


def _write(report: "Reliability", schema: "AttributeSchema") -> None:
    """Write the report as tables and sentences."""
    from guidedrec_core.reliability.words import verdict

    items = f"{report.repeated:,} of {len(report.item_ids):,} items"
    click.echo(f"{items} were scored in several of {report.passes} passes.\n")
    people = any(found.human is not None for found in report.attributes)
    header = ["attribute", "ICC", "95 % interval", "apart", "commonest", "share", "drift", "VIF", "nearest"]
    write_table([*header, *(["people"] if people else [])], [_row(found, people) for found in report.attributes])
    click.echo()
    for found in report.attributes:
        click.echo(f"{found.name}: {verdict(found, schema.scale).sentence}")
    if rows := report.most_disagreement(_MOST):
        click.echo("\nPasses disagree most on:")
        write_table(("item", "attribute", "spread"), [(item, name, f"{spread:.1f}") for item, name, spread in rows])


def _row(found: "AttributeReliability", people: bool) -> list[str]:
    """Return an attribute's cells."""
    near = f"{found.nearest} {found.nearest_correlation:.2f}" if found.nearest else ""
    cells = [
        found.name,
        _number(found.icc.value, 2),
        f"{found.icc.low:.2f} to {found.icc.high:.2f}" if found.icc.low == found.icc.low else "",
        _number(found.difference, 1),
        _number(found.commonest, 1),
        f"{found.bunching:.0%}" if found.bunching == found.bunching else "",
        "" if found.order is None else _number(found.order.drift, 1),
        _number(found.vif, 1),
        near,
    ]
    return [*cells, *([_agreement(found.human)] if people else [])]


def _agreement(human: "Comparison | None") -> str:
    return "" if human is None else _number(human.correlation, 2)


def _number(value: float, digits: int) -> str:
    """Write a number; empty when there is none."""
    return "" if value != value else f"{value:.{digits}f}"
