"""`Explanation`: why one item stands where it stands in a user's list, exactly."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import InputError
from guidedrec_core.explanation import words
from guidedrec_core.explanation.lines import AVERAGE, PAST_ITEM, RULE, score_lines
from guidedrec_core.explanation.named_ledger import named_ledger
from guidedrec_core.explanation.question import Question, UserHistory
from guidedrec_core.explanation.shares import nameless, reason_sentence, share_table
from guidedrec_core.facts.fact import Facts
from guidedrec_core.models.base import BaseModel, FloatArray, ItemScorer
from guidedrec_core.naming.model import NamedModel
from guidedrec_core.ranking.adjustments import NEVER, AdjustedScorer, Adjustments
from guidedrec_core.ranking.ranks import mask_seen
from guidedrec_core.refinement.refined import RefinedModel
from guidedrec_core.refinement.sources import SOURCES

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Explained(Protocol):
    """What an explanation needs of a refined recommender; see `RefinedRecommender`."""

    @property
    def data(self) -> SplitDataset:
        """Histories and catalogue."""

    @property
    def base(self) -> BaseModel:
        """The base model."""

    @property
    def refined(self) -> RefinedModel:
        """The refined model."""

    @property
    def named(self) -> NamedModel:
        """The refined model with the names of its parts."""

    @property
    def schema(self) -> AttributeSchema:
        """The attributes used."""

    @property
    def item_scores(self) -> GuidedScores:
        """Raw scores of all items on these."""

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Where there was no score, ``[n_items, A]``."""

    @property
    def config(self) -> RefinementConfig:
        """How it was refined."""

    @property
    def rules(self) -> Adjustments | None:
        """Rules that are added to the refined scores, where there are any."""

    @property
    def verb(self) -> InteractionVerb:
        """How to speak of the data set's interactions."""


@dataclass(frozen=True)
class Explanation:
    """Why one item stands where it stands in the refined list.

    Attributes
    ----------
    item_id, title, category, description : str
        The item.
    rank, base_rank : int
        In the refined and in the base ranking of all unseen items.
    held_out : bool
        It is what the user chose next.
    seen : bool
        The user has it already, so it is never recommended; both ranks are then behind all unseen items.
    lines : pandas.DataFrame
        The score as a sum, exactly: ``kind, name, label, text, contribution, ci_low, ci_high``. Kinds are
        ``attribute``, ``fact``, ``popularity``, ``past_item`` (what item-kNN gives for a past item, exactly), ``rule``
        (a rule that acts on the item; exact) and ``unnamed``. Named lines come largest first, then ``other_patterns``,
        what no name covers, and ``average``, what an average item scores for this user; over the catalogue all lines
        but this one, past items and rules have mean 0. The interval is that of resampling items in the regression that
        names; NaN where nothing is estimated.
    parts : pandas.DataFrame
        One row an attribute, in schema order: ``attribute, label, low, high, user_value, item_value`` (z-scores),
        ``user_score, item_score, catalogue_score`` (raw scale; the user's is the decayed mean over the history),
        ``contribution`` (as in `lines`), ``own_taste, other_tastes, everyone, interactions`` (what it comes from, see
        `Sources`; they sum to it), ``missing, phrase``.
    score : float
        What the list is sorted by.
    sentence : str
        The same in plain words.
    verb : InteractionVerb
        How to speak of the data set's interactions.
    """

    item_id: str
    title: str
    category: str
    description: str
    rank: int
    base_rank: int
    held_out: bool
    seen: bool
    lines: pd.DataFrame
    parts: pd.DataFrame
    score: float
    sentence: str
    verb: InteractionVerb

    @property
    def ledger(self) -> pd.DataFrame:
        """The score as a sum: ``part, kind, value``, from `lines`; the values sum to `score`."""
        return pd.DataFrame(
            {"part": self.lines["name"], "kind": self.lines["kind"], "value": self.lines["contribution"]}
        )

    @property
    def average(self) -> float:
        """What an average item scores for this user."""
        return float(self.lines.loc[self.lines["name"] == AVERAGE, "contribution"].sum())

    @property
    def excluded_by(self) -> str:
        """Name of a rule that takes the item out of all lists; empty where none does."""
        names = self.lines.loc[_excludes(self.lines), "name"].tolist()
        return str(names[0]) if names else ""

    def without_exclusion(self) -> "Explanation":
        """Return the same without the rules that take the item out of all lists; its parts sum to its score again."""
        lines = self.lines[~_excludes(self.lines)].reset_index(drop=True)
        return replace(self, lines=lines, score=float(lines["contribution"].sum()))

    @property
    def shares(self) -> pd.DataFrame:
        """Each line's share of what sets the item apart from an average one; see `share_table`."""
        return share_table(self.lines)

    @property
    def steps(self) -> pd.DataFrame:
        """The score from an average item to this one; see `figures.waterfall.steps`."""
        from guidedrec_core.figures import waterfall

        return waterfall.steps(self.lines[self.lines["name"] != AVERAGE], self.average, self.verb)

    def plot(self, dark: bool = False) -> "go.Figure":
        """Draw the score, added up, as the app does."""
        from guidedrec_core.figures import case, theme

        return case.score_steps(self.steps, theme.palette(dark))


