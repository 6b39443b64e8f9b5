"""Overview: what did refinement change here?"""

import streamlit as st

from guidedrec_core.app import loaders, overview, page, show
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.first_visit import glossary, tour
from guidedrec_core.evaluation import verdict
from guidedrec_core.figures import overview as figures
from guidedrec_core.figures.theme import palette

view = page.set_up("What did refinement change here?", icon=":material/insights:")
facts = loaders.facts(view.entry.data.id)

lead = st.container()
show.about(view.verb)
with st.container(horizontal=True, vertical_alignment="center"):
    tour.offer()
    glossary.offer(view.verb)
overview.dataset_line(facts, len(loaders.schema(view.entry.run.inputs["scores"])), view.verb)

with lead:
    evaluation = page.needs(view, "evaluation", "The measurements")
    metrics, differences = (loaders.table(evaluation.id, name) for name in ("metrics", "differences"))
    show.lead(verdict.overview_sentence(view.dataset_title, metrics, evaluation.summary["split"], view.verb))

st.subheader("Is it better?", anchor=False)
st.write(escaped(verdict.verdict(differences).sentence))
overview.headlines(verdict.headlines(metrics, differences, view.verb))
show.chart(
    figures.dumbbells(metrics, palette(view.dark), view.verb),
    alt="Each measure for the base model, two comparison models and the refined model, with 95 % intervals",
    key="dumbbells",
)
overview.metrics_table(metrics)

st.subheader("Suggested cases", anchor=False)
overview.cards(loaders.table(evaluation.id, "highlights"), loaders.table(view.entry.data.id, "catalogue"), view.verb)

overview.next_steps(view.verb)
overview.build_again(view)
page.footer(view)
