"""Ways to say which past items drove a recommendation, measured against each other."""

from typing import Any

import numpy as np

from sitegen.results import Results
from sitegen.tables import number, table

_NAMES = {
    "removal order": "**removal order**",
    "shares of the score": "shares of the score (Shapley values)",
    "LXR": "LXR, learned masks",
    "gradient x input": "gradient × input",
}
_SHOWN = ("DEL", "INS", "CNDCG", "POS@10", "NEG@10")
_BASES = {"sasrec": "SASRec", "gru4rec": "GRU4Rec", "bert4rec": "BERT4Rec"}
_DATA = {"fernway": "the shop", "movietweetings-100k": "MovieTweetings"}


def leaderboard_facts(results: Results, name: str) -> str:
    """Say how much was measured."""
    found = results.read(name)
    models = found["models"]
    cases = sorted({model["cases"] for model in models})
    count = f"{cases[0]}" if len(cases) == 1 else f"{cases[0]} to {cases[-1]}"
    bases: dict[str, list[str]] = {}
    for model in models:
        bases.setdefault(_DATA.get(model["data"], model["data"]), []).append(_BASES[model["base"]])
    where = "; ".join(f"{data}: {', '.join(kinds)}" for data, kinds in bases.items())
    return f"{count} users of each of {len(models)} models ({where}), seed {found['seed']}"


def leaderboard_machine(results: Results, name: str) -> str:
    """Name the processor."""
    facts = results.read(name)["models"][0]["machine"]
    return f"{facts['cpu']}, {facts['cores']} cores"


def leaderboard_training(results: Results, name: str) -> str:
    """Say how long LXR's networks were trained."""
    seconds = [model["lxr"]["training_cpu_seconds"] for model in results.read(name)["models"]]
    return f"{min(seconds):.0f} to {max(seconds):.0f}"


def leaderboard_table(results: Results, name: str) -> str:
    """Write the means of all explainers over the models that have them, and how ours fares against each."""
    models = results.read(name)["models"]
    better = results.read(name)["better"]
    rows = []
    for explainer in dict.fromkeys(row["explainer"] for model in models for row in model["explainers"]):
        own = [row for model in models for row in model["explainers"] if row["explainer"] == explainer]
        means = [float(np.mean([row["metrics"][metric]["value"] for row in own])) for metric in _SHOWN]
        verdicts = [metric["ours"] for row in own for metric in row["metrics"].values() if "ours" in metric]
        cells = [str(verdicts.count(each)) if verdicts else "" for each in ("better", "level", "worse")]
        milliseconds = number(float(np.mean([row["cpu_ms"] for row in own])), 1)
        numbers = [number(mean, 4 if metric == "DEL" else 3) for metric, mean in zip(_SHOWN, means, strict=True)]
        rows.append([_NAMES.get(explainer, explainer), len(own), *numbers, milliseconds, *cells])
    arrows = [f"{metric} {'↑' if better[metric] == 'higher' else '↓'}" for metric in _SHOWN]
    head = ["Explanation", "models", *arrows, "CPU ms", "ours better", "level", "ours worse"]
    return table(head, rows)


def leaderboard_shortfalls(results: Results, name: str) -> str:
    """Write every model and metric in which another explanation is better for certain; a sentence if there is none."""
    rows = []
    for model in results.read(name)["models"]:
        for row in model["explainers"]:
            for metric, found in row["metrics"].items():
                if found.get("ours") == "worse":
                    rows.append([_place(model), row["explainer"], metric, *_compared(found)])
    if not rows:
        return "On no model and no metric is another explanation better for certain."
    return "Where another explanation is better:\n\n" + table(
        ["Model", "Better explanation", "metric", "ours", "the other", "ours minus it"], rows, left=3
    )


def _place(model: dict[str, Any]) -> str:
    return f"{_DATA.get(model['data'], model['data'])}, {_BASES[model['base']]}"


def _compared(found: dict[str, Any]) -> tuple[str, str, str]:
    gap = found["ours_minus"]
    low, high = gap["ci"]
    ours = number(found["value"] + gap["value"], 4)
    return ours, number(found["value"], 4), f"{number(gap['value'], 4)} [{number(low, 4)}, {number(high, 4)}]"
