"""The API reference follows `__all__`."""

from types import ModuleType

import pytest
from sitegen.python_api import public_names, reference

import guidedrec_core
from guidedrec_core.data.split import Split


def package(**names: object) -> ModuleType:
    made = ModuleType("some_package")
    made.__dict__.update(names)
    return made


def test_each_public_name_is_found_where_it_is_defined() -> None:
    text = reference(package(__all__=["Division", "__version__"], Division=Split, __version__="1"))
    assert "::: guidedrec_core.data.split.Split\n    options:\n      heading: Division" in text
    assert "__version__" not in text


def test_a_public_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError, match="Missing"):
        reference(package(__all__=["Missing"]))


def test_all_public_names_of_the_package_are_documented() -> None:
    text = reference(guidedrec_core)
    assert text.startswith("::: guidedrec_core\n")
    for name in public_names(guidedrec_core):
        assert f"heading: {name}\n" in text
        assert getattr(guidedrec_core, name).__doc__, f"{name} has no docstring"
