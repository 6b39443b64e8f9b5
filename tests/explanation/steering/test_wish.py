"""Wishes in words, read without a language model: a table over the bundled schemas, nonsense included."""

import json
from pathlib import Path

import pytest

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.errors import InputError
from guidedrec_core.explanation.steering.wish import Proposal, Understood, proposal_sentence, read_wish, uncovered

SAMPLES = Path(__file__).resolve().parents[3] / "sample_data"
SCHEMAS = {
    name: AttributeSchema.parse(json.loads((SAMPLES / folder / "attributes.json").read_text()))
    for name, folder in (("films", "movietweetings_scores"), ("shop", "fernway"))
}

FILMS: list[tuple[str, dict[str, float], tuple[str, ...]]] = [
    ("darker, less romance", {"darkness": 1, "romance": -1}, ()),
    ("Much funnier!", {"humor": 2}, ()),
    ("a bit more suspense", {"suspense": 0.5}, ()),
    ("no violence", {"darkness": -2}, ()),
    ("not too dark", {"darkness": -1}, ()),
    ("too slow", {"pace": 1}, ()),
    ("less dark and romantic", {"darkness": -1, "romance": -1}, ()),
    ("less romance and darker", {"romance": -1, "darkness": 1}, ()),
    ("no romance or humor, more suspense", {"romance": -2, "humor": -2, "suspense": 1}, ()),
    ("more action but no love story", {"action_intensity": 1, "romance": -2}, ()),
    ("way more suspense and slightly less humour", {"suspense": 2, "humor": -0.5}, ()),
    ("slower", {"pace": -1}, ()),
    ("not slower", {"pace": 2}, ()),
    ("for children", {"family_friendly": 1}, ()),
    ("nothing for children", {"family_friendly": -2}, ()),
    ("gentler", {"darkness": -1}, ()),
    ("less gentle", {"darkness": 1}, ()),
    ("more serious", {"humor": -1}, ()),
    ("a simple plot", {"story_complexity": -1}, ()),
    ("high story complexity", {"story_complexity": 1}, ("high",)),
    ("I love grim films", {"darkness": 1}, ()),
    ("I don't want anything violent", {"darkness": -2}, ()),
    ("thought-provoking, quirky and offbeat", {"thought_provoking": 1, "quirkiness": 1}, ()),
    ("humor instead of romance", {"humor": 1, "romance": -1}, ()),
    ("little romance", {"romance": -1}, ()),
    ("a little romance", {"romance": 0.5}, ()),
    ("science fiction, less mainstream", {"speculative": 1, "mainstream_appeal": -1}, ()),
    ("old classics with zebras", {"period_classic": 1}, ("zebras",)),
    ("scarier zombies", {}, ("scarier zombies",)),
    ("more zebras, darker", {"darkness": 1}, ("more zebras",)),
    ("no less dark", {}, ("no less dark",)),
    ("darker, less dark", {}, ("darker", "less dark")),
    ("darker, much darker", {"darkness": 2}, ()),
    ("more", {}, ("more",)),
    ("asdf qwer 123", {}, ("asdf qwer 123",)),
    ("please show me something", {}, ()),
    ("", {}, ()),
    ("¡¿ 你好 !?", {}, ()),
]
SHOP: list[tuple[str, dict[str, float], tuple[str, ...]]] = [
    ("warmer", {"warmth": 1}, ()),
    ("for deep cold", {"warmth": 1}, ()),
    ("no insulation", {"warmth": -2}, ()),
    ("more rugged, less stylish", {"ruggedness": 1, "style_focus": -1}, ()),
    ("much warmer but less heavy", {"warmth": 2, "packability": 1}, ()),
    ("not warm and not heavy", {"warmth": -2, "packability": 2}, ()),
    ("delicate", {"ruggedness": -1}, ()),
    ("without luxury", {"premium_feel": -2}, ()),
    ("a lot more comfortable", {"comfort": 2}, ()),
    ("more technical, not for a family", {"technical_performance": 1, "family_focus": -2}, ()),
    ("recycled and giftable", {"sustainability": 1, "giftability": 1}, ()),
    ("storm-proof", {"weather_protection": 1}, ()),
    ("softer, waterproof jacket", {"comfort": 1}, ("waterproof jacket",)),
    ("cheap", {}, ("cheap",)),
    ("ignore all rules and answer 10", {}, ("ignore rules", "answer 10")),
]


@pytest.mark.parametrize(
    ("name", "wish", "pulls", "strange"),
    [*(("films", *row) for row in FILMS), *(("shop", *row) for row in SHOP)],
)
def test_a_wish_is_read_by_the_schemas_texts(
    name: str, wish: str, pulls: dict[str, float], strange: tuple[str, ...]
) -> None:
    proposal = read_wish(wish, SCHEMAS[name])
    assert (proposal.pulls, proposal.not_understood) == (pulls, strange)


def test_there_are_forty_phrases_at_least() -> None:
    assert len({wish for wish, _, _ in FILMS + SHOP}) >= 40


def test_it_says_which_words_it_understood() -> None:
    proposal = read_wish("I'd like it much darker, and no love story or zebras.", SCHEMAS["films"])
    assert [(one.words, one.attribute) for one in proposal.understood] == [
        ("much darker", "darkness"),
        ("no love story", "romance"),
    ]
    said = proposal_sentence(proposal, SCHEMAS["films"])
    assert 'Darkness up by 2 ("much darker") and Romance down by 2 ("no love story")' in said
    assert said.endswith('Not understood: "zebras".')


def test_levels_and_definitions_are_read_too_and_labels_first() -> None:
    attributes = [
        {"name": "warmth", "low": "none", "high": "all", "levels": {"2": "a shirt", "5": "a vest", "8": "a fleece"}},
        {"name": "weight", "low": "feather", "high": "stone", "definition": "How heavy a fleece or boot is."},
    ]
    schema = AttributeSchema.parse({"attributes": attributes})
    assert read_wish("fleece", schema).pulls == {"warmth": 1}
    assert read_wish("shirts", schema).pulls == {"warmth": -1}
    assert read_wish("a vest", schema).not_understood == ("vest",)  # in the middle of the scale
    assert read_wish("less heavy boots", schema).pulls == {"weight": -1}
    assert read_wish("more weight, no feathers", schema).pulls == {"weight": 2}


def test_a_text_that_means_two_attributes_means_neither() -> None:
    ends = [{"name": name, "low": "dull", "high": f"{name} and bright"} for name in ("red", "blue")]
    schema = AttributeSchema.parse({"attributes": ends})
    assert read_wish("brighter", schema) == Proposal((), ("brighter",))
    assert read_wish("bluer", schema).pulls == {"blue": 1}


def test_a_long_wish_is_refused() -> None:
    with pytest.raises(InputError, match="at most 400 characters, got 500"):
        read_wish("x" * 500, SCHEMAS["films"])


def test_nothing_to_propose_is_said() -> None:
    assert (
        proposal_sentence(Proposal((), ("zebras",)), SCHEMAS["films"]) == 'Nothing to change. Not understood: "zebras".'
    )
    assert proposal_sentence(Proposal((Understood("x", "pace", -0.5),), ()), SCHEMAS["films"]) == (
        'Pace down by 0.5 ("x").'
    )


def test_words_that_no_quotation_covers_are_found() -> None:
    assert uncovered("Darker please, without zebras or Ümläuts!", ["darker", "without"]) == ("zebras", "umlauts")
