"""Parts of the Evaluation page that start further measurements, or show their results."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import jobs_panel, loaders, show
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.evaluation.tables import ablation_table
from guidedrec_core.app.page import View
from guidedrec_core.evaluation.ablation import DROP, KEEP, METRICS
from guidedrec_core.evaluation.ablation_words import ablation_sentence
from guidedrec_core.evaluation.verdict import metric_label, metric_noun
from guidedrec_core.figures.ablation import ablation_bars, number_curve, sparsity_forest, weight_bars
from guidedrec_core.figures.theme import Palette
from guidedrec_core.runs.store import RunInfo


def offer_controls(view: View, run: RunInfo) -> None:
    """Offer the controls that this evaluation leaves out, and say what they cost."""
    if run.config["controls"] == "all":
        return
    if view.entry.run.summary["mode"] == "head":
        cost = "Each takes between seconds and a minute."
    else:
        cost = "Each trains as long as the refined model did, so this takes about three times as long as refining."
    offer(
        view,
        "evaluate",
        "Run all checks",
        f"Three stricter checks: random numbers, the catalogue's categories, and the scores only. {cost}",
        evaluation={**run.config, "controls": "all"},
    )


def attributes(view: View, metric: str, colours: Palette) -> None:
    """Show the learned weights, and what each attribute is worth."""
    weights = loaders.optional_table(view.entry.run.id, "attribute_weights")
    labels = {a.name: a.label for a in loaders.schema(view.entry.run.inputs["scores"]).attributes}
    ablation = view.entry.ablation
    table = None if ablation is None else loaders.table(ablation.id, "ablation")
    measure = metric if metric in METRICS else METRICS[-1]
    st.subheader("Which attributes matter to the model?", anchor=False)
    if weights is None or view.entry.run.summary["mode"] == "literal":
        show.note(
            "This kind of refinement gives attributes no weights of their own.",
            help="In literal mode the network itself decides what counts.",
        )
    else:
        show.note(
            f"How much it counts that an item matches the {view.verb.user}'s taste on an attribute. Below 0: "
            f"{view.verb.users} tend to switch to the opposite. Related attributes share their weight, so one of them "
            "may look small."
        )
        left, right = show.pair()
        with left:
            heaviest = ", ".join(labels.get(name, name) for name in _heaviest(weights))
            show.chart(weight_bars(weights, labels, colours), f"Learned weights; the largest: {heaviest}", "weights")
        if table is not None:
            with right:
                alt = f"{metric_label(measure)} by the number of attributes used"
                show.chart(number_curve(table, measure, labels, colours), alt, "numbers")
    st.subheader("What is each attribute worth?", anchor=False)
    if table is None or ablation is None:
        offer(
            view,
            "ablate",
            "Remove one at a time",
            "The model is refitted without each attribute, with each one alone, and with the most important few. This "
            "uses a fast variant of refinement: seconds per attribute, a few minutes in total.",
        )
        return
    sentence = ablation_sentence(table, measure, labels)
    st.write(escaped(sentence))
    mode = str(ablation.config["mode"])
    how = "by a fast variant of refinement" if mode == "head" else "in full"
    show.note(
        f"Each bar is a model refitted {how}, measured on {ablation.summary['n_cases']:,} test cases. Grey: no clear "
        "change (the interval includes 0).",
        help=f"Mode {mode}. For understanding the model only: no setting was chosen on these test cases.",
    )
    for column, kind, title in zip(
        show.pair(), (DROP, KEEP), ("Without it, compared with all", "Only it, compared with none"), strict=True
    ):
        with column:
            st.markdown(f"**{title}**")
            show.chart(ablation_bars(table, kind, measure, labels, colours), f"{title}. {sentence}", f"ablation_{kind}")
    with st.expander("Show as table", icon=":material/table:"):
        ablation_table(table, labels)


def sparsity(view: View, metric: str, colours: Palette) -> None:
    """Show the gain on shorter histories, where it was measured."""
    if view.entry.sparsity is None:
        return
    differences = loaders.table(view.entry.sparsity.id, "differences")
    st.subheader("Does it help more when little is known?", anchor=False)
    show.note(
        f"All models retrained on only the latest part of every {view.verb.activity} history; the test cases stay the "
        "same."
    )
    chart = sparsity_forest(differences, metric, colours, view.verb)
    show.chart(chart, f"Gain in {metric_noun(metric)} by the share of histories kept", "sparsity")


def _heaviest(weights: pd.DataFrame, most: int = 3) -> list[str]:
    """Name the attributes with the largest weights."""
    order = weights["weight"].abs().sort_values(ascending=False, kind="stable").index
    return list(weights["attribute"][order[:most]])


def offer(view: View, task: str, label: str, text: str, **arguments: object) -> None:
    """Offer to start a job; say when another one is running, and how it ended if it failed."""
    job = jobs_panel.latest(view.dataset, task)
    about_this = job is not None and job.arguments.get("run") == view.entry.run.id
    if job is not None and about_this and job.status in ("failed", "interrupted", "cancelled"):
        jobs_panel.show_ended(job)
        return
    busy = view.job is not None and view.job.active
    show.note(f"{text} {'Another job is running; its progress is in the sidebar.' if busy else ''}")
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
