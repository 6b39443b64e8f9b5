"""Names that people read."""

from dataclasses import replace
from datetime import timedelta

from guidedrec_core.runs.library import refined_entries
from guidedrec_core.runs.store import RunStore
from guidedrec_core.runs.titles import dataset_title, run_title, run_titles


def test_runs_are_told_apart_by_the_first_thing_that_differs(tiny_home) -> None:
    entry = refined_entries(RunStore(tiny_home), "tiny")[0]
    made = f"{entry.run.created.day} {entry.run.created:%b}"
    title = run_title(entry)
    assert title.endswith(f" + attributes, {made}")
    assert run_titles([entry]) == {entry.run.id: title}

    other = replace(entry, run=replace(entry.run, id="other", seed=entry.run.seed + 1))
    later = replace(entry, run=replace(entry.run, id="later", created=entry.run.created + timedelta(minutes=1)))
    twin = replace(later, run=replace(later.run, id="twin"))
    titles = run_titles([entry, other, later, twin])
    assert len(set(titles.values())) == 4
    assert titles["other"] == f"Seed {entry.run.seed + 1} · {title}"
    assert titles["twin"].startswith("twin · ")
    assert run_titles([entry, later])["later"] == f"{later.run.created:%H:%M} · {title}"


def test_a_data_set_that_its_owner_named_keeps_the_name() -> None:
    assert dataset_title("winter_2025") == "winter_2025"
    assert dataset_title("movielens-small") == "MovieLens small"
