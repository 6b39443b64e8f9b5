"""What would change a case, why an item is not in it, why it moved: with titles, as pages and commands show it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.errors import ConfigError
from guidedrec_core.explanation.counterfactual import words
from guidedrec_core.explanation.counterfactual.history import history_edit
from guidedrec_core.explanation.counterfactual.item_scores import score_edits
from guidedrec_core.explanation.counterfactual.taste import pull_edits, pulled_ranks
from guidedrec_core.explanation.question import Question
from guidedrec_core.explanation.rank_change import rank_change
from guidedrec_core.explanation.steering.steer import MOST_PULL
from guidedrec_core.explanation.surrogate import base_surrogate
from guidedrec_core.explanation.why_not import why_not
from guidedrec_core.explanation.why_not_words import why_not_words
from guidedrec_core.explanation.words import listing
from guidedrec_core.items.new_item import standardisation
from guidedrec_core.rationale.facts import RemovalFact
from guidedrec_core.recommenders.refined import RefinedRecommender

_PULL_STEP, _SCORE_STEP = 0.01, 0.1
_CURVE_POINTS = 61
_CURVES = 4


@dataclass(frozen=True)
class Changes:
    """What would change whether an item is in a user's list; every edit was checked by re-ranking the catalogue.

    Attributes
    ----------
    seen : bool
        The user has the item already, so nothing would; all else is empty then.
    k : int
        Length of the list.
    history, pulls, scores : tuple of str
        What of the history, of the user's taste and of the item's scores, in plain words.
    curves : pandas.DataFrame
        ``attribute, label, steps, rank``: what the rank becomes as one attribute is pulled; those that change it most.
    edits : pandas.DataFrame
        All edits found: ``kind, change, rank``.
    removal : RemovalFact or None
        The change of the history, for a rationale; None where none was found.
    """

    seen: bool
    k: int
    history: tuple[str, ...]
    pulls: tuple[str, ...]
    scores: tuple[str, ...]
    curves: pd.DataFrame
    edits: pd.DataFrame
    removal: RemovalFact | None = None


@dataclass(frozen=True)
class NotListed:
    """Why an item is not in a user's list.

    Attributes
    ----------
    item_id, title : str
        The item.
    sentence : str
        The answer in plain words.
    against : str
        Title of what it is compared with; empty where there is nothing.
    parts : pandas.DataFrame
        ``label, value``: what each part adds to its score over that item's, largest loss first; empty as well.
    margin : float
        Their sum.
    """

    item_id: str
    title: str
    sentence: str
    against: str
    parts: pd.DataFrame
    margin: float


@dataclass(frozen=True)
class Moved:
    """Why an item's rank differs between the base and the refined model.

    Attributes
    ----------
    sentence : str
        The answer in plain words.
    base_rank, rank : int
        In either model.
    parts : pandas.DataFrame
        ``label, gained`` (places; below 0 = lost), ``error`` (standard error; 0 if exact), largest first.
    exact : bool
        All orders in which the parts may come were counted.
    base_sentence : str
        How much of the base model's scores attributes explain.
    base_parts : pandas.DataFrame
        ``label, value``: attributes linked to the base score of this item, by a rough fit.
    """

    sentence: str
    base_rank: int
    rank: int
    parts: pd.DataFrame
    exact: bool
    base_sentence: str
    base_parts: pd.DataFrame


def build_changes(system: RefinedRecommender, user_id: str, item_id: str, k: int = 10) -> Changes:
    """Find the smallest changes that take an item out of the K best, or bring it in.

    Parameters
    ----------
    system : RefinedRecommender
        An opened refined run.
    user_id, item_id : str
        Whom and what.
    k : int
        Length of the list.

    Raises
    ------
    UnknownIdError
        No such user or item.
    InputError
        The user has not left more items than the list is long.
    """
    question = Question.of(system.data, user_id, item_id, k)
    title, model, schema = _title(system, question.item), system.refined, system.schema
    edits = pd.DataFrame({"kind": [], "change": [], c.RANK: []})
    curves = pd.DataFrame({"attribute": [], "label": [], "steps": [], c.RANK: []})
    if question.seen:
        return Changes(True, k, (), (), (), curves, edits)
    past = history_edit(model, question)
    removed = [_title(system, int(question.history[place])) for place in past.removed]
    pulls = pull_edits(model, question, resolution=_PULL_STEP)
    rows = [("history", f"without {listing(removed)}", past.rank)] if removed else []
    several = [pulls.joint] if pulls.joint is not None else []
    who = f"this {system.verb.user}"
    rows += [("taste", f"{who} {words.pull_phrase(pull, schema)}", pull.rank) for pull in (*pulls.single, *several)]
    scored, scored_rows = _score_changes(system, question, title)
    return Changes(
        seen=False,
        k=k,
        history=(words.history_words(title, past, removed, k, system.verb),),
        pulls=tuple(words.pull_words(title, pulls, schema, k, system.verb)),
        scores=scored,
        curves=_curves(system, question),
        edits=pd.DataFrame([*rows, *scored_rows], columns=["kind", "change", c.RANK]),
        removal=RemovalFact(tuple(removed), past.rank, k, past.exact) if removed else None,
    )


def _score_changes(
    system: RefinedRecommender, question: Question, title: str
) -> tuple[tuple[str, ...], list[tuple[str, str, int]]]:
    """Return which changes of the item's own scores would do it, in words, and as rows of `Changes.edits`."""
    schema, raw = system.schema, system.item_scores.values[question.item]
    try:
        how, weights, _ = standardisation(system)
    except ConfigError:  # a control, whose columns are no scores of this item
        return ("This run does not use its scores as they are, so changing them has no effect.",), []
    own = None if weights is None else weights[question.item]
    found = score_edits(
        system.refined,
        question,
        raw,
        lambda rows: how.apply(rows, own),
        (schema.scale.min, schema.scale.max),
        resolution=_SCORE_STEP,
    )
    together = [found.joint] if found.joint is not None else []
    rows = [
        ("scores", f"with {words.score_phrase(edit, raw, schema)}", edit.rank) for edit in (*found.single, *together)
    ]
    return tuple(words.score_words(title, found, raw, schema, question.k)), rows


