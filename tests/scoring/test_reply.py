import json
import math
import time
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.scoring.reply import Parsed, parse_reply

SCHEMA = AttributeSchema.parse(
    {"attributes": [{"name": n, "low": "little", "high": "much"} for n in ("pace", "depth")]}
)


def entry(number: Any, pace: Any = 3, depth: Any = 7.5, **more: Any) -> dict[str, Any]:
    return {"number": number, "scores": {"pace": pace, "depth": depth, **more}}


def answer(*entries: Any) -> str:
    return json.dumps({"items": entries})


def parsed(text: str | None, n: int = 2) -> Parsed:
    """Read an answer, and hold what comes to what always holds."""
    result = parse_reply(text, n, SCHEMA)
    assert set(result.scores).isdisjoint(result.faults)
    assert set(result.scores) | set(result.faults) == set(range(1, n + 1))
    assert all(len(row) == 2 and all(0 <= v <= 10 and math.isfinite(v) for v in row) for row in result.scores.values())
    assert all(type(v) is float for row in result.scores.values() for v in row)
    assert all(0 < len(fault) < 120 for fault in result.faults.values())
    return result


GOOD = answer(entry(1), entry(2, 0, 10))
BOTH = {1: (3.0, 7.5), 2: (0.0, 10.0)}


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        json.dumps([entry(2, 0, 10), entry(1)]),
        json.dumps({"result": {"items": [entry(1), entry(2, 0, 10)]}, "number": 2, "note": ["scores", 9]}),
        f"Sure! [1] Here you are:\n```json\n{json.dumps(json.loads(GOOD), indent=2)}\n```\nAnything {{else}}?",
        f"<think>Maybe {answer(entry(1, 9, 9), entry(2, 9, 9))}?</think>\n{GOOD}",
        f"Maybe {answer(entry(1, 9, 9))}, no.</think>{GOOD}",
        answer(entry("1", "3", " 7.5"), entry(2.0, "0.0", "+10")),
        answer(entry(1), entry(2, 0, 10), entry(1, 3.0, 7.5)),
        answer({"scores": {"depth": 7.5, "pace": 3}, "number": 1}, entry(2, 0, 10)),
        f"{json.dumps(entry(1))}\n{json.dumps(entry(2, 0, 10))}",
        GOOD[:-2],
        GOOD[: GOOD.rindex("}")] + ", {",
        "﻿" + GOOD,
    ],
)
def test_scores_are_found_wherever_they_are(text: str) -> None:
    assert parsed(text) == Parsed(BOTH, {})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (answer(entry(1)), "not in the answer"),
        (answer(entry(1), {"number": 2, "scores": 7}), "not in the answer"),
        (answer(entry(1), {"number": 2, "pace": 1, "depth": 2}), "not in the answer"),
        (answer(entry(1), entry("two")), "not in the answer"),
        (answer(entry(1), entry(2.5)), "not in the answer"),
        (answer(entry(1), entry(True)), "not in the answer"),
        (answer(entry(1), entry(2))[:-20], "not in the answer"),
        (answer(entry(1), {"number": 2, "scores": {}}), "no score of pace and 1 more"),
        (answer(entry(1), {"number": 2, "scores": {"depth": 2}}), "no score of pace"),
        (answer(entry(1), entry(2, why="it says so")), 'unknown attribute "why"'),
        (answer(entry(1), entry(2, pace=10.01)), "pace is off the scale: 10.01"),
        (answer(entry(1), entry(2, depth=-1)), "depth is off the scale: -1"),
        (answer(entry(1), entry(2, pace=None)), "pace is no number: null"),
        (answer(entry(1), entry(2, pace=True)), "pace is no number: true"),
        (answer(entry(1), entry(2, pace="high")), 'pace is no number: "high"'),
        (answer(entry(1), entry(2, pace="7/10")), 'pace is no number: "7/10"'),
        (answer(entry(1), entry(2, pace="1_0")), 'pace is no number: "1_0"'),
        (answer(entry(1), entry(2, pace="٣")), 'pace is no number: "\\u0663"'),
        (answer(entry(1), entry(2, pace="nan")), 'pace is no number: "nan"'),
        (answer(entry(1), entry(2, pace="9" * 5000)), f'pace is no number: "{"9" * 39}...'),
        (answer(entry(1), entry(2, pace=[5])), "pace is no number: [5]"),
        (answer(entry(1), entry(2, pace=math.nan)), "pace is no number: NaN"),
        (answer(entry(1), entry(2, pace=-math.inf)), "pace is no number: -Infinity"),
        (answer(entry(1), entry(2, pace=77)).replace("77", "1e999"), "pace is no number: Infinity"),
        (answer(entry(1), entry(2, pace=10**400)), f"pace is no number: 1{'0' * 39}..."),
        (answer(entry(1), entry(2)).replace('"depth": 7.5}}]', '"depth": 7.5, "pace": 9}}]'), "pace scored twice"),
        (answer(entry(1), entry(2, 1), entry(2, 2)), "scored twice, in different ways"),
        (answer(entry(1), entry(2, 1)) + answer(entry(2, 1, 1)), "scored twice, in different ways"),
        (answer(entry(1), entry(2, 1), entry(2, 99)), "pace is off the scale: 99"),
    ],
)
def test_what_is_not_plainly_there_is_a_fault_of_its_number_alone(text: str, fault: str) -> None:
    assert parsed(text) == Parsed({1: (3.0, 7.5)}, {2: fault})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "the answer is empty"),
        (" \n", "the answer is empty"),
        ("I cannot help with that.", "no JSON in the answer"),
        ("<think>It is 5, so " + GOOD, "no JSON in the answer"),
        ("pace: 3, depth: 7", "no JSON in the answer"),
        (GOOD.replace('"', "'"), "no JSON in the answer"),
        ('{"items": []}', "not in the answer"),
        ("[1, 2, 3]", "not in the answer"),
        (answer(entry(0), entry(1), entry(2)), "numbers in the answer that were not asked for"),
        (answer(entry(0), entry(1)), "numbers in the answer that were not asked for"),
        (answer(entry(2), entry(3)), "numbers in the answer that were not asked for"),
    ],
)
def test_an_answer_of_no_use_is_a_fault_of_every_number(text: str | None, fault: str) -> None:
    assert parsed(text) == Parsed({}, {1: fault, 2: fault})


