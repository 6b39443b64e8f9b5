"""The validation cases of a head in blocks: all of the catalogue as candidates where that fits, else a sample of it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.refinement.guided import FloatArray
from guidedrec_core.refinement.head_fit import Block

NUMBERS = 64 * 1024 * 1024
"""Cases times candidates of a fit at most: 256 MiB of float32 a model."""

LEAST_CANDIDATES = 256
"""Candidates of a case at least, where not all items are."""

_SAMPLED_CASES = 64
"""Cases that share a sample. Each has a column for its target that the others do not use."""

_WHOLE_NUMBERS = 1024 * 1024
"""Cases times items of a block with the whole catalogue, small enough to stay in a processor's cache."""

MOST_CASES = NUMBERS // (LEAST_CANDIDATES + _SAMPLED_CASES)
"""Cases for which this is enough room."""


@dataclass(frozen=True)
class Sampling:
    """How candidates are drawn where there are too many cases and items to compare all.

    Attributes
    ----------
    seed : int
        Of the draws.
    numbers : int
        Cases times candidates at most.
    """

    seed: int = 0
    numbers: int = NUMBERS


class Scored(Protocol):
    """What blocks need of a head."""

    counts: npt.NDArray[np.float64]

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""

    def frozen_scores(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> FloatArray:
        """Return each frozen model's scores, ``[C, B, n]``."""

    def whitened_profiles(self, histories: list[IntArray]) -> FloatArray:
        """Return guided profiles, ``[B, A]``."""


def blocks_of(
    head: Scored, users: IntArray, histories: list[IntArray], targets: IntArray, sampling: Sampling
) -> list[Block]:
    """Make the blocks of some cases.

    Parameters
    ----------
    head : Scored
        Whose frozen models score the candidates.
    users, histories, targets
        As in `HeadModel.fit`.
    sampling : Sampling
        Room, and how candidates are drawn if it does not suffice for all items. They are drawn with replacement, with
        probability half uniform, half in proportion to training interactions: popular items compete most.
    """
    candidates = max(LEAST_CANDIDATES, sampling.numbers // max(1, len(users)) - _SAMPLED_CASES)
    if candidates + _SAMPLED_CASES >= head.n_items or len(users) * head.n_items <= sampling.numbers:
        size = max(1, _WHOLE_NUMBERS // head.n_items)
        parts = [slice(first, first + size) for first in range(0, len(users), size)]
        return [_whole(head, users[part], histories[part], targets[part]) for part in parts]
    share = 0.5 / head.n_items + 0.5 * head.counts / max(float(head.counts.sum()), 1.0)
    ends, rng = np.cumsum(share / share.sum()), np.random.default_rng(sampling.seed)
    blocks = []
    for first in range(0, len(users), _SAMPLED_CASES):
        part = slice(first, first + _SAMPLED_CASES)
        drawn = np.minimum(np.searchsorted(ends, rng.random(candidates), side="right"), head.n_items - 1)
        items = np.concatenate([drawn, targets[part]])
        shift = -np.log(share[items]).astype(np.float32)
        blocks.append(_sampled(head, users[part], histories[part], items, shift))
    return blocks


def _whole(head: Scored, users: IntArray, histories: list[IntArray], targets: IntArray) -> Block:
    """Compare each target with the whole catalogue."""
    seen = np.zeros((len(users), head.n_items), dtype=bool)
    seen[np.repeat(np.arange(len(users)), [len(h) for h in histories]), np.concatenate(histories)] = True
    scores, none = head.frozen_scores(users, histories), np.zeros(head.n_items, np.float32)
    return Block(scores, None, seen, targets, head.whitened_profiles(histories), none)


def _sampled(head: Scored, users: IntArray, histories: list[IntArray], items: IntArray, shift: FloatArray) -> Block:
    """Compare each target, the last of the items in the cases' order, with the items before all targets."""
    n_cases, n_drawn = len(users), len(items) - len(users)
    targets = n_drawn + np.arange(n_cases)
    barred = np.ones((n_cases, len(items)), dtype=bool)
    for row, history in enumerate(histories):
        barred[row, :n_drawn] = np.isin(items[:n_drawn], history)
    barred[np.arange(n_cases), targets] = False
    scores = head.frozen_scores(users, histories, items)
    return Block(scores, items, barred, targets, head.whitened_profiles(histories), shift)
