"""``guidedrec audience``: who is shown a group of items, segments of users, and shelves of the catalogue."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core import columns as c
from guidedrec_core.cli.models import opened
from guidedrec_core.cli.output import json_option, one_line, write_facts, write_json, write_table
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.language import percent

if TYPE_CHECKING:
    import pandas as pd

    from guidedrec_core.audience.audience import Audience
    from guidedrec_core.audience.exposure import GroupAnswer
    from guidedrec_core.audience.saved import SavedSegment
    from guidedrec_core.conditions.condition import Condition
    from guidedrec_core.recommenders.refined import RefinedRecommender

_WORST = 10
_LENGTH = 10


@click.command(cls=Command)
@click.argument("dataset", required=False)
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the newest]")
@click.option("--items", metavar="CONDITION", help='Which items, e.g. "jackets", "price 100..200" or "high warmth".')
@click.option("--users", metavar="CONDITION", help='Among which users, e.g. "seeks warmth".  [default: all]')
@click.option("--segment", "segment_name", metavar="NAME", help="Among the users of a saved segment.")
@click.option("--save", "save_as", metavar="NAME", help="Save the users of --users as a segment of the data set.")
@click.option("--note", metavar="TEXT", help="What the saved segment is about.")
@click.option("--who", metavar="NAME", help="Who saves it.  [default: the login name]")
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
    segment_name: str | None,
    save_as: str | None,
    note: str | None,
    who: str | None,
    segments: bool,
    shelves: bool,
    k: int,
    as_json: bool,
) -> None:
    """Show who gets some items, and whether they should.

    With --items: how much of the lists and of their exposure the items take, base against refined, how many of those
    shown one had one before, and who is shown most of them with the least past interest. Exposure weights a place by
    1 / log2(rank + 1). Lists start from histories without the test part. --segments and --shelves stand alone.

    With --users or --segment alone: what these users seek and are shown, and what refinement brings them. --save keeps
    --users under a name, for the app, the evaluation and reports; conditions name it as "segment: NAME".
    """
    grouped = users is not None or segment_name is not None
    if (items is not None) + segments + shelves + (grouped and items is None) != 1:
        raise click.UsageError("expected one of --items, --segments and --shelves, or --users or --segment alone")
    if users is not None and segment_name is not None:
        raise click.UsageError("expected --users or --segment, got both; join them: --users 'segment: NAME and ...'")
    if save_as is not None and users is None:
        raise click.UsageError("--save keeps the users of --users; say which")
    if save_as is None and (note is not None or who is not None):
        raise click.UsageError("--note and --who go with --save")
    with opened(session, dataset, run_id, "train+valid") as system:
        if shelves:
            _show_shelves(system, as_json)
            return
        people = people_of(session, system, k)
        if segments:
            _show_segments(people, as_json)
            return
        group = group_of(session, people, users, segment_name)
        saved = None if save_as is None else _save(session, people, group, save_as, note or "", who)
        if items is not None:
            _show_group(people, items, group, saved, as_json)
        else:
            _describe(people, group, saved, as_json)


@dataclass(frozen=True)
class Users:
    """A group of users.

    Attributes
    ----------
    condition : Condition or None
        Who; None is everyone.
    text : str or None
        The same as it was typed.
    segment : SavedSegment or None
        The saved segment that it is.
    """

    condition: "Condition | None"
    text: str | None
    segment: "SavedSegment | None" = None


def group_of(session: Session, people: "Audience", users: str | None, segment_name: str | None) -> Users:
    """Read which users are meant."""
    if users is None and segment_name is None:
        return Users(None, None)
    from guidedrec_core.audience.saved import SegmentStore, readable

    store, dataset = SegmentStore(session.store().home), people.data.dataset.name
    if segment_name is not None:
        found = store.find(segment_name, dataset)
        return Users(found.condition, found.text, found)
    return Users(people.condition(users or "", "users", readable(store.list(dataset))), users)


def _save(session: Session, people: "Audience", group: Users, name: str, note: str, who: str | None) -> "SavedSegment":
    """Save a group as a segment, once it is known that somebody belongs to it."""
    from guidedrec_core.audience.saved import SegmentStore, definition_of
    from guidedrec_core.cli.override import login_name
    from guidedrec_core.errors import InputError

    assert group.condition is not None
    if not people.users(group.condition).any():
        raise InputError(f"none of the {people.n_users:,} users fulfils the condition; widen it")
    definition = definition_of(group.condition, group.text or "", people)
    store = SegmentStore(session.store().home)
    return store.save(people.data.dataset.name, name, definition, who or login_name(), note)


def people_of(session: Session, system: "RefinedRecommender", k: int) -> "Audience":
    """Prepare the users, with the lists and cases of the run's evaluation where it has them."""
    from guidedrec_core.audience.audience import Audience
    from guidedrec_core.runs.library import find_entry

    store = session.store()
    entry = find_entry(store, system.data.dataset.name, system.run_id)
    evaluation = None if entry.evaluation is None else store.open(entry.evaluation.id, "evaluation")
    return Audience.measured(system, evaluation, k)


