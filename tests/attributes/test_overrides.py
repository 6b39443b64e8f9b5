"""Overrides: kept for ever, whoever writes at once or is killed; the latest word counts where there is a place."""

import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from guidedrec_core.attributes.overrides import Overridden, Override, OverrideLog, apply, current, digest, n_changes
from guidedrec_core.attributes.schema import Attribute, AttributeSchema, Scale
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import ConflictError, DataError, InputError, StorageError, UnknownIdError


def schema(*names: str, highest: float = 10) -> AttributeSchema:
    return AttributeSchema(attributes=[Attribute(name=n, low="l", high="h") for n in names], scale=Scale(max=highest))


ITEMS = Vocabulary(["tent", "stove", "lamp"], "item")
SCORES = GuidedScores(np.array([[1, 7.3], [np.nan, 4], [5, 5]], np.float32), schema("warmth", "price"))


@pytest.fixture
def log(tmp_path: Path) -> OverrideLog:
    return OverrideLog(tmp_path, "shop")


def say(log: OverrideLog, item: str, attribute: str, value: float, scores: GuidedScores = SCORES) -> None:
    log.set(scores, ITEMS, item, attribute, value, "Ann", f"because of {value:g}")


def laid(log: OverrideLog, scores: GuidedScores = SCORES, items: Vocabulary = ITEMS) -> Overridden:
    return apply(current(log.entries()), scores, items)


def test_the_latest_word_stands_and_says_what_it_replaced(log: OverrideLog) -> None:
    say(log, "tent", "price", 2)
    say(log, "stove", "warmth", 9)
    say(log, "tent", "price", 3)
    made = laid(log)
    assert_array_equal(made.scores.values, np.array([[1, 3], [9, 4], [5, 5]], np.float32))
    assert [entry.replaced for entry in log.entries()] == [7.3, None, 2]
    assert made.cells["value"].tolist() == [9, 3]
    assert_array_equal(made.cells["scored"], [np.nan, np.float64(np.float32(7.3))])
    assert made.cells["why"].tolist() == ["because of 9", "because of 3"]
    assert [(n.code, n.count) for n in made.notices] == [("overridden_scores", 2)]
    assert "1 of them missing otherwise" in made.notices[0].message
    assert np.isnan(SCORES.values[1, 0]), "what was scored stays as it is"


def test_what_is_withdrawn_stands_no_more_but_stays_in_the_log(log: OverrideLog) -> None:
    say(log, "tent", "price", 2)
    gone = log.withdraw("tent", "price", "Bob", "a mistake")
    assert (gone.value, gone.replaced, gone.who, gone.why) == (None, 2, "Bob", "a mistake")
    assert_array_equal(laid(log).scores.values, SCORES.values)
    assert laid(log).notices == ()
    with pytest.raises(InputError, match="none in force; `guidedrec score overrides shop`"):
        log.withdraw("tent", "price", "Bob", "a mistake")
    say(log, "tent", "price", 4)
    assert [entry.replaced for entry in log.entries()] == [7.3, 2, 7.3]
    assert len(log.entries()) == 3


def test_what_the_new_scores_have_no_place_for_is_kept_and_counted(log: OverrideLog) -> None:
    say(log, "tent", "price", 2)
    say(log, "stove", "warmth", 9)
    say(log, "lamp", "warmth", 8)
    other = GuidedScores(np.array([[6, 6], [3, 3]], np.float32), schema("glow", "warmth"))
    made = laid(log, other, Vocabulary(["lamp", "tent"], "item"))
    assert_array_equal(made.scores.values, np.array([[6, 8], [3, 3]], np.float32))
    assert [(n.code, n.count) for n in made.notices] == [
        ("overridden_scores", 1),
        ("overrides_unknown_items", 1),
        ("overrides_unknown_attributes", 1),
    ]
    assert dict(zip(made.left_out["item_id"], made.left_out["problem"], strict=True)) == {
        "stove": "unknown_items",
        "tent": "unknown_attributes",
    }
    assert len(laid(log).cells) == 3, "with the scores of before they are all in use again"


