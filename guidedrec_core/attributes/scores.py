"""Score tables: raw guided scores of items or users, as an LLM or a person gave them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema, Scale
from guidedrec_core.config import SplitConfig
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.interactions import clean_ids
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.tables import read_table
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import ConfigError, DataError


@dataclass(frozen=True)
class GuidedScores:
    """Raw scores in vocabulary order.

    Attributes
    ----------
    values : ndarray
        float32 ``[n, n_attributes]`` on the schema's scale; NaN = missing.
    schema : AttributeSchema
        The columns.
    """

    values: npt.NDArray[np.float32]
    schema: AttributeSchema

    def take(self, attributes: tuple[int, ...] | None) -> "GuidedScores":
        """Keep the attributes at some positions, in that order; None keeps all.

        Raises
        ------
        ConfigError
            There is no attribute at a position, or a position is given twice.
        """
        if attributes is None:
            return self
        if len(set(attributes)) < len(attributes) or max(attributes) >= len(self.schema):
            raise ConfigError(
                f"expected different positions of attributes, 0 to {len(self.schema) - 1}, got {list(attributes)}"
            )
        kept = tuple(self.schema.attributes[place] for place in attributes)
        return GuidedScores(self.values[:, list(attributes)], self.schema.model_copy(update={"attributes": kept}))

    @property
    def n_missing(self) -> int:
        """Missing single scores."""
        return int(np.isnan(self.values).sum())

    @property
    def n_unscored(self) -> int:
        """Rows without any score."""
        return int(np.isnan(self.values).all(axis=1).sum())


@dataclass(frozen=True)
class AlignedScores:
    """Guided scores matched to a data set.

    Attributes
    ----------
    items : GuidedScores
        ``[n_items, A]``.
    users : GuidedScores or None
        ``[n_users, A]``; None where users were not scored.
    user_split : SplitConfig
        The split whose training histories users were judged from.
    scoring : mapping
        Settings of the scoring by a language model, fields of `ScoringConfig`; empty where they come from tables.
    notices : tuple of Notice
        Missing scores and scores of unknown ids.
    """

    items: GuidedScores
    users: GuidedScores | None = None
    user_split: SplitConfig = field(default_factory=SplitConfig)
    scoring: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Scores:
    """Guided scores as a language model or a person gave them, by id, not yet matched to a data set.

    Attributes
    ----------
    attributes : AttributeSchema
        What was scored.
    items : pandas.DataFrame
        ``item_id`` and one column per attribute, on the schema's scale; NaN = missing.
    users : pandas.DataFrame or None
        ``user_id`` and the same columns.
    user_split : SplitConfig
        The split whose training histories users were judged from; their scores are not used with another one.
    """

    attributes: AttributeSchema
    items: pd.DataFrame
    users: pd.DataFrame | None = None
    user_split: SplitConfig = field(default_factory=SplitConfig)

    @classmethod
    def from_frame(
        cls,
        items: pd.DataFrame,
        attributes: AttributeSchema,
        users: pd.DataFrame | None = None,
        user_split: str | SplitConfig = "leave-one-out",
    ) -> "Scores":
        """Make guided scores from tables.

        Parameters
        ----------
        items : pandas.DataFrame
            ``item_id`` and one column per attribute; other columns are ignored.
        attributes : AttributeSchema
            The attributes in column order.
        users : pandas.DataFrame, optional
            ``user_id`` and one column per attribute.
        user_split : str or SplitConfig
            The split whose training histories users were judged from.

        Raises
        ------
        DataError
            Columns are missing, ids repeat, or a cell holds no number on the schema's scale.
        """
        split = user_split if isinstance(user_split, SplitConfig) else SplitConfig.parse({"kind": user_split})
        for frame, key in ((items, c.ITEM), (users, c.USER)):
            if frame is not None:
                _read_table(frame, attributes, key, f"the table of {key.removesuffix('_id')} scores")
        return cls(attributes, items, users, split)

    def align(self, dataset: Dataset) -> AlignedScores:
        """Put the scores in the order of a data set's items and users.

        Raises
        ------
        DataError
            No id matches.
        """
        items, notices = match_scores(self.items, self.attributes, dataset.items, "the table of item scores")
        users = None
        if self.users is not None:
            users, more = match_scores(self.users, self.attributes, dataset.users, "the table of user scores")
            notices = (*notices, *more)
        return AlignedScores(items, users, self.user_split, notices=notices)


def read_scores(path: Path, schema: AttributeSchema, vocabulary: Vocabulary) -> tuple[GuidedScores, tuple[Notice, ...]]:
    """Read a score table (CSV or Parquet) and put it in vocabulary order; see `match_scores`."""
    return match_scores(read_table(path), schema, vocabulary, str(path))


def match_scores(
    frame: pd.DataFrame, schema: AttributeSchema, vocabulary: Vocabulary, source: str
) -> tuple[GuidedScores, tuple[Notice, ...]]:
    """Put a table of scores in vocabulary order.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``item_id`` or ``user_id`` and one column per attribute; empty cells are missing scores.
    schema : AttributeSchema
        Which columns to read, and their range.
    vocabulary : Vocabulary
        The ids wanted, in order.
    source : str
        Where the table is from, for messages.

    Returns
    -------
    tuple of (GuidedScores, tuple of Notice)
        The scores, and what was missing or left over.

    Raises
    ------
    DataError
        Columns are missing, ids repeat, a score is no number or out of range, or no id matches.
    """
    ids, columns, notices = _read_table(frame, schema, f"{vocabulary.kind}_id", source)
    found = vocabulary.indexes(ids, missing="negative")
    known = found >= 0
    if not known.any():
        example = ids.iloc[0] if len(ids) else "none"
        raise DataError(
            f"expected scores for the data set's {vocabulary.kind}s in {source}, but no id matches "
            f"(table: {example!r}, data set: {vocabulary.id(0)!r}); is it the right table?"
        )
    values = np.full((len(vocabulary), len(schema)), np.nan, dtype=np.float32)
    values[found[known]] = np.stack(columns, axis=1)[known]
    scores = GuidedScores(values, schema)
    return scores, (*notices, *_notices(scores, vocabulary.kind, int((~known).sum())))


def _read_table(
    frame: pd.DataFrame, schema: AttributeSchema, key: str, source: str
) -> tuple[pd.Series, list[npt.NDArray[np.float64]], list[Notice]]:
    """Return a table's ids, its columns of scores in schema order, and what was odd about the ids."""
    missing = [name for name in (key, *schema.names) if name not in frame.columns]
    if missing:
        raise DataError(
            f"expected the columns {key} and one for each attribute in {source}, missing: {', '.join(missing)}; "
            "check that the score table and the attribute schema belong together"
        )
    notices: list[Notice] = []
    ids = clean_ids(frame[key], key.removesuffix("_id"), notices)
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].unique()[:3].tolist()
        raise DataError(f"expected one row for each {key} in {source}, got several for: {', '.join(twice)}; keep one")
    return ids, [score_numbers(frame[name], schema.scale, ids, source) for name in schema.names], notices


