"""Part of steering: a wish in words becomes a proposal, which is shown before it is applied."""

from collections.abc import Callable

import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.case_study.language_model import ask, choose_model
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.explanation.steering.wish import LONGEST_WISH, Proposal, proposal_sentence, read_wish

_READ = "steer_wish_read"


def wish(view: View, apply: Callable[[dict[str, float]], None]) -> None:
    """Show a field for a wish in words, and how it was understood.

    Parameters
    ----------
    view : View
        The run under study.
    apply : callable
        Sets the sliders; called when the visitor agrees.
    """
    schema = loaders.system(view.entry.run.id).steerable
    text = st.text_input(
        "Say it in words",
        key="steer_wish",
        persist_state="session",
        max_chars=LONGEST_WISH,
        icon=":material/chat:",
        placeholder=f"e.g. more {schema.attributes[0].label.lower()}, less {schema.attributes[-1].label.lower()}",
        help="Understood from the attributes' names and the meaning of both ends; AI understands more",
    )
    if not text.strip():
        return
    by_model = st.session_state.get(_READ)
    if by_model is not None and by_model[0] == (view.entry.run.id, text):
        _propose(by_model[1], schema, apply, "Understood by AI")
        return
    try:
        _propose(read_wish(text, schema), schema, apply, "Understood")
    except GuidedrecError as error:
        complain(error)
        return
    with st.expander("Read with AI", icon=":material/edit_note:"):
        model, base_url = choose_model("wish")
        if st.button("Read with AI", key="steer_wish_ask", disabled=not model):
            _ask(view, text, schema, model, base_url)


def _propose(proposal: Proposal, schema: AttributeSchema, apply: Callable[[dict[str, float]], None], how: str) -> None:
    """Show a proposal with a button that applies it."""
    st.markdown(f"**{escaped(how)}:** {escaped(proposal_sentence(proposal, schema))}")
    if proposal.pulls:
        st.button("Apply", type="primary", key="steer_apply", on_click=_apply, args=(proposal.pulls, apply))
        show.note("Nothing changes until you apply it.")


def _apply(pulls: dict[str, float], apply: Callable[[dict[str, float]], None]) -> None:
    """Set the sliders and clear the text."""
    apply(pulls)
    st.session_state["steer_wish"] = ""


def _ask(view: View, text: str, schema: AttributeSchema, model: str, base_url: str | None) -> None:
    from guidedrec_core.explanation.steering.llm import ask_for_pulls

    try:
        with st.spinner(f"Asking {escaped(model)}"):
            proposal = ask(base_url, lambda client: ask_for_pulls(client, model, text, schema))
    except GuidedrecError as error:
        complain(error)
        return
    st.session_state[_READ] = ((view.entry.run.id, text), proposal)
    st.rerun()
