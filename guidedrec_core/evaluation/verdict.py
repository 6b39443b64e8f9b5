"""What an evaluation says, in words: whether refinement helps, and whether the meaning of the scores is the reason."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.highlights import CLEAREST, DOWN, FOUND, LOST, RAREST, UP
from guidedrec_core.evaluation.report import (
    BASE,
    CATEGORIES,
    GUIDED_ONLY,
    ITEM_KNN,
    ITEM_KNN_RECENCY,
    LINEAR,
    PLACEBO,
    POPULARITY,
    RANDOM_VECTORS,
    REFINED,
    SECOND_TRAINING,
)
from guidedrec_core.explanation.words import listing, ordinal
from guidedrec_core.language import percent, signed

MODEL_WORDS = {
    POPULARITY: "popularity",
    ITEM_KNN: "similar items",
    ITEM_KNN_RECENCY: "recent similar items",
    LINEAR: "linear model",
    BASE: "base",
    SECOND_TRAINING: "retrained without attributes",
    PLACEBO: "shuffled scores",
    RANDOM_VECTORS: "random numbers",
    CATEGORIES: "categories instead of scores",
    GUIDED_ONLY: "scores only",
    REFINED: "refined",
}
"""Models as people read them."""

_MODEL_MEANINGS = {
    POPULARITY: "recommends what most {users} {past}",
    ITEM_KNN: "recommends items often {participle} together with the {user}'s own",
    ITEM_KNN_RECENCY: "the same, but the latest {nouns} count most, and so does what others {past} right after them",
    LINEAR: "one linear rule from the {user}'s items to all others, the latest counting most; often hard to beat",
    BASE: "the original model, which learns from the order of {nouns} and uses no attributes",
    SECOND_TRAINING: "trained a second time in the same way, without attributes: shows the effect of longer training",
    PLACEBO: "the same refinement with the scores shuffled over items: shows the effect of the extra parameters",
    RANDOM_VECTORS: "the same refinement with random numbers instead of scores: another check on the extra parameters",
    CATEGORIES: "the same refinement with the catalogue's categories: shows whether scoring items was worth it",
    GUIDED_ONLY: "the refinement without the base model's knowledge of items: shows what the scores do on their own",
    REFINED: "the base model refined with the attributes",
}

CONTROL_QUESTIONS = {
    SECOND_TRAINING: "Is it just the longer training? Then retraining without attributes would gain as much.",
    PLACEBO: "Does the meaning of the scores matter? If not, randomly reassigned scores would gain as much.",
    RANDOM_VECTORS: "Is it just the extra numbers? Then random numbers in place of scores would gain as much.",
    CATEGORIES: "Was scoring needed? If not, the catalogue's categories in place of scores would gain as much.",
    GUIDED_ONLY: "Is the base model needed? If not, the scores would do as well without it.",
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
        Against what else was measured, where it matters; may be empty.
    """

    metric: str
    over_base: Effect | None
    over_second_training: Effect | None
    over_placebo: Effect | None
    lead: str
    more: str

    @property
    def sentence(self) -> str:
        """Lead and more."""
        return f"{self.lead} {self.more}".strip()


def model_meaning(model: str, verb: InteractionVerb) -> str:
    """Say what a model is for.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import BOUGHT, WATCHED
    >>> model_meaning("popularity", BOUGHT), model_meaning("item_knn", WATCHED)
    ('recommends what most customers bought', "recommends items often watched together with the viewer's own")
    """
    return _MODEL_MEANINGS[model].format(**asdict(verb))


def metric_label(metric: str) -> str:
    """Return a metric's name as people read it; the field's own name belongs in a tooltip.

    Examples
    --------
    >>> metric_label("Recall@10"), metric_label("NDCG@20"), metric_label("MRR")
    ('Found in the top 10', 'Ranking quality, top 20', 'Ranking quality, all items')
    """
    return _metric_words(metric, "Found in the top {}", "Ranking quality, top {}", "Ranking quality, all items")


