"""Listings in ``guidedrec preview``: scoring them by the chosen model."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.llm_options import LlmChoice
from guidedrec_core.cli.output import one_line, write_facts, write_table
from guidedrec_core.cli.session import Session
from guidedrec_core.scoring.prices import failed_words, usd

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from guidedrec_core.data.catalogue import Catalogue
    from guidedrec_core.items.new_item import Preview
    from guidedrec_core.recommenders.refined import RefinedRecommender
    from guidedrec_core.stages.scoring.new_listings import ListingScores


@dataclass(frozen=True)
class Given:
    """The item, as given on the command line.

    Attributes
    ----------
    scores, listing : Path or None
        A file of scores; a table of listings.
    title, category, description : str or None
    price : float or None
    """

    scores: Path | None
    listing: Path | None
    title: str | None
    category: str | None
    price: float | None
    description: str | None

    def check(self, llm: LlmChoice, offline: str | None) -> None:
        """Refuse conflicting options, and name missing ones."""
        described = any(value is not None for value in (self.category, self.price, self.description))
        scorer = llm.wanted or offline is not None
        if self.scores is not None:
            if self.listing or described or scorer or llm.values:
                raise click.UsageError("--scores needs no listing and no model; leave out their options, or --scores")
            return
        if self.listing is not None and (described or self.title is not None):
            raise click.UsageError("--listing names a table of listings; leave out --title and the like, or --listing")
        if self.listing is None and self.title is None:
            raise click.UsageError(
                "say what the item is: --title TEXT with --description and the like, --listing FILE, or --scores FILE"
            )
        if not scorer:
            raise click.UsageError(
                "a listing has to be scored: name a language model with --model (and --base-url), "
                "--offline MODEL for a text model, or give the scores with --scores FILE"
            )
        if llm.wanted and offline is not None:
            raise click.UsageError("a language model or a text model; leave out --model and --server, or --offline")

    def table(self, session: Session) -> "Catalogue":
        """Return the listings."""
        import pandas as pd

        from guidedrec_core.stages.scoring.new_listings import listings_file, listings_table

        if self.listing is not None:
            listings, notices = listings_file(self.listing)
        else:
            fields = {"title": self.title, "category": self.category, "price": self.price}
            listings, notices = listings_table(pd.DataFrame([{**fields, "description": self.description}]))
        session.notices([notice.as_dict() for notice in notices])
        return listings


def scored(
    session: Session, system: "RefinedRecommender", listings: "Catalogue", llm: LlmChoice, offline: str | None
) -> "ListingScores":
    """Score listings by the chosen model."""
    from guidedrec_core.config import ScoringConfig
    from guidedrec_core.stages.scoring.new_listings import (
        data_run,
        score_listings,
        score_listings_offline,
        scored_as,
        whole_schema,
    )

    store = session.store()
    as_before = {name: value for name, value in scored_as(system).items() if name != "model"}
    if offline is None:
        data = data_run(store, system)
        serving = llm.serving(data, whole_schema(system), llm.config(**as_before))
        with serving as config, session.progress() as listener:
            return score_listings(store, system, listings, config, listener)
    from guidedrec_core.llm.client import LlmClient
    from guidedrec_core.vectors.text import local_model

    base_url = llm.values.get("base_url")
    if base_url is None:
        embed = local_model(offline)
    else:
        client = LlmClient(base_url)

        def embed(texts: list[str]) -> "npt.NDArray[np.float32]":
            return client.embed(texts, offline)

    with session.progress() as listener:
        config = ScoringConfig.parse({"model": offline, **as_before})
        return score_listings_offline(system, listings, embed, offline, config, listener)


def cost_words(scores: "ListingScores") -> str:
    """Say what scoring cost."""
    failed = failed_words(scores.failed_attempts, scores.failed_cost)
    if not scores.requests:
        return f"{scores.scored_by}, {failed or 'nothing new to pay for'}"
    cost = "cost not known" if scores.cost is None else usd(scores.cost)
    said = f"{scores.scored_by}, {scores.requests:,} requests, {scores.tokens:,} tokens, {cost}"
    return f"{said}; {failed}" if failed else said


def write_previews(found: "list[Preview]", scores: "ListingScores") -> None:
    """Show previews of a table of listings, those with the longest reach first; then what failed."""
    first = sorted(found, key=lambda one: (-one.reach, one.median_rank))
    for preview in first:
        click.echo(one_line(preview.sentence))
    if found:
        for caveat in dict.fromkeys(caveat for preview in first for caveat in preview.caveats):
            click.echo(one_line(caveat))
        click.echo()
        write_table(
            ("listing", f"top {found[0].k} of", "median place", "nearest item"),
            [[p.title, f"{p.reach:,}", f"{p.median_rank:,.0f}", str(p.near["title"].iloc[0])] for p in first],
        )
        click.echo()
    write_facts([("scored by", cost_words(scores)), ("listings", f"{len(found):,} of {len(scores.listings):,} scored")])
    failed = [[one.title, one.fault] for one in scores.listings if one.scores is None]
    if failed:
        click.echo()
        write_table(("not scored", "why"), failed)
