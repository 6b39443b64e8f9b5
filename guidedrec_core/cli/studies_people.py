"""``guidedrec studies`` for tests put to people: making one, listing them, and results."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.models import choose
from guidedrec_core.cli.output import json_option, write_facts, write_json, write_table
from guidedrec_core.cli.override import login_name
from guidedrec_core.cli.session import Command, Session

if TYPE_CHECKING:
    from guidedrec_core.judging.content import Content
    from guidedrec_core.judging.experiment import Experiment
    from guidedrec_core.judging.store import ExperimentStore
    from guidedrec_core.recommenders.refined import RefinedRecommender
    from guidedrec_core.runs.library import RefinedEntry

    Opener = Callable[[str], RefinedRecommender]

_ADDRESS = "http://localhost:8501"


def _test_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what both kinds of test take."""
    for option in reversed(
        (
            click.argument("name"),
            click.argument("dataset", required=False),
            click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the newest]"),
            click.option("--cases", type=click.IntRange(1, 200), default=12, show_default=True, help="Cases to draw."),
            click.option("--length", type=click.IntRange(1, 20), default=5, show_default=True, help="Items in a list."),
            click.option(
                "--per-judge",
                type=click.IntRange(min=1),
                metavar="N",
                help="Cases for each judge; dealt so that all are answered equally often.  [default: all]",
            ),
            click.option(
                "--user", "users", metavar="ID", multiple=True, help="Ask about this user; may be given several times."
            ),
            click.option("--seed", type=int, default=0, show_default=True, help="Of the draw and what is dealt."),
            click.option("--note", default="", metavar="TEXT", help="What judges are told at the start."),
            click.option("--who", metavar="NAME", help="Your name.  [default: the login name]"),
            click.option(
                "--address",
                default=_ADDRESS,
                show_default=True,
                metavar="URL",
                help="Where the app is reached, for the link to send.",
            ),
        )
    ):
        command = option(command)
    decorated: Callable[..., None] = json_option(command)
    return decorated


@click.command("new-taste-test", cls=Command)
@_test_options
@click.option(
    "--first",
    default="base",
    show_default=True,
    metavar="WHICH",
    help="base, refined, placebo, named, or the id of another refined run of the same data.",
)
@click.option("--second", default="refined", show_default=True, metavar="WHICH", help="As --first.")
@click.pass_obj
def new_taste_test(session: Session, /, first: str, second: str, **given: Any) -> None:
    """Make a test in which people say which of two lists is better, and print the link to send.

    They do not see which list is whose; sides, order and cases are dealt at random. NAME is the test's; judges do not
    see it.
    """
    from guidedrec_core.judging import taste

    def draw(entry: "RefinedEntry", open_run: "Opener", options: dict[str, Any]) -> "tuple[Content, dict[str, str]]":
        return taste.new_taste_test(session.store(), entry, first, second, open_run, **options)

    _make(session, draw, **given)


@click.command("new-prediction-test", cls=Command)
@_test_options
@click.pass_obj
def new_prediction_test(session: Session, /, **given: Any) -> None:
    """Make a test of whether people can predict the recommender, and print the link to send.

    People say which of two items is recommended, and how sure they are: without an explanation, with it, and with a
    placebo, which has the same form and shuffled values.
    """
    from guidedrec_core.judging import prediction

    def draw(entry: "RefinedEntry", open_run: "Opener", options: dict[str, Any]) -> "tuple[Content, dict[str, str]]":
        return prediction.new_prediction_test(entry, open_run, **options)

    _make(session, draw, **given)


@click.command(cls=Command)
@json_option
@click.pass_obj
def tests(session: Session, as_json: bool) -> None:
    """List tests that people answer, the newest first."""
    from guidedrec_core.judging.describe import KIND_WORDS
    from guidedrec_core.judging.export import experiment_facts

    store = _store(session)
    found, counts = store.list(), store.counts()
    if as_json:
        rows = [
            {**experiment_facts(one), **dict(zip(("judges", "answers"), counts.get(one.id, (0, 0)), strict=True))}
            for one in found
        ]
        write_json({"tests": rows})
        return
    if not found:
        click.echo("No tests yet; make one with `guidedrec studies new-taste-test` or `new-prediction-test`")
        return
    write_table(
        ("test", "id", "kind", "data set", "open", "judges", "answers", "made by", "when (UTC)"),
        [
            [
                *(one.name, one.id, KIND_WORDS[one.kind], one.dataset, "yes" if one.is_open else "no"),
                *(str(count) for count in counts.get(one.id, (0, 0))),
                *(one.written.created_by, f"{one.written.created_at:%Y-%m-%d %H:%M}"),
            ]
            for one in found
        ],
    )


