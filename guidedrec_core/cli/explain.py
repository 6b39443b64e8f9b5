"""``guidedrec explain``: the exact parts of a score, for one user and item or for all recommendations."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core import columns as c
from guidedrec_core.cli.explain_case import case_json, comparisons_json, write_case
from guidedrec_core.cli.models import applied_rules_options, history_option, model_options, opened, with_applied_rules
from guidedrec_core.cli.output import json_option, one_line, write_json, write_table
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.cli.table_file import LEDGERS, out_option, table_file

if TYPE_CHECKING:
    import pandas as pd

    from guidedrec_core.data.dataset import Shown
    from guidedrec_core.rationale.claims import Reader
    from guidedrec_core.recommenders.refined import RefinedRecommender
    from guidedrec_core.refinement.sources import Source


_SHOWN = ["label", "contribution", "ci_low", "ci_high", "kind"]


@click.command(cls=Command)
@model_options
@click.option("--user", "user_id", metavar="ID", help="Whose score.")
@click.option("--item", "item_id", metavar="ID", help="The score of which item.")
@click.option(
    "--reader",
    type=click.Choice(["merchandiser", "stakeholder", "analyst"]),
    default="merchandiser",
    show_default=True,
    help="Whom the reason in plain words is for: with sizes, without numbers, or with all numbers.",
)
@click.option("--brief", is_flag=True, help="Only the parts of the score, in a fraction of the time.")
@click.option("--all", "everybody", is_flag=True, help="Explain everybody's --k refined recommendations, into --out.")
@applied_rules_options
@history_option
@out_option(LEDGERS)
@json_option
@click.pass_obj
def explain(
    session: Session,
    dataset: str | None,
    run_id: str | None,
    model: str,
    k: int,
    user_id: str | None,
    item_id: str | None,
    reader: "Reader",
    brief: bool,
    everybody: bool,
    rules_file: Path | None,
    no_rules: bool,
    history: "Shown",
    out: Path | None,
    as_json: bool,
) -> None:
    """Split scores exactly into reasons with a name.

    Reasons are attributes, facts, popularity and past items; what no name covers is shown, too. One score (--user and
    --item), or those of all recommendations (--all and --out: attributes, remainder and bias); the parts sum to the
    score. Of one score, what the Case study says comes after them: the reason in plain words, what
    moved the item from its base rank, which past item drove it, what would take it out of the top K or bring it in, and
    what keeps it out. Each rule that is on is a part of the score; then only comparisons with other items follow, as
    the rest is about the model alone. DATASET chooses among the refined runs; without it, the newest of all is used.
    """
    if everybody != (out is not None):
        raise click.UsageError("--all and --out belong together; give both, or --user and --item")
    if everybody == (user_id is not None or item_id is not None) or (user_id is None) != (item_id is None):
        raise click.UsageError("expected either --user and --item, or --all")
    if everybody and model == "base":
        raise click.UsageError("--all explains the refined model; the base model knows no attributes")
    if model == "base" and rules_file is not None:
        raise click.UsageError("--rules goes with the refined model; rules are added to its scores")
    with opened(session, dataset, run_id, history) as opened_system:
        system = opened_system
        if model == "refined":
            system = with_applied_rules(session, opened_system, rules_file, no_rules)
        if out is not None:
            _explain_all(session, system, k, out, as_json)
        elif user_id is not None and item_id is not None:
            case = comparisons_json if system.rules is not None else partial(case_json, reader=reader)
            around = {} if brief else case(system, model, user_id, item_id, k)
            _explain_one(session, system, model, user_id, item_id, around, as_json)


def _explain_one(
    session: Session,
    system: "RefinedRecommender",
    model: str,
    user_id: str,
    item_id: str,
    around: dict[str, Any],
    as_json: bool,
) -> None:
    """Show the ledger of one score, and what `case_json` says of it; empty: the ledger alone."""
    document = ledger_json(system, model, user_id, item_id)
    lines, sources = score_lines(system, model, user_id, item_id, hand_on=bool(around))
    if document["rank"] is None:
        excluded = [rule["rule"] for rule in document.get("rules", ()) if rule["kind"] == "out_of_stock"]
        seen = item_id in _history_ids(system, user_id)
        why = f"is in the history of user {user_id} already" if seen else f"is excluded by a rule ({excluded[0]})"
        session.note(f"item {item_id} {why}, so it is never recommended")
    if as_json:
        write_json(document | {"lines": _records(lines, sources)} | around)
        return
    items = system.data.dataset.items
    title = one_line(system.data.dataset.catalogue.frame[c.TITLE].iloc[items.index(item_id)])
    rank = "not ranked" if document["rank"] is None else f"rank {document['rank']:,} of {len(items):,}"
    click.echo(f"{title} for user {user_id}: {rank}, {model} score {document['score']:.3f}")
    click.echo()
    rows = [
        [one_line(label), f"{value:+.3f}", _interval(low, high), kind]
        for label, value, low, high, kind in lines[_SHOWN].itertuples(index=False, name=None)
    ]
    rows.append(["Score", f"{document['score']:+.3f}", "", ""])
    write_table(("part", "contribution", "95 % interval", "kind"), rows)
    if sources:
        _write_sources(system, lines, sources)
    if around:
        write_case(around)


def _history_ids(system: "RefinedRecommender", user_id: str) -> set[str]:
    """Return the ids of the items that the model is shown of a user's history."""
    dataset = system.data.dataset
    return set(dataset.items.ids[system.data.shown_history(dataset.users.index(user_id))])


