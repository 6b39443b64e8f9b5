"""The part of the Evaluation page that says what changed against another run."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import jobs_panel, loaders, show, url
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.cases.key import HELD_OUT
from guidedrec_core.evaluation.verdict import metric_label
from guidedrec_core.figures.audience.list_changes import item_moves
from guidedrec_core.figures.theme import Palette
from guidedrec_core.runs.library import find_entry, refined_entries, repeat_of
from guidedrec_core.runs.store import RunStore
from guidedrec_core.runs.titles import run_titles

if TYPE_CHECKING:
    from guidedrec_core.comparison.compare import Comparison

NAME = "compare"
"""The other run's name in the address."""
_KEY, _NOTHING = "compare_with", ""
_MOST_CELLS, _MOST_PEOPLE = 4, 200
_NUMBER = st.column_config.NumberColumn


def choose(view: View) -> str | None:
    """Offer the other runs of the data set; return the id of the one in the address, which may be gone."""
    entries = refined_entries(view.store, view.dataset)
    chosen = url.current().get(NAME)
    titles = {run_id: title for run_id, title in run_titles(entries).items() if run_id != view.entry.run.id}
    if not titles:
        return chosen
    url.follow(_KEY, chosen if chosen in titles else _NOTHING)
    names = {_NOTHING: "No other run"} | titles
    st.selectbox(
        "Compare with",
        list(names),
        format_func=names.__getitem__,
        key=_KEY,
        on_change=url.keep,
        args=(NAME, _KEY),
        width=360,
    )
    return chosen


def comparison(view: View, other: str, colours: Palette) -> None:
    """Show what changed against another run, as a card: the answer first, then items, users, scores and numbers.

    Parameters
    ----------
    view : View
        The data set and run under study, which is the later one of the comparison.
    other : str
        Id of the other run, from the address.
    colours : Palette
        From `theme.palette`.
    """
    entries = {entry.run.id: entry for entry in refined_entries(view.store, view.dataset)}
    if other not in entries or other == view.entry.run.id:
        same = other == view.entry.run.id
        st.info(
            escaped(
                "A run cannot be compared with itself; choose another one."
                if same
                else f"Run {other} of data set {view.dataset} no longer exists, or the link is mistyped."
            ),
            icon=":material/info:",
        )
        st.button("Close", on_click=url.update, kwargs={NAME: None}, key="compare_close")
        return
    from guidedrec_core.comparison import words
    from guidedrec_core.errors import GuidedrecError

    evaluations = tuple(one.evaluation.id if one.evaluation else "" for one in (entries[other], view.entry))
    again = repeat_of(view.store, entries[other])
    made_of = (*evaluations, "" if again is None else again.id)
    try:
        found = _found(str(view.store.home), view.dataset, other, view.entry.run.id, made_of)
    except GuidedrecError as error:
        complain(error)
        return
    title = run_titles(list(entries.values()))[other]
    with st.container(border=True, key="comparison"):
        show.note(f"What changed against {title}")
        show.lead(
            words.lead_sentence(found, view.verb),
            help=f"{found.cases:,} test cases, the same for both runs; 95 % intervals: paired bootstrap over "
            f"{view.verb.users}.",
        )
        for sentence in words.chance_sentences(found, view.verb):
            st.write(escaped(sentence))
        if found.repeat is None and found.lists.changed:
            _offer_repeat(view, other)
        _parts(view, found, colours)


def _offer_repeat(view: View, other: str) -> None:
    """Offer to train the other run again, to see what chance changes."""
    busy = view.job is not None and view.job.active
    st.button(
        "Measure it",
        icon=":material/casino:",
        help="Trains the earlier run once more with another seed; takes as long as one refinement",
        on_click=_start_repeat,
        args=(view.dataset, other),
        disabled=busy,
        key="start_repeat",
    )


def _start_repeat(dataset: str, run_id: str) -> None:
    jobs_panel.start("repeat", dataset, run_id)


def _parts(view: View, found: "Comparison", colours: Palette) -> None:
    """Show items, scores, users and all numbers."""
    from guidedrec_core.comparison import words

    verb = view.verb
    left, right = show.pair()
    with left:
        st.markdown("**Which items gained or lost places?**")
        items = found.lists.items
        if len(items):
            alt = f"Items in more or fewer lists, e.g. {'; '.join(items[c.TITLE].head(3))}"
            show.chart(item_moves(items, found.lists.k, colours), alt, "compare_items")
        else:
            show.note("None: every item is in as many lists as before.")
    with right:
        st.markdown("**What was different to begin with?**")
        st.write(escaped(words.score_sentence(found.scores, verb)))
        cells = found.scores.items
        for _, row in cells.head(_MOST_CELLS).iterrows():
            show.note(words.cell_sentence(row))
        if len(cells) > _MOST_CELLS:
            show.note(f"{_MOST_CELLS} of {len(cells):,} shown, the largest change first; all are in the table below.")
        st.markdown("**What else changed?**")
        for sentence in (
            words.overlap_sentence(found.lists, verb),
            words.gain_sentence(found.gain(f"NDCG@{found.lists.k}"), verb),
            words.named_sentence(found),
        ):
            if sentence:
                st.write(escaped(sentence))
    _people(view, found)
    _numbers(found)


