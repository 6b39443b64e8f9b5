"""Which rules the Case study applies, and the note that says so, with the way to look without them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import loaders, show, url
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.cases.key import CaseKey
from guidedrec_core.database.place import anything_stored
from guidedrec_core.errors import InputError

if TYPE_CHECKING:
    from guidedrec_core.rules.rule import RuleSet

_OFF, _TOGGLE = "off", "with_rules"


@dataclass(frozen=True)
class Applied:
    """The rules that are on, and whether they are applied.

    Attributes
    ----------
    names : tuple of str
        The rules that are on.
    key : CaseKey
        The case to show: with these rules, or without them where the visitor wants that or they do not fit the run.
    problem : InputError or None
        Why they do not fit.
    """

    names: tuple[str, ...]
    key: CaseKey
    problem: InputError | None = None


def rules_on(view: View) -> "RuleSet | None":
    """Return the rules of the view's data set that are on; None where none is."""
    if not anything_stored(view.store.home):
        return None
    from guidedrec_core.rules.rule import RuleSet
    from guidedrec_core.rules.store import RuleStore

    on = RuleStore(view.store.home, view.dataset).rule_set().on
    return RuleSet(rules=on) if on else None


def apply_rules(view: View, key: CaseKey) -> Applied:
    """Return the case with the rules that are on, unless the address says to look without them."""
    rules = rules_on(view)
    if rules is None:
        return Applied((), key)
    if url.current().get("rules") == _OFF:
        return Applied(rules.names, key)
    with_rules = replace(key, rules=rules.to_json())
    try:
        loaders.system(with_rules.run_id, with_rules.shown, with_rules.rules)
    except InputError as error:
        return Applied(rules.names, key, error)
    return Applied(rules.names, with_rules)


def rules_note(applied: Applied) -> None:
    """Say which rules are on, with a switch to look without them; nothing where none is."""
    if not applied.names:
        return
    if applied.problem is not None:
        complain(applied.problem)
        show.note("The lists below are shown without rules. Change the rule, or switch it off, on the page Rules.")
        return
    from guidedrec_core.rules.words import RULED, on_sentence

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="rules_note"):
        said = on_sentence(applied.names)
        used = bool(applied.key.rules)
        text = f"{said} {RULED} marks their items." if used else f"{said} The lists are shown without."
        st.markdown(f":material/rule: {escaped(text)}", width="content")
        url.follow(_TOGGLE, used)
        st.toggle("With rules", key=_TOGGLE, on_change=_switch, help="Off: the model alone. Changes nothing else.")


def _switch() -> None:
    url.update(rules=None if st.session_state[_TOGGLE] else _OFF)