def _write_sources(
    system: "RefinedRecommender", lines: "pd.DataFrame", sources: dict[str, dict["Source", float]]
) -> None:
    """Show what attributes' contributions come from, in the order of their lines."""
    from guidedrec_core.explanation.words import source_label
    from guidedrec_core.refinement.sources import SOURCES

    click.echo()
    click.echo("What the attributes' contributions come from")
    own = lines[lines["kind"] == "attribute"]
    rows = [
        [one_line(label), f"{value:+.3f}", *(f"{sources[name][each]:+.3f}" for each in SOURCES)]
        for name, label, value in own[["name", "label", "contribution"]].itertuples(index=False, name=None)
    ]
    write_table(("part", "contribution", *(source_label(each, system.verb).lower() for each in SOURCES)), rows)


def score_lines(
    system: "RefinedRecommender", model: str, user_id: str, item_id: str, hand_on: bool
) -> tuple["pd.DataFrame", dict[str, dict["Source", float]]]:
    """Return every line of one score, see `Explanation.lines`, and what attributes' lines come from, by name.

    A base model's score has no names: it is its bias and the rest.

    Parameters
    ----------
    system : RefinedRecommender
        An opened refined run.
    model : {"refined", "base"}
        Whose score.
    user_id, item_id : str
        Whom and what.
    hand_on : bool
        Hand what no name covers to past items, which takes longer.
    """
    import pandas as pd

    from guidedrec_core.explanation.ledger import base_ledger
    from guidedrec_core.explanation.lines import COLUMNS, handed_to_past_items
    from guidedrec_core.explanation.question import Question
    from guidedrec_core.recommenders.explanation import explain_item
    from guidedrec_core.refinement.sources import SOURCES

    question = Question.of(system.data, user_id, item_id)
    if model == "base":
        ledger, nan = base_ledger(system.base, question, question.items), float("nan")
        rest, bias = float(ledger.remainder[0]), float(ledger.bias[0])
        patterns = system.verb.patterns.capitalize()
        rows = [
            ("unnamed", "patterns", patterns, f"what the base model learned ({rest:+.2f})", rest, nan, nan),
            ("popularity", "bias", "Popularity", f"the same for everyone ({bias:+.2f})", bias, nan, nan),
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS)), {}
    explanation = explain_item(system, question)
    lines = explanation.lines
    values = explanation.parts[list(SOURCES)].itertuples(index=False, name=None)
    sources = {
        name: dict(zip(SOURCES, map(float, row), strict=True))
        for name, row in zip(explanation.parts["attribute"].tolist(), values, strict=True)
    }
    return handed_to_past_items(lines, system, question) if hand_on else lines, sources


