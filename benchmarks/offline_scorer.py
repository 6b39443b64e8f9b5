"""How near offline scores come to a language model's, by text model, data set, attribute and way of reading the axis.

`python benchmarks/offline_scorer.py`. Scores of the offline scorer (`guidedrec_core.scoring.offline`) beside the
bundled scores of a language model: Pearson's correlation and mean absolute difference per attribute, over all items
that have scores. Other ways to read an attribute's axis stand beside it. The scorer's way and its settings were chosen
by its figures on the bundled shop, when only simpler ways had been tried on the films, so the films tell what it is
worth elsewhere. The text model is WordLlama in an environment of its own, since its wheel brings the weights;
`--model NAME` takes any sentence-transformers model (extra `local`). The correlations are also written beside the
scorer, for the app to show.
"""

import argparse
import base64
import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import numpy as np
from environments import environment

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import read_scores
from guidedrec_core.config import ScoringConfig
from guidedrec_core.data.bundled import SCORED, bundled_dataset, bundled_scores
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.scoring import offline
from guidedrec_core.scoring.prompts import item_listings
from guidedrec_core.vectors.text import Embed, local_model

WORDLLAMA = "wordllama==0.4.0.post1"
CHOSEN_ON = "fernway"
BATCH = 256
CHOSEN = "offline scorer"


@dataclass(frozen=True)
class Data:
    """Items of a data set that a language model scored on all attributes, with what is read of them."""

    schema: AttributeSchema
    texts: list[str]
    categories: np.ndarray
    scores: np.ndarray


def load(name: str, shared: Path) -> Data | None:
    """Load a data set; None when its files are not there."""
    if name == CHOSEN_ON:
        dataset = bundled_dataset(name)
    else:
        folder = shared / name.replace("-", "_")
        if not folder.is_dir():
            return None
        dataset = import_dataset(name.partition("-")[0], folder, name)
    files = bundled_scores(name)
    schema = AttributeSchema.read(files.attributes)
    scores = read_scores(files.item_scores, schema, dataset.items)[0].values
    config = ScoringConfig(model="none")
    listings, _ = item_listings(dataset.catalogue, config.columns, config.max_characters)
    rows = dataset.items.indexes([listing.id for listing in listings])
    whole = ~np.isnan(scores[rows]).any(axis=1)
    categories = dataset.catalogue.main_categories.to_numpy()[rows][whole]
    texts = [listing.text for listing, keep in zip(listings, whole, strict=True) if keep]
    return Data(schema, texts, categories, scores[rows][whole])


