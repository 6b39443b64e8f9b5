"""The reference of the Python API, from the public names of `guidedrec_core`."""

import inspect
from types import ModuleType


def public_names(package: ModuleType) -> list[str]:
    """Return the names in `__all__` by the alphabet, without those that begin with an underscore, such as a version."""
    return sorted((name for name in getattr(package, "__all__", ()) if not name.startswith("_")), key=str.lower)


def reference(package: ModuleType) -> str:
    """Write a directive for mkdocstrings for the package and for each public name.

    Names are found where they are defined, because the package loads them lazily and a directive must name a place
    that can be read without running anything.

    Raises
    ------
    AttributeError
        `__all__` holds a name that the package does not have.
    """
    names = public_names(package)
    lines = [f"::: {package.__name__}", "    options:", "      members: false", "      show_root_heading: false", ""]
    lines += ["| Name | What it is |", "| :-- | :-- |"]
    for name in names:
        first, _, _ = inspect.cleandoc(getattr(package, name).__doc__ or "").partition("\n\n")
        lines.append(f"| [`{name}`](#{_path(package, name)}) | {' '.join(first.split()).replace('|', '&#124;')} |")
    lines.append("")
    for name in names:
        lines += [
            f"::: {_path(package, name)}",
            "    options:",
            f"      heading: {name}",
            f"      toc_label: {name}",
            "",
        ]
    return "\n".join(lines)


def _path(package: ModuleType, name: str) -> str:
    """Return the full name of a public name where it is defined."""
    made = getattr(package, name)
    home, qualified = getattr(made, "__module__", None), getattr(made, "__qualname__", None)
    return f"{home}.{qualified}" if home and qualified else f"{package.__name__}.{name}"
