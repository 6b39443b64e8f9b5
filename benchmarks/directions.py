"""What directions of the unnamed rest are worth: `python benchmarks/directions.py --home HOME RUN [RUN ...]`.

For each refined run: the directions that `guidedrec discover` finds; how four rotations of the same components compare;
and how many placebo directions pass for more than chance.

- **Rotations**: principal components as they are, varimax (used), varimax of standardised component scores, and
  independent components (FastICA). Measured are stability over halves of the items (each rotation against itself),
  excess kurtosis of loadings (few large and many small ones read easily), and how well words of titles, categories and
  descriptions tell the loadings of items they were not fitted on (ridge on TF-IDF, correlation; the sum of squares over
  directions is the same for all rotations but for what they concentrate, so that the best direction is given).
- **A hidden attribute**: each attribute is left out of the named columns in turn; the largest correlation of a
  direction with what the other columns do not tell of the attribute. The refined model still has the attribute; its
  base model has only learnt it from behaviour.
- **Without an attribute**: the model is refined again without each attribute in turn (kept in `--home`), and each
  direction is tried with the attribute's own scores, either way round, in place of a proposal: what an ideal name would
  reach. Found are those for which a direction is more than chance and passes.
- **Placebos**: random rotations of the components, and directions of item vectors shuffled over items. Twenty, one
  direction each, and all of theirs.

Writes JSON.
"""

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import machine
import numpy as np
from sklearn.decomposition import FastICA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from guidedrec_core import stages
from guidedrec_core.config import BuildConfig
from guidedrec_core.discovery.directions import discover
from guidedrec_core.discovery.evidence import held_out, weigh
from guidedrec_core.discovery.trial import judge, part
from guidedrec_core.naming.directions import DIRECTIONS, find_directions, unnamed_rest, varimax
from guidedrec_core.naming.model import user_sides
from guidedrec_core.naming.regression import fit_regression
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender, naming_inputs
from guidedrec_core.runs.store import RunStore

