"""Evaluation: whether the refined model is really better, and for whom."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import loaders, page, show, url
from guidedrec_core.app.errors import escaped, guard
from guidedrec_core.app.evaluation import audit as audit_parts
from guidedrec_core.app.evaluation import charts as evaluation_parts
from guidedrec_core.app.evaluation import checks as check_parts
from guidedrec_core.app.evaluation import comparison as comparison_parts
from guidedrec_core.app.evaluation import groups as group_parts
from guidedrec_core.app.evaluation import names as name_parts
from guidedrec_core.app.evaluation.tables import (
    control_table,
    difference_table,
    gain_table,
    list_measures,
    list_table,
    metric_table,
    model_list,
)
from guidedrec_core.app.export import export_menu
from guidedrec_core.evaluation.gain_parts import gain_parts, gain_sentence, strict_control
from guidedrec_core.evaluation.verdict import metric_label, metric_meaning, verdict
from guidedrec_core.figures.evaluation import gain_bar, gain_forest, metric_intervals, training_curves
from guidedrec_core.figures.theme import palette

view = page.set_up("Is it really better, and for whom?", ":material/balance:")
run = page.needs(view, "evaluation", "The measurements")
colours = palette(view.dark)
with guard():
    metrics, differences, slices, lists = (
        loaders.table(run.id, n) for n in ("metrics", "differences", "slices", "lists")
    )
    trained = {model: loaders.optional_table(i, "training") for model, i in run.inputs.items()}
export_menu(view, evaluation=run)
names = list(dict.fromkeys(metrics["metric"]))
default = next((n for n in names if n.startswith("NDCG")), names[0])
verb = view.verb
asked = url.current().get("measure")
url.follow("metric", asked if asked in names else default)
with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    metric = st.segmented_control(
        "Measure",
        names,
        required=True,
        format_func=metric_label,
        key="metric",
        on_change=url.keep,
        args=("measure", "metric"),
    )
    other = comparison_parts.choose(view)
if other is not None:
    comparison_parts.comparison(view, other, colours)

said = verdict(differences, metric)
show.lead(said.lead)
st.write(escaped(said.more))
show.note(
    f"{metric_label(metric)}: {metric_meaning(metric, verb)}. Bars show 95 % intervals.",
    help=f"{metric}. Intervals: paired bootstrap over {verb.users}, all models on the same cases.",
)
st.subheader("Where does the gain come from?", anchor=False)
gain = gain_parts(metrics, differences, metric)
gain_said = gain_sentence(gain, str(run.summary["split"]), verb)
st.write(escaped(gain_said))
show.chart(gain_bar(gain, colours), gain_said, "gain_parts")
gain_table(gain)
left, right = show.pair()
with left:
    st.subheader("How good is each model?", anchor=False)
    alt = f"{metric_label(metric)} for each model with 95 % intervals"
    show.chart(metric_intervals(metrics, metric, colours), alt, "metrics")
with right:
    st.subheader("How much does refinement gain?", anchor=False)
    show.chart(gain_forest(differences, metric, colours), f"Gains of the refined model. {said.sentence}", "gains")
st.subheader("Could something else explain the gain?", anchor=False)
control_table(differences, metric)
evaluation_parts.offer_controls(view, run)
name_parts.names(view, run, metrics, colours)
with st.expander("All numbers, and each model's purpose", icon=":material/table:"):
    model_list(metrics, verb)
    metric_table(metrics)
    difference_table(differences)

group_parts.for_whom(view, run, slices, metric, strict_control(differences, metric), colours)
evaluation_parts.sparsity(view, metric, colours)
evaluation_parts.attributes(view, metric, colours)
audit_parts.explanations(view, colours)

st.subheader("What are the lists like?", anchor=False)
show.note(
    f"Accuracy isn't everything. This is what the top {lists['metric'].iloc[0].partition('@')[2]} lists look like for "
    f"{verb.count_users(run.summary['n_listed'])}."
)
list_table(lists, verb)
with st.expander("What each column means, and what refinement changed", icon=":material/help:"):
    list_measures(lists, verb)

check_parts.checks(view)

st.subheader("How did training go?", anchor=False)
curves = [table.assign(model=model) for model, table in trained.items() if table is not None]
if not curves:
    show.note("Nothing was trained: the base model was imported as vectors, and the refinement is fitted at once.")
else:
    show.note(
        "Each pass goes once over the training data. The dot marks the version that was kept.",
        help="Left: NDCG@10 on the validation part; right: mean training loss. A pass is an epoch.",
    )
for column, name, title in zip(
    show.pair(), ("ndcg", "loss"), ("ranking quality on validation data", "training error"), strict=True
):
    with column:
        if curves:
            figure = training_curves(pd.concat(curves), name, title, colours)
            show.chart(figure, f"{title.capitalize()} of each model by training pass", f"curve_{name}")
facts = run.summary
for notice in loaders.json(run.id, "notices"):
    show.note(notice["message"])
show.note(
    f"{facts['n_cases']:,} test cases. Not counted: {facts['n_repeats']:,} that repeat an item of the history, "
    f"{facts['n_without_history']:,} without a history. Every model ranks the whole catalogue, without items the "
    f"{verb.user} has already {verb.participle}.",
    help=f"Split {facts['split']}. Intervals: {run.config['bootstrap_samples']:,} bootstrap samples of {verb.users}.",
)
page.footer(view)