def _describe(people: "Audience", group: Users, saved: "SavedSegment | None", as_json: bool) -> None:
    """Show what a group of users is like, and what refinement brings it."""
    from guidedrec_core.audience import answer_words
    from guidedrec_core.audience.saved import segment_facts
    from guidedrec_core.conditions.condition import Definition

    assert group.condition is not None
    profile = people.profile(group.condition)
    slices = people.slices({"group": group.condition, "everyone": None})
    if as_json:
        segment = saved or group.segment
        write_json(
            {
                "dataset": people.data.dataset.name,
                "run_id": people.model.run_id,
                "segment": None if segment is None else segment_facts(segment),
                "users": Definition.of(group.condition, group.text or "").model_dump(mode="json"),
                "n_users": profile.n_users,
                "everyone": profile.everyone,
                "past": profile.past,
                "taste": profile.taste.to_dict("records"),
                "categories": profile.categories.to_dict("records"),
                "typical": profile.typical.to_dict("records"),
                "slices": slices.to_dict("records"),
            }
        )
        return
    _say_saved(saved)
    verb = people.terms.verb
    words = answer_words.group_words(group.condition, profile.n_users, people.terms)
    said = f"; they {profile.seeks}" if profile.seeks else ""
    click.echo(
        f"{words[:1].upper()}{words[1:]}, of {profile.everyone:,}{said}. Median {verb.count(round(profile.past))}."
    )
    click.echo()
    write_table(
        ("taste", "deviations", "from", "to"),
        [[r.label, *map(_deviations, (r.value, r.low, r.high))] for r in _rows(profile.taste.head(_WORST))],
    )
    click.echo()
    write_table(
        ("shown most", "here", "elsewhere"),
        [[r.title, _share(r.here), _share(r.elsewhere)] for r in _rows(profile.typical)],
    )
    click.echo()
    rows = slices[(slices["metric"] == f"NDCG@{_LENGTH}") & (slices["model"] != "refined")]
    write_table(
        (f"gain in NDCG@{_LENGTH} of", "over", "gain", "from", "to", "test cases"),
        [
            [r.slice, r.model.replace("_", " "), *map(_gain, (r.gain, r.ci_low, r.ci_high)), f"{r.n_cases:,}"]
            for r in _rows(rows)
            if r.model in ("base", "placebo", "second_training")
        ],
    )


def _say_saved(saved: "SavedSegment | None") -> None:
    """Say under which name a group was saved."""
    if saved is not None:
        click.echo(f"Saved as segment {one_line(saved.name)} of data set {one_line(saved.dataset)}.")


def _show_group(people: "Audience", items: str, group: Users, saved: "SavedSegment | None", as_json: bool) -> None:
    """Show the answer about a group."""
    from guidedrec_core.audience import answer_words

    what, who = people.condition(items, "items"), group.condition
    answer = people.who_gets(what, who)
    if as_json:
        write_json(group_json(people, answer, what, items, group, saved))
        return
    _say_saved(saved)
    titles = dict(zip(people.data.dataset.items.ids, people.data.dataset.catalogue.frame[c.TITLE], strict=True))
    words, verb = answer_words.items_words(what, people.terms, titles), people.terms.verb
    named = answer_words.group_words(who, answer.n_users, people.terms)
    for sentence in (
        answer_words.lead_sentence(answer, words, named, verb),
        answer_words.share_sentence(answer, words, named, verb),
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


def group_json(
    people: "Audience",
    answer: "GroupAnswer",
    what: "Condition",
    items: str,
    group: Users,
    saved: "SavedSegment | None" = None,
) -> dict[str, Any]:
    """Return an answer in the stable form for other programs.

    Returns
    -------
    dict
        `items` and `users` are definitions that can be stored; `segment` is the saved segment that the users are;
        `measures`, `lifts` and `change` have the columns of `GroupAnswer`'s tables; `offenders` are all users that are
        shown more of the items than their past says.
    """
    from guidedrec_core.audience.saved import segment_facts
    from guidedrec_core.conditions.condition import Definition

    def definition(condition: "Condition | None", text: str | None) -> Any:
        return None if condition is None else Definition.of(condition, text or "").model_dump(mode="json")

    past, segment = answer.past, saved or group.segment
    return {
        "dataset": people.data.dataset.name,
        "run_id": people.model.run_id,
        "k": answer.k,
        "items": definition(what, items),
        "users": definition(group.condition, group.text),
        "segment": None if segment is None else segment_facts(segment),
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
    return "" if value != value else percent(value, 1)


def _times(value: float) -> str:
    return "" if value != value else f"{value:.2f}"


def _deviations(value: float) -> str:
    return "" if value != value else f"{value:+.2f}"


def _gain(value: float) -> str:
    return "" if value != value else f"{value:+.4f}"


def _rows(table: "pd.DataFrame") -> Any:
    """Return the rows of a table as tuples with names."""
    return table.itertuples(index=False)