def test_a_single_listing_needs_no_number() -> None:
    alone = json.dumps({"scores": {"pace": 1, "depth": 2}})
    assert parsed(alone, 1).scores == {1: (1.0, 2.0)}
    assert parsed(alone, 2).scores == {}
    assert parsed(json.dumps({"number": 7, "scores": {"pace": 1, "depth": 2}}), 1).scores == {}
    assert parsed(json.dumps({"pace": 1, "depth": 2}), 1).scores == {}


def test_the_scale_is_the_schemas() -> None:
    wide = SCHEMA.model_copy(update={"scale": SCHEMA.scale.model_copy(update={"min": -50.0, "max": 99.0})})
    assert parse_reply(answer(entry(1, -50, 99)), 1, wide).scores == {1: (-50.0, 99.0)}


@pytest.mark.parametrize(
    "text", ["[" * 60_000, '{"a":' * 9_000, '{"a":[1,' * 9_000 + "x" * 30_000, '[{"a":1},' * 9_000, '{"' * 60_000]
)
def test_an_answer_that_got_stuck_is_read_in_a_moment(text: str) -> None:
    begun = time.process_time()
    assert parsed(text).scores == {}
    assert time.process_time() - begun < 3


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["items", "number", "scores", "pace", "depth", "x"]), inner, max_size=5)
    ),
    max_leaves=25,
)
values = st.integers(0, 10) | st.floats(0, 10)
rows = st.dictionaries(st.integers(1, 6), st.tuples(values, values))
talk = st.text(st.characters(blacklist_characters="{}[]<>"), max_size=30)


@settings(max_examples=150, deadline=None)
@given(st.text() | json_values.map(json.dumps), st.integers(1, 4))
@example('{"number":' + "9" * 5000 + ',"scores":{}}', 2)
@example("[" * 5000 + "]" * 5000, 1)
def test_any_text_is_read_without_an_error(text: str, n: int) -> None:
    parsed(text, n)


@settings(max_examples=150, deadline=None)
@given(rows, talk, talk, st.sampled_from(["{}", "```json\n{}\n```", "<think>I think.</think>{}"]), st.randoms())
def test_what_a_model_scored_comes_back_whatever_it_says_around(
    given_rows: dict[int, tuple[float, float]], before: str, after: str, wrapped: str, random: Any
) -> None:
    entries = [entry(number, *row) for number, row in given_rows.items()]
    random.shuffle(entries)
    result = parsed(before + wrapped.replace("{}", answer(*entries)) + after, 6)
    assert result.scores == given_rows
    assert set(result.faults.values()) <= {"not in the answer"}


@settings(max_examples=150, deadline=None)
@given(rows, st.data())
def test_of_an_answer_cut_off_anywhere_only_what_was_said_is_taken(
    given_rows: dict[int, tuple[float, float]], data: st.DataObject
) -> None:
    whole = answer(*(entry(number, *row) for number, row in given_rows.items()))
    cut = data.draw(st.integers(0, len(whole)))
    result = parsed(whole[:cut], 6)
    assert result.scores.items() <= given_rows.items()
    assert len(result.scores) == whole[:cut].count("}}")


@settings(max_examples=150, deadline=None)
@given(rows.filter(bool), st.data(), json_values)
def test_one_spoiled_score_spoils_no_other_entry(
    given_rows: dict[int, tuple[float, float]], data: st.DataObject, odd: Any
) -> None:
    spoiled = data.draw(st.sampled_from(sorted(given_rows)))
    entries = [entry(number, *row) for number, row in given_rows.items() if number != spoiled]
    assume('"number"' not in json.dumps(odd))  # it would be an entry of its own
    result = parsed(answer(*entries, entry(spoiled, odd)), 6)
    others = {number: row for number, row in given_rows.items() if number != spoiled}
    assert {number: row for number, row in result.scores.items() if number != spoiled} == others
    if spoiled in result.scores:
        assert float(odd) == result.scores[spoiled][0]
