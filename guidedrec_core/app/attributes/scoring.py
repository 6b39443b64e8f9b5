"""Part of the Attributes page: scoring with a language model, from an estimate to the scores."""

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.attributes import edited, scoring_progress
from guidedrec_core.app.attributes.loaders import Scores
from guidedrec_core.app.attributes.scoring_words import key_sentence, plan_sentence
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.columns import ITEM
from guidedrec_core.config import ScoringConfig, SplitConfig
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.llm.address import check_visitors_url, has_key, meant_url
from guidedrec_core.scoring.scorer import ScoringPlan

_PLAN = "score_plan"
_SEEN: Literal["session"] = "session"  # inputs are kept when another tab or page is opened


@dataclass(frozen=True)
class _Wanted:
    """What to score, and how; equal ones have equal plans."""

    schema: AttributeSchema
    config: ScoringConfig
    users: bool
    split: SplitConfig

    def arguments(self, dataset: str) -> dict[str, Any]:
        """Return the arguments of the job."""
        return {
            "dataset": dataset,
            "schema": self.schema.model_dump(mode="json"),
            "scoring": self.config.model_dump(mode="json"),
            "users": self.users,
            "split": self.split.model_dump(mode="json"),
        }


def scoring(view: View, scores: Scores, used: AttributeSchema) -> None:
    """Scoring the data set by a language model: settings, an estimate, the run itself, its result.

    Parameters
    ----------
    view : View
        The data set and run under study.
    scores : Scores
        Its scores, and newer ones.
    used : AttributeSchema
        The attributes in use.
    """
    base_url = meant_url(st.session_state.get("score_url"))
    server = urlsplit(base_url).hostname or base_url
    show.note(key_sentence(has_key(), server, recorded="scoring" not in scores.used.config))
    if scoring_progress.under_way(view):
        return
    wanted = _settings(view, used)
    if wanted is not None:
        _dry_run(view, wanted)
    scoring_progress.result(view, scores)


def _settings(view: View, used: AttributeSchema) -> _Wanted | None:
    """Show the settings and return them; None as long as there is no model, or they are wrong."""
    schema = _which(view.dataset, used)
    left, right = show.pair()
    with left:
        base_url = st.text_input(
            "Server",
            key="score_url",
            persist_state=_SEEN,
            placeholder=meant_url(None),
            help="Any OpenAI-compatible server, e.g. http://localhost:11434/v1 for Ollama",
        )
        passes = st.number_input(
            "Passes",
            1,
            20,
            key="score_passes",
            persist_state=_SEEN,
            help="How often everything is scored, each time in another order; two or more show how far to trust scores",
        )
    with right:
        model = st.text_input("Model", key="score_model", persist_state=_SEEN, placeholder="gpt-4.1-mini")
        budget = st.number_input(
            "Budget in USD",
            0.01,
            value=None,
            key="score_budget",
            persist_state=_SEEN,
            placeholder="No limit",
            help="Scoring stops before exceeding it; answers so far are kept",
        )
    more = _more(view)
    if not (model or "").strip():
        show.note("Enter a model to estimate the cost of scoring. Nothing is sent until you start.")
        return None
    address = (base_url or "").strip() or None
    values = {"model": model.strip(), "base_url": address, "passes": passes, "budget": budget}
    users = more.pop("users")
    try:
        check_visitors_url(address)
        config = ScoringConfig.parse({**values, **more})
    except GuidedrecError as error:
        complain(error)
        return None
    return _Wanted(schema, config, users, SplitConfig.parse(view.entry.base.config["split"]))


def _which(dataset: str, used: AttributeSchema) -> AttributeSchema:
    """Return the attributes to score: those in use, or the edited ones."""
    own = edited.kept(dataset)
    if own is None or own == used:
        return used
    words = {
        "edited": f"Edited ({len(own)})",
        "used": f"In use ({len(used)})",
    }
    chosen = st.segmented_control(
        "Attributes", list(words), default="edited", required=True, format_func=words.__getitem__, key="score_schema"
    )
    return used if chosen == "used" else own


