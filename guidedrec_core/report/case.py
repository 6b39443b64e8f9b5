"""The report of one case: why this item is recommended to this user, in the words of the Case study."""

import contextlib
from dataclasses import dataclass

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.cases.against import Against, build_against
from guidedrec_core.cases.case import Case, build_case
from guidedrec_core.cases.changes import Changes, Moved, NotListed, build_changes, build_moved, build_why_not
from guidedrec_core.cases.history import HistoryCase, build_history
from guidedrec_core.cases.rationale import rationale_facts
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import InputError
from guidedrec_core.explanation.lines import handed_to_past_items
from guidedrec_core.explanation.question import Question
from guidedrec_core.explanation.words import move_words, ordinal
from guidedrec_core.figures import case as figures
from guidedrec_core.figures import counterfactuals
from guidedrec_core.figures.history import item_bars
from guidedrec_core.rationale.choice import default_rationale
from guidedrec_core.recommenders.explanation import Explanation
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.report.document import Chart, Column, Report, Section, Stamp, Table
from guidedrec_core.rules.words import RULED, on_sentence

QUESTION = "Why is this recommended to this {user}?"
_HELD_OUT = "◎"


@dataclass(frozen=True)
class CaseViews:
    """Everything that the report of a case says.

    Attributes
    ----------
    case : Case
        With an item under study.
    lines : pandas.DataFrame
        `Explanation.lines`, with what no name covers handed to past items.
    past : HistoryCase
        What each past item contributed.
    changes : Changes or None
        What would change it; None where the user has too few items left for a list.
    moved : Moved or None
        Why its rank differs from the base model's; None for an item of the history.
    below : Against or None
        Compared with the item that comes next; None for the last one.
    not_listed : NotListed or None
        Why it is not in the list; None where it is.
    rationale : str
        The reason in plain words; empty for an item of the history.
    verb : InteractionVerb
        How to speak of interactions.
    scale : tuple of float
        Lowest and highest raw score.
    rules : tuple of str
        Names of the business rules that are parts of scores and lists; everything else is about the model alone.
    """

    case: Case
    lines: pd.DataFrame
    past: HistoryCase
    changes: Changes | None
    moved: Moved | None
    below: Against | None
    not_listed: NotListed | None
    rationale: str
    verb: InteractionVerb
    scale: tuple[float, float]
    rules: tuple[str, ...] = ()

    @property
    def item(self) -> Explanation:
        """The item under study."""
        assert self.case.selected is not None  # `case_views` refuses cases without one
        return self.case.selected


def case_views(system: RefinedRecommender, user_id: str, item_id: str | None = None, k: int = 10) -> CaseViews:
    """Compute what the report of a case says.

    Parameters
    ----------
    system : RefinedRecommender
        An opened refined run; its `data.shown` says which part of the history its models are shown. With rules, these
        are parts of scores and lists; what past items contribute, what would change it, and why it moved are about the
        model alone.
    user_id : str
        The user.
    item_id : str, optional
        The item to explain; default is the first recommendation.
    k : int
        Length of the lists.

    Raises
    ------
    UnknownIdError
        No such user or item.
    InputError
        The user has everything already, so that there is no item to explain.
    """
    case = build_case(system, user_id, item_id, k)
    item = case.selected
    if item is None:
        raise InputError(f"user {user_id} has every item already, so there is nothing to explain; choose an item")
    changes = None
    with contextlib.suppress(InputError):  # fewer items left than the list is long
        changes = build_changes(system, user_id, item.item_id, k)
    rationale = ""
    if not item.seen:
        plain = system.with_rules(None)  # a reason in plain words speaks of what the model learned
        alone = case if system.rules is None else build_case(plain, user_id, item.item_id, k)
        facts = rationale_facts(plain, alone, None if changes is None else changes.removal)
        rationale = default_rationale(facts, "merchandiser").text
    outside = item.seen or item.rank > k
    return CaseViews(
        case=case,
        lines=handed_to_past_items(item.lines, system, Question.of(system.data, user_id, item.item_id)),
        past=build_history(system, user_id, item.item_id),
        changes=changes,
        moved=build_moved(system, user_id, item.item_id),
        below=None if item.seen else build_against(system, user_id, item.item_id),
        not_listed=build_why_not(system, user_id, item.item_id, k) if outside else None,
        rationale=rationale,
        verb=system.verb,
        scale=(system.schema.scale.min, system.schema.scale.max),
        rules=() if system.rules is None else tuple(rule.name for rule in system.rules.rules),
    )