@contextlib.contextmanager
def text_model(name: str) -> Iterator[tuple[str, Embed]]:
    """Yield a text model's full name, and what makes vectors with it."""
    if name != "wordllama":
        yield name, local_model(name)
        return
    python, problem = environment(Path(".peers/wordllama"), [WORDLLAMA])
    if problem:
        raise SystemExit(f"{WORDLLAMA} {problem}")
    script = Path(__file__).resolve().parent / "peer_models" / "embed_wordllama.py"
    process = subprocess.Popen([python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def embed(texts: list[str]) -> np.ndarray:
        process.stdin.write(json.dumps(texts) + "\n")
        process.stdin.flush()
        shape, data = json.loads(process.stdout.readline())
        return np.frombuffer(base64.b64decode(data), dtype="<f4").reshape(shape)

    try:
        yield json.loads(process.stdout.readline()), embed
    finally:
        process.stdin.close()
        process.wait()


def units(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def readings(data: Data, vectors: np.ndarray, embed: Embed) -> dict[str, np.ndarray]:
    """Read every attribute in several ways, ``[n, A]`` each."""
    items = units(vectors.astype(np.float64))
    low = units(embed([attribute.low for attribute in data.schema.attributes]).astype(np.float64))
    high = units(embed([attribute.high for attribute in data.schema.attributes]).astype(np.float64))
    _, category = np.unique(data.categories, return_inverse=True)
    means = np.stack([items[category == one].mean(axis=0) for one in range(category.max() + 1)])
    centred = items - items.mean(axis=0)
    variances, components = np.linalg.eigh(np.cov(centred.T))
    whitening = components / np.sqrt(variances + 0.1 * variances.mean())  # a little ridge, or noise is all there is
    axis = units(high - low)
    return {
        # The difference of cosines with both ends, but for a factor.
        "projection on the axis (SemAxis)": items @ axis.T,
        "projection, whitened": units(centred @ whitening) @ units((high - low) @ whitening).T,
        "projection, category means removed": (items - means[category]) @ axis.T,
        "high end alone": items @ high.T,
    }


@contextlib.contextmanager
def changed(**settings: Any) -> Iterator[None]:
    """Change settings of the offline scorer for a while."""
    before = {name: getattr(offline, name) for name in settings}
    for name, value in settings.items():
        setattr(offline, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(offline, name, value)


def correlation(scores: np.ndarray, against: np.ndarray) -> np.ndarray:
    """Correlate column by column, ``[A]``."""
    return np.array([np.corrcoef(scores[:, a], against[:, a])[0, 1] for a in range(scores.shape[1])])


def measure(data: Data, embed: Embed) -> dict[str, Any]:
    """Measure one data set."""
    vectors = np.concatenate([embed(data.texts[first : first + BATCH]) for first in range(0, len(data.texts), BATCH)])

    def ours() -> np.ndarray:
        return offline.OfflineScorer.fit(data.schema, vectors, embed).score(vectors)

    scores = ours()
    ways = {CHOSEN: scores, **readings(data, vectors, embed)}
    with changed(LOW_WEIGHT=1.0):
        ways[f"{CHOSEN}, both ends alike"] = ours()
    with changed(COMPONENTS=vectors.shape[1]):
        ways[f"{CHOSEN}, all components"] = ours()
    names, found = data.schema.names, correlation(scores, data.scores)
    middle = (data.schema.scale.min + data.schema.scale.max) / 2
    return {
        "items": len(data.texts),
        "correlation": dict(zip(names, found.round(3).tolist(), strict=True)),
        "difference": dict(zip(names, np.abs(scores - data.scores).mean(axis=0).round(2).tolist(), strict=True)),
        "difference_of_the_middle": round(float(np.abs(middle - data.scores).mean()), 2),
        "mean_correlation": {way: round(float(correlation(read, data.scores).mean()), 3) for way, read in ways.items()},
    }


def report(measured: dict[str, dict[str, Any]]) -> str:
    """Write the tables."""
    lines = ["mean correlation".ljust(42) + "".join(name.rjust(22) for name in measured)]
    for way in measured[CHOSEN_ON]["mean_correlation"]:
        cells = (f"{one['mean_correlation'][way]:.3f}".rjust(22) for one in measured.values())
        lines.append(way.ljust(42) + "".join(cells))
    for name, one in measured.items():
        middle = one["difference_of_the_middle"]
        lines.append(
            f"\n{name}: {one['items']:,} items; always the middle of the scale would be {middle:.1f} points apart"
        )
        for attribute, value in one["correlation"].items():
            lines.append(f"  {attribute.ljust(24)} r {value:6.3f}   {one['difference'][attribute]:.1f} points apart")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="wordllama", help="wordllama, or a sentence-transformers model")
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"), help="folder of the films' data sets")
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "offline_scorer.json")
    options = parser.parse_args()
    found = {name: load(name, options.shared) for name in SCORED}
    missing = [name for name, data in found.items() if data is None]
    with text_model(options.model) as (model, embed):
        measured = {name: measure(data, embed) for name, data in found.items() if data is not None}
    print(report(measured))
    result = {"benchmark": "offline_scorer", "machine": machine.facts("numpy"), "model": model, "chosen_on": CHOSEN_ON}
    options.out.write_text(json.dumps({**result, "data": measured}, indent=2) + "\n")
    if missing:
        print(f"\nwithout {', '.join(missing)}, which are not in {options.shared}; the app's figures stay as they are")
        return
    shown = {"model": model, "correlations": {name: one["correlation"] for name, one in measured.items()}}
    offline.MEASURED.write_text(json.dumps(shown, indent=2) + "\n")


if __name__ == "__main__":
    main()
