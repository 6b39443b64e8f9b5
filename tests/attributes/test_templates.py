import re
from pathlib import Path

import pytest

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.templates import template, template_names
from guidedrec_core.errors import ConfigError
from guidedrec_core.llm.sanitize import clean
from guidedrec_core.scoring.prompts import Listing, messages


def test_there_is_a_template_for_each_kind_of_shop() -> None:
    assert template_names() == ("beauty", "books", "clothing", "electronics", "games", "grocery", "movies")
    assert len({template(name).hash() for name in template_names()}) == 7


def test_an_unknown_template_is_refused_with_the_known_ones() -> None:
    for name in ("toys", "../schema", ""):
        with pytest.raises(ConfigError, match=r"a template out of beauty, books, .*; got"):
            template(name)


@pytest.mark.parametrize("name", template_names())
def test_every_attribute_of_a_template_says_what_its_scores_mean(name: str) -> None:
    schema = template(name)
    assert schema.domain
    assert 10 <= len(schema) <= 14
    assert (schema.scale.min, schema.scale.max) == (0, 10)
    for attribute in schema.attributes:
        assert re.fullmatch("[a-z][a-z_]+", attribute.name)
        assert attribute.definition.endswith(".")
        assert list(attribute.levels) == ["2", "5", "8"]
        texts = [attribute.definition, attribute.low, attribute.high, *attribute.levels.values()]
        assert len(set(texts)) == len(texts)
        assert all(clean(text) == text and len(text) < 100 for text in texts)


@pytest.mark.parametrize("name", template_names())
def test_the_prompt_of_a_template_is_short(name: str) -> None:
    """It is paid for with every request."""
    system = messages(template(name), [Listing("a", "x")], "item")[0]["content"]
    assert len(system) < 5500
    assert all(f"- {attribute}: " in system for attribute in template(name).names)


def test_templates_survive_being_edited(tmp_path: Path) -> None:
    for name in template_names():
        template(name).write(tmp_path / "mine.toml")
        assert AttributeSchema.read(tmp_path / "mine.toml") == template(name)
