"""Stage scores from a language model: items, and if wanted users, scored by a server and stored as a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from guidedrec_core import __version__
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.config import ScoringConfig, SplitConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import InputError, JobCancelledError, ServiceError
from guidedrec_core.llm.address import find_url
from guidedrec_core.llm.chat import Chat
from guidedrec_core.llm.client import BatchClient, ChatClient
from guidedrec_core.progress import Listener, silent
from guidedrec_core.reliability.repeated import disagreement
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.scores import newest_scores
from guidedrec_core.runs.store import Run, RunStore, RunWriter
from guidedrec_core.scoring.batch.scorer import BatchScorer
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.prices import failed_words
from guidedrec_core.scoring.prompts import PROMPT_VERSION, Kind, Listing, item_listings, user_listings
from guidedrec_core.scoring.scorer import Scorer, ScoringPlan, ScoringResult
from guidedrec_core.stages.common import Identity, fitted_once, sha256
from guidedrec_core.stages.data import find_data

# Settings that change neither what is asked nor what may be taken from earlier answers.
_NO_MATTER = {
    *("base_url", "concurrency", "max_request_tokens", "attempts", "requests_per_minute", "tokens_per_minute"),
    *("budget", "price", "timeout"),
}
_FAULTS = ("kind", "id", "reason")


def reply_cache(store: RunStore) -> ReplyCache:
    """Open the store's cache of answers, for use in a ``with`` statement."""
    return ReplyCache(store.home / "replies.sqlite")


def chat_client(config: ScoringConfig) -> ChatClient:
    """Return the way to the server of a configuration; see `ChatClient` for errors."""
    return ChatClient(config.base_url, timeout_seconds=config.timeout)


def ask_about_items(
    store: RunStore,
    schema: AttributeSchema,
    config: ScoringConfig,
    listings: list[Listing],
    listener: Listener,
    client: Chat | None,
) -> ScoringResult:
    """Ask about some items; the answers are kept. Parameters and errors as in `score_with_llm`."""
    with reply_cache(store) as cache:
        result = Scorer(cache, schema, config, "item").run(listings, client or chat_client(config), listener)
    check_not_cancelled(result)
    return result


def failures_in(result: ScoringResult) -> str:
    """Say in brackets what failed attempts took of a budget; empty when none did."""
    failed = failed_words(result.failed_attempts, result.failed_cost)
    return f" ({failed}: they may have to be paid for)" if result.failed_cost else f" ({failed})" if failed else ""


def check_not_cancelled(result: ScoringResult) -> None:
    """Raise `JobCancelledError` when the listener asked to stop."""
    if result.stopped == "cancelled":
        raise JobCancelledError("scoring was cancelled; what is answered is kept")


def listings_of(
    data: Run, config: ScoringConfig, kind: Kind = "item", split: SplitConfig | None = None
) -> tuple[list[Listing], tuple[Notice, ...]]:
    """Return what a language model reads of a data set's items or users, and what was left out.

    Parameters
    ----------
    data : Run
        Of stage ``data``.
    config : ScoringConfig
        Columns and lengths.
    kind : {"item", "user"}
        What to list.
    split : SplitConfig, optional
        Where the training part of a history ends, which is all that is read of users; default is leave-one-out.
    """
    if kind == "item":
        return item_listings(load_dataset(data).catalogue, config.columns, config.max_characters)
    prepared = SplitDataset.of(load_dataset(data), split or SplitConfig()).showing("train")
    listings = user_listings(prepared, config.history)
    notices = []
    if without := len(prepared.dataset.users) - len(listings):
        message = f"{without:,} users have no training history with titles; not scored"
        notices.append(Notice("users_without_text", without, message))
    return listings, tuple(notices)


def scoring_plan(
    store: RunStore,
    data: Run,
    schema: AttributeSchema,
    config: ScoringConfig,
    kind: Kind = "item",
    split: SplitConfig | None = None,
    batch: bool = False,
) -> ScoringPlan:
    """Tell what scoring a data set would take; nothing is sent."""
    listings, _ = listings_of(data, config, kind, split)
    with reply_cache(store) as cache:
        if batch:
            return BatchScorer(cache, schema, config).plan(listings, kind)
        return Scorer(cache, schema, config, kind).plan(listings)


