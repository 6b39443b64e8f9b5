"""``guidedrec runs compare``: what changed between two refined runs of the same data."""

from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.models import choose
from guidedrec_core.cli.output import json_option, one_line, write_json, write_table
from guidedrec_core.cli.session import Command, Session

if TYPE_CHECKING:
    import pandas as pd

    from guidedrec_core.comparison.compare import Comparison
    from guidedrec_core.data.verbs import InteractionVerb
    from guidedrec_core.runs.library import RefinedEntry
    from guidedrec_core.runs.store import RunStore

_SHOWN = 10
"""Rows of a table that people see; JSON has them all."""


@click.command(cls=Command)
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@click.option("--k", type=click.IntRange(min=1), default=10, show_default=True, help="Length of the lists.")
@click.option(
    "--repeat",
    is_flag=True,
    help="Train BEFORE once more with another seed first, unless that was done, to tell effect from chance.",
)
@json_option
@click.pass_obj
def compare(session: Session, before: str, after: str, k: int, repeat: bool, as_json: bool) -> None:
    """Say what changed between two refined runs.

    Whose lists changed, which items gained or lost places, ranking quality and gain on the same test cases, which
    scores and weights differ, how much has a name, and what else differs in how the runs were made. BEFORE and AFTER
    are ids of refined runs, or a data set, whose newest refined run is used. Both need the same data and split.

    Whatever is trained anew changes most lists a little. With --repeat that is measured, too.
    """
    from guidedrec_core.runs.library import repeat_of

    store = session.store()
    entries = [choose(store, each, None) for each in (before, after)]
    if repeat and repeat_of(store, entries[0]) is None:
        from guidedrec_core.stages import repeat_refinement

        with session.progress() as listener:
            repeat_refinement(store, store.open(entries[0].run.id, "refined"), listener)
    write_comparison(store, entries[0], entries[1], as_json, {}, k)


def write_comparison(
    store: "RunStore",
    before: "RefinedEntry",
    after: "RefinedEntry",
    as_json: bool,
    more: dict[str, Any],
    k: int = 10,
) -> None:
    """Compare two stored runs and write what changed, for people or programs.

    Parameters
    ----------
    store : RunStore
        Where they are.
    before, after : RefinedEntry
        The runs.
    as_json : bool
        Write one JSON document.
    more : dict
        What else belongs into the document.
    k : int
        Length of the lists.
    """
    from guidedrec_core.attributes.schema import AttributeSchema
    from guidedrec_core.comparison.stored import compare_runs

    found = compare_runs(store, before, after, k)
    if as_json:
        write_json({"dataset": after.data.config["name"], **found.as_dict(), **more})
        return
    schema = AttributeSchema.parse(store.open(after.run.inputs["scores"], "scores").read_json("attributes"))
    _write(found, after.verb(schema.domain))


def _write(found: "Comparison", verb: "InteractionVerb") -> None:
    """Write a comparison for people."""
    from guidedrec_core.comparison import words

    click.echo(f"{found.after} compared with {found.before}, {found.cases:,} test cases, 95 % intervals over users")
    click.echo()
    scores = found.scores.items
    sentences = [
        words.lead_sentence(found, verb),
        *words.chance_sentences(found, verb),
        words.overlap_sentence(found.lists, verb),
        words.score_sentence(found.scores, verb),
        *(words.cell_sentence(row) for _, row in scores.head(_SHOWN).iterrows()),
        words.gain_sentence(found.gain(f"NDCG@{found.lists.k}"), verb),
        words.named_sentence(found),
    ]
    for sentence in sentences:
        if sentence:
            click.echo(one_line(sentence))
    click.echo()
    _metrics(found.metrics, "{:.4f}", "{:+.4f}", "measure")
    click.echo()
    _metrics(found.gains, "{:+.1%}", "{:+.1%}", "gain over base")
    for name, rows in (("lists with the item", _items(found)), ("users most affected", _people(found))):
        if rows:
            click.echo()
            header = ("item", "before", "after", "change") if name.startswith("lists") else ("user", "moved", "new")
            click.echo(f"{name}:")
            write_table(header, rows)
    weights = found.scores.attributes
    if weights[["weight_before", "weight_after"]].notna().any(axis=None):
        click.echo()
        write_table(
            ("attribute", "", "scores changed", "weight before", "after"),
            [
                [one_line(a.label), a.state, f"{a.changed:,}", _weight(a.weight_before), _weight(a.weight_after)]
                for a in _rows(weights)
            ],
        )
    if len(found.settings):
        click.echo()
        write_table(
            ("setting", "before", "after"),
            [[row.setting, row.before, row.after] for row in _rows(found.settings)],
        )


def _metrics(table: "pd.DataFrame", value: str, change: str, name: str) -> None:
    """Write means and differences with their intervals."""
    rows = []
    for row in _rows(table):
        cells = [f"{value.format(v)} [{value.format(low)}, {value.format(high)}]" for v, low, high in (
            (row.before, row.before_low, row.before_high), (row.after, row.after_low, row.after_high)
        )]  # fmt: skip
        ends = f"[{change.format(row.low)}, {change.format(row.high)}]"
        rows.append([row.metric, *cells, f"{change.format(row.difference)} {ends}"])
    write_table((name, "before", "after", "difference"), rows)


def _items(found: "Comparison") -> list[list[str]]:
    return [
        [one_line(row.title), f"{row.before:,}", f"{row.after:,}", f"{row.change:+,}"]
        for row in _rows(found.lists.items.head(_SHOWN))
    ]


def _people(found: "Comparison") -> list[list[str]]:
    return [
        [one_line(row.user_id), f"{row.moved:.0%}", one_line("; ".join(row.entered) or "another order")]
        for row in _rows(found.lists.people.head(_SHOWN))
    ]


def _weight(value: float) -> str:
    return "" if value != value else f"{value:.3f}"


def _rows(table: "pd.DataFrame") -> Any:
    """Return the rows of a table as tuples with names."""
    return table.itertuples(index=False)
