"""Named what-ifs: they come back as they were, survive what happens to files, and say what no longer exists."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.cases.what_ifs import WhatIf, WhatIfStore
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import InputError, NotFoundError
from guidedrec_core.explanation.steering.steer import Steering

RUN = "20260101-000000-abcdef"
SCHEMA = AttributeSchema(
    attributes=tuple(Attribute(name=name, low="little", high="much") for name in ("warmth", "ruggedness", "comfort"))
)
ITEMS = Vocabulary(["tent", "stove", "socks", "flask"], "item")
STEERING = Steering(pulls=(1.5, 0.0, -0.5), removed=(2,), added=(0, 3))


@pytest.fixture
def store(tmp_path: Path) -> WhatIfStore:
    return WhatIfStore(tmp_path, RUN)


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


def test_the_newest_comes_first_and_runs_have_their_own(store: WhatIfStore, tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for age, name in ((2, "old"), (0, "new"), (1, "middle")):
        store.save(what_if(name).model_copy(update={"created": now - timedelta(hours=age)}))
    assert [one.name for one in store.list().what_ifs] == ["new", "middle", "old"]
    assert WhatIfStore(tmp_path, "20260101-000000-ffffff").list().what_ifs == ()


def test_a_name_is_taken_once_for_each_user(store: WhatIfStore) -> None:
    store.save(what_if())
    store.save(what_if(user="somebody else"))
    with pytest.raises(InputError, match="already has a scenario 'warmer'; choose another name"):
        store.save(what_if(steering=Steering()))
    assert store.load("Zoë 7", "warmer").added == ("tent", "flask")
    assert [path.suffix for path in store.folder.iterdir()] == [".json", ".json"]  # nothing temporary is left


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
        (lambda good: broken(good, name="another"), "not that of its content"),
        (lambda good: " " * 1_000_001, "too many"),
    ],
)
def test_a_broken_file_is_named_and_skipped(store: WhatIfStore, change, reason: str) -> None:  # type: ignore[no-untyped-def]
    store.save(what_if("good"))
    (good,) = store.folder.iterdir()
    store.save(what_if("bad"))
    (bad,) = set(store.folder.iterdir()) - {good}
    bad.write_text(change(json.loads(bad.read_text())))
    kept = store.list()
    assert [one.name for one in kept.what_ifs] == ["good"]
    (problem,) = kept.problems
    assert bad.name in problem
    assert reason in problem
    with pytest.raises(InputError, match="delete it, and save it again"):
        store.load("Zoë 7", "bad")
    assert bad.exists()


def test_whoever_is_killed_while_saving_leaves_whole_files(store: WhatIfStore, tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom datetime import UTC, datetime\n"
        "from guidedrec_core.cases.what_ifs import WhatIf, WhatIfStore\n"
        f"store = WhatIfStore(Path({str(tmp_path)!r}), {RUN!r})\n"
        "for number in range(10**6):\n"
        "    store.save(WhatIf(name=f'{number}', user_id='u', added=('x',) * 500, created=datetime.now(UTC)))\n"
        "    print(number, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(25):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    said = process.stdout.read().split()
    process.wait()
    kept = store.list()
    assert kept.problems == ()
    assert len(kept.what_ifs) >= 25 + len(said)
    assert all(len(one.added) == 500 for one in kept.what_ifs)
    store.save(what_if())  # and what it left lying about is in nobody's way


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
