"""Part of the Attributes page: scores set by hand, who set them and why; setting another, and undoing one."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import author, loaders, show
from guidedrec_core.app.attributes.refine_again import offer_refinement
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.items import loaders as item_loaders
from guidedrec_core.app.items.picker import item_picker
from guidedrec_core.app.page import View
from guidedrec_core.attributes.overrides import Override, OverrideLog, current, n_changes
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import Run, RunStore

_NUMBER = st.column_config.NumberColumn
_SAID, _SEEN = "override_said", "override_seen"


@dataclass(frozen=True)
class _Place:
    """What overrides are about: a data set, its newest scores, and what the refined run was made with."""

    store: RunStore
    data: Run
    items: Vocabulary
    scores: GuidedScores
    titles: pd.Series
    in_run: dict[tuple[str, str], float]


def overrides(view: View, given: Run) -> None:
    """Show the scores set by hand, and let visitors set and undo some.

    Parameters
    ----------
    view : View
        The data set and run under study.
    given : Run
        The newest scores as they were given; overrides are applied to them.
    """
    place = _place(view, given)
    entries = OverrideLog(place.store.home, view.dataset).entries()
    layer = current(entries)
    _done()
    st.write(escaped(overrides_sentence(layer, place.in_run)))
    if layer:
        _listed(place, layer, entries)
    _refine(view, place, layer, given)
    st.subheader("Set a score by hand", anchor=False)
    _form(place, layer, view.item, entries)
    if entries:
        with st.expander("All changes", icon=":material/history:"):
            _history(place, entries)


def overrides_sentence(layer: tuple[Override, ...], in_run: dict[tuple[str, str], float]) -> str:
    """Say how many scores are set by hand, and how many of these the run under study uses."""
    if not layer:
        return (
            "No score is set by hand. If you know a score better, set it here with a reason; it overrides automatic "
            "scores."
        )
    known = sum(in_run.get((one.item_id, one.attribute)) == one.value for one in layer)
    number, them = (f"{len(layer):,} scores are", "them") if len(layer) > 1 else ("1 score is", "it")
    if known == len(layer):
        return f"{number} set by hand, and this run uses {them}."
    if not known:
        return f"{number} set by hand; the next refinement will use {them}."
    return f"{number} set by hand; this run uses {known:,} of {them}, the next refinement will use all."


def _place(view: View, given: Run) -> _Place:
    data = view.store.open(view.entry.data.id, "data", verify=False)
    catalogue = loaders.table(data.id, "catalogue")
    cells = loaders.optional_table(view.entry.run.inputs["scores"], "overrides")
    in_run = (
        {}
        if cells is None
        else {(i, a): float(v) for i, a, v in zip(cells[c.ITEM], cells["attribute"], cells["value"], strict=True)}
    )
    titles = catalogue.set_index(c.ITEM)[c.TITLE]
    return _Place(view.store, data, loaders.dataset(data.id).items, load_scores(given), titles, in_run)


def _listed(place: _Place, layer: tuple[Override, ...], entries: tuple[Override, ...]) -> None:
    rows = [_row(place, one) for one in layer]
    event = show.table(
        pd.DataFrame(rows),
        hide_index=True,
        height=min(300, 38 + 35 * len(rows)),
        key=f"override_table_{len(layer)}",
        on_select="rerun",
        selection_mode="single-row",
        alt="Scores set by hand",
        column_config=_columns(),
    )
    chosen = event["selection"]["rows"]
    if not chosen or chosen[0] >= len(layer):
        show.note("Choose a row to undo it.")
        return
    one = layer[chosen[0]]
    seen = _seen(entries, one.item_id, one.attribute)
    with st.form("withdraw"):
        st.markdown(f"**Undo {escaped(_label(place, one.attribute))} of {escaped(_title(place, one.item_id))}**")
        left, right = show.pair()
        why = left.text_input("Reason", key="withdraw_why")
        who = right.text_input("Your name", value=author.name(), key="withdraw_who")
        if st.form_submit_button("Undo", icon=":material/undo:"):
            _do(
                lambda: _stage().withdraw_override(place.store, place.data, one.item_id, one.attribute, who, why, seen),
                who,
                f"Undone: {_label(place, one.attribute)} of {_title(place, one.item_id)}.",
            )


def _form(place: _Place, layer: tuple[Override, ...], item_id: str | None, entries: tuple[Override, ...]) -> None:
    item = item_id if item_id is not None and item_id in place.items else None
    item_picker(item_loaders.index(place.data.id), item)
    if item is None:
        show.note("Find an item first.")
        return
    schema, scale = place.scores.schema, place.scores.schema.scale
    left, right = show.pair()
    with left:
        name = st.selectbox(
            "Attribute", schema.names, format_func=lambda one: _label(place, one), key="override_attribute"
        )
        attribute = schema.attributes[schema.index(name)]
        scored = float(place.scores.values[place.items.index(item), schema.index(name)])
        set_ = next((one for one in layer if (one.item_id, one.attribute) == (item, name)), None)
        st.write(escaped(_present(scored, set_)))
        show.note(f"{scale.min:g}: {attribute.low}")
        show.note(f"{scale.max:g}: {attribute.high}")
    seen = _seen(entries, item, name)
    start = set_.value if set_ is not None and set_.value is not None else scored
    with right, st.form("override", border=False):
        value = st.slider(
            escaped(f"{attribute.label} of {_title(place, item)}"),
            float(scale.min),
            float(scale.max),
            start if start == start else (scale.min + scale.max) / 2,
            step=(scale.max - scale.min) / 20,
            format="%g",
            key=f"override_value_{item}_{name}",
        )
        why = st.text_input("Reason", placeholder="What the listing does not say", key=f"override_why_{item}_{name}")
        who = st.text_input("Your name", value=author.name(), key="override_who")
        if st.form_submit_button("Set this score", type="primary", icon=":material/edit:"):
            _do(
                lambda: _stage().override_score(place.store, place.data, item, name, value, who, why, seen),
                who,
                f"{attribute.label} of {_title(place, item)} will be {value:g} after the next refinement.",
            )


def _refine(view: View, place: _Place, layer: tuple[Override, ...], given: Run) -> None:
    """Offer to refine again where the run under study was made with other scores by hand."""
    schema = place.scores.schema
    wanted = {(one.item_id, one.attribute): one.value for one in layer if not one.problem(schema, place.items)}
    if wanted != place.in_run:
        offer_refinement(view, "The next refinement uses the scores set by hand.", given)


def _stage() -> ModuleType:
    """Import what writes overrides only when one is written, because it brings torch."""
    return importlib.import_module("guidedrec_core.stages.scoring.override")


def _do(act: Callable[[], Override], who: str, said: str) -> None:
    """Write a change, and refresh the page; or say what is wrong with it."""
    try:
        act()
    except GuidedrecError as error:
        st.error(escaped(f"{str(error)[:1].upper()}{str(error)[1:]}."), icon=":material/error:")
        return
    author.remember(who)
    st.session_state[_SAID] = said
    st.rerun()


def _seen(entries: tuple[Override, ...], item_id: str, attribute: str) -> int:
    """Return how many changes of a score there were when the previous script run showed it.

    The script run that handles a button reads the log anew; what others did meanwhile was not on screen.
    """
    shown = st.session_state.setdefault(_SEEN, {})
    now = n_changes(entries, item_id, attribute)
    before = int(shown.get((item_id, attribute), now))
    shown[(item_id, attribute)] = now
    return before


def _done() -> None:
    """Confirm once what the previous script run did."""
    said = st.session_state.pop(_SAID, "")
    if said:
        st.success(escaped(said), icon=":material/check:")


def _present(scored: float, set_: Override | None) -> str:
    was = "Not scored" if scored != scored else f"Scored {scored:g}"
    if set_ is None:
        return f"{was}."
    return f"{was}; set to {set_.value:g} by {set_.who} on {set_.when:%d %b %Y}: {set_.why}"


def _history(place: _Place, entries: tuple[Override, ...]) -> None:
    rows = [_row(place, one, past=True) for one in reversed(entries)]
    show.table(pd.DataFrame(rows), hide_index=True, key="override_history", column_config=_columns())


def _row(place: _Place, one: Override, past: bool = False) -> dict[str, object]:
    row: dict[str, object] = {
        "title": _title(place, one.item_id),
        "attribute": _label(place, one.attribute),
        "old": one.replaced,
        "new": one.value,
        "why": one.why if one.value is not None else f"undone: {one.why}",
        "who": one.who,
        "when": one.when,
    }
    if not past:
        problem = one.problem(place.scores.schema, place.items)
        known = place.in_run.get((one.item_id, one.attribute)) == one.value
        row["state"] = "not used" if problem else "in this run" if known else "next refinement"
    return row


def _columns() -> dict[str, Any]:
    return {
        "title": st.column_config.TextColumn("Item", width="medium"),
        "attribute": "Attribute",
        "old": _NUMBER("Before", format="%g"),
        "new": _NUMBER("Now", format="%g"),
        "why": st.column_config.TextColumn("Reason", width="medium"),
        "who": "Who",
        "when": st.column_config.DatetimeColumn("When (UTC)", format="D MMM YYYY, HH:mm"),
        "state": st.column_config.TextColumn(
            "Used in", help="Existing runs never change; the next refinement uses all"
        ),
    }


def _label(place: _Place, name: str) -> str:
    schema = place.scores.schema
    return schema.attributes[schema.index(name)].label if name in schema.names else name


def _title(place: _Place, item_id: str) -> str:
    return str(place.titles.get(item_id, item_id))