ROTATIONS = ("none", "varimax", "varimax of scores", "independent components")
HALVES = 5
PLACEBOS = 10
TITLES = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="ids of refined runs")
    parser.add_argument("--home", required=True, type=Path, help="folder of stored runs")
    parser.add_argument(
        "--hidden", default="fernway", help="data sets whose attributes are hidden in turn, with commas"
    )
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "directions.json")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # of independent components that do not converge
    result: dict[str, Any] = {"machine": machine.facts("numpy", "scikit-learn"), "runs": {}}
    for run_id in arguments.runs:
        model = open_refined(RunStore(arguments.home), run_id)
        name = model.data.dataset.name
        result["runs"][name] = {"mode": model.config.mode, **found(model), "rotations": rotations(model)}
        result["runs"][name]["placebos"] = placebos(model)
        if name in arguments.hidden.split(","):
            result["runs"][name]["hidden_attribute"] = hidden(model)
            result["runs"][name]["without_attribute"] = ideal_names(RunStore(arguments.home), run_id)
        arguments.out.write_text(json.dumps(rounded(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def found(model: RefinedRecommender) -> dict[str, Any]:
    discovery = discover(model)
    titles = model.data.dataset.catalogue.frame["title"].astype(str).tolist()
    directions = []
    for one in discovery.found:
        numbers = {
            name: getattr(one, name)
            for name in ("of_rest", "of_score", "spread", "held", "stability", "followed", "chance", "passed")
        }
        ends = {
            name: {
                "items": [titles[item] for item in end.items[:TITLES]],
                "rich_in": [f"{trait.text} (x {trait.lift:.1f})" for trait in end.traits],
            }
            for name, end in (("high", one.high), ("low", one.low))
        }
        directions.append({**numbers, **ends})
    return {"unnamed": discovery.rest, "chance_stability": discovery.directions.chance, "directions": directions}


def whitened(model: RefinedRecommender, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rest as users tell it apart, around its mean, and item weights."""
    _, weights, moments = naming_inputs(model)
    values, vectors = np.linalg.eigh(moments)
    whole = rest @ (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    return whole - np.average(whole, axis=0, weights=weights), weights


def turned(whole: np.ndarray, weights: np.ndarray, rotation: str) -> np.ndarray:
    """Return directions of length 1, ``[d, K]``."""
    scaled = np.sqrt(weights)[:, None] * whole
    left, sizes, right = np.linalg.svd(scaled, full_matrices=False)
    left, sizes, components = left[:, :DIRECTIONS], sizes[:DIRECTIONS], right[:DIRECTIONS].T
    if rotation == "varimax":
        turn = varimax(scaled @ components)
    elif rotation == "varimax of scores":
        turn = varimax(left) / sizes[:, None]
    elif rotation == "independent components":
        turn = FastICA(len(sizes), random_state=0, max_iter=500).fit(whole @ components).components_.T
    else:
        turn = np.eye(len(sizes))
    made = components @ turn
    return made / np.linalg.norm(made, axis=0)


def rotations(model: RefinedRecommender) -> dict[str, Any]:
    whole, weights = whitened(model, unnamed_rest(model.named, naming_inputs(model)[0]))
    words, rng = words_of(model), np.random.default_rng(0)
    halves = [half for _ in range(HALVES) for half in np.array_split(rng.permutation(len(whole)), 2)]
    measured = {}
    for rotation in ROTATIONS:
        own = turned(whole, weights, rotation)
        loadings = whole @ own
        again = [np.abs(own.T @ turned(whole[half], weights[half], rotation)).max(axis=1) for half in halves]
        told = told_by_words(words, loadings, weights)
        fourth = np.average((loadings / np.sqrt(np.average(loadings**2, axis=0, weights=weights))) ** 4, 0, weights) - 3
        measured[rotation] = {
            "stability": float(np.mean(again)),
            "kurtosis": float(fourth.mean()),
            "told_by_words_best": float(told.max()),
            "told_by_words_mean": float(told.mean()),
        }
    shuffled = (whole @ turned(whole, weights, "varimax"))[rng.permutation(len(whole))]
    measured["varimax, shuffled over items"] = {
        "told_by_words_best": float(told_by_words(words, shuffled, weights).max()),
        "told_by_words_mean": float(told_by_words(words, shuffled, weights).mean()),
    }
    return measured


def words_of(model: RefinedRecommender) -> Any:
    frame = model.data.dataset.catalogue.frame
    columns = [name for name in ("title", "category", "description") if name in frame]
    texts = frame[columns].astype(str).agg(" ".join, axis=1).str.replace("|", " ")
    return TfidfVectorizer(min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b[^\W\d]\w+\b").fit_transform(texts)


def told_by_words(words: Any, loadings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the correlation of loadings with what words tell of items that were left out, ``[K]``."""
    fold = np.random.default_rng(0).permutation(len(loadings)) % 5
    told = np.zeros_like(loadings)
    for left_out in range(5):
        own = fold == left_out
        told[own] = Ridge(3.0).fit(words[~own], loadings[~own], weights[~own]).predict(words[own])
    return np.array([correlation(a, b, weights) for a, b in zip(told.T, loadings.T, strict=True)])


def correlation(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> float:
    a, b = a - np.average(a, weights=weights), b - np.average(b, weights=weights)
    return float(weights @ (a * b) / np.sqrt((weights @ a**2) * (weights @ b**2) + 1e-30))


def hidden(model: RefinedRecommender) -> dict[str, Any]:
    vectors, weights, moments = naming_inputs(model)
    columns, factors = model.named.columns.values.astype(np.float64), model.named.columns.penalty_factors
    best: dict[str, dict[str, float]] = {rotation: {} for rotation in ROTATIONS}
    for place, name in enumerate(model.schema.names):
        kept = np.arange(columns.shape[1]) != place
        made = fit_regression(columns[:, kept], vectors, weights, moments, factors[kept], resamples=0)
        X = np.column_stack([np.ones(len(columns)), columns[:, kept]])
        rest = vectors - np.stack([X[i] @ made.without_fold[fold] for i, fold in enumerate(made.fold_of)])
        whole, _ = whitened(model, rest)
        ridge = (X.T * weights) @ X + 0.003 * weights.sum() * np.eye(X.shape[1])
        left = columns[:, place] - X @ np.linalg.solve(ridge, (X.T * weights) @ columns[:, place])
        for rotation in ROTATIONS:
            loadings = whole @ turned(whole, weights, rotation)
            best[rotation][name] = max(abs(correlation(one, left, weights)) for one in loadings.T)
    return {rotation: {"mean": float(np.mean(list(each.values()))), **each} for rotation, each in best.items()}


def ideal_names(store: RunStore, run_id: str) -> dict[str, Any]:
    run = store.open(run_id, "refined")
    base, scores = (store.open(run.inputs[stage], stage) for stage in ("base", "scores"))
    attributes = open_refined(store, run_id).scores.items
    found: dict[str, Any] = {}
    for place, name in enumerate(attributes.schema.names):
        others = [other for other in range(len(attributes.schema)) if other != place]
        refinement = {**run.config["refinement"], "attributes": others}
        config = BuildConfig.parse({"refinement": refinement, "training": run.config["training"], "seed": run.seed})
        model = open_refined(store, stages.refine(store, base, scores, config).id)
        discovery, weights = discover(model), naming_inputs(model)[1]
        tried = []
        for one, loadings in zip(discovery.found, discovery.directions.loadings.T, strict=True):
            parting = part(np.array(one.high.items), np.array(one.low.items), loadings, weights)
            high, low = (
                attributes.values[held, place].astype(np.float64) for held in (parting.held_high, parting.held_low)
            )
            trial = max(judge(high, low), judge(low, high), key=lambda trial: trial.auroc)
            tried.append((bool(one.passed and trial.accepted), trial.auroc, one.number))
        passed, auroc, number = max(tried)
        found[name] = {"found": passed, "auroc": auroc, "direction": number, "unnamed": discovery.rest}
    return {"found": sum(each["found"] for each in found.values()), "of": len(found), "attributes": found}


def placebos(model: RefinedRecommender) -> dict[str, Any]:
    vectors, weights, moments = naming_inputs(model)
    rest, cases = unnamed_rest(model.named, vectors), held_out(model)
    sides = user_sides(model.refined, cases.users, cases.histories)
    counts: dict[str, Any] = {}
    for kind in ("random rotation", "items shuffled"):
        passed, ones = [], 0
        for seed in range(PLACEBOS):
            order = np.random.default_rng(seed).permutation(len(rest))
            shuffled = kind == "items shuffled"
            made = find_directions(
                rest[order] if shuffled else rest,
                weights[order] if shuffled else weights,
                moments,
                rotation="varimax" if shuffled else "random",
                seed=seed,
            )
            evidence = weigh(made, sides, cases.targets, model.data.item_interactions, seed)
            passed += evidence.passed.tolist()
            ones += int(evidence.passed[seed % len(made)])
        counts[kind] = {"of_ten": ones, "passed": int(np.sum(passed)), "of": len(passed)}
    return counts


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
