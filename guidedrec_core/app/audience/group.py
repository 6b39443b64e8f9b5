"""Who is shown a group of items: the question, the answer, and the worst cases."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import page, show, url
from guidedrec_core.app.audience import loaders as audience_loaders
from guidedrec_core.app.audience.key import GroupKey
from guidedrec_core.app.audience.percent import PERCENT, in_percent
from guidedrec_core.app.audience.saving import save_segment
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.audience import answer_words
from guidedrec_core.audience.saved import SegmentStore, definition_of, readable
from guidedrec_core.cases.key import HELD_OUT
from guidedrec_core.conditions.condition import Definition
from guidedrec_core.conditions.reading import grammar, saved_phrase, suggestions
from guidedrec_core.errors import InputError
from guidedrec_core.figures.audience.group import reach_bars, share_bars
from guidedrec_core.figures.theme import Palette
from guidedrec_core.runs.store import RunInfo

if TYPE_CHECKING:
    from guidedrec_core.audience.audience import Audience
    from guidedrec_core.audience.exposure import GroupAnswer
    from guidedrec_core.conditions.condition import Condition

LENGTHS = (5, 10, 20)
_BASE, _REFINED = "base", "refined"
_MOST_USERS = 200
_NUMBER = st.column_config.NumberColumn
_KEPT = "guidedrec_audience"


def group(view: View, run: RunInfo, colours: Palette) -> GroupKey | None:
    """Ask about a group, and answer; return what was asked, or None where that is not understood."""
    run_id, verb = view.entry.run.id, view.verb
    whole = audience_loaders.audience(run_id, run.id, max(LENGTHS))
    segments = SegmentStore(view.store.home).list(view.dataset)
    saved = readable(segments)
    lead = st.container()
    what, who, k = _question(whole, view, saved)
    people = audience_loaders.audience(run_id, run.id, k)
    try:
        items = None if what is None else people.condition(what, "items")
        users = None if who is None else people.condition(who, "users", saved)
        definition = None if users is None else Definition.of(users, who or "")
        answer = audience_loaders.answer(run_id, run.id, k, what, None if definition is None else definition.to_json())
    except InputError as error:
        with lead:
            complain(error)
        with st.expander("How to write conditions", icon=":material/code:", expanded=True):
            _grammar(whole, saved)
        return None
    words = answer_words.items_words(items, people.terms, _titles(people, items))
    named = answer_words.group_words(users, answer.n_users, people.terms)
    with lead:
        show.lead(answer_words.lead_sentence(answer, words, named, verb), help=_never_help(answer))
        st.write(escaped(answer_words.share_sentence(answer, words, named, verb)))
        st.write(escaped(answer_words.fit_sentence(answer, verb)))
    left, right = show.pair()
    with left:
        st.markdown("**What these items make up**")
        figure = share_bars(answer.measures, answer.n_items / answer.catalogue, answer.past.value, colours, verb)
        show.chart(figure, answer_words.share_sentence(answer, words, named, verb), "shares")
    with right:
        st.markdown("**Who is shown one**")
        alt = answer_words.lead_sentence(answer, words, named, verb)
        show.chart(reach_bars(answer.measures, colours, verb), alt, "reach")
        show.note(
            "Exposure weights a place by 1 / log2(rank + 1): first places are looked at most. Whiskers: 95 % intervals "
            f"over {verb.users}. Lists start from histories without the last {verb.noun}, as in the evaluation.",
        )
    _offenders(answer, view)
    _numbers(answer, view)
    with st.expander("How to write conditions, and these as JSON", icon=":material/code:"):
        _grammar(whole, saved)
        for text, condition in ((what, items), (who, users)):
            if condition is not None:
                st.code(Definition.of(condition, text or "").to_json(), language="json", wrap_lines=True)
    own = None if users is None else definition_of(users, who or "", people)
    segment = next((one for one in segments if who == saved_phrase(one.name)), None)
    name, note = ("", "") if segment is None else (segment.name, segment.note)
    save_segment(view, view.actions, "save_segment", own, name)
    return GroupKey(None if items is None else Definition.of(items, what or ""), own, k, name, note)


def _question(people: "Audience", view: View, saved: "Mapping[str, Condition]") -> tuple[str | None, str | None, int]:
    """Show the controls; return the texts of both conditions, and the length of the lists."""
    verb, terms = view.verb, replace(people.terms, saved=saved)
    choices = {about: list(suggestions(about, terms)) for about in ("items", "users")}
    lengths = [k for k in LENGTHS if k <= people.lists.k] or [people.lists.k]
    usual = 10 if 10 in lengths else lengths[-1]
    _follow("items", choices["items"][0])
    _follow("users", None)
    _follow("k", usual, lambda text: int(text) if text in map(str, lengths) else usual)
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
    default = choices["items"][0]
    what = left.selectbox(
        "Items",
        choices["items"],
        key="items",
        on_change=_changed,
        args=("items",),
        accept_new_options=True,
        placeholder="A category, or a condition such as price 100..200",
        help=f"Choose, or type a condition and press Enter, e.g. {escaped(default)} and price over 100.",
    )
    who = middle.selectbox(
        verb.users.capitalize(),
        choices["users"],
        index=None,
        key="users",
        on_change=_changed,
        args=("users",),
        accept_new_options=True,
        placeholder=f"All {verb.users}",
        help=f"Choose, or type a condition and press Enter, e.g. never {verb.past} {escaped(default)}.",
    )
    k = right.segmented_control("Length of lists", lengths, required=True, key="k", on_change=_changed, args=("k",))
    return what or None, who or None, int(k or usual)


def _follow(name: str, default: Any, read: Callable[[str], Any] = str) -> None:
    """Let a control show what the URL says; on arrival what was asked last in this session, where it says nothing."""
    kept = st.session_state.setdefault(_KEPT, {})
    given = st.query_params.get(name) or (kept.get(name) if page.arrived() else None)
    kept[name] = given
    if given and st.query_params.get(name) != given:
        st.query_params[name] = given
    value = read(given) if given else default
    if st.session_state.get(name) != value:
        st.session_state[name] = value


def _changed(name: str) -> None:
    """Put a control's value into the URL."""
    ask(**{name: st.session_state[name]})