def case_report(views: CaseViews, stamp: Stamp) -> Report:
    """Lay out the report of one case."""
    item, verb = views.item, views.verb
    return Report(
        kind="case",
        title=QUESTION.format(user=verb.user),
        about=f"{verb.user.capitalize()} {views.case.user_id} · {item.title}",
        answer=item.sentence,
        sections=case_sections(views),
        stamp=stamp,
    )


def case_sections(views: CaseViews, prefix: str = "", brief: bool = False) -> tuple[Section, ...]:
    """Return the sections of one case.

    Parameters
    ----------
    views : CaseViews
        The case.
    prefix : str
        Begins the names of tables and charts, where several cases stand in one report.
    brief : bool
        Only why, what else is recommended, and which past items drove it.
    """
    made: tuple[Section | None, ...]
    made = (_reasons(views, prefix), _lists(views, prefix), _past_items(views, prefix))
    if not brief:
        made += (_changes(views, prefix), _moved(views, prefix), _against(views, prefix), _user(views, prefix))
    return tuple(section for section in made if section is not None)


def lines_table(views: CaseViews, name: str = "reasons") -> Table:
    """Return every part of the score, by name."""
    total = pd.DataFrame([{"kind": "score", "name": "score", "label": "Score", "text": "what the list is sorted by",
                           "contribution": views.item.score}])  # fmt: skip
    return Table(
        name,
        "Every part of the score",
        pd.concat([views.lines, total], ignore_index=True),
        {
            "label": Column("Reason"),
            "contribution": Column("Contribution", "+.3f"),
            "ci_low": Column("95 % from", "+.2f"),
            "ci_high": Column("to", "+.2f"),
            "text": Column("In words"),
        },
        has_total=True,
    )


def _reasons(views: CaseViews, prefix: str) -> Section:
    """Say what the score consists of."""
    item, verb = views.item, views.verb
    about = " · ".join(part for part in (category_words(item.category), item.description) if part)
    # What takes an item out of all lists is so much that no other part could be seen next to it.
    drawn = item.without_exclusion()
    excluded = f"The chart leaves out the rule “{item.excluded_by}”, which takes the item out of all lists."
    charts = (
        Chart(f"{prefix}score", "How the score adds up", item.sentence,
              lambda colours: figures.score_steps(drawn.steps, colours),
              lines_table(views, f"{prefix}reasons")),
        Chart(
            f"{prefix}pairs",
            f"{verb.user.capitalize()} and item, attribute by attribute",
            f"The {verb.user}'s and the item's score on each attribute that matters here",
            lambda colours: figures.pairs(item.parts, views.scale, colours, verb),
            _parts_table(views, f"{prefix}attributes"),
        ),
    )  # fmt: skip
    return Section(
        "What is it made of?",
        sentences=tuple(text for text in (about, views.rationale) if text),
        charts=charts,
        notes=(
            "The parts add up to the score exactly. What no name covers is shared out over the past items it comes "
            "from. Intervals: items resampled, or two standard errors; none where nothing is estimated.",
            *((excluded,) if item.excluded_by else ()),
        ),
    )


def _parts_table(views: CaseViews, name: str) -> Table:
    """Return user and item attribute by attribute."""
    item, verb = views.item, views.verb
    frame = item.parts.assign(item_score=item.parts["item_score"].where(~item.parts["missing"]))
    return Table(
        name,
        f"{verb.user.capitalize()} and item, attribute by attribute",
        frame,
        {
            "label": Column("Attribute"),
            "user_score": Column(f"This {verb.user}", ".1f"),
            "item_score": Column("This item", ".1f"),
            "catalogue_score": Column("Catalogue", ".1f"),
            "contribution": Column("Contribution", "+.3f"),
            "low": Column("Low means"),
            "high": Column("High means"),
        },
    )


