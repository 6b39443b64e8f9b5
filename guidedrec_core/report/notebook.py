"""Notebooks that compute the numbers of a report anew, with the public Python API.

A notebook is JSON of a few keys (nbformat 4.5), so it is written as such: nbformat would bring four packages along for
a dictionary. Tests validate what is written with nbformat, and run it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from guidedrec_core.conditions.condition import Definition
from guidedrec_core.data.dataset import Shown
from guidedrec_core.report.document import MOST_ROWS, Report

_CASE = """\
from guidedrec_core.cases.case import build_case

case = build_case(model, {user!r}, {item!r}, k={k!r})
why = case.selected
print(why.sentence)
print(model.verb.user.capitalize(), case.user_id, case.sentence)
assert abs(why.lines["contribution"].sum() - why.score) < 1e-9  # the parts add up to the score"""

_REASONS = """\
import pandas as pd

from guidedrec_core.explanation.lines import handed_to_past_items
from guidedrec_core.explanation.question import Question

# `why.lines` with what no name covers shared out over the past items it comes from.
lines = handed_to_past_items(why.lines, model, Question.of(model.data, case.user_id, why.item_id))
total = {{"kind": "score", "name": "score", "label": "Score", "text": "what the list is sorted by"}}
tables[{name!r}] = pd.concat([lines, pd.DataFrame([total | {{"contribution": why.score}}])], ignore_index=True)
tables[{name!r}]"""

_PARTS = """\
scores = why.parts["item_score"].where(~why.parts["missing"])
tables[{name!r}] = why.parts.assign(item_score=scores)
tables[{name!r}]"""

_PAST = """\
from guidedrec_core.cases.history import build_history

past = build_history(model, case.user_id, why.item_id)
print(past.sentence, past.exactness)
tables[{name!r}] = past.items
tables[{name!r}]"""

_CHANGES = """\
from guidedrec_core.cases.changes import build_changes

changes = build_changes(model, case.user_id, why.item_id, k={k!r})
print(*changes.history, *changes.pulls, *changes.scores, sep="\\n")
tables[{curves!r}], tables[{edits!r}] = changes.curves, changes.edits
tables[{edits!r}]"""

_MOVED = """\
from guidedrec_core.cases.changes import build_moved

moved = build_moved(model, case.user_id, why.item_id)
print(moved.sentence, moved.base_sentence)
tables[{parts!r}], tables[{base!r}] = moved.parts, moved.base_parts
tables[{parts!r}]"""

_BELOW = """\
from guidedrec_core.cases.against import build_against

below = build_against(model, case.user_id, why.item_id)
print(below.sentence)
tables[{name!r}] = below.parts
tables[{name!r}]"""

_NOT_LISTED = """\
from guidedrec_core.cases.changes import build_why_not

outside = build_why_not(model, case.user_id, why.item_id, k={k!r})
print(outside.sentence)
tables[{name!r}] = outside.parts
tables[{name!r}]"""

_MODELS = """\
data = model.data
newest = data.refreshed if data.is_temporal else data
# Their settings were chosen on the validation part.
simple = {{
    "popularity": gr.Popularity(**{popularity!r}),
    "item_knn": gr.ItemKNN(**{item_knn!r}),
    "item_knn_recency": gr.ItemKNN(**{item_knn_recency!r}),{ease}
}}
models = {{name: recommender.fit(newest).fitted_scorer(newest) for name, recommender in simple.items()}}
models["base"] = model.base
# Controls of the same base and scores, each refined in its own way.
controls = {controls!r}
models |= {{name: gr.open(f"{{HOME}}/{{run}}").refined for name, run in controls.items()}}
models["refined"] = model.refined
list(models)"""

_EVALUATE = """\
from guidedrec_core.config import EvaluationConfig
from guidedrec_core.evaluation.report import evaluate_models
from guidedrec_core.refinement.guided import GuidedEmbedding

config = EvaluationConfig(cutoffs={cutoffs!r}, bootstrap_samples={samples!r})
report = evaluate_models(
    models,
    data.sequences,
    data.test_cases,
    data.item_interactions,
    data.split.n_train + data.split.n_valid,
    GuidedEmbedding.of(model.scores.items.values).values,
    data.dataset.users.ids,
    data.dataset.items.ids,
    config,
    seed={seed!r},
)
tables["metrics"], tables["differences"], tables["lists"] = report.metrics, report.differences, report.lists
tables["metrics"].pivot(index="model", columns="metric", values="value")"""

