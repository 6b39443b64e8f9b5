"""Items: how the model and shoppers see an item."""

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, page, show, url
from guidedrec_core.app.attributes.tables import TABS
from guidedrec_core.app.errors import guard, way_on
from guidedrec_core.app.items import loaders as item_loaders
from guidedrec_core.app.items import new_item
from guidedrec_core.app.items.picker import item_picker
from guidedrec_core.app.items.tables import attribute_table, audience_table, near_table
from guidedrec_core.app.thumbnail import price, thumbnail
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.figures.items import attribute_bars, audience_bars, similarity_bars
from guidedrec_core.figures.theme import palette
from guidedrec_core.items.view import ItemView

view = page.set_up("How do the model and shoppers see this item?", ":material/inventory_2:")
colours = palette(view.dark)
if new_item.new_wanted():
    with guard():
        new_item.new_item(view, colours)
    page.footer(view)
    st.stop()
evaluation = view.entry.evaluation
items = loaders.dataset(view.entry.data.id).items
if view.item is not None and view.item not in items:
    way_on(f"There is no item {view.item} in {view.dataset}.", "Choose another item", item=None)

if view.item is None and evaluation is not None:
    found = loaders.table(evaluation.id, "highlights")
    chosen = str(found[c.ITEM].iloc[0]) if len(found) else str(items.id(0))
else:
    chosen = view.item or str(items.id(0))
item_picker(item_loaders.index(view.entry.data.id), chosen)
with guard():
    item: ItemView = item_loaders.item_view(view.entry.run.id, evaluation.id if evaluation else None, chosen)

with st.container(horizontal=True, vertical_alignment="center"):
    thumbnail(view, chosen)
    show.lead(item.title)
facts = [category_words(item.category), f"ID {item.item_id}"]
if item.price is not None:
    facts.insert(1, f"price {price(view, chosen, item.price)}")
show.note(" · ".join(facts))
st.text(item.sentence)

left, right = show.pair()
with left:
    st.subheader("How it is scored", anchor=False)
    scale = (item.scale_min, item.scale_max)
    marks = item_loaders.marks(view.entry, chosen)
    bars = attribute_bars(item.attributes, scale, colours, {mark.attribute: mark.remark for mark in marks})
    show.chart(bars, f"Scores of the item on each attribute. {item.sentence}", "attributes")
    for mark in marks:
        show.note(mark.sentence)
    st.page_link(
        "pages/5_Attributes.py",
        label="Set a score by hand",
        icon=":material/edit:",
        query_params={**url.link(item=chosen), "part": TABS[2]},
    )
with right:
    if item.description:
        st.subheader("Listing", anchor=False)
        st.text(item.description)
    st.subheader("Who sees it", anchor=False)
    st.text(item.audience_sentence)
    if item.audience is not None and len(item.audience):
        figure = audience_bars(item.audience, item.list_length, colours, view.verb)
        show.chart(figure, item.audience_sentence, "audience")
        audience_table(item.audience, chosen, view.verb)

st.subheader("Similar items", anchor=False)
st.text(item.near_sentence)
left, right = show.pair()
labels = dict(zip(item.attributes["attribute"], item.attributes["label"], strict=True))
for column, name, near, colour in (
    (left, "base", item.base_near, colours.base),
    (right, "refined", item.refined_near, colours.refined),
):
    with column:
        show.note(
            f"Most similar in the {name} model",
            help="Cosine similarity of item vectors: 1 = identical, 0 = unrelated.",
        )
        alt = f"Most similar items in the {name} model: {', '.join(near[c.TITLE].head(3))}"
        show.chart(similarity_bars(near, labels, colour, colours, view.verb), alt, f"near_{name}")
with st.expander("Show as tables", icon=":material/table:"):
    tabs = st.tabs(["Similar in the base model", "Similar in the refined model", "Attributes"])
    for tab, name, near in ((tabs[0], "base", item.base_near), (tabs[1], "refined", item.refined_near)):
        with tab:
            near_table(near, f"near_table_{name}_{chosen}")
    with tabs[2]:
        attribute_table(item.attributes)
st.page_link(
    "pages/3_Embedding_map.py",
    label="See it on both maps",
    icon=":material/scatter_plot:",
    query_params=url.link(item=chosen),
)
page.footer(view)
