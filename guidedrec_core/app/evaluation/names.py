"""The part of the Evaluation page that says how much of what decides the lists has a name."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.evaluation.named_words import PART_WORDS, control_sentence, named_sentence
from guidedrec_core.figures.names import frontier, line_shares
from guidedrec_core.figures.theme import Palette
from guidedrec_core.language import percent
from guidedrec_core.runs.store import RunInfo


def names(view: View, run: RunInfo, metrics: pd.DataFrame, colours: Palette) -> None:
    """Show what names cover and what ranking by names alone costs; nothing where that was not measured."""
    shares = loaders.optional_table(run.id, "named_shares")
    if shares is None:
        return
    lines, table = loaders.table(run.id, "named_lines"), loaders.table(run.id, "frontier")
    verb = view.verb
    sentence = named_sentence(table, lines)
    st.subheader("How much of it has a name?", anchor=False)
    st.write(escaped(sentence))
    show.note(
        control_sentence(shares, verb),
        help="Covariance of each part with the score over a user's 50 best unseen items, divided by the score's "
        "variance; mean over users. The named part of an item comes from a ridge regression fitted without its fold.",
    )
    left, right = show.pair()
    with left:
        st.markdown("**What decides which items come first**")
        show.chart(line_shares(lines, shares, colours, verb), f"Share of each reason. {sentence}", "named_shares")
    with right:
        st.markdown("**What counting less of the rest costs**")
        alt = f"Ranking quality by how much of what has no name counts. {sentence}"
        show.chart(frontier(table, metrics, colours), alt, "frontier")
        stable = run.summary["named"]["stable_lines"]
        show.note(
            "Left: only reasons with a name rank the items. Right: everything counts.",
            help=f"{percent(stable['kept'])} of {stable['lines']:,} sizeable reasons keep their sign in at least "
            "95 % of bootstrap resamples of items.",
        )
    with st.expander("Show as table", icon=":material/table:"):
        shown = shares.assign(part=shares["part"].map(PART_WORDS))
        share = st.column_config.NumberColumn
        show.table(
            shown,
            hide_index=True,
            key="named_share_table",
            alt="Shares of parts with their 95 % intervals",
            column_config={
                "part": st.column_config.TextColumn("Part"),
                "share": share("Share", format="percent"),
                "ci_low": share("From", format="percent"),
                "ci_high": share("To", format="percent"),
            },
        )
