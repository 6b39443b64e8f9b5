"""Steps of scoring by batches for those who do not wait: submit and collect, or cancel; nothing is stored as a run."""

from collections.abc import Iterator
from contextlib import contextmanager

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.config import ScoringConfig, SplitConfig
from guidedrec_core.llm.client import BatchClient
from guidedrec_core.progress import Listener, silent
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.scoring.batch.scorer import BatchScorer
from guidedrec_core.scoring.batch.session import BatchState
from guidedrec_core.scoring.prompts import Kind
from guidedrec_core.stages.scoring.score import listings_of, reply_cache


def advance_batches(
    store: RunStore,
    data: Run,
    schema: AttributeSchema,
    config: ScoringConfig,
    listener: Listener = silent,
    users: bool = False,
    split: SplitConfig | None = None,
) -> BatchState:
    """Collect the answers that are there, submit what waits, and come back at once; parameters as in `score_with_llm`.

    Returns
    -------
    BatchState
        When no batch is under way, `score_with_llm` with ``batch`` has nothing to wait for and stores the scores.

    Raises
    ------
    InputError
        Another process is at these batches.
    ConfigError
        No key, the key is refused, the model or address is unknown, the server refuses the batch, or there is a budget
        but no price.
    ServiceError
        The server does not answer.
    """
    kinds: tuple[Kind, ...] = ("item", "user") if users else ("item",)
    listings = {kind: listings_of(data, config, kind, split)[0] for kind in kinds}
    with _batches(store, schema, config) as (scorer, client):
        return scorer.advance(listings, client, listener)


def cancel_batches(
    store: RunStore, schema: AttributeSchema, config: ScoringConfig, listener: Listener = silent
) -> BatchState:
    """Let the server end the batches that are under way, and keep what is answered; errors as in `advance_batches`.

    Returns
    -------
    BatchState
        With those that have not ended within a few seconds.
    """
    with _batches(store, schema, config) as (scorer, client):
        return scorer.cancel(client, listener)


@contextmanager
def _batches(
    store: RunStore, schema: AttributeSchema, config: ScoringConfig
) -> Iterator[tuple[BatchScorer, BatchClient]]:
    with reply_cache(store) as cache:
        yield BatchScorer(cache, schema, config), BatchClient(config.base_url)
