"""Names for directions by a language model that sees a prompt and nothing else, in three steps with files between.

`prompts`: the shop is refined without each attribute in turn, and each direction that texts tell becomes a case;
twenty placebos become cases, too. Each gets a folder with a random code and the exact prompt of `guidedrec discover`;
what the code stands for is kept in a file elsewhere. Somebody else has every prompt answered, as ``reply.json``.

`scoring`: each reply that proposes a name becomes requests for scores of the shop's items on that attribute alone, as
``score_<n>.txt`` in the same folder, in the product's own words; answered as ``score_<n>.json``.

`results`: the trial of each name on held-out items, its correlation with the attribute that was left out, and how many
placebos were accepted; then how much ranking quality comes back when the model is refined with the accepted names.
Writes JSON, and keeps all answers.

Placebos are ten random rotations of the components (one direction of each), and ten first directions that texts tell of
item vectors shuffled over items. Both are put to the model although most would be turned down before; results tell what
each gate turned down.
"""

import argparse
import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

import machine
import numpy as np

from guidedrec_core import columns as c
from guidedrec_core import stages
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import AlignedScores, GuidedScores
from guidedrec_core.config import BuildConfig, ScoringConfig
from guidedrec_core.discovery.directions import discover, ends
from guidedrec_core.discovery.evidence import held_out, weigh
from guidedrec_core.discovery.proposal import Proposal, naming_messages, read_proposal, with_attribute
from guidedrec_core.discovery.texts import text_features
from guidedrec_core.discovery.trial import Parting, judge, part, readable_loadings
from guidedrec_core.errors import ConfigError, InputError
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.evaluation.metrics import case_metrics
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.llm.reply_json import json_values
from guidedrec_core.naming.directions import find_directions, unnamed_rest
from guidedrec_core.naming.model import user_sides
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import target_ranks
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender, naming_inputs
from guidedrec_core.recommenders.refiner import Refiner
from guidedrec_core.runs.store import RunStore
from guidedrec_core.scoring.prompts import Listing, item_listings, messages
from guidedrec_core.stages.discovery import reading_settings

RECORDED = Path(__file__).resolve().parent / "recorded" / "discovery" / "replies.jsonl"
PLACEBOS = 10
PER_REQUEST = 100
"""Items in one request for scores: the most that `items_per_request` allows."""
OTHERS = 150
"""Items drawn at random that are scored besides those held out, for the correlation."""
SAMPLES = 2000
_LIKELY = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("prompts", "scoring", "results"))
    parser.add_argument("--home", required=True, type=Path, help="folder of stored runs")
    parser.add_argument("--run", help="id of a refined run of the shop with all attributes; for `prompts`")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/blind"), help="where the cases stand")
    parser.add_argument("--key", type=Path, default=Path("/tmp/blind_key.json"), help="what the codes stand for")
    parser.add_argument("--by", default="a language model", help="who answered; for the provenance of `results`")
    parser.add_argument("--record", type=Path, default=RECORDED, help="where the answers are kept, as JSON lines")
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "discovery.json")
    arguments = parser.parse_args()
    store = RunStore(arguments.home)
    if arguments.step == "prompts":
        prompts(store, arguments.run, arguments.folder, arguments.key)
    elif arguments.step == "scoring":
        scoring(store, arguments.folder, arguments.key)
    else:
        result = results(store, arguments.folder, arguments.key, arguments.by)
        record(arguments.folder, arguments.key, arguments.record)
        arguments.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def prompts(store: RunStore, run_id: str, folder: Path, key: Path) -> None:
    if key.exists():
        raise SystemExit(f"{key} is there already; its prompts may be answered")
    cases: list[tuple[dict[str, Any], str]] = []
    for place, name in enumerate(open_refined(store, run_id).scores.items.schema.names):
        model = open_refined(store, without(store, run_id, place))
        case = {"run_id": model.run_id, "hidden": name, "kind": "attribute left out"}
        cases += [({**case, **more}, text) for more, text in told_cases(model)]
        if place < PLACEBOS:
            cases += [({**case, "kind": kind, **more}, text) for kind, more, text in placebo_cases(model, place)]
    found = {}
    for case, text in cases:
        code = secrets.token_hex(4)
        found[code] = case
        (folder / code).mkdir(parents=True)
        (folder / code / "prompt.txt").write_text(text, encoding="utf-8")
    key.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def without(store: RunStore, run_id: str, place: int) -> str:
    """Refine again without one attribute; return the run's id."""
    run = store.open(run_id, "refined")
    base, scores = (store.open(run.inputs[stage], stage) for stage in ("base", "scores"))
    attributes = [other for other in range(len(open_refined(store, run_id).scores.items.schema)) if other != place]
    refinement = {**run.config["refinement"], "attributes": attributes}
    settings = {"refinement": refinement, "training": run.config["training"], "seed": run.seed}
    return stages.refine(store, base, scores, BuildConfig.parse(settings)).id


