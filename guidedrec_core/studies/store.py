"""The studies of a home: list, make, change and delete them and their cases."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from guidedrec_core.database import tables
from guidedrec_core.database.database import Database, Write, one_line, plain
from guidedrec_core.errors import InputError, NotFoundError
from guidedrec_core.studies.study import LONGEST_NAME, LONGEST_TEXT, CaseContent, SavedCase, Study, Verdict, Written


class StudyStore:
    """The studies of a home. Any number of people and processes may work on them at once.

    Whoever changes or deletes something passes what they have seen; if somebody else was quicker, a `ConflictError`
    says who and when, and nothing is overwritten.

    Parameters
    ----------
    home : pathlib.Path
        The run store's folder.

    Examples
    --------
    >>> import tempfile
    >>> from dataclasses import replace
    >>> studies = StudyStore(Path(tempfile.mkdtemp()))
    >>> study = studies.create("Winter jackets", "Ann")
    >>> case = studies.add(study.id, CaseContent("fernway", "S0001", "KNI-020", address="?user=S0001"), "Ann")
    >>> case = studies.change_case(case, replace(case.content, verdict="wrong", reason="too warm"), "Bob")
    >>> case.content.verdict, case.written.changed_by, case.written.version
    ('wrong', 'Bob', 2)
    >>> studies.find("Winter jackets").n_cases
    1
    """

    def __init__(self, home: Path) -> None:
        self.database = Database(home)

    def list(self) -> tuple[Study, ...]:
        """Return all studies, the one that was changed last first."""
        with self.database.read() as session:
            found = [_study(session, row) for row in session.scalars(select(tables.Study))]
        return tuple(sorted(found, key=lambda one: (one.written.changed_at, one.id), reverse=True))

    def verdict_counts(self) -> dict[str, dict[Verdict | None, int]]:
        """Return for each study that has cases how many have which verdict; None counts those nobody has judged."""
        counted = select(tables.SavedCase.study_id, tables.SavedCase.verdict, func.count())
        found: dict[str, dict[Verdict | None, int]] = {}
        with self.database.read() as session:
            for study_id, verdict, count in session.execute(
                counted.group_by(tables.SavedCase.study_id, tables.SavedCase.verdict)
            ):
                found.setdefault(study_id, {})[cast("Verdict | None", verdict)] = count
        return found

    def find(self, name_or_id: str) -> Study:
        """Return a study by its name or id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        wanted = plain(name_or_id)
        with self.database.read() as session:
            row = session.get(tables.Study, wanted)
            if row is None:
                row = session.scalars(select(tables.Study).where(tables.Study.name == one_line(wanted))).first()
            if row is None:
                raise NotFoundError(f"there is no study {name_or_id!r}; `guidedrec studies list` shows what there is")
            return _study(session, row)

    def create(self, name: str, who: str, note: str = "") -> Study:
        """Make a study without cases.

        Raises
        ------
        InputError
            The name is blank, too long or taken, or the author is blank.
        """
        with self.database.write(who) as write:
            row = write.add(tables.Study(name=_name(name), note=_text(note)))
            return _study(write.session, row)

    def change(self, study: Study, who: str, *, name: str | None = None, note: str | None = None) -> Study:
        """Rename a study, or change its note; what is None stays.

        Raises
        ------
        ConflictError
            Somebody has changed or deleted it since `study` was read.
        InputError
            As `create`.
        """
        values: dict[str, Any] = {} if name is None else {"name": _name(name)}
        values |= {} if note is None else {"note": _text(note)}
        with self.database.write(who) as write:
            return _study(write.session, write.change(tables.Study, study.id, values, study.written.version))

    def delete(self, study: Study, who: str, why: str = "") -> None:
        """Delete a study with its cases; the history keeps what they were.

        Raises
        ------
        ConflictError
            Somebody has changed or deleted it, or added or removed cases, since `study` was read.
        """
        with self.database.write(who) as write:
            row = write.seen(tables.Study, study.id, study.written.version)
            for case in _rows(write.session, row.id):
                write.remove(tables.SavedCase, case.id, None, why)
            write.remove(tables.Study, row.id, study.written.version, why)

    def cases(self, study_id: str) -> tuple[SavedCase, ...]:
        """Return the cases of a study in their order."""
        with self.database.read() as session:
            return tuple(_case(row) for row in _rows(session, study_id))

    def case(self, case_id: str) -> SavedCase:
        """Return one case.

        Raises
        ------
        NotFoundError
            It does not exist.
        """
        with self.database.read() as session:
            row = session.get(tables.SavedCase, plain(case_id))
            if row is None:
                raise NotFoundError(
                    f"the case {case_id!r} no longer exists; `guidedrec studies show` lists those there are"
                )
            return _case(row)

    def add(self, study_id: str, content: CaseContent, who: str) -> SavedCase:
        """Save a case at the end of a study.

        Raises
        ------
        NotFoundError
            The study does not exist.
        ConflictError
            The study was deleted.
        InputError
            The author is blank.
        """
        with self.database.write(who) as write:
            return _case(_add(write, study_id, content))

    def change_case(self, case: SavedCase, content: CaseContent, who: str) -> SavedCase:
        """Change what is saved of a case, e.g. its note or verdict.

        Raises
        ------
        ConflictError
            Somebody has changed or deleted it since `case` was read.
        """
        with self.database.write(who) as write:
            return _case(write.change(tables.SavedCase, case.id, content.columns(), case.written.version))

    def delete_case(self, case: SavedCase, who: str, why: str = "") -> None:
        """Delete a case; the history keeps what it was. Errors as `change_case`."""
        with self.database.write(who) as write:
            write.remove(tables.SavedCase, case.id, case.written.version, why)

    def order(self, study_id: str, case_ids: Sequence[str], who: str) -> None:
        """Put the cases of a study into an order.

        Raises
        ------
        InputError
            These are not all cases of the study, each once: somebody has added or deleted some meanwhile.
        """
        with self.database.write(who) as write:
            rows = {row.id: row for row in _rows(write.session, study_id)}
            if sorted(rows) != sorted(case_ids):
                raise InputError("the study has other cases now; load it again, then order them")
            for position, case_id in enumerate(case_ids):
                if rows[case_id].position != position:
                    write.change(tables.SavedCase, case_id, {"position": position}, None)

    def history(self, study_id: str) -> tuple[tables.Change, ...]:
        """Return every change of a study and its cases, oldest first, also of what is deleted."""
        return self.database.history(scope=study_id)