def _people(view: View, found: "Comparison") -> None:
    """Show the users most affected; one of them can be opened."""
    people, verb = found.lists.people, view.verb
    if people.empty:
        return
    st.markdown(f"**Which {escaped(verb.users)} are affected most?**")
    some = "" if len(people) <= _MOST_PEOPLE else f"{_MOST_PEOPLE:,} of {len(people):,} shown. "
    first = "Those whose list the changed scores change by themselves come first. " if found.direct else ""
    show.note(f"{first}{some}Choose a row to open the case.")
    shown = people.head(_MOST_PEOPLE)
    rows = shown.assign(
        moved=100 * shown["moved"],
        entered=[", ".join(titles) for titles in shown["entered"]],
        left=[", ".join(titles) for titles in shown["left"]],
    )
    columns = [c.USER, *(["by_scores"] if found.direct else []), "moved", "kept", "entered", "left"]
    event = show.table(
        rows[columns],
        hide_index=True,
        height=min(38 + 35 * len(rows), 285),
        key="compare_people",
        alt=f"{verb.users.capitalize()} whose list changed, the most affected first",
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}},
        column_config={
            c.USER: verb.user.capitalize(),
            "by_scores": st.column_config.CheckboxColumn(
                "By the scores", help="The changed scores by themselves change this list, before anything is trained"
            ),
            "moved": _NUMBER("Moved", format="%.0f %%", help="Share of the list's exposure with other items or places"),
            "kept": _NUMBER("Items kept", format="%d"),
            "entered": st.column_config.TextColumn("New in the list", width="medium"),
            "left": st.column_config.TextColumn("Gone from it", width="medium"),
        },
    )
    chosen = event["selection"]["rows"] or [0]
    row = shown.iloc[min(chosen[0], len(shown) - 1)]
    st.page_link(
        Path("pages/1_Case_study.py"),
        label=f"Open the case of {escaped(verb.user)} {escaped(str(row[c.USER]))}",
        icon=":material/person_search:",
        query_params=url.link(user=str(row[c.USER]), item=str(row[c.ITEM]), history=HELD_OUT),
    )


def _numbers(found: "Comparison") -> None:
    """Show every number of the comparison."""
    with st.expander("All numbers of this comparison", icon=":material/table:"):
        for name, table, form in (("quality", found.metrics, "%.4f"), ("gains", found.gains, "percent")):
            ends = {end: _NUMBER(label, format=form) for end, label in _ENDS.items()}
            show.table(
                table.assign(metric=table["metric"].map(metric_label)),
                hide_index=True,
                height="content",
                key=f"compare_{name}",
                alt="Ranking quality before and after" if name == "quality" else "Gain over the base before and after",
                column_config={"metric": "Measure" if name == "quality" else "Gain over base", **ends},
            )
        show.table(
            found.scores.attributes[["label", "state", "changed", "mean_change", "weight_before", "weight_after"]],
            hide_index=True,
            height="content",
            key="compare_attributes",
            alt="Attributes, scores and weights before and after",
            column_config={
                "label": "Attribute",
                "state": "State",
                "changed": _NUMBER("Scores changed", format="%d"),
                "mean_change": _NUMBER(
                    "Average change", format="%+.2f", help="Of the scores both runs have, in points"
                ),
                "weight_before": _NUMBER("Weight before", format="%.3f"),
                "weight_after": _NUMBER("after", format="%.3f"),
            },
        )
        if len(found.scores.items):
            show.table(
                found.scores.items[["title", "label", "before", "after", "who", "why"]],
                hide_index=True,
                height=min(38 + 35 * len(found.scores.items), 285),
                key="compare_scores",
                alt="Scores that differ",
                column_config={
                    "title": st.column_config.TextColumn("Item", width="medium"),
                    "label": "Attribute",
                    "before": _NUMBER("Before", format="%g"),
                    "after": _NUMBER("Now", format="%g"),
                    "who": "Set by",
                    "why": st.column_config.TextColumn("Reason", width="medium"),
                },
            )
        if len(found.lists.items):
            show.table(
                found.lists.items[["title", "before", "after", "change"]],
                hide_index=True,
                height=min(38 + 35 * len(found.lists.items), 285),
                key="compare_item_table",
                alt="Lists with each item before and after",
                column_config={
                    "title": st.column_config.TextColumn("Item", width="medium"),
                    "before": _NUMBER("Lists before", format="%d"),
                    "after": _NUMBER("Lists now", format="%d"),
                    "change": _NUMBER("Change", format="%+d"),
                },
            )
        if len(found.settings):
            show.table(
                found.settings,
                hide_index=True,
                height="content",
                key="compare_settings",
                alt="Settings that differ",
                column_config={"setting": "Setting", "before": "Before", "after": "Now"},
            )


_ENDS = {
    "before": "Before",
    "before_low": "95 % from",
    "before_high": "to",
    "after": "Now",
    "after_low": "now 95 % from",
    "after_high": "now to",
    "difference": "Change",
    "low": "change 95 % from",
    "high": "change to",
}


@st.cache_resource(max_entries=8, show_spinner="Comparing the runs")
def _found(home: str, dataset: str, before: str, after: str, made_of: tuple[str, ...]) -> "Comparison":
    """Compare two runs; `made_of` names what else the answer is read from, so that a newer one is seen."""
    from guidedrec_core.comparison.stored import compare_runs

    assert made_of
    store = RunStore(Path(home))
    entries = [find_entry(store, dataset, run_id) for run_id in (before, after)]
    models = [loaders.system(entry.run.id) for entry in entries]  # which takes the lock by itself
    with loaders.MODEL_LOCK:
        opened = {model.run_id: model for model in models}
        return compare_runs(store, entries[0], entries[1], open_model=opened.__getitem__)
