"""The report of a test put to people: the answer, who gave it and when, and how sure it is."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from guidedrec_core import __version__
from guidedrec_core.figures.judging.results import group_intervals
from guidedrec_core.figures.theme import Palette
from guidedrec_core.judging.analysis import ACCURACY, BRIER, Results
from guidedrec_core.judging.content import PredictionCase
from guidedrec_core.judging.describe import about, progress
from guidedrec_core.judging.experiment import Experiment
from guidedrec_core.report.document import Chart, Column, Report, Section, Stamp, Table
from guidedrec_core.runs.titles import dataset_title

if TYPE_CHECKING:
    import plotly.graph_objects as go

_QUESTIONS = {
    "taste_test": "Which list do people prefer?",
    "prediction": "Can people predict the recommender?",
}
_NUMBERS = {
    "value": Column("Value", ".3f"),
    "low": Column("95 % from", ".3f"),
    "high": Column("to", ".3f"),
    "n": Column("Answers", ",d"),
    "judges": Column("Judges", ",d"),
    "cases": Column("Cases", ",d"),
}


def people_report(test: Experiment, found: Results, written: datetime) -> Report:
    """Lay out the report of a test.

    Parameters
    ----------
    test : Experiment
        The test.
    found : Results
        What its answers tell.
    written : datetime
        When the report is written; with a time zone.
    """
    return Report(
        kind="test",
        title=_QUESTIONS[test.kind],
        about=f"{test.name} · {progress(len(found.judges), found.answers + found.skipped)}",
        answer=found.sentence,
        sections=(_result(test, found), _judges(found), _cases(test)),
        stamp=_stamp(test, written),
    )


def _result(test: Experiment, found: Results) -> Section:
    measures = (("preference",) if test.kind == "taste_test" else (ACCURACY, BRIER)) if found.answers else ()
    charts = tuple(_chart(test, found, measure) for measure in measures)
    differences = Table(
        "differences",
        "Differences between arms",
        found.differences,
        {"label": Column("Compared"), "measure": Column("Measure"), **_NUMBERS},
    )
    return Section(
        "What did they say?",
        found.power,
        sentences=found.further,
        charts=charts,
        tables=(differences,) if len(found.differences) and found.answers else (),
        notes=(found.method,) if found.answers else (),
    )


def _chart(test: Experiment, found: Results, measure: str) -> Chart:
    what = f"prefer the list of {test.content.compared[1].name}" if measure == "preference" else ""
    title = {"preference": f"Answers that {what}", ACCURACY: "Right answers", BRIER: "Brier score"}[measure]
    rows = found.estimates[found.estimates["measure"] == measure]

    def draw(colours: Palette) -> "go.Figure":
        return group_intervals(found.estimates, measure, colours, what)

    twin = Table(measure, title, rows, {"label": Column("Answers"), **_NUMBERS})
    return Chart(measure, title, f"{title} with 95 % intervals. {found.sentence}", draw, twin)


def _judges(found: Results) -> Section:
    columns = {
        "judge": Column("Who"),
        "began": Column("Began (UTC)", "%d %b %Y, %H:%M"),
        "last": Column("Last answer", "%d %b %Y, %H:%M"),
        "answered": Column("Answered", ",d"),
        "skipped": Column("Skipped", ",d"),
        "cases": Column("Of", ",d"),
    }
    table = Table("judges", "Judges in the order in which they began", found.judges, columns)
    if found.judges.empty:
        return Section("Who answered?", "Nobody has begun.")
    done = int(found.judges["finished"].sum())
    return Section("Who answered?", f"{done:,} of {len(found.judges):,} judges have finished.", tables=(table,))


def _cases(test: Experiment) -> Section:
    content = test.content
    rows: list[tuple[str, ...]] = []
    for case in content.cases:
        if isinstance(case, PredictionCase):
            shown = (case.recommended.item.title, case.other.item.title)
            rows.append((case.id, case.customer.user_id, *shown))
        else:
            lists = (", ".join(item.title for item in items) for items in (case.first, case.second))
            rows.append((case.id, case.customer.user_id, *lists))
    if test.kind == "taste_test":
        headings = [f"List of {one.name}" for one in content.compared]
    else:
        headings = ["Recommended", "The other item"]
    frame = pd.DataFrame(rows, columns=["case", "user", "first", "second"])
    columns = {
        "user": Column(content.words.user.capitalize()),
        "first": Column(headings[0]),
        "second": Column(headings[1]),
    }
    table = Table("cases", "The cases that were shown", frame, columns)
    note = (
        "Sides, order and arms were dealt at random to each judge, every arm and side equally often; judges did not "
        "know which was which."
    )
    return Section("What was asked?", about(test, dataset_title(test.dataset)), folded=(table,), notes=(note,))


def _stamp(test: Experiment, written: datetime) -> Stamp:
    made_of = test.content.made_of
    return Stamp(
        dataset=test.dataset,
        data_run=made_of.get("data", ""),
        run=made_of.get("run", ""),
        made=made_of.get("made", ""),
        settings=made_of.get("model", ""),
        seed=test.content.seed,
        version=__version__,
        written=f"{written.astimezone(UTC):%d %b %Y, %H:%M UTC}",
        more={
            "Test": f"{test.name} ({test.id}), made by {test.written.created_by} on {test.written.created_at:%d %b %Y}"
        },
    )
