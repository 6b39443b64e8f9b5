"""Marks on single scores of an item: set by hand, or in doubt because passes disagree."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.overrides import Override
from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.reliability.report import Reliability
from guidedrec_core.reliability.trust import is_doubtful


@dataclass(frozen=True)
class Mark:
    """A remark on one score.

    Attributes
    ----------
    attribute : str
        Name of the attribute.
    remark : str
        Two or three words, shown next to the score.
    sentence : str
        The full sentence.
    """

    attribute: str
    remark: str
    sentence: str


def override_marks(
    item_id: str, schema: AttributeSchema, cells: pd.DataFrame | None, layer: tuple[Override, ...]
) -> tuple[Mark, ...]:
    """Mark an item's scores that are set by hand, in schema order.

    Parameters
    ----------
    item_id : str
        The item.
    schema : AttributeSchema
        What is scored.
    cells : pandas.DataFrame or None
        The table ``overrides`` of the run of scores in use; None when it has none.
    layer : tuple of Override
        What is in force now; see `overrides.current`.
    """
    used = {}
    if cells is not None:
        used = {row["attribute"]: row for _, row in cells[cells[c.ITEM] == item_id].iterrows()}
    now = {one.attribute: one for one in layer if one.item_id == item_id and one.attribute in schema.names}
    marks = []
    for attribute in schema.attributes:
        row, one = used.get(attribute.name), now.get(attribute.name)
        if row is not None:
            marks.append(_mark_in_use(attribute, row, undone=one is None))
        if one is not None and one.value is not None and (row is None or row["value"] != one.value):
            said = f"{attribute.label} will be {one.value:g} after the next refinement, set by hand "
            marks.append(Mark(attribute.name, "set by hand, not in use yet", said + _by(one.who, one.when, one.why)))
    return tuple(marks)


def _mark_in_use(attribute: Attribute, row: pd.Series, undone: bool) -> Mark:
    """Mark a score that is set by hand in the scores in use, by its row of the table ``overrides``."""
    instead = "" if pd.isna(row["scored"]) else f" instead of {row['scored']:g}"
    by = _by(row["who"], row["when"], row["why"])
    said = f"{attribute.label} is set by hand: {row['value']:g}{instead}, {by}"
    if undone:
        said += " It was undone since; the next refinement will not use it."
    return Mark(attribute.name, "set by hand", said)


def doubt_marks(item_id: str, schema: AttributeSchema, report: Reliability | None) -> tuple[Mark, ...]:
    """Mark an item's scores that passes disagree on, in schema order."""
    if report is None or item_id not in report.item_ids:
        return ()
    spread = np.asarray(report.disagreement[report.item_ids.index(item_id)])
    return tuple(
        Mark(
            attribute.name,
            "doubtful",
            f"{attribute.label} is doubtful: repeated scores differ by {scatter:.1f} points (standard deviation).",
        )
        for attribute, scatter in zip(schema.attributes, spread, strict=True)
        if is_doubtful(float(scatter), schema.scale)
    )


def _by(who: str, when: datetime, why: str) -> str:
    return f"by {who} on {when:%d %b %Y}: {why}{'' if why.endswith(('.', '!', '?')) else '.'}"
