"""Section of the Case study: why this item, in plain words; by a template, or by a language model that is checked."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import show
from guidedrec_core.app.case_study import steering_loaders
from guidedrec_core.app.case_study.language_model import ask, choose_model
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.cases.key import CaseKey
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.rationale.facts import template_rationale

if TYPE_CHECKING:
    from guidedrec_core.rationale.claims import Rationale
    from guidedrec_core.rationale.facts import Facts

_WRITTEN = "rationale_written"


def in_plain_words(view: View, case: Case) -> None:
    """Show the rationale of the item under study."""
    selected = case.selected
    if selected is None:
        return
    if selected.seen:
        show.lead(selected.sentence)
        return
    facts = steering_loaders.facts(case.key)
    about = case.key
    written = st.session_state.get(_WRITTEN)
    if written is not None and written[0] == about:
        _written(written[1], written[2])
    else:
        st.markdown(escaped(template_rationale(facts)))
        show.note("Written by a template from the exact parts of the score, without a language model.")
    with st.expander("Let a model write it", icon=":material/edit_note:"):
        model, base_url = choose_model("rationale")
        show.note(
            "The model gets the numbers of this case and the titles of its items, no descriptions. Every statement is "
            "computed again before it is shown."
        )
        if st.button("Let a model write it", key="rationale_ask", disabled=not model, icon=":material/edit_note:"):
            _ask(about, facts, model, base_url)


def _ask(about: CaseKey, facts: "Facts", model: str, base_url: str | None) -> None:
    """Ask the model, and keep what it wrote for this session."""
    from guidedrec_core.rationale.llm import ask_for_rationale

    try:
        with st.spinner(f"Asking {escaped(model)}"):
            result = ask(base_url, lambda client: ask_for_rationale(client, model, facts))
    except GuidedrecError as error:
        complain(error)
        return
    st.session_state[_WRITTEN] = (about, result, model)
    st.rerun()


def _written(rationale: "Rationale", model: str) -> None:
    """Show a model's rationale with what became of its claims."""
    st.markdown(escaped(rationale.text))
    kept, struck = len(rationale.kept), len(rationale.struck)
    ours = sum(bool(one.reworded) for one in rationale.kept)
    said = f"Written by {model}; each statement was computed again: {kept} held"
    said += f" ({ours} of them in our words)" if ours else ""
    show.note(f"{said}, {struck} struck out.")
    if struck or ours:
        with st.expander("What was struck out or reworded", icon=":material/rule:"):
            for one in rationale.struck:
                st.markdown(f"- ~~{escaped(one.claim.sentence[:300])}~~ {escaped(f'struck because {one.reason}')}")
            for each in rationale.kept:
                if each.reworded:
                    st.markdown(
                        f"- {escaped(each.claim.sentence[:300])} {escaped(f'reworded because {each.reworded}')}"
                    )
    st.button("Back to the template", key="rationale_back", on_click=st.session_state.pop, args=(_WRITTEN, None))
