"""The rules of a data set in the database: who made, changed and switched them, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from guidedrec_core.data.dataset import check_name
from guidedrec_core.database.database import Database, Write, plain
from guidedrec_core.database.place import anything_stored
from guidedrec_core.database.tables import BusinessRule, Change
from guidedrec_core.errors import ConfigError, NotFoundError
from guidedrec_core.rules.rule import Rule, RuleSet
from guidedrec_core.studies.study import Written

FORM = 1
"""Version of the form of stored definitions."""
_OWN_COLUMNS = {"name", "kind", "on", "note", "author", "time"}
"""What of a rule has a column of its own, or follows from who changed the row last."""


@dataclass(frozen=True)
class StoredRule:
    """A rule as it is stored.

    Attributes
    ----------
    id : str
        Identifies it for good, also when its name changes.
    dataset : str
        Name of the data set.
    rule : Rule
        The rule; its `author` and `time` are those of the last change.
    written : Written
        Who wrote it and when.
    """

    id: str
    dataset: str
    rule: Rule
    written: Written


class RuleStore:
    """The rules of one data set. Any number of people and processes may work on them at once.

    Whoever changes, switches or deletes a rule passes what they have seen of it; if somebody else was quicker, a
    `ConflictError` says who and when, and nothing is overwritten. Rules belong to a data set and not to a run, so that
    they survive every retraining.

    Parameters
    ----------
    home : pathlib.Path
        The run store's folder.
    dataset : str
        Name of the data set.

    Examples
    --------
    >>> import tempfile
    >>> rules = RuleStore(Path(tempfile.mkdtemp()), "fernway")
    >>> made = rules.add(Rule(name="Winter jackets", kind="boost", items="jackets", on=False), "Ana")
    >>> rules.rule_set().on
    ()
    >>> rules.switch(made, True, "Ben").rule.author
    'Ben'
    >>> [(change.who, change.action) for change in rules.history()]
    [('Ana', 'created'), ('Ben', 'changed')]
    """

    def __init__(self, home: Path, dataset: str) -> None:
        check_name(dataset)
        self.home = home
        self.dataset = dataset

    @property
    def database(self) -> Database:
        """The database of the home."""
        return Database(self.home)

    def list(self) -> tuple[StoredRule, ...]:
        """Return all rules in their order, which decides between pins that want the same place.

        Raises
        ------
        ConfigError
            A rule was stored by a newer version.
        """
        if not anything_stored(self.home):
            return ()
        with self.database.read() as session:
            return tuple(map(_stored, _rows(session, self.dataset)))

    def rule_set(self) -> RuleSet:
        """Return all rules in their order, as `preview_rules` and `adjustments` take them."""
        return RuleSet(rules=tuple(one.rule for one in self.list()))

    def find(self, name: str) -> StoredRule:
        """Return a rule by its name.

        Raises
        ------
        NotFoundError
            There is none of this name.
        """
        found = self.list()
        for one in found:
            if one.rule.name == plain(name).strip():
                return one
        there = ", ".join(repr(one.rule.name) for one in found) or "none"
        raise NotFoundError(f"data set {self.dataset} has no rule {name!r}; there are {there}")

    def add(self, rule: Rule, who: str) -> StoredRule:
        """Store a rule after all others; its author and time do not count.

        Raises
        ------
        InputError
            There is one of this name, or the author is blank.
        """
        with self.database.write(who) as write:
            return _stored(self._add(write, rule, _next_position(write.session, self.dataset)))

    def change(self, seen: StoredRule, rule: Rule, who: str, why: str = "") -> StoredRule:
        """Replace a rule by another one, which keeps its place in the order.

        Parameters
        ----------
        seen : StoredRule
            What the author has seen.
        rule : Rule
            What it shall be.
        who, why : str
            Who changes it, and the reason, for the history.

        Raises
        ------
        ConflictError
            Somebody has changed or deleted it since `seen` was read.
        InputError
            The new name is taken, or the author is blank.
        """
        with self.database.write(who) as write:
            row = write.seen(BusinessRule, seen.id, seen.written.version)
            values = _columns(rule, int(row.definition["position"]))
            return _stored(write.change(BusinessRule, seen.id, values, seen.written.version, why))

    def switch(self, seen: StoredRule, on: bool, who: str, why: str = "") -> StoredRule:
        """Switch a rule on or off; errors as `change`."""
        with self.database.write(who) as write:
            return _stored(write.change(BusinessRule, seen.id, {"active": on}, seen.written.version, why))

    def delete(self, seen: StoredRule, who: str, why: str = "") -> None:
        """Delete a rule; the history keeps what it was. Errors as `change`."""
        with self.database.write(who) as write:
            write.remove(BusinessRule, seen.id, seen.written.version, why)

    def import_rules(self, rules: RuleSet, who: str, source: str = "a file") -> tuple[StoredRule, ...]:
        """Store the rules of a file, all or none, after those there are.

        Order, states and notes are kept, and the author and time of each rule that names them.

        Parameters
        ----------
        rules : RuleSet
            From `read_rules`.
        who : str
            Who imports them; the author of those that name none.
        source : str
            Where they come from, for the history.

        Raises
        ------
        InputError
            There is one of a name already, or the author is blank.
        """
        with self.database.write(who) as write:
            first = _next_position(write.session, self.dataset)
            why = f"imported from {source} by {write.who}"
            rows = [self._add(write, rule, first + n, why, kept=True) for n, rule in enumerate(rules.rules)]
            return tuple(map(_stored, rows))

    def history(self, rule_id: str | None = None) -> tuple[Change, ...]:
        """Return every change of a rule, or of all of this data set, oldest first, also of what is deleted."""
        if not anything_stored(self.home):
            return ()
        return self.database.history(record=BusinessRule, record_id=rule_id, scope=self.dataset)

    def _add(self, write: Write, rule: Rule, position: int, why: str = "", kept: bool = False) -> BusinessRule:
        row = BusinessRule(dataset=self.dataset, **_columns(rule, position), active=rule.on)
        return write.add(row, why, rule.author, rule.time) if kept else write.add(row, why)


def change_words(change: Change) -> str:
    """Say in a few words what a change of a rule did.

    Returns
    -------
    str
        E.g. "switched on", "renamed, changed its items", "imported from rules.toml by Ana".
    """
    before, after = change.before, change.after
    if before is None:
        return change.why or "added"
    if after is None:
        return "deleted" + (f": {change.why}" if change.why else "")
    said = []
    if before["name"] != after["name"]:
        said.append(f"renamed from “{before['name']}”")
    old, new = ({**row["definition"], "kind": row["kind"], "note": row["note"]} for row in (before, after))
    said += [f"changed its {name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    if before["active"] != after["active"]:
        said.append("switched on" if after["active"] else "switched off")
    return ", ".join(said or ["saved without a change"]) + (f": {change.why}" if change.why else "")


def _columns(rule: Rule, position: int) -> dict[str, Any]:
    """Return what is stored of a rule; its state is a column that `switch` alone changes."""
    definition = rule.model_dump(mode="json", exclude=_OWN_COLUMNS, exclude_none=True)
    return {
        "name": rule.name,
        "kind": rule.kind,
        "definition": {**definition, "position": position},
        "definition_version": FORM,
        "note": rule.note,
    }


def _stored(row: BusinessRule) -> StoredRule:
    """Read a row."""
    if row.definition_version != FORM:
        raise ConfigError(
            f"expected rules of form {FORM}, but {row.name!r} has form {row.definition_version}; it was stored by "
            "another version of guidedrec: update guidedrec"
        )
    definition = {name: value for name, value in row.definition.items() if name != "position"}
    rule = Rule.parse(
        {
            **definition, "name": row.name, "kind": row.kind, "on": row.active, "note": row.note,
            "author": row.changed_by[:200], "time": row.changed_at,
        }
    )  # fmt: skip
    written = Written.of(row)
    return StoredRule(row.id, row.dataset, rule, written)


def _rows(session: Session, dataset: str) -> Iterable[BusinessRule]:
    """Return the rows of a data set in their order."""
    rows = session.scalars(select(BusinessRule).where(BusinessRule.dataset == plain(dataset))).all()
    return sorted(rows, key=lambda row: (int(row.definition.get("position", 0)), row.created_at, row.id))


def _next_position(session: Session, dataset: str) -> int:
    """Return the place after the last rule."""
    return 1 + max((int(row.definition.get("position", 0)) for row in _rows(session, dataset)), default=-1)
