"""The edited attributes of a data set: saved next to the runs once complete, and always kept for the session."""

import tempfile
from pathlib import Path

import streamlit as st

from guidedrec_core.app import loaders
from guidedrec_core.attributes.draft import Draft
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.data.dataset import check_name
from guidedrec_core.errors import ConfigError


def kept(dataset: str) -> AttributeSchema | None:
    """Return the saved edited attributes; None when nothing was edited.

    Raises
    ------
    ConfigError
        The file was changed by hand and is not valid.
    """
    path = _path(dataset)
    return AttributeSchema.read(path) if path.exists() else None


def draft(dataset: str, used: AttributeSchema) -> Draft:
    """Return the draft of this session, which starts from what is saved, else from the attributes in use."""
    state = st.session_state
    if _key(dataset) not in state:
        state[_key(dataset)] = Draft.of(kept(dataset) or used)
    found: Draft = state[_key(dataset)]
    return found


def change(dataset: str, draft: Draft) -> None:
    """Continue with another draft; it is saved if it is complete."""
    st.session_state[_key(dataset)] = draft
    if not draft.problems():
        path = _path(dataset)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.schema().write(path)


def discard(dataset: str) -> None:
    """Forget all edits."""
    st.session_state.pop(_key(dataset), None)
    _path(dataset).unlink(missing_ok=True)


def file_content(schema: AttributeSchema, suffix: str) -> bytes:
    """Return a schema as a file of a kind, ``".toml"`` or ``".json"``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"attributes{suffix}"
        schema.write(path)
        return path.read_bytes()


def from_file(name: str, content: bytes) -> AttributeSchema:
    """Read a schema from an uploaded file.

    Raises
    ------
    ConfigError
        It is not a schema; the message names the uploaded file.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sent{Path(name).suffix}"
        path.write_bytes(content)
        try:
            return AttributeSchema.read(path)
        except ConfigError as error:
            raise ConfigError(str(error).replace(str(path), name)) from error


def _key(dataset: str) -> str:
    return f"draft_{dataset}"


def _path(dataset: str) -> Path:
    check_name(dataset)
    return loaders.store().home / "attributes" / f"{dataset}.toml"
