"""Changes to try on all lists before anything is retrained; kept in the address alone."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import show, url
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.app.rules import effect
from guidedrec_core.app.rules import loaders as rule_loaders
from guidedrec_core.app.rules.fields import condition_box, condition_help
from guidedrec_core.errors import InputError
from guidedrec_core.rules.effect_words import coverage_sentence, exposure_sentence, lists_sentence
from guidedrec_core.sandbox.change import Change

if TYPE_CHECKING:
    from guidedrec_core.conditions.terms import Terms
    from guidedrec_core.sandbox.sandbox import Effect

_SCORE, _WEIGHT, _NUMBER, _STOCK = "score", "weight", "number", "stock"
_TARGETS = {
    _SCORE: "Scores of items",
    _WEIGHT: "Weight of an attribute",
    _NUMBER: "Price or another number",
    _STOCK: "Stock",
}
_SIGNS = {"=": "set to", "+": "raise by", "-": "lower by", "*": "multiply by"}
_USUAL = {_SCORE: ("=", 8.0), _WEIGHT: ("*", 1.5), _NUMBER: ("*", 0.9)}
_SAID = "what_if_said"


def what_if(view: View) -> None:
    """Show the changes in the address and what they would do, and let the visitor add more."""
    lead, changes = st.container(), url.ids(url.current().get("change"))
    subjects = rule_loaders.subjects(view.entry.run.id, view.shown)
    with lead:
        if not changes:
            show.lead("What would happen to all lists if scores, weights, prices or stock were different?")
            st.write(
                "Put together a change below: nothing is retrained or saved, and no other page changes. Tastes stay as "
                "they are; items get other scores."
            )
        else:
            _given(changes, subjects.terms)
    k = _builder(view, subjects.terms, changes)
    if changes:
        try:
            made = rule_loaders.effect(view.entry.run.id, view.shown, changes, k)
        except InputError as error:
            complain(error)
        else:
            _effect(view, made)
    condition_help(subjects.terms)


def _given(changes: tuple[str, ...], terms: "Terms") -> None:
    """Mark the page as a what-if, list its changes, and offer to take each back, or all."""
    with st.container(border=True, gap="xsmall", key="what_if"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**:material/science: What if** · not saved, and no other page shows it", width="stretch")
            st.button(
                "Reset",
                icon=":material/restart_alt:",
                key="what_if_reset",
                on_click=url.update,
                kwargs={"change": None},
            )
        for number, text in enumerate(changes):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                rest = tuple(one for place, one in enumerate(changes) if place != number)
                st.button(
                    "", icon=":material/close:", key=f"what_if_without_{number}", type="tertiary",
                    on_click=url.update, kwargs={"change": url.many(rest)}, help="Take this change back",
                )  # fmt: skip
                st.markdown(escaped(_words(text, terms)), width="stretch")


def _words(text: str, terms: "Terms") -> str:
    """Write a change as a sentence; as it was typed where it is not understood."""
    try:
        change = Change.read(text)
    except InputError:
        return text
    where = change.where or "all items"
    known = terms.attribute(change.name)
    name = change.name.replace("_", " ").capitalize()
    if known is not None:
        name = terms.schema.attributes[terms.schema.names.index(known)].label
    if change.target == "stock":
        return f"Out of stock: {where}"
    if change.target == "weight":
        return f"{name} counts {change.value:g} times as much"
    return f"{name}: {_SIGNS[change.sign]} {change.value:g}, for {where}"


def _builder(view: View, terms: "Terms", changes: tuple[str, ...]) -> int:
    """Let the visitor put a change together; return the length of the lists."""
    st.session_state.setdefault("what_if_target", _SCORE)
    targets = [one for one in _TARGETS if one != _NUMBER or terms.numbers]
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        target = st.segmented_control(
            "What changes", targets, format_func=lambda one: escaped(_TARGETS[one]), required=True,
            key="what_if_target", persist_state="session",
        )  # fmt: skip
        k = effect.length()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _amount(str(target), terms)
        if target != _WEIGHT:
            condition_box(
                st.container(width="stretch"), "Which items", "items", terms, "what_if_items",
                "A category, or a condition" if target == _STOCK else "All items",
            )  # fmt: skip
        st.button(
            "Add to the what-if" if changes else "Try it", type="primary", icon=":material/science:", key="what_if_add",
            on_click=_add, args=(view,), width="content",
            disabled=target == _STOCK and not st.session_state.get("what_if_items"),
        )  # fmt: skip
    said = st.session_state.pop(_SAID, None)
    if said is not None:
        complain(said)
    return k


def _amount(target: str, terms: "Terms") -> None:
    """Show what is changed, and how."""
    if target == _STOCK:
        return
    if target == _NUMBER:
        st.selectbox(
            "Which number", list(terms.numbers), format_func=lambda one: one.replace("_", " "), key="what_if_number",
            width=180, persist_state="session",
        )  # fmt: skip
    else:
        labels = {one.name: one.label for one in terms.schema.attributes}
        st.selectbox(
            "Which attribute", list(labels), format_func=lambda one: labels.get(one, one), key="what_if_attribute",
            width=230, persist_state="session",
        )  # fmt: skip
    sign, usual = _USUAL[target]
    if target != _WEIGHT:
        st.session_state.setdefault(f"what_if_sign_{target}", sign)
        sign = st.selectbox(
            "How", list(_SIGNS), format_func=_SIGNS.__getitem__, key=f"what_if_sign_{target}", width=130,
            persist_state="session",
        )  # fmt: skip
    key, scale = f"what_if_value_{target}_{sign}", terms.schema.scale
    on_scale = target == _SCORE and sign == "="
    st.session_state.setdefault(key, min(usual, scale.max) if on_scale else usual)
    st.number_input(
        "Times as much" if target == _WEIGHT else "Value" if sign == "=" else "By how much",
        min_value=float(scale.min) if on_scale else 0.0,
        max_value=float(scale.max) if on_scale else None,
        step=0.1 if sign == "*" else 1.0,
        format="%.2f",
        key=key,
        width=130,
        persist_state="session",
    )


def _typed() -> str:
    """Write the change that was put together; a button's arguments would be those of the last time it was drawn."""
    state = st.session_state
    target, items = str(state["what_if_target"]), state.get("what_if_items")
    where = f" where {items}" if items else ""
    if target == _STOCK:
        return f"stock=0{where}"
    name = str(state["what_if_number" if target == _NUMBER else "what_if_attribute"])
    sign = _USUAL[target][0] if target == _WEIGHT else str(state[f"what_if_sign_{target}"])
    value = float(state[f"what_if_value_{target}_{sign}"])
    return f"weight {name}*{value:g}" if target == _WEIGHT else f"{name}{sign}{value:g}{where}"


def _add(view: View) -> None:
    """Put a change into the address, if it can be made."""
    try:
        changes = (*url.ids(url.current().get("change")), _typed())
        rule_loaders.effect(view.entry.run.id, view.shown, changes, 10)
    except InputError as error:
        st.session_state[_SAID] = error
        return
    url.update(change=url.many(changes))


def _effect(view: View, made: "Effect") -> None:
    """Say who would gain and lose, with the charts and the table."""
    said = lists_sentence(made, view.verb, "This")
    show.lead(said)
    more = f"{exposure_sentence(made)} {coverage_sentence(made)} Scores of {made.items_changed:,} items change."
    st.write(escaped(more))
    if made.estimated:
        show.note(
            "The effect of the changed number is an estimate: this model knows it only as far as its scores have a "
            "name."
        )
    effect.exposure(view, made, said, "Items and cases open as they are now: a what-if is shown on this page alone.")
    show.note(
        f"Ranked again in {made.seconds:.2f} s. Rules that are on are left out here; what a changed item would teach "
        "the model about those who have it is not."
    )
