"""Input of a new item: scores set by hand, a pasted listing, or a table of listings."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, show
from guidedrec_core.app.attributes.scoring_words import key_sentence
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.items import loaders as item_loaders
from guidedrec_core.app.page import View
from guidedrec_core.config import ScoringConfig
from guidedrec_core.data.catalogue import Catalogue
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.tables import parse_csv
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.llm.address import check_visitors_url, has_key, meant_url
from guidedrec_core.progress import Progress
from guidedrec_core.vectors.text import Embed, local_model

_WAY, _HAND, _SCORED = "preview_way", "preview_hand", "preview_scored"
_WAYS = {"hand": "Set its scores by hand", "paste": "Paste a listing", "table": "Upload a table"}
_JUDGES = {"language": "Language model", "text": "Text model (less accurate)"}
_LARGEST = 5  # megabytes of a table
_STEPS = 20
_NARROWEST = 250  # pixels of a slider


@dataclass(frozen=True)
class Wanted:
    """An item to preview; equal ones have equal previews.

    Attributes
    ----------
    title : str
        Its display name.
    scores : tuple of (str, float)
        Raw score of each attribute; NaN = missing.
    caveats : tuple of str
        Warnings about the scores.
    """

    title: str
    scores: tuple[tuple[str, float], ...]
    caveats: tuple[str, ...] = ()


def wanted(view: View, answer: DeltaGenerator) -> Wanted | None:
    """Show the inputs of an item and return it; None as long as there is none.

    Parameters
    ----------
    view : View
        The data set and run under study.
    answer : DeltaGenerator
        Where to show progress.
    """
    run_id = view.entry.run.id
    way = st.segmented_control(
        "How to describe it",
        list(_WAYS),
        default="hand",
        required=True,
        format_func=_WAYS.__getitem__,
        key=_WAY,
        persist_state="session",
    )
    there = st.session_state.get(_HAND if way == "hand" else f"{_SCORED}_{way}")
    known = there is not None and there[0] == run_id
    with st.expander("Describe the item", expanded=not known, icon=":material/edit_note:"):
        if way == "hand":
            _by_hand(view)
        else:
            _listings(view, str(way), answer)
    there = st.session_state.get(_HAND if way == "hand" else f"{_SCORED}_{way}")
    if there is None or there[0] != run_id:
        return None
    return there[1] if way == "hand" else _chosen(str(way))


def _by_hand(view: View) -> None:
    """Show one slider per attribute."""
    system = loaders.system(view.entry.run.id)
    schema, raw = system.schema, system.item_scores.values
    start = np.nanmean(raw, axis=0)
    begin = "average"
    if view.item is not None and view.item in system.data.dataset.items:
        like = item_loaders.index(view.entry.data.id).title(view.item)
        words = {"average": "Catalogue average", "item": escaped(like)}
        begin = st.segmented_control(
            "Start from", list(words), default="average", required=True, format_func=words.__getitem__,
            key="preview_begin",
        )  # fmt: skip
        if begin == "item":
            own = raw[system.data.dataset.items.index(view.item)]
            start = np.where(np.isnan(own), start, own)
    low, high = schema.scale.min, schema.scale.max
    step = (high - low) / _STEPS
    start = np.round((start - low) / step) * step + low
    with st.form("preview_by_hand", border=False):
        title = st.text_input("Name", "The new item", key="preview_name", max_chars=200)
        grid = st.grid(3, min_column_width=_NARROWEST, gap="medium")
        scores = {}
        for attribute, value in zip(schema.attributes, start.tolist(), strict=True):
            scores[attribute.name] = grid.cell().slider(
                escaped(attribute.label), low, high, value, step, format="%g",
                key=f"preview_{attribute.name}_{begin}_{view.item if begin == 'item' else ''}",
                help=escaped(f"{low:g}: {attribute.low}; {high:g}: {attribute.high}"),
            )  # fmt: skip
        if st.form_submit_button("Preview", type="primary", icon=":material/visibility:", key="preview_do"):
            name = title.strip() or "The new item"
            st.session_state[_HAND] = (view.entry.run.id, Wanted(name, tuple(scores.items())))
            st.rerun()


def _listings(view: View, way: str, answer: DeltaGenerator) -> None:
    """Show the inputs of listings and of the model that scores them; score them."""
    from guidedrec_core.stages.scoring.new_listings import MOST_LISTINGS, scored_as

    system = loaders.system(view.entry.run.id)
    with st.form(f"preview_{way}", border=False):
        if way == "paste":
            title = st.text_input("Title", key="preview_title", max_chars=500)
            left, right = show.pair()
            category = left.text_input("Category", key="preview_category", placeholder="As in the catalogue")
            price = right.number_input("Price", 0.0, value=None, key="preview_price", placeholder="Unknown")
            description = st.text_area("Description", key="preview_description", max_chars=10_000)
        else:
            sent = st.file_uploader(
                f"CSV file of up to {MOST_LISTINGS} listings: title and, if known, category, price and description",
                "csv", key="preview_file", max_upload_size=_LARGEST,
            )  # fmt: skip
        judge = st.segmented_control(
            "Scored by", list(_JUDGES), default="language", required=True, format_func=_JUDGES.__getitem__,
            key="preview_judge", persist_state="session",
        )  # fmt: skip
        left, right = show.pair()
        model = left.text_input(
            "Model", scored_as(system).get("model", ""), key="preview_model", persist_state="session",
            placeholder="gpt-4.1-mini",
        )  # fmt: skip
        base_url = right.text_input(
            "Server", key="preview_url", persist_state="session",
            placeholder=meant_url(None),
            help="Any OpenAI-compatible server. Without one, a text model on this machine is used.",
        )  # fmt: skip
        meant = meant_url(base_url.strip())
        show.note(key_sentence(has_key(), urlsplit(meant).hostname or meant, recorded=False))
        if not st.form_submit_button(
            "Score and preview", type="primary", icon=":material/play_arrow:", key="preview_score"
        ):
            return
    try:
        if way == "paste":
            fields = {c.TITLE: title, c.CATEGORY: category, c.PRICE: price, c.DESCRIPTION: description}
            frame = pd.DataFrame([fields])
        elif sent is None:
            show.note("Choose a file first.")
            return
        else:
            frame = parse_csv(sent.getvalue(), sent.name)
        with answer:
            _score(view, way, frame, str(judge), model.strip(), base_url.strip() or None)
    except GuidedrecError as error:
        complain(error)
        return
    st.rerun()


def _score(view: View, way: str, frame: pd.DataFrame, judge: str, model: str, base_url: str | None) -> None:
    """Score listings with a progress bar, and keep the result for this session."""
    from guidedrec_core.stages.scoring.new_listings import (
        listings_table,
        score_listings,
        score_listings_offline,
        scored_as,
    )

    if judge == "language" or base_url is not None:
        check_visitors_url(base_url)
    system = loaders.system(view.entry.run.id)
    listings: Catalogue
    notices: tuple[Notice, ...]
    listings, notices = listings_table(frame)
    config = ScoringConfig.parse({**scored_as(system), "model": model, "base_url": base_url})
    bar = st.progress(0.0, text=escaped(f"Scoring with {model}"))

    def listen(event: Progress) -> None:
        bar.progress(
            min(event.step / max(event.total, 1), 1.0), text=escaped(f"Scoring with {model} · {event.message}")
        )

    if judge == "language":
        scored = score_listings(view.store, system, listings, config, listen)
    else:
        scored = score_listings_offline(system, listings, _text_model(model, base_url), model, config, listen)
    st.session_state[f"{_SCORED}_{way}"] = (view.entry.run.id, scored, [notice.message for notice in notices])


def _text_model(model: str, base_url: str | None) -> Embed:
    """Return a text model of a server, or of this machine."""
    from guidedrec_core.llm.client import LlmClient

    if base_url is None:
        return local_model(model)
    client = LlmClient(base_url)
    return lambda texts: client.embed(texts, model)


def _chosen(way: str) -> Wanted | None:
    """Show what could not be scored; return the listing to preview."""
    _, scores, notices = st.session_state[f"{_SCORED}_{way}"]
    good = [one for one in scores.listings if one.scores is not None]
    failed = [one for one in scores.listings if one.scores is None]
    for notice in notices:
        show.note(notice)
    if failed:
        said = [f"- {escaped(one.title)}: {escaped(one.fault)}" for one in failed]
        title = f"{len(failed):,} of {len(scores.listings):,} could not be scored"
        st.warning("\n".join(said), title=title, icon=":material/report:")
    if not good:
        return None
    place = 0
    if len(scores.listings) > 1:
        place = st.selectbox(
            f"Listing ({len(good):,} scored)", range(len(good)), format_func=lambda n: good[n].title,
            key="preview_which",
        )  # fmt: skip
    one = good[place]
    return Wanted(one.title, tuple(one.scores.items()), scores.caveats)
