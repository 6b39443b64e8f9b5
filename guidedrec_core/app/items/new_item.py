"""Part of the Items page: what a new item would be, from its listing or from scores set by hand."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, show
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.items import new_item_inputs
from guidedrec_core.app.items.new_item_inputs import Wanted
from guidedrec_core.app.items.tables import case_link
from guidedrec_core.app.page import View
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
    """Let the visitor choose between the catalogue's items and a new one; tell whether it is a new one."""
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
    """Ask what the item is; say what would become of it.

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
            show.lead("What would a new item be?")
            show.note(
                "Describe an item that nobody has taken yet. It is placed by its scores on the attributes alone: whom "
                "it would reach, where it would rank, what it is near to. Nothing stored changes."
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
            show.note(caveat)
    _details(found, view, colours)


def _preview(view: View, wanted: Wanted) -> "Preview":
    """Preview an item, or return what was found for the same before."""
    key = (view.entry.run.id, wanted)
    before: tuple[object, Preview] | None = st.session_state.get(_FOUND)
    if before is not None and before[0] == key:
        return before[1]
    from guidedrec_core.items.new_item import preview  # with torch, so not before it is needed

    system = loaders.system(view.entry.run.id)
    bar = st.progress(0.0, text="Ranking it for every user")

    def listen(event: Progress) -> None:
        bar.progress(event.step / max(event.total, 1), text=escaped(f"Ranking it for every user · {event.message}"))

    with loaders.MODEL_LOCK:
        found = preview(system, dict(wanted.scores), wanted.title, listener=listen, caveats=wanted.caveats)
    bar.empty()
    st.session_state[_FOUND] = (key, found)
    return found


def _details(found: "Preview", view: View, colours: Palette) -> None:
    """Show what stands behind the sentence."""
    scale = loaders.schema(view.entry.run.inputs["scores"]).scale
    left, right = show.pair()
    with left:
        st.subheader("How it is scored", anchor=False)
        bars = attribute_bars(found.attributes, (scale.min, scale.max), colours)
        show.chart(bars, "Its score on each attribute against the catalogue's mean", "preview_attributes")
    with right:
        st.subheader("What speaks for it", anchor=False)
        newness = float(found.contributions["everyone"].iloc[-1])
        st.text(f"Being new counts {newness:+.2f} against an average item; its attributes add to that:")
        gains = gain_bars(found.contributions, colours)
        show.chart(gains, f"What each attribute adds. {found.sentence}", "preview_gains")
        st.subheader("Where it would rank", anchor=False)
        n = found.n_items + 1
        st.text(f"Its place is {found.median_rank:,.0f} of {n:,} or better for half of the users; its best is "
                f"{found.ranks.min():,}.")  # fmt: skip
        curve = place_curve(found.ranks, found.k, found.n_items, colours)
        show.chart(curve, f"In the top {found.k} of {found.reach:,} of {len(found.ranks):,} users", "preview_places")
    left, right = show.pair()
    with left:
        st.subheader("What it is near to", anchor=False)
        labels = dict(zip(found.attributes["attribute"], found.attributes["label"], strict=True))
        alt = f"Nearest items by cosine similarity: {', '.join(found.near[c.TITLE].head(3))}"
        show.chart(similarity_bars(found.near, labels, colours.refined, colours), alt, "preview_near")
    with right:
        st.subheader("Whom it would reach", anchor=False)
        _audience(found)
    _tables(found)


def _audience(found: "Preview") -> None:
    """Show the users it ranks highest for; one that is chosen can be opened as a case."""
    if found.reach:
        said = f"It would come into the top {found.k} of {found.reach:,} of {len(found.ranks):,} users."
    else:
        said = f"It would come into nobody's top {found.k}; these users would have it highest."
    st.text(said)
    show.note("Those it ranks highest for. Choose a row to go on.")
    event = st.dataframe(
        found.audience,
        hide_index=True,
        height=320,
        key="preview_audience",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            c.USER: st.column_config.TextColumn("User", width="small"),
            c.RANK: _NUMBER("Place", format="%d", width="small"),
            "lead": _NUMBER("Lead", format="%+.2f", width="small", help="Its score less that of the best other item"),
            "why": st.column_config.TextColumn("What speaks for it", width="large"),
        },
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(found.audience):
        case_link(str(found.audience[c.USER].iloc[rows[0]]), None)


def _tables(found: "Preview") -> None:
    with st.expander("The same as tables", icon=":material/table:"):
        for tab, name in zip(st.tabs(["Nearest", "What speaks for it"]), ("near", "gains"), strict=True):
            with tab:
                if name == "near":
                    near = found.near[[c.RANK, c.ITEM, c.TITLE, c.CATEGORY, "similarity", "why"]]
                    st.dataframe(near, hide_index=True, key="preview_near_table")
                else:
                    gains = found.contributions[["label", "everyone", "reached"]]
                    st.dataframe(gains, hide_index=True, key="preview_gain_table")
