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


def blind_names(results: Results, name: str) -> str:
    """Write for each attribute that was left out which name a language model gave, and how it did on held-out items."""
    found = results.read(name)
    best: dict[str, dict[str, Any]] = {}
    for case in found["cases"]:
        if case["kind"] == "attribute left out":
            known = best.get(case["hidden"])
            if known is None or _merit(case) > _merit(known):
                best[case["hidden"]] = case
    rows = []
    for hidden, case in sorted(best.items(), key=lambda pair: _merit(pair[1]), reverse=True):
        again = found["refined_again"][hidden]
        said = case["proposal"]["name"].replace("_", " ") if "proposal" in case else "none"
        ndcg = [number(again["removed"], 4), number(again["named"], 4) if again["names"] else ""]
        measured = [number(case.get(key), 2) for key in ("auroc", "correlation")]
        rows.append([hidden.replace("_", " "), said, *measured, "yes" if case["accepted"] else "no", *ndcg])
    head = ["Left out", "name given", "AUROC", "correlation", "accepted", "NDCG@10 without it", "with the name"]
    return table(head, rows, left=2)


def blind_names_facts(results: Results, name: str) -> dict[str, str]:
    """Return what the text says of blind names."""
    found = results.read(name)
    lost, back = found["mean_lost"], found["mean_gained_back"]
    return {
        "accepted": f"{found['found_and_accepted']} of {found['attributes']}",
        "placebos": f"{found['placebos_accepted']} of {found['placebos']}",
        "named": str(found["placebos_named"]),
        "passed": str(found["placebos_trial_passed"]),
        "full": number(found["full_ndcg"], 4),
        "lost": f"{lost[0]:.4f} (95 % interval {lost[1]:.4f} to {lost[2]:.4f})",
        "back": f"{back[0]:.4f} ({back[1]:.4f} to {back[2]:.4f})",
        "share": f"{100 * found['gained_back_share']:.0f} %",
        "share_found": f"{100 * _share_of_found(found):.0f} %",
    }


def blind_names_fact(results: Results, name: str, key: str) -> str:
    """Return one of `blind_names_facts`."""
    return blind_names_facts(results, name)[key]


def _share_of_found(found: dict[str, Any]) -> float:
    """Return how much of the lost NDCG@10 comes back, over the attributes that were found."""
    named = [one for one in found["refined_again"].values() if one["names"]]
    lost = sum(found["full_ndcg"] - one["removed"] for one in named)
    return float(sum(one["named"] - one["removed"] for one in named) / lost)


def _merit(case: dict[str, Any]) -> tuple[bool, float]:
    """Order the names of an attribute as an analyst would take them; as `benchmarks/blind_names.py` counts them."""
    return bool(case["accepted"]), float(case.get("auroc", 0.0))


def _items(end: dict[str, Any]) -> str:
    """Name some items of an end."""
    return "; ".join(end["items"][:_EXAMPLES]).replace("|", "&#124;")