def _records(lines: "pd.DataFrame", sources: dict[str, dict["Source", float]]) -> list[dict[str, Any]]:
    """Return lines as plain values; what is not estimated has no interval, and attributes' lines have sources."""
    return [
        {str(name): None if value != value else value for name, value in row.items()}  # NaN differs from itself
        | ({"sources": sources[row["name"]]} if row["kind"] == "attribute" else {})
        for row in lines.to_dict("records")
    ]


def _interval(low: float, high: float) -> str:
    """Write an interval; nothing where there is none."""
    return "" if low != low else f"{low:+.2f} to {high:+.2f}"


def ledger_json(system: "RefinedRecommender", model: str, user_id: str, item_id: str) -> dict[str, Any]:
    """Return one score's parts in the form other programs rely on.

    Returns
    -------
    dict
        ``score`` is the sum of ``bias``, ``remainder`` and all contributions; values of user and item are in standard
        deviations from the average; ``rank`` is None for an item that the user has already, or that a rule excludes.
        With rules, ``rules`` has what each adds, which ``score`` includes.
    """
    import numpy as np

    from guidedrec_core.explanation.ledger import base_ledger, refined_ledger
    from guidedrec_core.explanation.question import Question
    from guidedrec_core.ranking.ranks import mask_seen, ranks_of

    question = Question.of(system.data, user_id, item_id)
    items = question.items
    base = model == "base"
    ledger = base_ledger(system.base, question, items) if base else refined_ledger(system.refined, question, items)
    scores = mask_seen(system.model(model).scores(question.users, question.histories), question.histories)
    added, ruled = 0.0, {}
    if not base and system.rules is not None:
        own = system.refined.scores(question.users, question.histories)[0]
        amounts = system.rules.amounts(own, question.user, question.history)[:, question.item]
        added = float(amounts.sum())
        ruled = {
            "rules": [
                {"rule": rule.name, "kind": rule.kind, "contribution": float(amount)}
                for rule, amount in zip(system.rules.rules, amounts, strict=True)
            ]
        }
    return {
        "user_id": user_id,
        "item_id": item_id,
        "model": model,
        "run_id": system.run_id,
        "rank": int(ranks_of(scores, items)[0]) if np.isfinite(scores[0, question.item]) else None,
        "score": float(ledger.score[0]) + added,
        "bias": float(ledger.bias[0]),
        "remainder": float(ledger.remainder[0]),
        "contributions": [
            {"attribute": name, "user_value": float(p), "item_value": float(g), "contribution": float(contribution)}
            for name, p, g, contribution in zip(
                () if base else system.schema.names,
                ledger.user_values,
                ledger.item_values[0],
                ledger.contributions[0],
                strict=True,
            )
        ],
        **ruled,
    }


def _explain_all(session: Session, system: "RefinedRecommender", k: int, out: Path, as_json: bool) -> None:
    """Write the ledgers of everybody's recommendations into one long table."""
    import numpy as np

    from guidedrec_core.explanation.ledger import ledgers
    from guidedrec_core.progress import StageProgress

    users = np.arange(len(system.data.dataset.users))
    rows = 0
    with session.progress() as listener, table_file(out, LEDGERS) as write:
        progress = StageProgress("explain", len(users), listener)
        for table in ledgers(system.refined, system.schema.names, system.data, users, k, system.rules):
            write(table)
            rows += len(table)
            progress.done += table[c.USER].nunique()
            progress.say(f"{progress.done:,} of {len(users):,} users")
    if as_json:
        facts = {"users": len(users), "rows": rows, "path": out}
        write_json({"model": "refined", "run_id": system.run_id, **facts})
    else:
        click.echo(f"Wrote {rows:,} parts of scores for {len(users):,} users to {out}")
