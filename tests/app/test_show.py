"""Tables: shares look alike, and no zero has a minus; all other numbers keep their digits."""

import pandas as pd
import pytest
import streamlit as st

from guidedrec_core.app import show

_NUMBER = st.column_config.NumberColumn


def test_shares_and_zeros_are_shown_in_one_form() -> None:
    frame = pd.DataFrame({"share": [0.0496, -0.0001], "gain": [-0.00004, -0.0006], "n": [1, 2], "title": ["a", "b"]})
    columns = {
        "share": _NUMBER("Share", format="percent"),
        "gain": _NUMBER("Gain", format="%+.4f"),
        "n": _NUMBER("Number", format="%d"),
        "title": "Item",
    }
    shown, settings = show._formatted(frame, columns)
    assert shown["share"].tolist() == pytest.approx([4.96, 0.0])
    assert settings["share"]["type_config"]["format"] == "%.1f\u00a0%%"
    assert shown["gain"].tolist() == [0.0, -0.0006]
    assert (shown["n"].tolist(), settings["title"]) == ([1, 2], "Item")
    assert columns["share"]["type_config"]["format"] == "percent"  # a page's own settings stay as they are
    assert frame["share"].iloc[0] == 0.0496
