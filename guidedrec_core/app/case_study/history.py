"""The question "Which past item drove it", and the fold with a user's history and taste."""

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, show, url
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.cases.history import HistoryCase
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.question import DEFAULT_K
from guidedrec_core.figures import case as case_figures
from guidedrec_core.figures import history as figures
from guidedrec_core.figures.theme import Palette, palette

_HELP = (
    "Each past item's share is its Shapley value: what the score gains when the item is added to the others, averaged "
    "over all orders. The shares add up to what the history as a whole contributes to the score. Removing one item "
    "from the whole history may change the score by more or less, because the others stand in for part of it."
)
_ORDER_HELP = (
    "The order in which the item loses most when they are removed, and keeps most when only they remain. Ranks are "
    "those the model gives after each removal, all with the same items to rank."
)
_TOTAL = "Total"
_MODELS = {"refined": "Refined model", "base": "Base model"}


def history_and_taste(view: View, case: Case) -> None:
    """Fold away what the user had over time, and the user's taste against the catalogue."""
    verb = view.verb
    if not len(case.history):
        return
    url.follow("past", bool(url.current().get("past")))
    opened = st.expander(
        f"{verb.activity.capitalize()} history and taste",
        icon=":material/history:",
        key="past",
        on_change=url.keep,
        args=("past", "past"),
    )
    if not opened.open:
        return
    colours = palette(view.dark)
    schema = loaders.schema(view.entry.run.inputs["scores"])
    labels = {attribute.name: attribute.label for attribute in schema.attributes}
    taste = case_figures.taste(case.profile, (schema.scale.min, schema.scale.max), colours, verb)
    with opened:
        past, liking = show.pair()
        with past:
            st.markdown(
                f"**{verb.activity.capitalize()} history**", help="The part of the history that the models see."
            )
            timeline = case_figures.timeline(case.history, colours, height=taste.layout.height)
            show.chart(timeline, alt=f"{verb.nouns.capitalize()} over time, by category", key="timeline")
        with liking:
            st.markdown("**Taste compared with the catalogue**")
            show.chart(
                taste, alt=f"This {verb.user}'s average scores and the catalogue's; {case.sentence}", key="taste"
            )
        history_table(case, labels, verb)


def show_history(view: View, case: Case) -> None:
    """Show what each past item contributed to the selected item's score."""
    assert case.selected is not None  # sections are shown only with an item
    url.follow("history_model", "base" if url.current().get("score") == "base" else "refined")
    model = st.segmented_control(
        "Score of", list(_MODELS), required=True, format_func=_MODELS.__getitem__, key="history_model", help=_HELP,
        on_change=url.keep, args=("score", "history_model"),
    )  # fmt: skip
    shown = case_loaders.history(case.key, str(model))
    show.lead(shown.sentence)
    if shown.items.empty:
        return
    colours = palette(view.dark)
    whiskers = "" if shown.exact else " Whiskers show two standard errors."
    show.note(f"{shown.exactness} Newest first.{whiskers}")
    show.chart(figures.item_bars(shown.items, colours), alt=shown.sentence, key="history_bars")
    show.table_twin(
        show.plain(shown.items, 3),
        "Show as table",
        key="history_shares",
        column_config={
            "number": "Number",
            c.ITEM: "Item ID",
            c.TITLE: st.column_config.TextColumn("Item", width="medium"),
            "value": st.column_config.NumberColumn("Share of the score", format="%+.3f"),
            "margin": st.column_config.NumberColumn("±", format="%.3f", help="Two standard errors; 0 means exact"),
            "without": st.column_config.NumberColumn(
                "Score change without it", format="%+.3f", help="If only this item is removed"
            ),
        },
    )
    _taken_away(case, str(model), colours)
    if model == "base":
        show.note("The base model uses no attributes, so its shares cannot be split further.")
        return
    url.follow("history_map", bool(url.current().get("split")))
    if st.toggle("Attribute by attribute", key="history_map", on_change=url.keep, args=("split", "history_map")):
        _by_attribute(shown, view)


def _taken_away(case: Case, model: str, colours: Palette) -> None:
    """Show where the item falls without the past items that hold it, one after another."""
    removal = case_loaders.removal(case.key, model)
    if removal is None:
        return
    st.markdown("**Taken away one by one**", help=_ORDER_HELP)
    show.lead(removal.sentence)
    figure = figures.removal_steps(removal.steps, removal.rank, removal.alone_from, DEFAULT_K, colours)
    show.chart(figure, alt=removal.sentence, key="removal_steps")
    rank = st.column_config.NumberColumn
    show.table_twin(
        removal.steps,
        "Show as table",
        key="removal_table",
        column_config={
            "number": "Number",
            c.ITEM: "Item ID",
            c.TITLE: st.column_config.TextColumn("Taken away", width="medium"),
            "without": rank("Rank without it and those above"),
            "alone": rank("Rank with only these"),
        },
    )


def _by_attribute(shown: HistoryCase, view: View) -> None:
    """Draw the shares split by attribute, with the sums that lead to the score."""
    show.note(
        "Each row adds up to the item's share, each column to what the history adds through that attribute. Together "
        "with the part that needs no history, they make up the contributions of the score."
    )
    figure = figures.item_attribute_map(shown.items, shown.matrix, palette(view.dark))
    show.chart(figure, alt="What each past item contributed to the score by attribute", key="history_matrix")
    table = shown.matrix.assign(**{_TOTAL: shown.matrix.sum(axis=1)})
    history, alone = table.sum(), shown.alone
    alone = pd.concat([alone, pd.Series({_TOTAL: alone.sum()})])
    rows = pd.concat([table, pd.DataFrame([history, alone, history + alone])], ignore_index=True)
    sums = ["Whole history", "Without any history", "Total, without popularity"]
    rows.insert(0, "Item", [*shown.items[c.TITLE], *sums])
    number = st.column_config.NumberColumn(format="%+.3f")
    show.table_twin(
        show.plain(rows, 3),
        "Show as table, with the part that needs no history",
        key="history_matrix_table",
        column_config=dict.fromkeys(rows.columns[1:], number),
    )


def history_table(case: Case, attributes: dict[str, str], verb: InteractionVerb) -> None:
    """Show the history, newest first, with what is distinctive; every item's facts and scores on demand."""
    table = case.history.assign(**{c.CATEGORY: case.history[c.CATEGORY].map(category_words)})
    named = {
        c.DATETIME: st.column_config.DateColumn("Date", format="D MMM YYYY", width=90),
        c.TITLE: st.column_config.TextColumn("Item", width=190),
        c.CATEGORY: st.column_config.TextColumn("Category", width=95),
        c.PRICE: st.column_config.NumberColumn("Price", format="%.2f", width=60),
        "strongest": st.column_config.TextColumn(
            "Most distinctive", width="large", help="Attributes on which the item differs most from the catalogue"
        ),
    }
    show.table(
        table[[name for name in named if name in table]],
        hide_index=True,
        key="history",
        height=min(38 + 35 * len(table), 248),
        alt=f"{verb.nouns.capitalize()}, newest first",
        column_config=named,
    )
    dull = [c.WEIGHT] if table[c.WEIGHT].nunique() == 1 else []
    show.table_twin(
        table.drop(columns=dull),
        f"Details and scores of all {verb.count(len(table))}",
        key="history_facts",
        column_config={
            **named,
            "position": "Number",
            c.ITEM: "Item ID",
            c.WEIGHT: "Weight",
            **{name: st.column_config.NumberColumn(label, format="%.1f") for name, label in attributes.items()},
        },
    )
