"""What refinement gains: the files `gain_*.json` of `benchmarks/gain.py`, and the shop's build."""

from collections.abc import Mapping
from typing import Any

from sitegen.results import Results
from sitegen.tables import gain, number, percent, table

METRICS = ("MRR", "Recall@10", "NDCG@10")
NAMES = {
    "popularity": "Popularity",
    "item_knn": "Item-kNN",
    "item_knn_recency": "Item-kNN with recency and order",
    "ease": "EASE",
    "base": "Base model",
    "second_training": "Second training, no scores",
    "placebo": "Placebo: scores shuffled over items",
    "gaussian": "Random vectors instead of scores",
    "random_vectors": "Random vectors instead of scores",
    "categories": "Genres instead of scores",
    "guided_only": "Scores alone",
    "refined": "**Refined model**",
}
"""Models by the names they are stored under, in the order of the tables."""
BASES = {"sasrec": "SASRec", "gru4rec": "GRU4Rec", "bert4rec": "BERT4Rec"}
SHOP = "build_fernway"
_DATA = (
    ("MovieTweetings", "gain_movietweetings-100k_leave-one-out"),
    ("MovieTweetings, split in time", "gain_movietweetings-100k_temporal"),
    ("MovieLens small", "gain_movielens-small_leave-one-out"),
    ("MovieLens small", "gain_movielens-small_leave-one-out_gru4rec"),
    ("MovieLens small", "gain_movielens-small_leave-one-out_bert4rec"),
)


def entry(results: Results, name: str, base: str) -> dict[str, Any]:
    """Return what was measured with one base model: ``metrics`` by model, and ``refined_over`` by model."""
    found = results.read(name)
    if name == SHOP:
        return _entry_of_build(found)
    measured: dict[str, Any] = found["bases"][base]
    return measured


