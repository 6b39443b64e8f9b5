"""``guidedrec score DATASET --model M --batch`` without ``--wait``: submit, collect, cancel."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.llm_options import LlmChoice, read_schema
from guidedrec_core.cli.output import write_facts, write_json
from guidedrec_core.cli.session import Session

if TYPE_CHECKING:
    from guidedrec_core.config import SplitConfig
    from guidedrec_core.scoring.batch.session import BatchState


@dataclass(frozen=True)
class Batches:
    """How the Batch API is used: not at all, without waiting, waiting for the answers, or cancelling."""

    wanted: bool
    wait: bool
    cancel: bool

    def __post_init__(self) -> None:
        """Refuse conflicting options."""
        if (self.wait or self.cancel) and not self.wanted:
            raise click.UsageError("--wait and --cancel are about batches; add --batch")
        if self.wait and self.cancel:
            raise click.UsageError("--wait and --cancel exclude each other; leave one of them out")


def step_batches(
    session: Session,
    dataset: str,
    attributes: Path | None,
    llm: LlmChoice,
    users: bool,
    split: "SplitConfig",
    batches: Batches,
) -> "BatchState":
    """Submit and collect, or cancel; return at once."""
    from guidedrec_core import stages

    config = llm.config()
    store = session.store()
    data = stages.find_data(store, dataset)
    schema = read_schema(store, data, attributes)
    with session.progress() as listener:
        if batches.cancel:
            return stages.cancel_batches(store, schema, config, listener)
        return stages.advance_batches(store, data, schema, config, listener, users, split)


def write_batches(session: Session, dataset: str, state: "BatchState", cancelled: bool, as_json: bool) -> None:
    """Write what is under way, and how to continue."""
    if as_json:
        counts = {"batches": state.batches, "requests": state.requests, "answered": state.done}
        write_json({"dataset": dataset, "run_id": None, **counts})
        return
    write_facts(
        [
            ("data set", dataset),
            ("batches", f"{state.batches:,} under way at the server"),
            ("requests", f"{state.requests:,} in them, {state.done:,} answered"),
        ]
    )
    if not cancelled:
        session.note("the same command collects what is answered, and stores the scores when all of it is")
    elif state.batches:
        session.note("cancelling takes the server some time; the same command collects what it has answered")
    else:
        session.note("what was answered is kept and will not be paid for again")
