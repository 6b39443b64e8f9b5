"""`Question`: why does this item stand where it stands in this user's list? What every explanation starts from."""

from dataclasses import dataclass, replace

import numpy as np

from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError

DEFAULT_K = 10
"""Length of a list where nothing else is said."""


# Arrays have no single truth value, so the generated comparison of fields would fail: objects are compared by identity.
@dataclass(frozen=True, eq=False)
class UserHistory:
    """A user and the history that a model is shown: what its scores depend on.

    Attributes
    ----------
    user : int
        User index, for models that know users and for LLM user scores; -1 for somebody unknown.
    history : IntArray
        Item indexes, oldest first, ``[n]``; may be empty, and may hold an item several times.

    Raises
    ------
    InputError
        The user index is below -1, or the history is no one-dimensional array of indexes.

    Examples
    --------
    >>> given = UserHistory(user=3, history=np.array([5, 1, 4]))
    >>> given.users, given.histories
    (array([3]), [array([5, 1, 4])])
    >>> given.ask(item=7)
    Question(user=3, history=array([5, 1, 4]), item=7, k=10)
    """

    user: int
    history: IntArray

    def __post_init__(self) -> None:
        """Refuse what would be read as another user or item: a negative index counts from the end of a table."""
        if self.user < -1:
            raise InputError(f"expected a user index from 0, or -1 for somebody unknown, got {self.user}")
        history = self.history
        if not isinstance(history, np.ndarray) or history.ndim != 1 or history.dtype.kind not in "iu":
            raise InputError(
                "expected a history as a one-dimensional array of item indexes, oldest first, "
                f"got {type(history).__name__} with shape {np.shape(history)} and dtype {np.asarray(history).dtype}; "
                "an empty one is np.array([], dtype=np.int64)"
            )
        if len(history) and history.min() < 0:
            raise InputError(f"expected item indexes from 0 in the history, got {history.min()}; leave padding out")

    @staticmethod
    def shown(data: SplitDataset, user: int) -> "UserHistory":
        """Return a user of a data set with the part of the history that it shows; see `SplitDataset.shown`."""
        return UserHistory(user, data.shown_history(user))

    @property
    def users(self) -> IntArray:
        """The user as models take it, ``[1]``."""
        return np.array([self.user])

    @property
    def histories(self) -> list[IntArray]:
        """The history as models take it: one array of ``[n]``."""
        return [self.history]

    def ask(self, item: int, k: int = DEFAULT_K) -> "Question":
        """Ask about an item in this user's list."""
        return Question(self.user, self.history, item, k)


@dataclass(frozen=True, eq=False)
class Question(UserHistory):
    """Why an item stands where it stands in a user's list, and what would change that.

    Attributes
    ----------
    item : int
        The item's index.
    k : int
        Length of the list, at least 1; only what speaks of the list itself depends on it.

    Raises
    ------
    InputError
        As for a `UserHistory`; or the item index is negative, or the list has no place.
    """

    item: int
    k: int = DEFAULT_K

    def __post_init__(self) -> None:
        """Refuse indexes and lengths that cannot be."""
        super().__post_init__()
        if self.item < 0:
            raise InputError(f"expected an item index from 0, got {self.item}")
        if self.k < 1:
            raise InputError(f"expected a list of at least one item, got k = {self.k}")

    @staticmethod
    def of(data: SplitDataset, user_id: str, item_id: str, k: int = DEFAULT_K) -> "Question":
        """Return the question about a user and an item of a data set, given by their ids.

        Raises
        ------
        UnknownIdError
            No such user or item.
        """
        user, item = data.dataset.users.index(user_id), data.dataset.items.index(item_id)
        return UserHistory.shown(data, user).ask(item, k)

    @property
    def items(self) -> IntArray:
        """The item as models take it, ``[1]``."""
        return np.array([self.item])

    @property
    def seen(self) -> bool:
        """Whether the history holds the item, which is then never recommended."""
        return self.item in self.history

    def require_unseen(self) -> None:
        """Refuse an item of the history, which has no rank.

        Raises
        ------
        InputError
            The history holds it.
        """
        if self.seen:
            raise InputError(
                f"expected an item that is not in the history, got number {self.item} of the history; choose another"
            )

    def with_item(self, item: int) -> "Question":
        """Return the same question about another item."""
        return replace(self, item=item)

    def with_history(self, history: IntArray) -> "Question":
        """Return the same question after another history, ``[n]``."""
        return replace(self, history=history)
