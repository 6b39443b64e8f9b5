"""The lines of one score: attributes, facts, popularity, past items, rules, and what no name covers, in one table."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.named_ledger import NamedLedger
from guidedrec_core.explanation.past_items.shapley import named_history_shapley
from guidedrec_core.explanation.question import Question
from guidedrec_core.explanation.words import fact_phrase
from guidedrec_core.naming.model import NamedModel
from guidedrec_core.ranking.adjustments import NEVER

PAST_ITEM, UNNAMED, RULE = "past_item", "unnamed", "rule"
"""Kinds of lines besides `naming.lines.KINDS`."""
OTHER_PATTERNS, AVERAGE = "other_patterns", "average"
"""Names of the lines that have no name of their own: what no name covers, and what an average item scores."""

COLUMNS = ("kind", "name", "label", "text", "contribution", "ci_low", "ci_high")


class Named(Protocol):
    """What lines need of a refined recommender; see `RefinedRecommender`."""

    @property
    def data(self) -> SplitDataset:
        """Histories and catalogue."""

    @property
    def named(self) -> NamedModel:
        """The refined model with the names of its parts."""

    @property
    def verb(self) -> InteractionVerb:
        """How to speak of the data set's interactions."""


def score_lines(model: Named, question: Question, ledger: NamedLedger, phrases: list[str]) -> pd.DataFrame:
    """Tabulate one score.

    Parameters
    ----------
    model : RefinedRecommender
        Whose score.
    question : Question
        About the item.
    ledger : NamedLedger
        Of this item alone.
    phrases : list of str
        What each attribute's contribution means, in schema order.

    Returns
    -------
    pandas.DataFrame
        See `Explanation.lines`.
    """
    item, verb = question.item, model.verb
    drawn = model.named.resampled(question.user, question.history, question.items)[:, 0]  # [R, L]
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    facts = model.named.columns.facts.facts
    every = ledger.contributions[0].tolist()
    contributions, by_rules = every[: drawn.shape[1]], every[drawn.shape[1] :]
    texts = [
        *phrases,
        *(
            fact_phrase(fact.label, fact.texts[item], value)
            for fact, value in zip(facts, contributions[len(phrases) :], strict=True)
        ),
    ]
    rows: list[tuple[object, ...]] = [
        (line.kind, line.name, line.label, *rest)
        for line, *rest in zip(
            ledger.lines[: len(texts)], texts, contributions, low.tolist(), high.tolist(), strict=True
        )
    ]
    together = model.named.model.neighbour_shares(question.history, item)
    rows += past_item_rows(model.data, question.history, together, verb)
    rows += rule_rows(ledger, by_rules)
    rows.sort(key=lambda row: -abs(float(row[4])))  # type: ignore[arg-type]
    unnamed, share = float(ledger.unnamed[0]), drawn.sum(axis=1)
    # What the lines gain in a resample, the rest loses.
    gained = np.quantile(share - float(np.sum(contributions)), (0.975, 0.025))
    other = f"what no name covers ({unnamed:+.2f})"
    label = f"Other {verb.patterns}"
    rows.append((UNNAMED, OTHER_PATTERNS, label, other, unnamed, *(unnamed - gained).tolist()))
    average = f"what an average item scores for this {verb.user}"
    rows.append((UNNAMED, AVERAGE, "Average item", average, ledger.average, np.nan, np.nan))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def handed_to_past_items(lines: pd.DataFrame, model: Named, question: Question, seed: int = 0) -> pd.DataFrame:
    """Hand what no name covers to the past items that it comes from, by Shapley values.

    Parameters
    ----------
    lines : pandas.DataFrame
        From `score_lines`.
    model : RefinedRecommender
        Whose score.
    question : Question
        About the item.
    seed : int
        Of the orders drawn where there are too many selections of past items to score them all.

    Returns
    -------
    pandas.DataFrame
        The same columns and sum. Past items have lines of their own, the largest first, with intervals of two standard
        errors where they are estimated; ``other_patterns`` is what is left without any history.
    """
    n_lines = len(model.named.columns.lines)
    shares = named_history_shapley(model.named, question, seed)
    column, errors = shares.matrix[:, n_lines + 1], 2 * shares.cell_errors[:, n_lines + 1]
    frame = model.data.dataset.catalogue.frame
    rows: list[tuple[object, ...]] = []
    for place, (past, value, error) in enumerate(zip(shares.items.tolist(), column, errors, strict=True)):
        several = place == 0 and shares.grouped > 1
        title = f"The {shares.grouped:,} oldest together" if several else str(frame[c.TITLE].iloc[past])
        name = "" if several else str(frame[c.ITEM].iloc[past])
        rows.append((PAST_ITEM, name, title, f"because of {title} ({value:+.2f})", value, value - error, value + error))
    rows.sort(key=lambda row: -abs(float(row[4])))  # type: ignore[arg-type]
    own = lines["name"] == OTHER_PATTERNS
    left = float(lines.loc[own, "contribution"].iloc[0] - column.sum())
    rest = lines[own].assign(
        contribution=left, ci_low=np.nan, ci_high=np.nan, text=f"what no name covers ({left:+.2f})"
    )
    before, after = lines[lines["kind"] != UNNAMED], lines[lines["name"] == AVERAGE]
    handed = pd.DataFrame(rows, columns=list(COLUMNS)).astype(lines.dtypes.to_dict())
    return pd.concat([each for each in (before, handed, rest, after) if len(each)], ignore_index=True)


def rule_rows(ledger: NamedLedger, by_rules: list[float]) -> list[tuple[object, ...]]:
    """Return a row for each rule that acts on the item, in the columns of `COLUMNS`; nothing of it is estimated.

    Parameters
    ----------
    ledger : NamedLedger
        Of this item alone.
    by_rules : list of float
        What each rule adds, the last of its lines.
    """
    rules = ledger.lines[len(ledger.lines) - len(by_rules) :]
    return [
        (RULE, rule.name, rule.label, rule_phrase(rule.name, value), value, np.nan, np.nan)
        for rule, value in zip(rules, by_rules, strict=True)
        if value != 0
    ]


def rule_phrase(name: str, value: float) -> str:
    """Say what a rule does to an item.

    Examples
    --------
    >>> rule_phrase("Jackets first", 0.6931), rule_phrase("Sold out", NEVER)
    ('by the rule “Jackets first” (+0.69)', 'never recommended, by the rule “Sold out”')
    """
    if value <= NEVER / 2:
        return f"never recommended, by the rule “{name}”"
    return f"by the rule “{name}” ({value:+.2f})"


def past_item_rows(
    data: SplitDataset, history: npt.NDArray[np.int64], shares: npt.NDArray[np.float64], verb: InteractionVerb
) -> list[tuple[object, ...]]:
    """Return a row for each past item with a share, in the columns of `COLUMNS`; several of one item are added up.

    Parameters
    ----------
    data : SplitDataset
        For ids and titles.
    history : IntArray
        Item indexes, ``[n]``.
    shares : ndarray
        What each position adds to the score, ``[n]``.
    verb : InteractionVerb
        What users do.
    """
    frame = data.dataset.catalogue.frame
    rows: list[tuple[object, ...]] = []
    for past in np.unique(history[shares != 0]).tolist():
        value, title = float(shares[history == past].sum()), str(frame[c.TITLE].iloc[past])
        text = f"{verb.participle} together with {title} ({value:+.2f})"
        rows.append((PAST_ITEM, str(frame[c.ITEM].iloc[past]), title, text, value, np.nan, np.nan))
    return rows
