"""The facts that a rationale of one case may speak of."""

import numpy as np

from guidedrec_core import columns as c
from guidedrec_core.cases.case import Case
from guidedrec_core.explanation.lines import OTHER_PATTERNS, PAST_ITEM
from guidedrec_core.explanation.question import Question
from guidedrec_core.rationale.facts import AttributeFact, Facts, ItemFact, PastFact, RemovalFact
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.refinement.sources import SOURCES


def rationale_facts(
    system: RefinedRecommender, case: Case, removal: RemovalFact | None = None, most: int = 10
) -> Facts:
    """Collect the facts of a case's item.

    Parameters
    ----------
    system : RefinedRecommender
        The opened run of the case.
    case : Case
        With an item under study that can be recommended.
    removal : RemovalFact, optional
        What `changes.build_changes` found for this user and item.
    most : int
        Past items looked at, the newest; each costs one scoring of the one item without it.
    """
    selected = case.selected
    assert selected is not None, "a rationale is of an item"
    question, lines = Question.of(system.data, case.user_id, selected.item_id), selected.lines
    history, item = question.history, question.items
    newest = np.arange(len(history))[::-1][:most]  # newest first, as in `Case.history`
    without = [np.delete(history, position) for position in newest.tolist()]
    scores = system.refined.parts(np.full(len(newest) + 1, question.user), [history, *without], item).scores[:, 0]
    worth = (scores[0].astype(np.float64) - scores[1:]).tolist()  # [n newest]
    raw = system.item_scores.values[history[newest]].astype(np.float64)  # [n newest, A]
    attributes = tuple(
        AttributeFact(name, label, *map(float, numbers))
        for name, label, *numbers in zip(
            *(selected.parts[column] for column in ("attribute", "label", "contribution")),
            *(selected.parts[column] for column in ("item_score", "user_score", "catalogue_score", *SOURCES)),
            strict=True,
        )
    )
    known = [
        ItemFact(name, label, _text_of(system, name, question.item), contribution)
        for kind, name, label, contribution in zip(
            *(lines[column].tolist() for column in ("kind", "name", "label", "contribution")), strict=True
        )
        if kind == "fact"
    ]
    together = float(lines.loc[lines["kind"] == PAST_ITEM, "contribution"].sum())
    if together:
        label = f"{system.verb.participle.capitalize()} together with past {system.verb.nouns}"
        known.append(ItemFact("neighbours", label, "", together))
    titles = case.history[c.TITLE].tolist()[: len(newest)]
    return Facts(
        title=selected.title,
        rank=selected.rank,
        base_rank=selected.base_rank,
        attributes=attributes,
        remainder=float(lines.loc[lines["name"] == OTHER_PATTERNS, "contribution"].sum()),
        popularity=float(lines.loc[lines["kind"] == "popularity", "contribution"].sum()),
        past=tuple(
            PastFact(number, *row)
            for number, row in enumerate(zip(titles, worth, map(tuple, raw.tolist()), strict=True), start=1)
        ),
        top=system.schema.scale.max,
        removal=removal,
        verb=system.verb,
        known=tuple(known),
    )


def _text_of(system: RefinedRecommender, name: str, item: int) -> str:
    """Return an item's value of a fact as people read it."""
    facts = system.named.columns.facts
    return facts.facts[facts.names.index(name)].texts[item]