def metric_noun(metric: str) -> str:
    """Return a metric's name for use inside a sentence.

    Examples
    --------
    >>> metric_noun("Recall@10"), metric_noun("NDCG@20"), metric_noun("MRR")
    ('the share found in the top 10', 'ranking quality in the top 20', 'ranking quality over all items')
    """
    return _metric_words(
        metric, "the share found in the top {}", "ranking quality in the top {}", "ranking quality over all items"
    )


def _metric_words(metric: str, recall: str, ndcg: str, mrr: str) -> str:
    """Return the words for a metric, with its cutoff in place of ``{}``."""
    name, _, cutoff = metric.partition("@")
    return {"Recall": recall, "NDCG": ndcg}.get(name, mrr).format(cutoff)


def metric_meaning(metric: str, verb: InteractionVerb) -> str:
    """Say what a metric measures.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import BOUGHT
    >>> metric_meaning("Recall@10", BOUGHT)
    'share of cases in which the item bought next is in the top 10'
    """
    name, _, cutoff = metric.partition("@")
    if name == "Recall":
        return f"share of cases in which the item {verb.next} is in the top {cutoff}"
    if name == "NDCG":
        return f"how high in the top {cutoff} the item {verb.next} is (1 = always first, 0 = never in it)"
    return f"how high the item {verb.next} is in the whole catalogue: the average of 1 / rank (1 = always first)"


