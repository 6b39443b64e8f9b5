"""The form for a rule: new, or changed. What is typed is kept until it is saved or thrown away."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from guidedrec_core.app import author, show, url
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.app.rules import loaders as rule_loaders
from guidedrec_core.app.rules.fields import condition_box, condition_help
from guidedrec_core.conditions.terms import Terms
from guidedrec_core.errors import ConflictError, GuidedrecError, InputError
from guidedrec_core.ranking.adjustments import Kind
from guidedrec_core.rules.rule import Rule
from guidedrec_core.rules.store import RuleStore, StoredRule
from guidedrec_core.rules.words import KIND_LABELS, condition_words

Act = Callable[[str, str], Any]
NEW = "+"
"""Value of ``edit`` in the address for a rule that does not exist yet; no rule has this name."""
_SEEN, _SAID, _FILL = "rule_edit_seen", "rule_edit_said", "rule_edit_fill"
_FIELDS = {
    "name": "", "kind": "boost", "items": None, "users": None, "strength": 2.0, "place": 1, "count": 1, "column": None,
    "note": "",
}  # fmt: skip
_SETTINGS: dict[Kind, tuple[str, ...]] = {
    "boost": ("strength",), "bury": ("strength",), "pin": ("place", "count"), "out_of_stock": (),
    "margin": ("column", "strength"),
}  # fmt: skip
_STRENGTH = "How many times as likely, next to any other item; the score changes by the logarithm of this number."


def begin(stored: StoredRule | None = None) -> None:
    """Open the form, for a new rule or a stored one; a widget's callback."""
    st.session_state[_FILL] = True
    st.session_state[_SEEN] = stored
    url.update(edit=NEW if stored is None else stored.rule.name)


def edit(view: View, store: RuleStore, stored: StoredRule | None) -> None:
    """Show the form, how much the rule concerns, and what is wrong with it."""
    terms = rule_loaders.subjects(view.entry.run.id, view.shown).terms
    _fill(stored, terms)
    seen: StoredRule | None = st.session_state.get(_SEEN)
    heading = "A new rule" if seen is None else f"Change “{seen.rule.name}”"
    st.subheader(escaped(heading), anchor=False)
    _fields(view, terms)
    sound = False
    try:
        rule = _typed()
        if rule is None:
            show.note("Choose items, and give the rule a name.")
        else:
            items, users = rule_loaders.concerned(view.entry.run.id, view.shown, rule)
            show.note(f"Concerns {items:,} of {len(terms.items):,} items and {view.verb.count_users(users)}.")
            sound = True
    except InputError as error:
        complain(error)
    st.session_state.setdefault("rule_who", author.name())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("Your name", key="rule_who", max_chars=80, width=180)
        st.button(
            "Save, off for now" if seen is None else "Save", type="primary", icon=":material/save:", key="save_rule",
            on_click=_save, args=(view, store), disabled=not sound,
            help="Its effect on all lists is shown next; it changes nothing before it is switched on.",
        )  # fmt: skip
        st.button("Cancel", key="cancel_rule", on_click=url.update, kwargs={"edit": None})
    said = st.session_state.pop(_SAID, None)
    if said is not None:
        complain(said)
    condition_help(terms)


def _fill(stored: StoredRule | None, terms: Terms) -> None:
    """Fill the fields when the form opens; from then on they hold what the visitor typed."""
    known: StoredRule | None = st.session_state.get(_SEEN)
    other = (None if known is None else known.id) != (None if stored is None else stored.id)
    if not st.session_state.pop(_FILL, False) and not other and "rule_field_name" in st.session_state:
        return
    if other:
        st.session_state[_SEEN] = stored
    values = dict(_FIELDS)
    if stored is not None:
        rule = stored.rule
        values |= {name: value for name in _FIELDS if (value := getattr(rule, name)) is not None}
        values["items"] = condition_words(rule.items, terms)
        values["users"] = None if rule.users is None else condition_words(rule.users, terms)
    for name, value in values.items():
        st.session_state[f"rule_field_{name}"] = value


def _fields(view: View, terms: Terms) -> None:
    """Show the fields."""
    kinds = [kind for kind in KIND_LABELS if kind != "margin" or terms.numbers]
    chosen = st.segmented_control(
        "What it does", kinds, format_func=lambda one: escaped(KIND_LABELS[one]), required=True,
        key="rule_field_kind", persist_state="session",
    )  # fmt: skip
    kind: Kind = chosen or "boost"
    left, right = st.columns(2)
    condition_box(left, "Which items", "items", terms, "rule_field_items", "A category, or a condition")
    condition_box(right, "For whom", "users", terms, "rule_field_users", f"All {view.verb.users}")
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for name in _SETTINGS[kind]:
            _setting(name, kind, terms)
        st.text_input(
            "Name", key="rule_field_name", max_chars=100, placeholder="Winter jackets", persist_state="session",
            help="The name of its line in every explanation.", width=260,
        )  # fmt: skip
        st.text_input("Why (optional)", key="rule_field_note", max_chars=500, persist_state="session", width="stretch")


def _typed() -> Rule | None:
    """Return the rule that the fields make; None while something is missing.

    Read from the session, also when it is saved: a button's arguments are those of the last time it was drawn.

    Raises
    ------
    ConfigError
        The fields make no rule.
    """
    values = {name: st.session_state.get(f"rule_field_{name}") for name in _FIELDS}
    name = str(values["name"] or "").strip()
    if not values["items"] or not name:
        return None
    kept = ("kind", "items", "users", "note", *_SETTINGS[values["kind"] or "boost"])
    given = {key: values[key] for key in kept if values[key] not in (None, "")}
    return Rule.parse({**given, "name": name, "on": False})


def _setting(name: str, kind: Kind, terms: Terms) -> None:
    """Show one setting of a kind of rule."""
    key = f"rule_field_{name}"
    if name == "strength":
        st.number_input(
            "Times less likely" if kind == "bury" else "Times as likely", min_value=1.1, max_value=1000.0, step=0.5,
            format="%.1f", key=key, help=_STRENGTH, width=150, persist_state="session",
        )  # fmt: skip
    elif name == "column":
        columns = list(terms.numbers)
        if st.session_state.get(key) not in columns:
            st.session_state[key] = "margin" if "margin" in columns else columns[0]
        st.selectbox(
            "Which number", columns, format_func=lambda one: one.replace("_", " "), key=key, width=180,
            persist_state="session",
        )  # fmt: skip
    else:
        label = "To which place" if name == "place" else "How many items"
        st.number_input(label, min_value=1, max_value=100, step=1, key=key, width=150, persist_state="session")


def _save(view: View, store: RuleStore) -> None:
    """Store the rule and show its effect, or say why not and keep what was typed."""
    who = str(st.session_state.get("rule_who") or "")
    seen: StoredRule | None = st.session_state.get(_SEEN)
    try:
        rule = _typed()
        if rule is None:
            return
        rule_loaders.concerned(view.entry.run.id, view.shown, rule)
        made = store.add(rule, who) if seen is None else store.change(seen, rule, who)
    except ConflictError as error:
        # The visitor now knows of the other change; what was typed stays, and saving it again is on purpose.
        now = next((one for one in store.list() if seen is not None and one.id == seen.id), None)
        st.session_state[_SEEN], st.session_state[_SAID] = now, error
        url.update(edit=NEW if now is None else now.rule.name)
        return
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    author.remember(who)
    url.update(edit=None, rule=made.rule.name)
