"""The tables, as typed SQLAlchemy models.

Every row but those of `Change` and `ImportedFile` is a `Record`: it says who made and who last changed it and when
(UTC), and counts its versions. `Change` holds every version of every record; the database refuses to change or delete
its rows. Whatever changes here needs a new file in ``migrations/versions``; a test compares both.
"""

import secrets
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

REVISION = "0002"
"""Version of the tables that this code needs; the newest file in ``migrations/versions`` has the same."""

Verdict = Literal["good", "wrong", "harmful", "unsure"]
"""What an analyst thinks of a recommendation."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
JudgementKind = Literal["taste_test", "prediction"]
"""Which of two lists is better; or which item is recommended."""
JUDGEMENT_KINDS: tuple[JudgementKind, ...] = get_args(JudgementKind)
Action = Literal["created", "changed", "deleted"]
"""What happened to a record."""
Json = dict[str, Any]

_JSON = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """A time in UTC: aware in Python; SQLite, which knows no zones, keeps it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC for the database."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Make what the database returns aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {str: Text(), datetime: Moment(), Json: _JSON, dict[str, str]: _JSON, list[Any]: _JSON}


def new_id() -> str:
    """Return a random id of 16 hex digits, short enough for an address."""
    return secrets.token_hex(8)


class Record(Base):
    """A row that people write; see `guidedrec_core.database.database.Write`, which fills these columns."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(primary_key=True)
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    version: Mapped[int]
    """Counts up from 1 with every change."""

    @property
    def scope(self) -> str:
        """What the record belongs to, by which its history can be listed: a data set, study or run."""
        return ""

    @property
    def called(self) -> str:
        """How messages name the record."""
        return f"{type(self).__name__} {self.id}"

    def facts(self) -> Json:
        """Return all columns as JSON."""
        values = {column.key: getattr(self, column.key) for column in self.__table__.columns}
        return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}


class Study(Record):
    """A named collection of cases."""

    __tablename__ = "studies"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str]
    note: Mapped[str]

    @property
    def scope(self) -> str:
        """The study itself."""
        return self.id

    @property
    def called(self) -> str:
        """Its name."""
        return f"study {self.name!r}"


class SavedCase(Record):
    """A view of one user (and item), with what an analyst thinks of it."""

    __tablename__ = "saved_cases"
    __table_args__ = (CheckConstraint(f"verdict IN ({', '.join(map(repr, VERDICTS))})", name="verdict"),)

    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), index=True)
    position: Mapped[int]
    """Place in the study, from 0."""
    dataset: Mapped[str]
    runs: Mapped[dict[str, str]]
    """Role to run id, e.g. ``refined``, ``evaluation``."""
    user_id: Mapped[str]
    item_id: Mapped[str | None]
    address: Mapped[str]
    """The view's address in the app, from ``?`` on: every control's state."""
    note: Mapped[str]
    verdict: Mapped[str | None]
    """One of `VERDICTS`; None as long as nobody has judged."""
    reason: Mapped[str]

    @property
    def scope(self) -> str:
        """Its study."""
        return self.study_id

    @property
    def called(self) -> str:
        """Whom and what it is about."""
        return f"the case of {self.user_id}" + ("" if self.item_id is None else f" and {self.item_id}")


class Note(Record):
    """A note on anything."""

    __tablename__ = "notes"

    about: Mapped[str]
    """Kind of thing: ``dataset``, ``run``, ``item``, ``user``, ``study``, ``segment``, ``attribute``."""
    about_id: Mapped[str] = mapped_column(index=True)
    dataset: Mapped[str | None] = mapped_column(index=True)
    text: Mapped[str]

    @property
    def scope(self) -> str:
        """What it is about."""
        return self.about_id

    @property
    def called(self) -> str:
        """What it is about."""
        return f"the note on {self.about} {self.about_id}"


class Scenario(Record):
    """A steering with a name, saved for a user of a refined run."""

    __tablename__ = "scenarios"
    __table_args__ = (UniqueConstraint("run_id", "user_id", "name"),)

    run_id: Mapped[str]
    user_id: Mapped[str]
    name: Mapped[str]
    steering: Mapped[Json]
    """What is steered; see `guidedrec_core.cases.what_ifs.WhatIf`."""

    @property
    def scope(self) -> str:
        """Its run."""
        return self.run_id

    @property
    def called(self) -> str:
        """Its name."""
        return f"scenario {self.name!r} of {self.user_id}"


class ScoreOverride(Record):
    """A score set by hand; a withdrawn one stays, without a value."""

    __tablename__ = "overrides"
    __table_args__ = (UniqueConstraint("dataset", "item_id", "attribute"),)

    dataset: Mapped[str]
    item_id: Mapped[str]
    attribute: Mapped[str]
    value: Mapped[float | None]
    """Raw score; None once it is withdrawn."""
    scale: Mapped[Json]
    """The range it was given on."""
    why: Mapped[str]
    replaced: Mapped[float | None]
    """What was in force before."""

    @property
    def scope(self) -> str:
        """Its data set."""
        return self.dataset

    @property
    def called(self) -> str:
        """Which score."""
        return f"the score of {self.item_id} on {self.attribute}"


class Segment(Record):
    """Users chosen by conditions on history, facts or taste."""

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("dataset", "name"),)

    dataset: Mapped[str]
    name: Mapped[str]
    definition: Mapped[Json]
    definition_version: Mapped[int]
    """Version of the form of `definition`."""
    note: Mapped[str]

    @property
    def scope(self) -> str:
        """Its data set."""
        return self.dataset

    @property
    def called(self) -> str:
        """Its name."""
        return f"segment {self.name!r}"


class BusinessRule(Record):
    """A rule that adds a named line to scores: pin, boost, bury, out of stock, margin."""

    __tablename__ = "business_rules"
    __table_args__ = (UniqueConstraint("dataset", "name"),)

    dataset: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    definition: Mapped[Json]
    definition_version: Mapped[int]
    """Version of the form of `definition`."""
    active: Mapped[bool]
    note: Mapped[str]

    @property
    def scope(self) -> str:
        """Its data set."""
        return self.dataset

    @property
    def called(self) -> str:
        """Its name."""
        return f"rule {self.name!r}"


class CheckResult(Record):
    """What the checks of one file found in one run."""

    __tablename__ = "check_results"

    dataset: Mapped[str] = mapped_column(index=True)
    run_id: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    """Of the set of checks."""
    passed: Mapped[int]
    failed: Mapped[int]
    results: Mapped[list[Any]]
    """One object per check."""

    @property
    def scope(self) -> str:
        """Its run."""
        return self.run_id


class Experiment(Record):
    """A test put to people: what they are shown is fixed when it is made, so that all see the same."""

    __tablename__ = "experiments"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint(f"kind IN ({', '.join(map(repr, JUDGEMENT_KINDS))})", name="kind"),
    )

    name: Mapped[str]
    kind: Mapped[str]
    dataset: Mapped[str]
    runs: Mapped[dict[str, str]]
    """Role to run id."""
    content: Mapped[Json]
    """Cases with all that is shown, and how they were drawn; see `guidedrec_core.judging.content.Content`."""
    is_open: Mapped[bool]
    """Whether answers are taken."""

    @property
    def scope(self) -> str:
        """The test itself."""
        return self.id

    @property
    def called(self) -> str:
        """Its name."""
        return f"test {self.name!r}"


class Judge(Record):
    """One person in one experiment, with the cases that are theirs; `created_by` is the person."""

    __tablename__ = "judges"
    __table_args__ = (UniqueConstraint("experiment_id", "key"), UniqueConstraint("experiment_id", "number"))

    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id"), index=True)
    key: Mapped[str]
    """The name without regard to case, by which they are known when they come back."""
    number: Mapped[int]
    """From 0, in the order in which people began."""
    plan: Mapped[list[Any]]
    """Their cases in order, each with arm and side; see `guidedrec_core.judging.design.Slot`."""

    @property
    def scope(self) -> str:
        """Its experiment."""
        return self.experiment_id

    @property
    def called(self) -> str:
        """The person."""
        return f"the judge {self.created_by!r}"


class Judgement(Record):
    """One answer of one person in a taste test or a prediction test; `created_by` is the person."""

    __tablename__ = "judgements"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(map(repr, JUDGEMENT_KINDS))})", name="kind"),
        # An index, because SQLite cannot add a constraint to a table.
        Index("uq_judgements_judge_id_case_id", "judge_id", "case_id", unique=True),
    )

    kind: Mapped[str]
    experiment: Mapped[str] = mapped_column(index=True)
    """Id of the experiment that the answer counts for."""
    dataset: Mapped[str]
    runs: Mapped[dict[str, str]]
    """Role to run id."""
    case: Mapped[Json]
    """What was shown: user, items or lists."""
    arm: Mapped[str]
    """The condition, e.g. ``none``, ``explanation``, ``placebo``; empty in a taste test."""
    answer: Mapped[str]
    """What was chosen: a recommender's role, or an item id; empty when the case was skipped."""
    probability: Mapped[float | None]
    """How sure the person was, 0..1."""
    correct: Mapped[bool | None]
    judge_id: Mapped[str | None]
    """Id of the judge; nobody answers a case twice."""
    case_id: Mapped[str | None]
    """Id of the case within the experiment."""
    position: Mapped[int | None]
    """Place in the order in which the person saw the cases, from 0."""
    side: Mapped[str | None]
    """Where the first recommender's list, or the recommended item, stood: ``left`` or ``right``."""

    @property
    def scope(self) -> str:
        """Its experiment."""
        return self.experiment


class Change(Base):
    """One version of one record. Rows are only added: the database refuses to change or delete them."""

    __tablename__ = "changes"
    __table_args__ = {"sqlite_autoincrement": True}

    number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    """Counts up; the order in which changes were made."""
    record: Mapped[str] = mapped_column(index=True)
    """Name of the table."""
    record_id: Mapped[str] = mapped_column(index=True)
    scope: Mapped[str] = mapped_column(index=True)
    """See `Record.scope`."""
    action: Mapped[str]
    who: Mapped[str]
    at: Mapped[datetime]
    why: Mapped[str]
    before: Mapped[Json | None]
    after: Mapped[Json | None]


class ImportedFile(Base):
    """A file of an earlier version of guidedrec whose content is in the database."""

    __tablename__ = "imported_files"

    path: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger())
    """Bytes that were read."""
    sha256: Mapped[str]
    """Of these bytes."""
    records: Mapped[int]
    at: Mapped[datetime]