def told_cases(model: RefinedRecommender) -> list[tuple[dict[str, Any], str]]:
    discovery, weights, made = discover(model), naming_inputs(model)[1], []
    for one in discovery.found:
        if one.told:
            loadings, predicted = (
                each[:, one.number - 1] for each in (discovery.directions.loadings, discovery.directions.predicted)
            )
            readable = readable_loadings(loadings, predicted)
            parting = part(np.array(one.high.items), np.array(one.low.items), loadings, weights, 0, readable)
            facts = {"direction": one.number, "passed": one.passed, "chance": one.chance, "stability": one.stability}
            made.append(({**facts, **held(model, parting)}, prompt(model, parting)))
    return made


def placebo_cases(model: RefinedRecommender, seed: int) -> list[tuple[str, dict[str, Any], str]]:
    vectors, weights, moments = naming_inputs(model)
    rest, cases = unnamed_rest(model.named, vectors), held_out(model)
    sides = user_sides(model.refined, cases.users, cases.histories)
    order, made = np.random.default_rng(seed).permutation(len(rest)), []
    turned = find_directions(rest, weights, moments, rotation="random", seed=seed)
    texts = text_features(model.data.dataset.catalogue)
    shuffled = find_directions(rest[order], weights[order], moments, seed=seed, texts=texts)
    first_told = int(np.argmax(shuffled.told))
    for kind, directions, own, which in (
        ("random rotation", turned, weights, seed % len(turned)),
        ("items shuffled", shuffled, weights[order], first_told),
    ):
        evidence = weigh(directions, sides, cases.targets, model.data.item_interactions, seed)
        loadings = directions.loadings[:, which]
        readable = readable_loadings(loadings, directions.predicted[:, which])
        parting = part(*ends(loadings, own), loadings, own, seed, readable)
        facts = {"passed": bool(evidence.passed[which]), "chance": float(evidence.chance[which])}
        made.append((kind, {**facts, **held(model, parting)}, prompt(model, parting)))
    return made


def held(model: RefinedRecommender, parting: Parting) -> dict[str, list[str]]:
    ids = model.data.dataset.catalogue.frame[c.ITEM].astype(str).to_numpy(dtype=object)
    return {"held_high": ids[parting.held_high].tolist(), "held_low": ids[parting.held_low].tolist()}


def listings_of(model: RefinedRecommender) -> dict[str, Listing]:
    reads = ScoringConfig.parse({"model": "any", **reading_settings(model)})
    catalogue = model.data.dataset.catalogue
    columns = [name for name in reads.columns if name in catalogue.frame]
    return {one.id: one for one in item_listings(catalogue, columns, reads.max_characters)[0]}


def prompt(model: RefinedRecommender, parting: Parting) -> str:
    ids, texts = model.data.dataset.catalogue.frame[c.ITEM].astype(str).to_numpy(dtype=object), listings_of(model)
    groups = [[texts[item] for item in ids[items]] for items in (parting.high, parting.low, parting.middle)]
    return as_text(naming_messages(groups[0], groups[1], groups[2], model.schema))


def as_text(said: list[dict[str, str]]) -> str:
    return "\n\n".join(message["content"] for message in said) + "\n"


def proposed(folder: Path, code: str, schema: AttributeSchema) -> Proposal | None:
    """Read a reply; None where it names nothing, or nothing that can be used."""
    text = (folder / code / "reply.json").read_text(encoding="utf-8")
    try:
        return read_proposal(ChatReply(text, None, "stop", 0, 0, ""), "language model", schema)
    except ConfigError as error:
        print(f"{code}: {error}")
        return None


def scoring(store: RunStore, folder: Path, key: Path) -> None:
    for code, case in json.loads(key.read_text(encoding="utf-8")).items():
        model = open_refined(store, case["run_id"])
        proposal = proposed(folder, code, model.schema)
        if proposal is None:
            continue
        schema = last_alone(model.schema, proposal)
        for number, listings in enumerate(requests(model, case, code)):
            (folder / code / f"score_{number}.txt").write_text(as_text(messages(schema, listings, "item")), "utf-8")


def last_alone(schema: AttributeSchema, proposal: Proposal) -> AttributeSchema:
    whole = with_attribute(schema, proposal.attribute)
    return whole.model_copy(update={"attributes": whole.attributes[-1:]})