def test_a_score_on_another_scale_means_something_else(log: OverrideLog) -> None:
    say(log, "lamp", "warmth", 4)
    fives = GuidedScores(SCORES.values / 2, schema("warmth", "price", highest=5))
    made = laid(log, fives)
    assert_array_equal(made.scores.values, fives.values)
    assert [(n.code, n.count) for n in made.notices] == [("overrides_other_scale", 1)]
    say(log, "lamp", "warmth", 3, fives)
    assert log.entries()[-1].replaced == 2.5, "what counted before was the score"
    assert laid(log, fives).scores.values[2, 0] == 3


def test_only_what_fits_catalogue_schema_and_scale_is_taken_and_never_without_a_reason(log: OverrideLog) -> None:
    with pytest.raises(UnknownIdError, match=r"tend.*did you mean tent"):
        say(log, "tend", "price", 1)
    with pytest.raises(UnknownIdError, match="unknown attribute 'prize'"):
        say(log, "tent", "prize", 1)
    for value in (-0.1, 10.5, float("nan"), float("inf")):
        with pytest.raises(DataError, match="expected a score from 0 to 10 for price"):
            say(log, "tent", "price", value)
    for who, why, missing in (("Ann", " \n", "enter a reason"), ("", "so", "enter your name")):
        with pytest.raises(DataError, match=missing):
            log.set(SCORES, ITEMS, "tent", "price", 1, who, why)
        with pytest.raises(DataError, match=missing):
            log.withdraw("tent", "price", who, why)
    assert log.entries() == ()
    for name in ("../up", "", "a/b"):
        with pytest.raises(DataError, match="data set name"):
            OverrideLog(log.home, name)


def test_any_text_is_kept_in_one_line(log: OverrideLog) -> None:
    text = 'said\n"so" \u2028 {"a": 1}\r\nZoë \udcff'
    log.set(SCORES, ITEMS, "tent", "price", 1, "Zoë", text)
    assert log.entries()[0].why == 'said "so" {"a": 1} Zoë ?'
    assert log.entries()[0].who == "Zoë"


def test_of_two_who_set_one_score_the_second_is_told_and_nothing_is_overwritten(log: OverrideLog) -> None:
    seen = n_changes(log.entries(), "tent", "price")
    log.set(SCORES, ITEMS, "tent", "price", 2, "Ann", "so", seen)
    for step in (
        lambda: log.set(SCORES, ITEMS, "tent", "price", 3, "Bob", "so", seen),
        lambda: log.withdraw("tent", "price", "Bob", "so", seen),
    ):
        with pytest.raises(
            ConflictError, match=r"Ann set the score of tent on price to 2 \(.* nothing was overwritten"
        ):
            step()
    assert [entry.value for entry in log.entries()] == [2]
    log.withdraw("tent", "price", "Bob", "so", n_changes(log.entries(), "tent", "price"))
    with pytest.raises(ConflictError, match=r"Bob withdrew the score of tent"):
        log.set(SCORES, ITEMS, "tent", "price", 3, "Ann", "so", 1)


OLD = [
    Override(
        item_id=item, attribute="price", value=value, scale=SCORES.schema.scale, who=who, why=f"{who}: so",
        when=datetime(2026, 1, 2, 3, 4, number, tzinfo=UTC), replaced=replaced,
    )
    for number, (item, value, who, replaced) in enumerate(
        [("tent", 2.0, "Ann", 7.3), ("lamp", 4.5, "Bob", 5.0), ("tent", None, "Cid", 2.0), ("tent", 3.25, "Ann", 7.3)]
    )
]  # fmt: skip


def old_file(home: Path, entries: list[Override] = OLD) -> Path:
    path = home / "overrides" / "shop.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(entry.model_dump_json() + "\n" for entry in entries))
    return path


def test_a_file_of_an_earlier_version_moves_into_the_database_once_and_whole(database_home: Path) -> None:
    path = old_file(database_home)
    content = path.read_bytes()
    log = OverrideLog(database_home, "shop")
    assert log.entries() == tuple(OLD)
    assert digest(current(log.entries())) == digest(current(OLD)), "runs made with them are found again"
    assert not path.exists()
    assert path.with_name("shop.jsonl.migrated").read_bytes() == content
    path.write_bytes(content)  # as after a crash between database and renaming
    assert log.entries() == tuple(OLD)
    more = [*OLD, OLD[1].model_copy(update={"value": 1.0, "who": "Dee"})]
    old_file(database_home, more)  # an older guidedrec went on with it
    assert log.entries() == tuple(more)
    assert len(list(path.parent.glob("*.migrated*"))) == 3
    log.set(SCORES, ITEMS, "tent", "price", 9, "Eve", "so")
    assert [entry.replaced for entry in log.entries()[-1:]] == [3.25]


