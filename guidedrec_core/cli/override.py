"""``guidedrec score override`` and ``overrides``: single scores set by hand."""

import getpass
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.output import json_option, write_facts, write_json, write_table
from guidedrec_core.cli.session import Command, Session

if TYPE_CHECKING:
    from guidedrec_core.attributes.overrides import Override


@click.command(cls=Command)
@click.argument("dataset")
@click.option("--item", "item_id", metavar="ID", required=True, help="Whose score.")
@click.option("--attribute", metavar="NAME", required=True, help="On which attribute.")
@click.option("--value", type=float, metavar="X", help="The new score, on the attributes' scale.")
@click.option("--withdraw", is_flag=True, help="Undo the override: the automatic score counts again.")
@click.option("--why", metavar="TEXT", required=True, help="The reason; it is kept and listed.")
@click.option("--who", metavar="NAME", help="Your name.  [default: the login name]")
@json_option
@click.pass_obj
def override(
    session: Session,
    dataset: str,
    item_id: str,
    attribute: str,
    value: float | None,
    withdraw: bool,
    why: str,
    who: str | None,
    as_json: bool,
) -> None:
    """Set a single score of an item by hand.

    It overrides automatic scores, now and later, from the next refinement on (`guidedrec refine` or `build`).
    """
    if withdraw == (value is not None):
        raise click.UsageError("expected either --value or --withdraw")
    from guidedrec_core import stages

    store = session.store()
    data, who = stages.find_data(store, dataset), who or login_name()
    if value is None:
        made = stages.withdraw_override(store, data, item_id, attribute, who, why)
    else:
        made = stages.override_score(store, data, item_id, attribute, value, who, why)
    if as_json:
        write_json({"dataset": dataset, **_facts(made)})
        return
    write_facts(
        [
            ("data set", dataset),
            ("item", item_id),
            ("attribute", attribute),
            ("score", "withdrawn" if value is None else f"{value:g}"),
            ("before", _shown(made.replaced)),
            ("who, when", f"{made.who}, {made.when:%Y-%m-%d %H:%M} UTC"),
        ]
    )
    session.note(f"the next refinement uses it; `guidedrec refine {dataset}` makes one")


@click.command(cls=Command)
@click.argument("dataset")
@json_option
@click.pass_obj
def overrides(session: Session, dataset: str, as_json: bool) -> None:
    """List the scores set by hand.

    With --json the output includes the whole log, withdrawals included.
    """
    from guidedrec_core import stages
    from guidedrec_core.attributes.overrides import apply, current
    from guidedrec_core.runs.datasets import load_dataset
    from guidedrec_core.runs.scores import load_scores

    store = session.store()
    data = stages.find_data(store, dataset)
    entries = stages.override_log(store, data).entries()
    layer = current(entries)
    if not layer and not as_json:
        click.echo(f"No score of {dataset} is set by hand; `guidedrec score override {dataset} --help` shows how")
        return
    made = apply(layer, load_scores(stages.given_scores(store, data)), load_dataset(data).items)
    rows = [*made.cells.to_dict("records"), *made.left_out.to_dict("records")]
    if as_json:
        write_json({"dataset": dataset, "overrides": rows, "log": [_facts(each) for each in entries]})
        return
    session.notices([notice.as_dict() for notice in made.notices])
    write_table(
        ("item", "attribute", "score", "otherwise", "used", "who", "when (UTC)", "why"),
        [
            [
                *(row["item_id"], row["attribute"], _shown(row["value"]), _shown(row.get("scored"))),
                *("no" if "problem" in row else "yes", row["who"], f"{row['when']:%Y-%m-%d %H:%M}", row["why"]),
            ]
            for row in rows
        ],
    )


def _facts(override: "Override") -> dict[str, Any]:
    """Return a change in the stable form for other programs."""
    return override.model_dump(mode="json", exclude={"scale"})


def _shown(score: float | None) -> str:
    """Write a score, which may be missing."""
    return "none" if score is None or score != score else f"{score:g}"


def login_name() -> str:
    """Return the login name.

    Raises
    ------
    click.UsageError
        There is none, as in some containers.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise click.UsageError("this system has no login name; say with --who who you are") from error
