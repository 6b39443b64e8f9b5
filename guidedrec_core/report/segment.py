"""The report of a segment: who these users are, what they are shown, and what refinement brings them."""

from dataclasses import dataclass

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.audience import answer_words
from guidedrec_core.audience.audience import Audience
from guidedrec_core.audience.exposure import GroupAnswer
from guidedrec_core.audience.profile import GroupProfile
from guidedrec_core.conditions.condition import Condition
from guidedrec_core.conditions.phrases import condition_text
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import InputError
from guidedrec_core.evaluation.gain_parts import CONTROL_WORDS, STRICT, GainParts, gain_parts_of_slice, gain_sentence
from guidedrec_core.evaluation.report import BASE, MODELS, PLACEBO, REFINED, SECOND_TRAINING
from guidedrec_core.evaluation.slice_words import slice_gains
from guidedrec_core.evaluation.verdict import MODEL_WORDS, metric_label, metric_meaning
from guidedrec_core.figures.audience.group import reach_bars, share_bars
from guidedrec_core.figures.audience.profile import category_bars, taste_dots
from guidedrec_core.figures.evaluation import gain_bar, slice_forest
from guidedrec_core.language import percent, signed
from guidedrec_core.report.document import MOST_ROWS, Chart, Column, Report, Section, Stamp, Table
from guidedrec_core.report.evaluation import gain_parts_table

QUESTION = "Who are they, what do they get, and does refinement help them?"
GROUP, EVERYONE = "this segment", "everyone"
"""Slices of the report."""
BY = "segment"
COMPARED = (BASE, SECOND_TRAINING, PLACEBO, REFINED)
"""Models compared: those that say where a gain comes from."""


@dataclass(frozen=True, eq=False)
class SegmentViews:
    """Everything that the report of a segment says.

    Attributes
    ----------
    name : str
        Of the saved segment; empty for conditions that are not saved.
    note : str
        What somebody wrote about it; may be empty.
    text : str
        The condition in words; empty for everyone.
    profile : GroupProfile
        Who they are, and what they are shown.
    slices : pandas.DataFrame
        Metrics of all models on their test cases and on all, as `EvaluationReport.slices`.
    control : str or None
        The strict control over all test cases.
    parts : GainParts or None
        What their gain consists of; None without test cases.
    answer : GroupAnswer or None
        Who of them is shown the items asked about; None where none are.
    items : str
        These items in words.
    metric : str
        The measure to judge by.
    split : str
        The split's kind.
    verb : InteractionVerb
        How to speak of interactions.
    """

    name: str
    note: str
    text: str
    profile: GroupProfile
    slices: pd.DataFrame
    control: str | None
    parts: GainParts | None
    answer: GroupAnswer | None
    items: str
    metric: str
    split: str
    verb: InteractionVerb

    @property
    def group(self) -> str:
        """Whom it is about, inside a sentence."""
        who = self.verb.count_users(self.profile.n_users)
        return f"{who} who match “{self.text}”" if self.text else who


def segment_views(
    people: Audience,
    users: Condition | str | None,
    items: Condition | str | None = None,
    name: str = "",
    note: str = "",
    metric: str = "NDCG@10",
    samples: int = 1000,
) -> SegmentViews:
    """Compute what the report of a segment says.

    Parameters
    ----------
    people : Audience
        All users; their test cases have the ranks of the controls where these were evaluated.
    users : Condition or str or None
        The segment; None is everyone.
    items : Condition or str, optional
        Items to ask about: who of the segment is shown them, and whether they should be.
    name, note : str
        Of the saved segment.
    metric : str
        The measure to judge by: MRR, or Recall@K or NDCG@K.
    samples : int
        Resamples of users for intervals.

    Raises
    ------
    InputError
        A condition is not understood, nobody or nothing fulfils it, or there is no such measure.
    """
    who = None if users is None else people.condition(users, "users")
    what = None if items is None else people.condition(items, "items")
    cutoff = int(metric.partition("@")[2]) if metric.partition("@")[2].isdecimal() else 10
    groups = {GROUP: who, EVERYONE: None} if who is not None else {EVERYONE: None}
    slices = people.slices(groups, BY, (max(cutoff, 1),), samples)
    slices = slices[slices["model"].isin(COMPARED)].reset_index(drop=True)
    measured = dict.fromkeys(slices["metric"])
    if metric not in measured:
        raise InputError(f"expected a measure out of MRR, Recall@K and NDCG@K, got {metric!r}")
    control = _strict(slices, metric)
    own = GROUP if who is not None else EVERYONE
    titles = dict(zip(people.data.dataset.items.ids, people.data.dataset.catalogue.frame[c.TITLE], strict=True))
    return SegmentViews(
        name=name,
        note=note,
        text="" if who is None else condition_text(who, people.terms),
        profile=people.profile(who),
        slices=slices,
        control=control,
        parts=gain_parts_of_slice(slices, BY, own, metric, control) if own in set(slices["slice"]) else None,
        answer=None if what is None else people.who_gets(what, who, samples),
        items="" if what is None else answer_words.items_words(what, people.terms, titles),
        metric=metric,
        split="temporal" if people.data.is_temporal else "leave-one-out",
        verb=people.terms.verb,
    )


