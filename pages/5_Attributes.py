"""Attributes: which scores can be trusted, and how they are made."""

import streamlit as st

from guidedrec_core.app import loaders, page, show
from guidedrec_core.app.attributes import editor as attributes_editor
from guidedrec_core.app.attributes import human as attributes_human
from guidedrec_core.app.attributes import loaders as attributes_loaders
from guidedrec_core.app.attributes import overrides as attributes_overrides
from guidedrec_core.app.attributes import scoring as attributes_scoring
from guidedrec_core.app.attributes import trust as attributes_trust
from guidedrec_core.app.attributes import unnamed as attributes_unnamed
from guidedrec_core.app.attributes.refine_again import offer_doubt
from guidedrec_core.app.attributes.tables import TABS
from guidedrec_core.app.errors import guard
from guidedrec_core.figures.theme import palette
from guidedrec_core.reliability.trust_words import trust_sentence

view = page.set_up("Which scores can we trust?", ":material/straighten:")
colours = palette(view.dark)
with guard():
    scores = attributes_loaders.scores(view.entry.run.inputs["scores"])
    shown = attributes_trust.choose_scores(scores)
    trust = attributes_loaders.trust(shown.id)

show.lead(
    trust_sentence(trust),
    help="Agreement: intraclass correlation, ICC, of a single score; 1 = every pass gives the same scores.",
)
show.note(attributes_loaders.origin(shown))
tabs = st.tabs(TABS, key="part", on_change="rerun", bind="query-params")
with tabs[0]:
    if tabs[0].open:
        attributes_trust.distributions(trust, colours)
        attributes_trust.agreement(trust, colours)
        attributes_human.people(shown, trust.schema, colours)
        catalogue = loaders.table(view.entry.data.id, "catalogue")
        attributes_trust.items(trust, catalogue, loaders.optional_table(shown.id, "faults"))
        with guard():
            offer_doubt(view, scores.newer or scores.given)
with tabs[1], guard():
    if tabs[1].open:
        attributes_editor.attributes(view.dataset, loaders.schema(scores.used.id))
with tabs[2], guard():
    if tabs[2].open:
        attributes_overrides.overrides(view, scores.newer or scores.given)
with tabs[3], guard():
    if tabs[3].open:
        attributes_scoring.scoring(view, scores, loaders.schema(scores.used.id))
with tabs[4], guard():
    if tabs[4].open:
        attributes_unnamed.unnamed(view, colours)
page.footer(view)
