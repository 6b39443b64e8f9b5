"""JSON out of whatever a language model answered."""

import time

import pytest

from guidedrec_core.llm.reply_json import TWICE, json_values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Sure! ```json\n{"a": [1]}\n``` Anything else?', [{"a": [1]}]),
        ('<think>{"a": 1}</think>{"a": 2}', [{"a": 2}]),
        ('<think>{"a": 1} and so on', []),
        ('{"a": 1} {"b": ', [{"a": 1}]),
        ('{"a": [{"b": 1}, {"c":', [{"b": 1}]),
        ('{"a": 1, "a": 1}', [{"a": 1}]),
        ('{"a": 1, "a": 2}', [{"a": TWICE}]),
        ("no brackets", []),
        ("", []),
    ],
)
def test_whole_values_are_found_and_nothing_is_guessed(text: str, expected: list[object]) -> None:
    assert json_values(text) == expected


@pytest.mark.parametrize("text", ["[" * 60_000, '{"a":' * 9_000, '{"' * 60_000, "9" * 100_000])
def test_an_answer_that_got_stuck_is_read_in_a_moment(text: str) -> None:
    begun = time.process_time()
    assert json_values(text) == []
    assert time.process_time() - begun < 3
