"""Traits: what some items have in common more often than others, in words that stand in the catalogue.

A trait is a category, a quarter of a number's range, or a word of titles. An end of a direction is rich in a trait
whose share there exceeds that among all other items, by the interval of the ratio of both shares.
"""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.facts.fact import Fact, Facts
from guidedrec_core.language import EMPTY

FEWEST = 3
"""Items of an end that must have a trait."""
_SURE = 3.29
"""Standard errors that a trait's lower bound lies above 1: one in a thousand by chance, as there are many traits."""
_INTERVAL = 1.96
_LARGEST_SHARE = 0.1  # words that more items have say nothing
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Trait:
    """What an end is rich in.

    Attributes
    ----------
    kind : str
        ``category``, ``number`` or ``word``.
    text : str
        For reading, e.g. ``"word Potter"``.
    items : int
        Items of the end that have it.
    share, elsewhere : float
        How many of the end's and of all other items have it.
    lift, low, high : float
        The ratio of both shares, each item count raised by a half, with its 95 % interval.
    """

    kind: str
    text: str
    items: int
    share: float
    elsewhere: float
    lift: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Traits:
    """All traits of a catalogue.

    Attributes
    ----------
    kinds, texts : tuple of str
        Of each trait.
    has : ndarray of bool
        ``[N, T]``.
    """

    kinds: tuple[str, ...]
    texts: tuple[str, ...]
    has: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, facts: Facts, titles: list[str]) -> "Traits":
        """Read traits off facts and titles.

        Parameters
        ----------
        facts : Facts
            Categories and numbers are read.
        titles : list of str
            Of all items.
        """
        kinds, texts, columns = [], [], []
        for fact in facts.facts:
            kind, named = _of_fact(fact)
            for text, own in named:
                kinds.append(kind)
                texts.append(text)
                columns.append(own)
        for text, own in _words(titles):
            kinds.append("word")
            texts.append(text)
            columns.append(own)
        has = np.column_stack(columns) if columns else np.zeros((len(titles), 0), dtype=bool)
        return cls(tuple(kinds), tuple(texts), has)

    def rich_in(self, members: IntArray, others: IntArray, most: int = 5) -> tuple[Trait, ...]:
        """Return what some items have more often than others, the surest first.

        Parameters
        ----------
        members, others : IntArray
            Indexes of items; none in both.
        most : int
            Traits at most.
        """
        here, there = self.has[members].sum(axis=0), self.has[others].sum(axis=0)
        n_here, n_there = len(members), len(others)
        if not n_here or not n_there:
            return ()
        ratio = np.log((here + 0.5) / (n_here + 0.5)) - np.log((there + 0.5) / (n_there + 0.5))
        # The usual variance of a log ratio of shares; 0 where all items have the trait.
        variance = 1 / (here + 0.5) - 1 / (n_here + 0.5) + 1 / (there + 0.5) - 1 / (n_there + 0.5)
        error = np.sqrt(np.clip(variance, 1e-12, None))
        sure = np.where(here >= FEWEST, ratio / error, 0.0)
        order = [t for t in np.argsort(-sure, kind="stable")[:most].tolist() if sure[t] > _SURE]
        return tuple(
            Trait(
                self.kinds[t],
                self.texts[t],
                int(here[t]),
                float(here[t] / n_here),
                float(there[t] / n_there),
                *(float(np.exp(ratio[t] + z * error[t])) for z in (0.0, -_INTERVAL, _INTERVAL)),
            )
            for t in order
        )


def _of_fact(fact: Fact) -> tuple[str, list[tuple[str, npt.NDArray[np.bool_]]]]:
    """Return a fact's kind of trait, and its traits with the items that have them."""
    if fact.kind == "categories":
        return "category", [
            (f"{fact.label}: {name.removeprefix(fact.name).strip()}", fact.columns[:, column] > 0)
            for column, name in enumerate(fact.column_names)
        ]
    if fact.kind != "number" or fact.numbers is None or not np.isfinite(fact.numbers).any():
        return "number", []
    numbers = fact.numbers
    known = np.isfinite(numbers)
    edges = np.unique(np.quantile(numbers[known], [0.0, 0.25, 0.5, 0.75, 1.0], method="nearest"))
    named = []
    for low, high in pairwise(edges.tolist()):
        above = numbers >= low if low == edges[0] else numbers > low
        text = f"{fact.label} {low:g} to {high:g}" if low == edges[0] else f"{fact.label} over {low:g}, to {high:g}"
        named.append((text, known & above & (numbers <= high)))
    return "number", named


def _words(titles: list[str]) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """Return words of titles that a few items have, as they are mostly written, with these items."""
    items: dict[str, set[int]] = {}
    written: dict[str, Counter[str]] = {}
    for item, title in enumerate(titles):
        for word in _WORD.findall(title):
            if word.casefold() in EMPTY:
                continue
            items.setdefault(word.casefold(), set()).add(item)
            written.setdefault(word.casefold(), Counter())[word] += 1
    named = []
    for word in sorted(items):
        if FEWEST <= len(items[word]) <= _LARGEST_SHARE * len(titles):
            own = np.zeros(len(titles), dtype=bool)
            own[list(items[word])] = True
            named.append((f"“{written[word].most_common(1)[0][0]}” in the title", own))
    return named
