"""What the stages share: finding equal runs, and making each thing once."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from guidedrec_core.config import BuildConfig
from guidedrec_core.files import check_writable
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.runs.manifest import REVISIONS
from guidedrec_core.runs.store import Run, RunStore

_ROOM = 200_000_000
"""Bytes that must be free before a training starts: its checkpoint, its run, and some air."""

_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Identity:
    """What names the result of a stage: equal identities give equal results.

    Attributes
    ----------
    stage : str
        One of `runs.manifest.STAGES`.
    settings : mapping
        The stage's full configuration as JSON.
    inputs : mapping of str to Run
        What it is made from, by role.
    seed : int or None
        The seed all random choices descend from.
    """

    stage: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, Run]
    seed: int | None

    def find(self, store: RunStore) -> Run | None:
        """Return the stored run that this stage would only repeat."""
        ids = {role: run.id for role, run in self.inputs.items()}
        return store.find(self.stage, self.settings, ids, self.seed, REVISIONS[self.stage])

    def file(self, store: RunStore, suffix: str) -> Path:
        """Return a file for what is on the way to this result."""
        ids = {role: run.id for role, run in self.inputs.items()}
        plain = [self.stage, self.settings, ids, self.seed, REVISIONS[self.stage]]
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
        return store.home / "checkpoints" / f"{self.stage}-{digest[:16]}{suffix}"


@contextlib.contextmanager
def fitted_once(store: RunStore, identity: Identity, listener: Listener, room: int = _ROOM) -> Iterator[Path]:
    """Let one process at a time make this; yield the checkpoint file, which is removed when the result is stored.

    Another process that wants the same waits here. It finds the run afterwards, or goes on from the checkpoint if the
    first one was killed, as the system releases a dead process's lock.

    Raises
    ------
    StorageError
        The folder of runs cannot be written, or is nearly full.
    """
    checkpoint, own_lock = identity.file(store, ".safetensors"), identity.file(store, ".lock")
    check_writable(checkpoint.parent, room)
    lock = filelock.FileLock(own_lock)
    while True:
        try:
            lock.acquire(timeout=_LOOK_SECONDS)
            break
        except filelock.Timeout:
            listener(Progress(identity.stage, message="another process is doing the same; waiting for its result"))
    try:
        yield checkpoint
        checkpoint.unlink(missing_ok=True)
        own_lock.unlink(missing_ok=True)  # the result is stored, so those who wait have nothing left to do
    finally:
        lock.release()


def made_once(
    store: RunStore, identity: Identity, make: Callable[[Path], Run], listener: Listener = silent, room: int = _ROOM
) -> Run:
    """Return the stored run of this identity; where there is none, let one process make it and the others wait.

    Parameters
    ----------
    store : RunStore
        Where it is found and stored.
    identity : Identity
        What is wanted.
    make : callable
        Makes and stores it; takes a file for what is on the way to it.
    listener : callable
        Hears that another process is doing the same.
    room : int
        Bytes that must be free before it begins.

    Raises
    ------
    StorageError
        The folder of runs cannot be written, or has less room.
    """
    found = identity.find(store)
    if found is not None:
        return found
    with fitted_once(store, identity, listener, room) as checkpoint:
        found = identity.find(store)  # made by whom this process has waited for
        return make(checkpoint) if found is None else found


def config_of(base: Run, refined: Run) -> BuildConfig:
    """Return the settings that a refined run was made with; split and encoder are its base's."""
    return BuildConfig.parse(
        {
            "split": base.config["split"],
            "encoder": base.config["encoder"],
            "training": refined.config["training"],
            "refinement": refined.config["refinement"],
            "seed": refined.seed,
        }
    )


def sha256(content: bytes) -> str:
    """Return the hexadecimal checksum of some bytes."""
    return hashlib.sha256(content).hexdigest()
