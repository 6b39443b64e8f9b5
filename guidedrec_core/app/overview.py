"""Parts of the Overview."""

from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import jobs_panel, page, show, url
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.cases.key import HELD_OUT
from guidedrec_core.data.bundled import BUNDLED
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.verdict import (
    HIGHLIGHT_WORDS,
    MODEL_WORDS,
    Headline,
    highlight_sentence,
    metric_label,
)

CASE_STUDY = "pages/1_Case_study.py"
_OWN_DATA = """\
guidedrec data import --name my-shop \\
    --format csv --path purchases.csv
guidedrec build my-shop \\
    --attributes attributes.json \\
    --item-scores scores.csv"""


def dataset_line(facts: dict[str, Any], attributes: int, verb: InteractionVerb) -> None:
    """Show the facts of the data set in one line, and the notes of its import."""
    history = facts["history"]
    first, last = (pd.Timestamp(facts[name]) for name in ("first", "last"))
    show.note(
        f"{verb.count_users(facts['users'])} · {facts['items']:,} items in {facts['categories']:,} categories · "
        f"{verb.count(facts['interactions'])}, {first:%b %Y} to {last:%b %Y} · "
        f"{history['min']:,} to {history['max']:,} per {verb.user}, median {history['median']:g} · "
        f"{attributes} attributes"
    )
    if facts["notices"]:
        count = len(facts["notices"])
        with st.expander(f"{count} import note{'s' if count > 1 else ''}", icon=":material/info:"):
            for notice in facts["notices"]:
                st.write(escaped(notice["message"]))


def headlines(figures: list[Headline]) -> None:
    """Show the refined model's figures with their change from the base model."""
    grid = st.grid(len(figures), min_column_width=230)
    for figure in figures:
        with grid.cell():
            st.metric(
                escaped(figure.label),
                figure.value,
                delta=f"{figure.change} over base",
                delta_color="off" if figure.effect == "unclear" else "normal",
                help=escaped(
                    f"{figure.metric} of the refined model: {figure.meaning}. Below: its change from the base model, "
                    "with the 95 % interval of that change."
                ),
            )
            clear = "" if figure.effect != "unclear" else ", no clear change"
            show.note(f"95 % interval {figure.interval}{clear}")
            for control in figure.controls:
                show.note(control)


def metrics_table(metrics: pd.DataFrame) -> None:
    """Offer the figures of all models as a table."""
    number = st.column_config.NumberColumn
    show.table_twin(
        metrics.assign(model=metrics["model"].map(MODEL_WORDS), metric=metrics["metric"].map(metric_label)),
        "Show as table, with simple models",
        key="metrics",
        column_config={
            "model": "Model",
            "metric": "Measure",
            "value": number("Value", format="%.4f"),
            "ci_low": number("95 % interval from", format="%.4f"),
            "ci_high": number("to", format="%.4f"),
        },
    )


def cards(highlights: pd.DataFrame, catalogue: pd.DataFrame, verb: InteractionVerb) -> None:
    """Show suggested cases, three in a row, each with a link."""
    if highlights.empty:
        show.note("Base and refined model rank every test case the same, so there are no cases to suggest.")
        return
    titles = catalogue.set_index(c.ITEM)[c.TITLE]
    grid = st.grid(3, min_column_width=260)
    for _, row in highlights.iterrows():
        user, item = str(row[c.USER]), str(row[c.ITEM])
        with grid.cell().container(border=True, height="stretch"):
            st.markdown(f"**{HIGHLIGHT_WORDS[row['kind']]}**")
            st.write(escaped(highlight_sentence(titles[item], row["base_rank"], row["refined_rank"], verb)))
            show.note(
                f"{verb.user.capitalize()} {user}: {verb.count(row['history_length'], 'past')}. "
                f"Item: {verb.count(row['item_interactions'])} in the training data."
            )
            st.page_link(
                CASE_STUDY,
                label="Open this case",
                icon=":material/arrow_forward:",
                query_params=url.link(user=user, item=item, history=HELD_OUT),
            )


def next_steps(verb: InteractionVerb) -> None:
    """Link to the other pages, and say how to import other data."""
    ways, own = show.pair()
    with ways:
        st.subheader("Explore", anchor=False)
        for path, _, question, icon in page.PAGES[1:]:
            if path == page.BRING_DATA:
                continue  # it has a place of its own, next to this
            st.page_link(path, label=page.question_for(question, verb), icon=icon, query_params=url.link())
    with own:
        st.subheader("Bring your own data", anchor=False)
        st.write(f"A {verb.noun} table (who, what, when) and a score for each item and attribute.")
        st.page_link(page.BRING_DATA, label="Bring your data", icon=":material/upload_file:", query_params=url.link())
        st.caption("Or in a terminal:")
        st.code(_OWN_DATA, language="bash")


def build_again(view: View) -> None:
    """Offer to build a bundled data set once more, which ships built; show how the last build ended."""
    if view.dataset not in BUNDLED:
        return
    st.subheader("Build it again", anchor=False)
    job = jobs_panel.latest(view.dataset, "build")
    if job is not None and job.status in ("failed", "interrupted", "cancelled"):
        jobs_panel.show_ended(job)
        return
    busy = view.job is not None and view.job.active
    show.note(
        "The shop comes with its models trained and measured. Building it again trains, refines, measures and maps it "
        "on this machine, and takes a minute or two. Stored runs stay as they are."
        f"{' Another job is running; its progress is in the sidebar.' if busy else ''}"
    )
    with st.container(horizontal=True):
        st.button(
            "Build it again",
            icon=":material/restart_alt:",
            on_click=_build_again,
            args=(view.dataset,),
            disabled=busy,
            key="build_again",
        )
        if job is not None and job.status == "done" and job.run_id not in (None, view.entry.run.id):
            st.button(
                "Open the new run",
                icon=":material/arrow_forward:",
                on_click=url.update,
                kwargs={"run": job.run_id},
                key="open_built",
            )


def _build_again(dataset: str) -> None:
    jobs_panel.build_again(dataset)
