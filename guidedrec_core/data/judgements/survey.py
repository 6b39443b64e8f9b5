"""The survey behind the Tag Genome: people said how strongly tags apply to films, 1 (not at all) to 5 (very much).

Vig, Sen and Riedl, "The Tag Genome: Encoding Community Knowledge to Support Novel Interaction", ACM TiiS 2(3), 2012;
published with the Tag Genome data set 2021 of Kotkov, Maslov and Neovius, SIGIR 2021. CC BY-NC 3.0, so it is never
bundled. Films have the ids of MovieLens.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from guidedrec_core.columns import ITEM
from guidedrec_core.data.files.json_lines import read_json_lines
from guidedrec_core.data.files.members import find_members
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.judgements.table import ATTRIBUTE, QUESTION, RATER, VALUE
from guidedrec_core.data.tables import load_table
from guidedrec_core.errors import DataError

ANSWERS, TAGS = "survey_answers.json", "tags.json"
"""Its files in GroupLens' archive, JSON lines: ``user_id, item_id, tag_id, score`` and ``id, tag``."""

TABLE = ("rater", "movieId", "tag", "relevance")
"""Columns of the same as one table."""

_NOT_SURE = -1
_SCALE = (1, 2, 3, 4, 5)


def read_survey(path: Path | str) -> pd.DataFrame:
    """Read answers.

    Parameters
    ----------
    path : Path or str
        A folder or zip archive that holds `ANSWERS` and `TAGS`, as GroupLens publishes them; or one table with the
        columns `TABLE`.

    Returns
    -------
    pandas.DataFrame
        ``rater``, ``item_id``, ``tag`` (text) and ``value`` (float64, 1 to 5); "not sure" (-1) is left out.

    Raises
    ------
    DataError
        It is neither, an answer is out of range, or an answer is about a tag that `TAGS` has not.
    """
    place = place_of(path)
    if place.is_folder() or place.name.lower().endswith(".zip"):
        answers = _from_archive(path)
    else:
        table = load_table(path, wanted=TABLE)
        missing = [name for name in TABLE if name not in table.columns]
        if missing:
            raise DataError(
                f"expected the columns {', '.join(TABLE)} in {path}, missing: {', '.join(missing)}; or name the folder "
                f"or archive that holds {ANSWERS} and {TAGS}"
            )
        answers = table.frame.rename(columns={"movieId": ITEM, "rater": RATER, "relevance": VALUE})
    numbers = pd.to_numeric(answers[VALUE], errors="coerce")
    outside = ~numbers.isin([_NOT_SURE, *_SCALE])
    if outside.any():
        raise DataError(
            f"expected answers from {_SCALE[0]} to {_SCALE[-1]}, or {_NOT_SURE} for not sure, in {path}, got "
            f"{answers[VALUE][outside].iloc[0]!r} ({int(outside.sum()):,} such answers); is it the survey?"
        )
    answers = answers[[RATER, ITEM, "tag"]].astype("str").assign(**{VALUE: numbers.astype("float64")})
    return answers[answers[VALUE] != _NOT_SURE].reset_index(drop=True)


def read_questions(path: Path) -> dict[str, dict[str, int]]:
    """Read which tags stand for which attribute.

    Returns
    -------
    dict of str to dict of str to int
        Attribute to tag to +1 (the high end) or -1 (the low end).
    """
    attributes = json.loads(path.read_text(encoding="utf-8"))["attributes"]
    return {
        attribute: {tag: sign for end, sign in (("high", 1), ("low", -1)) for tag in ends.get(end, [])}
        for attribute, ends in attributes.items()
    }


def survey_judgements(answers: pd.DataFrame, questions: Mapping[str, Mapping[str, int]]) -> pd.DataFrame:
    """Take the answers about the tags that stand for attributes as judgements of these.

    Parameters
    ----------
    answers : pandas.DataFrame
        See `read_survey`.
    questions : mapping
        See `read_questions`.

    Returns
    -------
    pandas.DataFrame
        ``item_id, attribute, question`` (the tag), ``rater`` and ``value``; negative for tags of the low end, so that
        larger is more of the attribute.

    Raises
    ------
    DataError
        No answer is about any of these tags.
    """
    rows = [(attribute, tag, sign) for attribute, tags in questions.items() for tag, sign in tags.items()]
    asked = pd.DataFrame(rows, columns=[ATTRIBUTE, "tag", "sign"])
    found = answers.merge(asked, on="tag")
    if found.empty:
        raise DataError("expected answers about tags that stand for attributes, found none; is it the survey?")
    found[VALUE] = found[VALUE] * found["sign"]
    return found.rename(columns={"tag": QUESTION})[[ITEM, ATTRIBUTE, QUESTION, RATER, VALUE]]


def _from_archive(path: Path | str) -> pd.DataFrame:
    """Read the two files of GroupLens and name tags."""
    members = find_members(place_of(path), (ANSWERS, TAGS))
    frames = []
    for name, wanted in ((ANSWERS, ("user_id", "item_id", "tag_id", "score")), (TAGS, ("id", "tag"))):
        with members[name].open() as plain:
            table = read_json_lines(plain, wanted)
        missing = [column for column in wanted if column not in table.columns]
        if missing:
            raise DataError(
                f"expected {', '.join(wanted)} in each line of {name} in {path}, missing: {', '.join(missing)}; is it "
                "the Tag Genome data set 2021?"
            )
        frames.append(table.frame)
    answers = frames[0].merge(frames[1].drop_duplicates("id"), left_on="tag_id", right_on="id", how="left")
    nameless = answers["tag"].isna()
    if nameless.any():
        raise DataError(
            f"expected a name for every tag in {TAGS} in {path}, {int(nameless.sum()):,} answers are about tags that "
            f"it has not (first: {answers['tag_id'][nameless].iloc[0]}); get both files from the same archive"
        )
    return answers.rename(columns={"user_id": RATER, "item_id": ITEM, "score": VALUE})
