"""How long a selection on the item maps takes in a browser, from letting go of the mouse to the answer.

`python benchmarks/map_selection.py --items 500000` makes maps of that many items, serves the app on them, drags boxes
and lassos over the base map in Chromium, and prints how long it takes until the sentence and the other map show the
selection. Positions, scores and neighbours are drawn at random around category centres, so that no model is trained;
what is stored, and all that the page does with it, is the same as for any other run. With ``--points`` the maps are
drawn as points however many there are, with ``--picture`` never: so the number was found above which they are pictures.

Other programs on the machine count, so its load before and after is part of the result, and no test rests on it. The
processor time that a selection costs server and browser depends less on them; on an idle machine the answer takes no
longer than both together.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import psutil

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.attributes.scores import AlignedScores, GuidedScores
from guidedrec_core.config import EncoderConfig, ProjectionConfig, RefinementConfig, SplitConfig
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.figures.maps.item_map import MOST_POINTS
from guidedrec_core.projection.spaces import overlap
from guidedrec_core.runs.datasets import data_settings, write_dataset
from guidedrec_core.runs.scores import scores_settings, write_scores
from guidedrec_core.runs.store import RunStore

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "helpers"))
from browser import CHROMIUM, open_page, running_app, settle

CATEGORIES, ATTRIBUTES, HISTORY, K = 60, 12, 10, 10
POINTS = "GUIDEDREC_MAP_POINTS"

# The time from the mouse button's release until both the words and the other map are new and drawn.
WATCH = """() => {
  const said = () => [...document.querySelectorAll('[data-testid=stCaptionContainer]')]
    .map(e => e.innerText).find(text => / items: | whole catalogue/.test(text));
  const other = () => {
    const map = document.querySelectorAll('.js-plotly-plot')[2];
    const selected = map?.data?.[0]?.selectedpoints;
    return map?.layout?.images?.[0]?.source ?? `${selected?.length} ${selected?.[0]} ${selected?.at?.(-1)}`;
  };
  const before = [said(), other()];
  window.answered = new Promise(resolve => {
    document.addEventListener('mouseup', () => {
      const start = performance.now();
      const look = () => {
        const [one, two] = [said(), other()];
        if (one && two && one !== before[0] && two !== before[1])
          requestAnimationFrame(() => resolve(performance.now() - start));
        else if (performance.now() - start > 30000) resolve(null);
        else setTimeout(look, 5);
      };
      look();
    }, {once: true, capture: true});
  });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=30, help="selections of each kind")
    drawn = parser.add_mutually_exclusive_group()
    drawn.add_argument("--points", action="store_true", help="draw points, however many there are")
    drawn.add_argument("--picture", action="store_true", help="draw a picture, however few there are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file to write, too")
    options = parser.parse_args()
    if CHROMIUM is None:
        parser.error("needs Chromium: install Debian's `chromium`")
    result: dict[str, Any] = {
        "benchmark": "map_selection",
        "machine": machine.facts("streamlit", "plotly", "numpy"),
        "items": options.items,
    }
    most = options.items if options.points else 0 if options.picture else MOST_POINTS
    os.environ[POINTS] = str(most)
    result["drawn_as"] = "points" if options.items <= most else "picture"
    with tempfile.TemporaryDirectory() as folder:
        store_maps(RunStore(Path(folder) / "home"), options.items, options.seed)
        with running_app(Path(folder) / "home", Path(folder) / "app.log") as address:
            result |= measured(address, options.rounds, options.seed)
    result["load_after"] = round(os.getloadavg()[0], 2)
    result["milliseconds"] = "from the mouse button's release until words and other map are drawn"
    text = json.dumps(result, indent=2)
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n")


