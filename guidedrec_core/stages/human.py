"""Guided scores of a data set next to what people say. Needs data and scores only, and stores nothing."""

from pathlib import Path

import pandas as pd

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.audit.human import HumanAudit, human_agreement
from guidedrec_core.columns import CATEGORY
from guidedrec_core.data.bundled import bundled_questions, bundled_scores
from guidedrec_core.data.judgements import SURVEY
from guidedrec_core.data.judgements.fetch import survey_folder
from guidedrec_core.data.judgements.survey import TABLE, read_questions, read_survey, survey_judgements
from guidedrec_core.data.judgements.table import ATTRIBUTE, read_judgements
from guidedrec_core.data.tables import load_table
from guidedrec_core.errors import DataError, NotFoundError
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import Run, RunStore


def human_audit(scores: Run, data: Run, judgements: pd.DataFrame, seed: int = 0, samples: int = 1_000) -> HumanAudit:
    """Compare stored scores with judgements by people.

    Parameters
    ----------
    scores, data : Run
        Of stages ``scores`` and ``data``.
    judgements : pandas.DataFrame
        See `human_agreement`, which says what is computed.
    seed, samples : int
        Of resampling, and how often.

    Raises
    ------
    DataError
        The judgements do not fit the data set; the message says how.
    """
    dataset = load_dataset(data)
    categories = dataset.catalogue.frame[CATEGORY].tolist()
    given = categories if any(categories) else None
    return human_agreement(judgements, load_scores(scores), dataset.items, given, seed, samples)


def find_judgements(store: RunStore, data: Run, scores: Run, source: str | Path) -> pd.DataFrame:
    """Read judgements for a data set.

    Parameters
    ----------
    store : RunStore
        Its home holds what was fetched.
    data, scores : Run
        What they will be compared with.
    source : str or Path
        `SURVEY` for the fetched survey behind the Tag Genome; the path of that survey (see `read_survey`); or the path
        of a table of judgements (see `read_judgements`).

    Raises
    ------
    NotFoundError
        The survey was not fetched, or nobody chose which of its tags stand for this data set's attributes.
    DataError
        The table cannot be read, or lacks columns.
    """
    name = str(data.config["name"])
    if str(source) == SURVEY:
        questions = _questions(name, scores)
        return survey_judgements(read_survey(survey_folder(store.home)), questions)
    path = Path(source)
    if path.is_dir() or path.suffix.lower() == ".zip":
        return survey_judgements(read_survey(path), _questions(name, scores))
    columns = load_table(path, wanted=()).columns
    if ATTRIBUTE not in columns and set(TABLE) <= set(columns):
        return survey_judgements(read_survey(path), _questions(name, scores))
    return read_judgements(path)


def _questions(name: str, scores: Run) -> dict[str, dict[str, int]]:
    """Return which tags stand for which attribute of a data set."""
    path, files = bundled_questions(name), bundled_scores(name)
    if path is None or files is None:
        raise NotFoundError(
            f"the tags of the survey stand for the bundled attributes of movielens-small, not for those of {name!r}; "
            "pass a table of judgements: item_id, attribute, value and optionally rater"
        )
    schema = AttributeSchema.parse(scores.read_json("attributes"))
    if schema.hash() != AttributeSchema.read(files.attributes).hash():
        raise DataError(
            f"the tags of the survey stand for the bundled attributes of {name!r}, but its scores are of others; pass "
            "a table of judgements: item_id, attribute, value and optionally rater"
        )
    return read_questions(path)
