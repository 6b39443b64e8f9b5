"""How to speak of a data set's interactions: customers buy, viewers watch, readers read."""

from collections.abc import Mapping
from dataclasses import dataclass

from guidedrec_core.errors import ConfigError
from guidedrec_core.language import words_of

FACT = "interaction_verb"
"""Key of the source facts that holds the verb, where it differs from the one that would be guessed."""


@dataclass(frozen=True)
class InteractionVerb:
    """The words for one kind of interaction, as used inside a sentence.

    Attributes
    ----------
    past : str
        Past tense, e.g. ``"bought"``, ``"chose"``; it names the verb in `VERBS` and on the command line.
    participle : str
        Past participle, e.g. ``"bought"``, ``"chosen"``.
    infinitive, present : str
        E.g. ``"buy"`` and ``"buys"``.
    noun, nouns : str
        One interaction and several, e.g. ``"purchase"`` and ``"purchases"``.
    next_noun : str
        What comes next, after "the next", e.g. ``"purchase"``, ``"film"``.
    activity : str
        Before "history" and "patterns", e.g. ``"purchase"``, ``"viewing"``.
    user, users : str
        Who does it, e.g. ``"customer"`` and ``"customers"``.
    """

    past: str
    participle: str
    infinitive: str
    present: str
    noun: str
    nouns: str
    next_noun: str
    activity: str
    user: str
    users: str

    @property
    def next(self) -> str:
        """What happened to a held-out item, e.g. ``"bought next"``."""
        return f"{self.participle} next"

    @property
    def patterns(self) -> str:
        """What a score owes to interactions rather than attributes, e.g. ``"purchase patterns"``."""
        return f"{self.activity} patterns"

    def count(self, number: int, kind: str = "") -> str:
        """Write a number of interactions.

        Parameters
        ----------
        number : int
            How many.
        kind : str
            An adjective, e.g. ``"past"``.

        Examples
        --------
        >>> BOUGHT.count(1), BOUGHT.count(1234, "past")
        ('1 purchase', '1,234 past purchases')
        """
        noun = self.noun if number == 1 else self.nouns
        return " ".join(part for part in (f"{number:,}", kind, noun) if part)

    def count_users(self, number: int) -> str:
        """Write a number of users.

        Examples
        --------
        >>> BOUGHT.count_users(1), BOUGHT.count_users(1234)
        ('1 customer', '1,234 customers')
        """
        return f"{number:,} {self.user if number == 1 else self.users}"


BOUGHT = InteractionVerb(
    past="bought", participle="bought", infinitive="buy", present="buys", noun="purchase", nouns="purchases",
    next_noun="purchase", activity="purchase", user="customer", users="customers",
)  # fmt: skip
WATCHED = InteractionVerb(
    past="watched", participle="watched", infinitive="watch", present="watches", noun="viewing", nouns="viewings",
    next_noun="film", activity="viewing", user="viewer", users="viewers",
)  # fmt: skip
READ = InteractionVerb(
    past="read", participle="read", infinitive="read", present="reads", noun="read", nouns="reads",
    next_noun="book", activity="reading", user="reader", users="readers",
)  # fmt: skip
PLAYED = InteractionVerb(
    past="played", participle="played", infinitive="play", present="plays", noun="play", nouns="plays",
    next_noun="game", activity="play", user="player", users="players",
)  # fmt: skip
LISTENED = InteractionVerb(
    past="listened to", participle="listened to", infinitive="listen to", present="listens to", noun="listen",
    nouns="listens", next_noun="track", activity="listening", user="listener", users="listeners",
)  # fmt: skip
CHOSE = InteractionVerb(
    past="chose", participle="chosen", infinitive="choose", present="chooses", noun="choice", nouns="choices",
    next_noun="choice", activity="choice", user="user", users="users",
)  # fmt: skip

VERBS: Mapping[str, InteractionVerb] = {verb.past: verb for verb in (BOUGHT, WATCHED, READ, PLAYED, LISTENED, CHOSE)}
"""All verbs by their past tense; ``"chose"`` fits everything and is used where nothing is known."""

# The first line that shares a word decides: a shop sells, whatever is in it, and video games are played.
_SIGNS: tuple[tuple[InteractionVerb, str], ...] = (
    (BOUGHT, "shop shops shopping store stores bookshop webshop retail retailer market sales orders purchases basket "
             "baskets fernway"),
    (PLAYED, "game games gaming steam"),
    (READ, "book books news articles novels comics goodreads"),
    (LISTENED, "music song songs track tracks artists podcasts lastfm"),
    (WATCHED, "movie movies film films cinema video videos series anime tv movielens movietweetings netflix"),
    (BOUGHT, "clothing clothes fashion apparel gear beauty care electronics grocery groceries food drink products "
             "product toys furniture jewelry jewellery shoes"),
)  # fmt: skip


def verb_named(past: str) -> InteractionVerb:
    """Return a verb by its past tense.

    Raises
    ------
    ConfigError
        There is none of this name.
    """
    if past not in VERBS:
        raise ConfigError(f"expected a verb out of {', '.join(VERBS)}; got {past!r}")
    return VERBS[past]


def guess_verb(*texts: str) -> InteractionVerb | None:
    """Guess the verb from the first text that suggests one; None where none does.

    Examples
    --------
    >>> guess_verb("my-books").past, guess_verb("amazon-2023", "video games").past, guess_verb("things")
    ('read', 'played', None)
    """
    for text in texts:
        said = set(words_of(text))
        for verb, signs in _SIGNS:
            if said & set(signs.split()):
                return verb
    return None


def verb_of(name: str, source: Mapping[str, str], domain: str = "") -> InteractionVerb:
    """Return the verb of a data set.

    Parameters
    ----------
    name : str
        The data set's name.
    source : mapping of str to str
        Its source facts: the verb if one was chosen at import (`FACT`), else its ``format`` helps to guess.
    domain : str
        Domain of its attribute schema, where one is known, e.g. ``"movies"``.

    Examples
    --------
    >>> verb_of("mine", {}, "movies").next, verb_of("mine", {FACT: "bought"}, "movies").next, verb_of("mine", {}).next
    ('watched next', 'bought next', 'chosen next')
    """
    if FACT in source:
        return verb_named(source[FACT])
    return guess_verb(name, source.get("format", ""), domain) or CHOSE


def with_verb(source: Mapping[str, str], name: str, past: str | None) -> dict[str, str]:
    """Return source facts that hold a chosen verb, unless it would be guessed anyway.

    Parameters
    ----------
    source : mapping of str to str
        The source facts.
    name : str
        The data set's name.
    past : str or None
        The verb chosen, by its past tense; None chooses none.

    Raises
    ------
    ConfigError
        There is no such verb.
    """
    facts = dict(source)
    if past is not None and verb_named(past) != guess_verb(name, facts.get("format", "")):
        facts[FACT] = past
    return facts
