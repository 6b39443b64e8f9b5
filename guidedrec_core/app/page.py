"""The frame of every page: title, data set and run, the first build, footer."""

import shlex
from dataclasses import dataclass
from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from guidedrec_core import __version__
from guidedrec_core.app import job_tray, jobs_panel, loaders, show, url
from guidedrec_core.app.errors import escaped, guard, way_on
from guidedrec_core.app.first_visit import tour
from guidedrec_core.data.bundled import BUNDLED
from guidedrec_core.data.dataset import SHOWN, Shown
from guidedrec_core.data.verbs import BOUGHT, InteractionVerb, verb_of
from guidedrec_core.jobs.record import Job
from guidedrec_core.runs import library
from guidedrec_core.runs.library import RefinedEntry
from guidedrec_core.runs.store import RunInfo, RunStore
from guidedrec_core.runs.titles import dataset_title, run_titles

PAGES = (
    ("app.py", "Overview", "What did refinement change here?", ":material/insights:"),
    ("pages/1_Case_study.py", "Case study", "Why is this recommended to this user?", ":material/person_search:"),
    ("pages/6_Audience.py", "Audience", "Who gets this, and should they?", ":material/groups:"),
    (
        "pages/7_Studies.py",
        "Studies",
        "What did we look at, and was it good?",
        ":material/collections_bookmark:",
    ),
    ("pages/2_Items.py", "Items", "How do the model and shoppers see this item?", ":material/inventory_2:"),
    ("pages/3_Embedding_map.py", "Item map", "What moved, and why?", ":material/scatter_plot:"),
    ("pages/4_Evaluation.py", "Evaluation", "Is it really better, and for whom?", ":material/balance:"),
    ("pages/5_Attributes.py", "Attributes", "Which scores can we trust?", ":material/straighten:"),
    ("pages/8_Bring_your_data.py", "Bring your data", "How do I bring my own data?", ":material/upload_file:"),
)
"""Path, name, question and icon of each page, in order."""

# In the page itself: Streamlit would load a Material symbol for the browser's tab from a font host, and the app must
# work without a network.
TAB_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="5" fill="#0F766E"/>'
    '<path d="M6 17h3v-5H6zM10.5 17h3V7h-3zM15 17h3V9.500h-3z" fill="#FFF"/></svg>'
)
_HERE, _ARRIVED = "guidedrec_here", "guidedrec_arrived"
BRING_DATA = "pages/8_Bring_your_data.py"
_SIDEBAR_PIXELS = 270
_MOST_DETAILS = 20


@dataclass(frozen=True)
class View:
    """What a page shows.

    Attributes
    ----------
    store : RunStore
        Where the runs are.
    entry : RefinedEntry
        The refined run under study, with its base, data, evaluation and projection.
    user, item : str or None
        From the URL or an earlier page; unchecked.
    shown : {"full", "train+valid", "train"}
        Which part of the histories lists start from; the whole one unless the URL says otherwise.
    dark : bool
        The theme the visitor sees.
    job : Job or None
        The newest job of this data set, in whatever state.
    verb : InteractionVerb
        The words for the data set's interactions.
    links : DeltaGenerator
        Where the navigation is; see `draw_links`.
    actions : DeltaGenerator
        At the right of the title: a row for what can be done with the whole page, e.g. copying its link.
    """

    store: RunStore
    entry: RefinedEntry
    user: str | None
    item: str | None
    shown: Shown
    dark: bool
    job: Job | None
    verb: InteractionVerb
    links: DeltaGenerator
    actions: DeltaGenerator

    @property
    def dataset(self) -> str:
        """The data set's name."""
        return str(self.entry.data.config["name"])

    @property
    def dataset_title(self) -> str:
        """The data set's name as people read it."""
        return dataset_title(self.dataset)


@dataclass(frozen=True)
class Frame:
    """A page before it is known what it shows.

    Attributes
    ----------
    store : RunStore
        Where the runs are.
    name : str
        The page, as in `url.OWN`.
    place : dict of str to str
        What the address says.
    heading, links, actions : DeltaGenerator
        Where the title, the navigation and the actions of the page are; see `View`.
    """

    store: RunStore
    name: str
    place: dict[str, str]
    heading: DeltaGenerator
    links: DeltaGenerator
    actions: DeltaGenerator


