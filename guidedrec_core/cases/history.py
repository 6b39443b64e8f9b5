"""`HistoryCase`: which past items drove one score, with titles, as a page or a command shows it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.explanation.history_shapley import base_history_shapley, history_shapley
from guidedrec_core.explanation.history_words import exactness_words, history_sentence, row_labels
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
        The same rows; a column an attribute, by label, and the remainder, e.g. "Purchase patterns": each value split.
        The remainder alone for the base model.
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
    remainder = system.verb.patterns.capitalize()
    if system.model(model) is system.refined:
        shares = history_shapley(system.refined, question, seed)
        columns = [*(attribute.label for attribute in system.schema.attributes), remainder]
    else:
        shares = base_history_shapley(system.base, question, seed)
        columns = [remainder]
    catalogue = data.dataset.catalogue.frame.iloc[shares.items]
    labels = row_labels(shares, [str(title) for title in catalogue[c.TITLE]])
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
