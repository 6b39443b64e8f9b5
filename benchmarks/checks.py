"""Do the default checks catch faults, and leave clean retrainings alone? `python benchmarks/checks.py --home HOME`.

On the bundled shop, in three steps. Every run is the head over a SASRec base, one thread:

1. **Reference**: the head over the base that ships (seed 0).
2. **Thresholds** of `guidedrec_core/checks/default.toml` were chosen on 6 retrainings, whose values are stored: 2 bases
   of other seeds (21, 22), 3 seeds of the head over each. The check of attributes' weights was added
   after a first measurement, which caught 19 of the 20 faults; its bounds are from the same 6 retrainings.
3. **Counted**: retrainings of base and head that nothing was chosen on, as many as `--retrainings` says (heads of other
   seeds over one base hardly differ, so that each has a base of its own). And 20 faults, planted one at a time in the
   first of these, so that each has the noise of a retraining on top. Faults are planted in the finished run: its
   scores, catalogue, histories, weights or the scores that it returns.

Writes JSON: each check's values, the alarms, and which checks caught each fault.
"""

import argparse
import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
import numpy as np

from guidedrec_core import stages
from guidedrec_core.attributes.scores import AlignedScores
from guidedrec_core.checks.check import read_checks
from guidedrec_core.checks.measures import Measurable, measure
from guidedrec_core.config import BuildConfig
from guidedrec_core.ranking.adjustments import Adjustment, Adjustments
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.library import find_entry
from guidedrec_core.runs.store import RunStore