def _entry_of_build(build: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of a build, whose tables are in long form."""
    metrics: dict[str, Any] = {}
    for row in build["metrics"]:
        metrics.setdefault(row["model"], {})[row["metric"]] = {"value": row["value"]}
    over: dict[str, Any] = {}
    for row in build["differences"]:
        if row["model"] == "refined":
            ends = {"gain": row["relative"], "ci": [row["relative_ci_low"], row["relative_ci_high"]]}
            over.setdefault(row["against"], {})[row["metric"]] = ends
    return {"cases": build["cases"]["n_cases"], "metrics": metrics, "refined_over": over}


def gain_table(results: Results, name: str, base: str = "sasrec") -> str:
    """Write one base model's table: every model, and what the refined one gains over it."""
    measured = entry(results, name, base)
    rows = []
    for model, label in NAMES.items():
        if model in measured["metrics"]:
            values = [number(measured["metrics"][model][m]["value"]) for m in METRICS]
            if model == "refined":
                rows.append([label, *(f"**{v}**" for v in values), ""])
            else:
                rows.append([label, *values, _gain(measured, model, "MRR")])
    if "head" in measured:
        head = measured["head"]["metrics"]["refined"]
        rows.append(["Head alone, nothing retrained", *(number(head[m]["value"]) for m in METRICS), ""])
    return table(["Model", *METRICS, "MRR gain of the refined model over it"], rows)


def gain_over(results: Results, name: str, base: str, over: str, metric: str = "MRR") -> str:
    """Write the refined model's gain over another model, with its interval."""
    return _gain(entry(results, name, base), over, metric)


def _gain(measured: Mapping[str, Any], over: str, metric: str) -> str:
    found = measured["refined_over"][over][metric]
    return gain(found["gain"], *found["ci"])


def value_of(results: Results, name: str, base: str, model: str, metric: str, digits: int = 3) -> str:
    """Write one model's metric."""
    return number(entry(results, name, base)["metrics"][model][metric]["value"], digits)


def facts_of(results: Results, name: str) -> str:
    """Write what a table rests on: test cases and seeds."""
    found = results.read(name)
    seeds = 1 if name == SHOP else len(found["seeds"])
    cases = entry(results, name, next(iter(found.get("bases", {"sasrec": {}}))))["cases"]
    return f"{cases:,} test cases, {seeds} seed{'s' if seeds > 1 else ''}"


def mean_gain(results: Results, name: str, over: str = "base", metric: str = "MRR") -> str:
    """Write the refined model's gain, averaged over the base models."""
    gains = [measured["refined_over"][over][metric]["gain"] for measured in results.read(name)["bases"].values()]
    return percent(sum(gains) / len(gains))


def popularity_table(results: Results, name: str, models: tuple[str, ...]) -> str:
    """Write MRR by popularity of the held-out item, averaged over the base models."""
    bases = list(results.read(name)["bases"].values())
    quarters = list(bases[0]["by_popularity"])
    rows = []
    for model in models:
        mrr = [sum(base["by_popularity"][quarter]["MRR"][model] for base in bases) / len(bases) for quarter in quarters]
        rows.append([NAMES[model], *(number(value) for value in mrr)])
    return table(["MRR where the held-out item is", *(f"{quarter} quarter" for quarter in quarters)], rows)


def cold_table(results: Results, name: str, base: str = "sasrec") -> str:
    """Write how many items without a training interaction each model finds."""
    metrics = entry(results, name, base)["metrics"]
    rows = [[label, number(metrics[m]["cold Recall@10"]["value"])] for m, label in NAMES.items() if m in metrics]
    return table(["Model", "Recall@10 of items without training interactions"], rows)


def cold_share(results: Results, name: str, base: str = "sasrec") -> str:
    """Write the share of test cases whose item has no training interaction."""
    measured = entry(results, name, base)
    return f"{measured['cold_cases'] / measured['cases']:.0%}".replace("%", " %")


def summary_table(results: Results) -> str:
    """Write one row for each data set and base model: the README's table."""
    rows = []
    for label, name in _DATA:
        for base in results.read(name)["bases"]:
            rows.append([f"{label}, {BASES[base]}", *_summary(entry(results, name, base))])
    rows.append([f"Fernway (simulated), {BASES['sasrec']}", *_summary(entry(results, SHOP, "sasrec"))])
    return table(["Data, base model", "MRR: base", "refined", "gain", "over second training", "over placebo"], rows)


def _summary(measured: Mapping[str, Any]) -> list[str]:
    """Return the cells of one row."""
    metrics = measured["metrics"]
    values = (number(metrics["base"]["MRR"]["value"]), f"**{number(metrics['refined']['MRR']['value'])}**")
    return [*values, *(_gain(measured, over, "MRR") for over in ("base", "second_training", "placebo"))]


def ablation_table(results: Results, name: str, metric: str = "MRR") -> str:
    """Write what each attribute is worth: the model without it, and with it alone."""
    rows = [row for row in results.read(name)["ablation"] if row["metric"] == metric]
    attributes = sorted((r for r in rows if r["kind"] == "drop"), key=lambda row: float(row["to_all"]))
    alone = {row["attribute"]: row for row in rows if row["kind"] == "keep"}
    cells = []
    for row in attributes:
        loss = _difference(row["to_all"], row["to_all_low"], row["to_all_high"])
        own = alone[row["attribute"]]
        worth = _difference(own["to_none"], own["to_none_low"], own["to_none_high"])
        cells.append([row["attribute"].replace("_", " "), loss, worth])
    return table(["Attribute", f"{metric} without it", f"{metric} with it alone, against none"], cells)


def ablation_value(results: Results, name: str, kind: str, n_attributes: int | None = None) -> str:
    """Write MRR with ``all`` attributes, with ``none``, or with the ``first`` few by weight."""
    for row in results.read(name)["ablation"]:
        if row["metric"] == "MRR" and row["kind"] == kind and n_attributes in (None, row["n_attributes"]):
            return number(row["value"])
    raise LookupError(f"expected a row of kind {kind} with {n_attributes} attributes in {name}, found none")


def _difference(value: float, low: float, high: float) -> str:
    ends = [number(each, 4) for each in (low, high)]
    return f"{'+' if value > 0 else ''}{number(value, 4)} [{', '.join(ends)}]"


def sparsity_table(results: Results, name: str, metric: str = "MRR") -> str:
    """Write the refined model's gain where histories are cut to their latest part."""
    found = results.read(name)
    rows = []
    for share in found["shares"]:
        cells = []
        for over in ("base", "second_training", "placebo"):
            row = _row_of(found["differences"], share, over, metric)
            cells.append(gain(row["relative"], row["relative_ci_low"], row["relative_ci_high"]))
        rows.append([f"{share:.0%}".replace("%", " %"), *cells])
    return table(["History kept", "over base", "over second training", "over placebo"], rows)


def _row_of(rows: list[dict[str, Any]], share: float, over: str, metric: str) -> dict[str, Any]:
    for row in rows:
        if (row["share"], row["model"], row["against"], row["metric"]) == (share, "refined", over, metric):
            return row
    raise LookupError(f"expected the gain over {over} at a share of {share} in {metric}, found none")
