"""`ItemView`: one item as the models and its users see it, everything the Items page shows, computed once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.report import BASE, REFINED
from guidedrec_core.explanation import words
from guidedrec_core.language import percent
from guidedrec_core.projection.spaces import FloatArray, ItemSpace
from guidedrec_core.recommenders.refined import RefinedRecommender

# Distance from the catalogue's mean in standard deviations; a smaller one is not a trait of an item.
_MARKED = 0.5
# An attribute is said to make two items similar when it carries at least this share of their similarity.
_TELLING = 0.05


@dataclass(frozen=True)
class ItemView:
    """One item under study.

    Attributes
    ----------
    item_id, title, category, description : str
        Its listing; empty where unknown.
    price : float or None
        Its price, if known.
    interactions, popularity_rank, n_items : int
        Training interactions of the item, its rank by these (1 = most), and the number of items.
    attributes : pandas.DataFrame
        One row per attribute, in schema order: ``attribute, label, low, high, score`` (raw, NaN when missing),
        ``catalogue_score`` (raw mean), ``z`` (distance from it in standard deviations; 0 when missing), ``missing,
        words``.
    scale_min, scale_max : float
        Range of raw scores.
    base_near, refined_near : pandas.DataFrame
        Nearest items, nearest first: ``rank, item_id, title, category, similarity`` (cosine), ``why`` (in words),
        ``also`` (among the k nearest in the other space, too). In `refined_near` one column per attribute and
        ``rest`` (the reduced base part) sum to the similarity.
    audience : pandas.DataFrame or None
        Users with the item in their stored list: ``user_id, base_rank, refined_rank`` (NaN where it is not in that
        list), best refined rank first; None when there are no stored lists.
    n_users : int
        Users with stored lists; 0 when there are none.
    list_length : int
        Length of the stored lists; 0 when there are none.
    sentence, near_sentence, audience_sentence : str
        The same in plain words.
    """

    item_id: str
    title: str
    category: str
    description: str
    price: float | None
    interactions: int
    popularity_rank: int
    n_items: int
    attributes: pd.DataFrame
    scale_min: float
    scale_max: float
    base_near: pd.DataFrame
    refined_near: pd.DataFrame
    audience: pd.DataFrame | None
    n_users: int
    list_length: int
    sentence: str
    near_sentence: str
    audience_sentence: str


def build_item(
    system: RefinedRecommender, item_id: str, recommendations: pd.DataFrame | None = None, k: int = 8
) -> ItemView:
    """Compute an item's view.

    Parameters
    ----------
    system : RefinedRecommender
        An opened refined run.
    item_id : str
        The item.
    recommendations : pandas.DataFrame, optional
        ``user_id, item_id, score, rank, model`` of all users, as an evaluation stores them.
    k : int
        Nearest items on each side.

    Raises
    ------
    UnknownIdError
        No such item.
    """
    data, verb = system.data, system.verb
    item = data.dataset.items.index(item_id)
    listing = data.dataset.catalogue.frame.iloc[item]
    attributes = attribute_table(system, system.item_scores.values[item].astype(np.float64), system.missing[item])
    spaces = {BASE: ItemSpace.base(system.base.item_embedding()), REFINED: ItemSpace.refined(*_refined_parts(system))}
    near = {name: space.nearest(item, k) for name, space in spaces.items()}
    shares = spaces[REFINED].shares(item, near[REFINED][0])  # [k, A + 1]
    guided = _refined_parts(system)[0]
    together = f"{verb.participle} in similar histories"
    why = [near_reason(s, guided[item], system.schema, together) for s in shares]
    base_near = _near_table(system, *near[BASE], near[REFINED][0], [together] * len(near[BASE][0]))
    refined_near = _near_table(system, *near[REFINED], near[BASE][0], why)
    parts = pd.DataFrame(shares.astype(np.float64), columns=[*system.schema.names, "rest"])
    popularity = data.item_interactions
    audience = None if recommendations is None else _audience_table(recommendations, item_id)
    n_users = 0 if recommendations is None else int(recommendations[c.USER].nunique())
    length = 0 if recommendations is None or recommendations.empty else int(recommendations[c.RANK].max())
    price = listing.get(c.PRICE)
    return ItemView(
        item_id=item_id,
        title=str(listing[c.TITLE]),
        category=str(listing[c.CATEGORY]),
        description=str(listing.get(c.DESCRIPTION) or ""),
        price=None if price is None or pd.isna(price) else float(price),
        interactions=int(popularity[item]),
        popularity_rank=int((popularity > popularity[item]).sum()) + 1,
        n_items=len(popularity),
        attributes=attributes,
        scale_min=system.schema.scale.min,
        scale_max=system.schema.scale.max,
        base_near=base_near,
        refined_near=pd.concat([refined_near, parts], axis=1),
        audience=audience,
        n_users=n_users,
        list_length=length,
        sentence=_item_sentence(attributes, int(popularity[item]), popularity, verb),
        near_sentence=_near_sentence(refined_near, shares, system.schema, verb),
        audience_sentence=_audience_sentence(audience, n_users, length, verb),
    )


def near_reason(shares: FloatArray, own: FloatArray, schema: AttributeSchema, rest: str, most: int = 2) -> str:
    """Say what makes a neighbour similar.

    Parameters
    ----------
    shares : FloatArray
        ``[A + 1]``, terms of the similarity; see `ItemSpace.shares`.
    own : FloatArray
        The item's guided values, ``[A]``; their sign says which end both items share.
    schema : AttributeSchema
        Names.
    rest : str
        What to call the part that is no attribute.
    most : int
        Maximum number of attributes named.
    """
    total = max(float(shares.sum()), 1e-9)
    order = [a for a in np.argsort(-shares[:-1], kind="stable")[:most] if shares[a] >= _TELLING * total]
    said = [f"both {'high' if own[a] > 0 else 'low'} on {words.lower_first(schema.attributes[a].label)}" for a in order]
    if shares[-1] >= _TELLING * total or not said:
        said.insert(0 if shares[-1] > shares[:-1].sum() else len(said), rest)
    return words.listing(said)


def _refined_parts(system: RefinedRecommender) -> tuple[FloatArray, FloatArray]:
    """Return both halves of the refined embedding."""
    return system.refined.item_values(), system.refined.item_remainders()


def attribute_table(
    system: RefinedRecommender, score: npt.NDArray[np.float64], missing: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Tabulate raw scores ``[A]``, NaN or marked where missing, against the catalogue; see `ItemView.attributes`."""
    raw = system.item_scores.values.astype(np.float64)
    schema = system.schema
    mean, spread = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0)
    return pd.DataFrame(
        {
            "attribute": schema.names,
            "label": [a.label for a in schema.attributes],
            "low": [a.low for a in schema.attributes],
            "high": [a.high for a in schema.attributes],
            "score": score,
            "catalogue_score": mean,
            "z": np.nan_to_num((score - mean) / np.where(spread > 0, spread, 1.0)),
            "missing": missing,
            "words": [words.score_words(a, s, schema.scale.max) for a, s in zip(schema.attributes, score, strict=True)],
        }
    )


