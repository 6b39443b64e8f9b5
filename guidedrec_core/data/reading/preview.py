"""What an import would give, before anything is stored: counts before and after the filters, notes, or the problem."""

from dataclasses import dataclass

from guidedrec_core import columns as c
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.interactions import core_filter


@dataclass(frozen=True)
class Counts:
    """How large a data set is."""

    interactions: int
    users: int
    items: int

    @classmethod
    def of(cls, dataset: Dataset) -> "Counts":
        """Count a data set."""
        return cls(len(dataset.interactions), len(dataset.users), len(dataset.items))


@dataclass(frozen=True)
class Preview:
    """What an import gives.

    Attributes
    ----------
    before, after : Counts
        Without and with the K-core.
    first, last : str
        Time of the first and the last interaction, ISO 8601.
    notices : tuple of str
        What was changed or left out before the K-core.
    """

    before: Counts
    after: Counts
    first: str
    last: str
    notices: tuple[str, ...]


def preview(dataset: Dataset, minimum: int) -> Preview:
    """Count what a data set, imported without a K-core, has before and after one.

    Raises
    ------
    DataError
        Nothing is left.
    """
    kept, _ = core_filter(dataset.interactions, minimum)
    after = Counts(len(kept), kept.frame[c.USER].nunique(), kept.frame[c.ITEM].nunique())
    times = dataset.interactions.frame[c.DATETIME]
    said = tuple(notice.message for notice in dataset.notices)
    return Preview(Counts.of(dataset), after, times.min().isoformat(), times.max().isoformat(), said)
