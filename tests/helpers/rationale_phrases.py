"""Rationales as language models phrase them, true and false, over facts of the bundled shop.

Two sets of phrasings: those that the checker was tried on while it was written, and others, written apart from it, that
it met only afterwards. Nothing here uses the product's own templates.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.rationale.facts import AttributeFact, Claim, Facts, PastItem

SHOP = Path(__file__).resolve().parents[2] / "sample_data" / "fernway"
SCHEMA = AttributeSchema.parse(json.loads((SHOP / "attributes.json").read_text()))
CATALOGUE = pd.read_csv(SHOP / "catalogue.csv", dtype={"item_id": "str"})
SCORES = pd.read_csv(SHOP / "llm_item_scores.csv", dtype={"item_id": "str"}).set_index("item_id")[list(SCHEMA.names)]
TITLES = CATALOGUE["title"].tolist()
_TABLE = SCORES.loc[CATALOGUE["item_id"]].to_numpy(dtype=float)
_MEAN, _SPREAD = _TABLE.mean(axis=0), _TABLE.std(axis=0)

# {t} title, {p} past title, {a} attribute, {b} another, {v} signed number, {u} without its sign, {s} score, {m} mean,
# {r} and {o} ranks as ordinals, {R} and {O} as numbers, {n} the place in words.
TRIED: dict[str, list[str]] = {
    "taste more": [
        "The shopper leans towards {a}: past purchases average {s}, the catalogue {m}.",
        "On {a}, the history averages {s} out of 10 against {m} for the catalogue.",
        "This customer seeks {a} ({s}/10 on average, above the catalogue's {m}).",
        "What was bought scores high on {a}, {s} of 10.",
    ],
    "taste less": [
        "On {a}, the history averages {s} out of 10 against {m} for the catalogue.",
        "The shopper shies away from {a}: {s}, while the catalogue averages {m}.",
        "Their history is low on {a}, at {s}/10.",
        "This customer avoids {a} ({s}/10, below the catalogue's {m}).",
    ],
    "item_score more": [
        "{t} scores {s}/10 on {a}, more than the catalogue's average of {m}.",
        "With {s} out of 10 for {a}, it is above the catalogue's {m}.",
        "It is high on {a}: {s}.",
    ],
    "item_score less": [
        "{t} has only little {a}, {s}/10, where the catalogue averages {m}.",
        "At {s} it is low on {a}; a typical item has {m}.",
        "It offers less {a} than the average item ({s} against {m}).",
    ],
    "contribution for": [
        "{A} adds {u} to the score.",
        "Because of {a}, the score gains {u}.",
        "{A} speaks for it with {v}.",
        "Its {a} lifts the score by {u} points.",
        "{v} comes from {a}.",
        "{t} benefits from {a} ({v}).",
    ],
    "contribution against": [
        "{A} counts against it ({v}).",
        "{A} lowers the score by {u}.",
        "The score loses {u} due to {a}.",
        "{v} comes from {a}.",
        "On the downside, {a} costs it {u}.",
    ],
    "order for": [
        "{A} is the {n} reason of all for recommending {t}.",
        "Of everything that counts for it, {a} is the {n} part ({v}).",
        "The {n} attribute in its favour is {a}.",
    ],
    "order against": [
        "{A} is the {n} attribute that counts against it.",
        "The {n} attribute against {t} is {a}, at {v}.",
    ],
    "compare": [
        "{A} counts for more than {b}.",
        "{A} ({v}) outweighs {b} ({w}).",
        "{B} is a smaller part than {a}.",
    ],
    "history for": [
        "Without {p}, the score would be {u} lower.",
        "Having taken {p} adds {u}.",
        "Because {p} is in the history, the score is {u} higher.",
        "If {p} were missing from the history, {t} would lose {u}.",
    ],
    "history against": [
        "Without {p}, the score would be {u} higher.",
        "{p} takes {u} off the score.",
        "Having bought {p} lowers the score by {u}.",
    ],
    "shared more": [
        "Like {p} ({x}/10), {t} is high on {a} ({s}/10).",
        "Both {p} and {t} score above average on {a}.",
        "{p} has {x} for {a}, and this item {s}, both above the catalogue.",
    ],
    "shared less": [
        "{p} and {t} are both low on {a}, with {x} and {s}.",
        "Like {p}, this item is below average on {a}.",
    ],
    "rank up": [
        "The base model had it {o}; refined, it is {r}.",
        "It climbs from {o} to {r}.",
        "Refinement lifts {t} {d} places, to {r}.",
        "It now ranks {r}, up from {o} in the base model.",
    ],
    "rank down": [
        "The base model had it {o}; refined, it is {r}.",
        "It falls from {o} to {r}.",
        "The base model had it {o}, better than the refined model's {r}.",
        "{t} slips {d} places to {r}.",
    ],
    "rank same": ["Both models have it {r}.", "Its place is {r} in the base model as well as in the refined one."],
}

APART: dict[str, list[str]] = {
    "taste more": [
        "Looking at earlier orders, {a} stands out with a mean of {s} compared to {m} in the catalogue.",
        "{A} matters to this shopper, whose purchases sit at {s}/10, well over the usual {m}.",
        "The user's past choices run high in {a} ({s} vs. a catalogue mean of {m}).",
    ],
    "taste less": [
        "Earlier orders show little interest in {a}: a mean of {s} compared to {m} overall in the catalogue.",
        "{A} is not something this shopper seeks, with past choices at just {s}.",
        "The user's past choices rank low in {a} ({s} vs. a catalogue mean of {m}).",
    ],
    "item_score more": [
        "{t} delivers plenty of {a} ({s}).",
        "Rated {s} for {a}, {t} exceeds the catalogue mean of {m}.",
        "{A} is a strong point at {s} of 10.",
    ],
    "item_score less": [
        "{t} is weak on {a}, rated {s} where the catalogue mean is {m}.",
        "{A} is not high here: {s} of 10.",
        "For {a} it has {s}, under the catalogue mean of {m}.",
    ],
    "contribution for": [
        "{A} contributes {v} to the total.",
        "A boost of {u} is owed to {a}.",
        "{t} earns {u} through {a}.",
        "The model credits {a} with {v}.",
        "{A} works in its favour, to the tune of {u}.",
        "Thanks to {a}, {t} is up by {u}.",
    ],
    "contribution against": [
        "{A} contributes {v} to the total.",
        "{A} works against {t}, by {u}.",
        "A penalty of {u} stems from {a}.",
        "{t} is held back by {a} ({v}).",
        "{A} drags the total down by {u}.",
    ],
    "order for": [
        "The {n} factor overall supporting {t} is {a}.",
        "Among its attributes, {a} provides the {n} lift.",
        "Nothing about it is said without {a}, its {n} attribute with {v}.",
    ],
    "order against": [
        "Among its attributes, {a} is the {n} drag on the score.",
        "{A} is its {n} negative attribute ({v}).",
    ],
    "compare": [
        "{A} is worth more here than {b}.",
        "{A} has a larger effect than {b} ({v} versus {w}).",
        "{B} weighs less than {a}.",
    ],
    "history for": [
        "Were {p} absent, {t} would score {u} less.",
        "Owning {p} contributes {v} to this recommendation.",
        "Removing {p} from the history would reduce the score by {u}.",
        "{p} supports this recommendation with {v}.",
    ],
    "history against": [
        "Removing {p} from the history would increase the score by {u}.",
        "{p} works against this recommendation ({v}).",
        "Were {p} absent, {t} would score {u} more.",
    ],
    "shared more": [
        "{t} shares a strong {a} with {p}.",
        "{p} was already high in {a} at {x}, and {t} follows with {s}.",
    ],
    "shared less": [
        "Neither {p} nor {t} has much {a}.",
        "{p} was already low in {a} at {x}, and {t} follows with {s}.",
    ],
    "rank up": [
        "Refinement moves {t} from position {O} to position {R}.",
        "Before refinement it was {o}, after it {r}.",
        "The refined model puts it {r}, the base model only had it {o}.",
        "It gains {d} places over the base model.",
    ],
    "rank down": [
        "Refinement moves {t} from position {O} down to position {R}.",
        "Before refinement it was {o}, after it {r}.",
        "It loses {d} places against the base model.",
    ],
    "rank same": ["The rank of {r} is unchanged from the base model.", "Refined or not, {t} is {r}."],
}

_PLACES = {1: ["largest", "biggest", "strongest", "main"], 2: ["second largest", "second strongest"]}
_PLACES[3] = ["third largest", "third biggest"]


def facts(rng: np.random.Generator) -> Facts:
    """Draw a case: real listings and scores, contributions as a linear model would give them."""
    item, *past = rng.choice(len(CATALOGUE), size=7, replace=False).tolist()
    taste = rng.normal(0, 1, len(SCHEMA))
    own = _TABLE[item]
    z = (own - _MEAN) / _SPREAD
    attributes = tuple(
        AttributeFact(
            name=one.name,
            label=one.label,
            contribution=float(0.3 * taste[at] * z[at]),
            item_score=float(own[at]),
            user_score=float(np.clip(_MEAN[at] + taste[at] * _SPREAD[at], 0, 10)),
            catalogue_score=float(_MEAN[at]),
        )
        for at, one in enumerate(SCHEMA.attributes)
    )
    ranks = rng.integers(1, 60, 2).tolist()
    if rng.random() < 0.15:
        ranks[1] = ranks[0]
    patterns, popularity = rng.normal(0.2, 0.6, 2).tolist()
    taken = tuple(
        PastItem(str(TITLES[each]), float(rng.normal(0.02, 0.12)), tuple(_TABLE[each].tolist())) for each in past
    )
    return Facts(str(TITLES[item]), *ranks, attributes, patterns, popularity, taken, 10.0)


@dataclass(frozen=True)
class Spoken:
    """A claim as it was said, with what it would take to say it of something else."""

    claim: Claim
    say: Callable[..., str]
    """Says it again with other facts, e.g. another attribute or number."""


def spoken(case: Facts, phrases: dict[str, list[str]], rng: np.random.Generator) -> list[Spoken]:
    """Make the true claims of one rationale, one of each type as far as the case has it."""
    n = len(case.attributes)
    made: list[Spoken] = []

    def add(kind: str, claim: Claim, forms: list[str] | None = None, **values: object) -> None:
        form = str(rng.choice(forms or phrases[kind]))

        def say(**other: object) -> str:
            text = form.format(**{**values, **other})
            return text[:1].upper() + text[1:] if not text.startswith(case.title) else text

        sentence = say()
        made.append(Spoken(replace(claim, sentence=sentence), say))

    def numbers(value: float) -> dict[str, str]:
        decimals = int(rng.choice([2, 2, 2, 1])) if abs(value) > 0.1 else 2
        sign = rng.choice(["-", "−"]) if value < 0 else "+"
        return {"v": f"{sign}{abs(value):.{decimals}f}", "u": f"{abs(value):.{decimals}f}"}

    counted = [a for a in range(n) if abs(case.attributes[a].contribution) >= 0.03]
    far = [a for a in range(n) if abs(case.attributes[a].item_score - case.attributes[a].catalogue_score) > 0.6]
    leaning = [a for a in range(n) if abs(case.attributes[a].user_score - case.attributes[a].catalogue_score) > 0.6]

    def names(a: int) -> dict[str, object]:
        label = case.attributes[a].label
        name = label[:1].lower() + label[1:]
        return {"a": name, "A": label, "m": f"{case.attributes[a].catalogue_score:.1f}", "t": case.title}

    if leaning:
        a = int(rng.choice(leaning))
        one = case.attributes[a]
        side = "more" if one.user_score > one.catalogue_score else "less"
        claim = Claim("taste", (f"s{n + a + 1}",), round(one.user_score, 1), direction=side)
        add(f"taste {side}", claim, s=f"{one.user_score:.1f}", **names(a))
    if far:
        a = int(rng.choice(far))
        one = case.attributes[a]
        side = "more" if one.item_score > one.catalogue_score else "less"
        claim = Claim("item_score", (f"s{a + 1}",), round(one.item_score, 1), direction=side)
        add(f"item_score {side}", claim, s=f"{one.item_score:g}", **names(a))
    for a in rng.choice(counted, size=min(2, len(counted)), replace=False).tolist():
        value = case.attributes[a].contribution
        side = "for" if value > 0 else "against"
        claim = Claim("contribution", (f"c{a + 1}",), round(value, 2), direction=side)
        add(f"contribution {side}", claim, **numbers(value), **names(a))
    if counted:
        a = max(counted, key=lambda each: abs(case.attributes[each].contribution))
        value = case.attributes[a].contribution
        side = "for" if value > 0 else "against"
        for among in ("attributes", "all"):
            best, worst = case.place_of(a, among == "attributes")
            forms = [form for form in phrases[f"order {side}"] if ("attribute" in form) == (among == "attributes")]
            if best == worst <= 3 and forms:
                claim = Claim("order", (f"c{a + 1}",), best, direction=side, among=among)
                place = str(rng.choice(_PLACES[best]))
                add(f"order {side}", claim, forms, n=place, **numbers(value), **names(a))
    if len(counted) > 1:
        a, b = sorted(
            rng.choice(counted, size=2, replace=False).tolist(), key=lambda x: -abs(case.attributes[x].contribution)
        )
        if abs(case.attributes[a].contribution) > abs(case.attributes[b].contribution) + 0.02:
            other = names(b)
            claim = Claim("compare", (f"c{a + 1}", f"c{b + 1}"))
            v, w = (f"{case.attributes[x].contribution:+.2f}" for x in (a, b))
            add("compare", claim, **names(a), b=other["a"], B=other["A"], v=v, w=w)
    h = int(rng.integers(0, len(case.past)))
    worth = case.past[h].worth
    if abs(worth) >= 0.02:
        side = "for" if worth > 0 else "against"
        claim = Claim("history", (f"h{h + 1}",), round(worth, 2), direction=side)
        values = {**numbers(worth), "p": case.past[h].title, "t": case.title}
        if abs(worth) < 0.1:
            values["u"] = f"{abs(worth):.2f}"
        add(f"history {side}", claim, **values)
    for h, past in enumerate(case.past):
        alike = [
            a
            for a in far
            if (past.scores[a] - case.attributes[a].catalogue_score)
            * (case.attributes[a].item_score - case.attributes[a].catalogue_score)
            > 0.5
        ]
        if alike:
            a = int(rng.choice(alike))
            one = case.attributes[a]
            side = "more" if one.item_score > one.catalogue_score else "less"
            claim = Claim("shared", (f"h{h + 1}", f"s{a + 1}"), direction=side)
            scores = {"s": f"{one.item_score:g}", "x": f"{past.scores[a]:g}", "p": past.title}
            add(f"shared {side}", claim, **names(a), **scores)
            break
    move = case.base_rank - case.rank
    side = "up" if move > 0 else "down" if move else "same"
    claim = Claim("rank", ("r1",), case.rank, case.base_rank, side)
    add(f"rank {side}", claim, t=case.title, **ranks(case.rank, case.base_rank))
    return made


def ranks(rank: int, base: int) -> dict[str, object]:
    """The values of a phrase about ranks."""
    return {"r": ordinal(rank), "o": ordinal(base), "R": rank, "O": base, "d": abs(base - rank)}


def ordinal(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def falsified(one: Spoken, case: Facts, rng: np.random.Generator) -> dict[str, Claim]:
    """Make false claims out of a true one, by what is wrong with them."""
    claim, n = one.claim, len(case.attributes)
    false: dict[str, Claim] = {}

    def other(places: list[int], than: int) -> int:
        return int(rng.choice([place for place in places if place != than]))

    def label(a: int) -> dict[str, object]:
        text = case.attributes[a].label
        return {"a": text[:1].lower() + text[1:], "A": text}

    first = case.find(claim.evidence[0])
    assert first is not None
    false["invented id"] = replace(
        claim, evidence=(f"{claim.evidence[0][0]}{rng.integers(90, 999)}", *claim.evidence[1:])
    )
    shifted = float(rng.choice([-1, 1]) * rng.uniform(0.3, 2.0))
    if claim.type in ("contribution", "history"):
        value = float(claim.value or 0)
        wrong = value + shifted if abs(value + shifted) > 0.01 else value + 1
        said = {"v": f"{wrong:+.2f}", "u": f"{abs(wrong):.2f}"}
        false["wrong number"] = replace(claim, value=round(wrong, 2), sentence=one.say(**said))
        if abs(abs(wrong) - abs(value)) > 0.06 and one.say(**said) != claim.sentence:
            false["number in the prose"] = replace(claim, sentence=one.say(**said))
        turned = "against" if claim.direction == "for" else "for"
        flipped = {"v": f"{-value:+.2f}"}
        false["wrong sign"] = replace(claim, value=-value, direction=turned, sentence=one.say(**flipped))
        false["wrong direction"] = replace(claim, direction=turned)
    if claim.type in ("taste", "item_score"):
        value = float(claim.value or 0)
        wrong = value + shifted + float(np.sign(shifted))
        said = {"s": f"{wrong:.1f}"}
        false["wrong number"] = replace(claim, value=round(wrong, 1), sentence=one.say(**said))
        if one.say(**said) != claim.sentence:
            false["number in the prose"] = replace(claim, sentence=one.say(**said))
        turned = "less" if claim.direction == "more" else "more"
        false["wrong direction"] = replace(claim, direction=turned)
        cause = claim.sentence.rstrip(".") + ", because earlier purchases led there."
        false["cause without evidence"] = replace(claim, sentence=cause)
    if claim.type in ("taste", "item_score", "contribution", "order"):
        place = first[1]
        b = other([a for a in range(n) if a != place], place)
        false["other attribute in the prose"] = replace(claim, sentence=one.say(**label(b)))
        letter = claim.evidence[0][0]
        offset = n if claim.type == "taste" else 0
        swapped = replace(claim, evidence=(f"{letter}{offset + b + 1}",))
        values = [case.attributes[x] for x in (place, b)]
        field = {"taste": "user_score", "item_score": "item_score"}.get(claim.type, "contribution")
        if abs(getattr(values[0], field) - getattr(values[1], field)) > 0.2:
            false["other attribute's evidence"] = swapped
    if claim.type == "order":
        wrong_place = 1 if claim.value != 1 else 2
        said = str(_PLACES[wrong_place][0])
        false["wrong order"] = replace(claim, value=wrong_place, sentence=one.say(n=said))
        false["order in the prose"] = replace(claim, sentence=one.say(n=said))
    if claim.type == "contribution":
        place = case.place_of(first[1], False)
        if place[0] > 1:
            tail = claim.sentence.rstrip(".") + ", the largest reason of all."
            false["largest reason in the prose"] = replace(claim, sentence=tail)
    if claim.type == "compare":
        a, b = (case.find(evidence)[1] for evidence in claim.evidence)  # type: ignore[index]
        false["wrong order"] = replace(claim, evidence=claim.evidence[::-1])
        backwards = one.say(a=label(b)["a"], A=label(b)["A"], b=label(a)["a"], B=label(a)["A"])
        false["order in the prose"] = replace(claim, sentence=backwards)
    if claim.type in ("history", "shared"):
        h = other(list(range(len(case.past))), first[1])
        false["other title in the prose"] = replace(claim, sentence=one.say(p=case.past[h].title))
        false["invented title"] = replace(claim, sentence=one.say(p="Nordwind Summit Parka"))
        if claim.type == "history" and abs(case.past[h].worth - case.past[first[1]].worth) > 0.02:
            false["other item's evidence"] = replace(claim, evidence=(f"h{h + 1}",))
    if claim.type == "shared":
        turned = "less" if claim.direction == "more" else "more"
        false["wrong direction"] = replace(claim, direction=turned)
        cause = claim.sentence.rstrip(".") + ", which is why it is recommended."
        false["cause without evidence"] = replace(claim, sentence=cause)
    if claim.type == "rank":
        wrong_rank, wrong_base = case.rank + int(rng.integers(1, 9)), case.base_rank + int(rng.integers(10, 30))
        said_ranks = ranks(wrong_rank, wrong_base)
        false["wrong ranks"] = replace(claim, value=wrong_rank, other=wrong_base, sentence=one.say(**said_ranks))
        false["ranks in the prose"] = replace(claim, sentence=one.say(**said_ranks))
        if case.rank != case.base_rank:
            backwards = ranks(case.base_rank, case.rank)
            false["ranks swapped"] = replace(
                claim, value=case.base_rank, other=case.rank, sentence=one.say(**backwards)
            )
            if one.say(**backwards) != claim.sentence:
                false["ranks swapped in the prose"] = replace(claim, sentence=one.say(**backwards))
            turned = "down" if claim.direction == "up" else "up"
            false["wrong direction"] = replace(claim, direction=turned)
        cause = claim.sentence.rstrip(".") + f", because of {case.past[0].title}."
        false["cause without evidence"] = replace(claim, sentence=cause)
    return false


def contradicting(one: Spoken, case: Facts, phrases: dict[str, list[str]], rng: np.random.Generator) -> Claim | None:
    """Say the opposite in the prose alone: a phrase of the other direction with the same numbers and names."""
    claim = one.claim
    opposite = {"for": "against", "against": "for", "more": "less", "less": "more", "up": "down", "down": "up"}
    if claim.direction not in opposite or claim.type == "order":
        return None
    first = case.find(claim.evidence[-1])
    assert first is not None
    values: dict[str, object] = {"t": case.title, **ranks(case.rank, case.base_rank)}
    if claim.type in ("taste", "item_score", "contribution", "shared"):
        fact = case.attributes[first[1]]
        label = fact.label
        values |= {"a": label[:1].lower() + label[1:], "A": label, "m": f"{fact.catalogue_score:.1f}"}
        score = fact.user_score if claim.type == "taste" else fact.item_score
        values["s"] = f"{score:.1f}"
    if claim.type in ("history", "shared"):
        past = case.past[case.find(claim.evidence[0])[1]]  # type: ignore[index]
        values["p"] = past.title
        if claim.type == "shared":
            values["x"] = f"{past.scores[first[1]]:g}"
    if claim.value is not None:
        values |= {"v": f"{-claim.value:+.2f}", "u": f"{abs(claim.value):.2f}"}
    forms = [
        form
        for form in phrases[f"{claim.type} {opposite[claim.direction]}"]
        if form not in phrases[f"{claim.type} {claim.direction}"]
    ]
    if not forms:
        return None
    text = str(rng.choice(forms)).format(**values)
    return replace(claim, sentence=text[:1].upper() + text[1:])