def set_up(question: str, icon: str) -> View:
    """Begin a page; end it, with a sentence and a button, when there is nothing to show yet.

    Parameters
    ----------
    question : str
        The page's title: the question it answers.
    icon : str
        The Material symbol of the page in `PAGES`, by which its controls in the address are found; see `url.OWN`.
    """
    frame = begin(question, icon)
    store, place = frame.store, frame.place
    st.sidebar.divider()
    with guard():
        dataset = _choose_dataset(store, place)
        entries = library.entries_with_shipped(store, dataset)
        if not entries:
            _wait_for_first_run(store, dataset)
        entry = _choose_run(entries, place, dataset)
    url.fill_in(dataset=dataset, run=entry.run.id)
    draw_links(frame.links)
    job = jobs_panel.latest(dataset)
    job_tray.tray()
    shown: Shown = next((part for part in SHOWN if part == place.get("history")), "full")
    verb = entry.verb(loaders.schema(entry.run.inputs["scores"]).domain)
    frame.heading.title(question_for(question, verb), anchor=False)
    tour.note(frame.name, verb)
    user, item, dark = place.get("user"), place.get("item"), show.dark()
    return View(store, entry, user, item, shown, dark, job, verb, frame.links, frame.actions)


def begin(question: str, icon: str) -> Frame:
    """Begin a page that may have no data set: title, navigation and a place for actions; parameters as `set_up`."""
    st.set_page_config(
        page_title=f"{question} · guidedrec", page_icon=TAB_ICON, layout="wide", initial_sidebar_state=_SIDEBAR_PIXELS
    )
    show.readable_segments()
    show.forget_tables()
    st.session_state[_ARRIVED] = st.session_state.get(_HERE) != question
    st.session_state[_HERE] = question
    store = loaders.store()
    name = next((url_name(path) for path, _, _, symbol in PAGES if symbol == icon), "")
    url.open_page(name)
    place = url.read()
    links = st.sidebar.empty()
    draw_links(links)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        heading = st.container(width="stretch").empty()
        actions = st.container(horizontal=True, width="content", gap="small", horizontal_alignment="right")
    heading.title(question, anchor=False)
    return Frame(store, name, place, heading, links, actions)


def finish(frame: Frame) -> None:
    """Draw what `set_up` draws beside the choices of data set and run, on a page that needs neither."""
    draw_links(frame.links)
    job_tray.tray()


def url_name(path: str) -> str:
    """Return the last part of a page's address.

    Examples
    --------
    >>> url_name("pages/1_Case_study.py"), url_name("app.py")
    ('Case_study', '')
    """
    return path.removeprefix("pages/").removesuffix(".py").partition("_")[2]


def draw_links(links: DeltaGenerator) -> None:
    """Draw the navigation; again after a page has filled in what it shows, so that it goes along to the others."""
    with links.container(gap="xsmall"):
        for path, name, _, symbol in PAGES:
            st.page_link(path, label=name, icon=symbol, query_params=url.link(url_name(path)), width="stretch")


def arrived() -> bool:
    """Return whether this run is the first of a visit to the page, and not one after a change on it."""
    return bool(st.session_state.get(_ARRIVED, True))


def question_for(question: str, verb: InteractionVerb) -> str:
    """Return a page's question in the words of the data set: "shoppers" only where the verb is "bought".

    Examples
    --------
    >>> from guidedrec_core.data.verbs import WATCHED
    >>> question_for("How do the model and shoppers see this item?", WATCHED)
    'How do the model and viewers see this item?'
    """
    return question if verb == BOUGHT else question.replace("shoppers", verb.users)


def footer(view: View) -> None:
    """Name the data and run behind every number of the page; called at the end of every page with results."""
    entry = view.entry
    st.divider()
    width, split = entry.base.config["encoder"]["width"], entry.base.config["split"]["kind"]
    doubt = ", doubtful scores count less" if entry.shrinks_doubtful else ""
    show.note(
        f"Data set {view.dataset_title} ({view.dataset}, {entry.data.id}) · run {entry.run.id}, "
        f"{entry.run.created:%d %b %Y %H:%M} UTC · "
        f"{entry.base_kind}, width {width}, {entry.run.config['refinement']['mode']} refinement{doubt}, "
        f"seed {entry.run.seed} · split {split} · guidedrec {__version__}"
    )
    loaders.prepare_models()


def needs(view: View, stage: str, what: str) -> RunInfo:
    """Return the view's run of a stage; without one, say so, offer to make it, and end the page.

    Parameters
    ----------
    view : View
        From `set_up`.
    stage : {"evaluation", "projection"}
        What the page needs.
    what : str
        The same in plain words, in the plural, e.g. ``"The maps"``.
    """
    run: RunInfo | None = getattr(view.entry, stage)
    if run is None:
        _offer(view, stage, what)
    return run


