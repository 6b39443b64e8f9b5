"""JSON and aligned text."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from guidedrec_core.cli.output import write_json, write_table


def test_json_is_strict_whatever_comes(capsys: pytest.CaptureFixture[str]) -> None:
    write_json(
        {
            "nan": float("nan"),
            "numpy": [np.float32(0.5), np.int64(3), np.float64("inf"), np.bool_(True)],
            "when": datetime(2026, 1, 2, tzinfo=UTC),
            "where": Path("a/b"),
            "text": "Zoë \x1b",
            "tuple": (1, None),
        }
    )
    text = capsys.readouterr().out
    assert "Zoë" in text
    assert "\x1b" not in text
    assert json.loads(text) == {
        "nan": None,
        "numpy": [0.5, 3, None, True],
        "when": "2026-01-02T00:00:00+00:00",
        "where": "a/b",
        "text": "Zoë \x1b",
        "tuple": [1, None],
    }


def test_a_table_is_aligned_and_safe_for_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(("rank", "title"), [["1", "a\nb"], ["12", "\x1b[31mred"], ["", "none"]])
    assert capsys.readouterr().out == "rank  title\n   1  a b\n  12   [31mred\n      none\n"
