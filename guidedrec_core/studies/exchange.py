"""A study as one JSON document, to hand it to another home or database."""

from pathlib import Path
from typing import Any

from guidedrec_core.database import tables
from guidedrec_core.errors import DataError, InputError
from guidedrec_core.files import read_json
from guidedrec_core.studies.store import StudyStore, create_whole
from guidedrec_core.studies.study import CaseContent, SavedCase, Study, Written

FORMAT = "guidedrec study"
FORMAT_VERSION = 1
_MOST_BYTES = 64 << 20
_FIELDS = ("dataset", "user_id", "item_id", "runs", "address", "note", "verdict", "reason")


def study_facts(study: Study) -> dict[str, Any]:
    """Return a study in the stable form for other programs."""
    facts = {"id": study.id, "name": study.name, "note": study.note, "cases": study.n_cases}
    return {**facts, **_written_facts(study.written)}


def case_facts(case: SavedCase) -> dict[str, Any]:
    """Return a case in the stable form for other programs."""
    return {"id": case.id, "position": case.position, **case.content.columns(), **_written_facts(case.written)}


def change_facts(change: tables.Change) -> dict[str, Any]:
    """Return a change in the stable form for other programs."""
    names = ("number", "record", "record_id", "action", "who", "why", "before", "after")
    return {**{name: getattr(change, name) for name in names}, "at": change.at.isoformat()}


def export_study(store: StudyStore, study: Study) -> dict[str, Any]:
    """Return a study with its cases and their history as one JSON document; see `import_study`."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "study": study_facts(study),
        "cases": [case_facts(case) for case in store.cases(study.id)],
        "history": [change_facts(change) for change in store.history(study.id)],
    }


def import_study(store: StudyStore, path: Path, who: str, name: str | None = None) -> Study:
    """Read a study that was exported, as a new one by this author.

    Parameters
    ----------
    store : StudyStore
        Where to.
    path : pathlib.Path
        What `export_study` returned, as JSON.
    who : str
        Who imports it.
    name : str, optional
        Another name than the one in the file.

    Raises
    ------
    DataError
        The file is no such study; nothing is imported.
    InputError
        The name is taken, or the author is blank.
    """
    try:
        document = read_json(path, _MOST_BYTES)
    except OSError as error:
        raise DataError(f"cannot read the study {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"expected a study as JSON in {path}: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DataError(f"expected a study in {path}, as `guidedrec studies export` writes it; got something else")
    if document.get("format_version") != FORMAT_VERSION:
        raise DataError(
            f"expected a study of format version {FORMAT_VERSION} in {path}, got "
            f"{str(document.get('format_version'))[:20]}; update guidedrec"
        )
    study, cases = document.get("study"), document.get("cases")
    if not isinstance(study, dict) or not isinstance(cases, list):
        raise DataError(f"expected 'study' and 'cases' in {path}; export it again")
    contents = [_content(number, case, path) for number, case in enumerate(cases, start=1)]
    return create_whole(store, name or str(study.get("name", "")), str(study.get("note", "")), contents, who)


def _content(number: int, case: Any, path: Path) -> CaseContent:
    try:
        return CaseContent(**{name: case[name] for name in _FIELDS if name in case})
    except (InputError, TypeError) as error:
        raise DataError(f"expected a case as number {number} in {path}: {error}") from error


def _written_facts(written: Written) -> dict[str, Any]:
    return {
        "created_by": written.created_by,
        "created_at": written.created_at.isoformat(),
        "changed_by": written.changed_by,
        "changed_at": written.changed_at.isoformat(),
        "version": written.version,
    }
