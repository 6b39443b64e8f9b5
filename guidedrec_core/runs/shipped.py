"""Runs that ship with the package: a bundled data set that is built already.

They lie in ``sample_data/<name>/runs`` in the form of a store, and ``make sample`` makes them. They are copied into a
home and not read where they lie: so all that is made from them stays whole when another version of the package ships
others, and they are listed, checked and deleted like any run.
"""

import logging

from guidedrec_core.data.bundled import BUNDLED, sample_data
from guidedrec_core.errors import RunCorruptError
from guidedrec_core.runs.store import RunStore

_log = logging.getLogger(__name__)


def shipped_runs(name: str) -> RunStore | None:
    """Return the store of the runs that ship for a bundled data set; None where none ship."""
    if name not in BUNDLED:
        return None
    folder = sample_data() / name / "runs"
    return RunStore(folder) if folder.is_dir() else None


def bring_shipped(store: RunStore, name: str) -> bool:
    """Copy a data set's shipped runs into a store, as far as they are missing there.

    Parameters
    ----------
    store : RunStore
        The user's home.
    name : str
        Any data set.

    Returns
    -------
    bool
        Whether they are there now. False where none ship, or where this version cannot read them: then the data set is
        to be built.

    Raises
    ------
    StorageError
        The store cannot be written.
    """
    source = shipped_runs(name)
    if source is None:
        return False
    try:
        store.copy_missing(source)
    except RunCorruptError as error:
        _log.warning("the runs that ship for %s cannot be used: %s", name, error)
        return False
    return True
