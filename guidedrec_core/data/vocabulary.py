"""The only place where external ids become dense indexes and back."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Literal, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.errors import DataError, UnknownIdError


class Vocabulary:
    """A fixed, ordered set of string ids; an id's index is its position.

    Parameters
    ----------
    ids : iterable of str
        Unique ids in index order.
    kind : str
        What they name (``"user"``, ``"item"``); used in messages.

    Raises
    ------
    DataError
        An id occurs twice.

    Examples
    --------
    >>> items = Vocabulary(["tent", "stove"], "item")
    >>> items.index("stove"), items.id(0), len(items), "lamp" in items
    (1, 'tent', 2, False)
    >>> items.indexes(["stove", "lamp"], missing="negative")
    array([ 1, -1])
    """

    def __init__(self, ids: Iterable[str], kind: str) -> None:
        self.kind = kind
        self._index = pd.Index(list(ids), dtype="str")
        if not self._index.is_unique:
            twice = self._index[self._index.duplicated()].unique()[:3].tolist()
            raise DataError(f"{kind} ids must be unique, got twice: {', '.join(twice)}; remove the repeated rows")

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, external_id: object) -> bool:
        return external_id in self._index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.kind == other.kind and self._index.equals(other._index)

    __hash__ = None  # type: ignore[assignment]

    @property
    def ids(self) -> npt.NDArray[np.object_]:
        """All ids in index order, shape ``[n]``."""
        return self._index.to_numpy(dtype=object)

    def id(self, index: int) -> str:
        """Return the id at an index."""
        return str(self._index[index])

    def index(self, external_id: str) -> int:
        """Return an id's index.

        Raises
        ------
        UnknownIdError
            The id is not in the vocabulary; the message names similar ones.
        """
        position = int(self._index.get_indexer(pd.Index([external_id], dtype="str"))[0])
        if position < 0:
            raise UnknownIdError(self._unknown([external_id]))
        return position

    @overload
    def indexes(self, external_ids: Sequence[str] | pd.Series) -> npt.NDArray[np.int64]: ...
    @overload
    def indexes(
        self, external_ids: Sequence[str] | pd.Series, missing: Literal["error", "negative"]
    ) -> npt.NDArray[np.int64]: ...
    def indexes(
        self, external_ids: Sequence[str] | pd.Series, missing: Literal["error", "negative"] = "error"
    ) -> npt.NDArray[np.int64]:
        """Return the indexes of many ids, shape ``[n]``, int64.

        Parameters
        ----------
        external_ids : sequence of str
            The ids.
        missing : {"error", "negative"}
            What an unknown id does: raise, or become -1.

        Raises
        ------
        UnknownIdError
            With ``missing="error"``, some ids are unknown; the message counts and names them.
        """
        found = self._index.get_indexer(pd.Index(list(external_ids), dtype="str")).astype(np.int64)
        if missing == "error" and (found < 0).any():
            unknown = [str(i) for i, position in zip(external_ids, found, strict=True) if position < 0]
            raise UnknownIdError(self._unknown(unknown))
        return found

    def search(self, text: str, limit: int = 50) -> tuple[list[str], int]:
        """Find ids that contain a text, in any case.

        Parameters
        ----------
        text : str
            Part of an id; an empty text finds all.
        limit : int
            Maximum number of ids returned.

        Returns
        -------
        tuple of (list of str, int)
            Ids that begin with the text first, then the others, each in index order; and how many there are in all.
        """
        wanted = text.strip().casefold()
        folded = self._index.str.casefold()
        begins = folded.str.startswith(wanted)
        holds = folded.str.contains(wanted, regex=False)
        found = [*self._index[begins][:limit], *self._index[holds & ~begins][:limit]]
        return found[:limit], int(holds.sum())

    def _unknown(self, unknown: list[str]) -> str:
        """Return a message that names unknown ids and similar known ones."""
        shown = ", ".join(repr(u) for u in unknown[:3]) + (", ..." if len(unknown) > 3 else "")
        near = get_close_matches(unknown[0], self._index[:50_000].tolist(), n=3, cutoff=0.7)
        hint = (
            f"; did you mean {', '.join(near)}?" if near else f"; ids look like {self._index[0]!r}" if len(self) else ""
        )
        several = f"{len(unknown)} unknown {self.kind} ids" if len(unknown) > 1 else f"unknown {self.kind} id"
        return f"{several}: {shown}{hint}"
