"""Rules in the database: kept with who and when, in their order, and never overwritten by the second of two."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from guidedrec_core.database.tables import BusinessRule
from guidedrec_core.errors import ConfigError, ConflictError, InputError, NotFoundError
from guidedrec_core.rules.rule import Rule, RuleSet
from guidedrec_core.rules.storage import read_rules
from guidedrec_core.rules.store import RuleStore, change_words

FILE = """
version = 1
[[rules]]
name = "Zürich tents"
kind = "boost"
items = "tents and warmth at least 7"
users = "never chosen tents"
strength = 4
author = "Ana"
time = 2026-11-02T09:00:00Z
note = "for <b>winter</b>"
[[rules]]
name = "Seven on top"
kind = "pin"
items = {kind = "items", ids = ["item-07"]}
place = 2
count = 3
author = "Ben"
time = 2026-10-01T08:30:15Z
on = false
[[rules]]
name = "Dear"
kind = "margin"
column = "price"
items = "price over 0"
author = "Ana"
time = 2026-11-03T09:00:00Z
"""
TENTS = Rule(name="Tents", kind="boost", items="tents", strength=4, on=False)


@pytest.fixture
def store(database_home: Path) -> RuleStore:
    return RuleStore(database_home, "tiny")


def test_a_rule_comes_back_as_it_was_stored_with_who_and_when(store: RuleStore) -> None:
    before = datetime.now(UTC)
    made = store.add(TENTS, "Ana")
    assert made.rule.model_copy(update={"author": "", "time": None}) == TENTS
    assert (made.rule.author, made.written.created_by, made.written.version) == ("Ana", "Ana", 1)
    assert before <= made.written.created_at <= datetime.now(UTC)
    assert store.list() == (made,) == (store.find("Tents"),)
    assert store.rule_set().on == ()
    on = store.switch(made, True, "Ben", "the season begins")
    assert (on.rule.on, on.rule.author, on.written.created_by, on.rule.time) == (
        True, "Ben", "Ana", on.written.changed_at,
    )  # fmt: skip
    stronger = store.change(on, TENTS.model_copy(update={"strength": 9, "name": "All tents"}), "Cid")
    assert (stronger.rule.name, stronger.rule.strength, stronger.rule.on) == ("All tents", 9, True)
    store.delete(stronger, "Ana", "over")
    assert store.list() == ()
    assert [(one.who, change_words(one)) for one in store.history()] == [
        ("Ana", "added"),
        ("Ben", "switched on: the season begins"),
        ("Cid", "renamed from “Tents”, changed its strength"),
        ("Ana", "deleted: over"),
    ]
    assert [one.record_id for one in store.history(made.id)] == [made.id] * 4


def test_of_two_who_edit_a_rule_the_second_is_told_and_nothing_is_overwritten(store: RuleStore) -> None:
    seen = store.add(TENTS, "Ana")
    on = store.switch(seen, True, "Ben")
    for step in (
        lambda: store.switch(seen, True, "Cid"),
        lambda: store.change(seen, TENTS.model_copy(update={"strength": 9}), "Cid"),
        lambda: store.delete(seen, "Cid"),
    ):
        with pytest.raises(ConflictError, match=r"Ben changed rule 'Tents' on .* nothing was overwritten"):
            step()
    assert store.list() == (on,)
    store.delete(on, "Ben")
    with pytest.raises(ConflictError, match="Ben deleted it"):
        store.switch(on, False, "Cid")


def test_files_move_into_the_database_without_loss(store: RuleStore, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(FILE, encoding="utf-8")
    rules = read_rules(path)
    store.add(TENTS, "Zoë")
    store.import_rules(rules, "Dan", "rules.toml")
    assert RuleSet(rules=store.rule_set().rules[1:]) == rules
    later = store.add(TENTS.model_copy(update={"name": "Later"}), "Zoë")
    assert store.rule_set().names == ("Tents", *rules.names, "Later")
    first = store.find("Zürich tents")
    changed = first.rule.model_copy(update={"note": "new"})
    store.change(first, changed, "Eve")
    assert store.rule_set().names == ("Tents", *rules.names, "Later")  # a change keeps the place
    assert change_words(store.history(first.id)[0]) == "imported from rules.toml by Dan"
    assert store.history(first.id)[0].at == rules.rules[0].time
    store.delete(later, "Zoë")
    with pytest.raises(InputError, match="rule 'Zürich tents' already exists"):
        store.import_rules(RuleSet(rules=(TENTS.model_copy(update={"name": "New"}), rules.rules[0])), "Dan")
    assert store.rule_set().names == ("Tents", *rules.names)  # all or nothing


def test_names_and_data_sets_are_kept_apart(store: RuleStore, database_home: Path) -> None:
    store.add(TENTS, "Ana")
    other = RuleStore(database_home, "other")
    assert other.list() == other.history() == ()
    other.add(TENTS, "Ana")
    with pytest.raises(InputError, match="rule 'Tents' already exists"):
        store.add(TENTS, "Ben")
    with pytest.raises(InputError, match="enter your name"):
        store.add(TENTS.model_copy(update={"name": "B"}), " ")
    with pytest.raises(NotFoundError, match="tiny has no rule 'Tent'; there are 'Tents'"):
        store.find("Tent")


def test_a_rule_of_a_newer_version_is_not_misread(store: RuleStore) -> None:
    made = store.add(TENTS, "Ana")
    with store.database.write("Ann") as write:
        write.change(BusinessRule, made.id, {"definition_version": 2}, None)
    with pytest.raises(ConfigError, match=r"form 2.*update guidedrec"):
        store.list()


def test_reading_makes_no_database(own_home: Path) -> None:
    store = RuleStore(own_home, "tiny")
    assert store.list() == store.history() == ()
    assert not own_home.exists()
