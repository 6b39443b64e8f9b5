"""What a page offers to take away: its report, a notebook, its tables, its maps; each is made when it is clicked."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.audience.key import GroupKey
from guidedrec_core.app.page import View
from guidedrec_core.cases.key import CaseKey
from guidedrec_core.runs.store import RunInfo

if TYPE_CHECKING:
    from guidedrec_core.conditions.condition import Definition
    from guidedrec_core.report.document import Report
    from guidedrec_core.report.evaluation import EvaluationViews
    from guidedrec_core.report.segment import SegmentViews

_ZIP, _HTML, _NOTEBOOK = "application/zip", "text/html", "application/x-ipynb+json"


def export_menu(
    view: View,
    *,
    case: CaseKey | None = None,
    evaluation: RunInfo | None = None,
    projection: RunInfo | None = None,
    group: GroupKey | None = None,
) -> None:
    """Show the menu "Export" among the actions of a page; call it once a page, with what the page is about.

    Parameters
    ----------
    view : View
        The page.
    case : CaseKey, optional
        A case, with its item.
    evaluation, projection : RunInfo, optional
        A run of that stage.
    group : GroupKey, optional
        A group of users, and the items asked about.
    """
    # Files are made in other threads, which know nothing of this session.
    tables, home = show.page_tables(), loaders.store().home
    with view.actions, st.popover("Export", icon=":material/ios_share:", key="export"):
        if case is not None:
            _report(lambda: _case_report(view, case), f"case-{view.dataset}", lambda: _case_notebook(view, case))
        if evaluation is not None:
            _report(
                lambda: _evaluation_report(view, evaluation),
                f"evaluation-{view.dataset}",
                lambda: _evaluation_notebook(view, evaluation),
            )
        if group is not None:
            _report(
                lambda: _segment_report(view, group)[0],
                f"segment-{view.dataset}",
                lambda: _segment_notebook(view, group),
            )
        if projection is not None:
            _maps(str(home), view, projection)
        st.caption("Tables of this page, with all digits")
        for label, kind in (("CSV", "csv"), ("Parquet", "parquet")):
            show.offer_file(
                f"Tables ({label})", f"tables-{view.dataset}-{kind}.zip", _ZIP, _zipper(tables, kind), "table"
            )
        show.choose_image_format()


def _report(report: "Callable[[], Report]", stem: str, notebook: Callable[[], bytes]) -> None:
    """Offer a report as a page and as a notebook."""

    def page() -> bytes:
        from guidedrec_core.report.html import report_html

        return report_html(report()).encode()

    st.caption("Report: opens offline in any browser, prints as PDF")
    show.offer_file("Report (HTML)", f"{stem}.html", _HTML, page, "description")
    show.offer_file("Notebook (Python)", f"{stem}.ipynb", _NOTEBOOK, notebook, "code")


def _maps(home: str, view: View, projection: RunInfo) -> None:
    """Offer the maps in the formats of other programs."""

    def files(form: Literal["tensorboard", "embedding-atlas"]) -> dict[str, bytes]:
        from guidedrec_core.app.items.loaders import item_map
        from guidedrec_core.projection.export import map_files
        from guidedrec_core.projection.spaces import ItemSpace

        model, drawn = loaders.system(view.entry.run.id), item_map(projection.id)
        with loaders.MODEL_LOCK:
            base = ItemSpace.base(model.base.item_embedding())
            refined = ItemSpace.refined(model.refined.item_values(), model.refined.item_remainders())
        return map_files(drawn, base, refined, form)

    def zipped() -> bytes:
        from guidedrec_core.report.files import zipped as zip_files

        return zip_files(files("tensorboard"))

    st.caption("Maps for other programs")
    show.offer_file("TensorBoard projector (TSV)", f"map-{view.dataset}-tensorboard.zip", _ZIP, zipped, "scatter_plot")
    show.offer_file(
        "Embedding Atlas (Parquet)",
        f"map-{view.dataset}-atlas.parquet",
        "application/vnd.apache.parquet",
        lambda: files("embedding-atlas")["items.parquet"],
        "map",
    )


def _zipper(tables: dict[str, Any], kind: str) -> Callable[[], bytes]:
    """Return what writes the tables that the page has shown until it is clicked."""

    def make() -> bytes:
        from guidedrec_core.report.files import zipped_tables

        return zipped_tables(dict(tables), "csv" if kind == "csv" else "parquet")

    return make


def _case_report(view: View, key: CaseKey) -> "Report":
    from guidedrec_core.report.case import case_report, case_views
    from guidedrec_core.report.stamp import stamp_of

    system = loaders.system(key.run_id, key.shown, key.rules)
    with loaders.MODEL_LOCK:
        views = case_views(system, key.user_id, key.item_id)
    words = {"full": "whole histories", "train": "the training data"}
    history = words.get(key.shown, "all but what came last, as in the evaluation")
    return case_report(views, stamp_of(view.entry, datetime.now(UTC), history=history))


def _case_notebook(view: View, key: CaseKey) -> bytes:
    from guidedrec_core.report.notebook import case_notebook, notebook_text
    from guidedrec_core.rules.rule import RuleSet

    report = _case_report(view, key)
    rules = RuleSet.from_json(key.rules) if key.rules else None
    notebook = case_notebook(report, view.store.home, key.user_id, key.item, key.shown, rules=rules)
    return notebook_text(notebook).encode()


def _segment_report(view: View, group: GroupKey) -> "tuple[Report, SegmentViews]":
    from guidedrec_core.app.audience import loaders as audience_loaders
    from guidedrec_core.report.segment import segment_report, segment_views
    from guidedrec_core.report.stamp import stamp_of

    run = view.entry.evaluation
    assert run is not None  # the page has no group without an evaluation
    people = audience_loaders.audience(view.entry.run.id, run.id, group.k)
    users = None if group.users is None else group.users.condition
    items = None if group.items is None else group.items.condition
    with loaders.MODEL_LOCK:
        views = segment_views(people, users, items, group.name, group.note)
    history = "all but what came last, as in the evaluation"
    return segment_report(views, stamp_of(view.entry, datetime.now(UTC), history=history, evaluation=run.id)), views


def _segment_notebook(view: View, group: GroupKey) -> bytes:
    from guidedrec_core.evaluation.gain_parts import STRICT
    from guidedrec_core.report.notebook import notebook_text, segment_notebook

    report, views = _segment_report(view, group)
    run = view.entry.evaluation
    assert run is not None
    controls = {name: made_from for name, made_from in run.inputs.items() if name in STRICT}
    home, k = view.store.home, group.k
    notebook = segment_notebook(report, home, group.users, group.items, controls, views.control, views.metric, k)
    return notebook_text(notebook).encode()


def _evaluation_views(view: View, run: RunInfo) -> "tuple[EvaluationViews, dict[str, Definition]]":
    """Return what the report of an evaluation says, and the saved segments in it."""
    from guidedrec_core.app.audience import loaders as audience_loaders
    from guidedrec_core.audience.saved import SegmentStore
    from guidedrec_core.report.evaluation import evaluation_views

    saved, measured = SegmentStore(view.store.home).list(view.dataset), None
    if saved:
        samples, cutoffs = int(run.config["bootstrap_samples"]), tuple(run.config["cutoffs"])
        measured = audience_loaders.saved_gains(view.entry.run.id, run.id, saved, cutoffs, samples)
    shown = set() if measured is None else set(measured.slices["slice"])
    views = evaluation_views(view.store, view.store.open(run.id, verify=False), view.dataset, view.verb, measured)
    return views, {one.name: one.definition for one in saved if one.name in shown}


def _evaluation_report(view: View, run: RunInfo) -> "Report":
    from guidedrec_core.report.evaluation import evaluation_report
    from guidedrec_core.report.stamp import stamp_of

    views, _ = _evaluation_views(view, run)
    return evaluation_report(views, stamp_of(view.entry, datetime.now(UTC), evaluation=run.id))


def _evaluation_notebook(view: View, run: RunInfo) -> bytes:
    from guidedrec_core.evaluation.report import BASE, REFINED
    from guidedrec_core.report.evaluation import chosen_metric
    from guidedrec_core.report.notebook import evaluation_notebook, notebook_text

    views, segments = _evaluation_views(view, run)
    controls = {role: made_from for role, made_from in run.inputs.items() if role not in (BASE, REFINED)}
    metric, seed = chosen_metric(views), int(run.seed or 0)
    report, home = _evaluation_report(view, run), view.store.home
    notebook = evaluation_notebook(report, home, run.summary, run.config, controls, seed, metric, segments)
    return notebook_text(notebook).encode()
