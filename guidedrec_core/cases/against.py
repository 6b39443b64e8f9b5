"""`Against`: an item's score compared with that of another one, for the same user."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.explanation.contrast import contrast, just_below
from guidedrec_core.explanation.question import Question
from guidedrec_core.explanation.why_not_words import against_words
from guidedrec_core.ranking.ranks import mask_seen
from guidedrec_core.recommenders.refined import RefinedRecommender


@dataclass(frozen=True)
class Against:
    """Why an item scores higher or lower than another one.

    Attributes
    ----------
    other_id, other : str
        Id and title of the other item.
    sentence : str
        The answer in plain words.
    parts : pandas.DataFrame
        ``label, value``: what each part adds to the item's score over the other's, largest loss first.
    difference : float
        Their sum, exact.
    """

    other_id: str
    other: str
    sentence: str
    parts: pd.DataFrame
    difference: float


def build_against(
    system: RefinedRecommender, user_id: str, item_id: str, other_id: str | None = None
) -> Against | None:
    """Split the difference between the refined scores of two items.

    Parameters
    ----------
    system : RefinedRecommender
        An opened refined run.
    user_id, item_id : str
        Whom and what.
    other_id : str, optional
        What it is compared with; default is the item that comes next in the list.

    Returns
    -------
    Against or None
        None without `other_id` where nothing comes next: for the last item, and for one of the history.

    Raises
    ------
    UnknownIdError
        No such user or item.
    """
    dataset, model = system.data.dataset, system.model("refined")
    question = Question.of(system.data, user_id, item_id)
    item = question.item
    if other_id is None:
        scores = mask_seen(model.scores(question.users, question.histories), question.histories)[0]
        below = just_below(scores, item) if np.isfinite(scores[item]) else None
        if below is None:
            return None
        other = below
    else:
        other = dataset.items.index(other_id)
    comparison = contrast(system.named, question, question.items, np.array([other]), system.rules)
    titles = dataset.catalogue.frame[c.TITLE]
    title, other_title = str(titles.iloc[item]), str(titles.iloc[other])
    return Against(
        other_id=str(dataset.items.id(other)),
        other=other_title,
        sentence=against_words(title, other_title, comparison, system.verb),
        parts=pd.DataFrame(comparison.parts(0, system.verb), columns=["label", "value"]).sort_values(
            "value", ignore_index=True
        ),
        difference=float(comparison.difference[0]),
    )