def build_why_not(system: RefinedRecommender, user_id: str, item_id: str, k: int = 10) -> NotListed:
    """Find what keeps an item out of a user's list; parameters and errors as in `build_changes`."""
    question = Question.of(system.data, user_id, item_id, k)
    title = _title(system, question.item)
    answer = why_not(system.named, question, system.rules)
    against = "" if answer.against is None else _title(system, answer.against)
    parts = pd.DataFrame({"label": [], "value": []})
    if answer.parts is not None:
        named = answer.parts.parts(0, system.verb)
        parts = pd.DataFrame(named, columns=["label", "value"]).sort_values("value", ignore_index=True)
    sentence = why_not_words(title, answer, against, system.verb)
    return NotListed(item_id, title, sentence, against, parts, answer.margin)


def build_moved(system: RefinedRecommender, user_id: str, item_id: str, seed: int = 0) -> Moved | None:
    """Split the change of an item's rank from base to refined; None for an item of the history.

    Parameters and errors as in `build_changes`; `seed` is that of the orders drawn where there are too many to count.
    """
    question = Question.of(system.data, user_id, item_id)
    title = _title(system, question.item)
    if question.seen:
        return None
    change = rank_change(system.base, system.named, question, seed)
    names = [line.label for line in system.named.columns.lines]
    every = [*names, f"Other {system.verb.patterns}"]
    parts = pd.DataFrame({"label": every, "gained": [*change.lines, change.patterns], "error": change.errors})
    g = system.refined.item_values()
    surrogate = base_surrogate(system.base, question, g, system.data.item_interactions, seed)
    likely = surrogate.approximate_contributions(g[question.items])[0]
    labels = [attribute.label for attribute in system.schema.attributes]
    return Moved(
        sentence=words.rank_change_words(title, change, names, system.verb),
        base_rank=change.base_rank,
        rank=change.rank,
        parts=parts.sort_values("gained", key=abs, ascending=False, kind="stable", ignore_index=True),
        exact=change.exact,
        base_sentence=words.surrogate_words(surrogate, system.verb),
        base_parts=pd.DataFrame({"label": labels, "value": likely}).sort_values(
            "value", key=abs, ascending=False, kind="stable", ignore_index=True
        ),
    )


def _title(system: RefinedRecommender, item: int) -> str:
    """Return an item's title."""
    return str(system.data.dataset.catalogue.frame[c.TITLE].iloc[item])


def _curves(system: RefinedRecommender, question: Question) -> pd.DataFrame:
    """Tabulate the rank under pulls of the attributes that change it most."""
    steps = np.linspace(-MOST_PULL, MOST_PULL, _CURVE_POINTS)
    ranks = pulled_ranks(system.refined, question, steps)  # [A, n]
    tables = [
        pd.DataFrame({"attribute": attribute.name, "label": attribute.label, "steps": steps, c.RANK: own})
        for attribute, own in zip(system.schema.attributes, ranks, strict=True)
    ]
    # On a scale of ratios, as the chart has: from 5th to 50th is as far as from 50th to 500th.
    tables.sort(key=lambda table: -float(np.ptp(np.log(table[c.RANK]))))
    return pd.concat(tables[:_CURVES], ignore_index=True)
