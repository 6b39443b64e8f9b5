"""Names for what nobody named, by a language model that sees its prompt and nothing else.

`python benchmarks/discovery.py REFINED_RUN --home HOME --exchange FOLDER`

Of a refined run of the shop, each attribute is removed in turn: the model is refined again without it (kept in
`--home`), its directions are found, and a language model proposes a name for each of the first ones that are more than
chance. Names are tried as `guidedrec discover` tries them. A name that passes is scored for the whole catalogue, and
the model is refined again with it in the removed attribute's place. Placebos: directions of item vectors shuffled over
items, with all attributes, named and tried in the same way although their evidence would turn them down.

The language model is asked by files, so that any model can answer, also by hand: `--exchange FOLDER` holds a folder for
each request, named by the hash of its prompt, with `prompt.txt`; an answer is put next to it as `reply.txt`. Requests
that wait for an answer are listed in `FOLDER/waiting.json`, in groups that may be answered together: two removed
attributes are never in one group, because their prompts name each other. Run it again until nothing is waiting; then
the result is written as JSON, and all requests with their answers to `--record`.
"""

import argparse
import asyncio
import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch

from guidedrec_core import stages
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import AlignedScores, GuidedScores
from guidedrec_core.config import BuildConfig, ScoringConfig
from guidedrec_core.discovery.directions import Discovery, describe, discover
from guidedrec_core.discovery.evidence import held_out
from guidedrec_core.discovery.proposal import Proposal, propose, with_attribute
from guidedrec_core.errors import ServiceError
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.evaluation.metrics import case_metrics
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.naming.directions import DIRECTIONS, find_directions, unnamed_rest
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import target_ranks
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender, naming_inputs
from guidedrec_core.recommenders.refiner import Refiner
from guidedrec_core.runs.store import RunStore
from guidedrec_core.scoring.prompts import Listing, item_listings, messages
from guidedrec_core.scoring.reply import parse_reply
from guidedrec_core.stages.discovery import NamingTask

TRIED = 3
"""Directions of each removed attribute that are named, the largest first."""
PLACEBOS = 20
ITEMS_PER_REQUEST = 92
FOUND = 0.7
"""Correlation of a name's scores with the removed attribute's."""
SAMPLES = 2000


class WaitingError(Exception):
    """A request has no answer yet."""


