"""Named what-ifs: they come back as they were, survive what happens to files, and say what no longer exists."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.cases.what_ifs import WhatIf, WhatIfStore
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import InputError, NotFoundError, StorageError
from guidedrec_core.explanation.steering.steer import Steering

RUN = "20260101-000000-abcdef"
SCHEMA = AttributeSchema(
    attributes=tuple(Attribute(name=name, low="little", high="much") for name in ("warmth", "ruggedness", "comfort"))
)
ITEMS = Vocabulary(["tent", "stove", "socks", "flask"], "item")
STEERING = Steering(pulls=(1.5, 0.0, -0.5), removed=(2,), added=(0, 3))


@pytest.fixture
def store(database_home: Path) -> WhatIfStore:
    return WhatIfStore(database_home, RUN)


def what_if(name: str = "warmer", user: str = "Zoë 7", steering: Steering = STEERING) -> WhatIf:
    return WhatIf.of(name, user, steering, SCHEMA, ITEMS)


def test_it_comes_back_as_it_was(store: WhatIfStore) -> None:
    assert store.list().what_ifs == ()
    store.save(what_if("  warmer,\n please "))
    loaded = store.load("Zoë 7", "warmer, please")
    assert store.list().what_ifs == (loaded,)
    assert loaded.pulls == {"warmth": 1.5, "comfort": -0.5}
    assert (loaded.removed, loaded.added) == (("socks",), ("tent", "flask"))
    assert loaded.steering(SCHEMA, ITEMS) == (STEERING, ())
    assert loaded.created.utcoffset() == timedelta(0)


def test_indexes_may_change_and_what_is_gone_is_named() -> None:
    other = AttributeSchema(attributes=SCHEMA.attributes[::-1][:2])  # comfort, ruggedness
    steering, gone = what_if().steering(other, Vocabulary(["flask", "socks"], "item"))
    assert steering == Steering(pulls=(-0.5, 0.0), removed=(1,), added=(0,))
    assert gone == ("attribute warmth", "item tent")


def test_the_newest_comes_first_and_runs_have_their_own(store: WhatIfStore) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for age, name in ((2, "old"), (0, "new"), (1, "middle")):
        store.save(what_if(name).model_copy(update={"created": now - timedelta(hours=age)}))
    assert [one.name for one in store.list().what_ifs] == ["new", "middle", "old"]
    assert WhatIfStore(store.home, "20260101-000000-ffffff").list().what_ifs == ()


def test_a_name_is_taken_once_for_each_user(store: WhatIfStore) -> None:
    store.save(what_if())
    store.save(what_if(user="somebody else"))
    with pytest.raises(InputError, match="already has a scenario 'warmer'; choose another name"):
        store.save(what_if(steering=Steering()))
    assert store.load("Zoë 7", "warmer").added == ("tent", "flask")


def test_deleting(store: WhatIfStore) -> None:
    store.save(what_if())
    store.delete("Zoë 7", "warmer")
    assert store.list().what_ifs == ()
    with pytest.raises(NotFoundError, match="scenario 'warmer' of Zoë 7 no longer exists"):
        store.delete("Zoë 7", "warmer")
    with pytest.raises(NotFoundError, match="scenario 'warmer' of Zoë 7 no longer exists"):
        store.load("Zoë 7", "warmer")


@pytest.mark.parametrize("name", ["", " \n ", "x" * 81])
def test_names_have_a_length(name: str) -> None:
    with pytest.raises(InputError, match="1 to 80 characters"):
        what_if(name)


@pytest.mark.parametrize("run_id", ["", "..", "../../etc", "20260101-000000-abcdef/.."])
def test_a_run_id_is_no_path(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(InputError, match="expected a run id"):
        WhatIfStore(tmp_path, run_id)


def broken(content: dict[str, object], **changes: object) -> str:
    return json.dumps({**content, **changes})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda good: "", "EOF"),
        (lambda good: json.dumps(good)[:40], "EOF"),
        (lambda good: "[]", "object"),
        (lambda good: broken(good, pulls={"warmth": 1e9}), "less than or equal to 3"),
        (lambda good: broken(good, pulls={"warmth": "nan"}), "pulls.warmth"),
        (lambda good: broken(good, extra=1), "extra"),
        (lambda good: broken(good, created="yesterday"), "created"),
        (lambda good: broken(good, added=[7]), "added.0"),
        (lambda good: " " * 1_000_001, "too many"),
    ],
)
def test_a_broken_file_of_an_earlier_version_is_named_and_left_alone(
    store: WhatIfStore, change: Callable[[dict[str, object]], str], reason: str
) -> None:
    good, bad = old_file(store.home, what_if("good")), old_file(store.home, what_if("bad"))
    bad.write_text(change(json.loads(bad.read_text())))
    for _ in range(2):
        kept = store.list()
        assert [one.name for one in kept.what_ifs] == ["good"]
        (problem,) = kept.problems
        assert bad.name in problem
        assert reason in problem
    assert bad.exists()
    assert not good.exists()
    assert good.with_name(f"{good.name}.migrated").exists()


def old_file(home: Path, one: WhatIf) -> Path:
    folder = home / "what_ifs" / RUN
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(f"{one.user_id}\0{one.name}".encode()).hexdigest()
    path = folder / f"{digest[:24]}.json"
    path.write_text(one.model_dump_json(indent=2) + "\n")
    return path


def test_files_of_an_earlier_version_move_into_the_database_once(store: WhatIfStore) -> None:
    files = {old_file(store.home, what_if(name)): what_if(name) for name in ("one", "two", "three")}
    first = next(iter(files))
    content = first.read_bytes()
    store.save(what_if("new"), "Ann")
    assert {one.name for one in store.list().what_ifs} == {"one", "two", "three", "new"}
    assert not any(path.exists() for path in files)
    first.write_bytes(content)  # as after a crash between database and renaming
    kept = store.list()
    assert (len(kept.what_ifs), kept.problems) == (4, ())
    assert not first.exists()
    assert store.load("Zoë 7", "one").steering(SCHEMA, ITEMS) == (STEERING, ())


def test_where_the_disk_may_only_be_read_files_count_as_they_are(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_file(own_home, what_if("old"))
    monkeypatch.setattr("guidedrec_core.database.engine.os.access", lambda *_: False)
    store = WhatIfStore(own_home, RUN)
    assert [one.name for one in store.list().what_ifs] == ["old"]
    assert path.exists()
    with pytest.raises(StorageError, match="the disk is read-only"):
        store.save(what_if("new"))


def test_killed_while_files_are_moved_nothing_is_lost_or_doubled(own_home: Path) -> None:
    for number in range(40):
        old_file(own_home, what_if(f"{number}"))
    script = (
        "from pathlib import Path\nfrom guidedrec_core.cases.what_ifs import WhatIfStore\n"
        f"print('go', flush=True)\nWhatIfStore(Path({str(own_home)!r}), {RUN!r}).list()\n"
    )
    for attempt in range(2):
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.5 + 0.5 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    kept = WhatIfStore(own_home, RUN).list()
    assert sorted(int(one.name) for one in kept.what_ifs) == list(range(40))
    assert kept.problems == ()
    assert list((own_home / "what_ifs" / RUN).glob("*.json")) == []


def test_of_many_that_save_one_name_at_once_one_wins(store: WhatIfStore) -> None:
    outcomes: list[str] = []

    def save() -> None:
        try:
            store.save(what_if())
            outcomes.append("saved")
        except InputError:
            outcomes.append("taken")

    threads = [threading.Thread(target=save) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["saved", *["taken"] * 15]
