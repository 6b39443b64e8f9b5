"""``guidedrec audit``: whether explanations are true, and whether people see in items what their scores say."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.audit_human import audit_people, judgements_there
from guidedrec_core.cli.output import json_option, write_json, write_table
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.data.judgements import SURVEY

if TYPE_CHECKING:
    from guidedrec_core.runs.library import RefinedEntry
    from guidedrec_core.runs.store import Run

_TABLES = ("fidelity", "curves", "meaning", "stability", "planted")


@click.command(cls=Command)
@click.argument("dataset")
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the data set's newest]")
@click.option(
    "--reference",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Item scores judged again, by people or another model: item_id and a column for each attribute that was "
    "judged; some twenty items are enough.  [default: the recorded passes of scoring, else the stored scores]",
)
@click.option(
    "--human",
    is_flag=False,
    flag_value=SURVEY,
    callback=judgements_there,
    metavar="[TABLE]",
    help="Compare the scores with judgements by people instead; needs scores, but no refined run. TABLE has item_id, "
    "attribute, value, optionally rater and question (the wording, where several stand for one attribute). Without "
    f"TABLE: the survey behind the Tag Genome, for movielens-small, once `guidedrec data fetch {SURVEY}` has got it.",
)
@click.option("--users", type=click.IntRange(min=20), help="Maximum users, sampled at random.  [default: 500]")
@click.option(
    "--seed", type=click.IntRange(min=0), help="Sampling seed.  [default: that of the refined run; 0 with --human]"
)
@json_option
@click.pass_obj
def audit(
    session: Session,
    dataset: str,
    run_id: str | None,
    reference: Path | None,
    human: str | None,
    users: int | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Ask whether explanations are true.

    Does the model's own score fall when what an explanation names is taken away, more than by chance? Does every
    attribute still mean what it is called, after scores were stored, normalised and trained with? Do users who are
    nearly alike get the same reasons? And on the bundled shop, where it is known what shoppers really want: do
    explanations find it? What is stored is shown and not done again.

    With --human: do people see in items what their scores say? Each attribute's scores are compared with judgements by
    people, next to what two people reach, categories in place of scores, shuffled scores, and all other columns.
    """
    if human is not None:
        if reference is not None or users is not None:
            raise click.UsageError("--human asks no users and needs no --reference; leave these options out")
        audit_people(session, dataset, run_id, human, seed, as_json)
        return
    from guidedrec_core import stages
    from guidedrec_core.config import AuditConfig
    from guidedrec_core.runs import library

    store = session.store()
    entry = library.find_entry(store, dataset, run_id)
    refined = store.open(entry.run.id, "refined")
    config = AuditConfig.parse({} if users is None else {"users": users})
    chosen = entry.run.seed or 0 if seed is None else seed
    with session.progress() as listener:
        run = stages.audit(store, refined, config, chosen, reference, listener)
    if as_json:
        write_json(_document(run))
    else:
        _write(run, entry, store.open(refined.inputs["scores"], "scores").read_json("attributes"))


def _document(run: "Run") -> dict[str, Any]:
    """Return the result in the form other programs rely on."""
    tables = {
        name: run.read_table(name).to_dict("records") for name in _TABLES if f"{name}.parquet" in run.manifest.files
    }
    return {"run_id": run.inputs["refined"], "audit_run_id": run.id, **run.summary, **tables}


def _write(run: "Run", entry: "RefinedEntry", attributes: dict[str, Any]) -> None:
    """Write a verdict a part, each with its table."""
    from guidedrec_core.attributes.schema import AttributeSchema
    from guidedrec_core.audit import words

    facts, schema = run.summary, AttributeSchema.parse(attributes)
    labels, verb = {attribute.name: attribute.label for attribute in schema.attributes}, entry.verb(schema.domain)
    asked = f"{facts['users']:,} of {facts['of_users']:,} users sampled, {facts['explained']:,} explained"
    click.echo(f"Refined run {run.inputs['refined']}: {asked}")
    click.echo()
    fidelity = run.read_table("fidelity")
    for part in ("history", "attributes"):
        click.echo(words.fidelity_sentence(fidelity, part, verb))
        rows = fidelity[(fidelity["part"] == part) & (fidelity["measure"] == "score")]
        write_table(("order", "direction", "area", "explanation's is larger by", "for"), _orders(rows))
        click.echo()
    meaning = run.read_table("meaning")
    click.echo(words.meaning_sentence(meaning, labels, facts["reference"], facts["judged"]))
    if facts["reference"] == "stored":
        click.echo(words.BLIND_SPOT)
    write_table(
        ("attribute", "agrees with its label", "most with another", "users agree", "response", "verdict"),
        [
            [
                labels[row["attribute"]],
                f"{row['column_agreement']:.2f}",
                f"{labels.get(row['column_rival'], row['column_rival'])} {row['column_rival_agreement']:+.2f}",
                f"{row['users_agreement']:.2f}",
                f"{row['response']:+.2f}",
                f"{'ALARM: ' if row['alarm'] else ''}{words.meaning_phrase(row, labels)}",
            ]
            for row in meaning.to_dict("records")
        ],
    )
    click.echo()
    click.echo(words.stability_sentence(run.read_table("stability"), verb))
    click.echo()
    if "planted.parquet" not in run.manifest.files:
        click.echo(f"Planted truth: not measured; {facts['no_planted_truth']}.")
        return
    planted = run.read_table("planted")
    click.echo(words.planted_sentence(planted))
    write_table(
        ("rank correlation with the truth", *words.EXPLANATION_WORDS.values()),
        [
            [said, *(_cell(planted, question, name) for name in words.EXPLANATION_WORDS)]
            for question, said in words.QUESTION_WORDS.items()
        ],
    )


def _orders(rows: Any) -> list[list[str]]:
    """Write the area of each order, and by how much the explanation's is larger."""
    cells = []
    for row in rows.to_dict("records"):
        area = f"{row['area']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        gap = f"{row['gap']:+.3f} [{row['gap_low']:+.3f}, {row['gap_high']:+.3f}]"
        beaten = ["", ""] if math.isnan(row["gap"]) else [gap, f"{row['better']:.0%} of users"]
        cells.append([row["order"], row["direction"], area, *beaten])
    return cells


def _cell(planted: Any, question: str, explanation: str) -> str:
    """Write a rank correlation with its interval; nothing where it was not measured."""
    rows = planted[(planted["question"] == question) & (planted["explanation"] == explanation)]
    return "".join(f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" for row in rows.to_dict("records"))
