"""What an audit says, in words: one verdict per part, and one phrase for each attribute that raises the alarm."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from guidedrec_core.audit.planted import MIXED_UP, PLACEBO, PLAIN_MEAN, PREFERENCE, REASONS, REFINED, SLOPES, TASTE
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.words import listing

AGAINST = {
    "file": "scores of {n} items that were judged again",
    "passes": "the scores of {n} items as recorded in scoring",
    "stored": "the stored scores of {n} items that the model was made from",
}
"""What attributes are compared with, by the source in an audit's summary."""

BLIND_SPOT = (
    "These are the scores the model was made from, so a mix-up before they were stored cannot be seen. Have about "
    "twenty items judged again and pass the table with `guidedrec audit --reference FILE`."
)
"""What to add where the source is ``stored``."""

QUESTION_WORDS = {
    TASTE: "What shoppers seek",
    SLOPES: "What a shopper's score depends on",
    REASONS: "Why an item was bought",
    PREFERENCE: "How well items suit a shopper",
}
"""The questions of the planted truth, as people read them."""

EXPLANATION_WORDS = {
    REFINED: "the explanations",
    MIXED_UP: "the same with labels mixed up",
    PLACEBO: "explanations with shuffled scores",
    PLAIN_MEAN: "simple average of what was bought",
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
    judged = table[table["evidence"].notna()]
    alarms = judged[judged["alarm"]]
    if judged.empty:
        return "It cannot be said whether attributes mean what they are called: too few scores to compare with."
    if alarms.empty:
        every = "The attribute still means what its name says"
        if len(judged) > 1:
            every = f"All {len(judged)} attributes still mean what their names say"
        return f"{every}, compared with {against}."
    names = listing([f"{labels.get(name, name)}" for name in alarms["attribute"]])
    does, its, it = ("does", "its name says", "it") if len(alarms) == 1 else ("do", "their names say", "them")
    return (
        f"{names} {does} not mean what {its}, compared with {against}. Do not show explanations that use {it} until "
        "this is fixed."
    )


def meaning_phrase(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    """Say why one attribute raises the alarm, or that it does not.

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
        return "means what its name says"
    evidence = {question: _number(row, f"{question}_evidence") for question in (_COLUMN, _USERS, _RESPONSE)}
    worst = min((q for q in evidence if evidence[q] < 0), key=lambda q: (q != _COLUMN, evidence[q]))
    if worst == _RESPONSE:
        return "asking for more of it does not bring more of it"
    what = "its scores" if worst == _COLUMN else "what the model has learned about users"
    run, follow, agree = ("run", "follow", "agree") if worst == _COLUMN else ("runs", "follows", "agrees")
    own, other = _number(row, f"{worst}_agreement"), _number(row, f"{worst}_rival_agreement")
    if own < 0 and abs(own) >= abs(other):
        return f"{what} {run} the other way ({own:+.2f})"
    if abs(other) > max(own, 0.5):
        name = str(row[f"{worst}_rival"])
        return f"{what} {follow} {labels.get(name, name)} ({other:+.2f}) more than the name ({own:+.2f})"
    return f"{what} {agree} with the name no better than chance ({own:+.2f})"


def fidelity_sentence(areas: pd.DataFrame, part: str, verb: InteractionVerb) -> str:
    """Say whether the model agrees that the reasons named first matter most.

    The ratio's interval is that of the difference, as a share of what a random order costs.

    Parameters
    ----------
    areas : pandas.DataFrame
        Table ``fidelity`` of an audit; see `fidelity.Fidelity`.
    part : {"history", "attributes"}
        What was removed.
    verb : InteractionVerb
        What users do.
    """
    rows = areas[(areas["part"] == part) & (areas["direction"] == "deletion") & (areas["measure"] == "score")]
    rows = rows.set_index("order")
    own, chance = rows.loc["explanation"], rows.loc["random"]
    what = f"past {verb.nouns}" if part == "history" else "attributes"
    if not chance["gap_low"] > 0:
        return (
            f"Explanations by {what} do not hold up: removing the ones they name first lowers the score no more than "
            "removing some at random."
        )
    if chance["low"] > 0:
        ends = [1 + chance[name] / chance["area"] for name in ("gap", "gap_low", "gap_high")]
        times = f"{ends[0]:.1f} times as much as removing some at random (95 % interval {ends[1]:.1f} to {ends[2]:.1f})"
        cost = f"lowers the score {times}"
    else:
        cost = f"lowers the score by {own['area']:.2f} on average, removing some at random by {chance['area']:.2f}"
    return (
        f"Explanations by {what} hold up: removing the ones they name first {cost}, and more than at random for "
        f"{100 * chance['better']:.0f} % of {verb.users}."
    )


def stability_sentence(summary: pd.DataFrame, verb: InteractionVerb) -> str:
    """Say whether users who are nearly alike get nearly the same reasons.

    Parameters
    ----------
    summary : pandas.DataFrame
        Table ``stability`` of an audit; see `stability.Stability`.
    verb : InteractionVerb
        What users do.
    """
    rows = summary[summary["measure"] == "attributes_correlation"].set_index("change")
    if SWAPPED not in rows.index or OTHER not in rows.index:
        return f"It cannot be said how stable explanations are: too few {verb.users} with four or more {verb.nouns}."
    near, other = rows.loc[SWAPPED], rows.loc[OTHER]
    verdict = "Explanations are stable" if near["low"] > other["high"] else "Explanations are not stable"
    return (
        f"{verdict}: when one past {verb.noun} is swapped for a similar item, the old and the new ranking of "
        f"attributes agree by {near['value']:.2f} out of 1 (95 % interval {near['low']:.2f} to {near['high']:.2f}); "
        f"those of two different {verb.users} agree by {other['value']:.2f}."
    )


def planted_sentence(table: pd.DataFrame, question: str = REASONS) -> str:
    """Say how close explanations come to what shoppers really want, next to the strongest control and a simple average.

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
        f"agreement {own['value']:.2f} out of 1 (95 % interval {own['low']:.2f} to {own['high']:.2f}) over "
        f"{own['users']:,} shoppers"
    )
    if best["behind_low"] > 0:
        verdict = "Explanations find what shoppers really want"
    else:
        verdict = "Explanations find no more of what shoppers really want than labels without meaning would"
    sentence = f"{verdict}: {about}; {EXPLANATION_WORDS[str(best.name)]} reach {best['value']:.2f}."
    plain = rows.loc[PLAIN_MEAN]
    if plain["behind_high"] < 0:
        return (
            f"{sentence} A simple average of what a shopper bought, with nothing learned, comes closer: "
            f"{plain['value']:.2f}."
        )
    return sentence


def _number(row: Mapping[Any, Any], name: str) -> float:
    return float(row[name])
