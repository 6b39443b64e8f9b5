"""``guidedrec recommend``: a list for one user, or a table of lists for all."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from guidedrec_core import columns as c
from guidedrec_core.cli.models import model_options, opened
from guidedrec_core.cli.output import json_option, write_json, write_table
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.cli.table_file import RECOMMENDATIONS, out_option, table_file

if TYPE_CHECKING:
    from guidedrec_core.ranking.recommend import History
    from guidedrec_core.stages.system import System

_USERS_AT_ONCE = 1024


@click.command(cls=Command)
@model_options
@click.option("--user", "user_id", metavar="ID", help="Recommend to this user.")
@click.option("--all-users", is_flag=True, help="Recommend to everybody; the table goes to --out.")
@click.option(
    "--history",
    type=click.Choice(["train", "train+valid"]),
    default="train+valid",
    show_default=True,
    help="What the model sees of each user, and never recommends again.",
)
@out_option(RECOMMENDATIONS)
@json_option
@click.pass_obj
def recommend(
    session: Session,
    dataset: str | None,
    run_id: str | None,
    model: str,
    k: int,
    user_id: str | None,
    all_users: bool,
    history: Literal["train", "train+valid"],
    out: Path | None,
    as_json: bool,
) -> None:
    """Recommend items to one user or to everybody.

    DATASET chooses among the refined runs; without it, the newest of all is used.
    """
    if (user_id is None) != all_users:
        raise click.UsageError("expected either --user or --all-users")
    if all_users != (out is not None):
        raise click.UsageError("--all-users and --out belong together; give both, or --user alone")
    with opened(session, dataset, run_id) as system:
        if user_id is not None:
            _for_one(system, user_id, model, k, history, as_json)
        elif out is not None:
            _for_all(session, system, model, k, history, out, as_json)


def _for_one(system: "System", user_id: str, model: str, k: int, history: "History", as_json: bool) -> None:
    """Show one user's list."""
    import numpy as np

    from guidedrec_core.ranking.recommend import recommend as make_lists

    dataset = system.data.dataset
    users = np.array([dataset.users.index(user_id)])
    table = make_lists(system.model(model), model, system.data, users, k, history)
    titles = dataset.catalogue.frame[c.TITLE].to_numpy()[dataset.items.indexes(table[c.ITEM])]
    items = [
        {"item_id": item, "title": title, "rank": int(rank), "score": float(score)}
        for item, title, rank, score in zip(table[c.ITEM], titles, table[c.RANK], table[c.SCORE], strict=True)
    ]
    if as_json:
        write_json({"user_id": user_id, "model": model, "run_id": system.refined_run.id, "items": items})
        return
    rows = [[str(i["rank"]), f"{i['score']:.3f}", str(i["item_id"]), str(i["title"])] for i in items]
    write_table(("rank", "score", "item", "title"), rows)


def _for_all(
    session: Session, system: "System", model: str, k: int, history: "History", out: Path, as_json: bool
) -> None:
    """Write everybody's list into one table."""
    import numpy as np

    from guidedrec_core.progress import StageProgress
    from guidedrec_core.ranking.recommend import recommend as make_lists

    users = np.arange(len(system.data.dataset.users))
    blocks = [users[first : first + _USERS_AT_ONCE] for first in range(0, len(users), _USERS_AT_ONCE)]
    rows = 0
    with session.progress() as listener, table_file(out, RECOMMENDATIONS) as write:
        progress = StageProgress("recommend", len(users), listener)
        for block in blocks:
            table = make_lists(system.model(model), model, system.data, block, k, history)
            write(table)
            rows += len(table)
            progress.done += len(block)
            progress.say(f"{progress.done:,} of {len(users):,} users")
    if as_json:
        facts = {"users": len(users), "rows": rows, "path": out}
        write_json({"model": model, "run_id": system.refined_run.id, **facts})
    else:
        click.echo(f"Wrote {rows:,} recommendations of the {model} model for {len(users):,} users to {out}")
