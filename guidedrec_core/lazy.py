"""Lazy packages (PEP 562): a package offers names from its modules, and loads a module when a name is first used."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(
    package: str, home_of: Mapping[str, tuple[str, str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package that offers names without loading them.

    An offered name must differ from every submodule's: loading a submodule makes it an attribute of the package, which
    Python finds before it calls ``__getattr__``.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    home_of : mapping of str to (str, str)
        Offered name to its module, without the package root ``guidedrec_core``, and its name there.

    Returns
    -------
    callable
        ``__getattr__(name)``: loads a name and keeps it in the package; raises AttributeError for unknown ones.
    callable
        ``__dir__()``: names all that is offered or loaded, sorted.
    """
    root = package.partition(".")[0]
    names = vars(sys.modules[package])

    def load(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, attribute = home_of[name]
        value = getattr(importlib.import_module(f"{root}.{module}"), attribute)
        names[name] = value
        return value

    def listed() -> list[str]:
        return sorted({*names, *home_of})

    return load, listed
