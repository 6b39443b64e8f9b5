"""Bringing data as a job: import files and, where scores come along, build everything from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guidedrec_core.config import BuildConfig, ReadingConfig
from guidedrec_core.data.bundled import ScoreFiles
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.progress import Listener, Progress
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages.data import store_dataset
from guidedrec_core.stages.pipeline import build


def import_task(arguments: Mapping[str, Any], home: Path, listener: Listener) -> str:
    """Import a data set as a job and build it where scores are given; return the id of the data run or the refined run.

    Parameters
    ----------
    arguments : mapping
        ``dataset`` (name), ``format``, ``path``, and optionally ``mapping``, ``items``, ``min_interactions``, ``verb``,
        ``currency``, ``reading`` (a `ReadingConfig` as JSON), ``attributes`` and ``item_scores`` (files), ``config`` (a
        `BuildConfig` as JSON).
    home : Path
        The run store's folder.
    listener : callable
        Hears progress.
    """
    name = str(arguments["dataset"])
    listener(Progress("data", message="reading the files"))
    dataset = import_dataset(
        str(arguments["format"]),
        str(arguments["path"]),
        name,
        arguments.get("mapping"),
        arguments.get("items"),
        int(arguments.get("min_interactions", 1)),
        verb=arguments.get("verb"),
        reading=ReadingConfig.parse(dict(arguments.get("reading", {}))),
        currency=arguments.get("currency"),
        listener=listener,
    )
    store = RunStore(home)
    run = store_dataset(store, dataset)
    if not arguments.get("item_scores"):
        return run.id
    files = ScoreFiles(Path(arguments["attributes"]), Path(arguments["item_scores"]), None)
    config = BuildConfig.parse(dict(arguments.get("config", {})))
    return build(store, name, config, files, listener).refined.id
