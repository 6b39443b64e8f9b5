"""Whether explanations are true, and what they cost: audits, the meaning alarm, edits, shares of past items."""

from typing import Any

from sitegen.results import Results
from sitegen.tables import by, interval, number, table

_ORDERS = ("explanation", "random", "attention", "newest first")
_PARTS = {"history": "past items", "attributes": "attributes"}
_DIRECTIONS = {"deletion": "taken away", "insertion": "put back"}
_PLANTED = {
    "taste": "what a shopper likes, by the values of the user",
    "slopes": "what a shopper likes, by what moves the score",
    "reasons": "why an item was bought, attribute by attribute",
    "preference": "how much taste there was in each purchase",
}
_EXPLANATIONS = {
    "refined": "explanations",
    "mixed_up": "labels mixed up",
    "placebo": "shuffled scores",
    "plain_mean": "plain average of what was bought",
}
_FAULTS = {
    "none": "no fault",
    "shuffled": "a column shuffled",
    "swapped": "two columns swapped",
    "inverted": "a column upside down",
    "users shuffled": "a column of user vectors shuffled",
    "users swapped": "two columns of user vectors swapped",
    "users inverted": "a column of user vectors upside down",
}


def fidelity_table(results: Results, name: str) -> str:
    """Write how far a score moves when what was explained is taken away or put back, by order."""
    found = results.read(name)["fidelity"]
    rows = []
    for part, what in _PARTS.items():
        for direction, done in _DIRECTIONS.items():
            cells = []
            for order in _ORDERS:
                same = [r for r in found if (r["part"], r["direction"], r["order"]) == (part, direction, order)]
                cells.append(_area(by(same, measure="score")) if same else "")
            rows.append([f"{what} {done}", *cells])
    return table(["Mean change of the score", "as explained", "random order", "by attention", "newest first"], rows)


def _area(row: dict[str, Any]) -> str:
    return interval(row["area"], row["low"], row["high"])


def stability_table(results: Results, name: str) -> str:
    """Write how alike the explanations of nearly equal users are, and of different ones."""
    found = results.read(name)["stability"]
    changes = dict.fromkeys(row["change"] for row in found)
    rows = []
    for change in changes:
        cells = []
        for measure in ("attributes_correlation", "history_correlation"):
            row = by(found, change=change, measure=measure)
            cells.append(interval(row["value"], row["low"], row["high"]))
        rows.append([change, *cells])
    return table(["Compared with the same user, but", "order of the attributes", "order of the past items"], rows)


def planted_table(results: Results, name: str) -> str:
    """Write how well explanations find what the simulated shoppers really want."""
    found = results.read(name)["planted"]
    rows = []
    for question, words in _PLANTED.items():
        values = [by(found, question=question, explanation=kind) for kind in _EXPLANATIONS]
        rows.append([words, *(interval(row["value"], row["low"], row["high"]) for row in values)])
    return table(["Rank correlation with", *_EXPLANATIONS.values()], rows)


def audited(results: Results, name: str) -> str:
    """Write how many users an audit is about."""
    found = results.read(name)
    return f"{found['users']:,} of {found['of_users']:,} shoppers, {found['explained']} of them explained"


def meaning_table(results: Results, name: str) -> str:
    """Write which planted faults the meaning alarm finds, and how often it is wrong."""
    rows = []
    for row in results.read(name)["summary"]:
        found = f"{row['found']} of {row['faulty_attributes']}" if row["fault"] != "none" else ""
        rows.append([row["mode"], _FAULTS[row["fault"]], row["models"], found, row["false_alarms"]])
    return table(["Form", "Fault", "models", "faulty attributes found", "false alarms"], rows, left=2)


def edit_times(results: Results, name: str) -> str:
    """Write the time of each kind of answer about one recommendation."""
    rows = [[row["what"], number(row["p50_ms"], 0), number(row["p95_ms"], 0)] for row in results.read(name)["times"]]
    return table(["Answer", "median, ms", "95th of 100, ms"], rows)


def edits_held(results: Results, name: str) -> str:
    """Write how many of the edits found were confirmed by scoring anew."""
    edits = results.read(name)["edits"]
    return f"{edits['flipped']} of {edits['found']}"


def steering_times(results: Results, name: str) -> str:
    """Write the time of a re-ranked list."""
    found = results.read(name)["milliseconds"]
    rows = [[what, number(times["p50"], 1), number(times["p95"], 1)] for what, times in found.items()]
    return table(["List of ten re-ranked", "median, ms", "95th of 100, ms"], rows)


def steering_effect(results: Results, name: str) -> str:
    """Write how often a slider does what it says."""
    rows = [
        [row["data"], f"{row['cases']:,}", number(100 * row["not_lower"], 1), number(100 * row["higher"], 1)]
        for row in results.read(name)["effect"]
    ]
    return table(["Data", "pulls", "list not lower on the attribute, %", "higher, %"], rows)


def history_times(results: Results, name: str) -> str:
    """Write time and error of the shares of past items, ours and those of plain shap."""
    rows = []
    for row in results.read(name)["rows"]:
        if row["model"] == "refined":
            label = f"{row['data']}, {row['base']}, {row['positions']} past items"
            numbers = (number(row["median_ms"], 0), number(row["median_to_ours"], 1), number(row["relative_error"], 3))
            rows.append([label, row["method"], *numbers])
    return table(["Refined model of", "Method", "median, ms", "of ours", "relative error"], rows, left=2)
