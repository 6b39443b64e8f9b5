"""Section of the Case study: why this item, in plain words for a reader; a language model may choose what is said."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import show, url
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.case_study.language_model import ask, choose_model
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.cases.key import CaseKey
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.rationale.choice import claims_of, default_rationale
from guidedrec_core.rationale.claims import DEFAULT_READER, READERS, Reader

if TYPE_CHECKING:
    from guidedrec_core.rationale.choice import Rationale
    from guidedrec_core.rationale.facts import Facts

_CHOSEN, _READER, _NEXT_READER = "rationale_chosen", "rationale_reader", "rationale_next_reader"
_READER_HELP = (
    "The same statements in other words. Merchandiser: reasons and their size. Stakeholder: reasons without numbers. "
    "Analyst: all numbers, in technical terms."
)


def in_plain_words(view: View, case: Case) -> None:
    """Show the rationale of the item under study."""
    selected = case.selected
    if selected is None:
        return
    if selected.seen:
        show.lead(selected.sentence)
        return
    facts = case_loaders.facts(case.key)
    reader = _reader()
    chosen = st.session_state.get(_CHOSEN)
    if chosen is not None and chosen[0] == case.key:
        _, rationale, model = chosen
        rationale = rationale.to(reader)
        st.markdown(escaped(rationale.text))
        _how_chosen(rationale, model)
    else:
        rationale = default_rationale(facts, reader)
        st.markdown(escaped(rationale.text))
        show.note("Written from the exact parts of the score, largest first, without a language model.")
    _left_out(facts, rationale)
    _write_with_ai(case.key, facts, reader)


def _reader() -> Reader:
    """Let the visitor choose the reader; a language model's choice stays until the visitor changes it."""
    if _NEXT_READER in st.session_state:
        url.update(reader=st.session_state.pop(_NEXT_READER))
    asked = url.current().get("reader")
    url.follow(_READER, asked if asked in READERS else DEFAULT_READER)
    named = st.segmented_control(
        "Reader",
        READERS,
        format_func=str.capitalize,
        required=True,
        key=_READER,
        on_change=url.keep,
        args=("reader", _READER),
        help=_READER_HELP,
    )
    return named or DEFAULT_READER


def _how_chosen(rationale: "Rationale", model: str) -> None:
    """Say what the language model did, and offer the default choice."""
    if rationale.by_model:
        show.note(
            f"{model} chose these statements and their order; the sentences are written from the exact parts of the "
            "score."
        )
    if rationale.notices:
        show.note(" ".join(rationale.notices))
    st.button("Back to the default", key="rationale_back", on_click=st.session_state.pop, args=(_CHOSEN, None))


def _left_out(facts: "Facts", rationale: "Rationale") -> None:
    """Offer the statements that are not in the text, so that no choice hides what works against it."""
    shown = {claim.id for claim in rationale.claims}
    others = [claim for claim in claims_of(facts) if claim.id not in shown]
    if not others:
        return
    label = "1 more statement" if len(others) == 1 else f"{len(others)} more statements"
    with st.expander(f"{label}, not in the text", icon=":material/list:"):
        st.markdown("\n".join(f"- {escaped(claim.sentence(rationale.reader))}" for claim in others))


def _write_with_ai(key: CaseKey, facts: "Facts", reader: Reader) -> None:
    """Let a language model choose the statements."""
    with st.expander("Write with AI", icon=":material/edit_note:"):
        model, base_url = choose_model("rationale")
        show.note(
            "The model receives the statements about this case with their numbers, without titles or descriptions. It "
            "chooses which ones to show and in what order; it cannot add or change any."
        )
        free = st.checkbox("Let the model choose the reader, too", key="rationale_free_reader")
        if st.button("Write with AI", key="rationale_ask", disabled=not model, icon=":material/edit_note:"):
            _ask(key, facts, model, base_url, None if free else reader)


def _ask(key: CaseKey, facts: "Facts", model: str, base_url: str | None, reader: Reader | None) -> None:
    """Let the model choose, and keep its choice for this browser session."""
    from guidedrec_core.rationale.llm import choose_claims

    try:
        with st.spinner(f"Asking {escaped(model)}"):
            rationale = ask(base_url, lambda client: choose_claims(client, model, facts, reader))
    except GuidedrecError as error:
        complain(error)
        return
    st.session_state[_CHOSEN] = (key, rationale, model)
    st.session_state[_NEXT_READER] = rationale.reader
    st.rerun()