def _lists(views: CaseViews, prefix: str) -> Section:
    """Show both lists, with what was chosen next."""
    case, verb = views.case, views.verb
    said = tuple(
        f"{_HELD_OUT} {verb.next.capitalize()}, unknown to both models: {title}. The base model ranks it "
        f"{ordinal(base)}, the refined model {ordinal(refined)}."
        for title, base, refined in zip(
            case.held_out[c.TITLE], case.held_out["base_rank"], case.held_out["refined_rank"], strict=True
        )
    )
    if views.rules:
        said += (f"{on_sentence(views.rules)} {RULED} marks their items. All other answers are about the model alone.",)
    tables = (
        _list_table(case.refined, f"{prefix}refined_list", "Refined model", "Change from base", "was"),
        _list_table(case.base, f"{prefix}base_list", "Base model", "In refined", "now"),
    )
    return Section("What is recommended?", sentences=said, tables=tables)


def _list_table(frame: pd.DataFrame, name: str, caption: str, heading: str, other: str) -> Table:
    """Return one list with what moved."""
    change = [
        move_words(status, rank, other) for status, rank in zip(frame["status"], frame["other_rank"], strict=True)
    ]
    ruled = frame["rules"] if "rules" in frame else [""] * len(frame)
    titles = [
        f"{f'{RULED} ' if rules else ''}{f'{_HELD_OUT} ' if held else ''}{title}"
        for title, held, rules in zip(frame[c.TITLE], frame["held_out"], ruled, strict=True)
    ]
    columns = {c.RANK: Column("#", "d"), "shown_title": Column("Item"), "change": Column(heading)}
    return Table(name, caption, frame.assign(shown_title=titles, change=change), columns)


def _past_items(views: CaseViews, prefix: str) -> Section:
    """Say what each past item contributed."""
    past, verb = views.past, views.verb
    table = Table(
        f"{prefix}past_items",
        f"What each of the past {verb.nouns} contributed",
        past.items,
        {
            "number": Column("Number", "d"),
            c.TITLE: Column("Item"),
            "value": Column("Share of the score", "+.3f"),
            "margin": Column("±", ".3f"),
            "without": Column("Score change without it", "+.3f"),
        },
    )
    charts = (
        Chart(f"{prefix}past_items", "Newest first", past.sentence,
              lambda colours: item_bars(past.items, colours), table),
    )  # fmt: skip
    return Section(
        "Which past item drove it?",
        past.sentence,
        charts=charts if len(past.items) else (),
        notes=(past.exactness,) if past.exactness else (),
    )


def _changes(views: CaseViews, prefix: str) -> Section | None:
    """Say what would take the item out of the list, or bring it in."""
    found, item, verb = views.changes, views.item, views.verb
    if found is None or found.seen:
        return None
    goal = "leave" if item.rank <= found.k else "enter"
    alt = "The item's rank as taste changes on one attribute, for the attributes that change it most"
    edits = Table(
        f"{prefix}changes",
        f"All {len(found.edits):,} changes found",
        found.edits,
        {"kind": Column("Changed"), "change": Column("Change"), c.RANK: Column("Rank", ",d")},
    )
    curves = Table(
        f"{prefix}taste_curves",
        "Rank by taste",
        found.curves,
        {"label": Column("Attribute"), "steps": Column("Less or more", "+.1f"), c.RANK: Column("Rank", ",d")},
    )
    chart = Chart(
        f"{prefix}taste_curves",
        f"Its rank, if this {verb.user} wanted less or more of an attribute",
        alt,
        lambda colours: counterfactuals.pull_curves(found.curves, found.k, colours),
        curves,
    )
    return Section(
        "What would change it?",
        f"Smallest changes found that would make {item.title} {goal} the top {found.k}",
        points={
            f"With other {verb.nouns}": found.history,
            "With another taste": found.pulls,
            "With other scores of the item": found.scores,
        },
        charts=(chart,) if len(found.curves) else (),
        folded=(edits,) if len(found.edits) else (),
        notes=("Every change was checked by re-ranking the catalogue.",),
    )


