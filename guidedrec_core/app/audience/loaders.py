"""Cached answers about groups, keyed by run id; see `guidedrec_core.app.loaders` for the rules."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import loaders

if TYPE_CHECKING:
    from guidedrec_core.audience.audience import Audience
    from guidedrec_core.audience.exposure import GroupAnswer
    from guidedrec_core.audience.saved import SavedSegment
    from guidedrec_core.audience.saved_gains import SavedGains
    from guidedrec_core.audience.segment_report import SegmentReport
    from guidedrec_core.audience.shelves.report import ShelfReport


def audience(run_id: str, evaluation_id: str, k: int) -> "Audience":
    """Open all users of a refined run with the lists that an evaluation stored; shared and read-only."""
    return _audience(str(loaders.store().home), run_id, evaluation_id, k)


def answer(run_id: str, evaluation_id: str, k: int, items: str | None, users: str | None) -> "GroupAnswer":
    """Say who is shown some items; `users` is a definition as JSON, see `guidedrec_core.audience.exposure`."""
    return _answer(str(loaders.store().home), run_id, evaluation_id, k, items, users)


def segments(run_id: str, evaluation_id: str, metric: str) -> "SegmentReport":
    """Describe the segments of all users; see `guidedrec_core.audience.segment_report`."""
    return _segments(str(loaders.store().home), run_id, evaluation_id, metric)


def saved_gains(
    run_id: str, evaluation_id: str, segments: "tuple[SavedSegment, ...]", cutoffs: tuple[int, ...], samples: int
) -> "SavedGains":
    """Average the metrics over the test cases of saved segments; see `guidedrec_core.audience.saved_gains`."""
    versions = tuple((one.id, one.written.version) for one in segments)
    return _saved_gains(str(loaders.store().home), run_id, evaluation_id, versions, segments, cutoffs, samples)


def shelves(run_id: str) -> "ShelfReport":
    """Find the shelves of the catalogue; see `guidedrec_core.audience.shelves.report`."""
    return _shelves(str(loaders.store().home), run_id)


@st.cache_resource(max_entries=4, show_spinner="Reading all lists")
def _whole(home: str, run_id: str, evaluation_id: str) -> "Audience":
    from guidedrec_core.audience.audience import Audience

    recommendations, cases = (loaders.table(evaluation_id, name) for name in ("recommendations", "cases"))
    return Audience.of(loaders.system(run_id), recommendations, cases)


@st.cache_resource(max_entries=8, show_spinner=False)
def _audience(home: str, run_id: str, evaluation_id: str, k: int) -> "Audience":
    whole = _whole(home, run_id, evaluation_id)
    with loaders.MODEL_LOCK:
        _ = whole.profiles  # once for all lengths of lists
    return whole.cut(min(k, whole.lists.k))


@st.cache_resource(max_entries=128, show_spinner="Counting who is shown what")
def _answer(home: str, run_id: str, evaluation_id: str, k: int, items: str | None, users: str | None) -> "GroupAnswer":
    from guidedrec_core.conditions.condition import Definition

    chosen = None if users is None else Definition.from_json(users).condition
    return _audience(home, run_id, evaluation_id, k).who_gets(items, chosen)


@st.cache_resource(max_entries=8, show_spinner="Looking for segments")
def _segments(home: str, run_id: str, evaluation_id: str, metric: str) -> "SegmentReport":
    from guidedrec_core.audience.segment_report import segment_report

    # Segments are found once, on the users of all lists; only then are lists of ten described.
    whole = _whole(home, run_id, evaluation_id)
    with loaders.MODEL_LOCK:
        _ = whole.segments
    return segment_report(whole.cut(min(10, whole.lists.k)), metric)


@st.cache_resource(max_entries=8, show_spinner="Measuring the saved segments")
def _saved_gains(
    home: str,
    run_id: str,
    evaluation_id: str,
    versions: tuple[tuple[str, int], ...],
    _segments: "tuple[SavedSegment, ...]",
    cutoffs: tuple[int, ...],
    samples: int,
) -> "SavedGains":
    from guidedrec_core.audience.saved_gains import saved_gains

    assert len(versions) == len(_segments)
    whole = _whole(home, run_id, evaluation_id)
    with loaders.MODEL_LOCK:
        _ = whole.profiles
    return saved_gains(whole, _segments, cutoffs, samples)


@st.cache_resource(max_entries=4, show_spinner="Sorting the catalogue onto shelves")
def _shelves(home: str, run_id: str) -> "ShelfReport":
    from guidedrec_core.audience.shelves.report import catalogue_shelves

    system = loaders.system(run_id)
    with loaders.MODEL_LOCK:
        return catalogue_shelves(system)
