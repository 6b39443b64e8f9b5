"""Part of the Items page: how a new item would perform, from its listing or from scores set by hand."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, show
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.items import new_item_inputs
from guidedrec_core.app.items.new_item_inputs import Wanted
from guidedrec_core.app.items.tables import case_link
from guidedrec_core.app.page import View
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.figures.items import attribute_bars, similarity_bars
from guidedrec_core.figures.preview import gain_bars, place_curve
from guidedrec_core.figures.theme import Palette
from guidedrec_core.progress import Progress

if TYPE_CHECKING:
    from guidedrec_core.items.new_item import Preview

_WHICH, _FOUND = "which_item", "preview_found"
_WORDS = {"old": "In the catalogue", "new": "A new item"}
_NUMBER = st.column_config.NumberColumn


def new_wanted() -> bool:
    """Let the visitor choose between the catalogue's items and a new one; return whether it is a new one."""
    chosen = st.segmented_control(
        "Which item",
        list(_WORDS),
        default="old",
        required=True,
        format_func=_WORDS.__getitem__,
        key=_WHICH,
        persist_state="session",
        label_visibility="collapsed",
    )
    return bool(chosen == "new")


def new_item(view: View, colours: Palette) -> None:
    """Show the inputs of an item, and how it would perform.

    Parameters
    ----------
    view : View
        The data set and run under study.
    colours : Palette
        From `theme.palette`.
    """
    answer = st.container()
    wanted = new_item_inputs.wanted(view, answer)
    if wanted is None:
        with answer:
            show.lead("How would a new item perform?")
            show.note(
                f"Describe an item with no {view.verb.nouns}. Its attribute scores alone decide whom it would reach, "
                "where it would rank and what it is similar to. Nothing is saved."
            )
        return
    with answer:
        try:
            found = _preview(view, wanted)
        except GuidedrecError as error:
            complain(error)
            return
        show.lead(found.sentence)
        for caveat in found.caveats:
            show.note(caveat.replace("`", ""))
    _details(found, view, colours)


def _preview(view: View, wanted: Wanted) -> "Preview":
    """Preview an item, or return the earlier preview of the same."""
    key = (view.entry.run.id, wanted)
    before: tuple[object, Preview] | None = st.session_state.get(_FOUND)
    if before is not None and before[0] == key:
        return before[1]
    from guidedrec_core.items.new_item import preview  # imports torch, so only when needed

    system = loaders.system(view.entry.run.id)
    ranking = f"Ranking it for every {view.verb.user}"
    bar = st.progress(0.0, text=ranking)

    def listen(event: Progress) -> None:
        bar.progress(event.step / max(event.total, 1), text=escaped(f"{ranking} · {event.message}"))

    with loaders.MODEL_LOCK:
        found = preview(system, dict(wanted.scores), wanted.title, listener=listen, caveats=wanted.caveats)
    bar.empty()
    st.session_state[_FOUND] = (key, found)
    return found


def _details(found: "Preview", view: View, colours: Palette) -> None:
    """Show the details behind the sentence."""
    from guidedrec_core.items.new_item import newness_words  # imports torch, so only when needed

    scale, verb = loaders.schema(view.entry.run.inputs["scores"]).scale, view.verb
    left, right = show.pair()
    with left:
        st.subheader("How it is scored", anchor=False)
        bars = attribute_bars(found.attributes, (scale.min, scale.max), colours)
        show.chart(bars, "Its score on each attribute and the catalogue's average", "preview_attributes")
    with right:
        st.subheader("Main strengths", anchor=False)
        st.text(f"{newness_words(found)} Its attributes add:")
        gains = gain_bars(found.contributions, colours, verb)
        show.chart(gains, f"What each attribute adds. {found.sentence}", "preview_gains")
        st.subheader("Where it would rank", anchor=False)
        n = found.n_items + 1
        st.text(f"For half of all {verb.users} it would rank {found.median_rank:,.0f} of {n:,} or better; its best "
                f"rank is {found.ranks.min():,}.")  # fmt: skip
        curve = place_curve(found.ranks, found.k, found.n_items, colours, verb)
        alt = f"In the top {found.k} for {found.reach:,} of {verb.count_users(len(found.ranks))}"
        show.chart(curve, alt, "preview_places")
    left, right = show.pair()
    with left:
        st.subheader("Similar items", anchor=False)
        labels = dict(zip(found.attributes["attribute"], found.attributes["label"], strict=True))
        alt = f"Most similar items: {', '.join(found.near[c.TITLE].head(3))}"
        show.chart(similarity_bars(found.near, labels, colours.refined, colours, verb), alt, "preview_near")
    with right:
        st.subheader("Who would see it", anchor=False)
        _audience(found, verb)
    _tables(found, verb)


def _audience(found: "Preview", verb: InteractionVerb) -> None:
    """Show the users it ranks highest for; a chosen user can be opened as a case."""
    if found.reach:
        everyone = verb.count_users(len(found.ranks))
        st.text(f"It would be in the top {found.k} for {found.reach:,} of {everyone}.")
    else:
        st.text(f"It would not be in anyone's top {found.k}; it would rank best for these {verb.users}.")
    show.note("Best rank first. Choose a row to open the case.")
    event = show.table(
        found.audience,
        hide_index=True,
        height=320,
        key="preview_audience",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            c.USER: st.column_config.TextColumn(verb.user.capitalize(), width="small"),
            c.RANK: _NUMBER("Rank", format="%d", width="small"),
            "lead": _NUMBER("Lead", format="%+.2f", width="small", help="Score difference to the best other item"),
            "why": st.column_config.TextColumn("Main strengths", width="large"),
        },
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(found.audience):
        case_link(str(found.audience[c.USER].iloc[rows[0]]), None, verb)


def _tables(found: "Preview", verb: InteractionVerb) -> None:
    with st.expander("Show as tables", icon=":material/table:"):
        similar, strengths = st.tabs(["Similar items", "Main strengths"])
        with similar:
            near = found.near[[c.RANK, c.TITLE, c.CATEGORY, "similarity", "why", c.ITEM]]
            show.table(
                near.assign(**{c.CATEGORY: near[c.CATEGORY].map(category_words)}),
                hide_index=True,
                key="preview_near_table",
                column_config={
                    c.RANK: _NUMBER("Rank", width="small"),
                    c.TITLE: "Item",
                    c.CATEGORY: "Category",
                    "similarity": _NUMBER("Similarity", format="%.2f", help="Cosine similarity; 1 = identical"),
                    "why": st.column_config.TextColumn("What makes them similar", width="medium"),
                    c.ITEM: "Item ID",
                },
            )
        with strengths:
            show.table(
                found.contributions[["label", "everyone", "reached"]],
                hide_index=True,
                key="preview_gain_table",
                column_config={
                    "label": "Attribute",
                    "everyone": _NUMBER(f"Average over all {verb.users}", format="%+.3f"),
                    "reached": _NUMBER(f"Average over {verb.users} it would reach", format="%+.3f"),
                },
            )
