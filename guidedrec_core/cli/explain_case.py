"""What ``guidedrec explain`` tells beyond the parts of one score: the facts of the Case study, as text and as JSON."""

from typing import TYPE_CHECKING, Any

import click

from guidedrec_core import columns as c
from guidedrec_core.cli.output import one_line, write_table

if TYPE_CHECKING:
    import pandas as pd

    from guidedrec_core.cases.against import Against
    from guidedrec_core.cases.changes import NotListed
    from guidedrec_core.cases.history import HistoryCase
    from guidedrec_core.cases.removal import RemovalCase
    from guidedrec_core.rationale.claims import Reader
    from guidedrec_core.rationale.facts import Facts
    from guidedrec_core.recommenders.refined import RefinedRecommender

_SHOWN = 8
"""Rows of a table that people see; JSON has them all."""


def case_json(
    system: "RefinedRecommender", model: str, user_id: str, item_id: str, k: int, reader: "Reader" = "merchandiser"
) -> dict[str, Any]:
    """Return what the Case study says of one user and item, each fact with its numbers.

    Returns
    -------
    dict
        ``history`` for either model. For the refined model also ``rationale`` (a text for the reader), ``claims`` (all
        that a rationale may say, each with ``id``, ``kind``, ``evidence``, ``sentence`` and whether it is ``shown`` in
        the text), ``evidence`` (by id), ``why_not``, ``moved``, ``below`` (against the item that comes next) and
        ``changes``; of an item of the history, only ``history`` and ``why_not`` are not None. All but the first three
        hold a ``sentence`` or several and the tables behind them.
    """
    from guidedrec_core.cases.against import build_against
    from guidedrec_core.cases.case import build_case
    from guidedrec_core.cases.changes import build_changes, build_moved, build_why_not
    from guidedrec_core.cases.history import build_history
    from guidedrec_core.cases.rationale import rationale_facts
    from guidedrec_core.cases.removal import build_removal

    history = _history(build_history(system, user_id, item_id, model), build_removal(system, user_id, item_id, model))
    if model == "base":
        return {"history": history}
    fields: dict[str, Any] = {
        "rationale": None,
        "claims": None,
        "evidence": None,
        **_why_not(build_why_not(system, user_id, item_id, k)),
        "moved": None,
        "below": None,
        "history": history,
        "changes": None,
    }
    moved = build_moved(system, user_id, item_id)
    if moved is None:
        return fields
    case = build_case(system, user_id, item_id, k)
    changes = build_changes(system, user_id, item_id, k)
    rationale = _rationale(rationale_facts(system, case, changes.removal), reader)
    return (
        fields
        | rationale
        | {
            "below": _below(build_against(system, user_id, item_id)),
            "moved": {
                "sentence": moved.sentence,
                "base_rank": moved.base_rank,
                "rank": moved.rank,
                "exact": moved.exact,
                "parts": _records(moved.parts),
                "base_estimate": {"sentence": moved.base_sentence, "parts": _records(moved.base_parts)},
            },
            "changes": {
                "sentences": [*changes.history, *changes.pulls, *changes.scores],
                "edits": _records(changes.edits),
            },
        }
    )


def comparisons_json(system: "RefinedRecommender", model: str, user_id: str, item_id: str, k: int) -> dict[str, Any]:
    """Return what compares an item with others where rules are added to scores: ``why_not`` and ``below``.

    Parameters and form as in `case_json`; each rule is a part of its own.
    """
    from guidedrec_core.cases.against import build_against
    from guidedrec_core.cases.changes import build_why_not

    return {
        **_why_not(build_why_not(system, user_id, item_id, k)),
        "below": _below(build_against(system, user_id, item_id)),
    }


def write_case(fields: dict[str, Any]) -> None:
    """Show what `case_json` or `comparisons_json` returned."""
    if fields.get("rationale"):
        _section("In plain words", fields["rationale"])
    if fields.get("moved"):
        moved = fields["moved"]
        _section("Against the base model", moved["sentence"], moved["base_estimate"]["sentence"])
        rows = [[part["label"], f"{part['gained']:+.1f}"] for part in moved["parts"]]
        write_table(("part", "places"), rows[:_SHOWN])
    history = fields.get("history")
    if history:
        _section("Which past item drove it", history["sentence"], history["exactness"])
    if history and history["items"]:
        rows = [
            [str(item["number"]), item[c.TITLE], f"{item['value']:+.3f}", f"{item['margin']:.3f}"]
            for item in sorted(history["items"], key=lambda item: -abs(item["value"]))
        ]
        write_table(("number", "item", "share", "give or take"), rows[:_SHOWN])
    if history and history["removal"]:
        removal = history["removal"]
        _section("Taken away one by one", removal["sentence"])
        steps = [
            [str(step["number"]), step[c.TITLE], f"{step['without']:,}", f"{step['alone']:,}"]
            for step in removal["steps"]
        ]
        write_table(("number", "taken away", "rank without it and those above", "with only these"), steps[:_SHOWN])
    if fields.get("changes"):
        _section("What would change it", *fields["changes"]["sentences"])
    if fields.get("below"):
        _section("Against the item just below", fields["below"]["sentence"])
    if fields.get("why_not"):
        _section("Why it is where it is in the list", fields["why_not"]["sentence"])


def _why_not(found: "NotListed") -> dict[str, Any]:
    """Return what keeps an item out of the list, as a field."""
    against = {"item": found.against, "margin": found.margin, "parts": _records(found.parts)}
    return {"why_not": {"sentence": found.sentence, "against": against if found.against else None}}


def _below(found: "Against | None") -> dict[str, Any] | None:
    """Return what compares an item with the one that comes next; None where none does."""
    if found is None:
        return None
    return {
        "sentence": found.sentence,
        "item_id": found.other_id,
        "difference": found.difference,
        "parts": _records(found.parts),
    }


def _rationale(facts: "Facts", reader: "Reader") -> dict[str, Any]:
    """Return the rationale without a language model, all claims it could make, and their evidence."""
    from guidedrec_core.rationale.choice import claims_of, default_rationale

    rationale = default_rationale(facts, reader)
    shown = {claim.id for claim in rationale.claims}
    claims = [
        {
            "id": claim.id,
            "kind": claim.kind,
            "evidence": list(claim.evidence),
            "sentence": claim.sentence(reader),
            "shown": claim.id in shown,
        }
        for claim in claims_of(facts)
    ]
    return {"rationale": rationale.text, "claims": claims, "evidence": facts.evidence()}


def _history(shown: "HistoryCase", removal: "RemovalCase | None") -> dict[str, Any]:
    """Return the shares of past items, each split by attribute, and what happens when they are taken away in turn."""
    rows = zip(_records(shown.items), _records(shown.matrix), strict=True)
    return {
        "sentence": shown.sentence,
        "exactness": shown.exactness,
        "exact": shown.exact,
        "grouped": shown.grouped,
        "items": [{**item, "parts": parts} for item, parts in rows],
        "alone": {str(label): float(value) for label, value in shown.alone.items()},
        "bias": shown.bias,
        "score": shown.score,
        "removal": None
        if removal is None
        else {
            "sentence": removal.sentence,
            "rank": removal.rank,
            "alone_from": removal.alone_from,
            "exact": removal.exact,
            "steps": _records(removal.steps),
        },
    }


def _records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the rows of a table as plain values."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _section(title: str, *sentences: str) -> None:
    """Write a heading with what is said below it."""
    click.echo()
    click.echo(title)
    for sentence in sentences:
        if sentence:
            click.echo(f"  {one_line(sentence)}")