def requests(model: RefinedRecommender, case: dict[str, Any], code: str) -> list[list[Listing]]:
    """Return the items to score, in an order that tells nothing of their ends; all of them if it matters in training.

    All items are scored where an attribute was left out and the direction is more than chance, as the model may be
    refined with these scores; else held-out items and some drawn at random.
    """
    texts = listings_of(model)
    chosen = list(texts)
    if case["kind"] != "attribute left out" or not case["passed"]:
        rng = np.random.default_rng(0)
        others = rng.choice(len(chosen), OTHERS, replace=False) if case["kind"] == "attribute left out" else []
        chosen = sorted({*case["held_high"], *case["held_low"], *(chosen[place] for place in others)})
    order = np.random.default_rng(int(code, 16)).permutation(len(chosen))
    ordered = [texts[chosen[place]] for place in order]
    return [ordered[first : first + PER_REQUEST] for first in range(0, len(ordered), PER_REQUEST)]


def answered(folder: Path, code: str, batches: list[list[Listing]], name: str) -> dict[str, float]:
    """Read scores; numbers that are missing stay so."""
    scores: dict[str, float] = {}
    for number, listings in enumerate(batches):
        path = folder / code / f"score_{number}.json"
        if not path.exists():
            continue
        for value in json_values(path.read_text(encoding="utf-8")):
            for entry in value.get("items", []) if isinstance(value, dict) else []:
                score, place = entry.get("scores", {}).get(name), entry.get("number")
                if isinstance(score, int | float) and isinstance(place, int) and 1 <= place <= len(listings):
                    scores[listings[place - 1].id] = float(score)
    return scores


def results(store: RunStore, folder: Path, key: Path, by: str) -> dict[str, Any]:
    cases = []
    for code, case in json.loads(key.read_text(encoding="utf-8")).items():
        model = open_refined(store, case["run_id"])
        proposal = proposed(folder, code, model.schema)
        entry: dict[str, Any] = {
            name: case[name] for name in ("kind", "hidden", "passed", "chance", "run_id") if name in case
        }
        if proposal is not None:
            entry["proposal"] = {**proposal.attribute.model_dump(mode="json"), "confidence": proposal.confidence}
            scores = answered(folder, code, requests(model, case, code), proposal.attribute.name)
            entry.update(judged(model, case, scores))
        entry["accepted"] = bool(case["passed"] and entry.get("trial_passed", False))
        entry["accepted_at_5_percent"] = bool(case["chance"] <= _LIKELY and entry.get("trial_passed", False))
        cases.append({"code": code, **entry})
    recovery = recovered(store, cases, folder, key)
    return {"machine": machine.facts("numpy"), "answered_by": by, **bars(cases), **recovery, "cases": cases}


