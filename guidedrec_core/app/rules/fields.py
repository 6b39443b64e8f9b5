"""Boxes for conditions: chosen from suggestions, or typed."""

from typing import TYPE_CHECKING, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from guidedrec_core.app.errors import escaped
from guidedrec_core.conditions.reading import OUTCOME_WORDS, grammar, suggestions
from guidedrec_core.conditions.terms import plain

if TYPE_CHECKING:
    from guidedrec_core.conditions.terms import Terms

_ON_LISTS = ("shown ", "segment ")


def condition_box(
    place: DeltaGenerator, label: str, about: Literal["items", "users"], terms: "Terms", key: str, everything: str
) -> str | None:
    """Show a box for a condition; what was typed stays among the choices.

    Parameters
    ----------
    place : DeltaGenerator
        Where.
    label : str
        What it chooses; shown as it is.
    about : {"items", "users"}
        What the condition is about.
    terms : Terms
        The words of the data set.
    key : str
        Of the widget; holds the text.
    everything : str
        What an empty box says.

    Returns
    -------
    str or None
        The condition as text; None for an empty box.
    """
    choices = [text for text in suggestions(about, terms) if about == "items" or not _on_lists(text)]
    typed = st.session_state.setdefault(key, None)
    if typed is not None and typed not in choices:
        choices = [str(typed), *choices]
    example = next(iter(choices), "")
    more = "price over 100" if about == "items" else f"at least 10 {terms.verb.nouns}"
    return place.selectbox(
        escaped(label),
        choices,
        index=None,
        key=key,
        accept_new_options=True,
        placeholder=everything,
        persist_state="session",
        help=escaped(f"Choose one, or type a condition and press Enter, e.g. “{example} and {more}”."),
    )


def condition_help(terms: "Terms") -> None:
    """Show how conditions are written, in the words of the data set, folded away."""
    with st.expander("How to write conditions", icon=":material/code:"):
        for about, found in grammar(terms).items():
            possible = [text for text in found if about == "items" or not _on_lists(text)]
            st.markdown(f"**{'Items' if about == 'items' else escaped(terms.verb.users.capitalize())}**")
            st.write(escaped(" · ".join(possible)))
        st.write("Join them with “and”, “or”, “not” and brackets; put names that hold commas in quotation marks.")


def _on_lists(text: str) -> bool:
    """Tell whether a condition speaks of lists or segments, on which neither rules nor changes can depend."""
    return plain(text).startswith(_ON_LISTS) or plain(text) in OUTCOME_WORDS