def _more(view: View) -> dict[str, Any]:
    """Show the settings that rarely change."""
    default = ScoringConfig(model="-")
    catalogue = loaders.table(view.entry.data.id, "catalogue")
    there = [name for name in catalogue.columns if name != ITEM]
    with st.expander("More settings", icon=":material/tune:"):
        left, right = show.pair()
        with left:
            columns = st.multiselect(
                "Item details the model reads", there, default=[n for n in default.columns if n in there],
                key="score_columns", persist_state=_SEEN,
            )  # fmt: skip
            each = st.number_input(
                "Items per request", 1, 100, default.items_per_request, key="score_each", persist_state=_SEEN,
                help="Use fewer if answers get too long",
            )  # fmt: skip
            at_once = st.number_input(
                "Requests at once", 1, 1000, default.concurrency, key="score_at_once", persist_state=_SEEN
            )
            timeout = st.number_input(
                "Timeout in seconds",
                1.0,
                value=default.timeout,
                key="score_timeout",
                persist_state=_SEEN,
                help="A model on your own machine may need 600",
            )
        with right:
            prompt = st.number_input(
                "USD per million input tokens", 0.0, value=None, key="score_price_in", persist_state=_SEEN,
                placeholder="List price, if known",
            )  # fmt: skip
            answer = st.number_input(
                "USD per million output tokens", 0.0, value=None, key="score_price_out", persist_state=_SEEN,
                placeholder="List price, if known",
            )  # fmt: skip
            reuse = st.toggle(
                "Score only attributes that changed", key="score_reuse", persist_state=_SEEN,
                help="Reuses earlier answers for attributes with the same wording",
            )  # fmt: skip
            users = st.toggle(
                f"Also score {view.verb.users}", key="score_users", persist_state=_SEEN,
                help="Only from the training part of their histories",
            )  # fmt: skip
    return {
        "columns": tuple(columns) or default.columns,
        "items_per_request": each,
        "concurrency": at_once,
        "timeout": timeout,
        "price": None if prompt is None or answer is None else (prompt, answer),
        "reuse": "attribute" if reuse else "schema",
        "users": users,
    }


def _dry_run(view: View, wanted: _Wanted) -> None:
    """Estimate what scoring would take; once that is known, offer to start it."""
    done: tuple[_Wanted, dict[str, ScoringPlan]] | None = st.session_state.get(_PLAN)
    if done is None or done[0] != wanted:
        st.button(
            "Estimate cost", type="primary", icon=":material/calculate:", on_click=_plan, args=(view, wanted),
            key="score_plan_button",
        )  # fmt: skip
        show.note("Estimates requests, tokens, cost and time. Nothing is sent.")
        if isinstance(error := st.session_state.pop("score_plan_error", None), GuidedrecError):
            complain(error)
        return
    plans = done[1]
    st.write(escaped(plan_sentence(plans, view.verb)))
    show.note("These are estimates; they improve with the first answers.")
    to_send = any(plan.asked for plan in plans.values())
    st.button(
        "Start scoring" if to_send else "Save the scores",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(view.dataset, wanted),
        key="score_start",
    )


def _plan(view: View, wanted: _Wanted) -> None:
    from guidedrec_core.stages.scoring.score import scoring_plan  # imports torch, so only when needed

    store = view.store
    data = store.open(view.entry.data.id, "data", verify=False)
    try:
        plans = {
            kind: scoring_plan(store, data, wanted.schema, wanted.config, kind, wanted.split)
            for kind in (("item", "user") if wanted.users else ("item",))
        }
    except GuidedrecError as error:
        st.session_state["score_plan_error"] = error
        return
    st.session_state[_PLAN] = (wanted, plans)


def _start(dataset: str, wanted: _Wanted) -> None:
    st.session_state.pop(_PLAN, None)
    scoring_progress.start(wanted.arguments(dataset))
