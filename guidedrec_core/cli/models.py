"""Which refined run a command reads, and the options that choose it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.session import Session
from guidedrec_core.errors import NotFoundError

if TYPE_CHECKING:
    from guidedrec_core.library import RefinedEntry
    from guidedrec_core.runs import RunStore


def model_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the data set, ``--run``, ``--model`` and ``--k``."""
    for option in reversed(
        (
            click.argument("dataset", required=False),
            click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the newest]"),
            click.option(
                "--model",
                type=click.Choice(["base", "refined"]),
                default="refined",
                show_default=True,
                help="The refined run's model, or the base model it refines.",
            ),
            click.option(
                "--k", type=click.IntRange(min=1), default=10, show_default=True, help="Recommendations for each user."
            ),
        )
    ):
        command = option(command)
    return command


def choose_entry(session: Session, store: "RunStore", dataset: str | None, run_id: str | None) -> "RefinedEntry":
    """Return the refined run asked for; the newest, of the data set or of all, when none is.

    Raises
    ------
    NotFoundError
        There is no such run; the message says what to do.
    """
    from guidedrec_core.library import find_entry, refined_entries

    if dataset is not None:
        entry = find_entry(store, dataset, run_id)
    else:
        entries = refined_entries(store)
        if not entries:
            raise NotFoundError(
                f"there is no refined run in {store.home} yet; `guidedrec build fernway` makes one of the bundled shop"
            )
        chosen = next((entry for entry in entries if run_id in (None, entry.run.id)), None)
        if chosen is None:
            raise NotFoundError(f"run {run_id!r} is not a refined run (any more); `guidedrec runs list` shows all")
        entry = chosen
    if run_id is None:
        session.note(f"using the newest refined run, {entry.run.id} of data set {entry.data.config['name']}")
    return entry
