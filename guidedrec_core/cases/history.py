"""`HistoryCase`: which past items drove one score, with titles, as a page or a command shows it."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.explanation.past_items.shapley import HistoryShapley, base_history_shapley, named_history_shapley
from guidedrec_core.explanation.past_items.words import exactness_words, history_sentence, row_labels
from guidedrec_core.explanation.question import Question
from guidedrec_core.recommenders.refined import RefinedRecommender


@dataclass(frozen=True)
class HistoryCase:
    """What each item of a user's history contributed to the score of one item.

    Attributes
    ----------
    sentence, exactness : str
        The answer in plain words, and how sure it is.
    items : pandas.DataFrame
        Newest first: ``number`` (1 = oldest), ``item_id``, ``title``, ``value`` (share of the score), ``margin`` (two
        standard errors; 0 if exact), ``without`` (by how much the score would change without this item alone). The
        last row may stand for several: see `grouped`.
    matrix : pandas.DataFrame
        The same rows, each value split: a column for each line, by label, for item-kNN where there is one ("Bought
        together"), and for the rest ("Other purchase patterns"), which is what no name covers and what the history adds
        to all items alike. One column for the base model.
    alone : pandas.Series
        The same columns: what stands without any history.
    bias, score : float
        score = values summed + alone summed + bias.
    grouped : int
        Items that the last row stands for together; 1 if every item has its row.
    exact : bool
        All selections of items were scored.
    n_evaluations : int
        How many were.
    """

    sentence: str
    exactness: str
    items: pd.DataFrame
    matrix: pd.DataFrame
    alone: pd.Series
    bias: float
    score: float
    grouped: int
    exact: bool
    n_evaluations: int


def build_history(
    system: RefinedRecommender, user_id: str, item_id: str, model: str = "refined", seed: int = 0
) -> HistoryCase:
    """Share out an item's score over a user's history.

    Parameters
    ----------
    system : RefinedRecommender
        An opened refined run.
    user_id, item_id : str
        Whom and what.
    model : {"refined", "base"}
        Whose score.
    seed : int
        Of what is drawn where not all selections are scored.

    Raises
    ------
    UnknownIdError
        No such user, item or model.
    """
    data = system.data
    question = Question.of(data, user_id, item_id)
    patterns = system.verb.patterns
    if system.model(model) is not system.base:
        shares = named_history_shapley(system.named, question, seed)
        columns = [line.label for line in system.named.columns.lines]
        shares, together = _without_idle_columns(shares, len(columns))
        columns += [*([f"{system.verb.participle.capitalize()} together"] if together else []), f"Other {patterns}"]
    else:
        shares = base_history_shapley(system.base, question, seed)
        columns = [patterns.capitalize()]
    catalogue = data.dataset.catalogue.frame.iloc[shares.items]
    labels = row_labels(shares.grouped, [str(title) for title in catalogue[c.TITLE]])
    items = pd.DataFrame(
        {
            "number": shares.positions + 1,
            c.ITEM: catalogue[c.ITEM].to_numpy(),
            c.TITLE: np.array(labels, dtype=object),
            "value": shares.values,
            "margin": 2 * shares.errors,
            "without": shares.without - shares.score,
        }
    )
    matrix = pd.DataFrame(shares.matrix, columns=columns)
    return HistoryCase(
        sentence=history_sentence(shares, labels, system.verb),
        exactness=exactness_words(shares),
        items=items.iloc[::-1].reset_index(drop=True),
        matrix=matrix.iloc[::-1].reset_index(drop=True),
        alone=pd.Series(shares.alone, index=columns),
        bias=shares.bias,
        score=shares.score,
        grouped=shares.grouped,
        exact=shares.exact,
        n_evaluations=shares.n_evaluations,
    )


def _without_idle_columns(shares: HistoryShapley, n_lines: int) -> tuple[HistoryShapley, bool]:
    """Return the shares with the last two columns added up, and without item-kNN's where it has none; and if it has."""
    together = bool(shares.matrix[:, n_lines].any() or shares.alone[n_lines])
    kept = n_lines + together

    def joined(cells: np.ndarray) -> np.ndarray:
        return np.concatenate([cells[..., :kept], cells[..., -2:].sum(axis=-1, keepdims=True)], axis=-1)

    return replace(shares, matrix=joined(shares.matrix), alone=joined(shares.alone)), together
