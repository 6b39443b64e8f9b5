"""``guidedrec rules``: the business rules of a data set: what they would do, who made them, on and off."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.models import choose, history_option, opened
from guidedrec_core.cli.output import json_option, one_line, write_json, write_table
from guidedrec_core.cli.override import login_name
from guidedrec_core.cli.session import Command, Group, Session

if TYPE_CHECKING:
    from guidedrec_core.data.dataset import Shown
    from guidedrec_core.evaluation.bootstrap import Interval
    from guidedrec_core.rules.preview import RulePreview
    from guidedrec_core.rules.rule import RuleSet
    from guidedrec_core.rules.store import RuleStore, StoredRule

_SHOWN = 10
"""Rows of a table that people see; JSON has them all."""

_file_option = click.option(
    "--rules",
    "rules_file",
    type=click.Path(path_type=Path),
    help="A file of rules (.toml or .json) instead of those in the database.",
)
_dataset_option = click.option(
    "--dataset", metavar="NAME", help="Whose rules.  [default: the data set of the newest refined run]"
)
_who_option = click.option("--who", metavar="NAME", help="Your name; stored with the rule.  [default: the login name]")
_why_option = click.option("--why", metavar="TEXT", default="", help="The reason, for the history.")


@click.group(cls=Group)
def rules() -> None:
    """Business rules: pins, boosts, sold-out items.

    Each data set has its rules in the database, with who made them and when; those that are on are a named part of
    scores in the app, in `guidedrec recommend` and in `guidedrec explain`. A rule has a name, a kind (pin, boost, bury,
    out_of_stock, margin), the items it acts on, and, where wanted, users and strength. A TOML or JSON file of rules can
    be used instead with --rules, imported, or exported.
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
    rules_file: Path | None,
    names: tuple[str, ...],
    k: int,
    history: "Shown",
    as_json: bool,
) -> None:
    """Show what rules would do to all lists.

    The rules are those of the data set, or of a file. Lists with the rules that are on are compared with lists that
    have the chosen ones, too: those named by --rule, else all that are off, else all. RUN is a data set, whose newest
    refined run is used, or the id of a refined run.
    """
    from guidedrec_core.rules.preview import preview_rules

    with opened(session, run, None, history) as system:
        found = _rules(session, system.data.dataset.name, rules_file)
        made = preview_rules(system, found, names or None, k)
        if as_json:
            write_json({"run_id": system.run_id, **_json(made)})
        else:
            _write(made)


@rules.command(name="list", cls=Command)
@click.argument("dataset", required=False)
@_file_option
@json_option
@click.pass_obj
def list_rules(session: Session, dataset: str | None, rules_file: Path | None, as_json: bool) -> None:
    """List the rules of a data set, or of a file.

    Without DATASET, those of the data set of the newest refined run.
    """
    name = "" if rules_file is not None else _dataset(session, dataset)
    found = _rules(session, name, rules_file)
    if as_json:
        write_json(found.model_dump(mode="json", exclude_none=True))
        return
    if not found.rules:
        click.echo(f"No rules for {name or rules_file} yet; `guidedrec rules add` makes one")
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


@rules.command(cls=Command)
@click.argument("name")
@_dataset_option
@click.option(
    "--kind",
    type=click.Choice(["boost", "bury", "pin", "out_of_stock", "margin"]),
    required=True,
    help="What it does: make items more or less likely, lift them to a place, take them out of all lists, or favour a "
    "high number of the catalogue.",
)
@click.option("--items", required=True, metavar="CONDITION", help='Which items, e.g. "jackets and price over 200".')
@click.option("--users", metavar="CONDITION", help='Which users, e.g. "seeks warmth".  [default: all]')
@click.option(
    "--strength", type=float, metavar="X", help="How many times as likely; boost, bury, margin.  [default: 2]"
)
@click.option("--place", type=int, metavar="N", help="The place to lift to; pin.  [default: 1]")
@click.option("--count", type=int, metavar="N", help="How many items to lift; pin.  [default: 1]")
@click.option("--column", metavar="NAME", help="The column of numbers; margin.  [default: margin]")
@click.option("--note", default="", metavar="TEXT", help="Why there is such a rule.")
@click.option("--on", "switched_on", is_flag=True, help="Switch it on at once.  [default: off, to look at it first]")
@_who_option
@json_option
@click.pass_obj
def add(
    session: Session, /, name: str, dataset: str | None, switched_on: bool, who: str | None, as_json: bool, **given: Any
) -> None:
    """Add a rule to a data set.

    It is checked against the newest refined run of the data set, and is off until it is switched on.
    """
    from guidedrec_core.rules.rule import Rule, adjustments

    rule = Rule.parse(
        {"name": name, "on": switched_on, **{key: value for key, value in given.items() if value is not None}}
    )
    with opened(session, dataset, None) as system:
        adjustments([rule], system)  # says what is wrong with its conditions
        made = _store(session, system.data.dataset.name).add(rule, who or login_name())
    _written(made, as_json)


@rules.command(cls=Command)
@click.argument("name")
@_dataset_option
@_file_option
@_who_option
@_why_option
@json_option
@click.pass_obj
def on(session: Session, /, name: str, **options: Any) -> None:
    """Switch a rule on; of a data set, or of a JSON file."""
    _switch(session, name, True, **options)


@rules.command(cls=Command)
@click.argument("name")
@_dataset_option
@_file_option
@_who_option
@_why_option
@json_option
@click.pass_obj
def off(session: Session, /, name: str, **options: Any) -> None:
    """Switch a rule off; of a data set, or of a JSON file."""
    _switch(session, name, False, **options)


