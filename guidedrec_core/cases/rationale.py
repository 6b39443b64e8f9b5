"""The facts that a rationale of one case may speak of."""

import numpy as np

from guidedrec_core import columns as c
from guidedrec_core.cases.case import Case
from guidedrec_core.rationale.facts import AttributeFact, Facts, PastItem
from guidedrec_core.recommenders.refined import RefinedRecommender


def rationale_facts(system: RefinedRecommender, case: Case, most: int = 10) -> Facts:
    """Collect the facts of a case's item.

    Parameters
    ----------
    system : RefinedRecommender
        The opened run of the case.
    case : Case
        With an item under study that can be recommended.
    most : int
        Past items told, the newest; each costs one scoring of the one item without it.
    """
    selected = case.selected
    assert selected is not None, "a rationale is of an item"
    data = system.data
    user, item = data.dataset.users.index(case.user_id), data.dataset.items.index(selected.item_id)
    history = data.shown_history(user)
    told = np.arange(len(history))[::-1][:most]  # newest first, as in `Case.history`
    without = [np.delete(history, position) for position in told.tolist()]
    scores = system.refined.parts(np.full(len(told) + 1, user), [history, *without], np.array([item])).scores[:, 0]
    worth = (scores[0].astype(np.float64) - scores[1:]).tolist()
    raw = system.item_scores.values[history[told]].astype(np.float64)
    attributes = tuple(
        AttributeFact(name, label, *map(float, numbers))
        for name, label, *numbers in zip(
            *(selected.parts[column] for column in ("attribute", "label", "contribution")),
            *(selected.parts[column] for column in ("item_score", "user_score", "catalogue_score")),
            strict=True,
        )
    )
    titles = case.history[c.TITLE].tolist()[: len(told)]
    return Facts(
        title=selected.title,
        rank=selected.rank,
        base_rank=selected.base_rank,
        attributes=attributes,
        patterns=selected.remainder - selected.average_remainder,
        popularity=selected.bias - selected.average_bias,
        past=tuple(PastItem(*row) for row in zip(titles, worth, map(tuple, raw.tolist()), strict=True)),
        top=system.schema.scale.max,
    )
