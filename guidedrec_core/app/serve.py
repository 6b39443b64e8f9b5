"""Starting the app's server, from a clone or from an installed package: what ``guidedrec app`` runs."""

import importlib
import sys
import threading
import time
from pathlib import Path

from streamlit import runtime
from streamlit.web import cli as streamlit

from guidedrec_core.errors import GuidedrecError

SCRIPT = "app.py"
"""The first page; ``pages/`` and ``.streamlit/config.toml`` are in the same folder."""

_APP = Path(__file__).resolve().parent
_FIRST_PAGE = ("guidedrec_core.app.overview", "guidedrec_core.figures.overview")
_LOOK_SECONDS = 0.02
_LISTEN_SECONDS = 0.2


def site() -> Path:
    """Return the folder of the pages: inside an installed package, the repository's root in a clone.

    Raises
    ------
    GuidedrecError
        Neither is there.
    """
    folders = (_APP / "site", _APP.parents[1])
    for folder in folders:
        if (folder / SCRIPT).is_file() and (folder / "pages").is_dir():
            return folder
    raise GuidedrecError(
        f"expected the app's pages in {folders[0]} or {folders[1]}, found neither; install guidedrec again"
    )


def serve(options: list[str]) -> None:
    """Serve the app until it is interrupted.

    Parameters
    ----------
    options : list of str
        Options of `streamlit run`.
    """
    threading.Thread(target=_import_first_page, name="page imports", daemon=True).start()
    streamlit.main(["run", str(site() / SCRIPT), *options], prog_name="streamlit", standalone_mode=False)


def _import_first_page() -> None:
    """Import what the first page needs as soon as the server is up: meanwhile the browser loads its own part."""
    while not runtime.exists():
        time.sleep(_LOOK_SECONDS)
    time.sleep(_LISTEN_SECONDS)
    for name in _FIRST_PAGE:
        importlib.import_module(name)


if __name__ == "__main__":
    serve(sys.argv[1:])