CHOSEN_ON = {21: (1, 2, 3), 22: (1, 2, 3)}
COUNTED = dict.fromkeys((*range(11, 21), *range(23, 33)), (1,))
"""Seed of a base to seeds of heads over it; a head's own seed is 100 times the base's and this."""
DATASET = "fernway"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--home", required=True, type=Path, help="folder of stored runs; what is there is not made again"
    )
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "checks.json")
    parser.add_argument("--retrainings", type=int, default=len(COUNTED), help="how many clean retrainings to count")
    arguments = parser.parse_args()
    store, checks = RunStore(arguments.home), read_checks().checks
    reference = Measurable(retrained(store, 0, 0))
    counted = dict(list(COUNTED.items())[: arguments.retrainings])

    def values(model: RefinedRecommender) -> dict[str, float]:
        run = Measurable(model)
        return {check.name: measure(check, run, reference).value for check in checks}

    def alarms(found: dict[str, float]) -> list[str]:
        return [check.name for check in checks if not check.passes(found[check.name])]

    result: dict[str, Any] = {"machine": machine.facts("numpy", "torch"), "checks": [c.name for c in checks]}
    for part, plan in (("chosen_on", CHOSEN_ON), ("clean", counted)):
        made = []
        for base, seeds in plan.items():
            for seed in seeds:
                found = values(retrained(store, base, 100 * base + seed))
                made.append({"base_seed": base, "seed": 100 * base + seed, "alarms": alarms(found), "values": found})
                print(part, base, seed, alarms(found), flush=True)
        result[part] = {"runs": made, "with_an_alarm": sum(bool(one["alarms"]) for one in made)}
    whole, caught = retrained(store, 11, 1101), []
    for name, plant in FAULTS.items():
        found = values(plant(whole, np.random.default_rng(0)))
        caught.append({"fault": name, "caught_by": alarms(found), "values": found})
        print(name, alarms(found), flush=True)
    result["faults"] = {"planted": caught, "caught": sum(bool(one["caught_by"]) for one in caught), "of": len(caught)}
    arguments.out.write_text(json.dumps(rounded(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def retrained(store: RunStore, base_seed: int, seed: int) -> RefinedRecommender:
    """Return the head with a seed over a base with a seed; made where it is not stored."""
    shipped = find_entry(store, DATASET)
    entries = {info.id: info for info in store.list("base") if info.inputs.get("data") == shipped.data.id}
    own = next(info for info in entries.values() if info.seed == 0)
    ready = store.open(own.id, "base")
    settings = {name: ready.config[name] for name in ("training", "encoder", "split")}
    scores = store.open(store.open(shipped.run.id, "refined").inputs["scores"], "scores")
    refinement = {"mode": "head", "normalisation": "z", "decay": 0.85}
    config = BuildConfig.parse({**settings, "training": {**settings["training"], "threads": 1}, "seed": base_seed})
    data = store.open(shipped.data.id, "data")
    base = ready if base_seed == 0 else stages.train_base(store, data, config)
    head = BuildConfig.parse({**config.model_dump(mode="json"), "refinement": refinement, "seed": seed})
    return open_refined(store, stages.refine(store, base, scores, head).id)


def with_raw(model: RefinedRecommender, change: Callable[[np.ndarray], np.ndarray]) -> RefinedRecommender:
    """Return a recommender whose raw item scores are changed."""
    items = model.scores.items
    changed = replace(items, values=change(items.values.copy()).astype(np.float32))
    return replace(model, scores=AlignedScores(**{**vars(model.scores), "items": changed}))


def with_categories(model: RefinedRecommender, change: Callable[[np.ndarray], np.ndarray]) -> RefinedRecommender:
    """Return a recommender whose catalogue has other categories."""
    dataset = model.data.dataset
    frame = dataset.catalogue.frame
    frame = frame.assign(category=change(frame["category"].to_numpy(dtype=object).copy()))
    dataset = replace(dataset, catalogue=replace(dataset.catalogue, frame=frame))
    return replace(model, data=replace(model.data, dataset=dataset))


def with_feed(model: RefinedRecommender, change: Callable[[np.ndarray], np.ndarray]) -> RefinedRecommender:
    """Return a recommender whose histories are changed, one at a time, without changing their lengths."""
    sequences = model.data.sequences
    items = np.concatenate([change(sequences.history(user)) for user in range(sequences.n_users)])
    return replace(model, data=replace(model.data, sequences=replace(sequences, items=items.astype(np.int64))))


def with_head(model: RefinedRecommender, **weights: np.ndarray) -> RefinedRecommender:
    """Return a recommender whose head has other weights."""
    head = copy.copy(model.refined)
    head.learned = replace(head.learned, **weights)
    return replace(model, refined=head)


def pushed(model: RefinedRecommender, items: np.ndarray, amount: float) -> RefinedRecommender:
    """Return a recommender that scores some items higher or lower for everybody."""
    mask = np.isin(np.arange(model.refined.n_items), items)
    return model.with_rules(Adjustments((Adjustment("fault", "boost", mask, mask * amount),)))


class Reordered:
    """A model whose scores end up at other items."""

    def __init__(self, model: Any, order: np.ndarray) -> None:
        self.model, self.order, self.n_items = model, order, model.n_items

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def scores(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        return np.asarray(self.model.scores(users, histories)[:, self.order])


def reordered(model: RefinedRecommender, order: np.ndarray) -> RefinedRecommender:
    mixed: Any = Reordered(model.refined, order)
    return replace(model, refined=mixed)


def swap(table: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    table[:, list(columns)] = table[:, list(columns)[::-1]]
    return table


def set_column(table: np.ndarray, column: int, values: Any) -> np.ndarray:
    table[:, column] = values
    return table


def mislabelled(labels: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Give some items the category of an item of another one."""
    for item in rng.choice(len(labels), round(share * len(labels)), replace=False):
        labels[item] = rng.choice(labels[labels != labels[item]])
    return labels


def part_mixed(n: int, rng: np.random.Generator, share: float) -> np.ndarray:
    """Return an order of n items in which a share has changed places."""
    order, some = np.arange(n), rng.choice(n, round(share * n), replace=False)
    order[some] = np.roll(some, 1)
    return order


def scaled_half(table: np.ndarray) -> np.ndarray:
    table[::2] /= 10
    return table


def holes(table: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    table[rng.choice(len(table), len(table) // 20, replace=False), 3] = np.nan
    return table


Fault = Callable[[RefinedRecommender, np.random.Generator], RefinedRecommender]
FAULTS: dict[str, Fault] = {
    "two attributes' columns swapped": lambda m, r: with_raw(m, lambda t: swap(t, (0, 1))),
    "one attribute reversed": lambda m, r: with_raw(m, lambda t: set_column(t, 2, 10 - t[:, 2])),
    "one attribute's scores shuffled": lambda m, r: with_raw(m, lambda t: set_column(t, 5, r.permutation(t[:, 5]))),
    "all scores one row too low": lambda m, r: with_raw(m, lambda t: np.roll(t, 1, axis=0)),
    "one attribute scored the same everywhere": lambda m, r: with_raw(m, lambda t: set_column(t, 4, 5.0)),
    "half of the items scored on a scale to 1": lambda m, r: with_raw(m, scaled_half),
    "5 % of items without a score on one attribute": lambda m, r: with_raw(m, lambda t: holes(t, r)),
    "label drift: 3 % of items in a wrong category": lambda m, r: with_categories(m, lambda c: mislabelled(c, r, 0.03)),
    "categories one row too low": lambda m, r: with_categories(m, lambda c: np.roll(c, 1)),
    "popularity spike of one item": lambda m, r: pushed(m, r.choice(m.refined.n_items, 1), 6.0),
    "popularity spike of ten items": lambda m, r: pushed(m, r.choice(m.refined.n_items, 10, replace=False), 3.0),
    "popularity counts for much more": lambda m, r: with_head(m, popularity=m.refined.learned.popularity + 1.0),
    "popularity counts against items": lambda m, r: with_head(m, popularity=m.refined.learned.popularity - 1.0),
    "weights of attributes lost": lambda m, r: with_head(
        m, profile=np.zeros_like(m.refined.learned.profile), everyone=np.zeros_like(m.refined.learned.everyone)
    ),
    "a tenth of the items with each other's scores": lambda m, r: reordered(m, part_mixed(m.refined.n_items, r, 0.1)),
    "all items with the next one's scores": lambda m, r: reordered(m, np.roll(np.arange(m.refined.n_items), 1)),
    "one category never listed": lambda m, r: pushed(
        m, np.flatnonzero(m.data.dataset.catalogue.frame["category"] == "socks"), -50.0
    ),
    "histories in reverse": lambda m, r: with_feed(m, lambda h: h[::-1]),
    "item ids of histories off by one": lambda m, r: with_feed(m, lambda h: (h + 1) % m.refined.n_items),
    "histories without the last two purchases": lambda m, r: m.showing("train"),
}


def rounded(value: Any) -> Any:
    """Round numbers to 4 digits."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
