"""Naming a direction: a proposal by a language model or an analyst, its trial on held-out items, and its acceptance.

A proposal with its trial is kept as a run of stage ``discovery``. Answers to requests for scores are kept, too, so that
scoring the catalogue on an accepted attribute does not pay for those of the trial again.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guidedrec_core import __version__
from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.discovery.card import Card
from guidedrec_core.discovery.directions import Discovery, discover
from guidedrec_core.discovery.proposal import PROMPT_VERSION, Proposal, by_analyst, propose, with_attribute
from guidedrec_core.discovery.trial import Parting, judge, part, readable_loadings
from guidedrec_core.errors import InputError
from guidedrec_core.llm.chat import Chat
from guidedrec_core.naming.directions import DIRECTIONS
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender, naming_inputs
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.scoring.offline import offline_scores
from guidedrec_core.scoring.prompts import Listing, item_listings
from guidedrec_core.stages.data import given_scores
from guidedrec_core.stages.pipeline import refine_again
from guidedrec_core.stages.scoring.extend import add_attribute
from guidedrec_core.stages.scoring.new_listings import data_run, scored_as
from guidedrec_core.stages.scoring.score import ask_about_items, chat_client
from guidedrec_core.vectors.text import Embed

Score = Callable[[AttributeSchema, list[Listing]], npt.NDArray[np.floating]]


class NamingTask:
    """One direction to be named, with the items that are shown and those held out.

    Parameters
    ----------
    model : RefinedRecommender
        The refined recommender.
    discovery : Discovery
        Its directions.
    number : int
        Which of them.
    config : ScoringConfig
        The language model, and what it reads of an item.
    seed : int
        Of the parting.

    Raises
    ------
    InputError
        There is no such direction, it is not told from chance, or the catalogue is too small.
    """

    def __init__(
        self, model: RefinedRecommender, discovery: Discovery, number: int, config: ScoringConfig, seed: int = 0
    ) -> None:
        self.model, self.config, self.seed = model, config, seed
        self.direction = discovery.numbered(number)
        if not self.direction.passed:
            passed = ", ".join(str(one.number) for one in discovery.found if one.passed)
            raise InputError(
                f"direction {number} is not told from chance (stability {self.direction.stability:.2f}, chance gives "
                f"{discovery.directions.chance:.2f}; followed {self.direction.followed:+.2f}, as much in "
                f"{self.direction.chance:.1%} of shuffles), so nobody was asked to name it; "
                + (f"choose one of {passed}" if passed else "none of this run is")
            )
        loadings, weights = discovery.directions.loadings[:, number - 1], naming_inputs(model)[1]
        readable = readable_loadings(loadings, discovery.directions.predicted[:, number - 1])
        high, low = np.array(self.direction.high.items), np.array(self.direction.low.items)
        self.parting: Parting = part(high, low, loadings, weights, seed, readable)
        catalogue = model.data.dataset.catalogue
        columns = [name for name in config.columns if name in catalogue.frame]
        listings, _ = item_listings(catalogue, columns, config.max_characters)
        self.listings = {listing.id: listing for listing in listings}
        self.ids = catalogue.frame[c.ITEM].astype(str).to_numpy(dtype=object)

    @property
    def schema(self) -> AttributeSchema:
        """The attributes that the run uses, which are those with a name."""
        return self.model.schema

    def ask_for_name(self, listener: Listener = silent, client: Chat | None = None) -> Proposal | None:
        """Let a language model propose a name from the shown items; see `propose` for errors."""
        server = client or chat_client(self.config)
        groups = [self._texts(items) for items in (self.parting.high, self.parting.low, self.parting.middle)]
        listener(Progress("discover", message=f"{self.config.model} reads {sum(map(len, groups)):,} items"))

        async def ask() -> Proposal | None:
            async with contextlib.AsyncExitStack() as stack:
                if isinstance(server, contextlib.AbstractAsyncContextManager):
                    await stack.enter_async_context(server)
                return await propose(server, self.config.model, groups[0], groups[1], groups[2], self.schema)

        return asyncio.run(ask())

    def tried(self, proposal: Proposal | None, score: Score, scored_by: str) -> Card:
        """Try a name on the held-out items.

        Parameters
        ----------
        proposal : Proposal or None
            The name, if there is one.
        score : callable
            Scores listings, ``[n, A]``, on a schema whose last attribute is the proposed one.
        scored_by : str
            Name of the model that scores.
        """
        parting = self.parting
        shown = {"high": parting.high, "low": parting.low, "middle": parting.middle}
        held = {"high": parting.held_high, "low": parting.held_low}
        trial, scores = None, {}
        if proposal is not None:
            # In the order of the catalogue, so that nothing tells which end an item is from.
            texts = self._texts(np.sort(np.concatenate([parting.held_high, parting.held_low])))
            values = score(with_attribute(self.schema, proposal.attribute), texts)[:, -1]
            scores = {one.id: float(value) for one, value in zip(texts, values, strict=True) if not np.isnan(value)}
            high, low = (
                np.array([scores.get(str(item), np.nan) for item in self.ids[items]]) for items in held.values()
            )
            trial = judge(high, low, self.seed)
        return Card(
            direction=self.direction,
            proposal=proposal,
            trial=trial,
            shown={end: tuple(self.ids[items].tolist()) for end, items in shown.items()},
            held_out={end: tuple(self.ids[items].tolist()) for end, items in held.items()},
            scores=scores,
            provenance=self._provenance(scored_by),
        )

    def _texts(self, items: IntArray) -> list[Listing]:
        """Return the texts of some items, of those that have one."""
        return [self.listings[item] for item in self.ids[items].tolist() if item in self.listings]

    def _provenance(self, scored_by: str) -> dict[str, Any]:
        return {
            "dataset": self.model.data.dataset.name,
            "run_id": self.model.run_id,
            "scored_by": scored_by,
            "columns": [name for name in self.config.columns if name in self.model.data.dataset.catalogue.frame],
            "prompt_version": PROMPT_VERSION,
            "seed": self.seed,
            "package_version": __version__,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def by_language_model(
    store: RunStore, config: ScoringConfig, listener: Listener = silent, client: Chat | None = None
) -> Score:
    """Return a scorer that asks a language model about the last attribute alone; its answers are kept."""

    def score(schema: AttributeSchema, listings: list[Listing]) -> npt.NDArray[np.floating]:
        last = schema.model_copy(update={"attributes": schema.attributes[-1:]})
        return ask_about_items(store, last, config, listings, listener, client).values

    return score


def by_text_model(task: NamingTask, embed: Embed, listener: Listener = silent) -> Score:
    """Return a scorer that uses a text model, calibrated on the whole catalogue; see `scoring.offline`."""

    def score(schema: AttributeSchema, listings: list[Listing]) -> npt.NDArray[np.floating]:
        known = list(task.listings.values())
        values, _ = offline_scores(schema, known, embed, listener=listener)
        row_of = {listing.id: row for row, listing in enumerate(known)}
        return values[[row_of[listing.id] for listing in listings]]

    return score


def reading_settings(model: RefinedRecommender) -> dict[str, Any]:
    """Return the fields of `ScoringConfig` that say what is read of an item, as the catalogue was scored."""
    return {name: value for name, value in scored_as(model).items() if name != "model"}


def keep_card(store: RunStore, card: Card, config: ScoringConfig, text_model: bool = False) -> Run:
    """Keep a proposal with its trial as a run of stage ``discovery``.

    Parameters
    ----------
    store : RunStore
        Where the refined run is.
    card : Card
        What was proposed for a direction of a stored run, and what came of it.
    config : ScoringConfig
        What the trial was scored with.
    text_model : bool
        Its model is a text model.
    """
    content = _without_nan(card.as_dict())
    refined = store.open(str(card.provenance["run_id"]), "refined")
    asked = config.model_dump(mode="json", include=_TRIED_WITH)
    settings = {"direction": card.direction.number, "proposal": content["proposal"], "scoring": asked}
    settings["text_model"] = text_model
    with store.create("discovery", config=settings, inputs={"refined": refined}, seed=refined.seed) as writer:
        writer.write_json("card", content)
        name = None if card.proposal is None else card.proposal.attribute.name
        auroc = None if card.trial is None else card.trial.auroc
        writer.summary.update(direction=card.direction.number, name=name, auroc=auroc, accepted=card.accepted)
    return writer.run


_TRIED_WITH = {"model", "columns", "max_characters", "temperature"}
"""Settings of the trial that scoring the catalogue keeps."""


def accept(
    store: RunStore,
    card: Run,
    config: ScoringConfig,
    listener: Listener = silent,
    client: Chat | None = None,
    embed: Embed | None = None,
) -> Run:
    """Score the catalogue on an attribute that passed its trial, next to all scores that are there.

    Parameters
    ----------
    store : RunStore
        Where the runs are.
    card : Run
        Of stage ``discovery``.
    config : ScoringConfig
        What scores; see `accepted_config`.
    listener : callable
        Hears progress.
    client, embed
        See `add_attribute`.

    Returns
    -------
    Run
        Of stage ``scores``: the data set's newest scores with one more attribute. The next refinement starts from them.

    Raises
    ------
    InputError
        The name did not pass its trial, or there is none; it was tested with a text model and none is given; or another
        attribute has the name by now.
    """
    content = card.read_json("card")
    if not content["accepted"]:
        raise InputError(
            f"expected a name that passed its test, card {card.id} has none; propose another one, or for another "
            "direction"
        )
    if card.config.get("text_model") and embed is None:
        raise InputError(
            f"expected the text model {card.config['scoring']['model']} that card {card.id} was tested with, got none; "
            "name it with --offline"
        )
    proposal, trial = content["proposal"], content["trial"]
    attribute = Attribute.parse({name: value for name, value in proposal.items() if name not in ("by", "confidence")})
    refined = store.open(card.inputs["refined"], "refined")
    data = store.open(store.open(refined.inputs["base"], "base").inputs["data"], "data")
    origin = {"card": card.id, "proposed_by": proposal["by"], "auroc": trial["auroc"]}
    return add_attribute(store, given_scores(store, data), attribute, config, listener, client, embed, origin)


def accepted_config(card: Run, scores: Run, changes: Mapping[str, Any] | None = None) -> ScoringConfig:
    """Return how to score the catalogue on an accepted attribute: as in its trial, in as many passes as before.

    Parameters
    ----------
    card : Run
        Of stage ``discovery``.
    scores : Run
        The scores that get another attribute.
    changes : mapping, optional
        Fields of `ScoringConfig` to be used instead, e.g. ``base_url``.
    """
    passes = scores.config.get("scoring", {}).get("passes", 1)
    return ScoringConfig.parse({"passes": passes, **card.config["scoring"], **(changes or {})})


def cards(store: RunStore, refined: str) -> list[Run]:
    """Return the cards of a refined run, the newest first."""
    return [
        store.open(info.id, "discovery", verify=False)
        for info in store.list("discovery")
        if info.problem is None and info.inputs.get("refined") == refined
    ]


def discover_task(arguments: Mapping[str, Any], home: Path, listener: Listener) -> str:
    """Name a direction and try the name as a job; return the card's id.

    Parameters
    ----------
    arguments : mapping
        ``run`` (a refined run's id), ``direction`` (its number), ``scoring`` (fields of a `ScoringConfig`, at least
        ``model``), and optionally ``proposal`` (``name, definition, low, high`` of an analyst; else the model proposes
        one) and ``directions`` (how many are looked for).
    home : Path
        The run store's folder.
    listener : callable
        Hears progress.
    """
    store = RunStore(home)
    model = open_refined(store, str(arguments["run"]))
    config = ScoringConfig.parse({**reading_settings(model), **arguments["scoring"]})
    listener(Progress("discover", message="looking for patterns without a name"))
    found = discover(model, int(arguments.get("directions", DIRECTIONS)))
    task = NamingTask(model, found, int(arguments["direction"]), config)
    own = arguments.get("proposal")
    proposal = task.ask_for_name(listener) if own is None else by_analyst(own, task.schema)
    return keep_card(store, task.tried(proposal, by_language_model(store, config, listener), config.model), config).id


def accept_task(arguments: Mapping[str, Any], home: Path, listener: Listener) -> str:
    """Accept a name as a job: score all items on it, refine again, evaluate; return the new refined run's id.

    Parameters
    ----------
    arguments : mapping
        ``run`` (the refined run that the card is of), ``card`` (its id), ``scoring`` (fields of a `ScoringConfig` that
        differ from those of the trial, e.g. ``base_url``), and optionally ``repeat`` (see `refine_task`).
    home, listener
        As in `discover_task`.
    """
    store = RunStore(home)
    card, earlier = store.open(str(arguments["card"]), "discovery"), store.open(str(arguments["run"]), "refined")
    scores = given_scores(store, data_run(store, open_refined(store, earlier.id)))
    accept(store, card, accepted_config(card, scores, arguments.get("scoring")), listener)
    return refine_again(store, earlier, listener, repeat=bool(arguments.get("repeat"))).id


def _without_nan(value: Any) -> Any:
    """Replace numbers that are none, which JSON does not know."""
    if isinstance(value, dict):
        return {name: _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
