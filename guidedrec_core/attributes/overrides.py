"""Overrides: single scores set by people, which replace the guided scores.

``<home>/overrides/<data set>.jsonl`` holds one change per line, oldest first, and only grows: no change is ever lost,
whatever is scored, imported or refined later. The overrides in force follow from it (`current`) and are applied to the
scores when these are used (`apply`), so they survive every new scoring.
"""

import contextlib
import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import filelock
import numpy as np
import pandas as pd
from pydantic import AwareDatetime, Field, ValidationError

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema, Scale
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.config import Config
from guidedrec_core.data.dataset import check_name
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError, InputError
from guidedrec_core.files import named_storage_errors, read_bounded, sync

_LOCK_SECONDS = 60.0
_MOST_BYTES = 1 << 30

Problem = Literal["", "unknown_items", "unknown_attributes", "other_scale"]

_PROBLEMS: dict[Problem, str] = {
    "unknown_items": "of items that the data set does not have now",
    "unknown_attributes": "of attributes that are not scored now",
    "other_scale": "on another scale than that of the scores now",
}


class Override(Config):
    """One change of one score by a person."""

    item_id: str
    """The item."""
    attribute: str
    """Name of the attribute."""
    value: float | None
    """The raw score from now on; None withdraws the earlier override."""
    scale: Scale
    """The range it was given on."""
    who: str = Field(min_length=1)
    """Who set it."""
    when: AwareDatetime
    """UTC, to the second."""
    why: str = Field(min_length=1)
    """The reason."""
    replaced: float | None
    """What was in force before: an earlier override or the score; None where there was none."""

    def problem(self, schema: AttributeSchema, items: Vocabulary) -> Problem:
        """Say why it cannot be applied to scores of these attributes and items; empty when it can."""
        if self.item_id not in items:
            return "unknown_items"
        if self.attribute not in schema.names:
            return "unknown_attributes"
        return "" if self.scale == schema.scale else "other_scale"


class OverrideLog:
    """The log of one data set's overrides. Any number of processes may read and write at once.

    Parameters
    ----------
    home : pathlib.Path
        The run store's folder.
    dataset : str
        Name of the data set; its later imports have the same log.
    """

    def __init__(self, home: Path, dataset: str) -> None:
        check_name(dataset)
        self.path = home / "overrides" / f"{dataset}.jsonl"

    def entries(self) -> tuple[Override, ...]:
        """Return every change, oldest first.

        Raises
        ------
        DataError
            A line is no override, or there is no file that can be read.
        """
        try:
            lines = read_bounded(self.path, _MOST_BYTES).splitlines()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise DataError(
                f"expected overrides in {self.path}, cannot read it ({error.strerror or error}); mend that, or move it "
                "away"
            ) from error
        return tuple(self._parsed(number, line) for number, line in enumerate(lines, start=1) if line.strip())

    def set(
        self, scores: GuidedScores, items: Vocabulary, item_id: str, attribute: str, value: float, who: str, why: str
    ) -> Override:
        """Set the score of an item on an attribute by hand.

        Parameters
        ----------
        scores : GuidedScores
            What was scored, ``[n_items, A]``.
        items : Vocabulary
            The items of these rows.
        item_id, attribute, value
            The item, the attribute's name, and its raw score on the schema's scale.
        who, why : str
            Who sets it, and the reason; neither may be blank.

        Raises
        ------
        UnknownIdError
            No such item or attribute.
        DataError
            The value is outside the scale, or `who` or `why` is blank.
        """
        scored = scores.values[items.index(item_id), scores.schema.index(attribute)]
        scale = scores.schema.scale
        if not scale.min <= value <= scale.max:
            raise DataError(f"expected a score from {scale.min:g} to {scale.max:g} for {attribute}, got {value:g}")
        said = {"who": _said(who, "who"), "why": _said(why, "why")}
        with self._locked():
            before = _in_force(self.entries()).get((item_id, attribute))
            replaced = _plain(scored) if before is None or before.scale != scale else before.value
            return self._append(
                Override(
                    item_id=item_id,
                    attribute=attribute,
                    value=value,
                    scale=scale,
                    replaced=replaced,
                    **said,
                    when=_now(),
                )
            )

    def withdraw(self, item_id: str, attribute: str, who: str, why: str) -> Override:
        """Withdraw an override, so that the guided score counts again.

        Raises
        ------
        InputError
            No override of this score is in force, or `who` or `why` is blank.
        """
        said = {"who": _said(who, "who"), "why": _said(why, "why")}
        with self._locked():
            before = _in_force(self.entries()).get((item_id, attribute))
            if before is None:
                raise InputError(
                    f"expected an override of {attribute!r} of item {item_id!r} to withdraw, there is none in force; "
                    f"`guidedrec score overrides {self.path.stem}` lists them"
                )
            gone = {"value": None, "replaced": before.value, **said, "when": _now()}
            return self._append(before.model_copy(update=gone))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with named_storage_errors(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self.path.parent / ".lock", timeout=_LOCK_SECONDS):
                yield

    def _append(self, override: Override) -> Override:
        """Add a line atomically: a reader, or a process killed meanwhile, finds the file with it or without it."""
        before = self.path.read_bytes() if self.path.exists() else b""
        gap = b"" if before.endswith(b"\n") or not before else b"\n"  # an editor may leave out the last one
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        temporary.write_bytes(before + gap + override.model_dump_json().encode() + b"\n")
        sync(temporary)
        temporary.replace(self.path)
        sync(self.path.parent)
        return override

    def _parsed(self, number: int, line: bytes) -> Override:
        try:
            return Override.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
            raise DataError(
                f"expected an override in line {number} of {self.path}, got something else ({reason}); mend the line"
            ) from error