@click.command(cls=Command)
@click.argument("test", metavar="NAME")
@click.option(
    "--difference",
    type=float,
    default=0.1,
    show_default=True,
    help="Smallest difference of interest, for the number of answers needed; 0.1 is 10 points.",
)
@click.option("--answers", type=click.Path(dir_okay=False, path_type=Path), help="Write every answer to this CSV file.")
@json_option
@click.pass_obj
def results(session: Session, test: str, difference: float, answers: Path | None, as_json: bool) -> None:
    """Say what the answers to a test tell, with intervals; NAME is its name or its id.

    Whoever is still to judge should not look: results sway.
    """
    from guidedrec_core.files import named_storage_errors
    from guidedrec_core.judging import analysis
    from guidedrec_core.judging.export import answers_csv, results_json

    store = _store(session)
    found = store.find(test)
    given = store.answers(found)
    result = analysis.results(found, given, store.judges(found.id), difference)
    if answers is not None:
        with named_storage_errors(answers.parent):
            answers.write_text(answers_csv(given), encoding="utf-8")
        session.note(f"{len(given):,} answers in {answers}")
    if as_json:
        write_json(results_json(found, result))
        return
    for sentence in (result.sentence, result.power, *result.further):
        click.echo(sentence)
    if len(result.judges):
        click.echo()
        _estimates(result)
        click.echo()
        write_table(
            ("judge", "began (UTC)", "last answer", "answered", "skipped", "of"),
            [
                [
                    *(str(row["judge"]), _minute(row["began"]), _minute(row["last"])),
                    *(str(row[name]) for name in ("answered", "skipped", "cases")),
                ]
                for row in result.judges.to_dict("records")
            ],
        )
        click.echo(f"\n{result.method}")


@click.command("close", cls=Command)
@click.argument("test", metavar="NAME")
@click.option("--reopen", is_flag=True, help="Take answers again.")
@click.option("--who", metavar="NAME", help="Your name.  [default: the login name]")
@click.pass_obj
def close(session: Session, test: str, reopen: bool, who: str | None) -> None:
    """Take no more answers to a test; NAME is its name or its id."""
    store = _store(session)
    found = store.set_open(store.find(test), reopen, who or login_name())
    click.echo(f"{found.name} {'takes answers again' if found.is_open else 'is closed'}")


COMMANDS = (new_taste_test, new_prediction_test, tests, results, close)
"""What `guidedrec studies` adds."""


def _make(
    session: Session,
    draw: "Callable[[RefinedEntry, Opener, dict[str, Any]], tuple[Content, dict[str, str]]]",
    *,
    name: str,
    dataset: str | None,
    run_id: str | None,
    users: tuple[str, ...],
    who: str | None,
    address: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Draw the cases, store the test, and say where to judge."""
    from guidedrec_core.judging.describe import about
    from guidedrec_core.judging.export import experiment_facts
    from guidedrec_core.recommenders.reading import open_refined
    from guidedrec_core.runs.titles import dataset_title

    entry, runs = choose(session.store(), dataset, run_id), session.store()
    opened = cache(lambda found: open_refined(runs, found))
    content, made_of = draw(entry, opened, {**options, "users": users or None})
    own = str(entry.data.config["name"])
    test = _store(session).create(name, own, made_of, content, who or login_name())
    link = f"{address.rstrip('/')}/Judge?test={test.id}"
    if as_json:
        write_json({**experiment_facts(test), "link": link})
        return
    _tell_shortage(session, test, int(options["cases"]))
    write_facts([("test", test.name), ("about", about(test, dataset_title(own))), ("link to send", link)])


def _tell_shortage(session: Session, test: "Experiment", wanted: int) -> None:
    found = len(test.content.cases)
    if found < wanted:
        session.note(f"found {found} cases of {wanted}, among {test.content.drawn['users']:,} users")


def _estimates(result: Any) -> None:
    write_table(
        ("answers", "measure", "value", "95 % from", "to", "n"),
        [
            [row.label, row.measure, *(_number(each) for each in (row.value, row.low, row.high)), str(row.n)]
            for frame in (result.estimates, result.differences)
            for row in frame.itertuples()
        ],
    )


def _minute(at: Any) -> str:
    """Write a moment to the minute; empty where there is none."""
    return f"{at:%Y-%m-%d %H:%M}" if at == at else ""  # not a NaT


def _number(value: float) -> str:
    return f"{value:.3f}" if value == value else ""  # not a NaN


def _store(session: Session) -> "ExperimentStore":
    from guidedrec_core.judging.store import ExperimentStore

    return ExperimentStore(session.store().home)
