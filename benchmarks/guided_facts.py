"""What facts add as guided columns: `python benchmarks/guided_facts.py REFINED_RUN ... --home HOME`.

Over the base model and with the settings of each refined run, the additive form and the head are made with guided
columns of attributes alone, of attributes and facts of the catalogue (categories, numbers; one column each), of facts
alone, and of facts with the attributes' rows shuffled over items (the placebo). The width of the refined embedding
stays, so that in the additive form every guided column costs the reduced base embedding one dimension. Evaluated on the
test part; paired 95 % intervals over users. Runs are only read. Writes JSON.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import torch

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.attributes.scores import AlignedScores, GuidedScores
from guidedrec_core.config import BaselineConfig
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.evaluation.metrics import case_metrics, metric_names
from guidedrec_core.facts.catalogue import catalogue_facts
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import target_ranks
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.recommenders.refiner import Refiner
from guidedrec_core.runs.store import RunStore

CUTOFFS = (10,)
SAMPLES = 2000
COLUMNS = ("attributes", "attributes and facts", "facts", "shuffled attributes and facts")
COMPARED = (
    ("attributes and facts", "attributes"),
    ("attributes and facts", "facts"),
    ("attributes and facts", "shuffled attributes and facts"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="ids of refined runs in the additive form")
    parser.add_argument("--home", required=True, type=Path, help="folder of stored runs")
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "guided_facts.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    result: dict[str, Any] = json.loads(arguments.out.read_text()) if arguments.out.exists() else {"runs": {}}
    result["machine"] = machine.facts("torch", "numpy")
    for run_id in arguments.runs:
        model = open_refined(RunStore(arguments.home), run_id)
        entry = {mode: compared(model, mode) for mode in ("additive", "head")}
        described = {"data": model.data.dataset.name, "base": type(model.base_recommender).__name__, "seed": model.seed}
        result["runs"][" ".join(map(str, described.values()))] = {**described, **entry}
        print(json.dumps(entry, indent=1))
        arguments.out.write_text(json.dumps(result, indent=2) + "\n")


def compared(model: RefinedRecommender, mode: str) -> dict[str, Any]:
    """Fit and evaluate all arms of one form."""
    cases = model.data.test_cases
    metrics, widths = [], {}
    for columns in COLUMNS:
        scores = guided(model, columns)
        widths[columns] = len(scores.schema)
        settings = model.config.model_copy(update={"mode": mode, "attributes": None})
        refiner = Refiner.of(settings, model.training, BaselineConfig(), model.seed)
        made = refiner.fit(model.data, model.base_recommender, AlignedScores(scores))
        metrics.append(case_metrics(target_ranks(made.refined, model.data.sequences, cases), CUTOFFS))
    names = metric_names(CUTOFFS)
    bootstrap = UserBootstrap(np.column_stack(metrics), cases.users, SAMPLES, generator(0, "guided facts"))
    place = {(columns, name): n for n, (columns, name) in enumerate((c, m) for c in COLUMNS for m in names)}
    return {
        "columns": widths,
        "metrics": {
            columns: {name: float(bootstrap.means[place[columns, name]]) for name in names} for columns in COLUMNS
        },
        "relative": {
            f"{one} over {other}": {
                name: relative(bootstrap, place[one, name], place[other, name]) for name in ("MRR", "NDCG@10")
            }
            for one, other in COMPARED
        },
    }


def relative(bootstrap: UserBootstrap, column: int, against: int) -> list[float] | None:
    found = bootstrap.relative(column, against)
    return None if found is None else [found.value, found.low, found.high]


def guided(model: RefinedRecommender, columns: str) -> GuidedScores:
    """Return the guided scores of one arm; facts stand next to attributes as columns on the same scale."""
    scores = model.scores.items
    if columns == "attributes":
        return scores
    found = facts(model)
    if columns == "facts":
        values = found.to_numpy(np.float32)
        return GuidedScores(values, schema_of(scores.schema, [], list(found)))
    rows = np.arange(len(scores.values))
    if columns == "shuffled attributes and facts":
        rows = generator(model.seed, "placebo").permutation(len(rows))
    schema = schema_of(scores.schema, list(scores.schema.attributes), list(found))
    return GuidedScores(np.column_stack([scores.values[rows], found]).astype(np.float32), schema)


def schema_of(like: AttributeSchema, attributes: list[Attribute], names: list[str]) -> AttributeSchema:
    made = [
        Attribute(name=f"fact_{n}", low=f"low {name}"[:200], high=f"high {name}"[:200]) for n, name in enumerate(names)
    ]
    return like.model_copy(update={"attributes": (*attributes, *made)})


def facts(model: RefinedRecommender) -> pd.DataFrame:
    """Return categories as 0 or 10 and numbers on 0..10, ``[n_items, P]``; what is unknown is NaN."""
    table = {}
    for fact in catalogue_facts(model.data.dataset.catalogue.frame):
        if fact.numbers is not None:
            ranks = pd.Series(fact.numbers).rank(pct=True)
            table[fact.label] = 10 * ranks
        else:
            for name, column in zip(fact.column_names, fact.columns.T, strict=True):
                table[f"{fact.label} {name}"] = 10.0 * (column > column.min())
    return pd.DataFrame(table)


if __name__ == "__main__":
    main()
