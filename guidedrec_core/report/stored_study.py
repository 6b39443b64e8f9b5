"""A stored study as a report and as slides: every case from the run it was saved with, with notes and verdicts."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime

from guidedrec_core.data.dataset import Shown
from guidedrec_core.errors import GuidedrecError, InputError
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.report.case import CaseViews, case_views
from guidedrec_core.report.document import Report, Stamp
from guidedrec_core.report.saved_case import entry_of, history_of, is_steered, missing
from guidedrec_core.report.stamp import stamp_of
from guidedrec_core.report.study import Remark, Slide, slides_of, study_report
from guidedrec_core.runs.library import RefinedEntry
from guidedrec_core.studies.study import SavedCase, Study

Opener = Callable[[str, Shown], RefinedRecommender]
"""Opens a refined run, its models shown a part of the history."""


@dataclass(frozen=True)
class StoredStudy:
    """A stored study, computed.

    Attributes
    ----------
    study : Study
        The study.
    views : tuple of CaseViews
        The cases that could be computed, in order.
    remarks : tuple of Remark
        What somebody thinks of each of them.
    places : tuple of (str, str)
        The run and the part of the history of each of them.
    left_out : tuple of str
        Which cases could not be computed, and why.
    stamp : Stamp
        Where the numbers come from.
    """

    study: Study
    views: tuple[CaseViews, ...]
    remarks: tuple[Remark, ...]
    places: tuple[tuple[str, Shown], ...]
    left_out: tuple[str, ...]
    stamp: Stamp

    def report(self) -> Report:
        """Return it as one document."""
        about = [self.study.note] if self.study.note.strip() else []
        return study_report(self.study.name, self.views, self.stamp, self.remarks, [*about, *self.left_out])

    def slides(self) -> list[Slide]:
        """Return it as slides."""
        return slides_of(self.views, self.remarks)


def compute_study(
    study: Study,
    cases: Sequence[SavedCase],
    entries: Sequence[RefinedEntry],
    open_run: Opener,
    written: datetime,
    k: int = 10,
    lock: AbstractContextManager[object] | None = None,
) -> StoredStudy:
    """Compute the cases of a stored study anew, each from its run.

    A case saved without a run takes the newest one of its data set. A case whose run, user or item no longer exists is
    left out and named.

    Parameters
    ----------
    study : Study
        The study.
    cases : sequence of SavedCase
        Its cases, in order.
    entries : sequence of RefinedEntry
        The refined runs there are, newest first.
    open_run : callable
        Opens one of them.
    written : datetime
        When the report is written; with a time zone.
    k : int
        Length of the lists.
    lock : context manager, optional
        Held while a case is computed, not while `open_run` runs; must be reusable.

    Raises
    ------
    InputError
        No case can be computed.
    """
    views, remarks, places, left_out, used = [], [], [], [], {}
    for number, case in enumerate(cases, 1):
        entry = entry_of(case, entries)
        if entry is None:
            left_out.append(f"Case {number} ({_called(case)}) is left out: {missing(case, entries)}.")
            continue
        shown = history_of(case)
        try:
            system = open_run(entry.run.id, shown)
            with lock or nullcontext():
                found = case_views(system, case.content.user_id, case.content.item_id, k)
        except GuidedrecError as error:
            left_out.append(f"Case {number} ({_called(case)}) is left out: {error}.")
            continue
        views.append(found)
        remarks.append(remark_of(case))
        places.append((entry.run.id, shown))
        used[entry.run.id] = entry
    if not views:
        why = f" {left_out[0]}" if left_out else " save cases in the app first"
        raise InputError(f"study {study.name!r} has no case that can be shown;{why}".removesuffix("."))
    first, *others = used.values()
    more = {"study": study.name}
    if others:
        more["other_runs"] = ", ".join(f"{one.run.id} ({one.data.config['name']})" for one in others)
    stamp = stamp_of(first, written, **more)
    return StoredStudy(study, tuple(views), tuple(remarks), tuple(places), tuple(left_out), stamp)


def remark_of(case: SavedCase) -> Remark:
    """Return what somebody thinks of a case, with a caution where the saved view was steered."""
    content, written = case.content, case.written
    caution = ""
    if is_steered(case):
        caution = "The saved view changes this taste or history; here the case is shown without these changes."
    day = f"{written.changed_at:%d %b %Y}"
    return Remark(content.verdict, content.reason, content.note, written.changed_by, day, caution)


def _called(case: SavedCase) -> str:
    item = f", {case.content.item_id}" if case.content.item_id else ""
    return f"{case.content.user_id}{item}"
