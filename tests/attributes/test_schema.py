import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidedrec_core.attributes.schema import Attribute, AttributeSchema, Scale
from guidedrec_core.errors import ConfigError, UnknownIdError

PACE = {"name": "pace", "low": "slow", "high": "fast"}
DEPTH = {"name": "story_Depth", "low": "flat", "high": "deep", "definition": "how much there is to find"}
CONTENT: dict[str, Any] = {"attributes": [PACE, DEPTH], "domain": "movies", "scale": {"min": 0, "max": 10}}

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)
texts = st.text(min_size=1, max_size=20)
levels = st.dictionaries(st.floats(0, 1).map(str), texts.filter(str.strip), max_size=3)
schemas = st.builds(
    AttributeSchema,
    attributes=st.lists(
        st.builds(Attribute, name=names, low=texts, high=texts, definition=st.text(max_size=20), levels=levels),
        min_size=1,
        max_size=6,
        unique_by=lambda a: a.name,
    ),
    domain=st.text(max_size=10),
    scale=st.builds(Scale, min=st.floats(-10, 0), max=st.floats(1, 100)),
)


def write(folder: Path, content: Any) -> Path:
    path = folder / "attributes.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_schema_is_read_in_its_order(tmp_path: Path) -> None:
    schema = AttributeSchema.read(write(tmp_path, CONTENT))
    assert schema.names == ("pace", "story_Depth")
    assert (len(schema), schema.index("story_Depth"), schema.domain) == (2, 1, "movies")
    assert schema.attributes[1].label == "Story depth"
    assert (schema.scale.min, schema.scale.max) == (0, 10)


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    assert AttributeSchema.read(write(tmp_path, "\ufeff" + json.dumps(CONTENT))).names[0] == "pace"


def test_the_hash_is_that_of_today_and_tomorrow() -> None:
    """Stored runs are told apart by it: a change here orphans them."""
    schema = AttributeSchema.parse(CONTENT)
    assert schema.hash() == "19c3fd9e4d60"
    assert AttributeSchema.parse({**CONTENT, "scale": {"max": 10.0}}).hash() == schema.hash()


def test_the_hash_sees_every_field_and_the_order() -> None:
    variants = [
        CONTENT,
        {**CONTENT, "attributes": [DEPTH, PACE]},
        {**CONTENT, "attributes": [PACE]},
        {**CONTENT, "domain": "books"},
        {**CONTENT, "scale": {"min": 1, "max": 10}},
        {**CONTENT, "attributes": [{**PACE, "low": "calm"}, DEPTH]},
        {**CONTENT, "attributes": [{**PACE, "high": "hectic"}, DEPTH]},
        {**CONTENT, "attributes": [{**PACE, "name": "tempo"}, DEPTH]},
        {**CONTENT, "attributes": [{**PACE, "definition": "cuts a minute"}, DEPTH]},
    ]
    hashes = {AttributeSchema.parse(v).hash() for v in variants}
    assert len(hashes) == len(variants)


def test_levels_come_in_order_whatever_their_spelling() -> None:
    """A schema without levels must keep its hash, see above; equal ones must have one."""
    spelled = [{"10": "hectic", "-0": "calm", "2.50": "so so"}, {"0": "calm", "2.5": "so so", "1e1": "hectic"}]
    schemas = [AttributeSchema.parse({**CONTENT, "attributes": [{**PACE, "levels": s}, DEPTH]}) for s in spelled]
    assert list(schemas[0].attributes[0].levels.items()) == [("0", "calm"), ("2.5", "so so"), ("10", "hectic")]
    assert schemas[0].hash() == schemas[1].hash() != AttributeSchema.parse(CONTENT).hash()


def test_the_hash_of_an_attribute_sees_it_and_the_scale_alone() -> None:
    pace = AttributeSchema.parse(CONTENT).attribute_hash("pace")
    assert len(pace) == 12
    same = [{**CONTENT, "domain": "books"}, {**CONTENT, "attributes": [{**DEPTH, "low": "thin"}, PACE]}]
    assert [AttributeSchema.parse(content).attribute_hash("pace") for content in same] == [pace, pace]
    others = [
        {**CONTENT, "scale": {"max": 9}},
        {**CONTENT, "attributes": [{**PACE, "levels": {"5": "walking"}}]},
        *({**CONTENT, "attributes": [{**PACE, key: "other"}]} for key in ("low", "high", "definition")),
    ]
    assert len({AttributeSchema.parse(content).attribute_hash("pace") for content in others} | {pace}) == 6
    with pytest.raises(UnknownIdError, match="plot"):
        AttributeSchema.parse(CONTENT).attribute_hash("plot")


