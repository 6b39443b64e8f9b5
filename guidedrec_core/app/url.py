"""The state of the app in the address: what is studied, and how each page's controls are set.

`SHARED` names go along to every page, the names in `OWN` belong to one page, which finds them again when the visitor
comes back. One change of a control is one message to the browser, so one entry in its history and one press of Back.
Defaults that a page fills in are remembered but not sent, so that opening a page adds no entry of its own.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import streamlit as st

SHARED = ("dataset", "run", "user", "item", "history", "tour")
"""What every page may show; ``tour`` is set while the tour is on."""

CASE, ITEMS, MAP, EVALUATION, STUDIES = "Case_study", "Items", "Embedding_map", "Evaluation", "Studies"
RULES = "Rules"
JUDGE = "Judge"
OWN: Mapping[str, tuple[str, ...]] = {
    CASE: (
        "find", "question", "past", "against", "score", "split", "why", "why_find", "reader",
        "pull", "without", "with", "add_find", "rules",
    ),
    ITEMS: ("find_item",),
    MAP: ("colour", "named", "select_on", "select", "find_item"),
    RULES: ("tab", "rule", "edit", "change", "length"),
    EVALUATION: ("measure", "compare", "checks"),
    STUDIES: ("study", "saved", "test", "results"),
    JUDGE: ("test", "judge"),
}  # fmt: skip
"""Controls of single pages, by the last part of the page's address."""

NAMES = (*SHARED, *dict.fromkeys(name for names in OWN.values() for name in names))
"""All names."""

_OF_ALL = ("question", "tour", *OWN[STUDIES], *OWN[JUDGE])
_OF_DATASET = ("run", "user", "item", "history", *(name for name in NAMES if name not in (*SHARED, *_OF_ALL)))
_OF_RUN = ("select",)
_OF_USER = ("item", "history", "against", "pull", "without", "with")
_OF_ITEM = ("against",)
_KEY, _PAGE = "guidedrec_place", "guidedrec_page"


def open_page(page: str) -> None:
    """Say which page is drawn, e.g. `CASE`; pages without controls of their own need not."""
    st.session_state[_PAGE] = page


def read() -> dict[str, str]:
    """Return what the address says.

    An address is complete: what it leaves out is not filled in from what was shown before, so that Back shows what
    was there. Links between pages carry everything along (see `link`).

    Returns
    -------
    dict of str to str
        A subset of `NAMES`; values are unchecked, they may name what no longer exists.
    """
    given = {name: st.query_params[name] for name in _known() if st.query_params.get(name)}
    _remember(given)
    return given


def current() -> dict[str, str]:
    """Return what the page shows, with the defaults that it filled in."""
    place: dict[str, str] = st.session_state.get(_KEY, {})
    return {name: place[name] for name in _known() if name in place}


def fill_in(**defaults: str | None) -> None:
    """Remember what the page shows where the address says nothing, for links and later changes; sends nothing."""
    _remember({**current(), **{name: value for name, value in defaults.items() if value}})


def update(**changes: str | None) -> None:
    """Change some names and keep the others, in the address too; usable as a widget's callback.

    Another data set clears all that belongs to the old one, another run what is selected on its maps, another user the
    item and what was changed of the user's taste and history, another item what it is compared with, unless they are
    given too. None and "" leave a name out.
    """
    place: dict[str, str | None] = {**current()}
    for name, depending in (("dataset", _OF_DATASET), ("run", _OF_RUN), ("user", _OF_USER), ("item", _OF_ITEM)):
        if name in changes and changes[name] != place.get(name):
            place.update(dict.fromkeys(depending))
    kept = _kept({**place, **changes})
    if kept == current():
        return
    _remember(kept, forget=[name for name, value in place.items() if value is None])
    # In one message where that is possible: each one is an entry in the browser's history.
    if not set(st.query_params) - set(NAMES):
        st.query_params.from_dict(kept)
        return
    # Names of others may be bound to widgets, which cannot be sent along.
    st.query_params.update({name: value for name, value in kept.items() if st.query_params.get(name) != value})
    for name in set(st.query_params) & set(NAMES) - set(kept):
        del st.query_params[name]