def _near_table(
    system: RefinedRecommender, items: IntArray, similarities: FloatArray, others: IntArray, why: list[str]
) -> pd.DataFrame:
    """Tabulate nearest items."""
    listings = system.data.dataset.catalogue.frame.iloc[items]
    return pd.DataFrame(
        {
            c.RANK: np.arange(1, len(items) + 1),
            c.ITEM: listings[c.ITEM].to_numpy(),
            c.TITLE: listings[c.TITLE].to_numpy(),
            c.CATEGORY: listings[c.CATEGORY].to_numpy(),
            "similarity": similarities.astype(np.float64),
            "why": why,
            "also": np.isin(items, others),
        }
    )


def _audience_table(recommendations: pd.DataFrame, item_id: str) -> pd.DataFrame:
    """Tabulate the users with the item in a stored list."""
    rows = recommendations[recommendations[c.ITEM] == item_id]
    ranks = rows.pivot(index=c.USER, columns=c.MODEL, values=c.RANK).reindex(columns=[BASE, REFINED])
    table = ranks.astype(np.float64).rename(columns={BASE: "base_rank", REFINED: "refined_rank"}).reset_index()
    table.columns.name = None
    return table.sort_values(["refined_rank", "base_rank", c.USER], ignore_index=True)


def _item_sentence(attributes: pd.DataFrame, own: int, interactions: IntArray, verb: InteractionVerb) -> str:
    """Say what is distinctive about an item."""
    marked = attributes[attributes["z"].abs() >= _MARKED].sort_values("z", key=np.abs, ascending=False, kind="stable")
    high = [words.lower_first(label) for label in marked[marked["z"] > 0]["label"].head(3)]
    low = [words.lower_first(label) for label in marked[marked["z"] < 0]["label"].head(3)]
    said = ([f"high on {words.listing(high)}"] if high else []) + ([f"low on {words.listing(low)}"] if low else [])
    if bool(attributes["missing"].all()):
        text = "To the model it is an average item, because it has no scores"
    elif said:
        text = f"To the model it is {words.listing(said)}"
    else:
        text = "To the model it is average on every attribute"
    if own == 0:
        return f"{text}. It has no {verb.nouns} in the training data."
    # Rounded down, so that it never claims all of the catalogue, which holds the item itself.
    less = int(100 * (interactions < own).mean())
    place = f"more than {less} % of the catalogue" if (interactions > own).any() else "more than any other item"
    return f"{text}. It has {verb.count(own)} in the training data, {place}."


def _near_sentence(near: pd.DataFrame, shares: FloatArray, schema: AttributeSchema, verb: InteractionVerb) -> str:
    """Say how far both models agree on the similar items, and what similarity in the refined one comes from."""
    if near.empty:
        return "There is no other item to compare with."
    kept = int(near["also"].sum())
    mean = shares.mean(axis=0)
    guided, total = float(mean[:-1].sum()), max(float(mean.sum()), 1e-9)
    top = words.lower_first(schema.attributes[int(mean[:-1].argmax())].label)
    basis = f"{percent(max(0.0, guided / total))} of the similarity comes from attributes, most of it from {top}"
    if guided <= 0:
        basis = f"the similarity comes from {verb.patterns}, not from attributes"
    before = "was" if kept == 1 else "were"
    return f"{kept} of the {len(near)} most similar items {before} among them before refinement, too; {basis}."


def _audience_sentence(audience: pd.DataFrame | None, n_users: int, length: int, verb: InteractionVerb) -> str:
    """Say who is recommended the item."""
    if audience is None:
        return "There are no stored lists yet; the evaluation makes them."
    base, refined = int(audience["base_rank"].notna().sum()), int(audience["refined_rank"].notna().sum())
    both = int((audience["base_rank"].notna() & audience["refined_rank"].notna()).sum())
    return (
        f"The refined model recommends it to {refined:,} of {verb.count_users(n_users)} (top {length}), the base model "
        f"to {base:,}, both to {both:,}."
    )
