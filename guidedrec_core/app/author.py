"""The visitor's name, given once a session and remembered wherever something is written."""

import streamlit as st

_NAME = "author_name"


def name() -> str:
    """Return the name that the visitor has given; empty before."""
    return str(st.session_state.get(_NAME, ""))


def remember(who: str) -> None:
    """Remember the name under which something was written."""
    st.session_state[_NAME] = " ".join(who.split())
