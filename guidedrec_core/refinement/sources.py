"""Sources of an attribute's contribution: own taste, other tastes, everyone, and interactions; they sum to it.

A head's weights are fitted in whitened columns, so that in readable ones an attribute's slope depends on tastes in all
attributes. With M its whitening matrix and ``W = M diag(w) M``, the head's slope of attribute a is

    W_aa p_a  +  sum_{c != a} W_ac p_c  +  (M v)_a

the user's own taste in a, the other tastes, and what is the same for everyone. Only the first is what "both high on
warmth" says. A model that learns slopes from interactions, without regard to p, adds a fourth source.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

Source = Literal["own_taste", "other_tastes", "everyone", "interactions"]
"""Where a part of a contribution comes from; see `Sources`."""
SOURCES: tuple[Source, ...] = get_args(Source)


@dataclass(frozen=True, eq=False)
class Sources:
    """Slopes or contributions of attributes, split by source; all arrays have one shape, ``[..., A]``.

    Attributes
    ----------
    own_taste : Doubles
        From the user's guided profile on the attribute itself.
    other_tastes : Doubles
        From the user's guided profile on the other attributes.
    everyone : Doubles
        The same for every user.
    interactions : Doubles
        From what the model learned about the user from interactions alone.
    """

    own_taste: Doubles
    other_tastes: Doubles
    everyone: Doubles
    interactions: Doubles

    @classmethod
    def of(cls, shape: tuple[int, ...], **sources: npt.NDArray[np.floating]) -> Self:
        """Fill some sources, broadcast to a shape; the others are 0."""
        zero = np.zeros(shape)
        return cls(**{name: np.broadcast_to(sources.get(name, zero), shape).astype(np.float64) for name in SOURCES})

    @property
    def total(self) -> Doubles:
        """The slopes or contributions, ``[..., A]``."""
        return self.own_taste + self.other_tastes + self.everyone + self.interactions

    def times(self, factor: npt.NDArray[np.floating] | float) -> Self:
        """Multiply each source, e.g. slopes ``[1, A]`` by items' values ``[n, A]``."""
        return self._each(lambda name: getattr(self, name) * factor)

    def plus(self, other: Self) -> Self:
        """Add source by source."""
        return self._each(lambda name: getattr(self, name) + getattr(other, name))

    def one(self, row: int, attribute: int) -> dict[Source, float]:
        """Return one contribution by source, from arrays ``[n, A]``."""
        return {name: float(getattr(self, name)[row, attribute]) for name in SOURCES}

    def _each(self, made: Callable[[Source], Doubles]) -> Self:
        return type(self)(**{name: made(name) for name in SOURCES})


def leading_source(contribution: Mapping[Source, float]) -> Source:
    """Return the source that gives a contribution its sign: the largest of those that have the sign of their sum.

    Parameters
    ----------
    contribution : mapping of Source to float
        All `SOURCES`.

    Examples
    --------
    >>> leading_source({"own_taste": 0.5, "other_tastes": -0.6, "everyone": -0.1, "interactions": 0.0})
    'other_tastes'
    """
    sign = 1 if sum(contribution[name] for name in SOURCES) >= 0 else -1
    return max(SOURCES, key=lambda name: sign * contribution[name])
