"""The rules of a data set: a table, and of the chosen rule what it does, whether it is on, and who wrote it."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import author, show, url
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.app.rules import editor, effect
from guidedrec_core.app.rules import loaders as rule_loaders
from guidedrec_core.errors import ConflictError, GuidedrecError, InputError
from guidedrec_core.rules.effect_words import coverage_sentence, exposure_sentence, lists_sentence, quality_sentence
from guidedrec_core.rules.rule import Rule, RuleSet
from guidedrec_core.rules.store import RuleStore, StoredRule, change_words
from guidedrec_core.rules.words import condition_words, effect_words, on_sentence

_SEEN, _SAID = "rule_seen", "rule_said"
_ROW, _HEADER = 35, 38


def rules(view: View) -> None:
    """Show the rules, and the one that the address names, or the form for a new one."""
    store = RuleStore(view.store.home, view.dataset)
    found = store.list()
    place = url.current()
    lead = st.container()
    if place.get("edit"):
        with lead:
            show.lead(_sentence(found))
        editor.edit(view, store, next((one for one in found if one.rule.name == place["edit"]), None))
        return
    with lead:
        show.lead(_sentence(found))
    with view.actions:
        st.button(
            "New rule", icon=":material/add:", type="primary" if not found else "secondary", key="new_rule",
            on_click=editor.begin, width="content",
        )  # fmt: skip
    _said()
    if not found:
        st.write(
            "A rule makes some items more or less likely, lifts them to a place, or takes them out of all lists. It is "
            "a named part of every score, its effect is shown before it is switched on, and everybody sees who made it."
        )
        return
    names = [one.rule.name for one in found]
    chosen = found[names.index(place["rule"])] if place.get("rule") in names else found[0]
    _table(view, found, chosen)
    if any(one.rule.on for one in found):
        show.note(
            "Rules that are on are part of the Case study, of its reports, and of recommendations and explanations by "
            "command. Audience, Items and Evaluation are about the model alone."
        )
    _one(view, store, found, chosen)


def _sentence(found: tuple[StoredRule, ...]) -> str:
    """Say what is on and what is off."""
    on = tuple(one.rule.name for one in found if one.rule.on)
    off = len(found) - len(on)
    if not found:
        return "There is no rule yet: lists are what the model makes of them."
    return on_sentence(on) + (f" {off} {'is' if off == 1 else 'are'} off." if off else "")


def _table(view: View, found: tuple[StoredRule, ...], chosen: StoredRule) -> None:
    """Show all rules; choosing a row puts it into the address."""
    terms = rule_loaders.subjects(view.entry.run.id, view.shown).terms
    everybody = f"all {view.verb.users}"
    rows = [
        (
            "On" if one.rule.on else "Off",
            one.rule.name,
            f"{condition_words(one.rule.items, terms)}: {effect_words(one.rule)}",
            condition_words(one.rule.users, terms, everybody),
            one.written.changed_by,
            one.written.changed_at,
        )
        for one in found
    ]
    frame = pd.DataFrame(rows, columns=["state", "rule", "does", "users", "who", "when"])
    text = st.column_config.TextColumn
    key = f"rules_table_{chosen.id}"

    def choose() -> None:
        selected = st.session_state[key]["selection"]["rows"]
        if selected:
            url.update(rule=found[selected[0]].rule.name)

    show.table(
        frame,
        hide_index=True,
        height=_HEADER + _ROW * min(len(frame), 8),
        key=key,
        alt="All rules of this data set",
        on_select=choose,
        selection_mode="single-row",
        selection_default={"selection": {"rows": [found.index(chosen)]}},
        column_config={
            "state": text("State", width=56),
            "rule": text("Rule", width=170),
            "does": text("What it does", width=340),
            "users": text("For whom", width=160),
            "who": text("Changed by", width=90),
            "when": st.column_config.DatetimeColumn("When (UTC)", format="D MMM YYYY, HH:mm", width=130),
        },
    )


def _one(view: View, store: RuleStore, found: tuple[StoredRule, ...], chosen: StoredRule) -> None:
    """Show one rule: what it does to all lists, its switch, and its history."""
    rule = chosen.rule
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width="stretch", gap="xsmall"):
            st.subheader(escaped(f"“{rule.name}” is {'on' if rule.on else 'off'}"), anchor=False)
            show.note(rule.note or "Nobody has written down why there is this rule.")
        k = effect.length()
    _actions(store, chosen)
    try:
        made = rule_loaders.preview(view.entry.run.id, view.shown, _plain(found).to_json(), rule.name, k)
    except InputError as error:
        complain(error)
        show.note("The rule does not fit this run. Change it, switch it off, or choose another run.")
    else:
        others = tuple(one.rule.name for one in found if one.rule.on and one.id != chosen.id)
        start = "The rule" if rule.on else "Switched on, the rule"
        if others:
            count = "the other one" if len(others) == 1 else f"the {len(others)} others"
            start = f"Next to {count}, the rule" if rule.on else f"Switched on next to {count}, the rule"
        said = lists_sentence(made, view.verb, start, would=not rule.on)
        show.lead(said)
        row = made.rules.iloc[0]
        st.write(
            escaped(
                f"It concerns {row['items']:,} of {len(view_items(view)):,} items and {row['users']:,} of "
                f"{made.users:,} {view.verb.users}. {exposure_sentence(made, would=not rule.on)} "
                f"{coverage_sentence(made)}"
            )
        )
        show.note(quality_sentence(made, view.verb))
        opens = (
            "Cases open with the rules that are on." if rule.on else "Cases open as they are now, without this rule."
        )
        effect.exposure(view, made, said, opens)
    _history(store, chosen)


def view_items(view: View) -> range:
    """Return the indexes of all items."""
    return range(rule_loaders.subjects(view.entry.run.id, view.shown).n_items)


def _actions(store: RuleStore, chosen: StoredRule) -> None:
    """Offer to switch, change and delete a rule, under the visitor's name."""
    rule = chosen.rule
    # What the visitor has seen: switching a rule that somebody else has changed in between is refused.
    st.session_state[_SEEN] = chosen
    st.session_state.setdefault("rule_who", author.name())
    with st.form("rule_switch", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.form_submit_button(
            "Switch off" if rule.on else "Switch on",
            icon=":material/toggle_off:" if rule.on else ":material/toggle_on:",
            type="secondary" if rule.on else "primary",
            on_click=_switch,
            args=(store, not rule.on),
        )
        st.text_input("Your name", key="rule_who", max_chars=80, width=180)
        st.text_input("Reason (optional)", key="rule_why", max_chars=500, width=320)
        st.form_submit_button("Change", icon=":material/edit:", on_click=editor.begin, args=(chosen,))
        st.form_submit_button(
            "Delete",
            icon=":material/delete:",
            on_click=_delete,
            args=(store,),
            disabled=rule.on,
            help="A rule that is on counts in lists; switch it off first." if rule.on else None,
        )


def _switch(store: RuleStore, on: bool) -> None:
    seen: StoredRule = st.session_state[_SEEN]
    _act(lambda who, why: store.switch(seen, on, who, why), f"“{seen.rule.name}” is {'on' if on else 'off'} now.")


def _delete(store: RuleStore) -> None:
    seen: StoredRule = st.session_state[_SEEN]

    def delete(who: str, why: str) -> None:
        store.delete(seen, who, why)
        url.update(rule=None)

    _act(delete, f"“{seen.rule.name}” is deleted.")


def _act(do: editor.Act, done: str) -> None:
    """Do something to a rule, or say why not; then the page shows what is stored now."""
    who = str(st.session_state.get("rule_who") or "")
    try:
        do(who, str(st.session_state.get("rule_why") or ""))
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    author.remember(who)
    st.session_state["rule_why"] = ""
    st.session_state[_SAID] = done


def _said() -> None:
    """Say what was done, or why not."""
    said = st.session_state.pop(_SAID, None)
    if isinstance(said, ConflictError):
        complain(said)
        show.note("The rule is shown as it is now.")
    elif isinstance(said, GuidedrecError):
        complain(said)
    elif said is not None:
        st.success(escaped(said), icon=":material/check:")


def _history(store: RuleStore, chosen: StoredRule) -> None:
    """Show who did what to the rule."""
    with st.expander("Who changed it, and when", icon=":material/history:"):
        changes = store.history(chosen.id)
        frame = pd.DataFrame(
            [(change.at, change.who, change_words(change)) for change in reversed(changes)],
            columns=["when", "who", "what"],
        )
        show.table(
            frame,
            hide_index=True,
            height="content",
            key="rule_history",
            alt="Every change of the rule, the newest first",
            column_config={
                "when": st.column_config.DatetimeColumn("When (UTC)", format="D MMM YYYY, HH:mm"),
                "who": "Who",
                "what": st.column_config.TextColumn("What", width="large"),
            },
        )


def _plain(found: tuple[StoredRule, ...]) -> RuleSet:
    """Return the rules without who, when and why, so that what was computed for equal rules is used again."""
    return RuleSet(rules=tuple(_bare(one.rule) for one in found))


def _bare(rule: Rule) -> Rule:
    return rule.model_copy(update={"author": "", "time": None, "note": ""})
