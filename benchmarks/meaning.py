"""Does the meaning alarm tell planted faults from clean models? On the bundled shop, over many seeds.

`python benchmarks/meaning.py`. Each seed trains a short base model, and over it refined models from the right scores
and from tables with one fault: an attribute's column shuffled, two columns swapped, one inverted, drawn by the seed.
What is held against the models is independent of the tables they were made from: the twenty products that a language
model scored in four passes are judged by one pass, drawn by the seed, and the models are made from the median of the
other three. The head and the additive form are made for every seed; the literal form, which must train longer before
users' vectors say anything, for the first few. There, faults are planted in the users' trained vectors, too, after
training; they are held against the stored scores, as nobody judges users again.

AUROC: how often the evidence for a faulty attribute is lower than that for one of a clean model. An alarm is evidence
below 0, a bar set by theory (see `guidedrec_core.audit.meaning`); nothing is tuned here.
"""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import torch

from guidedrec_core import stages
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.audit.meaning import meaning
from guidedrec_core.config import BuildConfig
from guidedrec_core.data.bundled import ScoreFiles, bundled_passes, bundled_scores
from guidedrec_core.data.tables import read_table
from guidedrec_core.randomness import generator
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.reliability.repeated import read_repeated
from guidedrec_core.runs.store import Run, RunStore

SHOP = "fernway"
USERS = 300
FAULTS = ("shuffled", "swapped", "inverted")
EPOCHS = {"base": 4, "additive": 4, "literal": 8}
KEPT = ("fault", "mode", "seed", "attribute", "evidence", "alarm", "column_agreement", "users_agreement")


def planted(
    scores: np.ndarray, fault: str, columns: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, list[int]]:
    """Plant a fault in a table; return the table and which columns are wrong.

    Parameters
    ----------
    scores : ndarray
        ``[n, A]``, items' scores or users' vectors.
    fault : {"shuffled", "swapped", "inverted"}
        Rows of the first column mixed up; the first two columns exchanged; the first one turned around.
    columns : ndarray
        Two different columns.
    rng : numpy.random.Generator
        Mixes up rows.
    """
    first, second = columns.tolist()
    faulty = scores.copy()
    if fault == "shuffled":
        faulty[:, first] = rng.permutation(faulty[:, first])
    elif fault == "swapped":
        faulty[:, [first, second]] = faulty[:, [second, first]]
    else:
        faulty[:, first] = np.nanmax(faulty[:, first]) + np.nanmin(faulty[:, first]) - faulty[:, first]
    return faulty, [first, second] if fault == "swapped" else [first]


def auroc(faulty: np.ndarray, clean: np.ndarray) -> float:
    """Return the share of pairs in which the faulty one has less evidence; ties count half."""
    gaps = clean[None, :] - faulty[:, None]
    return float(np.mean((gaps > 0) + 0.5 * (gaps == 0)))