def ask(**question: Any) -> None:
    """Put `items`, `users` or `k` into the URL; None leaves it out."""
    for name, value in question.items():
        if value in (None, ""):
            st.query_params.pop(name, None)
            st.session_state.setdefault(_KEPT, {}).pop(name, None)
        else:
            st.query_params[name] = str(value)


def _titles(people: "Audience", items: "Condition | None") -> dict[str, str]:
    """Return the titles of items that are given by id."""
    ids = [one for one in getattr(items, "ids", ()) if one in people.data.dataset.items]
    frame = people.data.dataset.catalogue.frame
    return dict(zip(ids, frame[c.TITLE].iloc[people.data.dataset.items.indexes(ids)].astype(str), strict=True))


def _never_help(answer: "GroupAnswer") -> str:
    """Say what the headline is counted from."""
    never = answer.measure("refined", "never")
    return f"{int(never.count):,} of {int(never.of):,}; 95 % interval {answer_words.interval_words(never)} (Wilson)."


def _offenders(answer: "GroupAnswer", view: View) -> None:
    """Show those who are shown most of the items with the least past interest; one of them can be opened."""
    verb, table = view.verb, answer.offenders
    st.subheader("Whose list differs most from their past?", anchor=False)
    if table.empty:
        show.note(f"Nobody is shown more of these items than past {verb.nouns} suggest.")
        return
    some = "" if len(table) <= _MOST_USERS else f"{_MOST_USERS:,} of {len(table):,} shown. "
    show.note(
        f"Largest gap first between the items' share of the refined list and of past {verb.nouns}. {some}Choose a row "
        "to open the case."
    )
    shown = table.head(_MOST_USERS)
    event = show.table(
        in_percent(shown, "exposure", "past_share", "excess")[
            [c.USER, _REFINED, _BASE, "exposure", "past", "past_length", "past_share", "excess"]
        ],
        hide_index=True,
        height=min(38 + 35 * len(shown), 285),
        key="offenders",
        alt=f"{verb.users.capitalize()} who are shown most of the items with the least past interest",
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}},
        column_config={
            c.USER: verb.user.capitalize(),
            _REFINED: _NUMBER("In refined list", format="%d"),
            _BASE: _NUMBER("In base list", format="%d"),
            "exposure": _NUMBER("Share of list", format=PERCENT, help="Of its exposure"),
            "past": _NUMBER(f"Past {verb.nouns} of them", format="%d"),
            "past_length": _NUMBER(f"Past {verb.nouns}", format="%d"),
            "past_share": _NUMBER(f"Share of past {verb.nouns}", format=PERCENT),
            "excess": _NUMBER("Gap", format=PERCENT, help="Share of list minus share of the past"),
        },
    )
    rows = event["selection"]["rows"] or [0]
    row = shown.iloc[min(rows[0], len(shown) - 1)]
    st.page_link(
        Path("pages/1_Case_study.py"),
        label=f"Why is it recommended to {verb.user} {escaped(str(row[c.USER]))}?",
        icon=":material/person_search:",
        query_params=url.link(user=str(row[c.USER]), item=str(row[c.ITEM]), history=HELD_OUT),
    )


