"""The verb of a data set's interactions: chosen at import, else guessed from name, format and domain."""

import pytest

from guidedrec_core.attributes.templates import template, template_names
from guidedrec_core.data.verbs import BOUGHT, CHOSE, FACT, VERBS, guess_verb, verb_named, verb_of, with_verb
from guidedrec_core.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "source", "domain", "past"),
    [
        ("fernway", {"format": "bundled"}, "outdoor and everyday clothing and gear", "bought"),
        ("movielens-small", {"format": "movielens"}, "movies", "watched"),
        ("ml-1m", {"format": "movielens"}, "", "watched"),
        ("movietweetings-100k", {"format": "movietweetings"}, "movies", "watched"),
        ("my-shop", {"format": "csv"}, "", "bought"),
        ("book-shop", {"format": "csv"}, "books", "bought"),
        ("mine", {"format": "csv"}, "books", "read"),
        ("amazon", {"format": "csv"}, "video games", "played"),
        ("lastfm-360k", {"format": "csv"}, "", "listened to"),
        ("mine", {"format": "parquet"}, "things", "chose"),
        ("videogames", {"format": "csv"}, "", "chose"),
        ("my-shop", {"format": "csv", FACT: "read"}, "clothing", "read"),
    ],
)
def test_a_chosen_verb_counts_first_then_name_format_and_domain(
    name: str, source: dict[str, str], domain: str, past: str
) -> None:
    assert verb_of(name, source, domain).past == past


def test_every_template_of_attributes_has_a_verb_of_its_own() -> None:
    guessed = {name: guess_verb(template(name).domain) for name in template_names()}
    assert {name: verb and verb.past for name, verb in guessed.items()} == {
        "beauty": "bought",
        "books": "read",
        "clothing": "bought",
        "electronics": "bought",
        "games": "played",
        "grocery": "bought",
        "movies": "watched",
    }


def test_a_verb_that_would_be_guessed_is_not_stored_so_that_the_data_set_stays_the_same() -> None:
    source = {"format": "csv", "path": "orders.csv"}
    assert with_verb(source, "my-shop", None) == source
    assert with_verb(source, "my-shop", "bought") == source
    assert with_verb(source, "my-shop", "watched") == {**source, FACT: "watched"}
    # Of this one nothing is guessed, so that a domain could still say otherwise.
    assert with_verb(source, "mine", "chose") == {**source, FACT: "chose"}
    assert source == {"format": "csv", "path": "orders.csv"}


def test_an_unknown_verb_is_refused_with_those_there_are() -> None:
    said = "expected a verb out of bought, watched, read, played, listened to, chose; got 'took'"
    with pytest.raises(ConfigError, match=said):
        verb_named("took")
    with pytest.raises(ConfigError, match=said):
        with_verb({}, "mine", "took")


def test_the_words_fit_into_sentences() -> None:
    assert (BOUGHT.next, BOUGHT.patterns) == ("bought next", "purchase patterns")
    assert (CHOSE.next, CHOSE.patterns, CHOSE.count(1, "past")) == ("chosen next", "choice patterns", "1 past choice")
    assert (BOUGHT.count_users(1), BOUGHT.count_users(2000)) == ("1 customer", "2,000 customers")
    assert all(past == verb.past for past, verb in VERBS.items())
