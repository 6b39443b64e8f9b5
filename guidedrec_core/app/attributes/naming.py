"""Part of the section on what nobody named: proposing a name, its test, and accepting it."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from guidedrec_core.app import jobs_panel, show
from guidedrec_core.app.attributes.refine_again import link_to_changes
from guidedrec_core.app.attributes.scoring_words import plan_sentence
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.llm.address import check_visitors_url, meant_url
from guidedrec_core.runs.scores import newest_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.scoring.prompts import Kind

if TYPE_CHECKING:
    from guidedrec_core.discovery.directions import Direction

_SEEN: Literal["session"] = "session"  # inputs are kept when another tab or page is opened
_MOST_CARDS = 20


def naming(view: View, one: "Direction") -> None:
    """Let a visitor, or a language model, name a direction, and start the test of the name.

    Parameters
    ----------
    view : View
        The run under study.
    one : Direction
        One that is more than chance.
    """
    st.markdown("**Give it a name**")
    show.note(
        "The name is tested on items of both groups that were not shown to whoever proposed it: scored on the name "
        "alone, the first group must come out higher. If it passes, you can make it an attribute.",
        help="Area under the ROC curve of at least 0.75 over held-out items, with a 95 % interval above 0.5.",
    )
    job = jobs_panel.latest(view.dataset, "discover")
    about_this = job is not None and job.arguments.get("run") == view.entry.run.id
    if job is not None and about_this and job.status in ("failed", "interrupted", "cancelled"):
        jobs_panel.show_ended(job)
    left, right = show.pair()
    with left:
        own = _own_name()
    with right:
        scoring = _server()
    busy = view.job is not None and view.job.active
    if busy:
        show.note("Another job is running; its progress is in the sidebar.")
    arguments = {"direction": one.number, "scoring": scoring}
    with st.container(horizontal=True):
        st.button(
            "Let the model propose a name",
            icon=":material/smart_toy:",
            on_click=_start,
            args=(view, arguments),
            disabled=busy or scoring is None,
            key="name_by_model",
        )
        st.button(
            "Test my name",
            icon=":material/rule:",
            on_click=_start,
            args=(view, {**arguments, "proposal": own}),
            disabled=busy or scoring is None or own is None,
            help="Needs a name, what both ends mean, and a model that scores the items of the test",
            key="name_own",
        )


def forget_own_name() -> None:
    """Empty the form for a name of one's own, which was meant for another pattern."""
    for name in ("own_name", "own_definition", "own_high", "own_low"):
        if name in st.session_state:
            st.session_state[name] = ""


def cards(view: View) -> None:
    """Show the names proposed for this run's directions, how they did, and what can become of them."""
    from guidedrec_core.stages.discovery import cards as stored

    found = stored(view.store, view.entry.run.id)
    if not found:
        return
    st.subheader("Names proposed so far", anchor=False)
    data = view.store.open(view.entry.data.id, "data", verify=False)
    newest = newest_scores(view.store, data)
    known: tuple[str, ...] = () if newest is None else AttributeSchema.parse(newest.read_json("attributes")).names
    for card in found[:_MOST_CARDS]:
        with st.container(border=True, key=f"card_{card.id}"):
            _card(view, card, data, newest, known)
    if len(found) > _MOST_CARDS:
        show.note(f"{_MOST_CARDS} of {len(found):,} shown, newest first.")


def trial_sentence(trial: dict[str, Any]) -> str:
    """Say how a name did in its test.

    Examples
    --------
    >>> trial_sentence({"auroc": 0.914, "ci_low": 0.8, "ci_high": 0.98, "n_high": 20, "n_low": 20})
    'Of 100 pairs of items not shown, 91 come out in the right order (95 % interval 80 to 98); 75 are needed.'
    """
    low, high = (round(100 * trial[end]) for end in ("ci_low", "ci_high"))
    return (
        f"Of 100 pairs of items not shown, {round(100 * trial['auroc'])} come out in the right order "
        f"(95 % interval {low} to {high}); 75 are needed."
    )


def _own_name() -> dict[str, str] | None:
    """Return the visitor's own name; None as long as a part of it is missing."""
    values = {
        "name": st.text_input(
            "Your name for it", key="own_name", persist_state=_SEEN, placeholder="e.g. sold as a set", max_chars=60
        ),
        "definition": st.text_input("What it judges", key="own_definition", persist_state=_SEEN, max_chars=300),
        "high": st.text_input("First group: the high end means", key="own_high", persist_state=_SEEN, max_chars=300),
        "low": st.text_input("Second group: the low end means", key="own_low", persist_state=_SEEN, max_chars=300),
    }
    said = {name: " ".join((value or "").split()) for name, value in values.items()}
    said["name"] = said["name"].lower().replace(" ", "_")
    return said if all(said[part] for part in ("name", "high", "low")) else None


