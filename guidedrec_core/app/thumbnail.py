"""An item's picture, small; a sign for its category where none may be shown."""

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders
from guidedrec_core.app.page import View
from guidedrec_core.items.pictures import allowed_hosts, picture, price_words, symbol

_PIXELS = 96


def thumbnail(view: View, item_id: str, width: int = _PIXELS) -> None:
    """Show the picture of an item, if it lies on an allowed host or in the data set's folder; else its category's sign.

    Parameters
    ----------
    view : View
        From `guidedrec_core.app.page.set_up`.
    item_id : str
        An item of the data set.
    width : int
        In pixels.
    """
    listing = _listing(view, item_id)
    folder = view.store.home / "images" / view.dataset
    found = picture(listing.get(c.IMAGE, ""), folder, allowed_hosts())
    if found is None:
        st.markdown(f"# :material/{symbol(listing[c.CATEGORY])}:", width="content")
        return
    st.image(str(found), width=width)


def price(view: View, item_id: str, amount: float) -> str:
    """Write an item's price in the currency of its listing."""
    return price_words(amount, _listing(view, item_id).get(c.CURRENCY, ""))


def _listing(view: View, item_id: str) -> dict[str, str]:
    """Return the texts of an item's listing; blank where unknown."""
    dataset = loaders.dataset(view.entry.data.id)
    row = dataset.catalogue.frame.iloc[dataset.items.index(item_id)]
    return {
        name: str(row[name]) for name in (c.CATEGORY, c.IMAGE, c.CURRENCY) if name in row and row[name] == row[name]
    }