def _numbers(answer: "GroupAnswer", view: View) -> None:
    """Show every number with its interval and what it is counted from."""
    with st.expander("All numbers", icon=":material/table:"):
        measures = in_percent(answer.measures, "value", "low", "high")
        measures["measure"] = measures["measure"].map(answer_words.MEASURE_WORDS)
        show.table(
            measures[["measure", "model", "value", "low", "high", "count", "of"]].sort_values(
                ["measure", "model"], kind="stable"
            ),
            hide_index=True,
            height="content",
            key="measures",
            alt="Every share with its interval",
            column_config={
                "measure": st.column_config.TextColumn("Measure", width="large"),
                "model": "Model",
                "value": _NUMBER("Share", format=PERCENT),
                "low": _NUMBER("95 % from", format=PERCENT),
                "high": _NUMBER("95 % to", format=PERCENT),
                "count": _NUMBER("Count", format="%.1f", help="Of exposure: sum of the places' weights"),
                "of": _NUMBER("Of", format="%.1f"),
            },
        )
        lifts = answer.lifts.assign(against=answer.lifts["against"].map(answer_words.LIFT_WORDS))
        show.table(
            lifts[["against", "model", "lift", "low", "high"]].sort_values(["against", "model"], kind="stable"),
            hide_index=True,
            height="content",
            key="lifts",
            alt="How many times as much as could be expected",
            column_config={
                "against": st.column_config.TextColumn("Lift", width="large"),
                "model": "Model",
                "lift": _NUMBER("Times", format="%.2f", help="1 = as much as expected"),
                "low": _NUMBER("95 % from", format="%.2f"),
                "high": _NUMBER("95 % to", format="%.2f"),
            },
        )
        users = answer.users
        show.note(f"{view.verb.count_users(len(users))} who are shown one by either model:")
        show.table(users, hide_index=True, height=260, key="group_users", alt="All users who are shown one")


def _grammar(people: "Audience", saved: "Mapping[str, Condition]") -> None:
    """Show how conditions are written, in the words of the data set."""
    verb = people.terms.verb
    for subject, found in grammar(replace(people.terms, saved=saved)).items():
        st.markdown(f"**{'Items' if subject == 'items' else verb.users.capitalize()}**")
        st.write(escaped(" · ".join(found)))
    st.write(
        "Join them with “and”, “or”, “not” and brackets; put names that hold commas or brackets in quotation marks."
    )