def overview_sentence(dataset: str, metrics: pd.DataFrame, split: str, verb: InteractionVerb) -> str:
    """Say in one sentence what refinement changed.

    Parameters
    ----------
    dataset : str
        The data set's name.
    metrics : pandas.DataFrame
        `EvaluationReport.metrics`.
    split : str
        The split's kind; with ``leave-one-out`` there is one case a user.
    verb : InteractionVerb
        What users do.

    Returns
    -------
    str
        From the first Recall@K there is; e.g. "On fernway, the refined model finds the next purchase in its top 10 for
        27 of 100 customers, the base model for 23, and the same refinement with shuffled scores for 24."
    """
    recall = next(m for m in metrics["metric"] if m.startswith("Recall@"))
    value = metrics[metrics["metric"] == recall].set_index("model")["value"]
    known = [m for m in (REFINED, BASE, PLACEBO) if m in value.index]
    # With few hits, hundredths would hide every difference.
    whole = 100 if value[known].min() >= 0.1 else 1000
    count = {m: f"{value[m] * whole:.0f}" for m in known}
    place, cases = ("for", verb.users) if split == "leave-one-out" else ("in", "cases")
    parts = [f"the base model {place} {count[BASE]}"]
    if PLACEBO in count:
        parts.append(f"and the same refinement with shuffled scores {place} {count[PLACEBO]}")
    return (
        f"On {dataset}, the refined model finds the next {verb.next_noun} in its top {recall.partition('@')[2]} "
        f"{place} {count[REFINED]} of {whole:,} {cases}, {', '.join(parts)}."
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
    noun = metric_noun(metric)
    said = []
    if BASE in effect:
        change, interval = _change(rows[BASE]), _interval(rows[BASE])
        said.append(
            {
                "higher": f"Refinement helps: {noun} is {change} than with the base model ({interval}).",
                "lower": f"Refinement hurts here: {noun} is {change} than with the base model ({interval}).",
                "unclear": f"No clear gain over the base model: {noun} is {change} ({interval}).",
            }[effect[BASE]]
        )
    if PLACEBO in effect:
        change, interval = _change(rows[PLACEBO]), _interval(rows[PLACEBO])
        said.append(
            {
                "higher": f"Compared with shuffled scores it is {change} ({interval}), so the meaning of the scores "
                "matters.",
                "lower": f"Shuffled scores do better: refined is {change} ({interval}), so the meaning of the scores "
                "does not help on these data.",
                "unclear": f"There is no clear gain over shuffled scores ({change}, {interval}), so nothing here shows "
                "that the meaning of the scores helps.",
            }[effect[PLACEBO]]
        )
    more = [
        _other_metrics(differences, metric),
        _against_retraining(rows),
        _against_categories(rows),
        *_against_others(rows),
        _against_simple(rows),
    ]
    return Verdict(
        metric,
        effect.get(BASE),
        effect.get(SECOND_TRAINING),
        effect.get(PLACEBO),
        " ".join(said),
        " ".join(sentence for sentence in more if sentence),
    )


def _other_metrics(differences: pd.DataFrame, metric: str) -> str:
    """Say by which other metrics the comparison with shuffled scores ends differently."""
    rows = differences[(differences["model"] == REFINED) & (differences["against"] == PLACEBO)]
    effects = {str(row["metric"]): _effect(row) for _, row in rows.iterrows()}
    if metric not in effects:
        return ""
    other = [metric_noun(name) for name, effect in effects.items() if effect != effects[metric]]
    if not other:
        return ""
    if effects[metric] == "higher":
        return f"By {listing(other)} the gain over shuffled scores is not clear, so read it with care."
    better = [metric_noun(name) for name, effect in effects.items() if effect == "higher"]
    return f"By {listing(better)} the gain over shuffled scores is clear." if better else ""


Rows = Mapping[str, pd.Series]
"""Differences of the refined model by what it is compared with."""


def _against_retraining(rows: Rows) -> str:
    """Say whether longer training alone explains the gain."""
    if SECOND_TRAINING not in rows:
        return ""
    row = rows[SECOND_TRAINING]
    change, interval = _change(row), _interval(row)
    return {
        "higher": f"Compared with retraining without attributes it is {change} ({interval}), so longer training is "
        "not the reason.",
        "lower": f"Retraining without attributes does better: refined is {change} ({interval}).",
        "unclear": f"There is no clear gain over retraining without attributes ({change}, {interval}), so longer "
        "training may be the whole reason.",
    }[_effect(row)]


def _against_categories(rows: Rows) -> str:
    """Say whether the catalogue's categories would do instead of scores."""
    if CATEGORIES not in rows:
        return ""
    row = rows[CATEGORIES]
    change, interval = _change(row), _interval(row)
    return {
        "higher": f"Compared with the catalogue's categories in place of scores it is {change} ({interval}), so the "
        "scores say more than categories do.",
        "lower": f"The catalogue's categories in place of scores do better: refined is {change} ({interval}), so the "
        "scores are not needed here.",
        "unclear": f"The catalogue's categories in place of scores do about as well (refined is {change}, "
        f"{interval}), so nothing here shows that the scores say more.",
    }[_effect(row)]


def _against_others(rows: Rows) -> list[str]:
    """Say which of the stricter controls do about as well."""
    names = {
        RANDOM_VECTORS: "Random numbers in place of scores",
        GUIDED_ONLY: "The scores alone, without the base model,",
    }
    return [
        f"{name} do about as well (refined is {_change(rows[control])}, {_interval(rows[control])})."
        for control, name in names.items()
        if control in rows and _effect(rows[control]) != "higher"
    ]


def _against_simple(rows: Rows) -> str:
    """Name the best simple model that beats the refined one."""
    simple = (POPULARITY, ITEM_KNN, ITEM_KNN_RECENCY, LINEAR)
    better = [name for name in simple if name in rows and _effect(rows[name]) == "lower"]
    if not better:
        return ""
    best = min(better, key=lambda name: float(rows[name]["absolute"]))
    return (
        f"A far simpler model does better here, {MODEL_WORDS[best]}: refined is {_change(rows[best])} "
        f"({_interval(rows[best])})."
    )


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
        "higher": "Refined does better: {} ({}).",
        "lower": "The control does better: refined is {} ({}).",
        "unclear": "No clear difference: refined is {} ({}).",
    }
    return [
        (
            question,
            MODEL_WORDS[control],
            said[_effect(rows[control])].format(_change(rows[control]), _interval(rows[control])),
        )
        for control, question in CONTROL_QUESTIONS.items()
        if control in rows
    ]


