"""`Interactions`: the validated, read-only table that everything else starts from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from guidedrec_core import columns as c
from guidedrec_core.config import AS_IN_THE_FILE, AS_WRITTEN, ReadingConfig, TiesConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.reading.weights import weights_of
from guidedrec_core.data.ties import Tied, arrange_ties, tie_key
from guidedrec_core.data.times import clean_times
from guidedrec_core.data.verbs import CHOSE, InteractionVerb
from guidedrec_core.errors import DataError, RowError


@dataclass(frozen=True)
class Interactions:
    """Which user interacted with which item, when; in time order within each user.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns ``user_id`` (str), ``item_id`` (str), ``datetime`` (datetime64, UTC without a zone) and ``weight``
        (float64, > 0 is not required), sorted by user (in order of first appearance of the id when sorted as text)
        and time; interactions of one user at the same time keep the order of the source, unless another was
        chosen. Treat as read-only.
    """

    frame: pd.DataFrame

    def __post_init__(self) -> None:
        """Check that the frame is as documented; `clean` makes one that is."""
        missing = [name for name in c.INTERACTIONS if name not in self.frame.columns]
        if missing:
            raise DataError(f"interactions need the columns {', '.join(c.INTERACTIONS)}; missing: {', '.join(missing)}")
        if self.frame.empty:
            raise DataError("expected at least one interaction, got none; check the file and the filters")
        if self.frame[list(c.INTERACTIONS)].isna().any(axis=None):
            raise DataError("interactions must have no missing values; use Interactions.clean")
        order = self.frame[c.USER].ne(self.frame[c.USER].shift()) | (self.frame[c.DATETIME].diff() >= pd.Timedelta(0))
        if not order.all() or self.frame[c.USER].ne(self.frame[c.USER].shift()).sum() != self.frame[c.USER].nunique():
            raise DataError("interactions must be sorted by user and time; use Interactions.clean")

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def clean(
        cls,
        raw: pd.DataFrame,
        ties: TiesConfig = AS_IN_THE_FILE,
        verb: InteractionVerb = CHOSE,
        reading: ReadingConfig = AS_WRITTEN,
    ) -> tuple["Interactions", tuple[Notice, ...]]:
        """Validate a raw table, repair what can be repaired, and report every change.

        Parameters
        ----------
        raw : pandas.DataFrame
            At least ``user_id``, ``item_id``, ``datetime``; optional ``weight`` (default 1). Times may be datetimes,
            text, or Unix seconds or milliseconds (distinguished by magnitude). ``tie_order`` where `ties` goes by a
            column.
        ties : TiesConfig, optional
            How to order interactions of one user at the same moment; by default as in the table.
        verb : InteractionVerb
            How the notices speak of interactions.
        reading : ReadingConfig, optional
            How dates are written, and which weights count; ``event`` holds kinds of interaction where they have
            weights.

        Returns
        -------
        tuple of (Interactions, tuple of Notice)
            The clean table, and every change with its count.

        Raises
        ------
        DataError
            Columns missing, no rows, missing ids, unreadable times or weights. Nothing is dropped to make it fit.
        """
        needed = (c.USER, c.ITEM, c.DATETIME)
        missing = [name for name in needed if name not in raw.columns]
        if missing:
            found = ", ".join(map(str, raw.columns))
            raise DataError(
                f"expected the columns {', '.join(needed)}, missing: {', '.join(missing)}; found: {found}. "
                f"Name the right ones with --map, e.g. --map {missing[0]}=<column of the file>"
            )
        if raw.empty:
            raise DataError("expected at least one interaction, got an empty table")
        notices: list[Notice] = []
        # Ids are numbered by their order as text: all that follows works on numbers, which take less room. Each raw
        # column is released once it is read; a caller that keeps no reference to the table halves the peak.
        columns = {str(name): raw[name] for name in raw.columns}
        del raw
        users, user_ids = _numbered(columns.pop(c.USER), "user", notices)
        items, item_ids = _numbered(columns.pop(c.ITEM), "item", notices)
        times = clean_times(columns.pop(c.DATETIME), notices, reading.date_format)
        _release_unused()
        weights, kept = weights_of(columns, len(users), reading, notices, (c.WEIGHT, c.EVENT))
        key = tie_key(columns.pop(c.TIE)) if c.TIE in columns else None
        if kept is not None:
            users, items, times, weights = users[kept], items[kept], times[kept], weights[kept]
            key = None if key is None else key[kept]
        doubled = _doubled(users, items, times, notices)
        if doubled is not None:
            users, items, times, weights = users[~doubled], items[~doubled], times[~doubled], weights[~doubled]
            key = None if key is None else key[~doubled]
        _count_repeats(users, items, len(item_ids), verb, notices)
        order = np.lexsort((times, users)).astype(np.int32)
        order = arrange_ties(order, users, times, Tied(items, item_ids, key), ties, notices)
        numbers = Numbered(users[order], user_ids, items[order], item_ids, times[order], weights[order])
        return cls.of_numbers(numbers), tuple(notices)

    @classmethod
    def of_numbers(cls, numbers: "Numbered") -> "Interactions":
        """Make the table of clean rows in order."""
        frame = pd.DataFrame(
            {
                c.USER: numbers.user_ids.take(numbers.users),
                c.ITEM: numbers.item_ids.take(numbers.items),
                c.DATETIME: numbers.times.view("datetime64[us]"),
                c.WEIGHT: numbers.weights,
            },
            copy=False,
        )
        _release_unused()
        return cls(frame)


@dataclass(frozen=True)
class Numbered:
    """Clean interactions with numbered ids, sorted by user and time.

    Attributes
    ----------
    users, items : ndarray
        Numbers of the ids in the order of their text, int32 ``[n]``.
    user_ids, item_ids : pandas.Index
        The text of each number.
    times : ndarray
        Unix time in microseconds, int64 ``[n]``.
    weights : ndarray
        float64 ``[n]``.
    """

    users: npt.NDArray[np.int32]
    user_ids: pd.Index
    items: npt.NDArray[np.int32]
    item_ids: pd.Index
    times: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]


def _release_unused() -> None:
    """Return memory to the system that Arrow's allocator keeps after a column or a hash table was freed."""
    pa.default_memory_pool().release_unused()


