"""`RemovalCase`: where an item falls as past items are taken away one after another, as a page shows it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.explanation.past_items.removal_order import removal_order
from guidedrec_core.explanation.past_items.shapley import MOST
from guidedrec_core.explanation.past_items.standing import Standing
from guidedrec_core.explanation.past_items.words import removal_sentence, row_labels
from guidedrec_core.explanation.question import Question
from guidedrec_core.explanation.words import ordinal
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


def strongest_item(system: RefinedRecommender, user_id: str, item_id: str) -> str | None:
    """Say which single past item the refined list needs most to recommend an item, and where it falls without it.

    Parameters
    ----------
    system : RefinedRecommender
        An opened refined run.
    user_id, item_id : str
        Whom and what.

    Returns
    -------
    str or None
        One sentence; None without a history, of an item in it, and where no single past item costs it a place. Of long
        histories the newest 50 items are tried.

    Raises
    ------
    UnknownIdError
        No such user or item.
    """
    question = Question.of(system.data, user_id, item_id)
    if not len(question.history) or question.item in question.history:
        return None
    standing = Standing(system.refined, question, MOST)
    n = standing.n_positions
    places = standing(np.concatenate([np.ones((1, n), dtype=bool), ~np.eye(n, dtype=bool)]))
    # Of items without which it falls as far, the one that costs its score most.
    row = int(np.lexsort((places.scores[1:], -places.ranks[1:]))[0])
    if places.ranks[row + 1] <= places.ranks[0] or (row == 0 and standing.grouped > 1):
        return None
    title = system.data.dataset.catalogue.frame[c.TITLE].iloc[int(question.history[row + standing.grouped - 1])]
    return f"It needs {title} most: without that {system.verb.noun} it would be {ordinal(int(places.ranks[row + 1]))}."