def _server() -> dict[str, Any] | None:
    """Return the language model that proposes and scores; None as long as there is none."""
    address = st.text_input(
        "Server",
        value=st.session_state.get("score_url") or "",
        key="name_url",
        persist_state=_SEEN,
        placeholder=meant_url(None),
        help="Any OpenAI-compatible server, e.g. http://localhost:11434/v1 for Ollama",
    )
    model = st.text_input(
        "Model",
        value=st.session_state.get("score_model") or "",
        key="name_model",
        persist_state=_SEEN,
        placeholder="gpt-4.1-mini",
    )
    if not (model or "").strip():
        show.note(
            "Enter a model: it scores the items of the test, and proposes a name if you like. Nothing is sent until "
            "you start."
        )
        return None
    url = (address or "").strip() or None
    try:
        check_visitors_url(url)
    except GuidedrecError as error:
        complain(error)
        return None
    return {"model": (model or "").strip(), **({} if url is None else {"base_url": url})}


def _start(view: View, arguments: dict[str, Any]) -> None:
    jobs_panel.start("discover", view.dataset, view.entry.run.id, **arguments)


def _card(view: View, card: Run, data: Run, newest: Run | None, known: tuple[str, ...]) -> None:
    """Show one proposal with its test; offer to accept it."""
    content = card.read_json("card")
    proposal, trial, number = content["proposal"], content["trial"], content["direction"]["number"]
    if proposal is None:
        show.note(f"Pattern {number}: {content['provenance']['scored_by']} saw nothing that tells the groups apart.")
        return
    attribute = _attribute(proposal)
    accepted = content["accepted"]
    icon = ":material/check_circle:" if accepted else ":material/cancel:"
    verdict = "passed its test" if accepted else "did not pass"
    by = "named by hand" if proposal["by"] == "analyst" else proposal["by"]
    st.markdown(f"{icon} **{escaped(attribute.label)}** {escaped(f'({by}, pattern {number}) {verdict}')}")
    if attribute.definition:
        st.write(escaped(attribute.definition))
    show.note(f"High: {attribute.high} · Low: {attribute.low}")
    show.note(
        trial_sentence(trial),
        help=f"AUROC {trial['auroc']:.2f}, {trial['n_high']} and {trial['n_low']} held-out items, scored by "
        f"{content['provenance']['scored_by']}. Card {card.id}.",
    )
    job = jobs_panel.latest(view.dataset, "accept")
    about_this = job is not None and job.arguments.get("card") == card.id
    if job is not None and about_this and job.status == "done":
        link_to_changes(job, key=f"changes_{card.id}")
        return
    if job is not None and about_this and job.status in ("failed", "interrupted", "cancelled"):
        jobs_panel.show_ended(job)
        return
    if accepted and card.config.get("text_model"):
        show.note("It was tested with a text model; accept it in a terminal:")
        model = shlex.quote(str(card.config["scoring"]["model"]))
        st.code(f"guidedrec discover --card {card.id} --refine --offline {model}", language="sh")
    elif accepted and newest is not None:
        _offer(view, card, data, newest, attribute, known)


def _offer(view: View, card: Run, data: Run, newest: Run, attribute: Attribute, known: tuple[str, ...]) -> None:
    """Offer to make an accepted name an attribute, after saying what that takes."""
    if attribute.name in known:
        show.note("All items are scored on it; the next refinement uses it.")
    else:
        plan = _plan(str(view.store.home), card.id, data.id, newest.id)
        if isinstance(plan, str):
            st.error(escaped(plan), icon=":material/error:")
            return
        show.note(f"{plan_sentence(plan, view.verb)} All other scores stay as they are.")
    given = st.session_state.get("name_url")
    scoring = {"base_url": given.strip()} if given and given.strip() else {}
    st.button(
        "Accept, refine and compare",
        icon=":material/compare_arrows:",
        type="primary",
        on_click=_accept,
        args=(view, {"card": card.id, "scoring": scoring, "repeat": True}),
        disabled=view.job is not None and view.job.active,
        help="Scores every item on it, refines again, and shows what changed. You can cancel; answers are kept",
        key=f"accept_{card.id}",
    )


def _accept(view: View, arguments: dict[str, Any]) -> None:
    jobs_panel.start("accept", view.dataset, view.entry.run.id, **arguments)


@st.cache_data(ttl=30, max_entries=32, show_spinner=False)
def _plan(home: str, card_id: str, data_id: str, scores_id: str) -> Any:
    """Return what scoring the catalogue on a card's name would take, by kind; or why that is not known, as text."""
    from guidedrec_core.config import SplitConfig
    from guidedrec_core.stages.discovery import accepted_config
    from guidedrec_core.stages.scoring.score import scoring_plan

    store = RunStore(Path(home))
    card, data, scores = (store.open(each, verify=False) for each in (card_id, data_id, scores_id))
    schema = AttributeSchema.parse(scores.read_json("attributes"))
    alone = schema.model_copy(update={"attributes": (_attribute(card.read_json("card")["proposal"]),)})
    users = scores.config.get("user_scores")
    kinds: tuple[Kind, ...] = ("item", "user") if users else ("item",)
    split = SplitConfig.parse((users or {}).get("split", {}))
    try:
        config = accepted_config(card, scores)
        return {kind: scoring_plan(store, data, alone, config, kind, split) for kind in kinds}
    except GuidedrecError as error:
        return str(error)


def _attribute(proposal: dict[str, Any]) -> Attribute:
    """Return the attribute of a stored proposal."""
    return Attribute.parse({name: value for name, value in proposal.items() if name not in ("by", "confidence")})
