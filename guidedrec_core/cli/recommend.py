"""``guidedrec recommend``: a list for one user, for a new one, or a table of lists for all."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core import columns as c
from guidedrec_core.cli.models import history_option, model_options, opened
from guidedrec_core.cli.output import json_option, write_json, write_table
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.cli.table_file import RECOMMENDATIONS, out_option, table_file

if TYPE_CHECKING:
    import pandas as pd

    from guidedrec_core.data.dataset import Shown
    from guidedrec_core.models.base import ItemScorer
    from guidedrec_core.recommenders.refined import RefinedRecommender

_USERS_AT_ONCE = 1024


@click.command(cls=Command)
@model_options
@click.option("--user", "user_id", metavar="ID", help="Recommend to this user.")
@click.option("--basket", metavar="ID,ID,...", help="Recommend to a new user who has these items, oldest first.")
@click.option("--all-users", is_flag=True, help="Recommend to all users; the table goes to --out.")
@click.option(
    "--unnamed",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    metavar="0..1",
    help="How much of what no name covers counts: with 0, attributes, facts and similar items alone rank.",
)
@history_option
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
    basket: str | None,
    all_users: bool,
    unnamed: float,
    history: "Shown",
    out: Path | None,
    as_json: bool,
) -> None:
    """Recommend items to one user, a new one, or all.

    DATASET chooses among the refined runs; without it, the newest of all is used.
    """
    if (user_id is not None) + (basket is not None) + all_users != 1:
        raise click.UsageError("expected one of --user, --basket and --all-users")
    if all_users != (out is not None):
        raise click.UsageError("--all-users and --out belong together; give both, or --user or --basket alone")
    from guidedrec_core.naming.scorer import NamedScorer

    if model == "base" and unnamed != 1:
        raise click.UsageError("--unnamed goes with the refined model; the base model's scores have no names")
    with opened(session, dataset, run_id, history) as system:
        scorer = system.model(model) if unnamed == 1 else NamedScorer(system.named, unnamed)
        if out is not None:
            _for_all(session, system, scorer, model, k, out, as_json)
        else:
            _for_one(system, scorer, user_id, basket, model, k, as_json)


def _for_one(
    system: "RefinedRecommender",
    scorer: "ItemScorer",
    user_id: str | None,
    basket: str | None,
    model: str,
    k: int,
    as_json: bool,
) -> None:
    """Show one list."""
    import numpy as np

    from guidedrec_core.ranking.recommend import recommend as make_lists
    from guidedrec_core.ranking.recommend import recommend_next

    dataset = system.data.dataset
    if basket is None:
        users = np.array([dataset.users.index(user_id or "")])
        table = make_lists(scorer, model, system.data, users, k)
    else:
        items = dataset.items.indexes([item.strip() for item in basket.split(",") if item.strip()])
        table = recommend_next(scorer, model, system.data, items, k)
    listed = _listed(table, system)
    if as_json:
        write_json({"user_id": user_id, "model": model, "run_id": system.run_id, "items": listed})
        return
    rows = [[str(i["rank"]), f"{i['score']:.3f}", str(i["item_id"]), str(i["title"])] for i in listed]
    write_table(("rank", "score", "item", "title"), rows)


def _listed(table: "pd.DataFrame", system: "RefinedRecommender") -> list[dict[str, object]]:
    """Return a list with its titles, ready for JSON."""
    dataset = system.data.dataset
    titles = dataset.catalogue.frame[c.TITLE].to_numpy()[dataset.items.indexes(table[c.ITEM])]
    return [
        {"item_id": item, "title": title, "rank": int(rank), "score": float(score)}
        for item, title, rank, score in zip(table[c.ITEM], titles, table[c.RANK], table[c.SCORE], strict=True)
    ]


def _for_all(
    session: Session, system: "RefinedRecommender", scorer: "ItemScorer", model: str, k: int, out: Path, as_json: bool
) -> None:
    """Write the lists of all users into one table."""
    import numpy as np

    from guidedrec_core.progress import StageProgress
    from guidedrec_core.ranking.recommend import recommend as make_lists

    users = np.arange(len(system.data.dataset.users))
    blocks = [users[first : first + _USERS_AT_ONCE] for first in range(0, len(users), _USERS_AT_ONCE)]
    rows = 0
    with session.progress() as listener, table_file(out, RECOMMENDATIONS) as write:
        progress = StageProgress("recommend", len(users), listener)
        for block in blocks:
            table = make_lists(scorer, model, system.data, block, k)
            write(table)
            rows += len(table)
            progress.done += len(block)
            progress.say(f"{progress.done:,} of {len(users):,} users")
    if as_json:
        facts = {"users": len(users), "rows": rows, "path": out}
        write_json({"model": model, "run_id": system.run_id, **facts})
    else:
        click.echo(f"Wrote {rows:,} recommendations of the {model} model for {len(users):,} users to {out}")
