"""The words that the pages use, each in one sentence."""

import streamlit as st

from guidedrec_core.app.errors import escaped
from guidedrec_core.data.verbs import InteractionVerb

GROUPS: dict[str, dict[str, str]] = {
    "What a recommendation is made of": {
        "Base model": "Recommends from {nouns} alone; what it has learned has no names.",
        "Refined model": "The base model joined with scores on named attributes.",
        "Attribute": "A property with a name, a low and a high end, such as warmth: thin at 0, for deep cold at 10.",
        "Score of an item on an attribute": "From 0 to 10, given by a language model that read the item's text, by a "
        "person, or by a column of the catalogue.",
        "Score of a recommendation": "What items are ranked by; only differences within a list mean something.",
        "Contribution": "What one reason adds to the score, compared with an average item. Contributions add up to "
        "the score exactly.",
        "Fact": "What the catalogue knows: category, price, season, popularity and its own columns.",
        "Other {patterns}": "The part of a score that no attribute, fact or popularity accounts for.",
        "What-if": "A list under conditions that you changed; it is marked until you reset it.",
    },
    "How it is measured": {
        "Held out": "The last {noun} of each {user}, which no model has seen; a good list has it near the top.",
        "Found in the top 10": "Share of {users} whose held-out item is in the first ten (Recall@10).",
        "Ranking quality, top 10": "The same, but a later place counts less (NDCG@10).",
        "Ranking quality, all items": "Mean of 1 divided by the place of the held-out item (MRR).",
        "Shuffled scores": "A refined model whose scores were dealt to the wrong items. What it gains is not meaning.",
        "Retrained without attributes": "A refined model without any scores. What it gains comes from training twice.",
        "95 % interval": "Where the true value lies, in 95 of 100 such measurements. If it contains 0, there may be no "
        "difference.",
    },
    "Groups": {
        "Condition": "A description of items or {users}, such as “price over 100” or “at least 10 {nouns}”.",
        "Exposure": "How much of all lists is about something; the first place counts most.",
        "Segment": "{Users} with similar taste, or ones that fit a condition that you saved.",
        "Shelf": "Items that the model treats alike, wherever the catalogue puts them.",
    },
}
"""The words by subject; braces stand for the data set's own words."""


def offer(verb: InteractionVerb) -> None:
    """Offer the words, by a button that opens them over the page."""
    if st.button("What do the words mean?", icon=":material/menu_book:", type="tertiary", key="glossary"):
        _open(verb)


def filled(text: str, verb: InteractionVerb) -> str:
    """Put the data set's words into a text.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import WATCHED
    >>> filled("The last {noun} of each {user}", WATCHED)
    'The last viewing of each viewer'
    """
    return text.format(
        user=verb.user,
        users=verb.users,
        Users=verb.users.capitalize(),
        noun=verb.noun,
        nouns=verb.nouns,
        patterns=verb.patterns,
    )


@st.dialog("What do the words mean?", width="large")
def _open(verb: InteractionVerb) -> None:
    for subject, words in GROUPS.items():
        st.subheader(escaped(subject), anchor=False)
        meanings = ((filled(word, verb), filled(meaning, verb)) for word, meaning in words.items())
        st.markdown("\n".join(f"- **{escaped(word)}**: {escaped(meaning)}" for word, meaning in meanings))
