"""Part of the Attributes page: the attributes in use, and an editor for those of the next scoring."""

import streamlit as st

from guidedrec_core.app import show
from guidedrec_core.app.attributes import edited
from guidedrec_core.app.attributes.tables import schema_table
from guidedrec_core.app.errors import escaped
from guidedrec_core.attributes.draft import Draft, changes
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.templates import template, template_names
from guidedrec_core.errors import GuidedrecError

_AT, _VERSION = "edit_at", "edit_version"
_LONG = 16  # a longer list of attributes scrolls in a box


def attributes(dataset: str, used: AttributeSchema) -> None:
    """Show the attributes in use, and let visitors edit a copy of them.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    used : AttributeSchema
        What the scores of the run under study are of.
    """
    what = f" of {escaped(used.domain)}" if used.domain else ""
    st.subheader(f"In use: {len(used)} attributes{what}", anchor=False)
    schema_table(used)
    st.subheader("Edit a copy for the next scoring", anchor=False)
    show.note(
        "Existing scores and runs keep their attributes. Edits take effect when items are scored with them; they are "
        "saved once complete."
    )
    draft = edited.draft(dataset, used)
    _state(dataset, draft, used)
    left, right = show.pair()
    with left:
        _list(dataset, draft)
    with right:
        _fields(dataset, draft, used)
    _begin(dataset)


def _state(dataset: str, draft: Draft, used: AttributeSchema) -> None:
    """Say whether the draft is complete, what differs, and offer it as a file."""
    problems = draft.problems()
    if problems:
        st.warning(
            "\n".join(f"- {escaped(problem)}" for problem in problems),
            title="Not complete yet",
            icon=":material/edit_note:",
        )
        return
    schema = draft.schema()
    different = changes(used, schema)
    if different:
        said = f"{len(schema)} attributes. Compared with those in use, {'; '.join(different)}."
    else:
        said = f"The same {len(schema)} attributes as those in use."
    st.markdown(escaped(said), help=escaped(f"Content {schema.hash()}"))
    with st.container(horizontal=True):
        for suffix, kind in ((".toml", "TOML"), (".json", "JSON")):
            st.download_button(
                f"Download {kind}",
                edited.file_content(schema, suffix),
                f"attributes-{schema.hash()}{suffix}",
                icon=":material/download:",
                on_click="ignore",
                key=f"download{suffix}",
            )
        if different:
            st.button("Discard edits", icon=":material/undo:", on_click=_discard, args=(dataset,), key="edit_discard")


def _list(dataset: str, draft: Draft) -> None:
    """Show the attributes in order; choose one, move it, remove it, add one."""
    count, at = len(draft.attributes), _at(draft)
    key = f"edit_which_{_version()}"

    def choose() -> None:
        _go(st.session_state[key])

    with st.container(height=440 if count > _LONG else "content", border=False):
        st.radio(
            "Attributes, in order",
            range(count),
            index=at if count else None,
            format_func=lambda place: escaped(draft.attributes[place].label) or "(no name)",
            key=key,
            on_change=choose,
        )
    with st.container(horizontal=True):
        for label, icon, by, able in (
            ("Up", "arrow_upward", -1, at > 0),
            ("Down", "arrow_downward", 1, at < count - 1),
        ):
            st.button(
                label,
                icon=f":material/{icon}:",
                on_click=_do,
                args=(dataset, draft.move(at, by) if count else draft, at + by),
                disabled=not able,
                key=f"edit_{label.lower()}",
            )
        st.button(
            "Remove",
            icon=":material/delete:",
            on_click=_do,
            args=(dataset, draft.remove(at), max(at - 1, 0)),
            disabled=not count,
            key="edit_remove",
        )
        st.button("Add", icon=":material/add:", on_click=_do, args=(dataset, draft.add(), count), key="edit_add")


def _fields(dataset: str, draft: Draft, used: AttributeSchema) -> None:
    """Show the texts of the chosen attribute for editing."""
    if not draft.attributes:
        return
    at, scale = _at(draft), draft.scale
    one = draft.attributes[at]

    def typed(field: str, label: str, lines: bool, placeholder: str, help_: str | None = None) -> None:
        key = f"edit_{field}_{at}_{_version()}"

        def take() -> None:
            edited.change(dataset, edited.draft(dataset, used).change(at, **{field: st.session_state[key]}))

        text = getattr(one, field)
        if lines:
            st.text_area(label, text, key=key, on_change=take, placeholder=placeholder, help=help_, height=84)
        else:
            st.text_input(label, text, key=key, on_change=take, placeholder=placeholder, help=help_)

    typed("label", "Name", False, "Warmth", f"Its column in score tables is {one.column or '...'}.")
    typed("low", f"{scale.min:g} means", False, "for summer heat")
    typed("high", f"{scale.max:g} means", False, "for deep winter cold")
    typed("definition", "What is judged (optional)", True, "How warm it keeps a person standing still outdoors.")
    typed("levels", "Levels in between (optional), one per line: number, colon, meaning", True, "5: a fleece")


def _begin(dataset: str) -> None:
    """Offer other starting points: a template, or a file."""
    with st.expander("Start from a template or a file", icon=":material/upload_file:"):
        left, right = show.pair()
        with left:
            name = st.selectbox(
                "Template", template_names(), format_func=lambda one: one.replace("_", " ").capitalize(), key="template"
            )
            found = template(name)
            show.note(", ".join(one.label for one in found.attributes))
            st.button(
                "Start from this template",
                icon=":material/content_copy:",
                on_click=_do,
                args=(dataset, Draft.of(found), 0),
                key="edit_template",
            )
        with right:
            sent = st.file_uploader("Attributes file", ("toml", "json"), key=f"edit_file_{_version()}")
            if sent is None:
                return
            try:
                schema = edited.from_file(sent.name, sent.getvalue())
            except GuidedrecError as error:
                st.error(escaped(f"{str(error)[:1].upper()}{str(error)[1:]}."), icon=":material/error:")
                return
            show.note(", ".join(one.label for one in schema.attributes))
            st.button(
                "Start from this file",
                icon=":material/upload_file:",
                on_click=_do,
                args=(dataset, Draft.of(schema), 0),
                key="edit_from_file",
            )


def _do(dataset: str, draft: Draft, at: int) -> None:
    """Continue with another draft, at a place of it."""
    edited.change(dataset, draft)
    _go(at)


def _discard(dataset: str) -> None:
    edited.discard(dataset)
    _go(0)


def _go(at: int) -> None:
    """Show another attribute, in new fields, because an old field would keep its text."""
    st.session_state[_AT] = at
    st.session_state[_VERSION] = _version() + 1


def _at(draft: Draft) -> int:
    at: int = st.session_state.get(_AT, 0)
    return min(max(at, 0), max(len(draft.attributes) - 1, 0))


def _version() -> int:
    version: int = st.session_state.get(_VERSION, 0)
    return version