def score_with_llm(
    store: RunStore,
    data: Run,
    schema: AttributeSchema,
    config: ScoringConfig,
    listener: Listener = silent,
    users: bool = False,
    split: SplitConfig | None = None,
    client: Chat | None = None,
    keep_partial: bool = False,
    batch: bool = False,
) -> Run:
    """Let a language model score a data set's items, and if wanted its users; store the scores.

    Every answer is kept in ``<home>/replies.sqlite``, so that the same call after an interruption pays only for what is
    missing, and a call that changes nothing returns the stored run.

    Parameters
    ----------
    store : RunStore
        Where runs and answers are stored.
    data : Run
        Of stage ``data``.
    schema : AttributeSchema
        What to score.
    config : ScoringConfig
        The model, and how it is asked; the budget is for items and users together.
    listener : callable
        Hears of every answer; may raise `JobCancelledError`.
    users : bool
        Score users, too, by the training part of their histories.
    split : SplitConfig, optional
        Where that part ends; default is leave-one-out.
    client : Chat, optional
        What answers; default is the server of `config`.
    keep_partial : bool
        Store what there is when the budget ends the run.
    batch : bool
        Ask the server of `config` through its Batch API: half the price, answers within a day.

    Returns
    -------
    Run
        Of stage ``scores``: arrays ``item_scores`` and, with `users`, ``user_scores`` (what got no scores is NaN); with
        several passes ``item_passes`` ``[passes, n_items, A]``, ``item_positions`` ``[passes, n_items]`` and
        ``item_disagreement`` ``[n_items, A]``, the standard deviation over passes; the table ``faults``
        (``kind, id, reason``); and ``scoring``, what was asked and what it took.

    Raises
    ------
    JobCancelledError
        The listener asked to stop; nothing is stored but the answers.
    InputError
        The budget was reached, and `keep_partial` is off or nothing is scored.
    ConfigError
        No key, the key is refused, the model or address is unknown, or there is a budget but no price.
    ServiceError
        The server does not answer, or none of its answers could be used.
    """
    started = datetime.now(UTC)
    split = split or SplitConfig()
    dataset = load_dataset(data)
    kinds: tuple[Kind, ...] = ("item", "user") if users else ("item",)
    read = {kind: listings_of(data, config, kind, split) for kind in kinds}
    listings = {kind: listed for kind, (listed, _) in read.items()}
    with reply_cache(store) as cache:
        if batch:
            server = BatchClient(config.base_url)
            results = BatchScorer(cache, schema, config).run(listings, server, listener)
        else:
            asked = Identity("scores", {"schema": schema.hash(), "model": config.model}, {"data": data}, None)
            # Another process with the same question waits, and finds the answers kept: none is paid for twice.
            with fitted_once(store, asked, listener, room=0):
                results = ask_all(cache, schema, config, listings, client or chat_client(config), listener)
        parts = [
            ScoredPart(
                kind=kind,
                vocabulary=dataset.items if kind == "item" else dataset.users,
                listings=listings[kind],
                notices=read[kind][1],
                result=result,
                in_all=Scorer(cache, schema, config, kind).recorded(listings[kind]),
            )
            for kind, result in results.items()
        ]
    parts = [part for part in parts if part.is_worth_keeping(config, keep_partial)]
    settings = _settings(schema, config, parts, split)
    newest = newest_scores(store, data)
    # An older run with the same scores is not taken: a refinement starts from the newest.
    if newest is not None and newest.config == settings and newest.manifest.package_version == __version__:
        return newest
    with store.create("scores", config=settings, inputs={"data": data}) as writer:
        _write(writer, schema, config, parts, started)
    return writer.run


