"""Check what was chosen, take attributes and scores, and build as a job."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core.app import jobs_panel, show
from guidedrec_core.app.bring_data import files
from guidedrec_core.app.bring_data.choices import Choices
from guidedrec_core.app.errors import escaped
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.templates import template, template_names
from guidedrec_core.config import ReadingConfig
from guidedrec_core.data.dataset import check_name
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.data.reading.preview import Preview, preview
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.jobs.record import Job

_SOURCES = {"template": "A template", "file": "A file (JSON or TOML)", "editor": "Written here"}


@st.cache_data(max_entries=8, show_spinner="Reading the file …")
def _previewed(choices: str, modified: float) -> Preview:
    """Read the files as chosen and count; `modified` is a part of the cache's key."""
    chosen: dict[str, Any] = json.loads(choices)
    dataset = import_dataset(
        chosen["format"],
        chosen["path"],
        "preview",
        chosen.get("mapping"),
        chosen.get("items"),
        verb=chosen.get("verb"),
        reading=ReadingConfig.parse(chosen.get("reading", {})),
        currency=chosen.get("currency"),
    )
    return preview(dataset, int(chosen.get("min_interactions", 1)))


def check(choices: Choices) -> bool:
    """Show what the import would give; return whether it works."""
    try:
        modified = Path(choices.path).stat().st_mtime
        found = _previewed(json.dumps(choices.arguments(), sort_keys=True), modified)
    except GuidedrecError as error:
        files.problem(error)
        return False
    before, after = found.before, found.after
    grid = st.grid(3, min_column_width=180)
    for label, kept, all_ in (
        ("Interactions", after.interactions, before.interactions),
        ("Customers or users", after.users, before.users),
        ("Items", after.items, before.items),
    ):
        with grid.cell():
            st.metric(label, f"{kept:,}")
            show.note(f"of {all_:,} before the filter" if kept != all_ else "none filtered out")
    first, last = pd.Timestamp(found.first), pd.Timestamp(found.last)
    show.note(f"From {first:%d %B %Y} to {last:%d %B %Y}.")
    for message in found.notices:
        show.note(f"{message[:1].upper()}{message[1:]}.")
    return True


def attributes() -> Path | None:
    """Let the visitor choose the attributes; return their file."""
    source = st.segmented_control(
        "Attributes from",
        list(_SOURCES),
        format_func=_SOURCES.__getitem__,
        default="template",
        key="bring_attributes",
        persist_state="session",
        required=True,
    )
    try:
        if source == "file":
            path = files.choose("Attributes", "bring_schema", types=["json", "toml"])
            return None if path is None else _kept(AttributeSchema.read(path))
        if source == "editor":
            return _edited()
        name = st.selectbox("Template", template_names(), key="bring_template", persist_state="session")
        schema = template(name)
        show.note(", ".join(attribute.label for attribute in schema.attributes))
        return _kept(schema)
    except GuidedrecError as error:
        files.problem(error)
        return None


def _edited() -> Path | None:
    """Let the visitor write attributes; what is written is kept for the visit."""
    kept = st.session_state.setdefault("bring_edited", [{"name": "", "low": "", "high": ""}])
    number = st.number_input("How many attributes", 1, 30, len(kept), key="bring_many", persist_state="session")
    rows = []
    for place in range(int(number)):
        with st.container(horizontal=True):
            rows.append(
                {
                    name: st.text_input(
                        label, key=f"bring_{name}_{place}", persist_state="session", placeholder=example
                    )
                    for name, label, example in (
                        ("name", "Name", "warmth"),
                        ("low", "Low means", "no insulation"),
                        ("high", "High means", "made for deep cold"),
                    )
                }
            )
    if not all(all(row.values()) for row in rows):
        show.note("Fill in all fields to go on.")
        return None
    return _kept(AttributeSchema.parse({"attributes": rows}))


def _kept(schema: AttributeSchema) -> Path:
    """Write attributes where the job finds them."""
    folder = files.uploads() / f"attributes-{schema.hash()}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "attributes.json"
    if not path.exists():
        schema.write(path)
    return path


def start(choices: Choices, schema: Path | None, scores: Path | None) -> None:
    """Ask for a name and start the job."""
    usual = re.sub(r"[^a-z0-9_-]+", "-", Path(choices.path).name.partition(".")[0].lower()).strip("-_") or "my-shop"
    name = st.text_input("Name of the data set", usual, max_chars=100, key="bring_name", persist_state="session")
    try:
        check_name(name)
    except GuidedrecError as error:
        files.problem(error)
        return
    builds = schema is not None and scores is not None
    arguments = {**choices.arguments(), "dataset": name}
    if builds:
        arguments |= {"attributes": str(schema), "item_scores": str(scores)}
    if not builds:
        show.note(
            "Without scores the data set is stored, and models are built once its items are scored: upload scores "
            "above, or let a language model score it."
        )
    st.button(
        "Build it" if builds else "Store the data set",
        type="primary",
        icon=":material/play_arrow:",
        key="bring_start",
        on_click=_start,
        args=(arguments,),
    )


def _start(arguments: dict[str, Any]) -> None:
    st.session_state["bring_job"] = jobs_panel.jobs().start("import", arguments).id


def job() -> Job | None:
    """Return the import that this visitor started."""
    found = st.session_state.get("bring_job")
    return None if found is None else jobs_panel.find(found)


def follow(found: Job) -> None:
    """Show how an import goes and, at its end, the way to what it made."""
    name = str(found.arguments["dataset"])
    if found.active:
        show.note(
            f"Bringing in {name}. The sidebar shows how far it is, and cancels it. You can close the page meanwhile."
        )
        return
    if found.status != "done":
        jobs_panel.show_ended(found)
        return
    built = bool(found.arguments.get("item_scores"))
    st.success(escaped(f"{name} is {'built' if built else 'stored'}."), icon=":material/check_circle:")
    with st.container(horizontal=True):
        st.page_link(
            "app.py",
            label=f"Open {escaped(name)}",
            icon=":material/arrow_forward:",
            query_params={"dataset": name},
        )
        st.button("Bring more data", key="bring_more", on_click=st.session_state.pop, args=("bring_job", None))
    if not built:
        st.caption("Scores from a language model, in a terminal:")
        st.code(
            f"guidedrec score {name} --attributes attributes.json --model MODEL\nguidedrec build {name}",
            language="bash",
        )