def held_out(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what models are made from, and what one pass says of the items that were scored several times."""
    schema = AttributeSchema.read(bundled_scores(SHOP).attributes)
    repeated, _ = read_repeated(read_table(bundled_passes(SHOP)), schema)
    several = (~np.isnan(repeated.values[:, :, 0])).sum(axis=0) > 1
    judge = int(generator(seed, "judge").integers(len(repeated.values)))
    taken_out = several[:, None] & (np.arange(len(repeated.values)) == judge)[:, None, None]
    others = replace(repeated, values=np.where(taken_out, np.nan, repeated.values))
    tables = []
    for values, rows in ((others.scores(), slice(None)), (repeated.values[judge], several)):
        table = pd.DataFrame(values[rows], columns=list(schema.names))
        table.insert(0, "item_id", np.array(repeated.item_ids)[rows])
        tables.append(table)
    return tables[0], tables[1]


def rows_of(
    system: RefinedRecommender, again: pd.DataFrame, about: dict[str, Any], wrong: list[int]
) -> list[pd.DataFrame]:
    """Ask a model, and note of each attribute whether it is at fault."""
    names, stored = system.schema.names, system.item_scores.values
    reference = np.full(stored.shape, np.nan)
    reference[system.data.dataset.items.indexes(again["item_id"])] = again[list(names)]
    draw = generator(about["seed"], "users")
    users = np.sort(draw.choice(system.data.sequences.n_users, USERS, replace=False))
    histories = [system.data.shown_history(user) for user in users.tolist()]
    table = meaning(system.refined, users, histories, reference, stored, names).assign(**about)
    return [table.assign(faulty=np.isin(np.arange(len(names)), wrong))]


def measure(store: RunStore, seed: int, modes: list[str], folder: Path) -> list[pd.DataFrame]:
    """Make and ask all models of a seed."""
    right, again = held_out(seed)
    names = list(right.columns[1:])
    config = BuildConfig.parse({"training": {"max_epochs": EPOCHS["base"], "threads": 1}, "seed": seed})
    data = stages.find_data(store, SHOP)
    base = stages.train_base(store, data, config)
    found = []
    for fault in ("none", *FAULTS):
        rng = generator(seed, "fault", fault)
        columns = rng.choice(len(names), 2, replace=False)
        table, wrong = right.copy(), []
        if fault != "none":
            table[names], wrong = planted(right[names].to_numpy(), fault, columns, rng)
        table.to_csv(folder / "scores.csv", index=False)
        files = ScoreFiles(bundled_scores(SHOP).attributes, folder / "scores.csv", None)
        scores = stages.score_attributes(store, data, files)
        for mode in modes:
            run = refined(store, base, scores, config, mode)
            system = open_refined(store, run.id)
            about = {"fault": fault, "mode": mode, "seed": seed}
            found += rows_of(system, again, about, wrong)
            if mode == "literal" and fault == "none":
                found += with_faulty_users(system, again, seed)
    return found


def refined(store: RunStore, base: Run, scores: Run, config: BuildConfig, mode: str) -> Run:
    """Make a refined model in one of the forms."""
    refinement = config.refinement.model_copy(update={"mode": mode})
    training = config.training.model_copy(update={"max_epochs": EPOCHS.get(mode, 1)})
    changed = config.model_copy(update={"refinement": refinement, "training": training})
    return stages.refine(store, base, scores, changed)


def with_faulty_users(system: RefinedRecommender, again: pd.DataFrame, seed: int) -> list[Any]:
    """Plant faults in the trained users' vectors, one after the other."""
    trained: Any = system.refined.refined
    vectors = trained.users.detach().clone()
    found = []
    for fault in FAULTS:
        rng = generator(seed, "fault", "users", fault)
        faulty, wrong = planted(vectors.numpy(), fault, rng.choice(vectors.shape[1], 2, replace=False), rng)
        if fault == "inverted":
            faulty[:, wrong] = -vectors.numpy()[:, wrong]
        with torch.no_grad():
            trained.users.copy_(torch.from_numpy(faulty))
        about = {"fault": f"users {fault}", "mode": "literal", "seed": seed}
        found += rows_of(system, again, about, wrong)
    with torch.no_grad():
        trained.users.copy_(vectors)
    return found


def summary(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Sum up each mode and fault: AUROC against the clean models of that mode, faults found, and false alarms."""
    lines = []
    for mode, of_mode in table.groupby("mode", sort=False):
        clean = of_mode[of_mode["fault"] == "none"]
        for fault, rows in of_mode.groupby("fault", sort=False):
            models = rows.groupby("seed")["alarm"].any()
            line = {"mode": mode, "fault": fault, "models": len(models), "models_with_alarm": int(models.sum())}
            faulty = rows[rows["faulty"]]
            if len(faulty):
                line["AUROC"] = auroc(faulty["evidence"].to_numpy(), clean["evidence"].to_numpy())
                line["faulty_attributes"], line["found"] = len(faulty), int(faulty["alarm"].sum())
            line["right_attributes"] = int((~rows["faulty"]).sum())
            line["false_alarms"] = int(rows.loc[~rows["faulty"], "alarm"].sum())
            line["least_evidence_of_right"] = float(rows.loc[~rows["faulty"], "evidence"].min())
            lines.append(line)
    return lines


def report(lines: list[dict[str, Any]]) -> str:
    """Write the summary as text."""
    text = []
    for line in lines:
        told = f"{line['mode']:9} {line['fault']:15} {line['models']:3} models, {line['models_with_alarm']:3} alarmed, "
        told += f"{line['false_alarms']} false alarms on {line['right_attributes']} right attributes"
        if "AUROC" in line:
            told += f", AUROC {line['AUROC']:.4f}, {line['found']} of {line['faulty_attributes']} faults found"
        text.append(told)
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--literal-seeds", type=int, default=5, help="of these, how many have the literal form, too")
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "meaning.json")
    options = parser.parse_args()
    facts = machine.facts("numpy", "torch")
    started = time.process_time()
    found: list[pd.DataFrame] = []
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder) / "runs")
        for seed in range(options.seeds):
            modes = ["head", "additive", *(["literal"] if seed < options.literal_seeds else [])]
            found += measure(store, seed, modes, Path(folder))
            print(f"seed {seed}: {time.process_time() - started:.0f} CPU seconds", flush=True)
    table = pd.concat(found, ignore_index=True)
    lines = summary(table)
    print(report(lines))
    result = {
        "benchmark": "meaning",
        "machine": facts,
        "seeds": options.seeds,
        "literal_seeds": options.literal_seeds,
        "epochs": EPOCHS,
        "users_asked": USERS,
        "cpu_seconds": round(time.process_time() - started),
        "summary": lines,
        "faulty_attributes": table.loc[table["faulty"], list(KEPT)].round(4).to_dict("records"),
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