def ask_all(
    cache: ReplyCache,
    schema: AttributeSchema,
    config: ScoringConfig,
    listings: Mapping[Kind, list[Listing]],
    client: Chat,
    listener: Listener,
) -> dict[Kind, ScoringResult]:
    """Ask about items, then about users with what the budget leaves; when the first go wrong, not about the others."""
    results: dict[Kind, ScoringResult] = {}
    for kind, some in listings.items():
        spent = sum((result.cost or 0.0) + (result.failed_cost or 0.0) for result in results.values())
        left = None if config.budget is None else max(0.0, config.budget - spent)
        scorer = Scorer(cache, schema, config.model_copy(update={"budget": left}), kind)
        results[kind] = scorer.run(some, client, listener)
        if results[kind].stopped == "cancelled" or np.isnan(results[kind].values).all():
            break
    return results


def score_task(arguments: Mapping[str, Any], home: Path, listener: Listener) -> str:
    """Score a data set as a job; return the run's id.

    Cancelling the job is a pause: the same job, started again, goes on.

    Parameters
    ----------
    arguments : mapping
        ``dataset`` (name), ``schema`` (an `AttributeSchema` as JSON), ``scoring`` (a `ScoringConfig` as JSON), and
        optionally ``users`` (score users, too), ``split`` (a `SplitConfig` as JSON) and ``batch`` (use the Batch API).
    home : Path
        The run store's folder.
    listener : callable
        Hears progress.
    """
    store = RunStore(home)
    return score_with_llm(
        store,
        find_data(store, str(arguments["dataset"])),
        AttributeSchema.parse(arguments["schema"]),
        ScoringConfig.parse(arguments["scoring"]),
        listener,
        users=bool(arguments.get("users", False)),
        split=SplitConfig.parse(arguments.get("split", {})),
        keep_partial=True,
        batch=bool(arguments.get("batch", False)),
    ).id


@dataclass(frozen=True)
class ScoredPart:
    """Items or users, and what came of them: in this run, and with all that was paid for before."""

    kind: Kind
    vocabulary: Vocabulary
    listings: list[Listing]
    notices: tuple[Notice, ...]
    result: ScoringResult
    in_all: ScoringResult

    def is_worth_keeping(self, config: ScoringConfig, keep_partial: bool) -> bool:
        """Tell whether there are scores to store; raise what `score_with_llm` says where the run cannot go on."""
        scored = int((~np.isnan(self.result.values)).any(axis=1).sum())
        check_not_cancelled(self.result)
        if self.result.stopped == "budget":
            if self.kind == "user" and not scored and keep_partial:
                return False
            if not scored or not keep_partial:
                raise InputError(
                    f"the budget of {config.budget:g} USD allows no more than {scored:,} of {len(self.listings):,} "
                    f"{self.kind}s{failures_in(self.result)}; what is answered is kept, so run the same again with a "
                    "larger budget to go on"
                )
        if not scored:
            reason = next(iter(self.result.faults.values()), "no answer")
            raise ServiceError(
                f"expected scores from {config.model}, none of its answers about {len(self.listings):,} {self.kind}s "
                f"could be used (the first: {reason}); try another model, or fewer {self.kind}s in a request"
            )
        return True

    def whole(self, values: np.ndarray) -> np.ndarray:
        """Spread float32 ``[..., n_listings, A]`` over the vocabulary, ``[..., n, A]``; NaN where nothing was asked."""
        shape = (*values.shape[:-2], len(self.vocabulary), values.shape[-1])
        spread = np.full(shape, np.nan, dtype=np.float32)
        spread[..., self.vocabulary.indexes([listing.id for listing in self.listings]), :] = values
        return spread

    @property
    def failed(self) -> int:
        """Listings that were asked for and lack scores."""
        lacking = np.flatnonzero(np.isnan(self.result.values).any(axis=1)).tolist()
        return sum(self.listings[row].id in self.result.faults for row in lacking)

    @property
    def scored(self) -> int:
        """Listings with at least one score."""
        return int((~np.isnan(self.result.values)).any(axis=1).sum())

    def all_notices(self, config: ScoringConfig) -> list[Notice]:
        """Say what is missing, and why."""
        notices = list(self.notices)
        if self.failed:
            message = f"{self.failed:,} {self.kind}s lack scores, because no answer of {config.model} could be used"
            notices.append(Notice(f"failed_{self.kind}s", self.failed, message))
        if self.result.stopped == "budget":
            left = int(np.isnan(self.result.passes_values).any(axis=(0, 2)).sum()) - len(self.result.faults)
            message = f"the budget ended before {left:,} {self.kind}s were asked for; the same command goes on"
            notices.append(Notice(f"{self.kind}s_beyond_budget", left, message))
        if unscored := len(self.vocabulary) - self.scored:
            total = len(self.vocabulary)
            message = f"{unscored:,} of {total:,} {self.kind}s have no guided scores; treated as average"
            notices.append(Notice(f"unscored_{self.kind}s", unscored, message))
        return notices