def link(page: str | None = None, **changes: str | None) -> dict[str, str]:
    """Return the query parameters of another place, for `st.page_link` and `st.switch_page`.

    Parameters
    ----------
    page : str, optional
        The page, as in `OWN`, whose controls go along as they were left.
    **changes : str or None
        What is different there.
    """
    place: dict[str, str | None] = {**st.session_state.get(_KEY, {})}
    for name, depending in (("user", _OF_USER), ("item", _OF_ITEM)):
        if name in changes and changes[name] != place.get(name):
            place.update(dict.fromkeys(depending))
    names = (*SHARED, *OWN.get(page or "", ()), *changes)
    return {name: value for name, value in _kept({**place, **changes}).items() if name in names}


def follow(key: str, value: object) -> None:
    """Let a widget show what the address says, also when that was changed elsewhere, e.g. by Back."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def keep(name: str, key: str) -> None:
    """Put a widget's value into the address; a widget's callback."""
    value = st.session_state[key]
    update(**{name: None if value is None or value is False else "1" if value is True else str(value)})


def address() -> str:
    """Return the full address of what the page shows, defaults included."""
    here = urlsplit(st.context.url or "")
    return urlunsplit((here.scheme, here.netloc, here.path, query().removeprefix("?"), ""))


def query() -> str:
    """Return the part of `address` from ``?`` on."""
    return f"?{urlencode(current())}"


def query_parameters(text: str) -> dict[str, str]:
    """Read what `query` wrote; names that no page knows are left out.

    Examples
    --------
    >>> query_parameters("?user=Zo%C3%AB+7&pull=warmth%3A1.5&embed=true")
    {'user': 'Zoë 7', 'pull': 'warmth:1.5'}
    """
    return {name: value for name, value in parse_qsl(text.removeprefix("?")) if name in NAMES}


def many(values: Mapping[str, float] | tuple[str, ...] | list[str]) -> str:
    """Write several values as one: ids, or numbers by name.

    Examples
    --------
    >>> many(("tent-1", "a,b")), many({"warmth": 1.5, "pace": 0.0})
    ('tent-1,a%2Cb', 'warmth:1.5')
    """
    if isinstance(values, Mapping):
        return ",".join(f"{quote(name, safe='')}:{value:g}" for name, value in values.items() if value)
    return ",".join(quote(value, safe="") for value in values)


def ids(text: str | None) -> tuple[str, ...]:
    """Read ids written by `many`.

    Examples
    --------
    >>> ids("tent-1,a%2Cb"), ids(None)
    (('tent-1', 'a,b'), ())
    """
    return tuple(unquote(part) for part in (text or "").split(",") if part)


def numbers(text: str | None) -> dict[str, float]:
    """Read numbers written by `many`; what is no number is left out.

    Examples
    --------
    >>> numbers("warmth:1.5,pace:fast,:3")
    {'warmth': 1.5}
    """
    found = {}
    for part in (text or "").split(","):
        name, _, value = part.rpartition(":")
        try:
            number = float(value)
        except ValueError:
            continue
        if name and number == number:  # not a NaN
            found[unquote(name)] = number
    return found


def _known() -> tuple[str, ...]:
    """Return the names that the page drawn knows."""
    return (*SHARED, *OWN.get(st.session_state.get(_PAGE, ""), ()))


def _remember(place: Mapping[str, str], forget: list[str] | None = None) -> None:
    """Keep a place, and what other pages' controls were left at."""
    mine = {*_known(), *(forget or ())}
    others = {name: value for name, value in st.session_state.get(_KEY, {}).items() if name not in mine}
    st.session_state[_KEY] = {**others, **place}


def _kept(place: Mapping[str, str | None]) -> dict[str, str]:
    """Return what is set, in the order of `NAMES`, so that equal places have equal addresses."""
    return {name: str(place[name]) for name in NAMES if place.get(name)}
