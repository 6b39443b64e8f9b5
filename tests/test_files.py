"""A disk that is full, read-only or closed is named in one line, wherever something is written."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError

from guidedrec_core import files
from guidedrec_core.attributes.overrides import OverrideLog
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.cases.what_ifs import WhatIf, WhatIfStore
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import StorageError
from guidedrec_core.explanation.steering.steer import Steering
from guidedrec_core.files import check_writable, named_storage_errors
from guidedrec_core.runs.store import RunStore

SCHEMA = AttributeSchema.parse({"attributes": [{"name": "warmth", "low": "cold", "high": "warm"}]})
ITEMS = Vocabulary(["tent", "stove"], "item")


def failing(number: int) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EROFS, "Read-only file system"), "the disk is read-only"),
        (PermissionError(errno.EACCES, "Permission denied"), "may not be written by this user"),
        (SafetensorError("Error while serializing: IoError(Os { code: 30, os error 30 })"), "the disk is read-only"),
    ],
)
def test_what_is_wrong_with_a_disk_is_said_plainly(error: Exception, reason: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=reason) as caught, named_storage_errors(tmp_path):
        raise error
    assert str(tmp_path) in str(caught.value)
    assert "--home" in str(caught.value)


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    for error in (ValueError("x"), FileNotFoundError(errno.ENOENT, "gone"), SafetensorError("damaged header")):
        with pytest.raises(type(error)), named_storage_errors(tmp_path):
            raise error


def test_a_full_disk_is_found_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_writable(tmp_path / "new", 1000)
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(StorageError, match="of free space"):
        check_writable(tmp_path, 10**18)
    monkeypatch.setattr(files.Path, "write_bytes", failing(errno.EROFS))
    with pytest.raises(StorageError, match="the disk is read-only"):
        check_writable(tmp_path)


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(tmp_path)
    monkeypatch.setattr("guidedrec_core.runs.files.sync", failing(errno.ENOSPC))
    with pytest.raises(StorageError, match="the disk is full"), store.create("data", config={}) as writer:
        writer.write_json("facts", {"users": 3})
    assert store.list() == []
    assert list((tmp_path / "data").iterdir()) == []


def test_overrides_and_scenarios_name_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, scores = OverrideLog(tmp_path, "shop"), GuidedScores(np.array([[5.0], [6.0]], np.float32), SCHEMA)
    store = WhatIfStore(tmp_path, "20260102-030405-abcdef")
    monkeypatch.setattr("guidedrec_core.database.engine.os.access", lambda *_: False)
    with pytest.raises(StorageError, match="the disk is read-only"):
        log.set(scores, ITEMS, "tent", "warmth", 7.0, "Ada", "measured")
    assert not log.entries()
    with pytest.raises(StorageError, match="the disk is read-only"):
        store.save(WhatIf.of("warmer", "user", Steering((1.0,)), SCHEMA, ITEMS))
    assert list(tmp_path.iterdir()) == []
