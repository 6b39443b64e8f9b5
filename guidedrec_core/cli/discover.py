"""``guidedrec discover``: what a refined model knows that nobody named, and names for it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.discover_accept import accept_card, check_card, refine_with, text_model
from guidedrec_core.cli.llm_options import LlmChoice, llm_options
from guidedrec_core.cli.models import opened
from guidedrec_core.cli.output import json_option, one_line, write_facts, write_json, write_table
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.errors import DataError, GuidedrecError, InputError
from guidedrec_core.files import check_writable

if TYPE_CHECKING:
    from guidedrec_core.config import ScoringConfig
    from guidedrec_core.discovery.card import Card
    from guidedrec_core.discovery.directions import Direction, Discovery, End
    from guidedrec_core.discovery.proposal import Proposal
    from guidedrec_core.recommenders.refined import RefinedRecommender
    from guidedrec_core.runs.store import Run

_SHOWN = 6
"""Titles of each end in the table."""
_NEW_FILE = click.Path(path_type=Path)


@click.command(cls=Command)
@click.argument("dataset", required=False)
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the newest]")
@click.option(
    "--directions", type=click.IntRange(1, 64), default=12, show_default=True, help="Number of directions to find."
)
@click.option("--propose", "number", type=click.IntRange(1), metavar="N", help="Name direction N, and test the name.")
@click.option(
    "--name", metavar="TEXT", help="With --propose: your own name, e.g. wizard_school; no model proposes one."
)
@click.option("--definition", metavar="TEXT", help="What your attribute judges, in one sentence.")
@click.option("--low", metavar="TEXT", help="What its low end means.")
@click.option("--high", metavar="TEXT", help="What its high end means.")
@click.option(
    "--proposal",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='The same from a JSON file: {"name": ..., "definition": ..., "low": ..., "high": ...}.',
)
@llm_options("model", "base_url", "timeout", "temperature", "budget", recorded=False)
@click.option(
    "--offline",
    metavar="MODEL",
    help="Test your own name with a text model, which is less accurate: of sentence-transformers (extra `local`), or "
    "of --base-url.",
)
@click.option(
    "--card",
    "card_id",
    metavar="ID",
    help="A proposal that was tested before, for --accept or --refine; --propose prints its id.",
)
@click.option("--out", type=_NEW_FILE, metavar="FILE", help="Write the proposal with its test as JSON; a new file.")
@click.option(
    "--accept",
    type=_NEW_FILE,
    metavar="FILE",
    help="If the name passes, write the run's attributes and the new one (TOML, or JSON if it ends in .json); a new "
    "file.",
)
@click.option(
    "--refine",
    is_flag=True,
    help="If the name passes, score the catalogue on it next to all scores that are there, refine again, and show what "
    "changed.",
)
@json_option
@click.pass_obj
def discover(
    session: Session,
    dataset: str | None,
    run_id: str | None,
    directions: int,
    number: int | None,
    name: str | None,
    definition: str | None,
    low: str | None,
    high: str | None,
    proposal: Path | None,
    llm: LlmChoice,
    offline: str | None,
    card_id: str | None,
    out: Path | None,
    accept: Path | None,
    refine: bool,
    as_json: bool,
) -> None:
    """Show what the model knows that nobody named.

    What neither attributes nor facts explain of the scores is split into directions, ranked by how much of the users'
    50 best items they decide. Each is shown by the items at its two ends, by what these are rich in, and by the users
    whose lists depend on it. A direction is more than chance if it is found again in halves of the items, and if people
    follow it in held-out interactions.

    With --propose N a language model reads some items of both ends and proposes an attribute, or you do. It is tested
    on other items: scored without being told where they lie, do those of the high end score higher? The proposal is
    kept with its test. With --refine an accepted name becomes an attribute: all items are scored on it (users, too,
    where they are scored), no other score is asked for again, and the model is refined anew and compared with the
    earlier one. With --accept it goes into a file of attributes instead.
    """
    own = {"name": name, "definition": definition, "low": low, "high": high}
    given = {key: value for key, value in own.items() if value is not None}
    if card_id is None:
        _check(number, given, proposal, llm, offline, out, accept, refine)
    else:
        check_card(number, given, proposal, out, accept, refine)
        accept_card(session, dataset, run_id, card_id, llm, offline, accept, refine, as_json)
        return
    values = given if proposal is None else _read(proposal)
    with opened(session, dataset, run_id) as system:
        from guidedrec_core.discovery.directions import discover as find

        discovery = find(system, directions)
        if number is None:
            _show(system, discovery, as_json)
            return
        card, config = _named(session, system, discovery, number, values, llm, offline)
        from guidedrec_core.stages import keep_card

        kept = keep_card(session.store(), card, config, text_model=offline is not None)
        _finish(system, card, kept, out, accept, as_json, refine)
        if refine:
            refine_with(session, system.run_id, kept, llm, offline, as_json)


def _check(
    number: int | None,
    given: dict[str, str],
    proposal: Path | None,
    llm: LlmChoice,
    offline: str | None,
    out: Path | None,
    accept: Path | None,
    refine: bool,
) -> None:
    """Refuse conflicting options, and name missing ones."""
    if number is None:
        if given or proposal or llm.values or offline or out or accept or refine:
            raise click.UsageError("names belong to a direction; say which with --propose N")
        return
    if given and proposal:
        raise click.UsageError("your proposal stands in options or in --proposal FILE; leave out one")
    if offline and llm.wanted:
        raise click.UsageError("a language model or a text model; leave out --model, or --offline")
    if not offline and not llm.wanted:
        raise click.UsageError(
            "a name is tested by scores: name a language model with --model (and --base-url), or --offline MODEL"
        )
    if offline and not given and not proposal:
        raise click.UsageError("a text model proposes no names; give yours with --name, --low and --high")
    for path in (out, accept):
        if path is not None and path.exists():
            raise InputError(f"expected a new file, {path} is there already; name another, or move it away")
        if path is not None:
            check_writable(path.parent)  # before anything is paid for


def _read(path: Path) -> dict[str, Any]:
    """Read a proposal.

    Raises
    ------
    DataError
        There is no such file, or it is not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DataError(f"expected a proposal as JSON in {path}, cannot read it: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f'expected {{"name": ..., "low": ..., "high": ...}} in {path}, got a {type(content).__name__}')
    return content


def _named(
    session: Session,
    system: "RefinedRecommender",
    discovery: "Discovery",
    number: int,
    values: dict[str, Any],
    llm: LlmChoice,
    offline: str | None,
) -> "tuple[Card, ScoringConfig]":
    """Get a name for a direction and try it; return what came of it, and what it was scored with."""
    from guidedrec_core.config import ScoringConfig
    from guidedrec_core.discovery.proposal import by_analyst
    from guidedrec_core.stages.discovery import NamingTask, by_language_model, by_text_model, reading_settings

    settings = reading_settings(system)
    config = ScoringConfig.parse({"model": offline, **settings}) if offline else llm.config(**settings)
    task = NamingTask(system, discovery, number, config)
    proposal: Proposal | None = by_analyst(values, task.schema) if values else None
    with session.progress() as listener:
        if proposal is None:
            proposal = task.ask_for_name(listener)
        if offline:
            return task.tried(proposal, by_text_model(task, text_model(offline, llm), listener), offline), config
        return task.tried(proposal, by_language_model(session.store(), config, listener), config.model), config


def _finish(
    system: "RefinedRecommender",
    card: "Card",
    kept: "Run",
    out: Path | None,
    accept: Path | None,
    as_json: bool,
    refine: bool,
) -> None:
    """Show a card, write it, and write the schema if the name passed.

    Raises
    ------
    GuidedrecError
        A schema or a refined model is wanted, and the name did not pass.
    """
    from guidedrec_core.discovery.proposal import with_attribute

    content = card.as_dict()
    if out is not None:
        out.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if accept is not None and card.accepted and card.proposal is not None:
        with_attribute(system.schema, card.proposal.attribute).write(accept)
    if refine and card.accepted and as_json:
        pass  # the one document is the comparison
    elif as_json:
        write_json({**content, "card_id": kept.id, "path": out, "schema_path": accept if card.accepted else None})
    else:
        write_facts(_card_facts(card, kept, out, accept))
    if accept is not None and not card.accepted:
        raise GuidedrecError(
            f"the name for direction {card.direction.number} did not pass, so {accept} was not written; "
            "propose another, or another direction"
        )
    if refine and not card.accepted:
        raise GuidedrecError(
            f"the name for direction {card.direction.number} did not pass, so nothing was scored or refined; propose "
            "another, or another direction"
        )


def _card_facts(card: "Card", kept: "Run", out: Path | None, accept: Path | None) -> list[tuple[str, str]]:
    """Say what was proposed and how it did."""
    facts = [("direction", str(card.direction.number))]
    if card.proposal is None or card.trial is None:
        facts.append(("name", f"none: {card.provenance['scored_by']} sees nothing that tells the two ends apart"))
    else:
        attribute, trial = card.proposal.attribute, card.trial
        sure = "" if card.proposal.confidence is None else f", {card.proposal.confidence:.0%} sure"
        facts += [
            ("name", f"{attribute.name} (by {card.proposal.by}{sure})"),
            *([("definition", attribute.definition)] if attribute.definition else []),
            ("low end", attribute.low),
            ("high end", attribute.high),
            (
                "test",
                f"AUROC {trial.auroc:.2f} [{trial.ci_low:.2f}, {trial.ci_high:.2f}] over {trial.n_high} and "
                f"{trial.n_low} items not shown, scored by {card.provenance['scored_by']}",
            ),
        ]
    facts += [("accepted", "yes" if card.accepted else "no"), ("card", kept.id)]
    if out is not None:
        facts.append(("written to", str(out)))
    if accept is not None and card.accepted:
        facts.append(("attributes", f"{accept}; score the catalogue on them with `guidedrec score --attributes`"))
    return facts


def _show(system: "RefinedRecommender", discovery: "Discovery", as_json: bool) -> None:
    """Show the directions."""
    if as_json:
        write_json(discovery_json(system, discovery))
        return
    together = sum(direction.of_rest for direction in discovery.found)
    write_facts(
        [
            ("no name", f"{discovery.rest:.1%} of the scores of the 50 best items, mean of {discovery.users:,} users"),
            ("these directions", f"{together:.0%} of that"),
            (
                "chance",
                f"one in a hundred directions drawn at random is as stable as {discovery.directions.chance:.2f}",
            ),
        ]
    )
    click.echo()
    write_table(
        ("direction", "of the unnamed", "spread", "stable", "followed", "more than chance"),
        [
            [
                str(one.number),
                f"{one.of_rest:.1%}",
                f"{one.spread:.2f}",
                f"{one.stability:.2f}",
                f"{one.followed:+.2f}",
                "yes" if one.passed else "no",
            ]
            for one in discovery.found
        ],
    )
    titles = system.data.dataset.catalogue.frame["title"].astype(str).tolist()
    for one in discovery.found:
        click.echo()
        ends = (("high", one.high), ("low", one.low))
        write_facts([(f"{one.number} {name}", _end_words(end, titles)) for name, end in ends])
        if one.dependents:
            users = ", ".join(f"{each.user_id} ({each.end})" for each in one.dependents)
            click.echo(one_line(f"users: {users}"))


def _end_words(end: "End", titles: list[str]) -> str:
    """Say what stands at an end, and what it is rich in."""
    items = "; ".join(titles[item] for item in end.items[:_SHOWN]) or "nothing"
    rich = ", ".join(f"{trait.text} (x {trait.lift:.1f})" for trait in end.traits)
    return f"{items}{f' | rich in {rich}' if rich else ''}"


def discovery_json(system: "RefinedRecommender", discovery: "Discovery") -> dict[str, Any]:
    """Return directions in the stable form for other programs.

    Returns
    -------
    dict
        `unnamed` is the share of the score that no name covers among the 50 best items; `of_rest` and `of_score` are a
        direction's shares of either. Items stand most extreme first.
    """
    frame = system.data.dataset.catalogue.frame

    def end(one: "End") -> dict[str, Any]:
        items = [
            {"item_id": str(frame["item_id"].iloc[item]), "title": str(frame["title"].iloc[item])} for item in one.items
        ]
        return {"items": items, "rich_in": [asdict(trait) for trait in one.traits]}

    def direction(one: "Direction") -> dict[str, Any]:
        names = ("number", "of_rest", "of_score", "spread", "held", "stability", "followed", "chance", "told", "passed")
        numbers = {name: getattr(one, name) for name in names}
        users = [asdict(each) for each in one.dependents]
        return {**numbers, "high": end(one.high), "low": end(one.low), "users": users}

    return {
        "dataset": system.data.dataset.name,
        "run_id": system.run_id,
        "unnamed": discovery.rest,
        "users": discovery.users,
        "cases": discovery.cases,
        "chance_stability": discovery.directions.chance,
        "directions": [direction(one) for one in discovery.found],
    }