def explain_item(
    model: Explained,
    question: Question,
    ranks: dict[str, IntArray] | None = None,
    profile: pd.DataFrame | None = None,
) -> Explanation:
    """Explain why an item stands where it stands.

    Parameters
    ----------
    model : RefinedRecommender
        Base and refined model with their data.
    question : Question
        About any item.
    ranks, profile : optional
        `item_ranks` of both models and `profile_table`, where they are known already.
    """
    if ranks is None:
        final = model.refined if model.rules is None else AdjustedScorer(model.refined, model.rules)
        ranks = {"base": item_ranks(model.base, question), "refined": item_ranks(final, question)}
    if profile is None:
        profile = profile_table(model, question)
    item = question.item
    ledger = named_ledger(model.named, question, question.items, model.rules)
    row = model.data.dataset.catalogue.frame.iloc[item]
    rank, base_rank = int(ranks["refined"][item]), int(ranks["base"][item])
    contributions = ledger.contributions[0, : len(model.schema.attributes)]
    phrases = [
        words.contribution_phrase(attribute, user_value, item_value, ledger.sources.one(0, a), model.verb)
        for a, (attribute, user_value, item_value) in enumerate(
            zip(model.schema.attributes, ledger.user_values, ledger.item_values[0], strict=True)
        )
    ]
    parts = profile[["attribute", "label", "low", "high", "user_value", "user_score", "catalogue_score"]].assign(
        item_value=ledger.item_values[0],
        item_score=model.item_scores.values[item].astype(np.float64),
        contribution=contributions,
        **{name: getattr(ledger.sources, name)[0] for name in SOURCES},
        missing=model.missing[item],
        phrase=phrases,
    )
    title, verb = str(row[c.TITLE]), model.verb
    lines = score_lines(model, question, ledger, phrases)
    shares = share_table(lines)
    reasons = {
        (kind, name): _reason(kind, name, label, model.named.columns.facts, item, verb)
        for kind, name, label in zip(*(shares[column].tolist() for column in ("kind", "name", "label")), strict=True)
    }
    excluded = lines.loc[_excludes(lines), "name"].tolist()
    if question.seen:
        sentence = f"This {verb.user} has already {verb.participle} {title}, so neither model recommends it."
    elif excluded:
        sentence = f"{title} is never recommended, by the rule “{excluded[0]}”."
    else:
        sentence = reason_sentence(title, rank, base_rank, shares, reasons)
    return Explanation(
        item_id=str(row[c.ITEM]),
        title=title,
        category=str(row[c.CATEGORY]),
        description=str(row.get(c.DESCRIPTION) or ""),
        rank=rank,
        base_rank=base_rank,
        held_out=question.user >= 0 and item in model.data.held_out(question.user),
        seen=question.seen,
        lines=lines,
        parts=parts,
        score=float(lines["contribution"].sum()),
        sentence=sentence,
        verb=verb,
    )


def _excludes(lines: pd.DataFrame) -> pd.Series:
    """Return which lines are rules that take the item out of all lists."""
    excluding: pd.Series = (lines["kind"] == RULE) & (lines["contribution"] <= NEVER / 2)
    return excluding


def _reason(kind: str, name: str, label: str, facts: Facts, item: int, verb: InteractionVerb) -> str:
    """Name one line inside a sentence: with what the item is where that is short, e.g. "category (jackets)"."""
    if nameless(kind, name):
        return f"other {verb.patterns} (no name)"
    if kind == "fact":
        fact = facts.facts[facts.names.index(name)]
        if fact.kind == "categories" and fact.texts[item]:
            return f"{words.lower_first(label)} ({fact.texts[item]})"
        if fact.kind == "number" and fact.texts[item]:
            return fact.texts[item]
    if kind == RULE:
        return f"the rule “{name}”"
    return f"“{label}” together" if kind == PAST_ITEM else words.lower_first(label)


def first_recommendation(ranks: IntArray, given: UserHistory) -> int:
    """Return the item that is recommended first, given every item's rank, ``[n_items]``.

    Raises
    ------
    InputError
        The history holds the whole catalogue.
    """
    item = int(ranks.argmin())
    if item in given.history:
        raise InputError("expected an item to explain: the history holds the whole catalogue, so none is recommended")
    return item


def item_ranks(model: ItemScorer, given: UserHistory) -> IntArray:
    """Return every item's rank in one list, ``[n_items]``; see `all_ranks`."""
    return all_ranks(mask_seen(model.scores(given.users, given.histories), given.histories)[0])


def all_ranks(scores: FloatArray) -> IntArray:
    """Return every item's rank among unseen items, ``[n_items]``; seen items come last."""
    order = np.argsort(-scores, kind="stable")
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[order] = np.arange(1, len(scores) + 1)
    return ranks


def profile_table(model: Explained, given: UserHistory) -> pd.DataFrame:
    """Tabulate a guided profile, one row an attribute; see `Case.profile`."""
    profile = model.refined.parts(given.users, given.histories).profile
    raw = model.item_scores.values
    decay = model.config.decay
    return pd.DataFrame(
        {
            "attribute": model.schema.names,
            "label": [a.label for a in model.schema.attributes],
            "low": [a.low for a in model.schema.attributes],
            "high": [a.high for a in model.schema.attributes],
            "user_value": profile[0].astype(np.float64),
            "user_score": _decayed_mean(raw[given.history], decay),
            "catalogue_score": np.nanmean(raw.astype(np.float64), axis=0),
            "weight": model.refined.weights().astype(np.float64),
        }
    )


def _decayed_mean(raw: FloatArray, decay: float) -> npt.NDArray[np.float64]:
    """Average raw scores over a history, recent items more, missing scores left out; ``[A]``, NaN where none."""
    weight = decay ** np.arange(len(raw) - 1, -1, -1, dtype=np.float64)[:, None]
    known = ~np.isnan(raw)
    total = (np.nan_to_num(raw.astype(np.float64)) * weight).sum(axis=0)
    count = (known * weight).sum(axis=0)
    return np.where(count > 0, total / np.where(count > 0, count, 1.0), np.nan)
