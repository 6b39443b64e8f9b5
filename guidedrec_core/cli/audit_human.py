"""``guidedrec audit --human``: guided scores next to what people say."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.output import write_json, write_table
from guidedrec_core.cli.session import Session
from guidedrec_core.data.judgements import SURVEY

if TYPE_CHECKING:
    from guidedrec_core.audit.human import HumanAudit
    from guidedrec_core.runs.store import Run


def judgements_there(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse what is neither the survey's name nor a path of judgements that is there."""
    if value is None or value == SURVEY or Path(value).exists():
        return value
    raise click.BadParameter(
        f"expected a table of judgements, found nothing at {value!r}; the data set stands first: "
        "`guidedrec audit DATASET --human [TABLE]`",
        ctx,
        parameter,
    )


def audit_people(
    session: Session, dataset: str, run_id: str | None, source: str, seed: int | None, as_json: bool
) -> None:
    """Compare a data set's scores with judgements by people and write what was found."""
    from guidedrec_core import stages
    from guidedrec_core.attributes.schema import AttributeSchema
    from guidedrec_core.runs import library

    store = session.store()
    if run_id is None:
        data = stages.find_data(store, dataset)
        scores = stages.given_scores(store, data)
    else:
        refined = library.find_entry(store, dataset, run_id).run
        scores = store.open(refined.inputs["scores"], "scores")
        data = store.open(scores.inputs["data"], "data")
    found = stages.human_audit(scores, data, stages.find_judgements(store, data, scores, source), seed or 0)
    if as_json:
        about = {"dataset": dataset, "scores_run_id": scores.id, "judgements": source}
        write_json({**about, "summary": found.summary, "human": found.table.to_dict("records")})
        return
    schema = AttributeSchema.parse(scores.read_json("attributes"))
    _write(found, scores, {attribute.name: attribute.label for attribute in schema.attributes})


def _write(found: "HumanAudit", scores: "Run", labels: dict[str, str]) -> None:
    """Write the verdict in words, then a row for each attribute."""
    from guidedrec_core.audit import human_words

    facts = found.summary
    by = f" by {facts['raters']:,} people" if facts["raters"] else ""
    judged = f"{facts['judgements']:,} judgements{by} of {facts['items']:,} items"
    click.echo(f"Scores {scores.id} next to {judged}")
    if facts["not_in_data"]:
        click.echo(f"{facts['not_in_data']:,} more judged items are not in the data set or have no score")
    click.echo()
    for sentence in human_words.sentences(facts, labels):
        click.echo(sentence)
    click.echo()
    write_table(
        ("attribute", "items", "agreement", "two people", "categories", "shuffled", "place", "verdict"),
        [
            [
                labels[row["attribute"]],
                f"{row['n_items']:,}",
                human_words.interval(row["spearman"], row["ci_low"], row["ci_high"]),
                human_words.number(row["people"]),
                human_words.number(row["categories"]),
                human_words.number(row["shuffled"]),
                human_words.place(row, facts["columns"]),
                human_words.phrase(row, labels),
            ]
            for row in found.table.to_dict("records")
        ],
    )
