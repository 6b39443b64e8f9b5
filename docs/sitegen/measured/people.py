"""Whether people see in items what their scores say."""

from sitegen.results import Results
from sitegen.tables import interval, number, table

_GROUPS = {
    "summary_named": "named beforehand",
    "summary_named_untagged": "named beforehand, only films without user tags",
    "summary": "all",
}


def people_facts(results: Results, name: str) -> str:
    """Say how many answers were used."""
    found = results.read(name)["summary"]
    return f"{found['judgements']:,} answers of {found['raters']:,} people about {found['items']:,} films"


def people_summary(results: Results, name: str) -> str:
    """Write what attributes show together: named beforehand, likewise without hints from user tags, all of them."""
    found = results.read(name)
    rows = []
    for key, which in _GROUPS.items():
        s = found[key]
        mean = interval(s["mean_spearman"], s["mean_spearman_low"], s["mean_spearman_high"], 2)
        people = interval(s["people_pairs"], s["people_pairs_low"], s["people_pairs_high"], 2)
        one = interval(s["one_person"], s["one_person_low"], s["one_person_high"], 2)
        best = f"{s['best_of_columns']} [{s['best_of_columns_low']:.0f}, {s['best_of_columns_high']:.0f}]"
        cells = [number(s[key], 2) for key in ("mean_categories", "mean_shuffled")]
        rows.append([f"{s['attributes']}, {which}", mean, f"{best} of {s['attributes']}", *cells, people, one])
    head = ["Attributes", "mean agreement", f"right column best of {found['summary']['columns']}", "genres", "shuffled"]
    return table([*head, "two people", "scores and one person"], rows)


def people_table(results: Results, name: str) -> str:
    """Write how far scores of each attribute agree with people, next to what else does."""
    rows = []
    for row in sorted(results.read(name)["attributes"], key=lambda row: -row["spearman"]):
        agreement = interval(row["spearman"], row["ci_low"], row["ci_high"], 2)
        cells = [number(row[key], 2) for key in ("people", "categories", "shuffled")]
        label = row["attribute"].replace("_", " ")
        rows.append([label, row["n_items"], agreement, *cells, row["rank"], row["verdict"]])
    return table(["Attribute", "films", "agreement", "two people", "genres", "shuffled", "place", "verdict"], rows)
