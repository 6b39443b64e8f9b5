"""Parts of the Evaluation page that start work, or show what such work has found."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import jobs_panel, loaders, show
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.evaluation.tables import ablation_table
from guidedrec_core.app.page import View
from guidedrec_core.evaluation.ablation import DROP, KEEP, METRICS
from guidedrec_core.evaluation.ablation_words import ablation_sentence
from guidedrec_core.figures.ablation import ablation_bars, number_curve, sparsity_forest, weight_bars
from guidedrec_core.figures.theme import Palette
from guidedrec_core.runs.store import RunInfo


def offer_controls(view: View, run: RunInfo) -> None:
    """Offer the controls that this evaluation leaves out, and say what they cost."""
    if run.config["controls"] == "all":
        return
    if view.entry.run.summary["mode"] == "head":
        cost = "Each is fitted in seconds to a minute."
    else:
        cost = (
            "Each is trained as long as the refined model was, so this takes about three times as long as refining did."
        )
    offer(
        view,
        "evaluate",
        "Run all controls",
        f"Three more ask more: random vectors, the catalogue's categories, and the scores alone. {cost}",
        evaluation={**run.config, "controls": "all"},
    )


def attributes(view: View, metric: str, colours: Palette) -> None:
    """Show the learned weights, and what each attribute is worth."""
    weights = loaders.optional_table(view.entry.run.id, "attribute_weights")
    labels = {a.name: a.label for a in loaders.schema(view.entry.run.inputs["scores"]).attributes}
    ablation = view.entry.ablation
    table = None if ablation is None else loaders.table(ablation.id, "ablation")
    measure = metric if metric in METRICS else METRICS[-1]
    st.subheader("What did the model learn to weigh?", anchor=False)
    if weights is None or view.entry.run.summary["mode"] == "literal":
        show.note("In the literal form no attribute has a weight of its own: the module itself says what counts.")
    else:
        show.note(
            "How much a match of user and item on an attribute counts. Below 0: shoppers turn to the other end after a "
            "while. Attributes that go together share their weight, so one of them may look small."
        )
        left, right = show.pair()
        with left:
            heaviest = ", ".join(labels.get(name, name) for name in _heaviest(weights))
            show.chart(weight_bars(weights, labels, colours), f"Learned weights; the heaviest: {heaviest}", "weights")
        if table is not None:
            with right:
                alt = f"{measure} by the number of attributes used"
                show.chart(number_curve(table, measure, labels, colours), alt, "numbers")
    st.subheader("What is each attribute worth?", anchor=False)
    if table is None or ablation is None:
        offer(
            view,
            "ablate",
            "Leave out one at a time",
            "The model is made anew without each attribute, with each alone, and with the first few. A quick form of "
            "it, the head on the frozen base, is used: seconds an attribute, minutes in all.",
        )
        return
    sentence = ablation_sentence(table, measure, labels)
    st.write(escaped(sentence))
    said = {"head": "a head on the frozen base", "additive": "an additive model", "literal": "a literal model"}
    show.note(
        f"Each bar is {said[str(ablation.config['mode'])]} made anew, {ablation.summary['n_cases']:,} test cases. "
        "Grey: the interval holds 0. Shown to understand the model; nothing is chosen by it."
    )
    for column, kind, title in zip(
        show.pair(), (DROP, KEEP), ("Left out, against all", "Alone, against none"), strict=True
    ):
        with column:
            st.markdown(f"**{title}**")
            show.chart(ablation_bars(table, kind, measure, labels, colours), f"{title}. {sentence}", f"ablation_{kind}")
    with st.expander("As a table", icon=":material/table:"):
        ablation_table(table, labels)


def sparsity(view: View, metric: str, colours: Palette) -> None:
    """Show what is left of the gain on shorter histories, where it was measured."""
    if view.entry.sparsity is None:
        return
    differences = loaders.table(view.entry.sparsity.id, "differences")
    st.subheader("Does it help more where little is known?", anchor=False)
    show.note(
        "Base, refined model and controls trained anew on the latest part of every training history; the held-out "
        "interactions stay the same."
    )
    chart = sparsity_forest(differences, metric, colours)
    show.chart(chart, f"Gain in {metric} by the share of histories kept", "sparsity")


def _heaviest(weights: pd.DataFrame, most: int = 3) -> list[str]:
    """Name the attributes with the largest weights."""
    order = weights["weight"].abs().sort_values(ascending=False, kind="stable").index
    return list(weights["attribute"][order[:most]])


def offer(view: View, task: str, label: str, text: str, **arguments: object) -> None:
    """Offer to start work; say so where it is under way, and how it ended where it failed."""
    job = jobs_panel.latest(view.dataset, task)
    about_this = job is not None and job.arguments.get("run") == view.entry.run.id
    if job is not None and about_this and job.status in ("failed", "interrupted", "cancelled"):
        jobs_panel.show_ended(job)
        return
    busy = view.job is not None and view.job.active
    show.note(f"{text} {'Something is under way already; its progress is at the top.' if busy else ''}")
    st.button(
        label,
        icon=":material/play_arrow:",
        on_click=_start,
        args=(task, view, arguments),
        disabled=busy,
        key=f"start_{task}",
    )


def _start(task: str, view: View, arguments: dict[str, object]) -> None:
    jobs_panel.start(task, view.dataset, view.entry.run.id, **arguments)
