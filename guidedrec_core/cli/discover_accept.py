"""What becomes of a name that passed its test: a file of attributes, or a refined model; see `discover`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.llm_options import LlmChoice
from guidedrec_core.cli.output import write_json
from guidedrec_core.cli.runs_compare import write_comparison
from guidedrec_core.cli.session import Session
from guidedrec_core.errors import GuidedrecError, InputError
from guidedrec_core.files import check_writable

if TYPE_CHECKING:
    from guidedrec_core.runs.store import Run


def check_card(
    number: int | None,
    given: dict[str, str],
    proposal: Path | None,
    out: Path | None,
    accept: Path | None,
    refine: bool,
) -> None:
    """Refuse what does not go with a card."""
    if number is not None or given or proposal or out:
        raise click.UsageError("--card is a proposal that was tested; leave out --propose, your own name, and --out")
    if not accept and not refine:
        raise click.UsageError("say what becomes of the card: --refine, or --accept FILE")
    if accept is not None and accept.exists():
        raise InputError(f"expected a new file, {accept} is there already; name another, or move it away")
    if accept is not None:
        check_writable(accept.parent)


def accept_card(
    session: Session,
    dataset: str | None,
    run_id: str | None,
    card_id: str,
    llm: LlmChoice,
    offline: str | None,
    accept: Path | None,
    refine: bool,
    as_json: bool,
) -> None:
    """Accept a proposal that was tested before.

    Raises
    ------
    GuidedrecError
        The name did not pass.
    InputError
        The card is of another run than the one given.
    """
    from guidedrec_core.attributes.schema import Attribute, AttributeSchema
    from guidedrec_core.discovery.proposal import with_attribute

    store = session.store()
    card = store.open(card_id, "discovery")
    content, run = card.read_json("card"), card.inputs["refined"]
    if (run_id or run) != run or (dataset is not None and dataset not in (run, content["provenance"]["dataset"])):
        raise InputError(f"expected a card of the run given, {card_id} is of run {run}; leave out the run")
    if not content["accepted"]:
        raise GuidedrecError(f"the name on card {card_id} did not pass its test; propose another")
    if accept is not None:
        refined = store.open(run, "refined")
        schema = AttributeSchema.parse(store.open(refined.inputs["scores"], "scores").read_json("attributes"))
        texts = {name: value for name, value in content["proposal"].items() if name not in ("by", "confidence")}
        with_attribute(schema, Attribute.parse(texts)).write(accept)
        if not refine:
            if as_json:
                write_json({**content, "card_id": card_id, "schema_path": accept})
            else:
                click.echo(f"Written to {accept}; score the catalogue on them with `guidedrec score --attributes`")
    if refine:
        refine_with(session, run, card, llm, offline, as_json)


def refine_with(session: Session, run_id: str, card: "Run", llm: LlmChoice, offline: str | None, as_json: bool) -> None:
    """Score the catalogue on an accepted name, refine again, and say what changed."""
    from guidedrec_core import stages
    from guidedrec_core.runs.library import find_entry
    from guidedrec_core.stages.discovery import accepted_config

    store = session.store()
    earlier = store.open(run_id, "refined")
    data = store.open(store.open(earlier.inputs["base"], "base").inputs["data"], "data")
    changes = {**llm.values, **({} if offline is None else {"model": offline})}
    config = accepted_config(card, stages.given_scores(store, data), changes)
    with session.progress() as listener:
        embed = None if offline is None else text_model(offline, llm)
        scores = stages.accept(store, card, config, listener, embed=embed)
        refined = stages.refine_again(store, earlier, listener, repeat=True)
    name = str(data.config["name"])
    entries = [find_entry(store, name, each) for each in (earlier.id, refined.id)]
    write_comparison(store, entries[0], entries[1], as_json, {"card_id": card.id, "scores_run_id": scores.id})


def text_model(offline: str, llm: LlmChoice) -> Any:
    """Return a text model of this machine or of a server."""
    base_url = llm.values.get("base_url")
    if base_url is None:
        from guidedrec_core.vectors.text import local_model

        return local_model(offline)
    from guidedrec_core.llm.client import LlmClient

    client = LlmClient(base_url)
    return lambda texts: client.embed(texts, offline)
