"""Several cases as one report, and as slides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import plotly.graph_objects as go

from guidedrec_core import columns as c
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.explanation.words import listing, ordinal
from guidedrec_core.figures import case as figures
from guidedrec_core.figures import waterfall
from guidedrec_core.figures.theme import Palette
from guidedrec_core.report.case import CaseViews, case_sections
from guidedrec_core.report.document import Chart, Report, Section, Stamp

_LISTED = 5
_STEPS = 6
_VERDICT_WORDS = {"good": "a good recommendation", "wrong": "wrong", "harmful": "harmful", "unsure": "unsure"}


@dataclass(frozen=True)
class Remark:
    """What somebody thinks of a case.

    Attributes
    ----------
    verdict : str or None
        ``good``, ``wrong``, ``harmful`` or ``unsure``; None where nobody has judged.
    reason, note : str
        In their own words; may be empty.
    who : str
        Who wrote it last.
    when : str
        The day.
    caution : str
        What the report cannot show of the saved view; may be empty.
    """

    verdict: str | None
    reason: str
    note: str
    who: str
    when: str
    caution: str = ""

    @property
    def judgement(self) -> str:
        """The verdict with its author and reason; empty where nobody has judged."""
        if self.verdict is None:
            return ""
        reason = f" {self.reason.strip()}" if self.reason.strip() else ""
        return f"Verdict of {self.who}, {self.when}: {_VERDICT_WORDS.get(self.verdict, self.verdict)}.{reason}"

    def sentences(self) -> tuple[str, ...]:
        """Return what there is to say, the verdict first."""
        note = f"Note: {self.note.strip()}" if self.note.strip() else ""
        return tuple(said for said in (self.judgement, note, self.caution) if said)


@dataclass(frozen=True)
class Slide:
    """One case, as it is shown to a room.

    Attributes
    ----------
    user : str
        Who, in a few words.
    about : str
        Who this is, in a sentence.
    title, category : str
        The item.
    answer : str
        Why it stands where it stands.
    refined, base : tuple of str
        The best of both lists, in order.
    chosen : int or None
        Place of the item in `refined`; None where it is not shown there.
    facts : tuple of str
        What else matters, e.g. what the user chose next.
    charts : tuple of Chart
        One: how the score adds up.
    """

    user: str
    about: str
    title: str
    category: str
    answer: str
    refined: tuple[str, ...]
    base: tuple[str, ...]
    chosen: int | None
    facts: tuple[str, ...]
    charts: tuple[Chart, ...]
    remark: tuple[str, ...] = ()
    """What somebody thinks of it, the verdict first; empty where nobody has said anything."""


def study_report(
    title: str, cases: Sequence[CaseViews], stamp: Stamp, remarks: Sequence[Remark] = (), notes: Sequence[str] = ()
) -> Report:
    """Lay out several cases as one report.

    Parameters
    ----------
    title : str
        Of the study.
    cases : sequence of CaseViews
        In order; at least one.
    stamp : Stamp
        Where the numbers come from.
    remarks : sequence of Remark
        What somebody thinks of each case, in the same order; empty for cases without any.
    notes : sequence of str
        What else is to be said of the study, e.g. which cases are left out.
    """
    sections: list[Section] = []
    if notes or remarks:
        sections.append(Section("What we think of it", _judged(remarks), sentences=tuple(notes)))
    for number, views in enumerate(cases, 1):
        own = case_sections(views, f"case{number}_", brief=True)
        heading = f"{number}. {_user(views)} · {views.item.title}"
        said = remarks[number - 1].sentences() if remarks else ()
        sections.append(Section(heading, views.item.sentence, sentences=said, new_page=number > 1))
        sections += [replace(section, level=3) for section in own]
    verb = cases[0].verb
    users = len({views.case.user_id for views in cases})
    number_of = "1 case" if len(cases) == 1 else f"{len(cases)} cases"
    return Report("study", title, f"{number_of} of {verb.count_users(users)}", _answer(cases), tuple(sections), stamp)


def slides_of(cases: Sequence[CaseViews], remarks: Sequence[Remark] = ()) -> list[Slide]:
    """Lay out several cases as slides, in order, each with what somebody thinks of it; see `study_report`."""
    said = [remark.sentences() for remark in remarks] or [()] * len(cases)
    return [
        replace(_slide(number, views), remark=remark)
        for number, (views, remark) in enumerate(zip(cases, said, strict=True), 1)
    ]


def _judged(remarks: Sequence[Remark]) -> str:
    """Say how many cases have which verdict."""
    given = [remark.verdict for remark in remarks if remark.verdict is not None]
    if not given:
        return "Nobody has judged these cases yet." if remarks else ""
    counts = [(given.count(verdict), verdict) for verdict in _VERDICT_WORDS if verdict in given]
    open_ = len(remarks) - len(given)
    words = [f"{count} {verdict}" for count, verdict in counts] + ([f"{open_} not judged"] if open_ else [])
    return f"Verdicts: {listing(words)}."


def _answer(cases: Sequence[CaseViews]) -> str:
    """Say what became of the items under study."""
    up = sum(views.item.rank < views.item.base_rank for views in cases)
    down = sum(views.item.rank > views.item.base_rank for views in cases)
    same = len(cases) - up - down
    moved = [(up, "higher"), (down, "lower"), (same, "in the same place")]
    (first, how), *others = [(count, how) for count, how in moved if count]
    items = "1 item" if len(cases) == 1 else f"{first} of {len(cases)} items"
    said = listing([f"{items} {how}", *(f"{count} {how}" for count, how in others)])
    return f"Compared with the base model, the refined model ranks {said}."


def _user(views: CaseViews) -> str:
    return f"{views.verb.user.capitalize()} {views.case.user_id}"


def _slide(number: int, views: CaseViews) -> Slide:
    """Lay out one case."""
    case, item, verb = views.case, views.item, views.verb
    lines = item.lines[item.lines["name"] != "average"]
    steps = waterfall.steps(lines, item.average, verb, most=_STEPS)

    def draw(colours: Palette) -> go.Figure:
        return figures.score_steps(steps, colours)

    refined = case.refined.head(_LISTED)
    places = refined.index[refined[c.ITEM] == item.item_id].tolist()
    return Slide(
        user=_user(views),
        about=case.sentence[:1].upper() + case.sentence[1:],
        title=item.title,
        category=category_words(item.category),
        answer=item.sentence,
        refined=tuple(refined[c.TITLE]),
        base=tuple(case.base.head(_LISTED)[c.TITLE]),
        chosen=places[0] if places else None,
        facts=tuple(
            f"{verb.next.capitalize()}: {title}, {ordinal(after)} in the refined model, {ordinal(before)} in the base."
            for title, before, after in zip(
                case.held_out[c.TITLE], case.held_out["base_rank"], case.held_out["refined_rank"], strict=True
            )
        ),
        charts=(Chart(f"slide{number}", "How the score adds up", item.sentence, draw),),
    )
