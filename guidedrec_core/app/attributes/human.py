"""Part of the Attributes page: do people see in items what their scores say?"""

import pandas as pd
import streamlit as st

from guidedrec_core.app import show
from guidedrec_core.app.attributes import loaders
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.figures.attributes import people_dots
from guidedrec_core.figures.theme import Palette
from guidedrec_core.runs.store import Run

_LARGEST = 20  # megabytes of a table


def people(scores: Run, schema: AttributeSchema, colours: Palette) -> None:
    """Take a table of judgements and show how far the scores agree with it; nothing of it is stored.

    Parameters
    ----------
    scores : Run
        Of stage ``scores``.
    schema : AttributeSchema
        Its attributes.
    colours : Palette
        From `theme.palette`.
    """
    st.subheader("Do people agree?", anchor=False)
    with st.expander("Compare with what people say", icon=":material/group:"):
        sent = st.file_uploader(
            "CSV file of judgements, one answer a row: item_id, attribute, value and, if known, rater",
            "csv",
            key="judgements",
            max_upload_size=_LARGEST,
            help=escaped(
                f"Attributes: {', '.join(schema.names)}. Values on any scale; larger is more. The file is not stored."
            ),
        )
        if sent is None:
            return
        try:
            found = loaders.people(scores.id, sent.name, sent.getvalue())
        except GuidedrecError as error:
            complain(error)
            return
        # Loads what the page can do without until a file is there.
        from guidedrec_core.audit import human_words

        labels = {attribute.name: attribute.label for attribute in schema.attributes}
        said = " ".join(human_words.sentences(found.summary, labels))
        st.write(escaped(said))
        rows = found.table.assign(
            label=found.table["attribute"].map(labels),
            said=[human_words.phrase(row, labels) for row in found.table.to_dict("records")],
        )
        if found.summary["attributes"]:
            show.chart(people_dots(rows, colours), said, "people")
        _table(rows)


def _table(rows: pd.DataFrame) -> None:
    """Show the figures of each attribute."""
    number = st.column_config.NumberColumn
    show.table(
        rows[["label", "n_items", "spearman", "people", "categories", "shuffled", "rank", "said"]],
        hide_index=True,
        height="content",
        key="people_table",
        column_config={
            "label": "Attribute",
            "n_items": number("Items judged", format="%d"),
            "spearman": number("Agreement", format="%.2f", help="Spearman's rank correlation of scores and judgements"),
            "people": number("Two people", format="%.2f", help="The same for two people who judge the same item"),
            "categories": number("Categories", format="%.2f", help="The same for categories in place of scores"),
            "shuffled": number("Shuffled scores", format="%.2f"),
            "rank": number(
                "Place", format="%d", help="1 = no other column of scores agrees better with the judgements"
            ),
            "said": "Verdict",
        },
    )
