"""Bring your data: files to a data set, and with scores to a recommender whose reasons have names."""

import streamlit as st

from guidedrec_core.app import page, show
from guidedrec_core.app.bring_data import build, choices, files
from guidedrec_core.errors import GuidedrecError

QUESTION = "How do I bring my own data?"
page.finish(page.begin(QUESTION, ":material/upload_file:"))
job = build.job()
if job is not None:
    build.follow(job)
    st.stop()

show.lead("Upload who bought what and when; see what comes of it before anything is stored.")
show.note(
    "At most 200 MB a file. Larger files are read by the command guidedrec data import, or from a folder of this "
    "machine that the setting GUIDEDREC_DATA_FOLDER names. Nothing is left out silently."
)
st.subheader("1. Files", anchor=False)
left, right = show.pair()
with left:
    path = files.choose("Interactions: one row for each purchase, view or rating", "bring_file")
with right:
    items = files.choose(
        "Items (optional): one row for each item", "bring_items", help="item_id, title, category, price, image, …"
    )
if path is None:
    st.stop()

st.subheader("2. Columns", anchor=False)
try:
    chosen = choices.choose(path, items)
except GuidedrecError as error:
    files.problem(error)
    st.stop()

st.subheader("3. What comes of it", anchor=False)
if not build.check(chosen):
    st.stop()

st.subheader("4. Attributes and scores", anchor=False)
left, right = show.pair()
with left:
    schema = build.attributes()
with right:
    scores = files.choose(
        "Scores (optional): item_id and one column for each attribute, 0 to 10",
        "bring_scores",
        types=["csv", "parquet"],
    )

st.subheader("5. Build", anchor=False)
build.start(chosen, schema, scores)