def _strict(slices: pd.DataFrame, metric: str) -> str | None:
    """Return the strict control over all test cases."""
    rows = slices[(slices["slice"] == EVERYONE) & (slices["metric"] == metric)]
    gain = dict(zip(rows["model"], rows["gain"].astype(float), strict=True))
    return min((name for name in STRICT if name in gain), key=gain.__getitem__, default=None)


def segment_report(views: SegmentViews, stamp: Stamp) -> Report:
    """Lay out the report of a segment."""
    about = [f"Segment {views.name}"] if views.name else []
    about += [f"{views.verb.users} who match “{views.text}”" if views.text else f"all {views.verb.users}"]
    made = (_who(views), _gains(views), _shown(views), _items(views), _worst(views))
    return Report(
        kind="segment",
        title=QUESTION,
        about=" · ".join(about)[:1].upper() + " · ".join(about)[1:],
        answer=answer_sentence(views),
        sections=tuple(section for section in made if section is not None),
        stamp=stamp,
    )


def answer_sentence(views: SegmentViews) -> str:
    """Say who they are and what refinement brings them."""
    profile, verb = views.profile, views.verb
    share = percent(profile.n_users / profile.everyone, None)
    seek = f" They {profile.seeks}." if profile.seeks else ""
    who = f"{verb.count_users(profile.n_users)}, {share} of all.{seek}"
    return who if views.parts is None else f"{who} {gain_sentence(views.parts, views.split, verb)}"


def _who(views: SegmentViews) -> Section:
    """Say who they are."""
    profile, verb = views.profile, views.verb
    taste = Table(
        "taste",
        "What they seek, in standard deviations over everyone",
        profile.taste,
        {
            "label": Column("Attribute"),
            "value": Column("Seek", "+.2f"),
            "low": Column("95 % from", "+.2f"),
            "high": Column("to", "+.2f"),
        },
    )
    said = f"They {profile.seeks}." if profile.seeks else f"Their taste is that of {verb.users} on average."
    chart = Chart("taste", "What they seek and avoid", said, lambda colours: taste_dots(profile.taste, colours), taste)
    past = f"They made {verb.count(round(profile.past))} each (median)." if profile.past == profile.past else ""
    note = f"0 is the average of all {verb.users}; 1 is a typical difference between two of them."
    sentences = tuple(text for text in (views.note.strip(), past) if text)
    return Section("Who are they?", said, sentences=sentences, charts=(chart,), notes=(note,))


def _gains(views: SegmentViews) -> Section | None:
    """Say what refinement brings them."""
    if views.parts is None:
        return Section("Does refinement help them?", "None of them has a test case, so this cannot be measured.")
    parts, metric, verb = views.parts, views.metric, views.verb
    frame = slice_gains(views.slices, BY, metric, views.control)
    models = {model: Column(MODEL_WORDS[model].capitalize(), ".4f") for model in MODELS if model in frame}
    over = {}
    if views.control is not None:
        over = {
            "over_control": Column(f"Refined minus {MODEL_WORDS[views.control]}", "+.4f"),
            "over_control_low": Column("95 % from", "+.4f"),
            "over_control_high": Column("to", "+.4f"),
        }
    table = Table(
        "gains",
        f"{metric_label(metric)}: this segment and everyone",
        frame,
        {
            "slice": Column("Group"),
            "n_cases": Column("Cases", ",d"),
            **models,
            "gain": Column("Refined minus base", "+.4f"),
            "ci_low": Column("95 % from", "+.4f"),
            "ci_high": Column("to", "+.4f"),
            **over,
        },
    )
    said = gain_sentence(parts, views.split, verb)
    charts = (
        Chart("gain_parts", "Where the gain comes from", said,
              lambda colours: gain_bar(parts, colours), gain_parts_table(parts)),
        Chart("gains", "This segment and everyone", _gain_words(frame, views),
              lambda colours: slice_forest(views.slices, BY, metric, colours, verb), table),
    )  # fmt: skip
    notes = (f"{metric_label(metric)}: {metric_meaning(metric, verb)}. Bars show 95 % intervals over {verb.users}.",)
    return Section("Does refinement help them?", _gain_words(frame, views), charts=charts, notes=notes, stacked=True)


