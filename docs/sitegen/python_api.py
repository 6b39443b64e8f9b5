"""The reference of the Python API, from the public names of `guidedrec_core`."""

from types import ModuleType


def public_names(package: ModuleType) -> list[str]:
    """Return the names in `__all__`, without those that begin with an underscore, such as the version."""
    return [name for name in getattr(package, "__all__", ()) if not name.startswith("_")]


def reference(package: ModuleType) -> str:
    """Write a directive for mkdocstrings for the package and for each public name.

    Names are found where they are defined, because the package loads them lazily and a directive must name a place
    that can be read without running anything.

    Raises
    ------
    AttributeError
        `__all__` holds a name that the package does not have.
    """
    lines = [f"::: {package.__name__}", "    options:", "      members: false", "      show_root_heading: false", ""]
    for name in public_names(package):
        made = getattr(package, name)
        home, qualified = getattr(made, "__module__", None), getattr(made, "__qualname__", None)
        path = f"{home}.{qualified}" if home and qualified else f"{package.__name__}.{name}"
        lines += [f"::: {path}", "    options:", f"      heading: {name}", f"      toc_label: {name}", ""]
    return "\n".join(lines)
