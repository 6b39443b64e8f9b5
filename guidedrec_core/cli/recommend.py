"""``guidedrec recommend``: a list for one user, for a new one, or a table of lists for all."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core import columns as c
from guidedrec_core.cli.models import (
    applied_rules_options,
    history_option,
    model_options,
    opened,
    rules_on,
    with_applied_rules,
)
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
@applied_rules_options
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
    rules_file: Path | None,
    no_rules: bool,
    history: "Shown",
    out: Path | None,
    as_json: bool,
) -> None:
    """Recommend items to one user, a new one, or all.

    DATASET chooses among the refined runs; without it, the newest of all is used. Rules of the data set that are on are
    added to scores, and the last column says what each of them added.
    """
    if (user_id is not None) + (basket is not None) + all_users != 1:
        raise click.UsageError("expected one of --user, --basket and --all-users")
    if all_users != (out is not None):
        raise click.UsageError("--all-users and --out belong together; give both, or --user or --basket alone")
    from guidedrec_core.naming.scorer import NamedScorer

    if model == "base" and unnamed != 1:
        raise click.UsageError("--unnamed goes with the refined model; the base model's scores have no names")
    if model == "base" and rules_file is not None:
        raise click.UsageError("--rules goes with the refined model; rules are added to its scores")
    if unnamed != 1 and rules_file is not None:
        raise click.UsageError("expected --rules or --unnamed, got both; leave one out")
    with opened(session, dataset, run_id, history) as opened_system:
        system = opened_system
        if model == "refined" and unnamed == 1:
            system = with_applied_rules(session, opened_system, rules_file, no_rules)
        elif not no_rules and rules_on(session, system.data.dataset.name):
            session.note(
                f"rules of the data set are left out with {'--model base' if model == 'base' else '--unnamed'}"
            )
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
        items = dataset.items.indexes(_ids(basket))
        table = recommend_next(scorer, model, system.data, items, k)
    listed, ruled = _listed(table, system), system.rules is not None
    for item, acting in zip(listed, _acting(table, system, basket), strict=True) if ruled else ():
        item["rules"] = [{"rule": name, "contribution": value} for name, value in acting.items()]
    if as_json:
        write_json({"user_id": user_id, "model": model, "run_id": system.run_id, "items": listed})
        return
    rows = [[str(i["rank"]), f"{i['score']:.3f}", str(i["item_id"]), str(i["title"])] for i in listed]
    if not ruled:
        write_table(("rank", "score", "item", "title"), rows)
        return
    notes = [_rules_text({each["rule"]: each["contribution"] for each in item["rules"]}) for item in listed]  # type: ignore[attr-defined]
    write_table(("rank", "score", "item", "title", "rules"), [[*r, n] for r, n in zip(rows, notes, strict=True)])


def _acting(table: "pd.DataFrame", system: "RefinedRecommender", basket: str | None) -> list[dict[str, float]]:
    """Return what rules add to each row of one list, or of several users' lists."""
    from guidedrec_core.rules.preview import acting_rules

    if system.rules is None:
        return [{} for _ in range(len(table))]
    history = None if basket is None else system.data.dataset.items.indexes(_ids(basket))
    return acting_rules(system.rules, system, table, history)


def _ids(basket: str) -> list[str]:
    """Return the ids of a basket."""
    return [item.strip() for item in basket.split(",") if item.strip()]


def _rules_text(acting: dict[str, float]) -> str:
    """Write what rules add, e.g. "Jackets first +0.69; Clearance -0.40".

    Examples
    --------
    >>> _rules_text({"Jackets first": 0.6931, "Clearance": -0.4})
    'Jackets first +0.693; Clearance -0.400'
    """
    return "; ".join(f"{name} {value:+.3f}" for name, value in acting.items())


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
    rows, ruled = 0, system.rules is not None
    schema = {**RECOMMENDATIONS, "rules": "string"} if ruled else RECOMMENDATIONS
    with session.progress() as listener, table_file(out, schema) as write:
        progress = StageProgress("recommend", len(users), listener)
        for block in blocks:
            table = make_lists(scorer, model, system.data, block, k)
            write(table.assign(rules=[*map(_rules_text, _acting(table, system, None))]) if ruled else table)
            rows += len(table)
            progress.done += len(block)
            progress.say(f"{progress.done:,} of {len(users):,} users")
    if as_json:
        facts = {"users": len(users), "rows": rows, "path": out}
        write_json({"model": model, "run_id": system.run_id, **facts})
    else:
        click.echo(f"Wrote {rows:,} recommendations of the {model} model for {len(users):,} users to {out}")
