"""`RemovalCase`: where an item falls as past items are taken away one after another, as a page shows it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.explanation.past_items.removal_order import removal_order
from guidedrec_core.explanation.past_items.shapley import MOST
from guidedrec_core.explanation.past_items.words import removal_sentence, row_labels
from guidedrec_core.explanation.question import Question
from guidedrec_core.recommenders.refined import RefinedRecommender


@dataclass(frozen=True)
class RemovalCase:
    """Where an item stands without the first few past items, and with them alone.

    Attributes
    ----------
    sentence : str
        The answer in plain words.
    steps : pandas.DataFrame
        In the order of removal: ``number`` (1 = oldest), ``item_id``, ``title``, ``without`` (the rank when this item
        and those of the rows above are removed), ``alone`` (the rank with only these). One row may stand for all
        items older than the newest 50.
    rank : int
        With the whole history, among unseen items.
    alone_from : int
        The rank with no history at all.
    exact : bool
        All orders were compared; else a search found one.
    """

    sentence: str
    steps: pd.DataFrame
    rank: int
    alone_from: int
    exact: bool


def build_removal(
    system: RefinedRecommender, user_id: str, item_id: str, model: str = "refined", seed: int = 0
) -> RemovalCase | None:
    """Take past items away, those that hold the recommendation first; None without a history or of an item in it.

    Parameters
    ----------
    system : RefinedRecommender
        An opened refined run.
    user_id, item_id : str
        Whom and what.
    model : {"refined", "base"}
        Whose list.
    seed : int
        Of the orders drawn where not all are compared.

    Raises
    ------
    UnknownIdError
        No such user, item or model.

    See Also
    --------
    guidedrec_core.explanation.past_items.removal_order : The order, and how it is found.
    """
    question = Question.of(system.data, user_id, item_id)
    scorer = system.model(model)
    if not len(question.history) or question.item in question.history:
        return None
    found = removal_order(scorer, question, seed, most=MOST)
    catalogue = system.data.dataset.catalogue.frame.iloc[question.history[found.grouped - 1 :]]
    labels = row_labels(found.grouped, [str(title) for title in catalogue[c.TITLE]])
    steps = pd.DataFrame(
        {
            "number": found.order + found.grouped,
            c.ITEM: catalogue[c.ITEM].to_numpy()[found.order],
            c.TITLE: np.array(labels, dtype=object)[found.order],
            "without": found.without.ranks[1:],
            "alone": found.alone.ranks[1:],
        }
    )
    rank = int(found.without.ranks[0])
    return RemovalCase(
        sentence=removal_sentence(steps[c.TITLE].tolist(), found.without.ranks, found.alone.ranks, system.verb),
        steps=steps,
        rank=rank,
        alone_from=int(found.alone.ranks[0]),
        exact=found.exact,
    )
