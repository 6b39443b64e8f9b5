"""`Preview`: an item without any interaction, placed and ranked by its guided scores alone. Nothing stored changes."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import ConfigError, DataError
from guidedrec_core.explanation import words
from guidedrec_core.items.view import attribute_table, near_reason
from guidedrec_core.models.base import FloatArray
from guidedrec_core.progress import Listener, StageProgress, silent
from guidedrec_core.projection.spaces import ItemSpace, refined_vectors
from guidedrec_core.ranking.ranks import mask_seen
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.refinement.cold import NEVER
from guidedrec_core.refinement.guided import Standardisation

Weights = npt.NDArray[np.float64] | None

NEWNESS = "newness"
"""Row of `Preview.contributions` that is no attribute: what an item lacks until it has interactions."""

# Scores in one block: 16 MiB per table; several passes over such a block are cheaper than over a larger one.
_BLOCK_NUMBERS = 4 * 1024 * 1024
_LARGEST_BLOCK = 512
_STRONGEST = 20
_NEAREST = 8
_NAMED = 3
# With this many cases a share is known to within about ten points.
_ENOUGH_CASES = 100
_RELY = "Rely on what its attributes add rather than on its ranks."


@dataclass(frozen=True)
class Preview:
    """How a new item would perform.

    Attributes
    ----------
    title : str
        Its title.
    run_id : str
        The refined run.
    attributes : pandas.DataFrame
        As `ItemView.attributes`.
    near : pandas.DataFrame
        Nearest items of the catalogue, nearest first: ``rank, item_id, title, category, similarity`` (cosine), ``why``
        (in words); one column per attribute and ``rest`` sum to the similarity.
    anchored : bool
        Whether item vectors of this run depend on guided scores alone. If so, `near` is computed in the whole refined
        space; else on the attributes, and `rest` is 0.
    k : int
        Length of the lists.
    n_items : int
        Size of the catalogue, without the new item.
    ranks : IntArray
        Its rank, from 1, among the items each user has not seen, ``[n_users]``; items of the catalogue win ties.
    audience : pandas.DataFrame
        The users it ranks highest for, whether in their lists or not: ``user_id, rank, lead`` (score above the best
        item of the catalogue; below 0 where that item is better), ``why`` (in words).
    contributions : pandas.DataFrame
        One row per attribute, and a last one `NEWNESS`: ``part, label, everyone, reached``, its gain over an
        average item, averaged over all users and over those it reaches (NaN when there are none).
    sentence : str
        The same in plain words.
    caveats : tuple of str
        What limits the certainty of the preview.
    """

    title: str
    run_id: str
    attributes: pd.DataFrame
    near: pd.DataFrame
    anchored: bool
    k: int
    n_items: int
    ranks: IntArray
    audience: pd.DataFrame
    contributions: pd.DataFrame
    sentence: str
    caveats: tuple[str, ...]

    @property
    def reach(self) -> int:
        """Number of users with the item in their top k."""
        return int((self.ranks <= self.k).sum())

    @property
    def mean_rank(self) -> float:
        """Its rank, averaged over users."""
        return float(self.ranks.mean())

    @property
    def median_rank(self) -> float:
        """Median of its ranks over users."""
        return float(np.median(self.ranks))


def preview(
    system: RefinedRecommender,
    scores: Mapping[str, float | None],
    title: str = "The new item",
    k: int = 10,
    listener: Listener = silent,
    caveats: tuple[str, ...] = (),
) -> Preview:
    """Place and rank an item by its guided scores alone.

    Every user is scored, in blocks, as the refined model scores items without interactions in training.

    Parameters
    ----------
    system : RefinedRecommender
        An opened refined run.
    scores : mapping of str to float or None
        Raw score by attribute; an attribute left out, None or NaN is missing and counts as average.
    title : str
        Its name in the texts.
    k : int
        Length of the lists.
    listener : callable
        Receives how many users are done.
    caveats : tuple of str
        Remarks on the scores; they come first.

    Raises
    ------
    UnknownIdError
        The run has no such attribute.
    DataError
        A score is no number or outside the scale, or there is none at all.
    ConfigError
        The run does not use its scores as they are: it is a control.
    """
    raw = _raw(scores, system.schema)
    guided = _guided(system, raw[None])  # [1, A]
    reduced = system.refined.new_item_remainders(guided)
    ranks, leads, above, slopes = _against_catalogue(system, guided, listener)
    attributes = attribute_table(system, raw.astype(np.float64), np.isnan(raw))
    near = _near_table(system, guided, reduced)
    contributions = _contributions(system.schema, slopes * guided, above, ranks <= k)
    strongest = np.lexsort((-leads, ranks))[:_STRONGEST]
    why = _reasons(system, strongest, guided)
    users = system.data.dataset.users.ids[strongest]
    found = Preview(
        title=title,
        run_id=system.run_id,
        attributes=attributes,
        near=near,
        anchored=reduced is not None,
        k=k,
        n_items=system.refined.n_items,
        ranks=ranks,
        audience=pd.DataFrame({c.USER: users, c.RANK: ranks[strongest], "lead": leads[strongest], "why": why}),
        contributions=contributions,
        sentence="",
        caveats=(*caveats, *_caveats(system, raw, reduced is not None)),
    )
    return dataclasses.replace(found, sentence=_sentence(found, system.verb))


def _raw(scores: Mapping[str, float | None], schema: AttributeSchema) -> FloatArray:
    """Return checked raw scores in schema order, ``[A]``; NaN = missing."""
    raw = np.full(len(schema), np.nan, np.float32)
    scale = schema.scale
    for name, value in scores.items():
        place = schema.index(name)
        if value is None or value != value:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not scale.min <= value <= scale.max:
            raise DataError(
                f"expected a number from {scale.min:g} to {scale.max:g} for {name}, or null where it is missing; "
                f"got {value!r}"
            )
        raw[place] = value
    if np.isnan(raw).all():
        raise DataError(f"expected a score on at least one attribute out of {', '.join(schema.names)}; got none")
    return raw


def _guided(system: RefinedRecommender, new: FloatArray) -> FloatArray:
    """Return the guided embedding of raw scores ``[n, A]``, each from one pass, made as in this run."""
    how, _, one_pass = standardisation(system)
    return how.apply(new, one_pass)


def standardisation(system: RefinedRecommender) -> tuple[Standardisation, Weights, Weights]:
    """Return how a run made its guided embedding of raw scores.

    Returns
    -------
    how : Standardisation
        Fitted on its catalogue.
    weights, one_pass : ndarray or None
        How far each score counts, ``[n_items, A]``, and one that was given in one pass, ``[A]``; None where all count
        in full.

    Raises
    ------
    ConfigError
        The run does not use its scores as they are: it is a control.
    """
    raw, config, doubt = system.item_scores.values, system.config, system.doubt
    weights, one_pass = (None, None) if doubt is None else (doubt.weights, doubt.one_pass)
    how = Standardisation.of(raw, config.normalisation, weights)
    table = system.refined.item_values()
    if table.shape != raw.shape or not np.allclose(how.apply(raw, weights), table, atol=1e-3):
        raise ConfigError(
            f"expected a refined run that uses its guided scores, but {system.run_id} has something else in "
            f"their place (control {config.control}); choose another run"
        )
    return how, weights, one_pass


def _against_catalogue(
    system: RefinedRecommender, guided: FloatArray, listener: Listener
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Compare the new item with the whole catalogue for every user.

    Returns
    -------
    ranks : IntArray
        ``[n_users]``, from 1.
    leads, above : FloatArray
        Its score less that of the best item not seen yet, and less the average item's, ``[n_users]`` each.
    slopes : FloatArray
        What one unit of its values adds, ``[n_users, A]``.
    """
    data, model = system.data, system.refined
    n_users = len(data.dataset.users)
    ranks = np.empty(n_users, np.int64)
    leads, above = np.empty(n_users, np.float32), np.empty(n_users, np.float32)
    slopes = np.empty((n_users, model.n_attributes), np.float32)
    size = max(1, min(_LARGEST_BLOCK, _BLOCK_NUMBERS // model.n_items))
    progress = StageProgress("preview", n_users, listener)
    for first in range(0, n_users, size):
        users = np.arange(first, min(first + size, n_users))
        histories = [data.shown_history(user) for user in users.tolist()]
        parts = model.new_item_parts(users, histories, guided)
        own = parts.scores[:, 0]
        catalogue = model.scores(users, histories)
        above[users] = own - catalogue.mean(axis=1)
        catalogue = mask_seen(catalogue, histories)
        ranks[users] = 1 + (catalogue >= own[:, None]).sum(axis=1)
        leads[users] = own - catalogue.max(axis=1)
        slopes[users] = parts.slopes
        progress.done += len(users)
        progress.say(f"{progress.done:,} of {n_users:,} users")
    return ranks, leads, above, slopes


def _near_table(system: RefinedRecommender, guided: FloatArray, reduced: FloatArray | None) -> pd.DataFrame:
    """Tabulate the nearest items, and what makes them near."""
    schema, table = system.schema, system.refined.item_values()
    if reduced is None:
        space, vector, rest = ItemSpace.guided(table), guided[0], "no single attribute"
    else:
        catalogue = system.refined.item_remainders()
        space, vector = ItemSpace.refined(table, catalogue), refined_vectors(guided, reduced, catalogue)[0]
        rest = f"{system.verb.patterns} its attributes suggest"
    items, similarities = space.nearest_to(vector, _NEAREST)
    shares = space.shares_of(vector, items)  # [n, A + 1]
    listings = system.data.dataset.catalogue.frame.iloc[items]
    near = pd.DataFrame(
        {
            c.RANK: np.arange(1, len(items) + 1),
            c.ITEM: listings[c.ITEM].to_numpy(),
            c.TITLE: listings[c.TITLE].to_numpy(),
            c.CATEGORY: listings[c.CATEGORY].to_numpy(),
            "similarity": similarities.astype(np.float64),
            "why": [near_reason(each, guided[0], schema, rest) for each in shares],
        }
    )
    return pd.concat([near, pd.DataFrame(shares.astype(np.float64), columns=[*schema.names, "rest"])], axis=1)


def _contributions(
    schema: AttributeSchema, parts: FloatArray, above: FloatArray, reached: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Average what each attribute adds, ``parts [n_users, A]``, and what is left of the distance to an average item."""

    def averages(users: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        if not users.any():
            return np.full(len(schema) + 1, np.nan)
        mean = parts[users].mean(axis=0, dtype=np.float64)
        return np.append(mean, above[users].mean(dtype=np.float64) - mean.sum())

    return pd.DataFrame(
        {
            "part": [*schema.names, NEWNESS],
            "label": [*(attribute.label for attribute in schema.attributes), "Newness"],
            "everyone": averages(np.ones(len(above), dtype=bool)),
            "reached": averages(reached),
        }
    )


def _reasons(system: RefinedRecommender, users: IntArray, guided: FloatArray) -> list[str]:
    """Say for each of some users which attributes help the item most."""
    histories = [system.data.shown_history(user) for user in users.tolist()]
    profiles = system.refined.new_item_parts(users, histories, guided).profile
    sources = system.refined.slope_sources(users, histories).times(guided)  # [n, A]
    attributes, said = system.schema.attributes, []
    for row, (profile, each) in enumerate(zip(profiles, sources.total, strict=True)):
        best = [a for a in np.argsort(-each, kind="stable")[:2].tolist() if each[a] >= words.LITTLE_EFFECT]
        phrases = [
            words.contribution_phrase(attributes[a], profile[a], guided[0, a], sources.one(row, a), system.verb)
            for a in best
        ]
        said.append(words.listing(phrases) or "no attribute helps much")
    return said


def _caveats(system: RefinedRecommender, raw: FloatArray, anchored: bool) -> tuple[str, ...]:
    """Say what limits the certainty of a preview."""
    verb = system.verb
    said = _caveats_of_scores(system, raw)
    if not anchored:
        said.append(
            f"This run did not link {verb.patterns} to attributes, so a new item is placed by its attributes and by "
            "averages only; `guidedrec refine --cold anchored` makes a run that does."
        )
    offset = system.summary.get("cold_offset")
    targets = system.data.valid_cases.targets
    about_new = int((system.data.item_interactions[targets] == 0).sum())
    if offset is None:
        said.append(f"This run never had to rank items without {verb.nouns}, so how high it ranks is a guess. {_RELY}")
    elif about_new < _ENOUGH_CASES:
        said.append(
            f"Only {about_new:,} of {len(targets):,} validation cases were about items without {verb.nouns}, too few "
            f"to know how high such items should rank. {_RELY}"
        )
    elif offset <= NEVER:
        said.append(f"On validation data this run did best without items that have no {verb.nouns}: it lists none.")
    return tuple(said)


def _caveats_of_scores(system: RefinedRecommender, raw: FloatArray) -> list[str]:
    """Say which scores of a new item are missing, or outside what the run has seen."""
    schema, catalogue = system.schema, system.item_scores.values
    said = []
    missing = [words.lower_first(a.label) for a, score in zip(schema.attributes, raw, strict=True) if np.isnan(score)]
    if missing:
        said.append(f"Not scored, treated as average: {words.listing(missing)}.")
    lowest, highest = np.nanmin(catalogue, axis=0), np.nanmax(catalogue, axis=0)
    beyond = [
        f"{words.lower_first(attribute.label)} ({score:g}; the catalogue ranges from {low:g} to {high:g})"
        for attribute, score, low, high in zip(schema.attributes, raw, lowest, highest, strict=True)
        if score < low or score > high
    ]
    if beyond:
        said.append(f"Outside the catalogue's range, so an extrapolation: {words.listing(beyond)}.")
    return said


def _sentence(found: Preview, verb: InteractionVerb) -> str:
    """Say how the item would perform."""
    share = found.reach / len(found.ranks)
    table = found.contributions.iloc[:-1]
    column = "reached" if found.reach else "everyone"
    best = table.sort_values(column, ascending=False, kind="stable").head(_NAMED)
    carried = [words.lower_first(label) for label in best[best[column] > 0]["label"]]
    who = "Main strengths for them" if found.reach else "Main strengths"
    text = (
        f"{found.title} would be in the top {found.k} for {found.reach:,} of {verb.count_users(len(found.ranks))} "
        f"({100 * share:.1f} %); its median rank is {found.median_rank:,.0f} of {found.n_items + 1:,}. "
        f"{who}: {words.listing(carried) or 'none of its attributes'}. "
    )
    near = words.listing(found.near[c.TITLE].head(_NAMED).tolist())
    return f"{text}{newness_words(found)} Most similar: {near}."


def newness_words(found: Preview) -> str:
    """Say what a new item loses, or gains, against an average one because it has no interactions yet."""
    newness = float(found.contributions["everyone"].iloc[-1])
    return f"Newness {'costs' if newness < 0 else 'adds'} {abs(newness):.2f} compared with an average item."