def create_whole(store: StudyStore, name: str, note: str, contents: Sequence[CaseContent], who: str) -> Study:
    """Make a study with cases in one step: all of it or nothing. Errors as `StudyStore.create`."""
    with store.database.write(who) as write:
        row = write.add(tables.Study(name=_name(name), note=_text(note)))
        for content in contents:
            _add(write, row.id, content)
        return _study(write.session, row)


def _add(write: Write, study_id: str, content: CaseContent) -> tables.SavedCase:
    study = write.seen(tables.Study, study_id, None)
    last = select(func.max(tables.SavedCase.position)).where(tables.SavedCase.study_id == study.id)
    position = write.session.scalar(last)
    position = 0 if position is None else position + 1
    return write.add(tables.SavedCase(study_id=study.id, position=position, **content.columns()))


def _rows(session: Session, study_id: str) -> Sequence[tables.SavedCase]:
    query = select(tables.SavedCase).where(tables.SavedCase.study_id == plain(study_id))
    return session.scalars(query.order_by(tables.SavedCase.position, tables.SavedCase.created_at)).all()


def _study(session: Session, row: tables.Study) -> Study:
    count = select(func.count()).where(tables.SavedCase.study_id == row.id)
    return Study(row.id, row.name, row.note, session.scalar(count) or 0, Written.of(row))


def _case(row: tables.SavedCase) -> SavedCase:
    runs = cast("Mapping[str, str]", row.runs)
    verdict = cast("Verdict | None", row.verdict)
    content = CaseContent(row.dataset, row.user_id, row.item_id, runs, row.address, row.note, verdict, row.reason)
    return SavedCase(row.id, row.study_id, row.position, content, Written.of(row))


def _name(name: str) -> str:
    line = one_line(name)
    if not 0 < len(line) <= LONGEST_NAME:
        raise InputError(f"expected a study name of 1 to {LONGEST_NAME} characters, got {len(line)}")
    return line


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise InputError(f"expected a note of at most {LONGEST_TEXT:,} characters, got {len(text):,}")
    return text
