"""Marks on an item's scores: set by hand in the run, waiting for the next one, or in doubt."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from guidedrec_core.attributes.overrides import Override
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.reliability.marks import doubt_marks, override_marks
from guidedrec_core.reliability.repeated import RepeatedScores
from guidedrec_core.reliability.report import reliability

SCHEMA = AttributeSchema.parse(
    {"attributes": [{"name": n, "low": "l", "high": "h"} for n in ("warm", "soft", "light")]}
)
WHEN = datetime(2026, 3, 4, tzinfo=UTC)


def override(attribute: str, value: float | None, item: str = "a") -> Override:
    said = {"who": "Ann", "when": WHEN, "why": "so it is", "replaced": None}
    return Override(item_id=item, attribute=attribute, value=value, scale=SCHEMA.scale, **said)


def cells(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["item_id", "attribute", "value", "scored"])
    return table.assign(who="Ann", when=pd.Timestamp(WHEN), why="so it is!")


def test_what_the_run_was_made_with_is_told_from_what_waits() -> None:
    used = cells(("a", "warm", 8.0, 3.5), ("a", "light", 2.0, np.nan), ("b", "soft", 1.0, 2.0))
    layer = (override("warm", 8.0), override("soft", 4.0), override("soft", 9.0, item="b"), override("gone", 1.0))
    found = override_marks("a", SCHEMA, used, layer)
    assert [(mark.attribute, mark.remark) for mark in found] == [
        ("warm", "set by hand"),
        ("soft", "set by hand, not in use yet"),
        ("light", "set by hand"),
    ]
    assert [mark.sentence for mark in found] == [
        "Warm is set by hand: 8 instead of 3.5, by Ann on 04 Mar 2026: so it is!",
        "Soft will be 4 after the next refinement, set by hand by Ann on 04 Mar 2026: so it is.",
        "Light is set by hand: 2, by Ann on 04 Mar 2026: so it is! It was undone since; the next refinement will not "
        "use it.",
    ]


def test_another_word_since_is_said_too() -> None:
    found = override_marks("a", SCHEMA, cells(("a", "warm", 8.0, 3.0)), (override("warm", 5.0),))
    assert [mark.remark for mark in found] == ["set by hand", "set by hand, not in use yet"]
    assert override_marks("a", SCHEMA, None, ()) == ()


def test_doubt_begins_at_a_tenth_of_the_scale() -> None:
    values = np.array([[[3, 3, 5], [1, 2, 3]], [[3, 4, 5], [1, 2, 4]], [[3, 5, 5], [1, 2, 3]]], dtype=float)
    report = reliability(RepeatedScores(values, ("a", "b"), SCHEMA))
    assert [(mark.attribute, mark.remark) for mark in doubt_marks("a", SCHEMA, report)] == [("soft", "doubtful")]
    assert "repeated scores differ by 1.0 points" in doubt_marks("a", SCHEMA, report)[0].sentence
    assert doubt_marks("b", SCHEMA, report) == doubt_marks("c", SCHEMA, report) == doubt_marks("a", SCHEMA, None) == ()
