"""A tour of three pages, with a note at the top of each that says what to look at."""

from dataclasses import dataclass

import streamlit as st

from guidedrec_core.app import show, url
from guidedrec_core.app.errors import escaped
from guidedrec_core.data.verbs import InteractionVerb


@dataclass(frozen=True)
class Stop:
    """A page of the tour.

    Attributes
    ----------
    page, path : str
        As in `url.OWN`, and its file.
    question : str
        What the page answers; the title of its note.
    look : str
        What to look at, with ``{user}``, ``{nouns}`` and ``{participle}`` for the data set's words.
    """

    page: str
    path: str
    question: str
    look: str


STOPS = (
    Stop(
        url.CASE,
        "pages/1_Case_study.py",
        "Why is this recommended to this user?",
        "The sentence below the two lists says what speaks for an item, largest part first; the bars show it. "
        "Click a title in a list to ask about another item. The bar of questions goes on from there: past {nouns}, "
        "what would change it, why something is missing, and a list steered by hand.",
    ),
    Stop(
        "Audience",
        "pages/6_Audience.py",
        "Who gets this, and should they?",
        "Choose a category, an item or a condition. You see how many lists show such items, base against refined, and "
        "how many of those who get them have ever {participle} one. Every {user} in the table opens as a case.",
    ),
    Stop(
        url.EVALUATION,
        "pages/4_Evaluation.py",
        "Is it really better, and for whom?",
        "The first sentence is the verdict. The gain counts only as far as it is larger than what shuffled scores and "
        "a second training bring, so both stand beside it, with 95 % intervals.",
    ),
)
"""The stops, in order."""


def offer() -> None:
    """Offer the tour, by a link to its first stop."""
    st.page_link(
        STOPS[0].path,
        label="Take the tour: three stops, two minutes",
        icon=":material/tour:",
        query_params=url.link(STOPS[0].page, tour="1"),
    )


def note(page: str, verb: InteractionVerb) -> None:
    """Show the note of a stop while the tour is on; nothing on pages that it leaves out.

    Parameters
    ----------
    page : str
        The page drawn; see `Stop.page`.
    verb : InteractionVerb
        The data set's words.
    """
    place = next((place for place, stop in enumerate(STOPS) if stop.page == page), None)
    if place is None or not url.current().get("tour"):
        return
    stop = STOPS[place]
    with st.container(border=True, key="tour"):
        st.markdown(f"**{escaped(f'Stop {place + 1} of {len(STOPS)}: {stop.question}')}**")
        show.note(stop.look.format(user=verb.user, nouns=verb.nouns, participle=verb.participle))
        with st.container(horizontal=True, vertical_alignment="center"):
            if place + 1 < len(STOPS):
                following = STOPS[place + 1]
                st.page_link(
                    following.path,
                    label=escaped(f"Next: {following.question}"),
                    icon=":material/arrow_forward:",
                    query_params=url.link(following.page, tour="1"),
                )
            st.button(
                "End the tour" if place + 1 < len(STOPS) else "Done",
                type="tertiary",
                on_click=url.update,
                kwargs={"tour": None},
                key="end_tour",
            )
