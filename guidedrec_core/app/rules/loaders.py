"""Cached answers about rules and changes, keyed by run id; see `guidedrec_core.app.loaders` for what holds of them."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import loaders

if TYPE_CHECKING:
    from guidedrec_core.conditions.subjects import Subjects
    from guidedrec_core.data.dataset import Shown
    from guidedrec_core.rules.preview import RulePreview
    from guidedrec_core.rules.rule import Rule
    from guidedrec_core.sandbox.sandbox import Effect, Sandbox


def subjects(run_id: str, shown: "Shown") -> "Subjects":
    """Return what conditions are about; shared and read-only."""
    return _subjects(str(loaders.store().home), run_id, shown)


def concerned(run_id: str, shown: "Shown", rule: "Rule") -> tuple[int, int]:
    """Return how many items and users a rule concerns.

    Raises
    ------
    InputError
        A condition is not understood, or no item fulfils it.
    """
    return _concerned(str(loaders.store().home), run_id, shown, rule.model_dump_json())


def preview(run_id: str, shown: "Shown", rules: str, name: str, k: int) -> "RulePreview":
    """Say what one of some rules does; see `guidedrec_core.rules.preview`.

    Parameters
    ----------
    run_id, shown
        The run, and which part of histories lists start from.
    rules : str
        All rules of the data set, without who and when, as `RuleSet.to_json` writes them.
    name : str
        The rule to look at.
    k : int
        Length of the lists.
    """
    return _preview(str(loaders.store().home), run_id, shown, rules, name, k)


def effect(run_id: str, shown: "Shown", changes: tuple[str, ...], k: int) -> "Effect":
    """Say what changes would do; see `guidedrec_core.sandbox`."""
    return _effect(str(loaders.store().home), run_id, shown, changes, k)


@st.cache_resource(max_entries=4, show_spinner=False)
def _subjects(home: str, run_id: str, shown: "Shown") -> "Subjects":
    from guidedrec_core.conditions.subjects import Subjects

    return Subjects(loaders.system(run_id, shown))


@st.cache_data(max_entries=64, show_spinner=False)
def _concerned(home: str, run_id: str, shown: "Shown", rule: str) -> tuple[int, int]:
    from guidedrec_core.rules.rule import Rule, adjustments

    system = loaders.system(run_id, shown)
    with loaders.MODEL_LOCK:
        (made,) = adjustments([Rule.model_validate_json(rule)], system).rules
    n_users = len(system.data.dataset.users)
    return int(made.items.sum()), n_users if made.users is None else int(made.users.sum())


@st.cache_resource(max_entries=16, show_spinner="Ranking for everybody, with the rule and without it")
def _preview(home: str, run_id: str, shown: "Shown", rules: str, name: str, k: int) -> "RulePreview":
    from guidedrec_core.rules.preview import preview_rules
    from guidedrec_core.rules.rule import RuleSet

    system = loaders.system(run_id, shown)
    with loaders.MODEL_LOCK:
        return preview_rules(system, RuleSet.from_json(rules), [name], k)


@st.cache_resource(max_entries=2, show_spinner="Scoring all items for everybody, once")
def _sandbox(home: str, run_id: str, shown: "Shown", k: int) -> "Sandbox":
    from guidedrec_core.sandbox.sandbox import Sandbox

    system = loaders.system(run_id, shown)
    with loaders.MODEL_LOCK:
        return Sandbox.of(system, k)


@st.cache_resource(max_entries=16, show_spinner="Merging the lists again")
def _effect(home: str, run_id: str, shown: "Shown", changes: tuple[str, ...], k: int) -> "Effect":
    from guidedrec_core.sandbox.change import Change

    sandbox = _sandbox(home, run_id, shown, k)
    with loaders.MODEL_LOCK:
        return sandbox.effect([Change.read(text) for text in changes])
