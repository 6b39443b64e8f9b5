"""How long the smallest edits take, beside one plain ranking of the same catalogue by the same model.

`python benchmarks/counterfactuals.py`. A synthetic catalogue with real model classes: a head over a SASRec of default
size, the refined model trained over it in its anchored form, item-kNN, and 12 attributes; all weights are random, so
that times are real and results mean nothing. For random users, half of the items asked about stand in the top 10, half
below it. Every edit found is scored anew, which is part of its time; how many then do what they say is counted, too.
The ratio is one of processor time.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import torch

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.config import EncoderConfig, ItemKNNConfig, RefinementConfig
from guidedrec_core.explanation.counterfactual.history import history_edit
from guidedrec_core.explanation.counterfactual.item_scores import score_edits
from guidedrec_core.explanation.counterfactual.taste import pull_edits
from guidedrec_core.explanation.question import Question
from guidedrec_core.explanation.rank_change import rank_change
from guidedrec_core.explanation.steering.steer import pull_unit
from guidedrec_core.explanation.why_not import why_not
from guidedrec_core.facts.fact import Fact, Facts
from guidedrec_core.facts.splines import spline_columns
from guidedrec_core.models.base import BaseModel
from guidedrec_core.models.itemknn import ItemKNNModel
from guidedrec_core.models.registry import make_base, make_encoder
from guidedrec_core.naming.lines import NamedColumns
from guidedrec_core.naming.model import NamedModel, named_vectors, user_moments
from guidedrec_core.ranking.ranks import mask_seen, ranks_of, top_k
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding, Standardisation
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_fit import HeadWeights
from guidedrec_core.vectors.pca import pca

K, N_ATTRIBUTES, N_HISTORY, SCALE = 10, 12, 30, (0.0, 10.0)
PLAIN = "plain ranking"
BOTH = "attributes, both kinds"
LIMIT_MS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--users", type=int, default=60)
    parser.add_argument("--history-users", type=int, default=10, help="of these, for edits of the history")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "counterfactuals.json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result: dict[str, Any] = {
        "benchmark": "counterfactuals",
        "machine": machine.facts("numpy", "scipy", "torch"),
        "items": options.items,
        "attributes": N_ATTRIBUTES,
        "history": N_HISTORY,
        "users": options.users,
        "threads": options.threads,
        "seed": options.seed,
    }
    result |= measure(options.items, options.users, options.history_users, options.seed)
    print(pd.DataFrame(result["times"]).to_string(index=False))
    print(f"\nedits: {json.dumps(result['edits'])}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nwritten to {options.out}")


def measure(n_items: int, n_users: int, n_history_users: int, seed: int) -> dict[str, Any]:
    """Time all edits for some users; return a row for each kind of edit, and how many did what they say."""
    rng = np.random.default_rng(seed)
    raw = rng.integers(0, 11, (n_items, N_ATTRIBUTES)).astype(np.float32)
    base, model = models(raw, seed)
    named = names(model, seed)
    guided, g = Standardisation.of(raw, "white").apply, model.item_values()
    seconds: dict[str, list[tuple[float, ...]]] = {}
    edits = {"found": 0, "flipped": 0, "cases": 0, "cases with an edit": 0}

    def timed(name: str, task: Callable[[], Any]) -> Any:
        started = time.perf_counter(), time.process_time()
        found = task()
        ended = time.perf_counter(), time.process_time()
        seconds.setdefault(name, []).append((ended[0] - started[0], ended[1] - started[1]))
        return found

    for user in range(n_users):
        history = rng.choice(n_items, N_HISTORY, replace=False)
        order = timed(PLAIN, lambda h=history: top_k(mask_seen(model.scores(np.array([-1]), [h]), [h]), 500)[0])
        item = int(order[rng.integers(0, K) if user % 2 else rng.integers(K, len(order))])
        question = Question(-1, history, item, K)
        pulls = timed("pulls on the user's taste", lambda q=question: pull_edits(model, q))
        scores = timed("the item's scores", lambda q=question: score_edits(model, q, raw[q.item], guided, SCALE))
        both = zip(seconds["pulls on the user's taste"][-1], seconds["the item's scores"][-1], strict=True)
        seconds.setdefault(BOTH, []).append(tuple(map(sum, both)))
        timed("why not", lambda q=question: why_not(named, q))
        timed("change of rank", lambda q=question: rank_change(base, named, q, seed))
        plain = model.scores(question.users, question.histories)[0].astype(np.float64)
        own = guided(raw[item][None])[0]
        after = [plain + pull_unit(model) * (g @ pull.steps) for pull in (*pulls.single, pulls.joint) if pull]
        for edit in (*scores.single, scores.joint):
            if edit is not None:
                edited = g[item] + guided((raw[item] + edit.points)[None].astype(np.float32))[0] - own
                after.append(model.with_item_value(item, edited).scores(question.users, question.histories)[0])
        ranks = [int(ranks_of(mask_seen(s[None], question.histories), question.items)[0]) for s in after]
        edits["found"] += len(ranks)
        edits["flipped"] += sum((rank > K) == (pulls.goal == "leave") for rank in ranks)
        edits["cases"] += 2
        edits["cases with an edit"] += bool(pulls.single or pulls.joint) + bool(scores.single or scores.joint)
        if user < n_history_users:
            timed("the history, up to 3 items", lambda q=question: history_edit(model, q))
    return {"times": [summary(name, seconds) for name in seconds], "edits": edits, "limit_ms": LIMIT_MS}


def models(raw: np.ndarray, seed: int) -> tuple[BaseModel, HeadModel]:
    """Make a base and a refined model of default size with random weights of the size that training gives."""
    rng, n_items = np.random.default_rng(seed), len(raw)
    table = GuidedEmbedding.of(raw, "white")
    base = make_base(EncoderConfig(), n_items, seed)
    vectors = base.item_embedding()
    cold = rng.random(n_items) < 0.05
    trained = AdditiveRefinedModel(
        make_encoder(EncoderConfig(), seed), table, pca(vectors, 52), base.item_bias(), RefinementConfig(), None, cold
    )
    trained.initialise(seed)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=draw), alpha=0.1)
    interactions = np.where(cold, 0, rng.integers(1, 500, n_items))[:, None]
    pairs = rng.integers(0, 5000, 200_000), rng.integers(0, n_items, 200_000)
    beside = ItemKNNModel(*pairs, 5000, n_items, ItemKNNConfig())
    model = HeadModel(base, trained, vectors, table, interactions, RefinementConfig(), True, beside)
    model.learned = HeadWeights(
        np.array([0.5, 0.5, 1.0]),
        np.array([0.3]),
        0.3 * rng.normal(size=N_ATTRIBUTES),
        0.1 * rng.normal(size=N_ATTRIBUTES),
    )
    return base, model


def names(model: HeadModel, seed: int) -> NamedModel:
    """Name the parts of its scores by the attributes and two facts, a number and popularity."""
    rng, n_items = np.random.default_rng(seed), model.n_items
    schema = AttributeSchema(
        attributes=tuple(Attribute(name=f"attribute_{n}", low="low", high="high") for n in range(N_ATTRIBUTES))
    )
    facts = []
    for name, kind in (("price", "number"), ("popularity", "popularity")):
        columns = spline_columns(rng.normal(size=n_items))
        facts.append(Fact(name, name, kind, columns, ("",) * columns.shape[1], ("",) * n_items))
    columns = NamedColumns.of(schema, model.item_values(), Facts(tuple(facts), n_items))
    histories = [rng.choice(n_items, N_HISTORY, replace=False) for _ in range(200)]
    moments = user_moments(model, np.full(200, -1), histories)
    return NamedModel.fit(model, columns, named_vectors(model), np.ones(n_items), moments, seed=seed)


def summary(name: str, seconds: dict[str, list[tuple[float, ...]]]) -> dict[str, Any]:
    """Summarise one kind of edit: time passed, and processor time, which other work on the machine leaves alone."""
    own, plain = 1000 * np.array(seconds[name]), 1000 * np.array(seconds[PLAIN])  # [n, 2]
    p50, p95 = np.percentile(own, [50, 95], axis=0)
    return {
        "what": name,
        "n": len(own),
        "p50_ms": round(float(p50[0]), 1),
        "p95_ms": round(float(p95[0]), 1),
        "cpu_p50_ms": round(float(p50[1]), 1),
        "cpu_p95_ms": round(float(p95[1]), 1),
        "p50_to_plain": round(float(p50[1] / np.median(plain[:, 1])), 1),
    }


if __name__ == "__main__":
    main()
