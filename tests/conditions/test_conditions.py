"""Conditions as typed text and as JSON: both come back as they were, and what is not understood is said."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.conditions.condition import (
    AllOf,
    AnyOf,
    Definition,
    Had,
    ItemEnd,
    ItemIds,
    ItemInteractions,
    ItemNumber,
    ItemScore,
    ItemTitle,
    ItemValue,
    LastTime,
    Not,
    Past,
    Refined,
    Segment,
    Shown,
    Taste,
    UserIds,
    Usual,
    about,
)
from guidedrec_core.conditions.phrases import condition_text
from guidedrec_core.conditions.reading import grammar, read_condition, suggestions
from guidedrec_core.conditions.terms import Terms
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.errors import ConfigError, InputError

SCHEMA = AttributeSchema(
    domain="things",
    attributes=tuple(Attribute(name=name, low="none", high="all") for name in ("warmth", "style_focus")),
)


@pytest.fixture(scope="module")
def terms() -> Terms:
    ids = [f"T{n}" for n in range(6)]
    items = pd.DataFrame(
        {
            "item_id": ids,
            "title": [f"Thing {n}" for n in range(6)],
            "category": ["jackets", "base_layers", "Food and drink", "jackets|hats", "", 'odd, "one"'],
            "brand": ["Alpha", "Beta", "jackets", "Alpha", "Or", "Alpha"],
            "price": [10.0, 20.0, np.nan, 40.0, 50.0, 60.0],
        }
    )
    rows = [("u1", i, f"2026-01-0{n + 1}") for n, i in enumerate(ids)] + [("u 2", "T0", "2026-02-01")]
    data = Dataset.from_frames(
        pd.DataFrame(rows, columns=["user_id", "item_id", "datetime"]), items, name="shop", verb="bought"
    )
    return Terms.of(data, SCHEMA, data.verb())


ITEMS = {
    "jackets": ItemValue(column="category", values=("jackets",)),
    "Jacket": ItemValue(column="category", values=("jackets",)),
    "category: jackets, hats": ItemValue(column="category", values=("jackets", "hats")),
    "food and drink": ItemValue(column="category", values=("Food and drink",)),
    "base layers": ItemValue(column="category", values=("base_layers",)),
    "brand is alpha": ItemValue(column="brand", values=("Alpha",)),
    "brand: jackets": ItemValue(column="brand", values=("jackets",)),
    "beta": ItemValue(column="brand", values=("Beta",)),
    "price 10..20": ItemNumber(column="price", low=10, high=20),
    "price between 10 and 20": ItemNumber(column="price", low=10, high=20),
    "price over $100": ItemNumber(column="price", low=100, above=True),
    "price: at least 100": ItemNumber(column="price", low=100),
    "Price < 5.5": ItemNumber(column="price", high=5.5, below=True),
    "warmth 7..10": ItemScore(attribute="warmth", low=7, high=10),
    "style focus at most 3": ItemScore(attribute="style_focus", high=3),
    "high warmth": ItemEnd(attribute="warmth", end="high"),
    "low on style focus": ItemEnd(attribute="style_focus", end="low"),
    "title: thing 2": ItemTitle(words="thing 2"),
    '"some words"': ItemTitle(words="some words"),
    "item T1, T2": ItemIds(ids=("T1", "T2")),
    "T3": ItemIds(ids=("T3",)),
    "at most 3 purchases": ItemInteractions(high=3),
    "no purchases": ItemInteractions(low=0, high=0),
    "jackets and price over 20 or not hats": AnyOf(
        of=(
            AllOf(
                of=(ItemValue(column="category", values=("jackets",)), ItemNumber(column="price", low=20, above=True))
            ),
            Not(of=ItemValue(column="category", values=("hats",))),
        )
    ),
}
JACKETS = ITEMS["jackets"]
USERS = {
    "bought jackets": Had(items=JACKETS),
    "never bought jackets": Not(of=Had(items=JACKETS)),
    "has never bought food and drink": Not(of=Had(items=ITEMS["food and drink"])),
    "bought at least 3 jackets": Had(items=JACKETS, least=3),
    "bought at most 2 jackets": Not(of=Had(items=JACKETS, least=3)),
    "bought 2..3 jackets": AllOf(of=(Had(items=JACKETS, least=2), Not(of=Had(items=JACKETS, least=4)))),
    "mostly bought jackets": Had(items=JACKETS, share=0.5),
    "bought (jackets or hats) and seeks warmth": AllOf(
        of=(
            Had(items=AnyOf(of=(JACKETS, ItemValue(column="category", values=("hats",))))),
            Taste(attribute="warmth", end="high"),
        )
    ),
    "avoids style focus": Taste(attribute="style_focus", end="low"),
    "lost by refinement": Refined(outcome="lost"),
    "found by neither": Refined(outcome="neither"),
    "at least 10 purchases": Past(low=10),
    "purchases 5..20": Past(low=5, high=20),
    "last purchase in 2024-02": LastTime(first="2024-02-01", until="2024-02-29"),
    "last purchase after 2024": LastTime(first="2025-01-01"),
    "last purchase before 2024-03-01": LastTime(until="2024-02-29"),
    "last purchase within 90 days": LastTime(days=90),
    "usual price under 30": Usual(column="price", high=30, below=True),
    "shown jackets": Shown(items=JACKETS),
    "shown (jackets and price over 20) by the base model": Shown(
        items=AllOf(of=(JACKETS, ItemNumber(column="price", low=20, above=True))), model="base"
    ),
    "segment 2": Segment(number=2),
    "customer u1": UserIds(ids=("u1",)),
    'user "u 2"': UserIds(ids=("u 2",)),
    "not (seeks warmth or avoids warmth) but bought hats": AllOf(
        of=(
            Not(of=AnyOf(of=(Taste(attribute="warmth", end="high"), Taste(attribute="warmth", end="low")))),
            Had(items=ItemValue(column="category", values=("hats",))),
        )
    ),
}
BOTH = [("items", text, wanted) for text, wanted in ITEMS.items()] + [("users", t, w) for t, w in USERS.items()]


@pytest.mark.parametrize(("subject", "text", "wanted"), BOTH, ids=[text for _, text, _ in BOTH])
def test_text_is_read_written_and_stored(subject, text, wanted, terms) -> None:
    found = read_condition(text, subject, terms)
    assert found == wanted
    assert about(found) == subject
    assert read_condition(condition_text(found, terms), subject, terms) == found
    stored = Definition.of(found, text)
    assert Definition.from_json(stored.to_json()) == stored


WRONG = {
    ("users", "seaks warmth"): "did you mean “seeks warmth”",
    ("users", "seeks warmht"): "no attribute is called “warmht”; did you mean “seeks warmth”?",
    ("users", "bought jackts"): "did you mean “jackets”",
    ("users", "bought jackets or hats"): "write “bought hats”, or put several things in brackets",
    ("users", "bought"): "expected items after “bought”",
    ("users", "(seeks warmth"): "expected a closing bracket",
    ("users", "seeks warmth)"): "check the brackets",
    ("users", "bought 0 jackets"): "write “never”",
    ("users", "last purchase yesterday"): "expected when the last purchase was",
    ("users", "last purchase in 2024-13"): "expected a day, month or year",
    ("users", "usual colour 3"): "expected a column of numbers after “usual”",
    ("users", "user nobody"): "unknown user id",
    ("users", "lost by refinment"): "did you mean “lost by refinement”",
    ("items", ""): "expected a condition, got nothing; try “food and drink”",
    ("items", "and"): "expected a condition before “and”",
    ("items", '"abc'): "expected a closing quotation mark",
    ("items", "colour: red"): "there are category, brand, price, title",
    ("items", "category: jackts"): "no item has “jackts” as category; did you mean “jackets”",
    ("items", "price 200..100"): "from a smaller to a larger value",
    ("items", "warmth"): "“low warmth” or “high warmth”",
    ("items", "item T99"): "unknown item id",
    ("items", "(" * 50): "brackets inside each other",
    ("items", "jackets or " * 500): "at most",
}


@pytest.mark.parametrize(("subject", "text"), WRONG, ids=[text[:30] for _, text in WRONG])
def test_what_is_not_understood_is_said(subject, text, terms) -> None:
    with pytest.raises(InputError) as caught:
        read_condition(text, subject, terms)
    assert WRONG[subject, text] in str(caught.value)
    assert len(str(caught.value)) < 400


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "bought",
                "never",
                "jackets",
                "and",
                "or",
                "not",
                "(",
                ")",
                "seeks",
                "warmth",
                "price",
                "over",
                "3",
                "..",
                '"',
                ":",
                "last",
                "purchase",
                "in",
                "2024",
                "shown",
                "by",
                "base",
                ",",
                "high",
                "segment",
                "item",
                "T1",
                "is",
                "title:",
            ]
        ),
        max_size=9,
    ).map(" ".join)
)
def test_any_text_is_read_or_refused(text, terms) -> None:
    for subject in ("items", "users"):
        try:
            found = read_condition(text, subject, terms)
        except InputError:
            continue
        assert read_condition(condition_text(found, terms), subject, terms) == found


def test_suggestions_and_examples_are_understood(terms) -> None:
    for subject in ("items", "users"):
        found = [*suggestions(subject, terms), *grammar(terms)[subject]]
        assert len(found) > 5
        for text in found:
            read_condition(text, subject, terms)


PAST = '{"version": 1, "about": "users", "condition": %s}'
ITEM = '{"version": 1, "about": "items", "condition": %s}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "expected a condition as JSON"),
        ("[1]", "expected a condition as a JSON object, got list"),
        ('{"version": 2}', "expected a condition of version 1, got 2"),
        (PAST % '{"kind": "wish"}', "wish"),
        (PAST % '{"kind": "items", "ids": ["a"]}', "expected a condition on users"),
        (ITEM % '{"kind": "number", "column": "price"}', "got neither"),
        (PAST % '{"kind": "had", "items": {"kind": "past", "low": 1}}', "on items"),
        (PAST % '{"kind": "past", "low": 1, "by": 3}', "Extra inputs"),
        ("[" * 100_000, "expected a condition as JSON"),
        (
            '{"version": 1, "about": "users", "condition": '
            + '{"kind": "not", "of": ' * 60 + '{"kind": "past", "low": 1}' + "}" * 61,
            "at most 200 parts on 20 levels",
        ),
    ],
)  # fmt: skip
def test_json_that_is_no_condition_is_refused_in_one_line(text, said) -> None:
    with pytest.raises(ConfigError) as caught:
        Definition.from_json(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