def _offer(view: View, stage: str, what: str) -> NoReturn:
    """Say what is missing and when it will be ready; end the page."""
    if view.job is not None and view.job.active:
        st.info(
            escaped(f"{what} are not ready yet. This page updates automatically when they are."),
            icon=":material/hourglass_top:",
        )
        path, _, question, symbol = PAGES[1]
        st.page_link(path, label=f"In the meantime: {question}", icon=symbol, query_params=url.link())
    elif view.job is not None and view.job.status in ("failed", "interrupted"):
        jobs_panel.show_ended(view.job)
    else:
        st.info(f"{what} have not been made for this run yet.", icon=":material/info:")
        st.button("Make them now", type="primary", on_click=_finish_build, args=(view,), key=f"make_{stage}")
    st.stop()


def _finish_build(view: View) -> None:
    """Make the measurements and maps that are missing; measurements that exist are reused."""
    measured = view.entry.evaluation
    same = {} if measured is None else {"evaluation": measured.config}
    jobs_panel.start("evaluate", view.dataset, view.entry.run.id, **same)


def _start_build(dataset: str) -> None:
    jobs_panel.start_build(dataset)


def _choose_dataset(store: RunStore, place: dict[str, str]) -> str:
    """Offer the data sets; return the one in the URL, else the one built last."""
    names = library.dataset_names(store)
    built = [str(entry.data.config["name"]) for entry in library.refined_entries(store)]
    chosen = place.get("dataset") or next(iter(built), BUNDLED[0])
    if chosen not in names:
        way_on(f"Data set {chosen} no longer exists, or the link is mistyped.", f"Open {names[0]}", dataset=names[0])
    _select("Data set", names, chosen, "dataset", {name: dataset_title(name) for name in names})
    return chosen


def _choose_run(entries: list[RefinedEntry], place: dict[str, str], dataset: str) -> RefinedEntry:
    """Offer the refined runs of a data set; return the one in the URL, else the newest."""
    labels = run_titles(entries)  # all different: the browser returns the label of a choice
    chosen = place.get("run") or entries[0].run.id
    if chosen not in labels:
        way_on(
            f"Run {chosen} of data set {dataset} no longer exists, or the link is mistyped.",
            "Open the newest run",
            run=None,
        )
    details = "\n".join(
        f"- {escaped(f'{labels[e.run.id]}: {e.run.created:%d %b %Y, %H:%M} UTC, {e.details}')}"
        for e in entries[:_MOST_DETAILS]
    )
    _select("Run", list(labels), chosen, "run", labels, help=f"How each run was made:\n{details}")
    return next(entry for entry in entries if entry.run.id == chosen)


def _select(
    label: str,
    options: list[str],
    chosen: str,
    name: str,
    labels: dict[str, str] | None = None,
    help: str | None = None,
) -> None:
    """Show a choice in the sidebar that follows the URL, and changes it."""
    key = f"choose_{name}"
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen

    def change() -> None:
        # A browser whose list is older than this one may send a label that is none of the options.
        if st.session_state[key] in options:
            url.update(**{name: st.session_state[key]})

    st.sidebar.selectbox(
        label, options, key=key, on_change=change, format_func=lambda o: (labels or {}).get(o, o), help=help
    )


def _wait_for_first_run(store: RunStore, dataset: str) -> NoReturn:
    """Build a bundled data set at once, others on request; show the progress and end the page."""
    job = jobs_panel.latest(dataset, "build")
    if job is None and dataset in BUNDLED:
        job = jobs_panel.start_build(dataset)
    if job is None or (job.status == "done"):
        st.info(escaped(f"{dataset} has no refined model yet."), icon=":material/info:")
        st.button("Build it now", type="primary", on_click=_start_build, args=(dataset,), key="build")
        st.caption("A build needs a score for each item and attribute. To use your own scores, run in a terminal:")
        name = shlex.quote(dataset)  # people copy the line into a shell
        st.code(f"guidedrec build {name} --attributes attributes.json --item-scores scores.csv", language="bash")
        st.stop()
    stored = (info.config for info in store.list("data") if info.config.get("name") == dataset)
    jobs_panel.show_first_build(job, dataset, verb_of(dataset, next(stored, {}).get("source", {})))
    st.stop()
