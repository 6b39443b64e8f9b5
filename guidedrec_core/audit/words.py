"""What an audit says, in words: one verdict a part, and one phrase for each attribute that raises the alarm."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from guidedrec_core.audit.planted import MIXED_UP, PLACEBO, PLAIN_MEAN, PREFERENCE, REASONS, REFINED, SLOPES, TASTE
from guidedrec_core.explanation.words import listing

AGAINST = {
    "file": "scores of {n} items judged again",
    "passes": "the scores of {n} items as recorded in scoring",
    "stored": "the stored scores of {n} items that the model was made from",
}
"""What attributes are held against, by the source in an audit's summary."""

BLIND_SPOT = (
    "These are the scores the model was made from, so a mix-up from before they were stored cannot be seen. Let "
    "somebody judge some twenty items again and give the table with `guidedrec audit --reference FILE`."
)
"""What to add where the source is ``stored``."""

QUESTION_WORDS = {
    TASTE: "What shoppers seek",
    SLOPES: "What counts for a shopper's score",
    REASONS: "Why an item was bought",
    PREFERENCE: "How well items suit a shopper",
}
"""The questions of the planted truth, as people read them."""

EXPLANATION_WORDS = {
    REFINED: "the explanations",
    MIXED_UP: "the same with labels mixed up",
    PLACEBO: "explanations by shuffled scores",
    PLAIN_MEAN: "plain average of what was bought",
}
"""Whose explanations the planted truth is compared with."""

SWAPPED, OTHER = "one item swapped", "another user"
"""Changes of a history in the table ``stability``, as `explanation.stability` names them."""

_COLUMN, _USERS, _RESPONSE = "column", "users", "response"


def meaning_sentence(table: pd.DataFrame, labels: Mapping[str, str], source: str, items: int) -> str:
    """Say whether attributes still mean what they are called.

    Parameters
    ----------
    table : pandas.DataFrame
        See `meaning.meaning`.
    labels : mapping of str to str
        Attributes as people read them.
    source : str
        A key of `AGAINST`.
    items : int
        How many items have reference scores.
    """
    against = AGAINST[source].format(n=f"{items:,}")
    told = table[table["evidence"].notna()]
    alarms = told[told["alarm"]]
    if told.empty:
        return "Nothing can be said of what attributes mean: too few scores to hold them against."
    if alarms.empty:
        every = "The attribute still means" if len(told) == 1 else f"All {len(told)} attributes still mean"
        return f"{every} what the labels say, held against {against}."
    names = listing([f"{labels.get(name, name)}" for name in alarms["attribute"]])
    verb = "does" if len(alarms) == 1 else "do"
    return (
        f"{names} {verb} not mean what the label says, held against {against}. Do not show explanations that name "
        f"{'it' if len(alarms) == 1 else 'them'} before this is mended."
    )


