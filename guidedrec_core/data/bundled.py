"""What ships with the package: the shop *Fernway Outfitters*, and guided scores for it, MovieLens and MovieTweetings.

The shop's planted truth ships too, but is never read here: only tests and the planted-truth evaluation may see it.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import DataError, NotFoundError

BUNDLED = ("fernway",)
"""Names of the bundled data sets."""

_PACKAGE = Path(__file__).resolve().parents[1]
_FERNWAY_LICENCE = "part of guidedrec, under its licence; a fictional shop, see PROVENANCE.md in its folder"


@dataclass(frozen=True)
class ScoreFiles:
    """Paths of one data set's attributes and guided scores.

    Attributes
    ----------
    attributes : pathlib.Path
        JSON: the attribute schema.
    item_scores : pathlib.Path
        CSV: ``item_id`` and one column per attribute, 0..10.
    user_scores : pathlib.Path or None
        CSV: ``user_id`` and one column per attribute, 0..10.
    """

    attributes: Path
    item_scores: Path
    user_scores: Path | None


_SCORES = {
    "fernway": ("fernway/attributes.json", "fernway/llm_item_scores.csv", None),
    "movielens-small": (
        "movielens_scores/attributes.json",
        "movielens_scores/item_scores.csv",
        "movielens_scores/user_scores.csv",
    ),
    "movietweetings-100k": ("movietweetings_scores/attributes.json", "movietweetings_scores/item_scores.csv", None),
}

_PASSES = {
    "fernway": "fernway/llm_item_scores_raw.csv",
    "movielens-small": "movielens_scores/item_scores_raw.csv",
}

_QUESTIONS = {"movielens-small": "movielens_scores/survey_questions.json"}

SCORED = tuple(_SCORES)
"""Names of the data sets whose guided scores are bundled."""


def sample_data() -> Path:
    """Return the folder of bundled data: inside an installed package, next to the package in a clone.

    Raises
    ------
    DataError
        Neither is there.
    """
    folders = (_PACKAGE / "sample_data", _PACKAGE.parent / "sample_data")
    for folder in folders:
        if folder.is_dir():
            return folder
    raise DataError(
        f"expected the bundled data in {folders[0]} or {folders[1]}, found neither; install guidedrec again"
    )


def bundled_dataset(name: str) -> Dataset:
    """Return a bundled data set.

    Raises
    ------
    NotFoundError
        There is none of this name.
    DataError
        Its files are missing or damaged.
    """
    if name not in BUNDLED:
        raise NotFoundError(f"expected a bundled data set out of {', '.join(BUNDLED)}; got {name!r}")
    folder = sample_data() / name
    dataset = import_dataset("parquet", folder / "interactions.parquet", name, items_path=folder / "catalogue.csv")
    return replace(dataset, source={"format": "bundled", "path": name, "licence": _FERNWAY_LICENCE})


def bundled_scores(name: str) -> ScoreFiles | None:
    """Return the bundled guided scores of a data set, or None when there are none."""
    if name not in _SCORES:
        return None
    attributes, items, users = _SCORES[name]
    folder = sample_data()
    return ScoreFiles(folder / attributes, folder / items, folder / users if users else None)


def bundled_passes(name: str) -> Path | None:
    """Return the repeated scores behind the bundled ones: ``item_id, pass_id`` and one column per attribute, 0..10.

    Some items were scored several times, the others once; None when there is no such table.
    """
    return sample_data() / _PASSES[name] if name in _PASSES else None


def bundled_questions(name: str) -> Path | None:
    """Return which tags of the Tag Genome survey stand for a data set's bundled attributes; None where none do.

    See `judgements.survey.read_questions`.
    """
    return sample_data() / _QUESTIONS[name] if name in _QUESTIONS else None


def build_settings(name: str) -> dict[str, Any]:
    """Return the settings in which the build of a bundled data set differs from the defaults; empty for all others.

    The shop has 3,000 validation cases, so its training curve is smooth: a short patience keeps the same epochs as a
    long one, and the first case study opens within a minute.

    Returns
    -------
    dict
        A part of a `BuildConfig` as JSON.
    """
    if name not in BUNDLED:
        return {}
    settings: dict[str, Any] = json.loads((sample_data() / name / "build.json").read_text(encoding="utf-8"))
    return settings