@settings(max_examples=80, deadline=None)
@given(schemas, st.sampled_from(["attributes.toml", "attributes.json"]))
def test_a_written_schema_is_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, schema: AttributeSchema, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    schema.write(path)
    again = AttributeSchema.read(path)
    assert again == schema
    assert again.hash() == schema.hash()
    assert [again.index(name) for name in again.names] == list(range(len(again)))


def test_a_schema_in_toml_is_as_people_write_it(tmp_path: Path) -> None:
    schema = AttributeSchema.parse({**CONTENT, "attributes": [{**PACE, "levels": {"2.5": 'a "walk"'}}, DEPTH]})
    schema.write(tmp_path / "attributes.toml")
    assert (tmp_path / "attributes.toml").read_text() == (
        'domain = "movies"\n\n[scale]\nmin = 0.0\nmax = 10.0\n\n'
        '[[attributes]]\nname = "pace"\nlow = "slow"\nhigh = "fast"\ndefinition = ""\n\n'
        '[attributes.levels]\n"2.5" = "a \\"walk\\""\n\n'
        '[[attributes]]\nname = "story_Depth"\nlow = "flat"\nhigh = "deep"\ndefinition = "how much there is to find"\n'
    )
    assert [file.name for file in tmp_path.glob(".*")] == []


def test_a_schema_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot write .*away/a\.json \(No such file or directory\)"):
        AttributeSchema.parse(CONTENT).write(tmp_path / "away" / "a.json")


def test_an_unknown_attribute_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownIdError, match="unknown attribute 'plot'; this schema has pace, story_Depth"):
        AttributeSchema.parse(CONTENT).index("plot")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**CONTENT, "attributes": [PACE, PACE, DEPTH]}, "must be unique, got twice: pace"),
        ({**CONTENT, "attributes": []}, "attributes: .*at least 1"),
        ({**CONTENT, "attributes": [{**PACE, "name": f"a{n}"} for n in range(65)]}, "attributes: .*at most 64"),
        ({"domain": "movies"}, "attributes: Field required"),
        ({**CONTENT, "attributes": [{"name": "pace", "low": "slow"}]}, r"attributes\.0\.high: Field required"),
        ({**CONTENT, "attributes": [{**PACE, "low": ""}]}, r"attributes\.0\.low: .*at least 1"),
        ({**CONTENT, "attributes": [{**PACE, "name": "two words"}]}, r"attributes\.0\.name: .*got 'two words'"),
        ({**CONTENT, "attributes": [{**PACE, "name": "9lives"}]}, r"attributes\.0\.name"),
        ({**CONTENT, "attributes": [{**PACE, "name": "pace\n"}]}, r"attributes\.0\.name"),
        ({**CONTENT, "attributes": [{**PACE, "weight": 1}]}, r"attributes\.0\.weight: Extra inputs"),
        ({**CONTENT, "scale": {"min": 10, "max": 10}}, "min < max, got 10 and 10"),
        ({**CONTENT, "scale": {"min": 0, "max": float("inf")}}, r"scale\.max: .*finite"),
        ({**CONTENT, "scale": {"min": float("nan")}}, r"scale\.min: .*finite"),
        ({**CONTENT, "attributes": [{**PACE, "name": "item_id"}]}, "item_id is the name of a column of ids"),
        ({**CONTENT, "attributes": [{**PACE, "levels": {"11": "x"}}]}, "on the scale, 0 to 10; pace has 11"),
        ({**CONTENT, "attributes": [{**PACE, "levels": {"mid": "x"}}]}, "numbers on the scale, got 'mid'"),
        ({**CONTENT, "attributes": [{**PACE, "levels": {"nan": "x"}}]}, "levels are different numbers, got nan"),
        ({**CONTENT, "attributes": [{**PACE, "levels": {"5": "x", "5.0": "y"}}]}, "different numbers, got 5, 5.0"),
        ({**CONTENT, "attributes": [{**PACE, "levels": {"5": " "}}]}, "a level needs a text"),
        ({**CONTENT, "attributes": [{**PACE, "definition": "x" * 2001}]}, r"attributes\.0\.definition: .*at most 2000"),
        ({**CONTENT, "attributes": [{**PACE, "low": "x" * 2001}]}, r"attributes\.0\.low: .*at most 2000"),
        ({**CONTENT, "attributes": [{**PACE, "levels": {"5": "x" * 2001}}]}, "at most 2,000 characters, got 2,001"),
        (
            {**CONTENT, "attributes": [{**PACE, "levels": {str(n / 100): "x" for n in range(101)}}]},
            r"attributes\.0\.levels: .*at most 100",
        ),
        ({**CONTENT, "domain": "x" * 301}, "domain: .*at most 300"),
        ([PACE], "expected a JSON object with 'attributes' in .*, got a list"),
        ("{", "expected an attribute schema in JSON at .*, cannot read it"),
        ("[" * 100_000, "expected an attribute schema in JSON at .*, cannot read it"),
    ],
)
def test_a_wrong_schema_says_what_is_wrong(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        AttributeSchema.read(write(tmp_path, content))


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"at .*nowhere\.json, there is no such file"):
        AttributeSchema.read(tmp_path / "nowhere.json")
    with pytest.raises(ConfigError, match="cannot read it"):
        AttributeSchema.read(tmp_path)
    (tmp_path / "broken.toml").write_text('domain = "movies')
    with pytest.raises(ConfigError, match=r"in TOML at .*broken\.toml, cannot read it"):
        AttributeSchema.read(tmp_path / "broken.toml")
    (tmp_path / "latin.json").write_bytes(b'{"domain": "caf\xe9"}')
    with pytest.raises(ConfigError, match="cannot read it"):
        AttributeSchema.read(tmp_path / "latin.json")