def record(folder: Path, key: Path, path: Path) -> None:
    """Keep every answer with the hash of its request; the requests follow from the data and are not kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for code in sorted(json.loads(key.read_text(encoding="utf-8"))):
        for request in sorted((folder / code).glob("*.txt")):
            name = "reply.json" if request.stem == "prompt" else f"{request.stem}.json"
            reply = request.with_name(name)
            if reply.exists():
                asked = hashlib.sha256(request.read_bytes()).hexdigest()[:16]
                said = reply.read_text(encoding="utf-8")
                lines.append(json.dumps({"case": code, "request": request.stem, "sha256": asked, "reply": said}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def recovered(store: RunStore, cases: list[dict[str, Any]], folder: Path, key: Path) -> dict[str, Any]:
    """Refine with the accepted names in place of each removed attribute; say how much of the lost NDCG@10 comes back.

    Of each removed attribute all accepted names that were scored for the whole catalogue are used together.
    """
    known = json.loads(key.read_text(encoding="utf-8"))
    by_attribute: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        if case["kind"] == "attribute left out":
            by_attribute.setdefault(case["hidden"], []).append(case)
    rows, columns = [], []
    whole = None
    for hidden, ones in by_attribute.items():
        without_it = open_refined(store, ones[0]["run_id"])
        if whole is None:
            whole = fitted(without_it, without_it.scores.items)
            columns.append(("full", ndcg(whole)))
        schema, values = without_it.schema, [without_it.item_scores.values]
        used = []
        for case in ones:
            if not case["accepted"]:
                continue
            proposal = proposed(folder, case["code"], without_it.schema)
            assert proposal is not None
            batches = requests(without_it, known[case["code"]], case["code"])
            scores = answered(folder, case["code"], batches, proposal.attribute.name)
            column = np.array([scores.get(str(item), np.nan) for item in without_it.data.dataset.items.ids], np.float32)
            if np.isnan(column).mean() > 0.1 or proposal.attribute.name in schema.names:
                continue
            schema, values = with_attribute(schema, proposal.attribute), [*values, column[:, None]]
            used.append(proposal.attribute.name)
        columns.append((f"{hidden} removed", ndcg(without_it)))
        if used:
            named = fitted(without_it, GuidedScores(np.column_stack(values), schema))
            columns.append((f"{hidden} named", ndcg(named)))
        rows.append((hidden, used))
    assert whole is not None
    table = np.column_stack([values for _, values in columns])
    place = {name: number for number, (name, _) in enumerate(columns)}
    bootstrap = UserBootstrap(table, whole.data.test_cases.users, SAMPLES, generator(0, "discovery"))
    entries, lost, back = {}, 0.0, 0.0
    resampled_lost, resampled_back = np.zeros(SAMPLES), np.zeros(SAMPLES)
    for hidden, used in rows:
        removed, again = place[f"{hidden} removed"], place.get(f"{hidden} named", place[f"{hidden} removed"])
        means = bootstrap.means
        entries[hidden] = {"names": used, "removed": float(means[removed]), "named": float(means[again])}
        lost, back = lost + means[0] - means[removed], back + means[again] - means[removed]
        resampled_lost += bootstrap.resampled[:, 0] - bootstrap.resampled[:, removed]
        resampled_back += bootstrap.resampled[:, again] - bootstrap.resampled[:, removed]
    low, high = np.percentile(resampled_lost / len(rows), (2.5, 97.5))
    back_low, back_high = np.percentile(resampled_back / len(rows), (2.5, 97.5))
    return {
        "full_ndcg": float(bootstrap.means[0]),
        "mean_lost": [float(lost / len(rows)), float(low), float(high)],
        "mean_gained_back": [float(back / len(rows)), float(back_low), float(back_high)],
        "gained_back_share": float(back / lost) if lost > 0 else None,
        "refined_again": entries,
    }


def fitted(model: RefinedRecommender, scores: GuidedScores) -> RefinedRecommender:
    """Refine with other scores, over the same base model and with the same settings."""
    settings = model.config.model_copy(update={"attributes": None})
    refiner = Refiner.of(settings, model.training, model.baselines, model.seed)
    return refiner.fit(model.data, model.base_recommender, AlignedScores(scores))


def ndcg(model: RefinedRecommender) -> np.ndarray:
    """Return NDCG@10 of every test case."""
    ranks = target_ranks(model.refined, model.data.sequences, model.data.test_cases)
    return case_metrics(ranks, (10,))[:, -1]


def judged(model: RefinedRecommender, case: dict[str, Any], scores: dict[str, float]) -> dict[str, Any]:
    high, low = (np.array([scores.get(item, np.nan) for item in case[end]]) for end in ("held_high", "held_low"))
    items = model.scores.items
    ids = model.data.dataset.catalogue.frame[c.ITEM].astype(str).tolist()
    own = items.values[:, items.schema.names.index(case["hidden"])]
    known = [(scores[item], own[row]) for row, item in enumerate(ids) if item in scores and np.isfinite(own[row])]
    # Held-out items are extreme, so a correlation over them alone would flatter; see `requests`.
    extreme = {*case["held_high"], *case["held_low"]}
    drawn = [(scores[item], own[row]) for row, item in enumerate(ids) if item in scores and item not in extreme]
    whole = known if len(known) == len(ids) else drawn
    found: dict[str, Any] = {"scored": len(known)}
    if len(whole) > 2 and case["kind"] == "attribute left out":
        found["correlation"] = float(np.corrcoef(np.array(whole).T)[0, 1])
    try:
        trial = judge(high, low)
    except InputError as error:
        return {**found, "trial_passed": False, "fault": str(error)}
    return {**found, "auroc": trial.auroc, "ci": [trial.ci_low, trial.ci_high], "trial_passed": trial.accepted}


def bars(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum up: by attribute the name with the best trial, as an analyst would take it; and placebos accepted."""
    attributes: dict[str, Any] = {}
    for case in cases:
        if case["kind"] == "attribute left out":
            best = attributes.get(case["hidden"])
            if best is None or (case["accepted"], case.get("auroc", 0)) > (best["accepted"], best.get("auroc", 0)):
                attributes[case["hidden"]] = case
    placebos = [case for case in cases if case["kind"] != "attribute left out"]
    correlated = [abs(case.get("correlation", 0.0)) >= 0.7 for case in attributes.values()]
    return {
        "found": sum(correlated),
        "found_and_accepted": sum(
            case["accepted"] and good for case, good in zip(attributes.values(), correlated, strict=True)
        ),
        "attributes": len(attributes),
        "placebos": len(placebos),
        "placebos_accepted": sum(case["accepted"] for case in placebos),
        "placebos_named": sum("proposal" in case for case in placebos),
        "placebos_trial_passed": sum(case.get("trial_passed", False) for case in placebos),
    }


if __name__ == "__main__":
    main()
