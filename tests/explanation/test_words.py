import numpy as np
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.data.verbs import BOUGHT, WATCHED
from guidedrec_core.explanation import words
from guidedrec_core.refinement.sources import SOURCES

SCHEMA = AttributeSchema(
    attributes=(
        Attribute(name="darkness", low="gentle", high="grim"),
        Attribute(name="humor", low="serious", high="funny"),
        Attribute(name="romance", low="no love story", high="a love story"),
    )
)


@pytest.mark.parametrize(
    ("user", "item", "sources", "said"),
    [
        (1.0, 2.0, (0.40, 0.02, 0.0, 0.0), "both high on darkness (+0.42)"),
        (-1.0, -2.0, (0.11, 0.0, 0.0, 0.0), "both low on darkness (+0.11)"),
        (1.0, -2.0, (-0.15, 0.0, -0.05, 0.0), "seeks darkness, this has little (-0.20)"),
        (-1.0, 2.0, (-0.20, 0.0, 0.0, 0.0), "avoids darkness, this has a lot (-0.20)"),
        (0.1, 2.0, (0.5, -0.46, 0.0, 0.0), "darkness has little effect (+0.04)"),
        (1.0, 2.0, (0.10, 0.21, 0.0, 0.0), "high darkness: goes with this customer's other tastes (+0.31)"),
        (1.0, 2.0, (0.10, -0.41, 0.0, 0.0), "high darkness: goes against this customer's other tastes (-0.31)"),
        (1.0, -2.0, (-0.10, 0.1, 0.31, 0.0), "low darkness: popular with customers in general (+0.31)"),
        (-1.0, 2.0, (0.10, 0.1, -0.4, 0.0), "high darkness: unpopular with customers in general (-0.20)"),
        (1.0, 2.0, (0.1, 0.0, 0.0, 0.2), "high darkness: fits this customer's purchase patterns (+0.30)"),
        (1.0, -2.0, (-0.1, 0.0, 0.0, -0.2), "low darkness: does not fit this customer's purchase patterns (-0.30)"),
        (-1.0, 2.0, (0.10, 0.0, 0.0, 0.0), "not this customer's usual darkness, yet that helps (+0.10)"),
        (1.0, 2.0, (-0.10, 0.0, 0.0, 0.0), "both high on darkness, yet that counts against it (-0.10)"),
    ],
)
def test_contribution_phrases_say_what_the_contribution_comes_from(
    user: float, item: float, sources: tuple[float, ...], said: str
) -> None:
    by_name = dict(zip(SOURCES, sources, strict=True))
    assert words.contribution_phrase(SCHEMA.attributes[0], user, item, by_name, BOUGHT) == said


def test_reasons_use_the_words_of_the_data_set() -> None:
    sources = {"own_taste": 0.0, "other_tastes": 0.0, "everyone": 0.0, "interactions": 0.3}
    said = words.contribution_phrase(SCHEMA.attributes[0], 1.0, 1.0, sources, WATCHED)
    assert said == "high darkness: fits this viewer's viewing patterns (+0.30)"
    assert [words.source_label(name, WATCHED) for name in SOURCES] == [
        "Own taste",
        "Other tastes",
        "Everyone",
        "Viewing patterns",
    ]


def test_profile_sentence_names_what_counts() -> None:
    sentence = words.profile_sentence(np.array([0.9, -0.7, 0.1]), np.array([1.0, 1.0, 1.0]), SCHEMA, BOUGHT)
    assert sentence == "seeks darkness; rarely buys items high in humor"
    both = words.profile_sentence(np.array([-0.9, -0.7, 0.1]), np.ones(3), SCHEMA, WATCHED)
    assert both == "rarely watches items high in darkness or humor"
    nothing = words.profile_sentence(np.zeros(3), np.ones(3), SCHEMA, BOUGHT)
    assert nothing == "has no clear taste in these attributes yet"


@pytest.mark.parametrize(
    ("status", "other_rank", "other", "said"),
    [
        ("new", 26, "was", "▲ up from 26th"),
        ("gone", 11, "now", "✕ dropped to 11th"),
        ("up", 3, "was", "▲ up from 3rd"),
        ("up", 2, "now", "▲ up to 2nd"),
        ("down", 1, "was", "▼ down from 1st"),
        ("down", 4, "now", "▼ down to 4th"),
        ("same", 1, "was", "• same"),
    ],
)
def test_moves_are_said_from_either_list(status: str, other_rank: int, other: str, said: str) -> None:
    assert words.move_words(status, other_rank, other) == said


def test_an_item_is_described_by_what_sets_it_apart() -> None:
    attributes = SCHEMA.attributes
    assert (
        words.distinctive_words(attributes, np.array([-1.5, 0.3, 0.6])) == "very low darkness, high romance, high humor"
    )
    assert words.distinctive_words(attributes, np.array([-1.5, 0.3, 0.6]), most=1) == "very low darkness"
    assert words.distinctive_words(attributes, np.array([0.1, -0.2, 0.0])) == "close to average"
    assert words.distinctive_words((), np.zeros(0)) == "close to average"


def test_score_words_name_the_nearer_end() -> None:
    darkness = SCHEMA.attributes[0]
    assert words.score_words(darkness, 9, 10) == "Darkness 9/10: grim"
    assert words.score_words(darkness, 2, 10) == "Darkness 2/10: gentle"
    assert words.score_words(darkness, 7, 10) == 'Darkness 7/10: closer to "grim"'
    assert "between" in words.score_words(darkness, 5, 10)
    assert "not scored" in words.score_words(darkness, float("nan"), 10)