def _numbered(values: pd.Series, kind: str, notices: list[Notice]) -> tuple[npt.NDArray[np.int32], pd.Index]:
    """Number ids by their order as text; see `clean_ids`.

    Returns
    -------
    tuple of (ndarray, pandas.Index)
        int32 ``[n]``, and the text of each number.
    """
    if values.dtype == object:  # may hold 1 and "1", or 1 and True, which only their text distinguishes
        numbers, ids = pd.factorize(clean_ids(values, kind, notices), sort=True)
        return numbers.astype(np.int32), pd.Index(ids)
    numbers, distinct = pd.factorize(values)
    if (numbers < 0).any():
        clean_ids(values, kind, notices)  # raises, naming the row
    order, ids, changed = number_distinct(pd.Series(distinct))
    if ids[:1].tolist() == [""]:
        clean_ids(values, kind, notices)
    if changed.any():
        notices.append(trimmed_notice(kind, int(changed[numbers].sum())))
    _release_unused()
    return order[numbers], ids


def number_distinct(distinct: pd.Series) -> tuple[npt.NDArray[np.int32], pd.Index, npt.NDArray[np.bool_]]:
    """Number the distinct ids of a column by their order as text, spaces at their ends trimmed.

    Returns
    -------
    tuple of (ndarray, pandas.Index, ndarray)
        The number of each, int32 ``[n]``; the text of each number, a blank one first; and which ids were changed,
        bool ``[n]``.
    """
    written = _id_text(distinct)
    trimmed = written.str.strip()
    order, ids = pd.factorize(trimmed, sort=True)
    return order.astype(np.int32), pd.Index(ids), (trimmed != written).to_numpy()


def _doubled(
    users: npt.NDArray[np.int32], items: npt.NDArray[np.int32], times: npt.NDArray[np.int64], notices: list[Notice]
) -> npt.NDArray[np.bool_] | None:
    """Mark the rows that repeat an earlier one's user, item and time; None when there are none."""
    order = np.lexsort((items, users, times))  # stable: of equals the first row comes first
    equal = np.ones(len(order) - 1, dtype=np.bool_)
    for column in (times, users, items):
        ordered = column[order]
        equal &= ordered[1:] == ordered[:-1]
    if not equal.any():
        return None
    doubled = np.zeros(len(order), dtype=np.bool_)
    doubled[order[1:][equal]] = True
    notices.append(doubled_notice(int(equal.sum())))
    return doubled


