"""``guidedrec audience``: who is shown a group of items, segments of users, and shelves of the catalogue."""

from typing import TYPE_CHECKING, Any

import click

from guidedrec_core import columns as c
from guidedrec_core.cli.models import opened
from guidedrec_core.cli.output import json_option, write_facts, write_json, write_table
from guidedrec_core.cli.session import Command, Session

if TYPE_CHECKING:
    import pandas as pd

    from guidedrec_core.audience.audience import Audience
    from guidedrec_core.audience.exposure import GroupAnswer
    from guidedrec_core.recommenders.refined import RefinedRecommender

_WORST = 10
_LENGTH = 10


@click.command(cls=Command)
@click.argument("dataset", required=False)
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the newest]")
@click.option("--items", metavar="CONDITION", help='Which items, e.g. "jackets", "price 100..200" or "high warmth".')
@click.option("--users", metavar="CONDITION", help='Among which users, e.g. "seeks warmth".  [default: all]')
@click.option("--segments", is_flag=True, help="Show segments of users by taste, and the gain in each.")
@click.option("--shelves", is_flag=True, help="Show the catalogue as the models sort it, against its categories.")
@click.option("--k", type=click.IntRange(min=1), default=_LENGTH, show_default=True, help="Length of the lists.")
@json_option
@click.pass_obj
def audience(
    session: Session,
    dataset: str | None,
    run_id: str | None,
    items: str | None,
    users: str | None,
    segments: bool,
    shelves: bool,
    k: int,
    as_json: bool,
) -> None:
    """Show who gets some items, and whether they should.

    With --items: how much of the lists and of their exposure the items take, base against refined, how many of those
    shown one had one before, and who is shown most of them with the least past interest. Exposure weights a place by
    1 / log2(rank + 1). Lists start from histories without the test part. --segments and --shelves stand alone.
    """
    if (items is not None) + segments + shelves != 1:
        raise click.UsageError("expected one of --items, --segments and --shelves")
    if users is not None and items is None:
        raise click.UsageError("--users goes with --items; leave it out, or say which items")
    with opened(session, dataset, run_id, "train+valid") as system:
        if shelves:
            _show_shelves(system, as_json)
            return
        people = _people(session, system, k)
        if segments:
            _show_segments(people, as_json)
        else:
            _show_group(people, items or "", users, as_json)


def _people(session: Session, system: "RefinedRecommender", k: int) -> "Audience":
    """Prepare the users, with the lists and cases of the run's evaluation where it has them."""
    from guidedrec_core.audience.audience import Audience
    from guidedrec_core.runs.library import find_entry

    store = session.store()
    entry = find_entry(store, system.data.dataset.name, system.run_id)
    evaluation = None if entry.evaluation is None else store.open(entry.evaluation.id, "evaluation")
    return Audience.measured(system, evaluation, k)


def _show_group(people: "Audience", items: str, users: str | None, as_json: bool) -> None:
    """Show the answer about a group."""
    from guidedrec_core.audience import answer_words

    what = people.condition(items, "items")
    who = None if users is None else people.condition(users, "users")
    answer = people.who_gets(what, who)
    if as_json:
        write_json(group_json(people, answer, items, users))
        return
    titles = dict(zip(people.data.dataset.items.ids, people.data.dataset.catalogue.frame[c.TITLE], strict=True))
    words, verb = answer_words.items_words(what, people.terms, titles), people.terms.verb
    group = answer_words.group_words(who, answer.n_users, people.terms)
    for sentence in (
        answer_words.lead_sentence(answer, words, group, verb),
        answer_words.share_sentence(answer, words, group, verb),
        answer_words.fit_sentence(answer, verb),
    ):
        if sentence:
            click.echo(sentence)
    click.echo()
    rows = _rows(answer.measures.sort_values(["measure", "model"], kind="stable"))
    write_table(
        ("measure", "model", "share", "from", "to", "count", "of"),
        [[r.measure, r.model, *map(_share, (r.value, r.low, r.high)), f"{r.count:,.6g}", f"{r.of:,.6g}"] for r in rows],
    )
    click.echo()
    write_table(
        ("lift against", "model", "times", "from", "to"),
        [[r.against, r.model, *map(_times, (r.lift, r.low, r.high))] for r in _rows(answer.lifts)],
    )
    worst = answer.offenders.head(_WORST)
    if len(worst):
        click.echo()
        write_table(
            ("user", "item", "share of list", "share of past", "past with them"),
            [[r.user_id, r.item_id, _share(r.exposure), _share(r.past_share), f"{r.past:,}"] for r in _rows(worst)],
        )