_SHORT = """\
short = gr.evaluate(
    {{"base": model.base_recommender, "refined": model}},
    data,
    cutoffs={cutoffs!r},
    bootstrap_samples={samples!r},
    seed={seed!r},
)
short"""

_ANSWERS = """\
from guidedrec_core.evaluation.gain_parts import gain_parts, strict_control
from guidedrec_core.evaluation.slice_words import slice_gains
from guidedrec_core.evaluation.verdict import control_answers, overview_sentence, verdict

print(overview_sentence({dataset!r}, report.metrics, {split!r}, model.verb))
print(verdict(report.differences, {metric!r}).sentence)
answers = control_answers(report.differences, {metric!r})
tables["controls"] = pd.DataFrame(answers, columns=["question", "compared_with", "answer"])
tables["gain_parts"] = gain_parts(report.metrics, report.differences, {metric!r}).table()
control = strict_control(report.differences, {metric!r})
tables["by_item_popularity"] = slice_gains(report.slices, "item popularity", {metric!r}, control)
tables["by_history_length"] = slice_gains(report.slices, "history length", {metric!r}, control)
tables["differences"]"""

_SEGMENTS = """\
from guidedrec_core.conditions.condition import Definition

segments = {segments}
people = gr.Audience.of(model, cases=report.cases)
groups = {{name: Definition.from_json(text).condition for name, text in segments.items()}}
slices = people.slices(groups, "saved segment", {cutoffs!r}, {samples!r})
tables["by_saved_segment"] = slice_gains(slices, "saved segment", {metric!r}, control)
tables["by_saved_segment"]"""

_NAMES = """\
from guidedrec_core.evaluation.named import named_report

named = named_report(model, data.test_cases, {samples!r}, {seed!r})
tables["named_shares"], tables["named_lines"], tables["frontier"] = named.shares, named.lines, named.frontier
tables["named_shares"]"""

_TRAINING = """\
curves = {{"base": model.base_recommender.curve}}
curves |= {{name: gr.open(f"{{HOME}}/{{run}}").curve for name, run in ({{"refined": RUN}} | controls).items()}}
curves = [curve.assign(model=name) for name, curve in curves.items() if curve is not None]
tables["training"] = pd.concat(curves, ignore_index=True)
tables["training"]"""


_PEOPLE = """\
from guidedrec_core.conditions.condition import Definition

# Controls of the same base and scores, each refined in its own way.
controls = {{name: gr.open(f"{{HOME}}/{{run}}") for name, run in {controls!r}.items()}}
people = gr.Audience.of(model, k={k!r}, controls=controls)
users = {users}
profile = people.profile(users)
print(profile.n_users, "of", profile.everyone, "users", profile.seeks)
tables["taste"], tables["categories"], tables["typical"] = profile.taste, profile.categories, profile.typical
tables["taste"]"""

_GROUP_GAINS = """\
from guidedrec_core.evaluation.gain_parts import gain_parts_of_slice
from guidedrec_core.evaluation.slice_words import slice_gains

slices = people.slices({groups}, "segment", ({cutoff!r},), {samples!r})
tables["gains"] = slice_gains(slices, "segment", {metric!r}, {control!r})
tables["gain_parts"] = gain_parts_of_slice(slices, "segment", {own!r}, {metric!r}, {control!r}).table()
tables["gains"]"""

_GROUP_ITEMS = """\
answer = people.who_gets({items}, users, {samples!r})
tables["measures"], tables["lifts"] = answer.measures, answer.lifts
tables["offenders"] = answer.offenders.head({most!r})
tables["measures"]"""


def case_notebook(report: Report, home: Path, user: str, item: str, shown: Shown, k: int = 10) -> dict[str, Any]:
    """Write the notebook of a case.

    Parameters
    ----------
    report : Report
        Of the case; the notebook computes its tables.
    home : Path
        The folder of the runs.
    user, item : str
        The case.
    shown : {"full", "train+valid", "train"}
        Which part of the history the models are shown.
    k : int
        Length of the lists.

    Returns
    -------
    dict
        As JSON has it; see `notebook_text`.
    """
    cells = [*_opening(report, home, shown), *case_cells([*report.tables()], user, item, k)]
    return _notebook(cells)


