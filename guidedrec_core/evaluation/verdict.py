"""What an evaluation says, in words: whether refinement helps, and whether the scores' meaning is the reason."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from guidedrec_core.evaluation.highlights import CLEAREST, DOWN, FOUND, LOST, RAREST, UP
from guidedrec_core.evaluation.report import (
    BASE,
    CATEGORIES,
    GAUSSIAN,
    GUIDED_ONLY,
    ITEM_KNN,
    ITEM_KNN_RECENCY,
    LINEAR,
    PLACEBO,
    POPULARITY,
    REFINED,
    SECOND_TRAINING,
)
from guidedrec_core.explanation.words import ordinal

MODEL_WORDS = {
    POPULARITY: "popularity",
    ITEM_KNN: "similar items",
    ITEM_KNN_RECENCY: "recent similar items",
    LINEAR: "linear (EASE)",
    BASE: "base",
    SECOND_TRAINING: "trained twice, no attributes",
    PLACEBO: "shuffled scores",
    GAUSSIAN: "random vectors",
    CATEGORIES: "categories, no scores",
    GUIDED_ONLY: "scores alone",
    REFINED: "refined",
}
"""Models as people read them."""

MODEL_MEANINGS = {
    POPULARITY: "recommends what most users took",
    ITEM_KNN: "recommends what is often taken together with the user's items",
    ITEM_KNN_RECENCY: "the same, but the latest items count most, and so does what others took right after them",
    LINEAR: "one linear rule from the user's items, the latest counting most, to all others; often hard to beat",
    BASE: "the sequence model that knows no attributes",
    SECOND_TRAINING: "the same second training without any attributes: shows what training longer does",
    PLACEBO: "the same refinement with the scores shuffled over items: shows what more parameters do",
    GAUSSIAN: "the same refinement with random numbers: shows the same as shuffled scores, with no item's row at all",
    CATEGORIES: "the same refinement with the catalogue's categories: shows whether scoring items was worth it",
    GUIDED_ONLY: "the refinement without the base model's item vectors: shows what the scores do alone",
    REFINED: "the base model refined with the attributes",
}
"""What each model is there for."""

CONTROL_QUESTIONS = {
    SECOND_TRAINING: "Is it only the longer training? Then training again without attributes would gain as much.",
    PLACEBO: "Does it matter what the scores mean? If not, scores dealt to the wrong items would gain as much.",
    GAUSSIAN: "Is it only the added numbers? Then random numbers in their place would gain as much.",
    CATEGORIES: "Was scoring needed? If not, the catalogue's categories in the scores' place would gain as much.",
    GUIDED_ONLY: "Is the base model needed? If not, the scores would do as well without its item vectors.",
}
"""What each control asks, and what it could have shown."""

HIGHLIGHT_WORDS = {
    CLEAREST: "Clearest win",
    RAREST: "A rare item found",
    FOUND: "Found by the refined model",
    LOST: "Lost by the refined model",
    UP: "Largest rise",
    DOWN: "Largest fall",
}
"""Kinds of highlights as people read them."""

Effect = Literal["higher", "lower", "unclear"]


@dataclass(frozen=True)
class Verdict:
    """The comparison that matters, for one metric.

    Attributes
    ----------
    metric : str
        E.g. ``"NDCG@10"``.
    over_base, over_second_training, over_placebo : {"higher", "lower", "unclear"} or None
        Refined against each; ``unclear`` when the 95 % interval holds 0, None when it was not measured.
    lead : str
        The same in plain words: against the base, and against the placebo.
    more : str
        Against what else was measured, as far as it is worth a word; may be empty.
    """

    metric: str
    over_base: Effect | None
    over_second_training: Effect | None
    over_placebo: Effect | None
    lead: str
    more: str

    @property
    def sentence(self) -> str:
        """All that is to be said."""
        return f"{self.lead} {self.more}".strip()


def metric_meaning(metric: str) -> str:
    """Say what a metric measures.

    Examples
    --------
    >>> metric_meaning("Recall@10")
    'share of cases whose held-out item is in the top 10'
    """
    name, _, cutoff = metric.partition("@")
    if name == "Recall":
        return f"share of cases whose held-out item is in the top {cutoff}"
    if name == "NDCG":
        return f"how high in the top {cutoff} the held-out item stands (1 = always first, 0 = never in it)"
    return "average of 1 / rank of the held-out item in the whole catalogue (1 = always first)"


def overview_sentence(dataset: str, metrics: pd.DataFrame, split: str) -> str:
    """Say in one sentence what refinement changed.

    Parameters
    ----------
    dataset : str
        The data set's name.
    metrics : pandas.DataFrame
        `EvaluationReport.metrics`.
    split : str
        The split's kind; with ``leave-one-out`` there is one case a user.

    Returns
    -------
    str
        From the first Recall@K there is; e.g. "On fernway, the refined model has the next item in its top 10 for 27 of
        100 users, the base model for 23, and the same refinement with shuffled scores for 24."
    """
    recall = next(m for m in metrics["metric"] if m.startswith("Recall@"))
    value = metrics[metrics["metric"] == recall].set_index("model")["value"]
    known = [m for m in (REFINED, BASE, PLACEBO) if m in value.index]
    # With few hits, hundredths would hide every difference.
    whole = 100 if value[known].min() >= 0.1 else 1000
    count = {m: f"{value[m] * whole:.0f}" for m in known}
    cases = "users" if split == "leave-one-out" else "held-out interactions"
    parts = [f"the base model for {count[BASE]}"]
    if PLACEBO in count:
        parts.append(f"and the same refinement with shuffled scores for {count[PLACEBO]}")
    return (
        f"On {dataset}, the refined model has the next item in its top {recall.partition('@')[2]} for "
        f"{count[REFINED]} of {whole:,} {cases}, {', '.join(parts)}."
    )


def verdict(differences: pd.DataFrame, metric: str = "NDCG@10") -> Verdict:
    """Say whether refinement helps, whether more than its controls do, and whether a simple baseline does better.

    Parameters
    ----------
    differences : pandas.DataFrame
        `EvaluationReport.differences`.
    metric : str
        The metric to judge by.
    """
    wanted = differences[(differences["metric"] == metric) & (differences["model"] == REFINED)]
    rows = {str(row["against"]): row for _, row in wanted.iterrows()}
    effect = {name: _effect(row) for name, row in rows.items()}
    amount = {name: _amount(row) for name, row in rows.items()}
    said = []
    if BASE in effect:
        said.append(
            {
                "higher": f"Refinement helps: {metric} is {amount[BASE]} against the base.",
                "lower": f"Refinement hurts here: {metric} is {amount[BASE]} against the base.",
                "unclear": f"No clear gain over the base: {metric} is {amount[BASE]}.",
            }[effect[BASE]]
        )
    if PLACEBO in effect:
        said.append(
            {
                "higher": f"Against shuffled scores it is {amount[PLACEBO]}, so what the scores mean matters.",
                "lower": f"Shuffled scores do better ({amount[PLACEBO]} against them), so what the scores mean does "
                "not help on these data.",
                "unclear": f"There is no clear gain over shuffled scores ({amount[PLACEBO]}), so nothing here shows "
                "that what the scores mean helps.",
            }[effect[PLACEBO]]
        )
    lead, said = " ".join(said), []
    if SECOND_TRAINING in effect:
        said.append(
            {
                "higher": f"Against a second training without attributes it is {amount[SECOND_TRAINING]}, so training "
                "longer is not the reason.",
                "lower": f"A second training without attributes does better ({amount[SECOND_TRAINING]} against it).",
                "unclear": f"There is no clear gain over a second training without attributes "
                f"({amount[SECOND_TRAINING]}), so training longer may be all there is to it.",
            }[effect[SECOND_TRAINING]]
        )
    if CATEGORIES in effect:
        said.append(
            {
                "higher": f"Against the catalogue's categories in the scores' place it is {amount[CATEGORIES]}, so the "
                "scores tell more than categories do.",
                "lower": f"The catalogue's categories in the scores' place do better ({amount[CATEGORIES]} against "
                "them), so the scores are not needed here.",
                "unclear": f"The catalogue's categories in the scores' place do about as well "
                f"({amount[CATEGORIES]} against them), so nothing here shows that the scores tell more.",
            }[effect[CATEGORIES]]
        )
    if effect.get(GAUSSIAN) in ("lower", "unclear"):
        said.append(f"Random numbers do about as well as the scores ({amount[GAUSSIAN]} against them).")
    if effect.get(GUIDED_ONLY) in ("lower", "unclear"):
        said.append(
            f"The scores alone, without the base model's item vectors, do about as well ({amount[GUIDED_ONLY]} "
            "against them)."
        )
    better = [name for name in (POPULARITY, ITEM_KNN, ITEM_KNN_RECENCY, LINEAR) if effect.get(name) == "lower"]
    if better:
        best = min(better, key=lambda name: float(rows[name]["absolute"]))
        said.append(f"A far simpler model does better here, {MODEL_WORDS[best]}: against it refined is {amount[best]}.")
    return Verdict(metric, effect.get(BASE), effect.get(SECOND_TRAINING), effect.get(PLACEBO), lead, " ".join(said))


def control_answers(differences: pd.DataFrame, metric: str) -> list[tuple[str, str, str]]:
    """Return question, control and answer for each control that was evaluated.

    Parameters
    ----------
    differences, metric
        As in `verdict`.
    """
    wanted = differences[(differences["model"] == REFINED) & (differences["metric"] == metric)]
    rows = {str(row["against"]): row for _, row in wanted.iterrows()}
    said = {
        "higher": "Refined does better: {}.",
        "lower": "The control does better: refined is {} against it.",
        "unclear": "No clear difference: refined is {} against it.",
    }
    return [
        (question, MODEL_WORDS[control], said[_effect(rows[control])].format(_amount(rows[control])))
        for control, question in CONTROL_QUESTIONS.items()
        if control in rows
    ]


@dataclass(frozen=True)
class Headline:
    """One figure of the refined model, ready to show.

    Attributes
    ----------
    metric, meaning : str
        E.g. ``"Recall@10"``, and what it measures.
    value, change, interval : str
        The figure; its change against the base; the 95 % interval of that change.
    effect : {"higher", "lower", "unclear"}
        Of the change.
    controls : tuple of str
        The change against each control that always stands beside it, e.g. ``"+0.012 against shuffled scores"``.
    """

    metric: str
    meaning: str
    value: str
    change: str
    interval: str
    effect: Effect
    controls: tuple[str, ...]


def headlines(metrics: pd.DataFrame, differences: pd.DataFrame, most: int = 4) -> list[Headline]:
    """Return the refined model's figures with their change against the base.

    Parameters
    ----------
    metrics, differences : pandas.DataFrame
        Of an `EvaluationReport`.
    most : int
        Figures at most, in order of display.
    """
    values = metrics[metrics["model"] == REFINED].head(most)
    changes = differences[differences["model"] == REFINED].set_index(["against", "metric"])
    shown = []
    for metric, value in zip(values["metric"], values["value"], strict=True):
        row = changes.loc[(BASE, metric)]
        controls = [control for control in (SECOND_TRAINING, PLACEBO) if (control, metric) in changes.index]
        shown.append(
            Headline(
                metric=metric,
                meaning=metric_meaning(metric),
                value=f"{value:.3f}",
                change=f"{row['absolute']:+.3f}",
                interval=f"{row['ci_low']:+.3f} to {row['ci_high']:+.3f}",
                effect=_effect(row),
                controls=tuple(_against(control, changes.loc[(control, metric)]) for control in controls),
            )
        )
    return shown


def _against(control: str, row: pd.Series) -> str:
    """Write a change against a control."""
    unclear = ", not clear" if _effect(row) == "unclear" else ""
    return f"{row['absolute']:+.3f} against {MODEL_WORDS[control].partition(',')[0]}{unclear}"


def highlight_sentence(title: str, base_rank: int, refined_rank: int) -> str:
    """Say what happened to a held-out item.

    Examples
    --------
    >>> highlight_sentence("Dune", 170, 1)
    'Dune, taken next, rose from 170th to 1st.'
    """
    if base_rank == refined_rank:
        return f"{title}, taken next, is {ordinal(refined_rank)} in both."
    moved = "rose" if refined_rank < base_rank else "fell"
    return f"{title}, taken next, {moved} from {ordinal(base_rank)} to {ordinal(refined_rank)}."


def _effect(row: pd.Series) -> Effect:
    """Tell a difference from none: the 95 % interval must not hold 0."""
    if row["ci_low"] > 0:
        return "higher"
    return "lower" if row["ci_high"] < 0 else "unclear"


def _amount(row: pd.Series) -> str:
    """Write a difference with its interval, relative where that is defined."""
    if np.isnan(row["relative"]):
        return f"{row['absolute']:+.3f} (95 % interval {row['ci_low']:+.3f} to {row['ci_high']:+.3f})"
    low, high = row["relative_ci_low"], row["relative_ci_high"]
    return f"{_percent(row['relative'])} % (95 % interval {_percent(low)} to {_percent(high)} %)"


def _percent(share: float) -> str:
    """Write a signed share in whole percent; small ones with a digit, so that no effect reads as 0.

    Examples
    --------
    >>> _percent(0.19), _percent(-0.004), _percent(0.0)
    ('+19', '-0.4', '0')
    """
    if share == 0:
        return "0"
    return f"{100 * share:+.0f}" if abs(share) >= 0.1 else f"{100 * share:+.1f}"