def _gain_words(frame: pd.DataFrame, views: SegmentViews) -> str:
    """Compare the segment's gain with everyone's, against the strict control."""
    prefix = "gain" if views.control is None else "over_control"
    low, high = ("ci_low", "ci_high") if views.control is None else ("over_control_low", "over_control_high")
    over = "the base model" if views.control is None else CONTROL_WORDS[views.control]
    rows = {str(row["slice"]): row for row in frame.to_dict("records")}

    def gain(name: str) -> str:
        row = rows[name]
        return f"{signed(row[prefix])} ({signed(row[low])} to {signed(row[high])}; {int(row['n_cases']):,} cases)"

    label = metric_label(views.metric)
    said = f"{label}, gain over {over}: " + (f"{gain(GROUP)} in this segment, " if GROUP in rows else "")
    return f"{said}{gain(EVERYONE)} for everyone."


def _shown(views: SegmentViews) -> Section:
    """Say what their lists hold."""
    profile, verb = views.profile, views.verb
    categories = Table(
        "categories",
        "Shares of categories",
        profile.categories,
        {
            "category": Column("Category"),
            "past": Column(f"Of past {verb.nouns}", ".1%"),
            BASE: Column("Of base lists", ".1%"),
            REFINED: Column("Of refined lists", ".1%"),
            "everyone": Column("Of everyone's refined lists", ".1%"),
        },
    )
    typical = Table(
        "typical",
        f"Shown to them more than to other {verb.users}",
        profile.typical,
        {
            c.TITLE: Column("Item"),
            "here": Column("Of their lists", ".1%"),
            "elsewhere": Column("Of other lists", ".1%"),
        },
    )
    first = profile.categories.iloc[0]
    refined, everyone, past = (percent(first[name], None) for name in (REFINED, "everyone", "past"))
    said = (
        f"{first['category'].capitalize()}: the largest part of their refined lists, {refined} of the exposure "
        f"({everyone} for everyone, {past} of their past {verb.nouns})."
    )
    chart = Chart("categories", "What their lists hold", said,
                  lambda colours: category_bars(profile.categories, colours, verb), categories)  # fmt: skip
    note = "Exposure weights a place by 1 / log2(rank + 1): first places are looked at most."
    return Section("What are they shown?", said, charts=(chart,), tables=(typical,), notes=(note,))


def _items(views: SegmentViews) -> Section | None:
    """Say who of them is shown the items asked about."""
    answer, verb = views.answer, views.verb
    if answer is None:
        return None
    lead = answer_words.lead_sentence(answer, views.items, views.group, verb)
    share = answer_words.share_sentence(answer, views.items, views.group, verb)
    fit = answer_words.fit_sentence(answer, verb)
    measures = Table(
        "measures",
        "Every share, with what it is counted from",
        answer.measures.assign(words=answer.measures["measure"].map(answer_words.MEASURE_WORDS)),
        {
            "words": Column("Measure"),
            "model": Column("Model"),
            "value": Column("Share", ".1%"),
            "low": Column("95 % from", ".1%"),
            "high": Column("to", ".1%"),
            "count": Column("Count", ",.1f"),
            "of": Column("Of", ",.1f"),
        },
    )
    lifts = Table(
        "lifts",
        "How many times as much as could be expected",
        answer.lifts.assign(words=answer.lifts["against"].map(answer_words.LIFT_WORDS)),
        {
            "words": Column("Lift"),
            "model": Column("Model"),
            "lift": Column("Times", ".2f"),
            "low": Column("95 % from", ".2f"),
            "high": Column("to", ".2f"),
        },
    )
    charts = (
        Chart("shares", "What these items make up", share,
              lambda colours: share_bars(answer.measures, answer.n_items / answer.catalogue, answer.past.value,
                                         colours, verb), measures),
        Chart("reach", "Who is shown one", lead, lambda colours: reach_bars(answer.measures, colours, verb)),
    )  # fmt: skip
    title = f"Who of them is shown {views.items}, and should they be?"
    return Section(title, lead, sentences=tuple(text for text in (share, fit) if text), charts=charts, folded=(lifts,))


def _worst(views: SegmentViews) -> Section | None:
    """Name those who are shown most of the items with the least past interest."""
    if views.answer is None or views.answer.offenders.empty:
        return None
    verb = views.verb
    table = Table(
        "offenders",
        "Largest gap first between the items' share of the refined list and of the past",
        views.answer.offenders.head(MOST_ROWS).reset_index(drop=True),
        {
            c.USER: Column(verb.user.capitalize()),
            REFINED: Column("In refined list", "d"),
            BASE: Column("In base list", "d"),
            "exposure": Column("Share of list", ".1%"),
            "past": Column(f"Past {verb.nouns} of them", "d"),
            "past_length": Column(f"Past {verb.nouns}", "d"),
            "past_share": Column(f"Share of past {verb.nouns}", ".1%"),
        },
    )
    return Section("Whose list differs most from their past?", tables=(table,))
