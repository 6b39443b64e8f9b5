"""Weights of interactions: the file's own, those of their kinds (view, cart, purchase), and who is left out."""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.config import ReadingConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import DataError

_SHOWN = 10
_MOST_KINDS = 1_000


class WeightReader:
    """Reads weights and kinds piece by piece, and judges them as a whole when all are read.

    Parameters
    ----------
    reading : ReadingConfig
        Weights of kinds, and the least rating.
    """

    def __init__(self, reading: ReadingConfig) -> None:
        self._reading = reading
        self._rows, self._bad = 0, 0
        self._first_bad: str | None = None
        self._kinds: Counter[str] = Counter()
        self._disliked = 0

    def add(
        self, rows: int, weights: pd.Series | None, kinds: pd.Series | None
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_] | None]:
        """Read the next rows.

        Parameters
        ----------
        rows : int
            How many.
        weights : pandas.Series or None
            Numbers or their text, ``[n]``; all are 1 without.
        kinds : pandas.Series or None
            Kinds of interaction, ``[n]``; used where weights of kinds were chosen.

        Returns
        -------
        tuple of (ndarray, ndarray or None)
            Weights, float64 ``[n]``, and which rows are kept, bool ``[n]``; None when all are.
        """
        self._rows += rows
        found = np.ones(rows)
        kept = np.ones(rows, dtype=np.bool_)
        if weights is not None:
            found = np.array(pd.to_numeric(weights, errors="coerce"), dtype=np.float64)
            bad = ~np.isfinite(found)
            if bad.any():
                self._first_bad = self._first_bad if self._bad else str(weights.iloc[int(np.argmax(bad))])
                self._bad += int(bad.sum())
                found[bad] = 0.0
            if self._reading.min_rating is not None:
                kept = found >= self._reading.min_rating
                self._disliked += int((~kept & ~bad).sum())
        if self._reading.event_weights and kinds is not None:
            names, of_kind = self._of_kinds(kinds)
            found = found * of_kind[names]
            kept &= of_kind[names] > 0
        return found, None if kept.all() else kept

    def _of_kinds(self, kinds: pd.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return each row's kind as a number, and the weight of each number; 0 for kinds without."""
        codes, distinct = pd.factorize(kinds.astype("object").where(kinds.notna(), ""))
        named = [str(kind).strip() for kind in distinct]
        for kind, count in zip(named, np.bincount(codes, minlength=len(named)).tolist(), strict=True):
            if len(self._kinds) < _MOST_KINDS or kind in self._kinds:
                self._kinds[kind] += count
        return codes, np.array([self._reading.event_weights.get(kind, 0.0) for kind in named] or [0.0])

    def judge(self, notices: list[Notice], has_weights: bool, has_kinds: bool) -> None:
        """Raise when a weight is no number or a kind has none; say what was left out.

        Raises
        ------
        DataError
            See above; or there is no column for what was chosen, or nothing is left.
        """
        if self._bad:
            raise DataError(
                f"expected a number as weight in every row, {self._bad:,} of {self._rows:,} are not "
                f"(first: '{self._first_bad}'); fix the column or leave it out"
            )
        if self._reading.min_rating is not None and not has_weights:
            raise DataError("expected a column of ratings for --min-rating; name it with --map weight=<column>")
        if self._reading.event_weights:
            if not has_kinds:
                raise DataError(
                    "expected a column with the kind of each interaction for --event-weights; name it with "
                    "--map event=<column>"
                )
            self._refuse_unweighted()
        for count, what in self._left_out():
            notices.append(
                Notice.counted("left_out", count, f"interaction {what}, left out", f"interactions {what}, left out")
            )

    def _refuse_unweighted(self) -> None:
        weighted = self._reading.event_weights
        unknown = [(kind, count) for kind, count in self._kinds.most_common() if kind not in weighted]
        if unknown:
            shown = ", ".join(f"{kind or '(blank)'} ({count:,})" for kind, count in unknown[:_SHOWN])
            more = ", ..." if len(unknown) > _SHOWN else ""
            raise DataError(
                f"expected a weight for every kind of interaction, none was given for {shown}{more}; add them to "
                f"--event-weights, e.g. {unknown[0][0] or 'view'}=0 to leave one out"
            )

    def _left_out(self) -> list[tuple[int, str]]:
        """Return how many interactions were left out, and why."""
        zero = [kind for kind, weight in self._reading.event_weights.items() if weight == 0]
        found = [(self._kinds[kind], f"of kind {kind}") for kind in zero]
        return [
            (count, what)
            for count, what in [(self._disliked, f"rated below {self._reading.min_rating or 0:g}"), *found]
            if count
        ]


def nothing_left() -> DataError:
    """Return the error for a choice of weights that leaves nothing."""
    return DataError("no interactions are left: every one is of a kind with weight 0 or rated too low; keep more")


def weights_of(
    columns: dict[str, pd.Series], rows: int, reading: ReadingConfig, notices: list[Notice], names: tuple[str, str]
) -> tuple[npt.NDArray[np.float64], Any]:
    """Read the weights of a whole table; `names` are its columns of weights and of kinds. See `WeightReader`."""
    reader = WeightReader(reading)
    weight, event = (columns.pop(name, None) for name in names)
    found, kept = reader.add(rows, weight, event)
    reader.judge(notices, weight is not None, event is not None)
    if kept is not None and not kept.any():
        raise nothing_left()
    return found, kept