def case_cells(names: Sequence[str], user: str, item: str, k: int = 10, prefix: str = "") -> list[dict[str, Any]]:
    """Return the cells that compute one case.

    Parameters
    ----------
    names : sequence of str
        The tables to compute.
    user, item : str
        The case.
    k : int
        Length of the lists.
    prefix : str
        Begins the tables' names.
    """
    own = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    name = {each: f"{prefix}{each}" for each in (*own, "moved", "difference", "base_estimate")}
    cells = [_markdown("## The case"), _code(_CASE.format(user=user, item=item, k=k))]
    cells += [_markdown("## Every part of the score"), _code(_REASONS.format(name=name["reasons"]))]
    cells += [_code(_PARTS.format(name=name["attributes"]))]
    lists = f"tables[{name['refined_list']!r}], tables[{name['base_list']!r}] = case.refined, case.base"
    cells += [_markdown("## What is recommended"), _code(f"{lists}\ntables[{name['refined_list']!r}]")]
    if "past_items" in own:
        cells += [_markdown("## Which past item drove it"), _code(_PAST.format(name=name["past_items"]))]
    if own & {"changes", "taste_curves"}:
        edits, curves = f"{prefix}changes", f"{prefix}taste_curves"
        cells += [_markdown("## What would change it"), _code(_CHANGES.format(k=k, curves=curves, edits=edits))]
    if "moved" in own:
        cells += [_markdown("## Why it moved"), _code(_MOVED.format(parts=name["moved"], base=name["base_estimate"]))]
    if "difference" in own:
        # An item of the list is compared with the next one, any other with the last of the list.
        other = f"if why.seen or why.rank > {k!r}:\n{_indented(_NOT_LISTED)}\nelse:\n{_indented(_BELOW)}"
        shown = other.format(name=name["difference"], k=k)
        cells += [_markdown("## Compared with another item"), _code(f"{shown}\ntables[{name['difference']!r}]")]
    if "taste" in own:
        both = f"tables[{name['taste']!r}], tables[{name['history']!r}] = case.profile, case.history"
        cells += [_markdown("## Who this is"), _code(f"{both}\ntables[{name['history']!r}]")]
    return cells


def study_notebook(
    report: Report, home: Path, cases: Sequence[tuple[str, str]], shown: Shown, k: int = 10
) -> dict[str, Any]:
    """Write the notebook of several cases, users and items in the report's order; see `case_notebook`."""
    names = [*report.tables()]
    cells = _opening(report, home, shown)
    for number, (user, item) in enumerate(cases, 1):
        cells += [_markdown(f"# {number}."), *case_cells(names, user, item, k, f"case{number}_")]
    return _notebook(cells)