class Exchange:
    """A chat model that is asked and answers by files.

    Parameters
    ----------
    folder : Path
        Holds a folder for each request.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.group = ""
        self.waiting: dict[str, list[str]] = {}
        self.used: dict[str, dict[str, str]] = {}

    def ask(self, request: list[dict[str, str]]) -> str:
        """Return the answer to a request.

        Raises
        ------
        WaitingError
            There is none yet; the request is written.
        """
        key = hashlib.sha256(json.dumps(request).encode()).hexdigest()[:16]
        folder = self.folder / key
        prompt = "\n\n".join(message["content"] for message in request)
        if not (folder / "reply.txt").exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "prompt.txt").write_text(prompt + "\n", encoding="utf-8")
            self.waiting.setdefault(self.group, []).append(key)
            raise WaitingError(key)
        reply = (folder / "reply.txt").read_text(encoding="utf-8")
        self.used[key] = {"prompt": prompt, "reply": reply}
        return reply

    async def complete(
        self, request: list[dict[str, str]], model: str, reply_format: Any, max_tokens: int, temperature: float = 0.0
    ) -> ChatReply:
        """Answer as `guidedrec_core.llm.chat.Chat`."""
        return ChatReply(self.ask(request), None, "stop", 0, 0, "")

    def call(self, *_: object, **__: object) -> Any:
        """Refuse single attempts, which nothing here makes."""
        raise NotImplementedError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="id of a refined run of the shop in the additive form")
    parser.add_argument("--home", required=True, type=Path, help="folder of stored runs")
    parser.add_argument("--exchange", required=True, type=Path, help="folder of requests and answers")
    parser.add_argument("--model", default="", help="name of the language model that answered, for the record")
    parser.add_argument("--record", type=Path, help="write all requests with their answers as JSON lines")
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "discovery.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    store, exchange = RunStore(options.home), Exchange(options.exchange)
    whole = open_refined(store, options.run)
    cases = [removed(store, options.run, whole, place, exchange) for place in range(len(whole.schema))]
    placebo = placebos(whole, exchange)
    if exchange.waiting:
        waiting = json.dumps(exchange.waiting, indent=1)
        (options.exchange / "waiting.json").write_text(waiting + "\n", encoding="utf-8")
        count = sum(map(len, exchange.waiting.values()))
        print(f"{count} requests in {len(exchange.waiting)} groups wait; see {options.exchange}/waiting.json")
        return
    result = summary(whole, cases, placebo, options.model)
    options.out.write_text(json.dumps(rounded(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.record is not None:
        lines = [json.dumps({"request": key, **one}, ensure_ascii=False) for key, one in sorted(exchange.used.items())]
        options.record.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(json.dumps(rounded({name: value for name, value in result.items() if name != "cases"}), indent=1))


def removed(store: RunStore, run_id: str, whole: RefinedRecommender, place: int, exchange: Exchange) -> dict[str, Any]:
    """Remove one attribute, let what is missed be named, and refine with the name."""
    run = store.open(run_id, "refined")
    base, scores = (store.open(run.inputs[stage], stage) for stage in ("base", "scores"))
    others = [other for other in range(len(whole.schema)) if other != place]
    refinement = {**run.config["refinement"], "attributes": others}
    config = BuildConfig.parse({"refinement": refinement, "training": run.config["training"], "seed": run.seed})
    model = open_refined(store, stages.refine(store, base, scores, config).id)
    name = whole.schema.names[place]
    exchange.group = f"without attribute {place}"
    found = discover(model)
    tried = []
    for direction in [one for one in found.found if one.passed][:TRIED]:
        card = named(model, found, direction.number, exchange)
        if card is None:
            continue
        proposal, trial, accepted = card
        entry: dict[str, Any] = {
            "direction": direction.number,
            "of_rest": direction.of_rest,
            "proposal": None if proposal is None else proposal.attribute.model_dump(mode="json"),
            "trial": trial,
            "accepted": accepted,
        }
        if proposal is not None and accepted:
            try:
                values = scored(model, proposal, listings(model), exchange)
            except WaitingError:
                continue
            own = whole.scores.items.values[:, place].astype(np.float64)
            entry["correlation"] = correlation(own, values)
            entry["values"] = values
        tried.append(entry)
    return {"attribute": name, "passed": sum(one.passed for one in found.found), "tried": tried, "model": model}


def named(
    model: RefinedRecommender, found: Discovery, number: int, exchange: Exchange
) -> tuple[Proposal | None, dict[str, Any] | None, bool] | None:
    """Let a direction be named and its name tried; None while an answer is waited for."""
    task = NamingTask(model, found, number, ScoringConfig(model="by files"))
    groups = [task.texts(items) for items in (task.parting.high, task.parting.low, task.parting.middle)]
    try:
        proposal = asyncio.run(propose(exchange, "by files", groups[0], groups[1], groups[2], task.schema))
        card = task.tried(
            proposal,
            lambda schema, texts: scored_listings(schema, texts, exchange)[:, None],
            "by files",
        )
    except WaitingError:
        return None
    except ServiceError as error:
        print(f"no usable name: {error}")
        return None, None, False
    return proposal, None if card.trial is None else asdict(card.trial), card.accepted


def scored(model: RefinedRecommender, proposal: Proposal, texts: list[Listing], exchange: Exchange) -> np.ndarray:
    """Return scores of the catalogue on a proposal, ``[n_items]``; NaN where there are none."""
    values = scored_listings(with_attribute(model.schema, proposal.attribute), texts, exchange)
    by_id = dict(zip([one.id for one in texts], values.tolist(), strict=True))
    return np.array([by_id.get(str(item), np.nan) for item in model.data.dataset.items.ids])


def scored_listings(schema: AttributeSchema, texts: list[Listing], exchange: Exchange) -> np.ndarray:
    """Return scores of listings on the last attribute of a schema, asked for alone, ``[n]``."""
    alone = schema.model_copy(update={"attributes": schema.attributes[-1:]})
    parts, waiting = [], None
    for first in range(0, len(texts), ITEMS_PER_REQUEST):
        part = texts[first : first + ITEMS_PER_REQUEST]
        try:
            parsed = parse_reply(exchange.ask(messages(alone, part, "item")), len(part), alone)
        except WaitingError as error:  # all requests are written before one is waited for
            waiting = error
            continue
        parts.append(np.array([parsed.scores.get(number, (np.nan,))[0] for number in range(1, len(part) + 1)]))
    if waiting is not None:
        raise waiting
    return np.concatenate(parts)


def listings(model: RefinedRecommender) -> list[Listing]:
    """Return what is read of each item, as in scoring."""
    catalogue, config = model.data.dataset.catalogue, ScoringConfig(model="by files")
    columns = [name for name in config.columns if name in catalogue.frame]
    return item_listings(catalogue, columns, config.max_characters)[0]


def placebos(whole: RefinedRecommender, exchange: Exchange) -> list[dict[str, Any]]:
    """Name and try directions of item vectors that were shuffled over items."""
    vectors, weights, moments = naming_inputs(whole)
    rest, cases, entries = unnamed_rest(whole.named, vectors), held_out(whole), []
    for seed in range(PLACEBOS):
        order = np.random.default_rng(1000 + seed).permutation(len(rest))
        made = find_directions(rest[order], weights[order], moments, DIRECTIONS, seed=seed)
        described = describe(whole, made, weights, cases, seed)
        number = 1 + seed % len(described.found)
        evidence = described.found[number - 1].passed
        forced = replace(described, found=tuple(replace(one, passed=True) for one in described.found))
        exchange.group = f"placebos {seed // 10}"
        card = named(whole, forced, number, exchange)
        if card is not None:
            proposal, trial, passed = card
            entries.append(
                {
                    "proposal": None if proposal is None else proposal.attribute.name,
                    "trial": trial,
                    "more_than_chance": evidence,
                    "passed_trial": passed,
                    "accepted": bool(evidence and passed),
                }
            )
    return entries


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    known = ~(np.isnan(a) | np.isnan(b))
    return float(np.corrcoef(a[known], b[known])[0, 1]) if known.sum() > 2 else float("nan")


def summary(
    whole: RefinedRecommender, cases: list[dict[str, Any]], placebo: list[dict[str, Any]], model: str
) -> dict[str, Any]:
    """Choose the best name of each case, refine with it, and count."""
    entries = []
    full = ndcg(whole)
    for case in cases:
        without = ndcg(case["model"])
        accepted = [one for one in case["tried"] if one["accepted"]]
        columns = {"full": full, "without": without}
        if accepted:
            columns["with_names"] = ndcg(refined_with(whole, case, accepted))
        bootstrap = UserBootstrap(
            np.column_stack(list(columns.values())), whole.data.test_cases.users, SAMPLES, generator(0, "discovery")
        )
        means = dict(zip(columns, bootstrap.means.tolist(), strict=True))
        entry = {
            "attribute": case["attribute"],
            "more_than_chance": case["passed"],
            "tried": [{key: value for key, value in one.items() if key != "values"} for one in case["tried"]],
            "best_correlation": max((abs(one["correlation"]) for one in accepted), default=0.0),
            "NDCG@10": means,
            "lost": interval(bootstrap.difference(1, 0)),
        }
        if accepted:
            entry["gained_back"] = interval(bootstrap.difference(2, 1))
        entries.append(entry)
    lost = sum(entry["NDCG@10"]["full"] - entry["NDCG@10"]["without"] for entry in entries)
    back = sum(
        entry["NDCG@10"].get("with_names", entry["NDCG@10"]["without"]) - entry["NDCG@10"]["without"]
        for entry in entries
    )
    return {
        "machine": machine.facts("torch", "numpy"),
        "data": whole.data.dataset.name,
        "seed": whole.seed,
        "language_model": model,
        "removed": len(entries),
        "found": sum(entry["best_correlation"] >= FOUND for entry in entries),
        "with_an_accepted_name": sum(any(one["accepted"] for one in entry["tried"]) for entry in entries),
        "lost_ndcg": lost,
        "gained_back_ndcg": back,
        "gained_back_share": back / lost if lost else None,
        "placebos": {
            "tried": len(placebo),
            "named": sum(one["proposal"] is not None for one in placebo),
            "passed_trial": sum(one["passed_trial"] for one in placebo),
            "accepted": sum(one["accepted"] for one in placebo),
            "each": placebo,
        },
        "cases": entries,
    }


def refined_with(whole: RefinedRecommender, case: dict[str, Any], accepted: list[dict[str, Any]]) -> RefinedRecommender:
    """Refine with the attributes that are left and all accepted names."""
    model = case["model"]
    schema, values = model.schema, [model.item_scores.values]
    for one in accepted:
        attribute = one["proposal"]
        if attribute["name"] in schema.names:
            continue
        schema = with_attribute(schema, schema.attributes[0].model_validate(attribute))
        values.append(one["values"][:, None])
    scores = AlignedScores(GuidedScores(np.column_stack(values).astype(np.float32), schema))
    settings = model.config.model_copy(update={"attributes": None})
    refiner = Refiner.of(settings, model.training, model.baselines, model.seed)
    return refiner.fit(whole.data, model.base_recommender, scores)


def ndcg(model: RefinedRecommender) -> np.ndarray:
    """Return NDCG@10 of every test case."""
    ranks = target_ranks(model.refined, model.data.sequences, model.data.test_cases)
    return case_metrics(ranks, (10,))[:, -1]


def interval(found: Any) -> list[float]:
    return [found.value, found.low, found.high]


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    return round(float(value), 4) if isinstance(value, float | np.floating) else value


if __name__ == "__main__":
    main()
