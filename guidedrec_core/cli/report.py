"""``guidedrec report``: a case, cases, a segment, an evaluation or a test with people, to hand over."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from guidedrec_core.cli.models import choose, history_option
from guidedrec_core.cli.output import json_option, write_json
from guidedrec_core.cli.session import Command, Group, Session
from guidedrec_core.errors import InputError, UnknownIdError

if TYPE_CHECKING:
    from guidedrec_core.audience.saved import SavedSegment
    from guidedrec_core.audience.saved_gains import SavedGains
    from guidedrec_core.data.dataset import Shown
    from guidedrec_core.data.vocabulary import Vocabulary
    from guidedrec_core.recommenders.refined import RefinedRecommender
    from guidedrec_core.report.case import CaseViews
    from guidedrec_core.report.document import Report
    from guidedrec_core.runs.library import RefinedEntry
    from guidedrec_core.runs.store import Run

Format = Literal["html", "notebook", "json"]
_SUFFIXES: dict[str, Format] = {".html": "html", ".htm": "html", ".ipynb": "notebook", ".json": "json"}


@click.group(cls=Group)
def report() -> None:
    """Write reports: one file each, to hand over."""


def _output_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what reports of a run take: the run, and where to write what."""
    command = _file_options(command)
    command = click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the newest]")(command)
    return click.argument("dataset", required=False)(command)


