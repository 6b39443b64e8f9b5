"""``guidedrec app``: the pages in a browser."""

import os
import runpy
import sys

import click

from guidedrec_core.cli.session import Command, Session

_SERVER = "guidedrec_core.app.serve"


@click.command(cls=Command)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="localhost",
    show_default=True,
    help="Address to listen on; 0.0.0.0 lets other machines in.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: 8501, or the next one that is free]"
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.pass_obj
def app(session: Session, host: str, port: int | None, no_browser: bool) -> None:
    """Start the app and open it in a browser.

    It shows the bundled shop and every data set of --home that is built. It runs until you press Ctrl-C. There is no
    password: anyone who reaches the address can see and change everything in it.
    """
    # Pages and jobs run in other threads and processes, and read the home folder from the environment.
    if session.home is not None:
        os.environ["GUIDEDREC_HOME"] = str(session.home.expanduser().absolute())
    options = [f"--server.address={host}"]
    if port is not None:
        options.append(f"--server.port={port}")
    if no_browser:
        options.append("--server.headless=true")
    # The server runs in this process, so that it gets the signals and sets the exit code.
    sys.argv = [_SERVER, *options]
    runpy.run_module(_SERVER, run_name="__main__", alter_sys=True)
