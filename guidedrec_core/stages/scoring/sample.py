"""What a language model is asked about a sample of the catalogue: to propose attributes, and to score it repeatedly."""

import asyncio
import contextlib

import numpy as np

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.errors import ConfigError, InputError
from guidedrec_core.llm.chat import Chat
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.reliability.repeated import RepeatedScores, stratified_sample
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.scoring.prompts import Listing
from guidedrec_core.scoring.scorer import Scorer, ScoringPlan, ScoringResult
from guidedrec_core.scoring.suggest import suggest_schema
from guidedrec_core.stages.scoring.score import ask_about_items, chat_client, failures_in, listings_of, reply_cache


def sample_listings(data: Run, config: ScoringConfig, size: int, seed: int = 0) -> list[Listing]:
    """Return what a language model reads of some items, so many of each category as it has its share.

    Parameters
    ----------
    data : Run
        Of stage ``data``.
    config : ScoringConfig
        Columns and lengths.
    size : int
        Items wanted, of those that have a text.
    seed : int
        Equal seeds draw equal samples.
    """
    listings, _ = listings_of(data, config)
    catalogue = load_dataset(data).catalogue
    categories = dict(zip(catalogue.frame[c.ITEM], catalogue.main_categories, strict=True))
    by_id = {listing.id: listing for listing in listings}
    chosen = stratified_sample(list(by_id), [categories[item] for item in by_id], size, seed)
    return [by_id[item] for item in chosen]


def suggest_attributes(
    data: Run,
    config: ScoringConfig,
    domain: str = "",
    count: int = 8,
    size: int = 30,
    listener: Listener = silent,
    client: Chat | None = None,
) -> AttributeSchema:
    """Let a language model propose attributes from a sample of the catalogue; see `suggest_schema`.

    Parameters
    ----------
    data : Run
        Of stage ``data``.
    config : ScoringConfig
        The model, and what it reads of an item.
    domain : str
        What kind of items these are; empty lets the model say it.
    count : int
        Attributes wanted.
    size : int
        Items in the sample.
    listener : callable
        Hears that the model is asked.
    client : Chat, optional
        What answers; default is the server of `config`.
    """
    server = client or chat_client(config)
    listings = sample_listings(data, config, size)
    listener(Progress("suggest", message=f"{config.model} reads {len(listings):,} items"))

    async def ask() -> AttributeSchema:
        async with contextlib.AsyncExitStack() as stack:
            if isinstance(server, contextlib.AbstractAsyncContextManager):
                await stack.enter_async_context(server)
            return await suggest_schema(server, config.model, listings, domain, count)

    return asyncio.run(ask())


def repeated_plan(store: RunStore, data: Run, schema: AttributeSchema, config: ScoringConfig, size: int) -> ScoringPlan:
    """Tell what `score_repeatedly` would take; nothing is sent."""
    with reply_cache(store) as cache:
        return Scorer(cache, schema, config, "item").plan(sample_listings(data, config, size))


def score_repeatedly(
    store: RunStore,
    data: Run,
    schema: AttributeSchema,
    config: ScoringConfig,
    size: int,
    listener: Listener = silent,
    client: Chat | None = None,
) -> tuple[RepeatedScores, ScoringResult]:
    """Let a language model score a sample of the catalogue in several passes, for a report on how far they agree.

    The answers are kept; a later scoring of the whole catalogue takes the first pass from there.

    Parameters
    ----------
    store : RunStore
        Where answers are kept.
    data : Run
        Of stage ``data``.
    schema : AttributeSchema
        What to score.
    config : ScoringConfig
        The model, and how it is asked; two passes or more.
    size : int
        Items in the sample.
    listener : callable
        Hears of every answer; may raise `JobCancelledError`.
    client : Chat, optional
        What answers; default is the server of `config`.

    Raises
    ------
    InputError
        A single pass is asked for, or the budget was reached.
    JobCancelledError
        The listener asked to stop.
    ConfigError, ServiceError
        As `score_with_llm`.
    """
    if config.passes < 2:
        raise ConfigError(f"expected two passes or more to compare, got {config.passes}; choose more with --passes")
    listings = sample_listings(data, config, size)
    result = ask_about_items(store, schema, config, listings, listener, client)
    if result.stopped == "budget":
        raise InputError(
            f"the budget of {config.budget:g} USD does not last for {config.passes} passes over {len(listings):,} "
            f"items{failures_in(result)}; what is answered is kept, so run the same again with a larger budget to go on"
        )
    ids = tuple(listing.id for listing in listings)
    values, positions = (array.astype(np.float64) for array in (result.passes_values, result.positions))
    return RepeatedScores(values, ids, schema, positions), result