def _file_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what all reports take: where to write what."""
    for option in reversed(
        (
            click.option(
                "--out",
                type=click.Path(path_type=Path),
                required=True,
                help="File to write (.html, .ipynb, .json). An existing file is replaced.",
            ),
            click.option(
                "--format",
                "form",
                type=click.Choice(["html", "notebook", "json"]),
                help="A page, a notebook that computes the same numbers, or the numbers and sentences.  "
                "[default: by the suffix of --out]",
            ),
            click.option(
                "--tables",
                type=click.Path(path_type=Path),
                metavar="DIR",
                help="Folder for every table, as CSV and Parquet.",
            ),
            click.option(
                "--charts",
                type=click.Path(path_type=Path),
                metavar="DIR",
                help="Folder for every chart, as PNG and SVG; needs kaleido and Chrome or Chromium.",
            ),
        )
    ):
        command = option(command)
    decorated: Callable[..., None] = json_option(command)
    return decorated


_k_option = click.option("--k", type=click.IntRange(min=1), default=10, show_default=True, help="Length of the lists.")


@report.command(cls=Command)
@_output_options
@click.option("--user", "user_id", metavar="ID", required=True, help="Whose case.")
@click.option("--item", "item_id", metavar="ID", help="The item to explain.  [default: the first recommendation]")
@_k_option
@history_option
@click.pass_obj
def case(
    session: Session,
    /,
    dataset: str | None,
    run_id: str | None,
    user_id: str,
    item_id: str | None,
    k: int,
    history: "Shown",
    out: Path,
    form: Format | None,
    **where: Any,
) -> None:
    """Say why an item is recommended to a user: what the Case study says, the answer first.

    Every part of the score with its name, both lists, which past items drove it, what would change it, why it moved.
    """
    from guidedrec_core.report.case import case_report, case_views
    from guidedrec_core.report.notebook import case_notebook
    from guidedrec_core.report.stamp import stamp_of

    form = _form(out, form)
    with _opened(session, dataset, run_id, history) as (entry, system):
        views = case_views(system, user_id, item_id, k)
        made = case_report(views, stamp_of(entry, datetime.now(UTC), history=_history_words(history)))
        home = session.store().home
        _write(made, out, form, lambda: case_notebook(made, home, user_id, views.item.item_id, history, k), **where)


@report.command(cls=Command)
@_output_options
@click.option(
    "--cases",
    multiple=True,
    metavar="USER:ITEM,...",
    help="The cases, in order; may be given several times. USER alone: the first recommendation.",
)
@click.option(
    "--study", "study_name", metavar="NAME", help="Instead: a study saved in the app, with its notes and verdicts."
)
@click.option("--title", help="Title of the report.  [default: the study's name, or Case studies]")
@click.option("--presentation", is_flag=True, help="Slides for a full screen, turned with the arrow keys.")
@_k_option
@history_option
@click.pass_obj
def study(
    session: Session,
    /,
    dataset: str | None,
    run_id: str | None,
    cases: tuple[str, ...],
    study_name: str | None,
    title: str | None,
    presentation: bool,
    k: int,
    history: "Shown",
    out: Path,
    form: Format | None,
    **where: Any,
) -> None:
    """Put several cases into one report, or on slides.

    Give --cases, or --study for one that was saved in the app: each of its cases is shown from the run it was saved
    with. With --presentation the page shows one case a slide in large type: arrow keys turn, F fills the screen. It
    works offline, light or dark as the reader's system is.
    """
    from guidedrec_core.report.case import case_views
    from guidedrec_core.report.html import slides_html
    from guidedrec_core.report.notebook import study_notebook
    from guidedrec_core.report.stamp import stamp_of
    from guidedrec_core.report.study import slides_of, study_report

    form = _form(out, form)
    if presentation and form != "html":
        raise click.UsageError("--presentation is a page; give --out a name that ends in .html")
    if study_name is not None:
        others = {"DATASET": dataset, "--run": run_id, "--cases": cases, "--history": history != "full"}
        given = [name for name, value in others.items() if value]
        if given:
            raise click.UsageError(f"--study has its own data, runs and cases; leave out {', '.join(given)}")
        _stored_study(session, study_name, title, presentation, k, out, form, **where)
        return
    if not cases:
        raise click.UsageError("expected --cases USER:ITEM,... or --study NAME; got neither")
    title = title or "Case studies"
    with _opened(session, dataset, run_id, history) as (entry, system):
        wanted = [pair for text in cases for pair in _pairs(text, system)]
        if not wanted:
            raise click.UsageError("--cases names no case; expected USER:ITEM,...")
        views: list[CaseViews] = [case_views(system, user, item, k) for user, item in wanted]
        stamp = stamp_of(entry, datetime.now(UTC), history=_history_words(history))
        made, home = study_report(title, views, stamp), session.store().home
        both = [(each.case.user_id, each.item.item_id) for each in views]
        page = (lambda: slides_html(title, slides_of(views), stamp)) if presentation else None
        _write(made, out, form, lambda: study_notebook(made, home, both, history, k), page, **where)


@report.command(cls=Command)
@_output_options
@click.option("--metric", help="The measure to judge by, e.g. MRR or Recall@20.  [default: the first NDCG]")
@click.pass_obj
def evaluation(
    session: Session,
    /,
    dataset: str | None,
    run_id: str | None,
    metric: str | None,
    out: Path,
    form: Format | None,
    **where: Any,
) -> None:
    """Say whether the refined model is better, and for whom: what the Evaluation page says, the answer first.

    The newest stored evaluation of the run is reported; `guidedrec evaluate` makes one.
    """
    from guidedrec_core.audience.saved import SegmentStore
    from guidedrec_core.evaluation.report import BASE, REFINED
    from guidedrec_core.report.evaluation import chosen_metric, evaluation_report, evaluation_views
    from guidedrec_core.report.notebook import evaluation_notebook
    from guidedrec_core.report.stamp import stamp_of
    from guidedrec_core.runs.scores import load_scores

    form, store = _form(out, form), session.store()
    entry = choose(store, dataset, run_id)
    name = str(entry.data.config["name"])
    if entry.evaluation is None:
        raise InputError(f"run {entry.run.id} was not evaluated yet; `guidedrec evaluate {name}` does it")
    run = store.open(entry.evaluation.id, "evaluation")
    verb = entry.verb(load_scores(store.open(entry.run.inputs["scores"], "scores", verify=False)).schema.domain)
    saved = SegmentStore(store.home).list(name)
    measured = _saved_gains(session, entry, run, saved) if saved else None
    views = evaluation_views(store, run, name, verb, measured)
    chosen = chosen_metric(views, metric)
    made = evaluation_report(views, stamp_of(entry, datetime.now(UTC), evaluation=run.id), chosen)
    controls = {role: made_from for role, made_from in run.inputs.items() if role not in (BASE, REFINED)}
    seed = int(run.seed or 0)
    shown = set() if measured is None else set(measured.slices["slice"])
    segments = {one.name: one.definition for one in saved if one.name in shown}
    _write(made, out, form, lambda: evaluation_notebook(
        made, store.home, run.summary, run.config, controls, seed, chosen, segments), **where)  # fmt: skip


def _saved_gains(
    session: Session, entry: "RefinedEntry", run: "Run", saved: "tuple[SavedSegment, ...]"
) -> "SavedGains":
    """Measure what refinement brings saved segments, which takes the model."""
    from guidedrec_core.audience.saved_gains import saved_gains
    from guidedrec_core.cli.audience import people_of
    from guidedrec_core.recommenders.reading import open_refined

    people = people_of(session, open_refined(session.store(), entry.run.id), 10)
    return saved_gains(people, saved, tuple(run.config["cutoffs"]), int(run.config["bootstrap_samples"]))


@report.command(cls=Command)
@_output_options
@click.option("--segment", "segment_name", metavar="NAME", help="A saved segment, by its name or id.")
@click.option("--users", metavar="CONDITION", help='Instead: users by conditions, e.g. "seeks warmth".')
@click.option("--items", metavar="CONDITION", help='Ask about items, too: who of them is shown e.g. "jackets".')
@click.option("--metric", default="NDCG@10", show_default=True, help="The measure to judge by, e.g. MRR or Recall@20.")
@_k_option
@click.pass_obj
def segment(
    session: Session,
    /,
    dataset: str | None,
    run_id: str | None,
    segment_name: str | None,
    users: str | None,
    items: str | None,
    metric: str,
    k: int,
    out: Path,
    form: Format | None,
    **where: Any,
) -> None:
    """Say who some users are, what they are shown, and whether refinement helps them: a saved segment or conditions.

    Their taste next to everyone's, what their lists hold, the gain against the strict control with its interval, and
    with --items who of them is shown these, and whether they should be.
    """
    from guidedrec_core.cli.audience import group_of, people_of
    from guidedrec_core.conditions.condition import Definition
    from guidedrec_core.report.notebook import segment_notebook
    from guidedrec_core.report.segment import segment_report, segment_views
    from guidedrec_core.report.stamp import stamp_of

    form = _form(out, form)
    if (segment_name is None) == (users is None):
        raise click.UsageError("expected one of --segment NAME and --users CONDITION")
    with _opened(session, dataset, run_id, "train+valid") as (entry, system):
        people = people_of(session, system, k)
        group = group_of(session, people, users, segment_name)
        what = None if items is None else people.condition(items, "items")
        name, note = ("", "") if group.segment is None else (group.segment.name, group.segment.note)
        views = segment_views(people, group.condition, what, name, note, metric)
        more = {} if entry.evaluation is None else {"evaluation": entry.evaluation.id}
        made = segment_report(views, stamp_of(entry, datetime.now(UTC), history=_history_words("train+valid"), **more))
        home, controls = session.store().home, _strict_controls(entry)
        asked = [None if one is None else Definition.of(one) for one in (group.condition, what)]
        _write(made, out, form, lambda: segment_notebook(
            made, home, asked[0], asked[1], controls, views.control, metric, k), **where)  # fmt: skip


def _strict_controls(entry: "RefinedEntry") -> dict[str, str]:
    """Return the runs of the controls that gains are held against, as the newest evaluation used them."""
    from guidedrec_core.evaluation.gain_parts import STRICT

    return (
        {}
        if entry.evaluation is None
        else {name: run for name, run in entry.evaluation.inputs.items() if name in STRICT}
    )


@report.command(cls=Command)
@click.argument("name")
@_file_options
@click.option(
    "--difference",
    type=float,
    default=0.1,
    show_default=True,
    help="Smallest difference of interest, for the number of answers needed; 0.1 is 10 points.",
)
@click.pass_obj
def test(session: Session, /, name: str, difference: float, out: Path, form: Format | None, **where: Any) -> None:
    """Say what people answered in a test, who and when, with intervals; NAME is the test's name or id.

    `guidedrec studies new-taste-test` and `new-prediction-test` make tests.
    """
    from guidedrec_core.judging.analysis import results
    from guidedrec_core.judging.store import ExperimentStore
    from guidedrec_core.report.people import people_report

    form = _form(out, form)
    store = ExperimentStore(session.store().home)
    found = store.find(name)
    if form == "notebook":
        raise click.UsageError("a test has no notebook; give --out a name that ends in .html or .json")
    result = results(found, store.answers(found), store.judges(found.id), difference)
    _write(people_report(found, result, datetime.now(UTC)), out, form, dict, **where)


def _stored_study(
    session: Session,
    name: str,
    title: str | None,
    presentation: bool,
    k: int,
    out: Path,
    form: Format,
    **where: Any,
) -> None:
    """Write the report of a study that is in the database."""
    from dataclasses import replace

    from guidedrec_core.recommenders.reading import open_refined
    from guidedrec_core.report.html import slides_html
    from guidedrec_core.report.notebook import study_notebook
    from guidedrec_core.report.stored_study import compute_study
    from guidedrec_core.runs.library import refined_entries
    from guidedrec_core.studies.store import StudyStore

    store = session.store()
    studies = StudyStore(store.home)
    study = studies.find(name)
    opened: dict[str, RefinedRecommender] = {}

    def open_run(run_id: str, history: "Shown") -> "RefinedRecommender":
        if run_id not in opened:
            opened[run_id] = open_refined(store, run_id)
        return opened[run_id].showing(history)

    titled = replace(study, name=title or study.name)
    found = compute_study(titled, studies.cases(study.id), refined_entries(store), open_run, datetime.now(UTC), k)
    made = found.report()

    def notebook() -> dict[str, Any]:
        if len(set(found.places)) > 1:
            raise InputError("a notebook opens one run with one history, the study has several; write .html or .json")
        both = [(each.case.user_id, each.item.item_id) for each in found.views]
        return study_notebook(made, store.home, both, found.places[0][1], k)

    page = (lambda: slides_html(made.title, found.slides(), found.stamp)) if presentation else None
    _write(made, out, form, notebook, page, **where)
    for sentence in found.left_out:
        session.note(sentence)


@contextlib.contextmanager
def _opened(
    session: Session, dataset: str | None, run_id: str | None, history: "Shown"
) -> Iterator[tuple["RefinedEntry", "RefinedRecommender"]]:
    """Open a refined run, and say where an unknown id was looked for."""
    from guidedrec_core.recommenders.reading import open_refined

    entry = choose(session.store(), dataset, run_id)
    try:
        yield entry, open_refined(session.store(), entry.run.id).showing(history)
    except UnknownIdError as error:
        raise UnknownIdError(f"{error} (in data set {entry.data.config['name']}, run {entry.run.id})") from error


def _form(out: Path, form: Format | None) -> Format:
    """Return the format asked for, or that of the suffix; refuse a place where no file can be."""
    from guidedrec_core.report.files import check_place

    check_place(out)
    found = form or _SUFFIXES.get(out.suffix.lower())
    if found is None:
        raise InputError(f"expected --out to end in .html, .ipynb or .json, got {out}; or give --format")
    return found


def _pairs(text: str, system: "RefinedRecommender") -> list[tuple[str, str | None]]:
    """Read cases as they are written, separated by commas."""
    dataset = system.data.dataset
    return [_pair(part.strip(), dataset.users, dataset.items) for part in text.split(",") if part.strip()]


def _pair(text: str, users: "Vocabulary", items: "Vocabulary") -> tuple[str, str | None]:
    """Read one case; ids may hold colons themselves."""
    if text in users:
        return text, None
    places = [place for place, character in enumerate(text) if character == ":"]
    found = [(text[:place], text[place + 1 :]) for place in places]
    known = [(user, item) for user, item in found if user in users and item in items]
    if len(known) == 1:
        return known[0]
    if len(known) > 1:
        raise InputError(f"--cases: {text!r} can be read as several cases; use `guidedrec report case` for each")
    if not found:
        raise UnknownIdError(f"--cases: expected USER:ITEM, got {text!r}, which is no user")
    user, item = next((pair for pair in found if pair[0] in users), found[0])
    users.index(user)  # raises where there is no such user
    items.index(item)
    raise AssertionError("one of both ids is unknown")


def _history_words(history: "Shown") -> str:
    """Say which part of a history the models see."""
    return {
        "full": "whole histories",
        "train+valid": "all but what came last, as in the evaluation",
        "train": "the training data",
    }[history]


def _write(
    made: "Report",
    out: Path,
    form: Format,
    notebook: Callable[[], dict[str, Any]],
    page: Callable[[], str] | None = None,
    *,
    tables: Path | None,
    charts: Path | None,
    as_json: bool,
) -> None:
    """Write a report and what else is asked for, and say what was written."""
    import json

    from guidedrec_core.report.files import replace_file, write_charts, write_tables
    from guidedrec_core.report.html import report_html
    from guidedrec_core.report.notebook import notebook_text

    if form == "html":
        text = report_html(made) if page is None else page()
    elif form == "notebook":
        text = notebook_text(notebook())
    else:
        text = json.dumps(made.as_json(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    replace_file(out, text.encode())
    written = [out]
    if tables is not None:
        written += write_tables({name: table.frame for name, table in made.tables().items()}, tables)
    if charts is not None:
        written += write_charts(made.charts(), charts)
    if as_json:
        write_json({"kind": made.kind, "answer": made.answer, "run_id": made.stamp.run, "files": written})
        return
    click.echo(made.answer)
    click.echo(f"Wrote {out}" + (f" and {len(written) - 1} more files" if len(written) > 1 else ""))
