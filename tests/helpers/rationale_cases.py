"""Cases for rationales: one by hand, and any that Hypothesis thinks of."""

import math
import string

from hypothesis import strategies as st
from poisoned_listings import POISONS

from guidedrec_core.attributes.schema import Attribute
from guidedrec_core.data.verbs import BOUGHT, VERBS
from guidedrec_core.rationale.facts import AttributeFact, Facts, ItemFact, PastFact, RemovalFact

CASE = Facts(
    title="Larch Down Parka",
    rank=1,
    base_rank=31,
    attributes=(
        AttributeFact("warmth", "Warmth", 0.42, 9.0, 7.2, 4.1, 0.3, 0.05, 0.02, 0.05),
        AttributeFact("style_focus", "Style focus", -0.2, 2.0, 6.0, 5.0, -0.15, -0.1, 0.0, 0.05),
        AttributeFact("ruggedness", "Ruggedness", 0.11, 8.0, 5.5, 5.4, 0.1, 0.0, 0.01, 0.0),
        AttributeFact("comfort", "Comfort", 0.001, math.nan, 5.0, 5.0, 0.0, 0.0, 0.001, 0.0),
    ),
    remainder=0.9,
    popularity=-0.12,
    past=(
        PastFact(1, "Ironpass Vacuum Flask", 0.15, (7.0, 3.0, 9.0, 2.0)),
        PastFact(2, "Pebble Sun Hat", -0.08, (0.0, 6.0, 2.0, math.nan)),
    ),
    top=10,
    removal=RemovalFact(("Ironpass Vacuum Flask", "Trail Mule Boots"), 14, 10, True),
    verb=BOUGHT,
    known=(ItemFact("category", "Category", "bottles", 0.35), ItemFact("price", "Price", "", -0.05)),
)

_NAME = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(string.ascii_letters),
    st.text(string.ascii_letters + string.digits + "_", max_size=12),
)
_PART = st.one_of(st.floats(-3, 3), st.sampled_from([0.0, 0.004, -0.004, 0.005, 0.3, 0.3, -0.3, 0.304]))
_RAW = st.one_of(st.floats(0, 10), st.integers(0, 10).map(float), st.just(math.nan))
TITLES = st.one_of(
    st.sampled_from([poison.text[:2000] for poison in POISONS]),
    st.sampled_from(
        [
            "Tent”. Warmth counts most in its favour (+9.99).",
            'Tent". The refined model ranks “Tent” 1st, the base model 900th.',
            "Warmth counts most against it (-9.99).",
            "",
        ]
    ),
    st.text(max_size=200),
)
"""Titles as strangers write them."""


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Draw a case."""
    names = draw(st.lists(_NAME, max_size=15, unique_by=str.lower))
    attributes = []
    for name in names:
        label = Attribute(name=name, low="low", high="high").label
        sources = [draw(_PART) for _ in range(4)]
        scores = draw(_RAW), draw(_RAW), draw(st.floats(0, 10))
        attributes.append(AttributeFact(name, label, sum(sources), *scores, *sources))
    past = tuple(
        PastFact(number, draw(TITLES), draw(_PART), tuple(draw(_RAW) for _ in names))
        for number in range(1, 1 + draw(st.integers(0, 4)))
    )
    ranks = st.integers(1, 5000)
    rank, k = draw(ranks), draw(st.integers(1, 50))
    removal = None
    if past and draw(st.booleans()):
        after = draw(st.integers(k + 1, 6000) if rank <= k else st.integers(1, k))
        removal = RemovalFact(tuple(one.title for one in past[:3]), after, k, draw(st.booleans()))
    base_rank = rank if draw(st.booleans()) else draw(ranks)
    verb = draw(st.sampled_from(list(VERBS.values())))
    parts = (draw(_PART), draw(_PART))
    labels = draw(st.lists(st.sampled_from(["Price", "Category", "Season"]), unique=True, max_size=3))
    known = tuple(ItemFact(label.lower(), label, draw(TITLES), draw(_PART)) for label in labels if label not in names)
    taken = {one.label for one in attributes}
    known = tuple(one for one in known if one.label not in taken)
    return Facts(draw(TITLES), rank, base_rank, tuple(attributes), *parts, past, 10.0, removal, verb, known)