def store_maps(store: RunStore, n_items: int, seed: int) -> None:
    """Store a data set with scores and maps, and the runs that they belong to."""
    rng = np.random.default_rng(seed)
    category = rng.integers(0, CATEGORIES, n_items)
    ids = np.char.add("item-", np.arange(n_items).astype(str))
    items = pd.DataFrame(
        {
            "item_id": ids,
            "title": np.char.add("Item ", np.arange(n_items).astype(str)),
            "category": np.char.add("category ", category.astype(str)),
        }
    )
    taken = rng.permutation(n_items // HISTORY * HISTORY).reshape(-1, HISTORY)  # every item once
    interactions = pd.DataFrame(
        {
            "user_id": np.repeat(np.char.add("user-", np.arange(len(taken)).astype(str)), HISTORY),
            "item_id": ids[taken.ravel()],
            "datetime": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(taken.size), unit="min"),
        }
    )
    dataset = Dataset.from_frames(interactions, items, name="synthetic")
    order = dataset.items.indexes(ids)  # the vocabulary may sort them
    placed = np.empty(n_items, dtype=np.int64)
    placed[order] = category
    data = write_dataset(store, dataset, data_settings(dataset))
    schema = AttributeSchema(
        attributes=[Attribute(name=f"attribute_{a}", low="little", high="much") for a in range(ATTRIBUTES)]
    )
    means = rng.normal(5, 2, (CATEGORIES, ATTRIBUTES))
    raw = np.clip(np.rint(means[placed] + rng.normal(0, 1.5, (n_items, ATTRIBUTES))), 0, 10).astype(np.float32)
    aligned = AlignedScores(GuidedScores(raw, schema), None)
    scores = write_scores(store, aligned, scores_settings(aligned), data)
    settings = {"encoder": EncoderConfig().model_dump(mode="json"), "split": SplitConfig().model_dump(mode="json")}
    with store.create("base", config=settings, inputs={"data": data}, seed=seed) as writer:
        writer.summary.update(items=n_items)
    base = writer.run
    settings = {"refinement": RefinementConfig().model_dump(mode="json")}
    with store.create("refined", config=settings, inputs={"base": base, "scores": scores}, seed=seed) as writer:
        writer.summary.update(items=n_items)
    refined = writer.run
    inputs = {"base": base, "refined": refined}
    settings = ProjectionConfig().model_dump(mode="json")
    with store.create("projection", config=settings, inputs=inputs, seed=seed) as writer:
        centres = rng.uniform(-10, 10, (CATEGORIES, 2))
        near = [neighbours(placed, rng) for _ in range(2)]
        for name, shift, nearest in (("base", 0.0, near[0]), ("refined", 1.0, near[1])):
            moved = centres + shift * rng.normal(size=centres.shape)
            writer.write_array(name, (moved[placed] + rng.normal(0, 0.7, (n_items, 2))).astype(np.float32))
            writer.write_array(f"{name}_neighbours", nearest)
        writer.write_array("overlap", overlap(*near) if n_items <= 5_000 else rng.random(n_items).astype(np.float32))
        writer.summary.update(items=n_items)


def neighbours(category: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw neighbours of each item from its own category, ``[n_items, K]``."""
    members = np.argsort(category, kind="stable")
    sizes = np.bincount(category, minlength=CATEGORIES)
    starts = np.cumsum(sizes) - sizes
    places = (rng.random((len(category), K)) * sizes[category][:, None]).astype(np.int64)
    return members[starts[category][:, None] + places]


def measured(address: str, rounds: int, seed: int) -> dict[str, Any]:
    """Open the page and time selections on it."""
    rng = np.random.default_rng(seed)
    result: dict[str, Any] = {}
    with open_page(1440, 1300) as (page, _):
        started = time.perf_counter()
        page.goto(f"{address}/Embedding_map?dataset=synthetic")
        page.locator(".js-plotly-plot").nth(2).wait_for(timeout=120_000)
        settle(page, 120)
        result["first_opening_seconds"] = round(time.perf_counter() - started, 1)
        for kind, button in (("box", "Box Select"), ("lasso", "Lasso Select")):
            page.locator(".js-plotly-plot").nth(1).hover()
            page.locator(".js-plotly-plot").nth(1).locator(f'.modebar-btn[data-title="{button}"]').click()
            times = []
            spent: dict[str, float] = {}
            for number in range(rounds + 3):
                drag_start(page, kind, rng)
                page.evaluate(WATCH)
                page.mouse.up()
                took = page.evaluate("() => window.answered")
                if took is None:
                    raise SystemExit(f"{kind} selection {number} was not answered within 30 s")
                settle(page)
                if number == 2:  # these were to warm up
                    spent = processor_seconds()
                elif number > 2:
                    times.append(took)
            result[kind] = {f"p{share}": round(float(np.percentile(times, share))) for share in (50, 95, 100)}
            for part, before in spent.items():
                result[kind][f"cpu_{part}"] = round((processor_seconds()[part] - before) / rounds * 1000)
    return result


def processor_seconds() -> dict[str, float]:
    """Return the processor time that the server and the browser have used."""
    seconds = {"server": 0.0, "browser": 0.0}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            part = "browser" if "chrom" in process.name() else "server"
            if "node" not in process.name():  # which hands the drags on
                times = process.cpu_times()
                seconds[part] += times.user + times.system
    return seconds


def drag_start(page: Any, kind: str, rng: np.random.Generator) -> None:
    """Press the mouse button on the base map and draw; somewhat elsewhere each time."""
    box = page.locator(".js-plotly-plot").nth(1).bounding_box()
    width, height = box["width"], box["height"]
    x, y = box["x"] + rng.uniform(0.15, 0.3) * width, box["y"] + rng.uniform(0.15, 0.3) * height
    page.mouse.move(x, y)
    page.mouse.down()
    if kind == "box":
        page.mouse.move(x + rng.uniform(0.2, 0.5) * width, y + rng.uniform(0.2, 0.5) * height, steps=4)
        return
    radius = rng.uniform(0.12, 0.25) * width
    for angle in np.linspace(0, 2 * np.pi, 40)[1:]:
        page.mouse.move(x + radius * (1 - np.cos(angle)), y + radius * np.sin(angle) * 0.9 + 0.2 * height * angle / 6.3)


if __name__ == "__main__":
    main()
