"""Evaluation: whether the refined model is really better, and for whom."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import loaders, page, show
from guidedrec_core.app.errors import escaped, guard
from guidedrec_core.app.evaluation import audit as audit_parts
from guidedrec_core.app.evaluation import charts as evaluation_parts
from guidedrec_core.app.evaluation.tables import (
    control_table,
    difference_table,
    list_measures,
    list_table,
    metric_table,
    model_list,
    slice_table,
)
from guidedrec_core.evaluation.slice_words import slice_gains, slice_sentence
from guidedrec_core.evaluation.verdict import metric_meaning, verdict
from guidedrec_core.figures.evaluation import gain_forest, metric_intervals, slice_forest, training_curves
from guidedrec_core.figures.theme import palette

view = page.set_up("Is it really better, and for whom?", ":material/analytics:")
run = page.needs(view, "evaluation", "The measurements")
colours = palette(view.dark)
with guard():
    metrics, differences, slices, lists = (
        loaders.table(run.id, n) for n in ("metrics", "differences", "slices", "lists")
    )
    trained = {model: loaders.optional_table(i, "training") for model, i in run.inputs.items()}
names = list(dict.fromkeys(metrics["metric"]))
default = next((n for n in names if n.startswith("NDCG")), names[0])
metric = st.segmented_control("Measure", names, default=default, required=True, key="metric")

said = verdict(differences, metric)
show.lead(said.lead)
st.write(escaped(said.more))
show.note(f"{metric}: {metric_meaning(metric)}. Bars are 95 % intervals over users, drawn from the same cases.")
left, right = show.pair()
with left:
    st.subheader("How good is each model?", anchor=False)
    alt = f"{metric} of each model with 95 % intervals"
    show.chart(metric_intervals(metrics, metric, colours), alt, "metrics")
with right:
    st.subheader("What does refinement gain, and over what?", anchor=False)
    show.chart(gain_forest(differences, metric, colours), f"Gains of the refined model. {said.sentence}", "gains")
st.subheader("What could the controls have shown?", anchor=False)
control_table(differences, metric)
evaluation_parts.offer_controls(view, run)
with st.expander("All numbers, and what each model is there for", icon=":material/table:"):
    model_list(metrics)
    metric_table(metrics)
    difference_table(differences)

st.subheader("For whom?", anchor=False)
for column, slice_by in zip(show.pair(), ("item popularity", "history length"), strict=True):
    with column:
        sentence = slice_sentence(slices, slice_by, metric)
        st.text(sentence)
        show.chart(slice_forest(slices, slice_by, metric, colours), sentence, f"slices_{slice_by}")
        with st.expander("As a table", icon=":material/table:"):
            slice_table(slice_gains(slices, slice_by, metric))
evaluation_parts.sparsity(view, metric, colours)
evaluation_parts.attributes(view, metric, colours)
audit_parts.explanations(view, colours)

st.subheader("What are the lists like?", anchor=False)
show.note(
    f"Being right is not all: what the first {lists['metric'].iloc[0].partition('@')[2]} recommendations are like, for "
    f"{run.summary['n_listed']:,} users."
)
list_table(lists)
with st.expander("What each column means, and what refinement changed", icon=":material/help:"):
    list_measures(lists)

st.subheader("How did training go?", anchor=False)
curves = [table.assign(model=model) for model, table in trained.items() if table is not None]
if not curves:
    show.note("Nothing was trained: the base was brought as vectors, and a head is fitted at once.")
for column, name, title in zip(
    show.pair(), ("ndcg", "loss"), ("validation NDCG@10 (dot: kept)", "training loss"), strict=True
):
    with column:
        if curves:
            figure = training_curves(pd.concat(curves), name, title, colours)
            show.chart(figure, f"{title} by epoch of each model", f"curve_{name}")
facts = run.summary
for notice in loaders.json(run.id, "notices"):
    show.note(notice["message"])
show.note(
    f"{facts['n_cases']:,} test cases, split {facts['split']}; left out: {facts['n_repeats']:,} that repeat an item of "
    f"the history, {facts['n_without_history']:,} without a history. Every model ranks the whole catalogue; items the "
    f"user has already are not ranked. Intervals: {run.config['bootstrap_samples']:,} bootstrap samples of users."
)
page.footer(view)