def meaning_phrase(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    """Say of one attribute why it raises the alarm, or that it does not.

    Parameters
    ----------
    row : mapping of str
        Of the table of `meaning.meaning`.
    labels : mapping of str to str
        Attributes as people read them.
    """
    if pd.isna(row["evidence"]):
        return "too few scores to tell"
    if not row["alarm"]:
        return "means its label"
    evidence = {question: _number(row, f"{question}_evidence") for question in (_COLUMN, _USERS, _RESPONSE)}
    worst = min((q for q in evidence if evidence[q] < 0), key=lambda q: (q != _COLUMN, evidence[q]))
    if worst == _RESPONSE:
        return "asking for more of it does not bring more of it"
    what = "its scores" if worst == _COLUMN else "what the model holds of users"
    run, follow, agree = ("run", "follow", "agree") if worst == _COLUMN else ("runs", "follows", "agrees")
    own, other = _number(row, f"{worst}_agreement"), _number(row, f"{worst}_rival_agreement")
    if own < 0 and abs(own) >= abs(other):
        return f"{what} {run} the other way ({own:+.2f})"
    if abs(other) > max(own, 0.5):
        name = str(row[f"{worst}_rival"])
        return f"{what} {follow} {labels.get(name, name)} ({other:+.2f}) more than the label ({own:+.2f})"
    return f"{what} {agree} with the label no more than chance may bring ({own:+.2f})"


def fidelity_sentence(areas: pd.DataFrame, part: str) -> str:
    """Say whether the model agrees that what explanations name first counts most.

    The ratio's interval is that of the difference, as a share of what a random order costs.

    Parameters
    ----------
    areas : pandas.DataFrame
        Table ``fidelity`` of an audit; see `fidelity.Fidelity`.
    part : {"history", "attributes"}
        What was taken away.
    """
    rows = areas[(areas["part"] == part) & (areas["direction"] == "deletion") & (areas["measure"] == "score")]
    rows = rows.set_index("order")
    own, chance = rows.loc["explanation"], rows.loc["random"]
    what = "past items" if part == "history" else "attributes"
    if not chance["gap_low"] > 0:
        return (
            f"Explanations by {what} do not hold: taking away what they name first costs no clearly more than taking "
            f"{what} away at random."
        )
    if chance["low"] > 0:
        ends = [1 + chance[name] / chance["area"] for name in ("gap", "gap_low", "gap_high")]
        cost = f"costs {ends[0]:.1f} times as much as taking {what} away at random ({ends[1]:.1f} to {ends[2]:.1f})"
    else:
        cost = f"costs {own['area']:.2f} of the score on average, taking {what} away at random {chance['area']:.2f}"
    return (
        f"Explanations by {what} hold: taking away what they name first {cost}, and more for "
        f"{chance['better']:.0%} of users."
    )


def stability_sentence(summary: pd.DataFrame) -> str:
    """Say whether users who are nearly alike get nearly the same reasons.

    Parameters
    ----------
    summary : pandas.DataFrame
        Table ``stability`` of an audit; see `stability.Stability`.
    """
    rows = summary[summary["measure"] == "attributes_correlation"].set_index("change")
    if SWAPPED not in rows.index or OTHER not in rows.index:
        return "Nothing can be said of how stable explanations are: too few histories of four items or more."
    near, other = rows.loc[SWAPPED], rows.loc[OTHER]
    verdict = "Explanations are stable" if near["low"] > other["high"] else "Explanations are not stable"
    return (
        f"{verdict}: when one past item is swapped for a similar one, the order of the attributes that count agrees "
        f"with the one before by {near['value']:.2f} ({near['low']:.2f} to {near['high']:.2f}; 1 is the same order); "
        f"that of another user by {other['value']:.2f}."
    )


def planted_sentence(table: pd.DataFrame, question: str = REASONS) -> str:
    """Say how near explanations come to what shoppers really want, beside the strongest control and the plain average.

    Parameters
    ----------
    table : pandas.DataFrame
        See `planted.planted_truth`.
    question : str
        One of its questions.
    """
    rows = table[table["question"] == question].set_index("explanation")
    own = rows.loc[REFINED]
    controls = rows.loc[[name for name in (MIXED_UP, PLACEBO) if name in rows.index]]
    best = controls.sort_values("value").iloc[-1]
    about = (
        f"rank correlation {own['value']:.2f} ({own['low']:.2f} to {own['high']:.2f}) over {own['users']:,} shoppers"
    )
    if best["behind_low"] > 0:
        verdict = "Explanations find what shoppers really want"
    else:
        verdict = "Explanations find no more of what shoppers really want than labels without meaning would"
    told = f"{verdict}: {about}, {EXPLANATION_WORDS[str(best.name)]} {best['value']:.2f}."
    plain = rows.loc[PLAIN_MEAN]
    if plain["behind_high"] < 0:
        nearer = f"{plain['value']:.2f}"
        return (
            f"{told} The plain average of what a shopper bought, for which nothing was learned, comes nearer: {nearer}."
        )
    return told


def _number(row: Mapping[Any, Any], name: str) -> float:
    return float(row[name])
