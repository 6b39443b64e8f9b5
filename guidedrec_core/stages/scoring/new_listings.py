"""Listings of items that are not in the catalogue, scored for a preview. Nothing is stored but a model's answers."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.data.catalogue import Catalogue, align
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.tables import read_table
from guidedrec_core.errors import DataError
from guidedrec_core.explanation import words
from guidedrec_core.llm.chat import Chat
from guidedrec_core.progress import Listener, silent
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.scoring.offline import offline_scores
from guidedrec_core.scoring.prompts import Listing, item_listings
from guidedrec_core.scoring.recorded import RECORDED
from guidedrec_core.stages.scoring.score import ask_about_items
from guidedrec_core.vectors.text import Embed

MOST_LISTINGS = 50
"""Listings that are previewed together, at most; more are a catalogue."""

FloatArray = npt.NDArray[np.float64]

_NOTHING = "there is nothing to read in it"
_RECORDED_ONLY = "recorded scores are of the catalogue's own listings alone; name a language model to score others"
_UNANSWERED = "it was not answered"


@dataclass(frozen=True)
class ScoredListing:
    """A new item's scores, or why there are none.

    Attributes
    ----------
    title : str
        Its title.
    scores : dict of str to float, or None
        Raw score of each attribute that the run uses, as `items.new_item.preview` takes it; NaN = missing.
    fault : str
        Why `scores` is None; empty where it is not.
    """

    title: str
    scores: dict[str, float] | None
    fault: str = ""


@dataclass(frozen=True)
class ListingScores:
    """What scoring some listings gave and took.

    Attributes
    ----------
    listings : tuple of ScoredListing
        In the order in which they were given.
    scored_by : str
        Name of the model.
    caveats : tuple of str
        What to bear in mind about these scores.
    requests, tokens : int
        Paid for; none for what was answered before.
    cost : float or None
        USD; None when the price is not known.
    failed_attempts : int
        Requests that brought no answer.
    failed_cost : float or None
        USD at which they are booked; None when that is not known.
    """

    listings: tuple[ScoredListing, ...]
    scored_by: str
    caveats: tuple[str, ...]
    requests: int = 0
    tokens: int = 0
    cost: float | None = 0.0
    failed_attempts: int = 0
    failed_cost: float | None = 0.0


def listings_file(path: Path) -> tuple[Catalogue, tuple[Notice, ...]]:
    """Read new listings from a CSV or Parquet file; see `listings_table`."""
    return listings_table(read_table(path), path.name)


def listings_table(frame: pd.DataFrame, name: str = "the listing") -> tuple[Catalogue, tuple[Notice, ...]]:
    """Make a catalogue of new listings.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``title`` and, as far as they are known, ``category``, ``price``, ``description`` and whatever else items were
        scored by.
    name : str
        Of the table, for messages.

    Returns
    -------
    tuple of (Catalogue, tuple of Notice)
        The listings, with ids that mean nothing; prices that are no numbers are left blank and counted.

    Raises
    ------
    DataError
        No titles, no rows, or more than `MOST_LISTINGS`.
    """
    if c.TITLE not in frame:
        found = ", ".join(map(str, frame.columns)) or "none"
        raise DataError(
            f"expected the columns title and, as far as they are known, category, price and description in {name}; "
            f"found: {found}. Name the columns so"
        )
    if not 1 <= len(frame) <= MOST_LISTINGS:
        raise DataError(
            f"expected 1 to {MOST_LISTINGS} listings in {name}, got {len(frame):,}; preview them in smaller tables"
        )
    titles = frame[c.TITLE].astype("object").fillna("").astype("str").str.strip()
    blank = [str(number) for number, title in enumerate(titles, start=1) if not title]
    if blank:
        raise DataError(f"expected a title for each listing in {name}, got none in row {', '.join(blank)}; add it")
    # Unlike any title: one that is only an id is not read.
    ids = [secrets.token_hex(8) for _ in titles]
    known = frame.assign(**{c.ITEM: ids, c.CATEGORY: frame.get(c.CATEGORY, "")})
    return align(known, ids)


def scored_as(system: RefinedRecommender) -> dict[str, Any]:
    """Return the fields of `ScoringConfig` that the catalogue was scored with and new listings should be, too.

    Returns
    -------
    dict
        ``model``, ``columns`` and ``max_characters``; empty when the scores were read from files.
    """
    asked = system.scores.scoring
    return {name: asked[name] for name in ("model", "columns", "max_characters") if name in asked}


def whole_schema(system: RefinedRecommender) -> AttributeSchema:
    """Return all attributes that the catalogue was scored on; the run may use some of them."""
    return system.scores.items.schema


def data_run(store: RunStore, system: RefinedRecommender) -> Run:
    """Return the data set that a refined run was made with."""
    refined = store.open(system.run_id, "refined")
    return store.open(store.open(refined.inputs["base"], "base").inputs["data"], "data")


def score_listings(
    store: RunStore,
    system: RefinedRecommender,
    listings: Catalogue,
    config: ScoringConfig,
    listener: Listener = silent,
    client: Chat | None = None,
) -> ListingScores:
    """Let a language model score new listings; what it answers is kept, and not paid for twice.

    It is asked for all attributes that the catalogue was scored on, as it would be asked about the catalogue.

    Parameters
    ----------
    store : RunStore
        Where answers are kept.
    system : RefinedRecommender
        The refined run to preview them with.
    listings : Catalogue
        From `listings_table`.
    config : ScoringConfig
        The model, and how it is asked; columns that the listings lack are not read.
    listener : callable
        Hears of every answer; may raise `JobCancelledError`.
    client : Chat, optional
        What answers; default is the server of `config`.

    Raises
    ------
    ConfigError
        No key, the key is refused, or the model or address is unknown.
    ServiceError
        The server does not answer.
    """
    readable, lacking = _texts(system, listings, config)
    schema = whole_schema(system)
    result = ask_about_items(store, schema, config, readable, listener, client)
    rows = {listing.id: row for listing, row in zip(readable, result.values.astype(np.float64), strict=True)}
    scored = []
    for item, title in zip(listings.frame[c.ITEM], listings.frame[c.TITLE], strict=True):
        row = rows.get(item)
        if row is None:
            scored.append(ScoredListing(title, None, _NOTHING))
        elif np.isnan(row).all():
            fault = _RECORDED_ONLY if config.model == RECORDED else result.faults.get(item, _UNANSWERED)
            scored.append(ScoredListing(title, None, fault))
        else:
            scored.append(ScoredListing(title, _taken(row, schema, system.schema)))
    return ListingScores(
        listings=tuple(scored),
        scored_by=config.model,
        caveats=(*_other_judge(system, config.model), *lacking),
        requests=result.requests,
        tokens=result.prompt_tokens + result.completion_tokens,
        cost=result.cost,
        failed_attempts=result.failed_attempts,
        failed_cost=result.failed_cost,
    )


def score_listings_offline(
    system: RefinedRecommender,
    listings: Catalogue,
    embed: Embed,
    name: str,
    config: ScoringConfig | None = None,
    listener: Listener = silent,
) -> ListingScores:
    """Score new listings with a text model alone; see `guidedrec_core.scoring.offline`.

    How near its scores of the catalogue come to the catalogue's own is measured; by that much they are trusted: each
    attribute's score is what a straight line through the catalogue's items gives for it.

    Parameters
    ----------
    system : RefinedRecommender
        The refined run to preview them with.
    listings : Catalogue
        From `listings_table`.
    embed : callable
        The text model.
    name : str
        Its name.
    config : ScoringConfig, optional
        What is read of an item; default is what the catalogue was scored by, else the usual columns.
    listener : callable
        Hears how much of the catalogue is read.

    Raises
    ------
    DataError
        The catalogue has fewer than three items with a text.
    ServiceError
        The model's vectors cannot be used.
    """
    config = config or ScoringConfig.parse({"model": name, **scored_as(system)})
    readable, lacking = _texts(system, listings, config)
    own = system.data.dataset
    known, _ = item_listings(own.catalogue, _there(own.catalogue, config), config.max_characters)
    schema = system.schema
    read, scorer = offline_scores(schema, known, embed, listener=listener)
    given = system.item_scores.values[own.items.indexes([listing.id for listing in known])]
    new = scorer.score(embed([listing.text for listing in readable]))
    values, agreement = _on_the_line(read.astype(np.float64), given.astype(np.float64), new.astype(np.float64))
    rows = dict(zip([listing.id for listing in readable], values.clip(schema.scale.min, schema.scale.max), strict=True))
    scored = [
        ScoredListing(title, _taken(rows[item], schema, schema))
        if item in rows
        else ScoredListing(title, None, _NOTHING)
        for item, title in zip(listings.frame[c.ITEM], listings.frame[c.TITLE], strict=True)
    ]
    return ListingScores(tuple(scored), name, (_weaker(name, schema, agreement), *lacking))


def _texts(
    system: RefinedRecommender, listings: Catalogue, config: ScoringConfig
) -> tuple[list[Listing], tuple[str, ...]]:
    """Return what is read of new listings, and what is said of columns that none has, though other items have them."""
    own = system.data.dataset.catalogue
    readable, _ = item_listings(listings, _there(listings, config), config.max_characters)
    missing = [name for name in config.columns if _tells(own, name) and not _tells(listings, name)]
    if not missing:
        return readable, ()
    return readable, (f"Scored without {words.listing(missing)}, which other items have.",)


def _tells(listings: Catalogue, name: str) -> bool:
    """Tell whether a column says something of any listing."""
    return name in listings.frame and bool((listings.frame[name].notna() & (listings.frame[name] != "")).any())


def _there(listings: Catalogue, config: ScoringConfig) -> list[str]:
    return [name for name in config.columns if name in listings.frame]


def _taken(row: FloatArray, schema: AttributeSchema, used: AttributeSchema) -> dict[str, float]:
    """Return the scores of the attributes that are used."""
    return {name: float(row[schema.index(name)]) for name in used.names}


def _other_judge(system: RefinedRecommender, model: str) -> tuple[str, ...]:
    """Say that the catalogue was scored by somebody else, if so."""
    other = scored_as(system).get("model")
    if model in (other, RECORDED):
        return ()
    if other is None:
        return (f"Scored by {model}; the catalogue's scores were read from files, and may be another judge's.",)
    return (f"Scored by {model}, the catalogue by {other}: two models seldom use a scale alike.",)


def _on_the_line(read: FloatArray, given: FloatArray, new: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Carry offline scores over to the scale on which the catalogue's own scores lie.

    Parameters
    ----------
    read, given : FloatArray
        Offline and own scores of the catalogue, ``[n, A]``; own ones may be missing (NaN).
    new : FloatArray
        Offline scores, ``[m, A]``.

    Returns
    -------
    tuple of (FloatArray, FloatArray)
        The scores of the least-squares line, ``[m, A]``, and the correlation of `read` and `given`, ``[A]``; NaN where
        the catalogue has no scores, correlation 0 where all are equal.
    """
    values, agreement = np.full(new.shape, np.nan), np.full(new.shape[1], np.nan)
    for a in range(new.shape[1]):
        scored = ~np.isnan(given[:, a])
        if not scored.any():
            continue
        x, y = read[scored, a], given[scored, a]
        spread_x, spread_y = x.std(), y.std()
        agreement[a] = 0.0
        if spread_x > 0 and spread_y > 0:
            agreement[a] = np.mean((x - x.mean()) * (y - y.mean())) / (spread_x * spread_y)
        slope = agreement[a] * spread_y / spread_x if spread_x > 0 else 0.0
        values[:, a] = y.mean() + slope * (new[:, a] - x.mean())
    return values, agreement


def _weaker(name: str, schema: AttributeSchema, agreement: FloatArray) -> str:
    """Say how near the text model comes to the catalogue's own scores."""
    lowest, highest = int(np.nanargmin(agreement)), int(np.nanargmax(agreement))
    low, high = (words.lower_first(schema.attributes[a].label) for a in (lowest, highest))
    return (
        f"Scored by the text model {name}, a weaker instrument than a language model: over this catalogue its scores "
        f"correlate {np.nanmean(agreement):.2f} with those in use, from {agreement[lowest]:.2f} for {low} to "
        f"{agreement[highest]:.2f} for {high}. Where it knows little, it says average."
    )
