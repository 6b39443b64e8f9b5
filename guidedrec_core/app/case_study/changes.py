"""The questions "What would change it", "Why not …?" and "Why did it move"."""

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show, url
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.items import loaders as item_loaders
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.figures import counterfactuals as figures
from guidedrec_core.figures.theme import palette

_MOST = 50
_STEPS_HELP = (
    "A typical difference is one standard deviation of taste on an attribute of average weight, as on the sliders "
    "under Steer."
)
_MOVED_HELP = (
    "Each part's Shapley value: the places the item gains when that part is added to the base score, averaged over "
    "the orders in which parts can be added."
)
_SURROGATE_HELP = (
    "Ridge regression of this user's base scores on the attribute scores, over all items not in the history. The "
    "share is R2 on items that were left out of the fit. The base model itself uses no attributes."
)


def what_would_change(view: View, case: Case) -> None:
    """Show the smallest changes that remove the selected item from the list, or bring it in."""
    assert case.selected is not None  # sections are shown only with an item
    found = case_loaders.changes(case.key)
    if found.seen:
        show.note(
            f"This {view.verb.user} has already {view.verb.participle} this item, so no change brings it into the list."
        )
        return
    goal = "leave" if case.selected.rank <= found.k else "enter"
    show.lead(f"Smallest changes found that would make {case.selected.title} {goal} the top {found.k}")
    left, right = show.pair()
    with left:
        _sentences(f"With other {view.verb.nouns}", found.history)
        _sentences("With another taste", found.pulls, _STEPS_HELP)
        _sentences("With other scores of the item", found.scores)
        show.note("Every change was checked by re-ranking the catalogue.")
    with right:
        st.markdown(f"**Its rank, if this {view.verb.user} wanted less or more of an attribute**")
        alt = "The item's rank as taste changes on one attribute, for the attributes that change it most"
        show.chart(figures.pull_curves(found.curves, found.k, palette(view.dark)), alt=alt, key="pull_curves")
    show.table_twin(
        found.edits,
        f"All {len(found.edits):,} changes found",
        key="changes_table",
        column_config={
            "kind": "Changed",
            "change": st.column_config.TextColumn("Change", width="large"),
            c.RANK: "Rank",
        },
    )


def why_not(view: View, case: Case) -> None:
    """Let the visitor find an item; show why it is not recommended, compared with the last item of the list."""
    index = item_loaders.index(view.entry.data.id)
    left, right = st.columns(2)
    place = url.current()
    url.follow("why_not_find", place.get("why_find", ""))
    query = left.text_input(
        "Find an item", placeholder="Title, ID or category", icon=":material/search:", key="why_not_find",
        on_change=url.keep, args=("why_find", "why_not_find"),
    )  # fmt: skip
    found = index.search(query, _MOST)
    labels = dict(zip(found.items[c.ITEM], found.items[c.TITLE], strict=True))
    asked = place.get("why")
    if asked is not None and asked not in labels and not query.strip():
        labels = {asked: index.title(asked), **labels} if asked in index else labels
    url.follow("why_not_item", asked if asked in labels else next(iter(labels), None) if query.strip() else None)
    chosen = right.selectbox(
        f"Items ({escaped(found.note)})",
        list(labels),
        format_func=lambda item_id: f"{labels[item_id]} ({item_id})",
        placeholder="Choose an item" if labels else "Nothing found; try fewer letters",
        disabled=not labels,
        key="why_not_item",
        on_change=url.keep,
        args=("why", "why_not_item"),
    )
    if chosen is None:
        show.note(f"Find any item to see what keeps it out of this {view.verb.user}'s list.")
        return
    answer = case_loaders.why_not(case.key.about(chosen))
    show.lead(answer.sentence)
    if answer.parts.empty:
        return
    st.markdown("**Score difference, part by part**")
    figure = figures.contrast_bars(answer.parts, palette(view.dark))
    show.chart(figure, alt=answer.sentence, key="why_not_bars")
    show.note(f"Score difference to {answer.against}: {answer.margin:+.2f}, the exact sum of all parts.")
    show.table_twin(
        answer.parts,
        "All parts",
        key="why_not_table",
        column_config={"label": "Part", "value": st.column_config.NumberColumn("Score difference", format="%+.4f")},
    )


def why_it_moved(view: View, case: Case) -> None:
    """Show what moved the selected item from its base rank to its refined one."""
    assert case.selected is not None  # sections are shown only with an item
    found = case_loaders.moved(case.key)
    if found is None:
        show.note(f"This {view.verb.user} has already {view.verb.participle} this item, so neither model ranks it.")
        return
    colours = palette(view.dark)
    show.lead(found.sentence)
    figure = figures.rank_steps(found.parts, found.base_rank, found.rank, colours)
    show.chart(figure, alt=found.sentence, key="rank_steps")
    how = "Exact." if found.exact else "Averaged over random orderings; the table shows standard errors."
    show.note(f"Places gained and lost from base to refined. {how}", help=_MOVED_HELP)
    number = st.column_config.NumberColumn
    show.table_twin(
        found.parts,
        "All parts",
        key="moved_table",
        column_config={
            "label": "Part",
            "gained": number("Places gained", format="%+.2f"),
            "error": number("Standard error", format="%.2f"),
        },
    )
    show.note(found.base_sentence, help=_SURROGATE_HELP)
    show.table_twin(
        found.base_parts,
        "Attributes linked to the base score (estimate)",
        key="surrogate_table",
        column_config={"label": "Attribute", "value": number("Estimated effect", format="%+.2f")},
    )


def _sentences(heading: str, sentences: tuple[str, ...], tooltip: str | None = None) -> None:
    st.markdown(f"**{heading}**", help=tooltip)
    st.markdown("\n".join(f"- {escaped(sentence)}" for sentence in sentences))
