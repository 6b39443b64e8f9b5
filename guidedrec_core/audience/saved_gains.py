"""What refinement does for the users of saved segments, on the test cases of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.audience.audience import Audience
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.evaluation.slice_words import SEGMENT

if TYPE_CHECKING:  # brings the database's libraries
    from guidedrec_core.audience.saved import SavedSegment


@dataclass(frozen=True)
class SavedGains:
    """Saved segments as slices of an evaluation.

    Attributes
    ----------
    slices : pandas.DataFrame
        As `EvaluationReport.slices`, with ``slice_by`` "saved segment"; segments may overlap.
    left_out : tuple of str
        Which segments are not among them, and why.
    """

    slices: pd.DataFrame
    left_out: tuple[str, ...]


def saved_gains(
    people: Audience, segments: "Sequence[SavedSegment]", cutoffs: tuple[int, ...], samples: int = 1000
) -> SavedGains:
    """Average the metrics of all models over the test cases of each saved segment.

    Parameters
    ----------
    people : Audience
        All users; their test cases have the ranks of all models to compare.
    segments : sequence of SavedSegment
        Of this data set.
    cutoffs : tuple of int
        K of Recall@K and NDCG@K.
    samples : int
        Resamples of users for the intervals.
    """
    groups, left_out = {}, []
    tested = np.zeros(people.n_users, dtype=bool)
    tested[people.data.dataset.users.indexes(people.cases[c.USER])] = True
    for segment in segments:
        try:
            users = people.users(segment.condition)
        except GuidedrecError as error:
            left_out.append(f"Segment “{segment.name}” is left out: {error}.")
            continue
        if not (users & tested).any():
            left_out.append(f"Segment “{segment.name}” is left out: none of its users has a test case in this run.")
            continue
        groups[segment.name] = segment.condition
    return SavedGains(people.slices(groups, SEGMENT, cutoffs, samples), tuple(left_out))