def evaluation_notebook(
    report: Report, home: Path, summary: Mapping[str, Any], config: Mapping[str, Any],
    controls: Mapping[str, str], seed: int, metric: str, segments: Mapping[str, Definition] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write the notebook of an evaluation.

    Parameters
    ----------
    report : Report
        Of the evaluation; the notebook computes its tables.
    home : Path
        The folder of the runs.
    summary, config : mapping
        Of the evaluation's run.
    controls : mapping of str to str
        Control to its refined run.
    seed : int
        Of the evaluation.
    metric : str
        The measure that the report judges by.
    segments : mapping of str to Definition, optional
        The saved segments that the report shows, by name.
    """
    names, chosen = report.tables(), summary["baselines"]
    ease = f'\n    "ease": gr.EASE(**{chosen["ease"]!r}),' if "ease" in chosen else ""
    drawn = {"cutoffs": tuple(config["cutoffs"]), "samples": config["bootstrap_samples"], "seed": seed}
    simple = {name: chosen.get(name, {}) for name in ("popularity", "item_knn", "item_knn_recency")}
    models = _MODELS.format(**simple, ease=ease, controls=dict(controls))
    cells = [
        *_opening(report, home, "full"),
        _markdown("## Base and refined in one call"),
        _code("data = model.data\n" + _SHORT.format(**drawn)),
        _markdown("## All models\n\nSimple ones are fitted anew, controls are opened."),
        _code(models),
        _markdown("## Every measure, with intervals"),
        _code(_EVALUATE.format(**drawn)),
        _markdown("## The answers"),
        _code("import pandas as pd\n\n" + _ANSWERS.format(
            dataset=report.stamp.dataset, split=summary["split"], metric=metric)),
    ]  # fmt: skip
    if "by_saved_segment" in names:
        listed = ",\n".join(f"    {name!r}: {one.to_json()!r}" for name, one in (segments or {}).items())
        filled = _SEGMENTS.format(segments="{\n" + listed + ",\n}", metric=metric, **drawn)
        cells += [_markdown("## Saved segments"), _code(filled)]
    if "named_shares" in names:
        cells += [_markdown("## How much of it has a name"), _code(_NAMES.format(**drawn))]
    if "training" in names:
        cells += [_markdown("## Training"), _code(_TRAINING.format())]
    return _notebook(cells)


def segment_notebook(
    report: Report,
    home: Path,
    users: Definition | None,
    items: Definition | None,
    controls: Mapping[str, str],
    control: str | None,
    metric: str,
    k: int = 10,
    samples: int = 1000,
) -> dict[str, Any]:
    """Write the notebook of a segment.

    Parameters
    ----------
    report : Report
        Of the segment; the notebook computes its tables.
    home : Path
        The folder of the runs.
    users, items : Definition or None
        The conditions; None is everyone, and no items asked about.
    controls : mapping of str to str
        Control to its refined run, those that the report compares.
    control : str or None
        The strict one.
    metric : str
        The measure that the report judges by.
    k : int
        Length of the lists.
    samples : int
        Resamples of users for intervals.
    """

    def condition(definition: Definition | None) -> str:
        return "None" if definition is None else f"Definition.from_json({definition.to_json()!r}).condition"

    tables = report.tables()
    cells = [
        *_opening(report, home, "full"),
        _markdown("## Who they are, and what they are shown"),
        _code(_PEOPLE.format(controls=dict(controls), k=k, users=condition(users))),
    ]
    if "gains" in tables:
        groups = '{"everyone": users}' if users is None else '{"this segment": users, "everyone": None}'
        own = "everyone" if users is None else "this segment"
        cutoff = int(metric.partition("@")[2] or 10)
        filled = {"groups": groups, "own": own, "cutoff": cutoff, "samples": samples}
        cells += [
            _markdown("## What refinement brings them"),
            _code(_GROUP_GAINS.format(metric=metric, control=control, **filled)),
        ]
    if items is not None:
        asked = _GROUP_ITEMS.format(items=condition(items), samples=samples, most=MOST_ROWS)
        cells += [_markdown("## Who of them is shown the items"), _code(asked)]
    return _notebook(cells)


def notebook_text(notebook: Mapping[str, Any]) -> str:
    """Write a notebook's file."""
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _opening(report: Report, home: Path, shown: Shown) -> list[dict[str, Any]]:
    """Say what is computed, and open the run."""
    stamp = "\n".join(f"- {name}: {_quoted(value)}" for name, value in report.stamp.facts().items())
    title = f"# {_quoted(report.title)}\n\n{_quoted(report.about)}\n\n{_quoted(report.answer)}\n\n{stamp}"
    opened = (
        f"import guidedrec_core as gr\n\nHOME = {str(home)!r}  # the folder of the runs\nRUN = {report.stamp.run!r}\n"
        'model = gr.open(f"{HOME}/{RUN}")' + ("" if shown == "full" else f".showing({shown!r})") + "\n"
        "tables = {}  # by the names that they have in the report"
    )
    return [_markdown(title), _code(opened)]


def _quoted(text: str) -> str:
    """Return text from data that Markdown shows as it is."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>()#+-.!|$~:&@" else character for character in text)


def _indented(code: str) -> str:
    """Return code inside a block, without the line that shows its table."""
    return "\n".join(f"    {line}" if line else "" for line in code.splitlines()[:-1])


def _markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def _notebook(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a notebook of some cells."""
    return {
        "cells": [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
