"""`Dataset`: interactions and catalogue that belong together; `SplitDataset`: the same, cut into parts in time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.config import AS_IN_THE_FILE, SplitConfig, TiesConfig
from guidedrec_core.data.catalogue import Catalogue, align
from guidedrec_core.data.interactions import Interactions, core_filter
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.sequences import IntArray, Sequences
from guidedrec_core.data.split import Cases, Split
from guidedrec_core.data.verbs import InteractionVerb, verb_of, with_verb
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import ConfigError, DataError

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")

Shown = Literal["train", "train+valid", "full"]
SHOWN: tuple[Shown, ...] = ("train", "train+valid", "full")
"""Leading parts of a history that a model may be shown."""


@dataclass(frozen=True)
class Dataset:
    """A named data set, ready for splitting and training.

    Attributes
    ----------
    name : str
        Lower-case letters, digits, ``-`` and ``_``; at most 100.
    interactions : Interactions
        All interactions.
    catalogue : Catalogue
        Exactly the items of the interactions, row n for the item of index n.
    source : dict of str to str
        Where it came from: ``format``, ``path`` (the file's or folder's name), ``licence`` and ``citation`` if known,
        ``interaction_verb`` if one was chosen that would not be guessed.
    notices : tuple of Notice
        What the import found odd and what it did.
    """

    name: str
    interactions: Interactions
    catalogue: Catalogue
    source: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    def __post_init__(self) -> None:
        """Check the name and that catalogue and interactions agree."""
        check_name(self.name)
        if not np.array_equal(self.catalogue.frame[c.ITEM].to_numpy(dtype=object), self.items.ids):
            raise DataError(f"data set {self.name}: the catalogue's rows are not the items in index order; use align")

    @cached_property
    def users(self) -> Vocabulary:
        """Users in the order in which they first appear in the interactions (sorted as text)."""
        return Vocabulary(self.interactions.frame[c.USER].unique(), "user")

    @cached_property
    def items(self) -> Vocabulary:
        """Items in the order of `item_order`."""
        return Vocabulary(item_order(self.interactions.frame[c.ITEM]), "item")

    @classmethod
    def from_frames(
        cls,
        interactions: pd.DataFrame,
        items: pd.DataFrame | None = None,
        *,
        name: str = "data",
        min_interactions: int = 1,
        ties: TiesConfig = AS_IN_THE_FILE,
        verb: str | None = None,
    ) -> "Dataset":
        """Clean tables and make a data set of them.

        Parameters
        ----------
        interactions : pandas.DataFrame
            ``user_id``, ``item_id``, ``datetime`` (datetimes, ISO 8601 text, Unix seconds or milliseconds) and
            optionally ``weight``. Ids become text.
        items : pandas.DataFrame, optional
            ``item_id`` and optionally ``title``, ``category`` (several joined by ``|``), ``price``, ``description``.
        name : str
            Lower-case letters, digits, ``-`` and ``_``.
        min_interactions : int
            K-core: keep users and items with at least this many interactions.
        ties : TiesConfig, optional
            How to order interactions of one user at the same moment; by default as in the table.
        verb : str, optional
            What users did, in the past tense, e.g. ``"watched"`` (a key of `guidedrec_core.data.verbs.VERBS`); guessed
            by default.

        Returns
        -------
        Dataset
            Its `notices` say what was changed or left out.

        Raises
        ------
        DataError
            Columns are missing, or hold what cannot be read; nothing is left of the k-core.
        ConfigError
            There is no such verb.

        Examples
        --------
        >>> table = pd.DataFrame({"user_id": [7, 7], "item_id": ["a", "b"], "datetime": ["2026-01-02", "2026-01-01"]})
        >>> Dataset.from_frames(table).interactions.frame["item_id"].tolist()
        ['b', 'a']
        """
        check_name(name)
        listings = None if items is None else _with_title_and_category(items)
        if ties.column is not None:
            if ties.column not in interactions.columns:
                raise DataError(f"expected the column {ties.column}, which orders ties, in the table of interactions")
            interactions = interactions.assign(**{c.TIE: interactions[ties.column]})
        source = with_verb({"format": "DataFrame", **ties.facts()}, name, verb)
        table, cleaned = Interactions.clean(interactions, ties, verb_of(name, source))
        return cls.assemble(table, listings, name, min_interactions, source, cleaned)

    @classmethod
    def assemble(
        cls,
        interactions: Interactions,
        listings: pd.DataFrame | None,
        name: str,
        min_interactions: int,
        source: Mapping[str, str],
        notices: tuple[Notice, ...] = (),
    ) -> "Dataset":
        """Filter interactions and make the catalogue of the items that are left.

        Parameters
        ----------
        interactions : Interactions
            All of them.
        listings : pandas.DataFrame or None
            As `catalogue.align` takes them.
        name, min_interactions
            See `from_frames`.
        source : mapping of str to str
            Where they came from.
        notices : tuple of Notice
            What was odd so far.
        """
        if min_interactions < 1:
            raise DataError(f"expected a least number of interactions of 1 or more, got {min_interactions}")
        table, filtered = core_filter(interactions, min_interactions)
        catalogue, aligned = align(listings, item_order(table.frame[c.ITEM]))
        return cls(name, table, catalogue, source, (*notices, *filtered, *aligned))

    def split(
        self, kind: Literal["leave-one-out", "temporal"] | SplitConfig = "leave-one-out", **settings: Any
    ) -> "SplitDataset":
        """Cut every history into train, valid and test.

        Parameters
        ----------
        kind : {"leave-one-out", "temporal"} or SplitConfig
            ``leave-one-out``: a user's last interaction is test, the one before valid. ``temporal``: two moments for
            all.
        **settings
            Other fields of `SplitConfig`.

        Raises
        ------
        ConfigError
            A setting is unknown or out of range.
        DataError
            Nothing would be left to train on, or nothing to test with.

        Examples
        --------
        >>> days = [f"2026-01-0{day}" for day in (1, 2, 3, 4)]
        >>> table = pd.DataFrame({"user_id": "7", "item_id": list("abcd"), "datetime": days})
        >>> len(Dataset.from_frames(table).split("leave-one-out").test_cases)
        1
        """
        if isinstance(kind, SplitConfig):
            return SplitDataset.of(self, kind)
        unknown = [name for name in settings if name not in SplitConfig.model_fields]
        if unknown:
            raise ConfigError(
                f"expected settings out of {', '.join(SplitConfig.model_fields)}, got {', '.join(unknown)}"
            )
        return SplitDataset.of(self, SplitConfig.parse({"kind": kind, **settings}))

    def verb(self, domain: str = "") -> InteractionVerb:
        """Return how to speak of its interactions; `domain` of an attribute schema helps to guess, see `verb_of`."""
        return verb_of(self.name, self.source, domain)

    def describe(self) -> dict[str, Any]:
        """Return the facts of the data set, ready for JSON.

        Returns
        -------
        dict
            ``name``, ``users``, ``items``, ``interactions`` (counts), ``density`` (share of all user and item pairs
            that occur), ``first``, ``last`` (ISO 8601, UTC), ``history`` (``min``, ``median``, ``max`` interactions
            of a user), ``categories`` (count of distinct main categories), ``interaction_verb`` (past tense, e.g.
            ``"bought"``), ``source`` and ``notices``.
        """
        frame = self.interactions.frame
        # The table is sorted by user, so counting row numbers takes less time and memory than a group-by on ids.
        users = np.cumsum(frame[c.USER].ne(frame[c.USER].shift()).to_numpy()) - 1
        histories = pd.Series(np.bincount(users))
        both = np.sort(users * len(self.items) + pd.factorize(frame[c.ITEM])[0])
        pairs = 1 + int((both[1:] != both[:-1]).sum())
        categories = self.catalogue.main_categories
        return {
            "name": self.name,
            "users": len(self.users),
            "items": len(self.items),
            "interactions": len(frame),
            "density": pairs / (len(self.users) * len(self.items)),
            "first": frame[c.DATETIME].min().isoformat(),
            "last": frame[c.DATETIME].max().isoformat(),
            "history": {
                "min": int(histories.min()),
                "median": float(histories.median()),
                "max": int(histories.max()),
            },
            "categories": int(categories[categories != ""].nunique()),
            "interaction_verb": self.verb().past,
            "source": dict(self.source),
            "notices": [notice.as_dict() for notice in self.notices],
        }


@dataclass(frozen=True)
class SplitDataset:
    """A data set with its histories indexed and cut into train, valid and test.

    Attributes
    ----------
    dataset : Dataset
        Interactions and catalogue.
    sequences : Sequences
        Histories as item indexes.
    split : Split
        Where each history is cut.
    config : SplitConfig
        How it was cut.
    shown : {"train", "train+valid", "full"}
        Which leading part of each history `shown_history` returns.
    """

    dataset: Dataset
    sequences: Sequences
    split: Split
    config: SplitConfig
    shown: Shown = "train+valid"

    @classmethod
    def of(cls, dataset: Dataset, split: SplitConfig) -> "SplitDataset":
        """Index and cut a data set.

        Raises
        ------
        DataError
            Nothing would be left to train on, or nothing to test with; see `Split.of`.
        """
        sequences = Sequences.of(dataset.interactions, dataset.users, dataset.items)
        cut = Split.of(sequences, split)
        if split.history_share < 1:
            sequences, cut = cut.thinned(sequences, split.history_share)
        return cls(dataset, sequences, cut, split)

    def showing(self, shown: Shown) -> "SplitDataset":
        """Return the same data with another part of each history shown.

        Raises
        ------
        ConfigError
            There is no such part.
        """
        if shown not in SHOWN:
            raise ConfigError(f"expected a part of the histories out of {', '.join(SHOWN)}, got {shown!r}")
        return replace(self, shown=shown)

    @property
    def is_temporal(self) -> bool:
        """Whether all training interactions precede all validation ones, and these all test ones."""
        return self.split.train_until is not None

    @cached_property
    def _in_train(self) -> npt.NDArray[np.bool_]:
        """Mask of the training interactions, ``[n_interactions]``, in history order."""
        return self._up_to(self.split.n_train)

    def _up_to(self, lengths: IntArray) -> npt.NDArray[np.bool_]:
        """Mask of the first `lengths` interactions of each user, ``[n_interactions]``, in history order."""
        users = self._users
        return np.arange(len(users)) - self.sequences.starts[users] < lengths[users]

    @cached_property
    def _users(self) -> IntArray:
        """User index of each interaction, in the order of the histories."""
        return np.repeat(np.arange(self.sequences.n_users), self.sequences.lengths)

    @cached_property
    def train_pairs(self) -> tuple[IntArray, IntArray]:
        """User and item index of every training interaction."""
        return self._users[self._in_train], self.sequences.items[self._in_train]

    @property
    def train_times(self) -> IntArray:
        """Unix time in microseconds of every training interaction, in the order of `train_pairs`."""
        return self.sequences.times[self._in_train]

    @cached_property
    def item_interactions(self) -> IntArray:
        """Training interactions of each item, ``[n_items]``."""
        return np.bincount(self.train_pairs[1], minlength=self.sequences.n_items).astype(np.int64)

    @cached_property
    def refreshed(self) -> "SplitDataset":
        """The same data with the validation part counted as training: what is known when the test part begins.

        For models that count instead of being trained: popularity and item-kNN can be brought up to date at any time.

        Raises
        ------
        ValueError
            Not a temporal split: a user's validation interaction may be later than another's test interaction.
        """
        before, end = self.split.train_until, self.split.valid_until
        if before is None or end is None:
            raise ValueError("counts are brought up to date only with the temporal split")
        n_train = self.split.n_train + self.split.n_valid
        # The period stays as long as it is, because half-lives are counted in it.
        split = Split(n_train, np.zeros_like(n_train), self.split.notices, end, end + (end - before))
        return replace(self, split=split)

    def decayed_interactions(self, half_life: float) -> npt.NDArray[np.float64]:
        """Return the training interactions of each item, weighted by exponential decay, ``[n_items]``.

        Parameters
        ----------
        half_life : float
            Time before the end of training at which an interaction counts half, in units of the validation period.

        Raises
        ------
        ValueError
            Not a temporal split: training ends at another time for each user.
        """
        if self.split.train_until is None or self.split.valid_until is None:
            raise ValueError("decayed interactions need the temporal split")
        unit = max(self.split.valid_until - self.split.train_until, 1) * half_life
        age = (self.split.train_until - self.train_times) / unit
        counts = np.bincount(self.train_pairs[1], weights=0.5**age, minlength=self.sequences.n_items)
        return counts.astype(np.float64)

    def shown_length(self, user: int) -> int:
        """Return how many leading interactions of a user a model is shown; see `shown`."""
        if self.shown == "full":
            return int(self.sequences.lengths[user])
        return int(self.split.n_train[user] + (self.split.n_valid[user] if self.shown == "train+valid" else 0))

    @property
    def shown_lengths(self) -> IntArray:
        """How many leading interactions of each user a model is shown, ``[n_users]``; see `shown`."""
        if self.shown == "full":
            return self.sequences.lengths
        return self.split.n_train + (self.split.n_valid if self.shown == "train+valid" else 0)

    def shown_history(self, user: int) -> IntArray:
        """Return the item indexes of a user that a model is shown, oldest first."""
        return self.sequences.history(user, self.shown_length(user))

    def held_out(self, user: int) -> IntArray:
        """Return the items that follow what is shown of a user and are new to the user, each once, in time order."""
        history = self.sequences.history(user)
        shown = self.shown_length(user)
        new = dict.fromkeys(i for i in history[shown:].tolist() if i not in history[:shown])
        return np.array(list(new), dtype=np.int64)

    @cached_property
    def valid_cases(self) -> Cases:
        """Held-out interactions of the validation part."""
        return self.split.cases(self.sequences, "valid")

    @cached_property
    def test_cases(self) -> Cases:
        """Held-out interactions of the test part."""
        return self.split.cases(self.sequences, "test")


def check_name(name: str) -> None:
    """Refuse a name that could not be part of a URL or a command line.

    Raises
    ------
    DataError
        It is not made of at most 100 lower-case letters, digits, ``-`` and ``_``, or begins with one of the latter
        two.
    """
    if not _NAME.fullmatch(name):
        raise DataError(
            "expected a data set name of at most 100 lower-case letters, digits, - and _ that begins with a letter or "
            f"digit, e.g. my-shop; got {name[:60]!r}{f'... ({len(name):,} characters)' if len(name) > 60 else ''}"
        )


def item_order(item_ids: pd.Series) -> list[str]:
    """Return the distinct ids in index order: by number when all are digits, else as text.

    The order depends on nothing but the set of ids. Of equal numbers (``"07"`` and ``"7"``) the smaller text is first.

    Examples
    --------
    >>> item_order(pd.Series(["10", "9", "007", "9"]))
    ['007', '9', '10']
    >>> item_order(pd.Series(["10", "9", "tent"]))
    ['10', '9', 'tent']
    """
    ids = [str(item_id) for item_id in item_ids.unique()]
    if all(item_id.isascii() and item_id.isdecimal() for item_id in ids):
        return sorted(ids, key=lambda item_id: (int(item_id), item_id))
    return sorted(ids)


def _with_title_and_category(items: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that a listing needs where a table does not have them: the id as title, no category."""
    if c.ITEM not in items.columns:
        raise DataError(
            f"expected the column {c.ITEM} in the table of items, found: {', '.join(map(str, items.columns))}"
        )
    missing: dict[str, Any] = {c.TITLE: items[c.ITEM], c.CATEGORY: ""}
    return items.assign(**{name: value for name, value in missing.items() if name not in items.columns})