def group_json(people: "Audience", answer: "GroupAnswer", items: str, users: str | None) -> dict[str, Any]:
    """Return an answer in the stable form for other programs.

    Returns
    -------
    dict
        `items` and `users` are definitions that can be stored; `measures`, `lifts` and `change` have the columns of
        `GroupAnswer`'s tables; `offenders` are all users that are shown more of the items than their past says.
    """
    from guidedrec_core.conditions.condition import Definition

    def definition(text: str | None, about: Any) -> Any:
        return None if text is None else Definition.of(people.condition(text, about), text).model_dump(mode="json")

    past = answer.past
    return {
        "dataset": people.data.dataset.name,
        "run_id": people.model.run_id,
        "k": answer.k,
        "items": definition(items, "items"),
        "users": definition(users, "users"),
        "n_items": answer.n_items,
        "catalogue": answer.catalogue,
        "n_users": answer.n_users,
        "everyone": answer.everyone,
        "past": {"value": past.value, "low": past.low, "high": past.high, "count": past.count, "of": past.of},
        "measures": answer.measures.to_dict("records"),
        "lifts": answer.lifts.to_dict("records"),
        "change": answer.change.to_dict("records"),
        "offenders": answer.offenders.to_dict("records"),
    }


def _show_segments(people: "Audience", as_json: bool) -> None:
    """Show the segments."""
    from guidedrec_core.audience import segment_words
    from guidedrec_core.audience.segment_report import segment_report

    report, verb = segment_report(people), people.terms.verb
    explained = report.explained
    if as_json:
        write_json(
            {
                "dataset": people.data.dataset.name,
                "run_id": people.model.run_id,
                "stable": report.segments.stable,
                "stability": report.segments.stability.to_dict("records"),
                "segments": report.table.to_dict("records"),
                "metric": report.metric,
                "gains": report.gains.to_dict("records"),
                "explained": None
                if explained is None
                else {
                    "share": explained.share,
                    "chance": explained.chance,
                    "chance_high": explained.chance_high,
                    "users": explained.users,
                    "parts": explained.parts.to_dict("records"),
                },
            }
        )
        return
    click.echo(segment_words.segments_sentence(report, verb))
    for sentence in (segment_words.gain_sentence(report), segment_words.stability_sentence(report, verb)):
        if sentence:
            click.echo(sentence)
    if explained is not None:
        click.echo(segment_words.explained_sentence(explained, verb))
    click.echo()
    table = report.table.merge(report.gains, on=["segment", "name"])
    write_table(
        ("segment", "name", "users", f"{report.metric} gain", "from", "to", "over placebo", "from", "to"),
        [
            [
                str(r.segment),
                r.name,
                f"{r.users:,}",
                *map(_gain, (r.gain, r.gain_low, r.gain_high)),
                *map(_gain, (r.over_placebo, r.over_placebo_low, r.over_placebo_high)),
            ]
            for r in _rows(table)
        ],
    )
    click.echo()
    write_table(
        ("segments", "agreement", "without groups", "stable"),
        [
            [str(r.k), f"{r.agreement:.2f}", f"{r.chance:.2f}", "yes" if r.passed else "no"]
            for r in _rows(report.segments.stability)
        ],
    )


def _show_shelves(system: "RefinedRecommender", as_json: bool) -> None:
    """Show the shelves."""
    from guidedrec_core.audience.shelves.report import SPACES, catalogue_shelves

    report = catalogue_shelves(system)
    if as_json:
        write_json(
            {
                "dataset": system.data.dataset.name,
                "run_id": system.run_id,
                "agreement": report.agreement.to_dict("records"),
                "spaces": {
                    space: {
                        "shelves": report.trees[space].to_dict("records"),
                        "codes": dict(
                            zip(system.data.dataset.items.ids, report.shelves[space].codes.tolist(), strict=True)
                        ),
                        "misplaced": report.misplaced[space].to_dict("records"),
                    }
                    for space in SPACES
                },
            }
        )
        return
    for space in SPACES:
        click.echo(report.sentence(space))
    click.echo()
    write_table(
        ("space", "level", "shelves", "purity", "by chance", "NMI", "AMI"),
        [
            [r.space, str(r.level), str(r.shelves), _share(r.purity), _share(r.chance), f"{r.nmi:.2f}", f"{r.ami:.2f}"]
            for r in _rows(report.agreement)
        ],
    )
    click.echo()
    write_facts([(f"{r.shelf} ({r.items:,} items)", r.name) for r in _rows(report.tables["refined"])])
    found = report.misplaced["refined"].head(_WORST)
    if len(found):
        click.echo()
        write_table(
            ("item", "title", "category", "stands on"),
            [[r.item_id, r.title, r.category, r.shelf] for r in _rows(found)],
        )


def _share(value: float) -> str:
    return "" if value != value else f"{100 * value:.1f}%"


def _times(value: float) -> str:
    return "" if value != value else f"{value:.2f}"


def _gain(value: float) -> str:
    return "" if value != value else f"{value:+.4f}"


def _rows(table: "pd.DataFrame") -> Any:
    """Return the rows of a table as tuples with names."""
    return table.itertuples(index=False)
