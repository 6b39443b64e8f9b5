"""Choosing an item: a search on the server and a short list of what it found."""

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import url
from guidedrec_core.app.errors import escaped
from guidedrec_core.items.search import ItemIndex, fold

_MOST = 50


def item_picker(index: ItemIndex, current: str | None) -> None:
    """Show a search box and the items found; choosing one puts it into the URL.

    Parameters
    ----------
    index : ItemIndex
        The catalogue, ready for searching.
    current : str or None
        The item under study; must exist.
    """
    left, right = st.columns(2)
    url.follow("find_item", url.current().get("find_item", ""))
    query = left.text_input(
        "Find an item",
        placeholder="Title, ID or category",
        icon=":material/search:",
        key="find_item",
        on_change=_look_up,
        args=(index,),
    )
    found = index.search(query, _MOST)
    titles = dict(zip(found.items[c.ITEM], found.items[c.TITLE], strict=True))
    if current is not None and not query.strip():
        titles = {current: index.title(current), **titles}
    labels = {item_id: f"{title} ({item_id})" for item_id, title in titles.items()}
    url.follow("choose_item", current if current in titles else None)

    def choose() -> None:
        url.update(item=st.session_state["choose_item"])

    right.selectbox(
        f"Items ({escaped(found.note)})",
        list(titles),
        format_func=lambda item_id: labels.get(item_id, item_id),
        placeholder="Choose an item" if titles else "Nothing found; try fewer letters",
        disabled=not titles,
        key="choose_item",
        on_change=choose,
    )


def _look_up(index: ItemIndex) -> None:
    """Open an item whose id was typed; keep any other text."""
    text = str(st.session_state["find_item"]).strip()
    found = index.search(text, 1).items[c.ITEM].tolist() if text else []
    if found and fold(found[0]) == fold(text):
        url.update(item=found[0], find_item=None)
    else:
        url.update(find_item=text)
