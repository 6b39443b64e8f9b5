"""Case study: why is this recommended to this user?"""

import streamlit as st

from guidedrec_core.app import loaders, page, show, url
from guidedrec_core.app.case_study import lists, sections
from guidedrec_core.app.errors import guard, way_on
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.figures import case as figures
from guidedrec_core.figures import waterfall
from guidedrec_core.figures.theme import palette

view = page.set_up("Why is this recommended to this user?", icon=":material/person_search:")
with guard():
    dataset = loaders.dataset(view.entry.data.id)
    suggested = lists.suggestions(view.entry)
    key = lists.start(view, dataset, suggested)
if key.user_id not in dataset.users:
    way_on(f"There is no user {key.user_id} in {view.dataset}.", "Show another user", user=None)
if key.item_id is not None and key.item_id not in dataset.items:
    way_on(f"There is no item {key.item_id} in {view.dataset}.", "Show the first recommendation", item=None)

lists.choose_user(dataset, suggested, key.user_id)
lists.choose_history(key)
with guard():
    system = loaders.system(key.run_id, key.shown)
    case = loaders.case(key)
url.update(user=key.user_id, item=key.item_id, history=key.shown)
colours, scale = palette(view.dark), (system.schema.scale.min, system.schema.scale.max)
labels = {attribute.name: attribute.label for attribute in system.schema.attributes}

show.lead(f"User {key.user_id} {case.sentence}")
if len(case.history):
    past, liking = show.pair()
    taste = figures.taste(case.profile, scale, colours)
    with past:
        st.markdown("**History, as the models saw it**")
        timeline = figures.timeline(case.history, colours, height=taste.layout.height)
        show.chart(timeline, alt="What the user took when, a lane a category", key="timeline")
    with liking:
        st.markdown("**Taste: the history against the catalogue**")
        show.chart(taste, alt=f"The user's average scores against the catalogue's; {case.sentence}", key="taste")
    lists.history_table(case, labels)

st.subheader("What is recommended", anchor=False)
if case.selected is None:
    show.note("This user has every item of the catalogue already, so there is nothing to recommend.")
    page.footer(view)
    st.stop()
lists.lists(case)
lists.choose_item(case)

chosen = case.selected
show.lead(chosen.sentence)
show.note(" · ".join(part for part in (category_words(chosen.category), chosen.description) if part))
steps, pairs = show.pair()
with steps:
    st.markdown("**The score, added up**")
    table = waterfall.steps(chosen.parts, chosen.remainder, chosen.bias, chosen.average_remainder, chosen.average_bias)
    show.chart(figures.score_steps(table, colours), alt=chosen.sentence, key="steps")
with pairs:
    st.markdown("**User and item, attribute by attribute**")
    show.chart(
        figures.pairs(chosen.parts, scale, colours),
        alt="The user's and the item's score of each attribute that counts",
        key="pairs",
    )
sections.show_sections(view, case)
page.footer(view)
