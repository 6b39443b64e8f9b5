"""``guidedrec rules``: what business rules would do to the lists, and switching them on and off."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.models import history_option, opened
from guidedrec_core.cli.output import json_option, one_line, write_json, write_table
from guidedrec_core.cli.session import Command, Group, Session

if TYPE_CHECKING:
    from guidedrec_core.data.dataset import Shown
    from guidedrec_core.evaluation.bootstrap import Interval
    from guidedrec_core.rules.preview import RulePreview

_SHOWN = 10
"""Rows of a table that people see; JSON has them all."""

_file_option = click.option(
    "--rules", "rules_file", type=click.Path(path_type=Path), required=True, help="File of rules (.toml or .json)."
)


@click.group(cls=Group)
def rules() -> None:
    """Business rules: pins, boosts, sold-out items.

    A file of rules is TOML or JSON. Each rule has a name, a kind (pin, boost, bury, out_of_stock, margin), the items it
    acts on, and, where wanted, users, strength, author, time and whether it is on. `guidedrec recommend` and
    `guidedrec explain` apply it with --rules.
    """


@rules.command(cls=Command)
@click.argument("run", required=False)
@_file_option
@click.option("--rule", "names", multiple=True, metavar="NAME", help="A rule to look at; give it several times.")
@click.option("--k", type=click.IntRange(min=1), default=10, show_default=True, help="Recommendations for each user.")
@history_option
@json_option
@click.pass_obj
def preview(
    session: Session,
    run: str | None,
    rules_file: Path,
    names: tuple[str, ...],
    k: int,
    history: "Shown",
    as_json: bool,
) -> None:
    """Show what rules would do to all lists.

    Lists with the rules that are on are compared with lists that have the chosen ones, too: those named by --rule, else
    all that are off, else all. RUN is a data set, whose newest refined run is used, or the id of a refined run.
    """
    from guidedrec_core.rules.preview import preview_rules
    from guidedrec_core.rules.storage import read_rules

    found = read_rules(rules_file)
    with opened(session, run, None, history) as system:
        made = preview_rules(system, found, names or None, k)
        if as_json:
            write_json({"run_id": system.run_id, **_json(made)})
        else:
            _write(made)


@rules.command(name="list", cls=Command)
@_file_option
@json_option
@click.pass_obj
def list_rules(session: Session, rules_file: Path, as_json: bool) -> None:
    """List the rules of a file."""
    from guidedrec_core.rules.storage import read_rules

    found = read_rules(rules_file)
    if as_json:
        write_json(found.model_dump(mode="json", exclude_none=True))
        return
    rows = [
        [
            one_line(rule.name),
            rule.kind,
            "on" if rule.on else "off",
            one_line(rule.author),
            "" if rule.time is None else rule.time.isoformat(timespec="minutes"),
        ]
        for rule in found.rules
    ]
    write_table(("rule", "kind", "state", "author", "time"), rows)


def _switch(name: str, on: bool, rules_file: Path, who: str, as_json: bool) -> None:
    """Switch a rule and write the file again."""
    from datetime import UTC, datetime

    from guidedrec_core.rules.storage import read_rules, write_rules

    found = read_rules(rules_file)
    write_rules(rules_file, found.switched(name, on, who, datetime.now(UTC).replace(microsecond=0)))
    if as_json:
        write_json({"rule": name, "on": on})
        return
    click.echo(f"Rule {one_line(name)} is {'on' if on else 'off'}.")


_who_option = click.option("--who", required=True, metavar="NAME", help="Who switches it; stored with the rule.")


@rules.command(cls=Command)
@click.argument("name")
@_file_option
@_who_option
@json_option
@click.pass_obj
def on(session: Session, name: str, rules_file: Path, who: str, as_json: bool) -> None:
    """Switch a rule of a JSON file on."""
    _switch(name, True, rules_file, who, as_json)


@rules.command(cls=Command)
@click.argument("name")
@_file_option
@_who_option
@json_option
@click.pass_obj
def off(session: Session, name: str, rules_file: Path, who: str, as_json: bool) -> None:
    """Switch a rule of a JSON file off."""
    _switch(name, False, rules_file, who, as_json)


def _json(made: "RulePreview") -> dict[str, Any]:
    """Return a preview as plain values."""
    return {
        "k": made.k,
        "users": made.users,
        "users_changed": made.changed,
        "users_with_other_items": made.entered,
        "rules": made.rules.to_dict("records"),
        "categories": made.categories.to_dict("records"),
        "items": made.items.to_dict("records"),
        "test_cases": made.cases,
        "ndcg": {
            "before": _interval(made.before),
            "after": _interval(made.after),
            "difference": _interval(made.difference),
        },
    }


def _interval(found: "Interval") -> dict[str, float]:
    """Return a mean with its interval as plain values."""
    return {"value": found.value, "ci_low": found.low, "ci_high": found.high}


def _write(made: "RulePreview") -> None:
    """Show a preview."""
    share = made.changed / max(made.users, 1)
    click.echo(
        f"Lists change for {made.changed:,} of {made.users:,} users ({share:.1%}); "
        f"{made.entered:,} of them get other items."
    )
    click.echo()
    rows = [
        [one_line(rule), kind, f"{items:,}", f"{users:,}", f"{changed:,}"]
        for rule, kind, items, users, changed in made.rules.itertuples(index=False, name=None)
    ]
    write_table(("rule", "kind", "items", "users", "lists it changes alone"), rows)
    click.echo()
    for column, table in (("category", made.categories), ("title", made.items)):
        shown = table[table["change"].abs() >= 5e-5].head(_SHOWN)
        cells = [
            [one_line(str(name)), f"{before:.2%}", f"{after:.2%}", f"{100 * change:+.2f}"]
            for name, before, after, change in shown[[column, "before", "after", "change"]].itertuples(
                index=False, name=None
            )
        ]
        write_table(("item" if column == "title" else column, "share before", "after", "points"), cells)
        click.echo()
    found, gain = made.after, made.difference
    click.echo(
        f"NDCG@{made.k} on {made.cases:,} held-out items: {made.before.value:.4f} before, {found.value:.4f} after; "
        f"difference {gain.value:+.4f}, 95 % interval {gain.low:+.4f} to {gain.high:+.4f}."
    )
