"""``guidedrec sandbox``: who gains and loses exposure if scores, weights, prices or stock changed."""

import click

from guidedrec_core.cli.models import history_option, opened
from guidedrec_core.cli.output import json_option, one_line, write_json, write_table
from guidedrec_core.cli.session import Command, Session

_SHOWN = 10
"""Rows of a table that people see; JSON has them all."""


@click.command(cls=Command)
@click.argument("run", required=False)
@click.option(
    "--set",
    "settings",
    multiple=True,
    required=True,
    metavar="CHANGE",
    help='What to change, e.g. "warmth=8 where category: jackets", "weight warmth*1.5", "price*0.9 where price over '
    '50", "stock=0 where item BOT-002"; several are made together.',
)
@click.option("--k", type=click.IntRange(min=1), default=10, show_default=True, help="Recommendations for each user.")
@click.option("--seed", type=int, default=0, show_default=True, help="Sampling seed, for large data sets.")
@history_option
@json_option
@click.pass_obj
def sandbox(
    session: Session,
    run: str | None,
    settings: tuple[str, ...],
    k: int,
    seed: int,
    history: str,
    as_json: bool,
) -> None:
    """Try a change on all lists.

    Nothing is retrained or stored: users' tastes stay as they are, items get other scores. RUN is a data set, whose
    newest refined run is used, or the id of a refined run. Large data sets are sampled, which the answer says.
    """
    from guidedrec_core.sandbox.change import Change
    from guidedrec_core.sandbox.sandbox import Sandbox

    changes = [Change.read(text) for text in settings]
    with opened(session, run, None, history) as system:  # type: ignore[arg-type]
        found = Sandbox.of(system, k, seed).effect(changes)
        run_id = system.run_id
    if as_json:
        numbers = {
            name: getattr(found, name) for name in ("k", "users", "sampled", "items_changed", "changed", "entered")
        }
        tables = {name: getattr(found, name).to_dict("records") for name in ("categories", "items")}
        write_json({"run_id": run_id, **numbers, "estimated": found.estimated, "seconds": found.seconds, **tables})
        return
    of = f"{found.sampled:,} users" if found.sampled == found.users else f"a sample of {found.sampled:,} users"
    share = found.changed / found.sampled
    click.echo(
        f"Lists change for {found.changed:,} of {of} ({share:.1%}); {found.entered:,} of them get other items. "
        f"Scores of {found.items_changed:,} items change."
    )
    if found.estimated:
        click.echo(
            "The effect of the changed number is an estimate: this model has it only as far as its scores have a name."
        )
    for column, table in (("category", found.categories), ("title", found.items)):
        click.echo()
        shown = table[table["change"].abs() >= 5e-5].head(_SHOWN)
        cells = [
            [one_line(str(name)), f"{before:.2%}", f"{after:.2%}", f"{100 * change:+.2f}"]
            for name, before, after, change in shown[[column, "before", "after", "change"]].itertuples(
                index=False, name=None
            )
        ]
        write_table(("item" if column == "title" else column, "share before", "after", "points"), cells)
