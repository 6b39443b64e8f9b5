"""Attributes while they are edited: changes, and what is said to be wrong with them."""

from dataclasses import replace

import pytest

from guidedrec_core.attributes.draft import Draft, DraftAttribute, changes
from guidedrec_core.attributes.schema import AttributeSchema, Scale
from guidedrec_core.data.bundled import SCORED, bundled_scores
from guidedrec_core.errors import ConfigError

SCHEMA = AttributeSchema.parse(
    {
        "domain": "coats",
        "attributes": [
            {"name": "warmth", "low": "cold", "high": "deep cold", "levels": {"5": "a fleece", "7.5": "wool: thick"}},
            {"name": "USB_ports", "low": "none", "high": "many", "definition": "How many."},
            {"name": "style", "low": "plain", "high": "loud"},
        ],
    }
)


@pytest.mark.parametrize("name", [None, *SCORED])
def test_what_is_not_changed_keeps_its_hash(name: str | None) -> None:
    schema = SCHEMA
    if name is not None:
        files = bundled_scores(name)
        assert files is not None
        schema = AttributeSchema.read(files.attributes)
    draft = Draft.of(schema)
    assert draft.problems() == ()
    assert draft.schema() == schema
    assert draft.schema().hash() == schema.hash()


def test_attributes_are_added_reworded_moved_and_removed() -> None:
    draft = Draft.of(SCHEMA).add().change(3, label="  Wind proof ", low=" no ", high="yes", levels="2: a bit\n5 = some")
    made = draft.move(3, -2).schema()
    assert made.names == ("warmth", "wind_proof", "USB_ports", "style")
    assert made.attributes[1].levels == {"2": "a bit", "5": "some"}
    assert made.attributes[1].low == "no"
    assert draft.remove(0).schema().names == ("USB_ports", "style", "wind_proof")
    assert Draft.of(SCHEMA).move(0, -1) == Draft.of(SCHEMA)
    assert Draft.of(SCHEMA).move(2, 5) == Draft.of(SCHEMA)


@pytest.mark.parametrize(
    ("label", "column"),
    [
        ("Story complexity", "story_complexity"),
        ("Pre-owned, 2nd hand", "pre_owned_2nd_hand"),
        ("Gemütlichkeit", "gemutlichkeit"),
        ("Kid's stuff", "kids_stuff"),
        ("Usb ports", "usb_ports"),
    ],
)
def test_names_of_columns_are_made_from_what_people_type(label: str, column: str) -> None:
    assert DraftAttribute(label=label).column == column


def test_a_stored_name_is_kept_until_it_is_renamed() -> None:
    one = DraftAttribute.of(SCHEMA.attributes[1])
    assert (one.label, one.column) == ("Usb ports", "USB_ports")
    assert Draft.of(SCHEMA).change(1, label="Ports").schema().names[1] == "ports"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"label": " "}, "Attribute 1 has no name."),
        ({"label": "7 seas"}, "7 seas needs a name that begins with a letter a to z."),
        ({"label": "日本"}, "日本 needs a name that begins with a letter a to z."),
        ({"label": "x" * 61}, "has a name of 61 letters; the maximum is 60."),
        ({"label": "Item id"}, "Item id has the name of an ID column; choose another name."),
        ({"low": ""}, "Warmth does not say what 0 means."),
        ({"high": "\n"}, "Warmth does not say what 10 means."),
        ({"levels": "5: so\nso what"}, "Warmth has a level that cannot be read: “so what”; write a number"),
        ({"levels": "5: so\n5.0: or so"}, "Warmth has a level that cannot be read: “5.0: or so”"),
        ({"levels": "12: so"}, "Warmth has a level at 12, outside the scale from 0 to 10."),
        ({"label": "style"}, "2 attributes are called Style; give them different names."),
    ],
)
def test_what_is_wrong_is_said_in_words(texts: dict[str, str], said: str) -> None:
    draft = Draft.of(SCHEMA).change(0, **texts)
    assert len(draft.problems()) == 1
    assert said in draft.problems()[0]
    with pytest.raises(ConfigError, match=r"\.$"):
        draft.schema()


def test_nothing_and_too_much_are_no_schema() -> None:
    nothing = Draft((), "", Scale())
    assert nothing.problems() == ("There are no attributes; add one, or start from a template.",)
    many = Draft(tuple(DraftAttribute(f"a{n}", "l", "h") for n in range(65)), "", Scale())
    assert many.problems() == ("There are 65 attributes; the maximum is 64.",)


def test_changes_are_named() -> None:
    draft = Draft.of(SCHEMA)
    assert changes(SCHEMA, SCHEMA) == ()
    assert changes(SCHEMA, draft.move(0, 2).schema()) == ("in another order",)
    assert changes(SCHEMA, draft.change(0, label="Heat", low="icy").remove(2).schema()) == (
        "new: Heat",
        "removed: Warmth, Style",
    )
    assert changes(SCHEMA, draft.change(2, high="very loud").schema()) == ("reworded: Style",)
    other = Draft(draft.attributes, "", Scale(min=0, max=20)).schema()
    assert changes(SCHEMA, other) == ("scored from 0 to 20", "without a domain")


def test_texts_that_are_too_long_are_said() -> None:
    draft = Draft.of(SCHEMA).change(0, definition="x" * 2001)
    assert draft.problems() == ("Warmth has a text of 2,001 characters; the maximum is 2,000.",)
    longer = replace(Draft.of(SCHEMA), domain="x" * 301)
    assert longer.problems() == ("The domain has 301 characters; the maximum is 300.",)
