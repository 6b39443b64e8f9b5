"""Our base models next to those of other libraries: the files `peers_*.json` of `benchmarks/peers.py`."""

from sitegen.results import Results
from sitegen.tables import MINUS, number, table

LIBRARIES = {"guidedrec": "guidedrec", "rectools": "RecTools", "recbole": "RecBole", "implicit": "implicit"}
MODELS = {
    "sasrec": "SASRec",
    "gru4rec": "GRU4Rec",
    "bert4rec": "BERT4Rec",
    "als": "ALS",
    "item_knn": "item-kNN",
}


def peer_table(results: Results, name: str) -> str:
    """Write every library's models: ranking on the test part, time and memory."""
    rows = []
    means = results.read(name)["summary"]["means"]
    for row in sorted(means, key=lambda row: list(MODELS).index(row["model"])):
        label = f"{MODELS[row['model']]}: {LIBRARIES[row['library']]}" + (" *" if row["note"] else "")
        scores = [number(row[metric]) for metric in ("MRR", "Recall@10", "NDCG@10")]
        seconds = number(row["cpu_seconds_to_best"], 0 if row["cpu_seconds_to_best"] >= 10 else 1)
        rows.append([label, row["seeds"], *scores, seconds, number(row["peak_memory_gib"], 2)])
    head = ["Model: library", "seeds", "MRR", "Recall@10", "NDCG@10", "CPU s to the best epoch", "memory, GiB"]
    return table(head, rows)


def peer_ratios(results: Results, name: str) -> str:
    """Write ours against theirs: the difference with its interval, and our CPU seconds as a share of theirs."""
    rows = []
    for row in results.read(name)["summary"]["ratios"]:
        library, model = row["against"].split("/")
        label = f"{LIBRARIES[library]}'s {MODELS[model]}" + (" *" if row["note"] else "")
        difference = row["NDCG@10 difference"].replace("-", MINUS)
        rows.append([label, difference, _share(row["cpu_seconds_to_best"]), _share(row["cpu_seconds_to_their_best"])])
    head = [
        "Against",
        "our NDCG@10 less theirs",
        "CPU seconds to our best epoch",
        "until as good as theirs on validation",
    ]
    return table(head, rows)


def _share(ratio: float | None) -> str:
    """Write a ratio to their CPU seconds; a dash where ours never was as good."""
    return number(ratio) if ratio is None else f"{number(100 * ratio, 1)} %"
