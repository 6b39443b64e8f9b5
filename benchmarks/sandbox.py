"""How long does a catalogue-wide what-if take? `python benchmarks/sandbox.py --home HOME [RUN ...]`.

For each refined run, and for 50,000 users and 50,000 items drawn at random (16 attributes; scores are given, as making
them is not what is measured): the preparation of the sandbox, and the effect of four changes, each five times, median
and largest of wall-clock seconds, and median of processor seconds. Writes JSON.
"""

import argparse
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import machine
import numpy as np
import pandas as pd

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.data.catalogue import Catalogue
from guidedrec_core.data.verbs import BOUGHT
from guidedrec_core.facts.fact import Facts
from guidedrec_core.naming.lines import NamedColumns
from guidedrec_core.ranking.ranks import top_k
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.runs.store import RunStore
from guidedrec_core.sandbox.change import Change
from guidedrec_core.sandbox.sandbox import MOST_SCORES, Sandbox

K, TIMES, SPARE = 10, 5, 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", help="ids of refined runs")
    parser.add_argument("--home", type=Path, default=Path("runs"), help="folder of stored runs")
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "sandbox.json")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"machine": machine.facts("numpy"), "sandboxes": []}
    for run_id in arguments.runs:
        model = open_refined(RunStore(arguments.home), run_id)
        model.named  # noqa: B018  fitted once per opened run, whatever is asked of it
        start = time.perf_counter()
        sandbox = Sandbox.of(model, K)
        prepared = time.perf_counter() - start
        result["sandboxes"].append({"data": model.data.dataset.name, "preparation": prepared, **measured(sandbox)})
    result["sandboxes"].append({"data": "random", "preparation": None, **measured(random_sandbox(50_000, 50_000))})
    arguments.out.write_text(json.dumps(rounded(result), indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rounded(result), indent=1))


def measured(sandbox: Sandbox) -> dict[str, Any]:
    """Time four changes: scores of one category, one item, an attribute's weight, a category out of stock."""
    frame = sandbox.model.data.dataset.catalogue.frame
    category = frame["category"].map(lambda cell: str(cell).split("|")[0]).value_counts().index[0]
    attribute, item = sandbox.model.schema.names[0], frame["item_id"].iloc[int(sandbox.best[0, 0])]
    found = {}
    for text in (
        f"{attribute}+2 where category: {category}",
        f"{attribute}+2 where item {item}",
        f"weight {attribute}*1.5",
        f"stock=0 where category: {category}",
    ):
        wall, processor = [], []
        for _ in range(TIMES):
            start, used = time.perf_counter(), time.process_time()
            effect = sandbox.effect([Change.read(text)])
            wall.append(time.perf_counter() - start)
            processor.append(time.process_time() - used)
        found[text] = {
            "items": effect.items_changed,
            "lists_changed": effect.changed,
            "wall_median": float(np.median(wall)),
            "wall_most": max(wall),
            "processor_median": float(np.median(processor)),
        }
    return {"users": effect.users, "sampled": effect.sampled, "items": len(frame), "changes": found}


def random_sandbox(n_users: int, n_items: int, n_attributes: int = 16) -> Sandbox:
    """Return a sandbox over random scores, as large as one of such a data set is."""
    rng = np.random.default_rng(0)
    raw = rng.uniform(0, 10, (n_items, n_attributes)).astype(np.float32)
    schema = AttributeSchema(
        attributes=tuple(Attribute(name=f"attribute_{n}", low="low", high="high") for n in range(n_attributes))
    )
    frame = pd.DataFrame({"item_id": [f"i{n}" for n in range(n_items)]})
    frame["title"], frame["category"] = frame["item_id"], [f"shelf {n}" for n in rng.integers(0, 100, n_items)]
    guided = GuidedEmbedding.of(raw).values
    size = min(n_users, MOST_SCORES // n_items)
    scores = rng.normal(size=(size, n_items)).astype(np.float32)
    slopes = (0.1 * rng.normal(size=(size, n_attributes))).astype(np.float32)
    catalogue = Catalogue(frame.astype({"item_id": "str", "title": "str", "category": "str"}))
    model: Any = SimpleNamespace(
        data=SimpleNamespace(
            sequences=SimpleNamespace(n_items=n_items),
            dataset=SimpleNamespace(catalogue=catalogue, users=range(n_users), items=_Items(frame)),
        ),
        named=SimpleNamespace(columns=NamedColumns.of(schema, guided, Facts((), n_items))),
        item_scores=GuidedScores(raw, schema),
        schema=schema,
        facts=Facts((), n_items),
        config=SimpleNamespace(mode="head", control="none", normalisation="z"),
        doubt=None,
        verb=BOUGHT,
    )
    users = np.sort(rng.choice(n_users, size, replace=False))
    return Sandbox(model, K, users, scores, slopes, top_k(scores, K + SPARE))


class _Items:
    """Item ids by index, as far as conditions need them."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.place = {name: number for number, name in enumerate(frame["item_id"])}

    def __len__(self) -> int:
        return len(self.place)

    def indexes(self, names: list[str], missing: str = "error") -> np.ndarray:
        return np.array([self.place[name] for name in names])


def rounded(value: Any) -> Any:
    """Round numbers to 4 digits."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