def test_schemas_cannot_be_changed() -> None:
    schema = AttributeSchema.parse(CONTENT)
    with pytest.raises(ValueError, match="frozen"):
        schema.domain = "books"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("deep.toml", ".".join(["a"] * 20_000) + " = 1", "a key has more than 16 parts between dots"),
        ("deep.toml", "[" + " . ".join(["a"] * 20_000) + "]", "a key has more than 16 parts"),
        ("deep.toml", ".".join(['"a b"'] * 20_000) + " = 1", "a key has more than 16 parts"),
        ("deep.toml", ".".join(['"a\\"b"'] * 20_000) + " = 1", "a key has more than 16 parts"),
        ("deep.toml", "x = {" + ".".join(["'a b'"] * 20_000) + " = 1}", "a key has more than 16 parts"),
        ("deep.toml", "x = " + "[" * 100_000, "cannot read it"),
        ("deep.toml", "x = " + "{a = " * 20_000, "cannot read it"),
        ("large.toml", "#" * 1_000_001, "it has more than 1,000,000 bytes"),
        ("large.json", " " * 1_000_001, "it has more than 1,000,000 bytes"),
        ("large.toml", "\n".join(f"k{n} = 1" for n in range(90_000)), "Extra inputs are not permitted"),
    ],
)
def test_a_file_of_any_size_or_depth_is_refused_in_a_moment(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    begun = time.process_time()
    with pytest.raises(ConfigError, match=message) as caught:
        AttributeSchema.read(tmp_path / name)
    assert time.process_time() - begun < 5  # 20,000 parts took 11 s
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 4000


def test_a_file_that_never_ends_or_begins_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    for path in (Path("/dev/zero"), tmp_path / "pipe.toml", tmp_path):
        with pytest.raises(ConfigError, match="expected a regular file, it is a"):
            AttributeSchema.read(path)


def test_ordinary_dots_and_line_ends_are_read(tmp_path: Path) -> None:
    definition = "One. Two. " * 40 + "e.g. U.S.A., 1.2.3.4.5.6.7"
    lines = 'domain = "movies"\r\n[[attributes]]\r\nname = "pace"\rlow = "slow"\nhigh = "fast"\n'
    (tmp_path / "dots.toml").write_bytes(f'{lines}definition = "{definition}"\n'.encode())
    assert AttributeSchema.read(tmp_path / "dots.toml").attributes[0].definition == definition