def doubled_notice(count: int) -> Notice:
    """Say how many rows repeat an earlier one."""
    same = "(same user, item and time), left out"
    return Notice.counted("duplicate_rows", count, f"row repeats another {same}", f"rows repeat another {same}")


def repeats_notice(count: int, verb: InteractionVerb) -> Notice:
    """Say how often users came back to an item."""
    return Notice("repeated_items", count, f"{verb.count(count, 'repeat')}, kept")


def _count_repeats(
    users: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    n_items: int,
    verb: InteractionVerb,
    notices: list[Notice],
) -> None:
    """Say how often users came back to an item."""
    pairs = users.astype(np.int64) * n_items + items
    pairs.sort()
    repeats = int((pairs[1:] == pairs[:-1]).sum())
    if repeats:
        notices.append(repeats_notice(repeats, verb))


def clean_ids(values: pd.Series, kind: str, notices: list[Notice]) -> pd.Series:
    """Turn ids into text; trim white space at the ends and say so.

    Parameters
    ----------
    values : pandas.Series
        Ids of any type; floating point numbers without a fraction lose their ``.0``.
    kind : str
        What they name, for messages.
    notices : list of Notice
        Appended to when ids were changed.

    Returns
    -------
    pandas.Series
        Text, same index.

    Raises
    ------
    DataError
        An id is missing or blank.
    """
    text = _id_text(values)
    trimmed = text.str.strip()
    absent = values.isna() | (trimmed == "")
    if absent.any():
        first = int(np.flatnonzero(absent.to_numpy())[0]) + 1
        raise missing_ids(kind, int(absent.sum()), len(values), first)
    changed = int((trimmed != text).sum())
    if changed:
        notices.append(trimmed_notice(kind, changed))
    return trimmed


def missing_ids(kind: str, count: int, rows: int, first: int) -> RowError:
    """Return the error for rows without an id; `first` is the number of the first of them."""
    return RowError(
        f"expected a {kind} id in every row, {count:,} of {rows:,} have none (first: ",
        first,
        "); fill or remove these rows",
    )


def _id_text(values: pd.Series) -> pd.Series:
    """Write ids as text; floating point numbers without a fraction lose their ``.0``."""
    if pd.api.types.is_float_dtype(values) and not values.isna().any() and (values % 1 == 0).all():
        values = values.astype("int64")
    return values.astype("str")


def trimmed_notice(kind: str, count: int) -> Notice:
    """Say how many ids had spaces around them."""
    return Notice.counted(
        f"{kind.replace(' ', '_')}_ids_trimmed",
        count,
        f"{kind} id had spaces around it, trimmed",
        f"{kind} ids had spaces around them, trimmed",
    )


def core_filter(interactions: Interactions, minimum: int) -> tuple[Interactions, tuple[Notice, ...]]:
    """Keep users and items with at least `minimum` interactions, repeatedly, until all have them (k-core).

    Parameters
    ----------
    interactions : Interactions
        The table.
    minimum : int
        At least this many distinct interactions for every user and item; 1 keeps all.

    Returns
    -------
    tuple of (Interactions, tuple of Notice)
        The k-core and what was left out.

    Raises
    ------
    DataError
        Nothing is left.
    """
    frame = interactions.frame
    if minimum <= 1:
        return interactions, ()
    while True:
        kept = frame
        for key in (c.USER, c.ITEM):
            kept = kept[kept.groupby(key, sort=False)[c.WEIGHT].transform("size") >= minimum]
        if len(kept) == len(frame):
            break
        frame = kept
    if frame.empty:
        raise nothing_in_core(minimum)
    if len(frame) == len(interactions):
        return interactions, ()
    lost = [interactions.frame[key].nunique() - frame[key].nunique() for key in (c.USER, c.ITEM)]
    notice = core_notice(minimum, len(interactions) - len(frame), *lost)
    return Interactions(frame.reset_index(drop=True)), (notice,)


def nothing_in_core(minimum: int) -> DataError:
    """Return the error for a k-core that is empty."""
    return DataError(f"no interactions are left when every user and item needs {minimum}; lower --min-interactions")


def core_notice(minimum: int, interactions: int, users: int, items: int) -> Notice:
    """Say how many interactions, users and items a k-core leaves out."""
    return Notice(
        "core_filter",
        interactions,
        f"{interactions:,} interactions, {users:,} users and {items:,} items were left out, because every user and "
        f"item needs at least {minimum} interactions",
    )
