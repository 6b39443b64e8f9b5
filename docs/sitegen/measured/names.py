"""What has a name, and what it costs: the files `naming_*.json` of `benchmarks/naming.py`."""

from typing import Any

from sitegen.measured.gain import BASES
from sitegen.results import Results
from sitegen.tables import gain, number, table

_DATA = {
    "movietweetings-100k": "MovieTweetings",
    "movielens-small": "MovieLens small",
    "fernway": "Fernway (simulated)",
}
_METRIC = "NDCG@10"


def naming_table(results: Results) -> str:
    """Write what is left unnamed, what ranking by names keeps and what mode named gains, a row a data set and base."""
    rows = []
    for path in sorted(results.folder.glob("naming_*.json")):
        found = results.read(path.stem)
        data = _DATA.get(found["data"], found["data"]) + (", split in time" if found["split"] == "temporal" else "")
        for base, entry in found["bases"].items():
            own = entry["names of additive"]
            shares, quality = own["shares"], own["NDCG@10 by weight of what has no name"]
            over = entry["differences"]
            rows.append(
                [
                    f"{data}, {BASES.get(base, base)}",
                    _share(shares["unnamed_out_of_fold"]),
                    _share(shares["random_columns"]),
                    f"{100 * own['lines that keep their sign']:.0f} %",
                    f"{100 * quality[0] / quality[-1]:.0f} %",
                    number(entry["metrics"]["base"][_METRIC]["value"]),
                    number(entry["metrics"]["refined"][_METRIC]["value"]),
                    f"**{number(entry['metrics']['named'][_METRIC]['value'])}**",
                    *(_gain(over, against) for against in ("base", "refined", "named placebo")),
                ]
            )
    head = ["Data, base model", "unnamed", "random columns", "stable lines", "by names alone"]
    head += ["NDCG@10: base", "refined", "mode named", "named over base", "over refined", "over its placebo"]
    return table(head, rows)


def guided_facts_table(results: Results) -> str:
    """Write what facts add as guided columns next to attributes, a row a run and form."""
    rows = []
    for run in results.read("guided_facts")["runs"].values():
        for mode in ("additive", "head"):
            found, over = run[mode]["metrics"], run[mode]["relative"]
            row = [f"{_DATA.get(run['data'], run['data'])}, {run['base']}, {mode}"]
            row += [number(found[columns][_METRIC]) for columns in ("attributes", "facts", "attributes and facts")]
            for against in ("attributes", "facts", "shuffled attributes and facts"):
                value, low, high = over[f"attributes and facts over {against}"][_METRIC]
                row.append(gain(value, low, high))
            rows.append(row)
    head = ["Data, base model, form", "attributes", "facts", "both"]
    head += ["both over attributes", "over facts", "over placebo"]
    return table(head, rows)


def _share(share: float) -> str:
    """Write a share in percent, with one decimal."""
    return f"{number(100 * share, 1)} %"


def naming_facts(results: Results) -> str:
    """Say how many seeds each row is the mean of."""
    found = [results.read(path.stem) for path in sorted(results.folder.glob("naming_*.json"))]
    counts = sorted({len(each["seeds"]) for each in found})
    return " or ".join(str(count) for count in counts) + (" seed" if counts == [1] else " seeds")


def _gain(over: dict[str, dict[str, dict[str, Any]]], against: str) -> str:
    """Write what mode named gains over another model."""
    found = over[f"named over {against}"][_METRIC]
    return gain(found["gain"], *found["ci"])