@dataclass(frozen=True)
class Headline:
    """One figure of the refined model, ready to show.

    Attributes
    ----------
    metric, label, meaning : str
        E.g. ``"Recall@10"``, ``"Found in the top 10"``, and what it measures.
    value, change, interval : str
        The figure; its change against the base; the 95 % interval of that change. Shares are in percent.
    effect : {"higher", "lower", "unclear"}
        Of the change.
    controls : tuple of str
        The change against each control that always stands next to it, e.g. ``"+0.012 over shuffled scores"``.
    """

    metric: str
    label: str
    meaning: str
    value: str
    change: str
    interval: str
    effect: Effect
    controls: tuple[str, ...]


def headlines(metrics: pd.DataFrame, differences: pd.DataFrame, verb: InteractionVerb, most: int = 4) -> list[Headline]:
    """Return the refined model's figures with their change against the base.

    Parameters
    ----------
    metrics, differences : pandas.DataFrame
        Of an `EvaluationReport`.
    verb : InteractionVerb
        What users do.
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
                label=metric_label(metric),
                meaning=metric_meaning(metric, verb),
                value=percent(value, 1) if _is_share(metric) else f"{value:.3f}",
                change=f"{_signed(metric, row['absolute'])}{' points' if _is_share(metric) else ''}",
                interval=f"{_signed(metric, row['ci_low'])} to {_signed(metric, row['ci_high'])}",
                effect=_effect(row),
                controls=tuple(_over(control, metric, changes.loc[(control, metric)]) for control in controls),
            )
        )
    return shown


def _is_share(metric: str) -> bool:
    """Tell whether a metric is a share of cases, which people read in percent."""
    return metric.startswith("Recall")


def _signed(metric: str, difference: float) -> str:
    """Write a difference, of shares in percentage points."""
    return signed(100 * difference, 1) if _is_share(metric) else signed(difference)


def _over(control: str, metric: str, row: pd.Series) -> str:
    """Write a change against a control."""
    unclear = ", not clear" if _effect(row) == "unclear" else ""
    return f"{_signed(metric, row['absolute'])} over {MODEL_WORDS[control]}{unclear}"


def highlight_sentence(title: str, base_rank: int, refined_rank: int, verb: InteractionVerb) -> str:
    """Say what happened to a held-out item.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import WATCHED
    >>> highlight_sentence("Dune", 170, 1, WATCHED)
    'Dune, watched next, rose from 170th to 1st.'
    """
    if base_rank == refined_rank:
        return f"{title}, {verb.next}, is {ordinal(refined_rank)} in both."
    moved = "rose" if refined_rank < base_rank else "fell"
    return f"{title}, {verb.next}, {moved} from {ordinal(base_rank)} to {ordinal(refined_rank)}."


def _effect(row: pd.Series) -> Effect:
    """Tell a difference from none: the 95 % interval must not hold 0."""
    if row["ci_low"] > 0:
        return "higher"
    return "lower" if row["ci_high"] < 0 else "unclear"


def _change(row: pd.Series) -> str:
    """Write a difference as people say it, relative where that is defined.

    Examples
    --------
    >>> _change(pd.Series({"relative": 0.2, "absolute": 0.03})), _change(pd.Series({"relative": -0.004}))
    ('20 % higher', '0.4 % lower')
    """
    if np.isnan(row["relative"]):
        amount, value = f"{abs(row['absolute']):.3f}", row["absolute"]
    else:
        amount, value = f"{_percent(row['relative']).lstrip('+-')} %", row["relative"]
    return f"{amount} {'lower' if value < 0 else 'higher'}" if value else "unchanged"


def _interval(row: pd.Series) -> str:
    """Write the interval of a difference."""
    if np.isnan(row["relative"]):
        return f"95 % interval {signed(row['ci_low'])} to {signed(row['ci_high'])}"
    return f"95 % interval {_percent(row['relative_ci_low'])} to {_percent(row['relative_ci_high'])} %"


def _percent(share: float) -> str:
    """Write a signed share in whole percent; small ones with a digit, so that no effect reads as 0.

    Examples
    --------
    >>> _percent(0.19), _percent(-0.004), _percent(0.0)
    ('+19', '-0.4', '0')
    """
    if share == 0:
        return "0"
    return percent(share, 0 if abs(share) >= 0.1 else 1, sign=True).removesuffix(" %")
