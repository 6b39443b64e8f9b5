"""Names that people read: of data sets and of refined runs. Ids stay in footers, addresses and commands."""

from collections import defaultdict
from collections.abc import Sequence

from guidedrec_core.runs.library import RefinedEntry

_DATASETS = {
    "fernway": "Fernway Outfitters",
    "movielens-small": "MovieLens small",
    "movietweetings-100k": "MovieTweetings 100K",
}
_KINDS = {"sasrec": "SASRec", "gru4rec": "GRU4Rec", "bert4rec": "BERT4Rec", "external": "Own model"}
_MODES = {
    "additive": "attributes",
    "literal": "attributes (literal)",
    "head": "attributes (head)",
    "named": "attributes (named only)",
}


def dataset_title(name: str) -> str:
    """Return a data set's name as people read it; one that its owner named stays as it is.

    Examples
    --------
    >>> dataset_title("fernway"), dataset_title("Winter 2025")
    ('Fernway Outfitters', 'Winter 2025')
    """
    return _DATASETS.get(name, name)


def run_title(entry: RefinedEntry) -> str:
    """Say what a refined run is and when it was made, e.g. ``"SASRec + attributes, 30 Nov"``."""
    kind, mode = entry.base_kind, str(entry.run.config["refinement"]["mode"])
    doubt = ", doubtful scores count less" if entry.shrinks_doubtful else ""
    made = f"{entry.run.created.day} {entry.run.created:%b}"
    return f"{_KINDS.get(kind, kind)} + {_MODES.get(mode, mode)}, {made}{doubt}"


def run_titles(entries: Sequence[RefinedEntry]) -> dict[str, str]:
    """Name runs so that each can be told from the others.

    Parameters
    ----------
    entries : sequence of RefinedEntry
        The runs of one data set.

    Returns
    -------
    dict of str to str
        By run id: what a run is and when it was made. Where two are alike, what tells them apart comes first, for the
        end may be cut off: the seed, the time of day, or at last the id.
    """
    titles = {entry.run.id: run_title(entry) for entry in entries}
    for detail in ("Seed {0.run.seed} · ", "{0.run.created:%H:%M} · ", "{0.run.id} · "):
        alike: dict[str, list[RefinedEntry]] = defaultdict(list)
        for entry in entries:
            alike[titles[entry.run.id]].append(entry)
        for group in alike.values():
            details = [detail.format(entry) for entry in group]
            if len(set(details)) > 1:
                titles |= {e.run.id: d + titles[e.run.id] for e, d in zip(group, details, strict=True)}
    return titles