def _moved(views: CaseViews, prefix: str) -> Section | None:
    """Say what moved the item from its base rank."""
    moved = views.moved
    if moved is None:
        return None
    parts = Table(
        f"{prefix}moved",
        "Places gained and lost",
        moved.parts,
        {"label": Column("Part"), "gained": Column("Places gained", "+.2f"), "error": Column("Standard error", ".2f")},
    )
    base = Table(
        f"{prefix}base_estimate",
        "Attributes linked to the base score (estimate)",
        moved.base_parts,
        {"label": Column("Attribute"), "value": Column("Estimated effect", "+.2f")},
    )
    how = "Exact." if moved.exact else "Averaged over random orderings; the table shows standard errors."
    chart = Chart(f"{prefix}moved", "From base to refined", moved.sentence,
                  lambda colours: counterfactuals.rank_steps(moved.parts, moved.base_rank, moved.rank, colours),
                  parts)  # fmt: skip
    return Section(
        "Why did it move?",
        moved.sentence,
        charts=(chart,),
        folded=(base,),
        notes=(f"Places gained and lost from base to refined. {how}", moved.base_sentence),
    )


def _against(views: CaseViews, prefix: str) -> Section | None:
    """Compare the item with the next one, or, where it is not listed, with the last of the list."""
    columns = {"label": Column("Part"), "value": Column("Score difference", "+.4f")}
    outside, below = views.not_listed, views.below
    if outside is not None:
        if outside.parts.empty:
            return Section("Why is it not in the list?", outside.sentence)
        table = Table(f"{prefix}difference", f"Score difference to {outside.against}", outside.parts, columns)
        chart = Chart(f"{prefix}difference", "Score difference, part by part", outside.sentence,
                      lambda colours: counterfactuals.contrast_bars(outside.parts, colours), table)  # fmt: skip
        note = f"Score difference to {outside.against}: {outside.margin:+.2f}, the exact sum of all parts."
        return Section("Why is it not in the list?", outside.sentence, charts=(chart,), notes=(note,))
    if below is None:
        return None
    table = Table(f"{prefix}difference", f"Score difference to {below.other}", below.parts, columns)
    chart = Chart(f"{prefix}difference", "Score difference, part by part", below.sentence,
                  lambda colours: counterfactuals.contrast_bars(below.parts, colours), table)  # fmt: skip
    note = f"Score difference: {below.difference:+.2f}, the exact sum of all parts."
    return Section("Why is it above the next one?", below.sentence, charts=(chart,), notes=(note,))


def _user(views: CaseViews, prefix: str) -> Section:
    """Say who the user is."""
    case, verb = views.case, views.verb
    said = f"{verb.user.capitalize()} {case.user_id} {case.sentence}"
    if not len(case.history):
        return Section(f"Who is this {verb.user}?", said)
    profile = Table(
        f"{prefix}taste",
        "Taste compared with the catalogue",
        case.profile,
        {
            "label": Column("Attribute"),
            "user_score": Column(f"This {verb.user}", ".1f"),
            "catalogue_score": Column("Catalogue", ".1f"),
            "low": Column("Low means"),
            "high": Column("High means"),
        },
    )
    taste = Chart(
        f"{prefix}taste",
        "Taste compared with the catalogue",
        f"This {verb.user}'s average scores and the catalogue's; {case.sentence}",
        lambda colours: figures.taste(case.profile, views.scale, colours, verb),
        profile,
    )
    history = case.history.assign(**{c.CATEGORY: case.history[c.CATEGORY].map(category_words)})
    columns = {
        c.DATETIME: Column("Date", "%d %b %Y"),
        c.TITLE: Column("Item"),
        c.CATEGORY: Column("Category"),
        "strongest": Column("Most distinctive"),
    }
    shown = Table(f"{prefix}history", f"{verb.activity.capitalize()} history, newest first", history, columns)
    return Section(f"Who is this {verb.user}?", said, charts=(taste,), tables=(shown,))