def test_a_damaged_line_of_it_is_named_and_the_file_is_left_as_it_is(tmp_path: Path, log: OverrideLog) -> None:
    path = old_file(tmp_path)
    with path.open("a") as file:
        file.write('{"item_id": "tent"}\n')
    content = path.read_bytes()
    for step in (log.entries, lambda: say(log, "tent", "price", 2)):
        with pytest.raises(DataError, match=r"line 5 of .*shop\.jsonl.*attribute: Field required.*mend the line"):
            step()
    assert path.read_bytes() == content
    path.write_bytes(b"".join(content.splitlines(keepends=True)[:4]))
    assert log.entries() == tuple(OLD)


def test_where_the_disk_may_only_be_read_the_file_counts_as_it_is(
    tmp_path: Path, log: OverrideLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_file(tmp_path)
    monkeypatch.setattr("guidedrec_core.database.engine.os.access", lambda *_: False)
    assert log.entries() == tuple(OLD)
    assert [each.name for each in tmp_path.iterdir()] == ["overrides"]
    assert path.exists()
    with pytest.raises(StorageError, match="the disk is read-only"):
        say(log, "tent", "price", 2)


def migrate_slowly(home: Path) -> None:
    OverrideLog(home, "shop").entries()


def test_a_migration_that_is_killed_loses_nothing_and_brings_nothing_twice(tmp_path: Path) -> None:
    many = [OLD[0].model_copy(update={"item_id": f"i{n}", "value": float(n % 10)}) for n in range(400)]
    for attempt in range(4):
        home = tmp_path / str(attempt)
        old_file(home, many)
        process = FORK.Process(target=migrate_slowly, args=(home,))
        process.start()
        deadline = time.monotonic() + 30
        while not (home / "guidedrec.db").exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.16 * attempt)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join(10)
        assert OverrideLog(home, "shop").entries() == tuple(many)
        assert [path.name for path in (home / "overrides").iterdir()] == ["shop.jsonl.migrated"]


def test_a_layer_is_named_by_its_content_not_by_how_it_came_about(tmp_path: Path, log: OverrideLog) -> None:
    say(log, "tent", "price", 2)
    first = digest(current(log.entries()))
    say(log, "stove", "price", 2)
    assert digest(current(log.entries())) != first
    log.withdraw("stove", "price", "Ann", "no")
    assert digest(current(log.entries())) == first


FORK = multiprocessing.get_context("fork")


def write(home: Path, who: str, times: int, said: Any) -> None:
    for number in range(times):
        log = OverrideLog(home, "shop")
        log.set(SCORES, ITEMS, "tent", "price", number * 7 % 10 + 0.1, who, f"reason {number}")
        said.value = number + 1


def start(home: Path, who: str, times: int) -> tuple[Any, Any]:
    """Start a writer in a process of its own; return it, and how many overrides it has been told are written."""
    said = FORK.Value("i", 0, lock=False)
    process = FORK.Process(target=write, args=(home, who, times, said))
    process.start()
    return process, said


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    both = [start(tmp_path, who, 40) for who in ("Ann", "Bob")]
    for process, _ in both:
        process.join(60)
        assert process.exitcode == 0
    entries = OverrideLog(tmp_path, "shop").entries()
    for who in ("Ann", "Bob"):
        assert [e.why for e in entries if e.who == who] == [f"reason {n}" for n in range(40)]
    # Each saw what the one before had written, whoever that was.
    assert [e.replaced for e in entries] == [7.3, *(e.value for e in entries[:-1])]


def test_a_killed_writer_leaves_all_it_said_and_nothing_half(log: OverrideLog) -> None:
    told = 0
    for attempt in range(12):
        process, said = start(log.home, f"writer {attempt}", 1_000_000)
        while said.value < 3:
            time.sleep(0.001)
        time.sleep(0.0013 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        process.join(10)
        told += said.value
        assert told <= len(log.entries()) <= told + 1, "at most the one under way besides"
        told = len(log.entries())
        assert log.entries()[-1].who == f"writer {attempt}"
    say(log, "tent", "price", 1)
    assert log.entries()[-1].who == "Ann"
