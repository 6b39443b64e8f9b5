"""Part of the Attributes page: what the model knows that nobody named."""

import shlex
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.attributes.naming import cards, forget_own_name, naming
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.figures.names import direction_ends
from guidedrec_core.figures.theme import Palette
from guidedrec_core.language import percent

if TYPE_CHECKING:
    from guidedrec_core.discovery.directions import Direction, Discovery, End

_EACH = 8
"""Items of each end in the chart."""


def unnamed(view: View, colours: Palette) -> None:
    """Show the directions of what no name covers, and one of them with its ends.

    Parameters
    ----------
    view : View
        The run under study.
    colours : Palette
        From `theme.palette`.
    """
    system = loaders.system(view.entry.run.id)
    titles = system.data.dataset.catalogue.frame["title"].astype(str).tolist()
    discovery = _discovery(str(loaders.store().home), view.entry.run.id)
    st.subheader("What nobody named", anchor=False)
    together = sum(one.of_rest for one in discovery.found)
    real = sum(one.passed for one in discovery.found)
    are = "is" if real == 1 else "are"
    st.write(
        escaped(
            f"{percent(discovery.rest, 1)} of what orders the 50 best items has no name. {len(discovery.found)} "
            f"patterns hold {percent(together)} of that; {real} of them {are} more than chance."
        )
    )
    show.note(
        "A pattern runs between two groups of items. It is more than chance if it is found again in halves of the "
        "items, and if what people chose next follows it.",
        help="Principal components of what the regression on attributes and facts leaves of item vectors, out of fold, "
        "turned by varimax. Stable: cosine with the nearest direction found in halves of the items; one in a hundred "
        f"random directions reaches {discovery.directions.chance:.2f}. Followed: correlation of a user's weight with "
        "the loading of the next item, validation part.",
    )
    _table(discovery)
    first = next((place for place, one in enumerate(discovery.found) if one.passed), 0)
    number = st.selectbox(
        "Pattern",
        [one.number for one in discovery.found],
        index=first,
        format_func=lambda number: _label(discovery.found[number - 1], titles),
        key="unnamed_direction",
        on_change=forget_own_name,
    )
    one = discovery.found[number - 1]
    loadings = discovery.directions.loadings[:, number - 1]
    chosen = [*one.high.items[:_EACH], *one.low.items[:_EACH][::-1]]
    ends = pd.DataFrame({"title": [titles[item] for item in chosen], "loading": loadings[np.array(chosen, dtype=int)]})
    alt = f"Items at both ends of pattern {number}: {'; '.join(ends['title'])}."
    show.chart(direction_ends(ends, colours), alt, "unnamed_ends")
    left, right = show.pair()
    for place, name, end in ((left, "First group", one.high), (right, "Second group", one.low)):
        with place:
            st.markdown(f"**{escaped(name)}**: {escaped(_rich_words(end))}")
    users = ", ".join(each.user_id for each in one.dependents)
    if users:
        show.note(f"Lists that depend on it most: users {escaped(users)}.")
    if one.passed:
        naming(view, one)
        show.note("The same in a terminal, also with a text model in place of a language model:")
        command = f"guidedrec discover {shlex.quote(view.dataset)} --propose {number} --model MODEL --refine"
        st.code(command, language="sh")
    else:
        show.note("This pattern is not told from chance, so there is nothing to name.")
    cards(view)


def _table(discovery: "Discovery") -> None:
    """Show all directions as a table."""
    frame = pd.DataFrame(
        {
            "pattern": [one.number for one in discovery.found],
            "share": [one.of_rest for one in discovery.found],
            "stable": [one.stability for one in discovery.found],
            "followed": [one.followed for one in discovery.found],
            "passed": [one.passed for one in discovery.found],
        }
    )
    number = st.column_config.NumberColumn
    show.table(
        frame,
        hide_index=True,
        key="unnamed_table",
        alt="Patterns without a name, by how much of what has no name they decide",
        column_config={
            "pattern": number("Pattern"),
            "share": number("Share of what has no name", format="percent"),
            "stable": number("Stable", format="%.2f"),
            "followed": number("Followed", format="%+.2f"),
            "passed": st.column_config.CheckboxColumn("More than chance"),
        },
    )


def _label(one: "Direction", titles: list[str]) -> str:
    """Name a direction by its most extreme items."""
    high, low = (titles[end.items[0]] if end.items else "nothing" for end in (one.high, one.low))
    return f"{one.number}: {high} / {low}"


def _rich_words(end: "End") -> str:
    """Say what an end is rich in."""
    if not end.traits:
        return "nothing in titles, categories or numbers stands out"
    return "; ".join(f"{each.text} ({each.items} items, {each.lift:.1f} times as often)" for each in end.traits)


@st.cache_resource(max_entries=8, show_spinner="Looking for patterns without a name")
def _discovery(home: str, run_id: str) -> "Discovery":
    from guidedrec_core.discovery.directions import discover

    with loaders.MODEL_LOCK:
        return discover(loaders.system(run_id))