@dataclass(frozen=True)
class Overridden:
    """Scores with overrides applied.

    Attributes
    ----------
    scores : GuidedScores
        The scores to use.
    cells : pandas.DataFrame
        One row per override in use: ``item_id, attribute, value, who, when`` (UTC), ``why, scored`` (NaN without a
        score).
    left_out : pandas.DataFrame
        Those that cannot be used now, with ``problem`` instead of ``scored``; see `Override.problem`.
    notices : tuple of Notice
        How many are in use, and how many are kept but cannot be used now.
    """

    scores: GuidedScores
    cells: pd.DataFrame
    left_out: pd.DataFrame
    notices: tuple[Notice, ...]


def current(entries: Iterable[Override]) -> tuple[Override, ...]:
    """Return the overrides in force, the latest for each score, sorted by item and attribute."""
    layer = _in_force(entries)
    return tuple(layer[cell] for cell in sorted(layer))


def digest(layer: Iterable[Override]) -> str:
    """Return 16 hex digits that identify some overrides by content."""
    text = "\n".join(override.model_dump_json() for override in layer)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def apply(layer: tuple[Override, ...], scores: GuidedScores, items: Vocabulary) -> Overridden:
    """Apply overrides to scores; those that fit no item or attribute are left out and counted.

    Parameters
    ----------
    layer : tuple of Override
        In force; see `current`.
    scores : GuidedScores
        What was scored, ``[n_items, A]``; left as it is.
    items : Vocabulary
        The items of these rows.
    """
    schema = scores.schema
    found = [(override, override.problem(schema, items)) for override in layer]
    used = [override for override, problem in found if not problem]
    unused = [(override, problem) for override, problem in found if problem]
    rows = items.indexes([override.item_id for override in used])
    columns = np.array([schema.index(override.attribute) for override in used], dtype=np.int64)
    scored = scores.values[rows, columns]
    cells = _table(used).assign(scored=scored.astype(np.float64))
    values = scores.values.copy()
    values[rows, columns] = cells["value"]
    problems = [problem for _, problem in unused]
    left_out = _table([override for override, _ in unused]).assign(problem=pd.Series(problems, dtype="str"))
    notices = [_in_use(len(used), int(np.isnan(scored).sum()))] if used else []
    return Overridden(GuidedScores(values, schema), cells, left_out, (*notices, *_not_in_use(problems)))


def _table(layer: list[Override]) -> pd.DataFrame:
    """Tabulate overrides: ``item_id, attribute, value, who, when, why``."""
    text = {name: [getattr(override, name) for override in layer] for name in (c.ITEM, "attribute", "who", "why")}
    table = pd.DataFrame(text, dtype="str").assign(
        value=np.array([override.value for override in layer], dtype=np.float64),
        when=pd.to_datetime([override.when for override in layer], utc=True),
    )
    return table[[c.ITEM, "attribute", "value", "who", "when", "why"]]


def _in_use(count: int, n_missing: int) -> Notice:
    """Count the overrides in use."""
    filled = f", {n_missing:,} of them missing otherwise" if n_missing else ""
    return Notice("overridden_scores", count, f"{count:,} single scores of items are set by hand{filled}")


def _not_in_use(problems: Sequence[Problem]) -> Iterator[Notice]:
    """Count the overrides that cannot be used, by the reason."""
    for code, what in _PROBLEMS.items():
        if count := problems.count(code):
            yield Notice(f"overrides_{code}", count, f"{count:,} overrides are {what}; kept, but not used")


def _in_force(entries: Iterable[Override]) -> dict[tuple[str, str], Override]:
    """Return what is in force, by item and attribute."""
    latest = {(override.item_id, override.attribute): override for override in entries}
    return {cell: override for cell, override in latest.items() if override.value is not None}


def _said(text: str, name: str) -> str:
    """Return text in one line, fit for a file.

    Raises
    ------
    DataError
        It is blank.
    """
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    if not line:
        what = "a reason" if name == "why" else "your name"
        raise DataError(f"enter {what}; nothing was given")
    return line


def _plain(score: np.float32) -> float | None:
    """Return a stored float32 score as people would write it: 7.3, not 7.30000019."""
    return None if math.isnan(score) else float(str(score))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
