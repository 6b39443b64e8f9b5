"""Case study: why is this recommended to this user?"""

import streamlit as st

from guidedrec_core.app import loaders, page, show, url
from guidedrec_core.app.case_study import history, lists, search, sections
from guidedrec_core.app.copy_link import copy_link
from guidedrec_core.app.errors import guard, way_on
from guidedrec_core.app.export import export_menu
from guidedrec_core.app.rules.applied import apply_rules, rules_note
from guidedrec_core.app.save_case import save_case

view = page.set_up("Why is this recommended to this user?", icon=":material/person_search:")
verb = view.verb
with guard():
    dataset = loaders.dataset(view.entry.data.id)
    suggested = search.suggestions(view.entry)
    applied = apply_rules(view, search.start(view, dataset, suggested))
    key = applied.key
if key.user_id not in dataset.users:
    text = f"There is no {verb.user} {key.user_id} in {view.dataset_title}."
    way_on(text, f"Show another {verb.user}", user=None)
if key.item_id is not None and key.item_id not in dataset.items:
    way_on(f"There is no item {key.item_id} in {view.dataset_title}.", "Show the first recommendation", item=None)

url.fill_in(user=key.user_id, item=key.item_id, history=key.shown)
top = st.container()
with guard():
    case = loaders.case(key)
if case.selected is not None:
    url.fill_in(item=case.selected.item_id)
page.draw_links(view.links)
copy_link(view.actions)
saving = view.actions.container(width="content")
export_menu(view, case=case.key)
with top, guard():
    search.search_row(view, dataset, suggested, key)
rules_note(applied)
show.lead(f"{verb.user.capitalize()} {key.user_id} {case.sentence}")
if case.selected is None:
    search.no_list(view)
else:
    lists.lists(case, view)
    lists.why(case, view)
    sections.show_sections(view, case)
history.history_and_taste(view, case)
save_case(view, case, saving)
page.footer(view)
