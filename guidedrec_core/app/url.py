"""The state of the app in the URL: data set, run, user, item and part of the history, kept across pages."""

from collections.abc import Mapping

import streamlit as st

NAMES = ("dataset", "run", "user", "item", "history")
_KEY = "guidedrec_place"


def read() -> dict[str, str]:
    """Return the state, as far as it is known.

    A URL with any of the names is complete: what it leaves out is not filled in from an earlier page. A URL without any
    of them, as in the menu, keeps the state.

    Returns
    -------
    dict of str to str
        A subset of `NAMES`; values are unchecked, they may name what no longer exists.
    """
    given = {name: st.query_params[name] for name in NAMES if st.query_params.get(name)}
    if given:
        st.session_state[_KEY] = given
    return dict(st.session_state.get(_KEY, {}))


def write(place: Mapping[str, str | None]) -> None:
    """Set the state, in the URL and for the other pages; None and "" leave a name out."""
    kept = {name: str(place[name]) for name in NAMES if place.get(name)}
    st.session_state[_KEY] = kept
    for name in NAMES:
        if name not in kept:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != kept[name]:
            st.query_params[name] = kept[name]


def update(**changes: str | None) -> None:
    """Change some names and keep the others; usable as a widget's callback.

    Another data set clears the run, the user and the item, and another user the item and the part of the history,
    unless they are given too.
    """
    place: dict[str, str | None] = {**read()}
    if "dataset" in changes and changes["dataset"] != place.get("dataset"):
        place.update(run=None, user=None, item=None, history=None)
    if "user" in changes and changes["user"] != place.get("user"):
        place.update(item=None, history=None)
    write({**place, **changes})


def link(**changes: str | None) -> dict[str, str]:
    """Return the query parameters of another state, for `st.page_link` and `st.switch_page`."""
    place: dict[str, str | None] = {**read(), **changes}
    return {name: str(place[name]) for name in NAMES if place.get(name)}
