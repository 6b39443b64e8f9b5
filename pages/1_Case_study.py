"""Case study: why is this recommended to this user?"""

import streamlit as st

from guidedrec_core.app import loaders, page, show, url
from guidedrec_core.app.case_study import lists, sections
from guidedrec_core.app.errors import guard, way_on
from guidedrec_core.app.export import export_menu
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.figures import case as figures
from guidedrec_core.figures.theme import palette

view = page.set_up("Why is this recommended to this user?", icon=":material/person_search:")
with guard():
    dataset = loaders.dataset(view.entry.data.id)
    suggested = lists.suggestions(view.entry)
    key = lists.start(view, dataset, suggested)
if key.user_id not in dataset.users:
    who = view.verb.user
    way_on(f"There is no {who} {key.user_id} in {view.dataset}.", f"Show another {who}", user=None)
if key.item_id is not None and key.item_id not in dataset.items:
    way_on(f"There is no item {key.item_id} in {view.dataset}.", "Show the first recommendation", item=None)

verb = view.verb
lists.choose_user(dataset, suggested, key.user_id, verb)
lists.choose_history(key, verb)
with guard():
    system = loaders.system(key.run_id, key.shown)
    case = loaders.case(key)
url.update(user=key.user_id, item=key.item_id, history=key.shown)
export_menu(view, case=case.key)
colours, scale = palette(view.dark), (system.schema.scale.min, system.schema.scale.max)
labels = {attribute.name: attribute.label for attribute in system.schema.attributes}

show.lead(f"{verb.user.capitalize()} {key.user_id} {case.sentence}")
if len(case.history):
    past, liking = show.pair()
    taste = figures.taste(case.profile, scale, colours, verb)
    with past:
        st.markdown(f"**{verb.activity.capitalize()} history**", help="The part of the history that the models see.")
        timeline = figures.timeline(case.history, colours, height=taste.layout.height)
        show.chart(timeline, alt=f"{verb.nouns.capitalize()} over time, by category", key="timeline")
    with liking:
        st.markdown("**Taste compared with the catalogue**")
        show.chart(taste, alt=f"This {verb.user}'s average scores and the catalogue's; {case.sentence}", key="taste")
    lists.history_table(case, labels, verb)

st.subheader("What is recommended", anchor=False)
if case.selected is None:
    show.note(f"This {verb.user} has already {verb.participle} every item, so there is nothing to recommend.")
    page.footer(view)
    st.stop()
lists.lists(case, verb)
lists.choose_item(case, verb)

chosen = case.selected
show.lead(chosen.sentence)
show.note(" · ".join(part for part in (category_words(chosen.category), chosen.description) if part))
steps, pairs = show.pair()
with steps:
    st.markdown("**How the score adds up**")
    show.chart(figures.score_steps(chosen.steps, colours), alt=chosen.sentence, key="steps")
with pairs:
    st.markdown(f"**{verb.user.capitalize()} and item, attribute by attribute**")
    show.chart(
        figures.pairs(chosen.parts, scale, colours, verb),
        alt=f"The {verb.user}'s and the item's score on each attribute that matters here",
        key="pairs",
    )
sections.show_sections(view, case)
page.footer(view)
