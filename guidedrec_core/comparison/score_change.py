"""How the attributes and the scores of items differ between two refined recommenders."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.recommenders.refined import RefinedRecommender

SAME, ADDED, REMOVED, REWORDED = "same", "added", "removed", "reworded"


@dataclass(frozen=True, eq=False)
class ScoreChange:
    """What changed in attributes, scores and weights.

    Attributes
    ----------
    attributes : pandas.DataFrame
        One row an attribute of either run, those of the later run first: ``attribute, label, state`` (``same``,
        ``added``, ``removed``, or ``reworded`` where texts or scale differ), ``changed`` (items with another score,
        where both have the attribute), ``mean_change`` (of the scores that both have), ``weight_before, weight_after``
        (learned weights; NaN where there is none).
    items : pandas.DataFrame
        One row a score that differs on an attribute of both: ``item_id, title, attribute, label, before, after``
        (NaN = not scored), ``who, why`` (of a score set by hand in the later run, else empty); the largest change
        first.
    users : int
        Users with another score of their own on an attribute of both; 0 where users are not scored.
    """

    attributes: pd.DataFrame
    items: pd.DataFrame
    users: int

    def named(self, state: str) -> list[str]:
        """Return the labels of attributes in a state."""
        return self.attributes.loc[self.attributes["state"] == state, "label"].tolist()


def score_change(
    before: RefinedRecommender, after: RefinedRecommender, by_hand: pd.DataFrame | None = None
) -> ScoreChange:
    """Compare attributes, raw scores and learned weights.

    Parameters
    ----------
    before, after : RefinedRecommender
        Of the same items and users.
    by_hand : pandas.DataFrame, optional
        Scores set by hand in the later run: ``item_id, attribute, who, why``; see `attributes.overrides.Overridden`.
    """
    old, new = before.item_scores, after.item_scores
    shared = [name for name in new.schema.names if name in old.schema.names]
    frame = after.data.dataset.catalogue.frame
    rows, counts, means = [], {}, {}
    for name in shared:
        was, now = _column(old, name), _column(new, name)
        here = np.flatnonzero(~((was == now) | (np.isnan(was) & np.isnan(now))))
        counts[name] = len(here)
        both = here[~np.isnan(was[here]) & ~np.isnan(now[here])]
        means[name] = float((now[both] - was[both]).mean()) if len(both) else np.nan
        label = new.schema.attributes[new.schema.index(name)].label
        rows += [(int(item), name, label, float(was[item]), float(now[item])) for item in here.tolist()]
    places = np.array([row[0] for row in rows], dtype=np.int64)
    items = pd.DataFrame(
        {
            c.ITEM: after.data.dataset.items.ids[places],
            c.TITLE: frame[c.TITLE].astype(str).to_numpy()[places],
            "attribute": pd.Series([row[1] for row in rows], dtype="str"),
            "label": pd.Series([row[2] for row in rows], dtype="str"),
            "before": np.array([row[3] for row in rows], dtype=np.float64),
            "after": np.array([row[4] for row in rows], dtype=np.float64),
        }
    )
    size = (items["after"] - items["before"]).abs().fillna(np.inf)
    items = items.loc[size.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
    return ScoreChange(
        _attributes(before, after, counts, means), _with_reasons(items, by_hand), _users(before, after, shared)
    )


def _attributes(
    before: RefinedRecommender, after: RefinedRecommender, counts: dict[str, int], means: dict[str, float]
) -> pd.DataFrame:
    """Say what became of each attribute."""
    old, new = before.schema, after.schema
    weights = [dict(zip(w["attribute"], w["weight"], strict=True)) for w in (_weights(before), _weights(after))]
    rows = []
    for schema, name in [*((new, name) for name in new.names), *((old, n) for n in old.names if n not in new.names)]:
        rows.append(
            (
                name,
                schema.attributes[schema.index(name)].label,
                _state(old, new, name),
                counts.get(name, 0),
                means.get(name, np.nan),
                weights[0].get(name, np.nan),
                weights[1].get(name, np.nan),
            )
        )
    names = ["attribute", "label", "state", "changed", "mean_change", "weight_before", "weight_after"]
    return pd.DataFrame(rows, columns=names)


def _weights(model: RefinedRecommender) -> pd.DataFrame:
    """Return the learned weights; none in mode ``literal``, where the network itself decides what counts."""
    weights = model.attribute_weights
    return weights.iloc[:0] if model.config.mode == "literal" else weights


def _state(old: AttributeSchema, new: AttributeSchema, name: str) -> str:
    if name not in old.names:
        return ADDED
    if name not in new.names:
        return REMOVED
    return SAME if old.attribute_hash(name) == new.attribute_hash(name) else REWORDED


def _column(scores: GuidedScores, name: str) -> np.ndarray:
    return scores.values[:, scores.schema.index(name)].astype(np.float64)


def _with_reasons(items: pd.DataFrame, by_hand: pd.DataFrame | None) -> pd.DataFrame:
    """Add who set a score by hand, and why."""
    if by_hand is None or not len(by_hand):
        return items.assign(who="", why="")
    said = by_hand[[c.ITEM, "attribute", "who", "why"]]
    return items.merge(said, how="left", on=[c.ITEM, "attribute"]).fillna({"who": "", "why": ""})


def _users(before: RefinedRecommender, after: RefinedRecommender, shared: list[str]) -> int:
    """Count users whose own scores differ."""
    old, new = before.scores.users, after.scores.users
    if old is None or new is None or not shared:
        return 0
    was, now = (np.column_stack([_column(each, name) for name in shared]) for each in (old, new))
    return int((~((was == now) | (np.isnan(was) & np.isnan(now)))).any(axis=1).sum())
