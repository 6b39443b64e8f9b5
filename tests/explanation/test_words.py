import numpy as np
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.explanation import words
from guidedrec_core.explanation.ledger import Ledger

SCHEMA = AttributeSchema(
    attributes=(
        Attribute(name="darkness", low="gentle", high="grim"),
        Attribute(name="humor", low="serious", high="funny"),
        Attribute(name="romance", low="no love story", high="a love story"),
    )
)


def ledger(contributions: list[float], remainder: float = 0.5, bias: float = 0.2) -> Ledger:
    c = np.array([contributions])
    return Ledger(
        user_values=np.ones(3),
        item_values=c.copy(),
        weights=np.ones(3),
        slopes=np.ones(3),
        contributions=c,
        remainder=np.array([remainder]),
        bias=np.array([bias]),
        score=c.sum(axis=1) + remainder + bias,
        average_remainder=0.1,
        average_bias=0.3,
    )


@pytest.mark.parametrize(
    ("user", "item", "contribution", "said"),
    [
        (1.0, 2.0, 0.42, "both high on darkness (+0.42)"),
        (-1.0, -2.0, 0.11, "both low on darkness (+0.11)"),
        (1.0, -2.0, -0.20, "seeks darkness, this has little (-0.20)"),
        (-1.0, 2.0, -0.20, "avoids darkness, this has much (-0.20)"),
        (0.1, 2.0, 0.04, "darkness hardly counts (+0.04)"),
        (0.1, 2.0, 0.22, "both high on darkness (+0.22)"),
        (1.0, 2.0, -0.10, "high on darkness, against it here (-0.10)"),
    ],
)
def test_contribution_phrases_say_which_plus_or_minus_it_is(
    user: float, item: float, contribution: float, said: str
) -> None:
    assert words.contribution_phrase(SCHEMA.attributes[0], user, item, contribution) == said


def test_profile_sentence_names_what_counts() -> None:
    sentence = words.profile_sentence(np.array([0.9, -0.7, 0.1]), np.array([1.0, 1.0, 1.0]), SCHEMA)
    assert sentence == "seeks darkness; avoids humor"
    assert "no marked taste" in words.profile_sentence(np.zeros(3), np.ones(3), SCHEMA)


def test_reason_sentence_gives_the_largest_parts_relative_to_an_average_item() -> None:
    said = words.reason_sentence("Alien", 1, 31, ledger([0.42, -0.3, 0.001]), SCHEMA)
    assert said.startswith("Why Alien is 1st: +0.42 darkness and -0.30 humor; ")
    assert "romance" not in said
    assert "+0.40 from purchase patterns" in said
    assert "-0.10 from general popularity" in said
    assert said.endswith("base had it 31st.")


def test_score_words_name_the_nearer_end() -> None:
    darkness = SCHEMA.attributes[0]
    assert words.score_words(darkness, 9, 10) == 'Darkness 9/10: towards "grim"'
    assert words.score_words(darkness, 2, 10) == 'Darkness 2/10: towards "gentle"'
    assert "between" in words.score_words(darkness, 5, 10)
    assert "not scored" in words.score_words(darkness, float("nan"), 10)