def _settings(
    schema: AttributeSchema, config: ScoringConfig, parts: list[ScoredPart], split: SplitConfig
) -> dict[str, Any]:
    """Return the run's configuration: what was asked, and which scores came of it."""
    sums = {part.kind: {"sha256": sha256(part.whole(part.result.values).tobytes())} for part in parts}
    users = {**sums["user"], "split": split.model_dump(mode="json")} if "user" in sums else None
    asked = {
        **config.model_dump(mode="json", exclude=_NO_MATTER),
        # No more of the address, which may hold secrets.
        "server": urlsplit(find_url(config.base_url)).hostname,
        "prompt_version": PROMPT_VERSION,
    }
    attributes = schema.model_dump(mode="json")
    return {"attributes": attributes, "scoring": asked, "item_scores": sums["item"], "user_scores": users}


def _write(
    writer: RunWriter, schema: AttributeSchema, config: ScoringConfig, parts: list[ScoredPart], started: datetime
) -> None:
    """Write the files of the run."""
    items = parts[0]
    writer.write_json("attributes", schema.model_dump(mode="json"))
    for part in parts:
        writer.write_array(f"{part.kind}_scores", part.whole(part.result.values))
    if config.passes > 1:
        passes = items.whole(items.result.passes_values)
        writer.write_array("item_passes", passes)
        writer.write_array("item_positions", items.whole(items.result.positions[..., None])[..., 0])
        writer.write_array("item_disagreement", disagreement(passes).astype(np.float32))
    rows = [(part.kind, *fault) for part in parts for fault in part.result.faults.items()]
    writer.write_table("faults", pd.DataFrame(rows, columns=list(_FAULTS), dtype="str"))
    writer.write_json("notices", [one.as_dict() for part in parts for one in part.all_notices(config)])
    paid = _paid([part.in_all for part in parts])
    stopped = next((part.result.stopped for part in parts if part.result.stopped), "")
    writer.write_json(
        "scoring",
        {
            "model": config.model,
            "prompt_version": PROMPT_VERSION,
            "schema_hash": schema.hash(),
            **paid,
            "this_run": _paid([part.result for part in parts]),
            "stopped": stopped,
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )
    values = items.whole(items.result.values)
    writer.summary.update(
        attributes=len(schema),
        schema_hash=schema.hash(),
        items=len(values),
        scored=items.scored,
        missing=int(np.isnan(values).sum()),
        users_scored=sum(part.scored for part in parts[1:]),
        failed=items.failed,
        requests=paid["requests"],
        tokens=paid["prompt_tokens"] + paid["completion_tokens"],
        cost=paid["cost"],
        failed_attempts=paid["failed_attempts"],
        failed_cost=paid["failed_cost"],
        model=config.model,
        stopped=stopped,
    )


def _paid(results: list[ScoringResult]) -> dict[str, Any]:
    """Add up what results took."""
    return {
        "requests": sum(result.requests for result in results),
        "prompt_tokens": sum(result.prompt_tokens for result in results),
        "completion_tokens": sum(result.completion_tokens for result in results),
        "cost": _sum([result.cost for result in results]),
        "failed_attempts": sum(result.failed_attempts for result in results),
        "failed_cost": _sum([result.failed_cost for result in results]),
    }


def _sum(costs: list[float | None]) -> float | None:
    """Add up costs; None when one is not known."""
    return None if None in costs else sum(cost for cost in costs if cost is not None)
