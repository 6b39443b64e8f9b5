"""Every stated reason is true: it has the sign of its contribution, and its source is the one that leads."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from small_models import N_ITEMS, N_USERS, NAMED_FORMS, named

from guidedrec_core.attributes.schema import Attribute
from guidedrec_core.data.verbs import BOUGHT, InteractionVerb
from guidedrec_core.explanation.named_ledger import NamedLedger, named_ledger
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.explanation.words import contribution_phrase
from guidedrec_core.recommenders.explanation import explain_item
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

# What a phrase says -> its source, the contribution's sign, and the sides of user and item (None: not said).
REASONS = {
    "both high on {name}": ("own_taste", 1, 1, 1),
    "both low on {name}": ("own_taste", 1, -1, -1),
    "seeks {name}, this has little": ("own_taste", -1, 1, -1),
    "avoids {name}, this has a lot": ("own_taste", -1, -1, 1),
    "both high on {name}, yet that counts against it": ("own_taste", -1, 1, 1),
    "both low on {name}, yet that counts against it": ("own_taste", -1, -1, -1),
    "not this {user}'s usual {name}, yet that helps": ("own_taste", 1, None, None),
}
for side, words in ((1, "high"), (-1, "low")):
    for source, helps, hurts in (
        ("other_tastes", "goes with this {user}'s other tastes", "goes against this {user}'s other tastes"),
        ("everyone", "popular with {users} in general", "unpopular with {users} in general"),
        ("interactions", "fits this {user}'s {patterns}", "does not fit this {user}'s {patterns}"),
    ):
        REASONS[f"{words} {{name}}: {helps}"] = (source, 1, None, side)
        REASONS[f"{words} {{name}}: {hurts}"] = (source, -1, None, side)


def fault(phrase: str, name: str, user: float, item: float, ledger: NamedLedger, at: tuple[int, int]) -> str:
    """Say what is untrue in a phrase about one contribution; empty if nothing is."""
    contribution = ledger.contributions[at]
    sources = {
        key: getattr(ledger.sources, key)[at] for key in ("own_taste", "other_tastes", "everyone", "interactions")
    }
    said, amount = re.fullmatch(r"(.*) \(([+-]\d+\.\d\d)\)", phrase).groups()
    if abs(float(amount) - contribution) > 0.00502:
        return "wrong amount"
    if said == f"{name} has little effect":
        return "" if abs(contribution) < 0.0501 else "not little"
    verb = {"name": name, "user": BOUGHT.user, "users": BOUGHT.users, "patterns": BOUGHT.patterns}
    if abs(contribution) < 0.0499:
        return "states a reason for little"
    source, sign, user_side, item_side = next(
        meaning for form, meaning in REASONS.items() if form.format(**verb) == said
    )
    if sign * contribution <= 0 or sign * sources[source] <= 0:
        return "wrong sign"
    if sign * sources[source] < max(sign * value for value in sources.values()) - 1e-9:
        return "another source is larger"
    if abs(sum(sources.values()) - contribution) > 1e-5:
        return "wrong sum"
    sides = ((user_side, user), (item_side, item))
    return "" if all(side is None or side == (1 if value >= 0 else -1) for side, value in sides) else "wrong side"


def faults(
    ledger: NamedLedger, attributes: tuple[Attribute, ...], verb: InteractionVerb = BOUGHT
) -> Iterator[tuple[str, str]]:
    """Yield each phrase about all items of a ledger, and what is untrue in it."""
    for row in range(len(ledger.score)):
        for a, attribute in enumerate(attributes):
            user, item = ledger.user_values[a], ledger.item_values[row, a]
            phrase = contribution_phrase(attribute, user, item, ledger.sources.one(row, a), verb)
            name = attribute.label[:1].lower() + attribute.label[1:]
            yield phrase, fault(phrase, name, user, item, ledger, (row, a))


def test_every_reason_over_small_models_of_every_form_is_true() -> None:
    rng, found, said = np.random.default_rng(0), Counter(), Counter()
    for form, sign in itertools.product(NAMED_FORMS, (1, -1)):
        names = named(form, "sasrec")
        # Own weights of either sign, so that all reasons occur.
        learned = names.model.learned
        names.model.learned = replace(learned, profile=3 * sign * np.abs(learned.profile))
        for user in range(N_USERS):
            given = UserHistory(user, rng.integers(0, N_ITEMS, rng.integers(0, 12)))
            ledger = named_ledger(names, given, np.arange(N_ITEMS))
            for phrase, wrong in faults(ledger, names.columns.schema.attributes):
                found[wrong] += 1
                said[re.sub(r"attribute \d| \(.*", "", phrase)] += 1
    assert list(found) == [""], found
    assert found[""] > 10_000
    assert len(said) >= 18, said  # nearly everything that can be said was


def test_every_reason_of_a_stored_build_is_true(tiny_build: Build) -> None:
    system = open_refined(RunStore(tiny_build.refined.path.parents[1]), tiny_build.refined.id)
    found: Counter[str] = Counter()
    for user in range(len(system.data.dataset.users)):
        ledger = named_ledger(system.named, UserHistory.shown(system.data, user), np.arange(system.refined.n_items))
        found.update(wrong for _, wrong in faults(ledger, system.schema.attributes))
    assert list(found) == [""], found
    assert found[""] > 5_000


def test_an_explanation_shows_the_parts_apart_and_says_the_leading_one(tiny_build: Build) -> None:
    system = open_refined(RunStore(tiny_build.refined.path.parents[1]), tiny_build.refined.id)
    question = UserHistory.shown(system.data, 5).ask(7)
    explanation = explain_item(system, question)
    ledger = named_ledger(system.named, question, question.items)
    parts = explanation.parts
    total = parts[["own_taste", "other_tastes", "everyone", "interactions"]].sum(axis=1)
    np.testing.assert_allclose(total, parts["contribution"], atol=1e-5)
    expected = [
        contribution_phrase(attribute, user, item, ledger.sources.one(0, a), system.verb)
        for a, (attribute, user, item) in enumerate(
            zip(system.schema.attributes, parts["user_value"], parts["item_value"], strict=True)
        )
    ]
    assert parts["phrase"].tolist() == expected
    texts = explanation.lines.set_index("name")["text"]
    assert texts[parts["attribute"]].tolist() == expected


@pytest.mark.parametrize("contribution", [0.3, -0.3])
def test_the_reader_of_these_tests_finds_a_wrong_reason(contribution: float) -> None:
    names = named("head", "sasrec")
    ledger = named_ledger(names, UserHistory(0, np.array([1, 2])), np.arange(N_ITEMS))
    at = np.unravel_index(np.argmax(contribution * ledger.contributions[:, :3]), (N_ITEMS, 3))
    value = ledger.contributions[at]
    sides = ledger.user_values[at[1]], ledger.item_values[at]
    assert value * contribution > 0
    opposite = "goes against" if contribution > 0 else "goes with"
    side = "high" if sides[1] >= 0 else "low"
    phrase = f"{side} x: {opposite} this customer's other tastes ({value:+.2f})"
    assert fault(phrase, "x", *sides, ledger, at) == "wrong sign"
    assert fault(f"x has little effect ({value:+.2f})", "x", *sides, ledger, at) == "not little"