def _switch(
    session: Session,
    name: str,
    on: bool,
    dataset: str | None,
    rules_file: Path | None,
    who: str | None,
    why: str,
    as_json: bool,
) -> None:
    """Switch a rule, and write who did and when."""
    from datetime import UTC, datetime

    if rules_file is None:
        store = _store(session, _dataset(session, dataset))
        _written(store.switch(store.find(name), on, who or login_name(), why), as_json)
        return
    from guidedrec_core.rules.storage import read_rules, write_rules

    found = read_rules(rules_file)
    write_rules(rules_file, found.switched(name, on, who or login_name(), datetime.now(UTC).replace(microsecond=0)))
    if as_json:
        write_json({"rule": name, "on": on})
        return
    click.echo(f"Rule {one_line(name)} is {'on' if on else 'off'}.")


@rules.command(cls=Command)
@click.argument("name")
@_dataset_option
@_who_option
@_why_option
@json_option
@click.pass_obj
def remove(session: Session, name: str, dataset: str | None, who: str | None, why: str, as_json: bool) -> None:
    """Delete a rule of a data set; its history stays."""
    store = _store(session, _dataset(session, dataset))
    store.delete(store.find(name), who or login_name(), why)
    if as_json:
        write_json({"dataset": store.dataset, "deleted": name})
        return
    click.echo(f"Rule {one_line(name)} is deleted.")


@rules.command(cls=Command)
@click.argument("dataset", required=False)
@json_option
@click.pass_obj
def history(session: Session, dataset: str | None, as_json: bool) -> None:
    """Show who changed which rule of a data set, and when."""
    from guidedrec_core.rules.store import change_words

    changes = _store(session, _dataset(session, dataset)).history()
    names = [str((change.after or change.before or {}).get("name", "")) for change in changes]
    if as_json:
        write_json(
            {
                "changes": [
                    {"at": c.at.isoformat(), "who": c.who, "rule": name, "action": c.action, "text": change_words(c)}
                    for c, name in zip(changes, names, strict=True)
                ]
            }
        )
        return
    rows = [
        [f"{c.at:%Y-%m-%d %H:%M:%S}", one_line(c.who), one_line(name), one_line(change_words(c))]
        for c, name in zip(changes, names, strict=True)
    ]
    write_table(("when (UTC)", "who", "rule", "what"), rows)


@rules.command(name="import", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@_dataset_option
@_who_option
@json_option
@click.pass_obj
def import_rules(session: Session, file: Path, dataset: str | None, who: str | None, as_json: bool) -> None:
    """Move the rules of a file into the database, all or none.

    Order, states, notes, authors and times are kept. The rules are checked against the newest refined run first.
    """
    from guidedrec_core.rules.rule import adjustments
    from guidedrec_core.rules.storage import read_rules

    found = read_rules(file)
    with opened(session, dataset, None) as system:
        adjustments(found.rules, system)
        name = system.data.dataset.name
        made = _store(session, name).import_rules(found, who or login_name(), file.name)
    if as_json:
        write_json({"dataset": name, "rules": [one.rule.name for one in made]})
        return
    click.echo(f"{len(made)} rules imported into data set {name}, {sum(one.rule.on for one in made)} of them on.")


@rules.command(cls=Command)
@click.argument("dataset", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="JSON file to write; replaced.  [default: print it]")
@click.pass_obj
def export(session: Session, dataset: str | None, out: Path | None) -> None:
    """Write the rules of a data set as a file, which --rules and `guidedrec rules import` read."""
    from guidedrec_core.rules.storage import write_rules

    found = _rules(session, _dataset(session, dataset), None)
    if out is None:
        write_json(found.model_dump(mode="json", exclude_none=True))
        return
    write_rules(out, found)
    session.note(f"{len(found.rules)} rules in {out}")


def _dataset(session: Session, dataset: str | None) -> str:
    """Return the name of a data set that exists; by default that of the newest refined run."""
    if dataset is None:
        return str(choose(session.store(), None, None).data.config["name"])
    from guidedrec_core.stages import find_data

    return str(find_data(session.store(), dataset).config["name"])


def _store(session: Session, dataset: str) -> "RuleStore":
    """Open the rules of a data set."""
    from guidedrec_core.rules.store import RuleStore

    return RuleStore(session.store().home, dataset)


def _rules(session: Session, dataset: str, rules_file: Path | None) -> "RuleSet":
    """Return the rules of a file, or of a data set."""
    from guidedrec_core.rules.storage import read_rules

    return _store(session, dataset).rule_set() if rules_file is None else read_rules(rules_file)


def _written(stored: "StoredRule", as_json: bool) -> None:
    """Say what is stored now."""
    rule = stored.rule
    if as_json:
        write_json({"dataset": stored.dataset, **rule.model_dump(mode="json", exclude_none=True)})
        return
    click.echo(f"Rule {one_line(rule.name)} of data set {stored.dataset} is {'on' if rule.on else 'off'}.")


def _json(made: "RulePreview") -> dict[str, Any]:
    """Return a preview as plain values."""
    return {
        "k": made.k,
        "users": made.users,
        "users_changed": made.changed,
        "users_with_other_items": made.entered,
        "coverage": {"before": made.coverage_before, "after": made.coverage_after},
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
        f"{made.entered:,} of them get other items. "
        f"Of the catalogue, {made.coverage_before:.1%} is in some list before, {made.coverage_after:.1%} after."
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