def score_numbers(column: pd.Series, scale: Scale, ids: pd.Series, source: str) -> npt.NDArray[np.float64]:
    """Read one column of raw scores; empty cells become NaN.

    Parameters
    ----------
    column : pandas.Series
        As read from a table; its name is the attribute's.
    scale : Scale
        The range allowed.
    ids : pandas.Series
        What each row is about, for messages.
    source : str
        Where the column comes from, for messages.

    Raises
    ------
    DataError
        A cell holds no number, or one out of range.
    """
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    outside = (numbers < scale.min) | (numbers > scale.max) | (numbers.isna() & column.notna())
    if outside.any():
        first = int(np.flatnonzero(outside.to_numpy())[0])
        raise DataError(
            f"expected numbers from {scale.min:g} to {scale.max:g} in column {column.name} of {source}, "
            f"got '{column.iloc[first]}' for {ids.iloc[first]} ({int(outside.sum()):,} such cells); "
            "correct them, leave them empty, or set the schema's scale"
        )
    return np.asarray(numbers, dtype=np.float64)


def _notices(scores: GuidedScores, kind: str, n_left_over: int) -> tuple[Notice, ...]:
    """Say what is missing and what is not needed."""
    notices = []
    if scores.n_unscored:
        message = f"{scores.n_unscored:,} of {len(scores.values):,} {kind}s have no guided scores; treated as average"
        notices.append(Notice(f"unscored_{kind}s", scores.n_unscored, message))
    gaps = scores.n_missing - scores.n_unscored * len(scores.schema)
    if gaps:
        message = f"{gaps:,} single scores of {kind}s are missing; treated as the attribute's average and marked"
        notices.append(Notice(f"missing_{kind}_scores", gaps, message))
    if n_left_over:
        message = f"{n_left_over:,} scored {kind}s are not in the data set; left out"
        notices.append(Notice(f"scored_{kind}s_not_in_data", n_left_over, message))
    return tuple(notices)
