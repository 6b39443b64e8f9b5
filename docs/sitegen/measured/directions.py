"""What models know that nobody named: the leading directions, how rotations compare, and what placebos reach."""

from typing import Any

from sitegen.results import Results
from sitegen.tables import number, table

_LEADING = 6
_EXAMPLES = 3


def directions_table(results: Results, name: str, dataset: str) -> str:
    """Write the leading directions of a data set, with the items at both ends."""
    rows = []
    for place, one in enumerate(results.read(name)["runs"][dataset]["directions"][:_LEADING], start=1):
        ends = [_items(one[end]) for end in ("high", "low")]
        cells = [f"{100 * one['of_rest']:.0f} %", *(number(one[key], 2) for key in ("stability", "followed"))]
        rows.append([str(place), *ends, *cells, "yes" if one["passed"] else "no"])
    head = ["", "one end", "other end", "of what has no name", "stable", "followed", "more than chance"]
    return table(head, rows, left=3)


def rotations_table(results: Results, name: str) -> str:
    """Write how rotations compare on all data sets."""
    rows = []
    for dataset, run in results.read(name)["runs"].items():
        for rotation, found in run["rotations"].items():
            cells = [number(found.get(key), 2) for key in ("stability", "kurtosis", "told_by_words_best")]
            hidden = run.get("hidden_attribute", {}).get(rotation, {}).get("mean")
            rows.append([dataset, {"none": "principal components"}.get(rotation, rotation), *cells, number(hidden, 2)])
    head = ["Data", "rotation", "stability", "kurtosis", "told by words, best", "nearest to a hidden attribute"]
    return table(head, rows, left=2)


def placebo_directions(results: Results, name: str) -> str:
    """Write how many placebo directions pass for more than chance."""
    rows = []
    for dataset, run in results.read(name)["runs"].items():
        for kind, found in run["placebos"].items():
            real = sum(one["passed"] for one in run["directions"])
            own = f"{real} of {len(run['directions'])}"
            rows.append([dataset, kind, own, f"{found['of_ten']} of 10", f"{found['passed']} of {found['of']}"])
    return table(["Data", "placebo", "the model's own pass", "placebos pass", "of all their directions"], rows, left=2)


def ideal_names(results: Results, name: str, dataset: str) -> str:
    """Write for each attribute that was left out whether a direction has it, by an ideal name."""
    found = results.read(name)["runs"][dataset]["without_attribute"]["attributes"]
    rows = [
        [attribute.replace("_", " "), number(one["auroc"], 2), "yes" if one["found"] else "no"]
        for attribute, one in sorted(found.items(), key=lambda pair: -pair[1]["auroc"])
    ]
    return table(["Attribute left out", "AUROC of its scores", "found"], rows)


def ideal_names_count(results: Results, name: str, dataset: str) -> str:
    """Say how many attributes that were left out are found."""
    found = results.read(name)["runs"][dataset]["without_attribute"]
    return f"{found['found']} of {found['of']}"


def _items(end: dict[str, Any]) -> str:
    """Name some items of an end."""
    return "; ".join(end["items"][:_EXAMPLES]).replace("|", "&#124;")
