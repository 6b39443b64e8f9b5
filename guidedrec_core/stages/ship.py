"""Making the runs that ship with the package (see `guidedrec_core.runs.shipped`): ``make sample``."""

import logging
import shutil
import tempfile
from pathlib import Path

from guidedrec_core.config import BuildConfig
from guidedrec_core.data.bundled import BUNDLED, build_settings, sample_data
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages.pipeline import build

_log = logging.getLogger(__name__)


def ship(name: str, folder: Path, listener: Listener = silent) -> None:
    """Build a bundled data set from nothing, and let its runs take the place of those in a folder.

    Parameters
    ----------
    name : str
        The data set.
    folder : pathlib.Path
        Where its runs ship from; replaced as a whole, and only when the build is done.
    listener : callable
        Hears the progress of each stage.
    """
    with tempfile.TemporaryDirectory() as home:
        store = RunStore(Path(home))
        build(store, name, BuildConfig.parse(build_settings(name)), listener=listener)
        new = folder.with_name(f".new-{folder.name}")
        shutil.rmtree(new, ignore_errors=True)
        # Nothing but the runs: neither checkpoints nor locks.
        RunStore(new).copy_missing(store)
        (new / ".lock").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)


def main() -> None:
    """Make the runs of every bundled data set anew."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name in BUNDLED:
        ship(name, sample_data() / name / "runs", _say)


def _say(event: Progress) -> None:
    _log.info("%s: %s %s", event.stage, event.message, event.metric)


if __name__ == "__main__":
    main()
