"""Part of steering: scenarios with a name, saved for the run."""

from collections.abc import Callable

import streamlit as st

from guidedrec_core.app import author, loaders, show
from guidedrec_core.app.errors import complain
from guidedrec_core.app.page import View
from guidedrec_core.cases.what_ifs import UNNAMED, WhatIf, WhatIfStore
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.explanation.steering.steer import Steering

_SAID = "steer_kept_said"


def kept(view: View, user_id: str, steering: Steering, active: bool, begin: Callable[..., None]) -> None:
    """Offer to save the steering, and to open or delete one that was saved for this user.

    Parameters
    ----------
    view : View
        The run under study.
    user_id : str
        The user.
    steering : Steering
        The current state of the widgets.
    active : bool
        Whether it changes anything.
    begin : callable
        Sets the widgets: ``pulls``, ``removed``, ``added``.
    """
    store = WhatIfStore(view.store.home, view.entry.run.id)
    found = store.list()
    own = {one.name: one for one in found.what_ifs if one.user_id == user_id}
    with st.expander(f"Saved scenarios ({len(own)})", icon=":material/bookmark:", expanded=bool(own) and not active):
        save, choose = show.pair()
        name = save.text_input(
            "Name", key="steer_name", persist_state="session", max_chars=80, placeholder="e.g. warmer, for winter"
        )
        save.button(
            "Save this scenario", key="steer_keep", icon=":material/bookmark_add:",
            disabled=not (active and name.strip()), on_click=_keep, args=(view, store, name, user_id, steering),
        )  # fmt: skip
        if own:
            chosen = choose.selectbox(f"Saved for this {view.verb.user}", list(own), key="steer_kept")
            choose.button("Open", key="steer_open", on_click=_open, args=(view, store, user_id, chosen, begin))
            choose.button("Delete", key="steer_delete", on_click=_delete, args=(store, user_id, chosen))
        for problem in found.problems:
            show.note(f"Skipped: {problem}.")
    said = st.session_state.pop(_SAID, None)
    if isinstance(said, GuidedrecError):
        complain(said)
    elif said:
        show.note(said)


def _keep(view: View, store: WhatIfStore, name: str, user_id: str, steering: Steering) -> None:
    system = loaders.system(view.entry.run.id)
    try:
        what_if = WhatIf.of(name, user_id, steering, system.steerable, system.data.dataset.items)
        store.save(what_if, _author())
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    st.session_state[_SAID] = "Saved."


def _open(view: View, store: WhatIfStore, user_id: str, name: str, begin: Callable[..., None]) -> None:
    system = loaders.system(view.entry.run.id)
    items = system.data.dataset.items
    try:
        steering, gone = store.load(user_id, name).steering(system.steerable, items)
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    begin(
        pulls=dict(zip(system.steerable.names, steering.pulls, strict=True)),
        removed=tuple(items.id(item) for item in steering.removed),
        added=tuple(items.id(item) for item in steering.added),
    )
    if gone:
        st.session_state[_SAID] = f"Opened without parts that no longer exist: {', '.join(gone)}."


def _author() -> str:
    """Return the name that the visitor has given elsewhere in the app."""
    return author.name() or UNNAMED


def _delete(store: WhatIfStore, user_id: str, name: str) -> None:
    try:
        store.delete(user_id, name, _author())
    except GuidedrecError as error:
        st.session_state[_SAID] = error
